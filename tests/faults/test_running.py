"""A run's beginning and end."""

import socket
from types import SimpleNamespace
from typing import cast

import pytest

from deploy.local.supervising import Supervisor
from tests.faults.parts import Layout
from tests.faults.proxy import HOST
from tests.faults.running import proxied
from tests.faults.standins import Echo
from tests.tools import free_port


async def test_parts_have_what_they_need_until_all_have_stopped(echo: Echo) -> None:
    port, heard = free_port(), list[bytes]()

    class Stopping:
        """A service that writes down what it has in hand as it stops."""

        def shut_down(self) -> bool:
            """It is done when that was answered."""
            with socket.create_connection((HOST, port), timeout=5) as line:
                line.sendall(b"the last write")
                heard.append(line.recv(100))
            return True

    place = SimpleNamespace(pairs={"a-b": (HOST, echo.port)}, proxy_port=lambda _: port)  # pyright: ignore[reportUnknownLambdaType]
    async with proxied(cast("Layout", place), cast("Supervisor", Stopping())):
        pass
    assert heard == [b"the last write"]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, port), timeout=5)
