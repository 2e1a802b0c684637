"""The fault rig: the real stack under load, faults by a seed, a ledger outside the system, and what must hold."""
