"""Fixtures of the consumers' tests."""

from .proxy import proxy
from .rig import rig

__all__ = ["proxy", "rig"]
