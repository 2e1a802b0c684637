"""The launcher is tested with the real thing where that is cheap: supervisord, sockets, files, Caddy."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from deploy.local.stack import PORTS, Stack
from tests.tools import free_port


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """A stack of its own: a fresh folder, free ports."""
    return Stack("test", tmp_path, {name: free_port() for name in PORTS})


@pytest.fixture
def screen() -> Console:
    """What is printed, to be read with ``screen.file.getvalue()``."""
    return Console(file=io.StringIO(), width=200, highlight=False)


@pytest.fixture
def shown(screen: Console) -> Callable[[], str]:
    def read() -> str:
        assert isinstance(screen.file, io.StringIO)
        return screen.file.getvalue()

    return read
