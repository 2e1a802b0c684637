"""The kit's hard parts under a scheduler that explores interleavings; see docs/simulation.md."""
