"""Trouble of the store's own: it is no command's fault, and it passes."""

from pymongo.errors import ConnectionFailure, ExecutionTimeout, OperationFailure, WriteConcernError

NO_ROOM = 14031
"""MongoDB's code for a write that finds the disk full."""


def passes(error: Exception) -> bool:
    """Whether the same may be asked for again later: the store is away or slow, or for want of room, or of others to
    keep it too, it does not take a write."""
    if isinstance(error, OperationFailure) and error.code == NO_ROOM:
        return True
    return isinstance(error, (ConnectionFailure, ExecutionTimeout, WriteConcernError))
