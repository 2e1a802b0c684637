"""Load and limits: more than it can take, clients that are slow or silent, and a soak. ``python -m tests.load``."""
