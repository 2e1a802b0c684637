"""What tests of all kinds need."""

import socket

from deploy.local.stack import HOST


def free_port() -> int:
    """One that nobody listens at."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]
