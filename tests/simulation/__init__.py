"""The kit's hard parts (store, relay, consumers) under a scheduler that explores interleavings; see docs/simulation.md."""
