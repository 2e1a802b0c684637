"""The parts' processes, in supervisord's care: it starts them, starts them again when they die, stops them in order.

A part that dies over and over while starting is given up; the launcher then names it.
"""

import contextlib
import os
import re
import shlex
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from supervisor.xmlrpc import SupervisorTransport

from deploy.local.part import Part
from deploy.local.progress import Failed
from deploy.local.stack import ROOT, Stack

START_SECONDS = 10
SOCKET_PATH_MAX = 100  # the system's own limit is 103 or 107 characters
LOG_TAIL_LINES = 15
ENDS_LOOKED_AT = 20_000  # characters of supervisord's own log

#: What the parts inherit from whoever ran `make up`. Not all: a stray JAVA_TOOL_OPTIONS would confuse them.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ")

HEAD = """\
[supervisord]
nodaemon=true
directory={root}
logfile={folder}/log/supervisord.log
logfile_maxbytes=5MB
pidfile={folder}/supervisord.pid
childlogdir={folder}/log

[unix_http_server]
file={socket}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{socket}
"""

#: startsecs: who lives this long has started. Who dies before gets startretries more chances, each after a longer wait.
PROGRAM = """
[program:{name}]
command={command}
autostart=false
autorestart=true
startsecs={steady_seconds}
startretries={retries}
stopwaitsecs={stop_seconds}
stopasgroup=true
killasgroup=true
priority={priority}
redirect_stderr=true
stdout_logfile={folder}/log/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=1
"""


@dataclass(frozen=True)
class Process:
    """What supervisord says of one part."""

    state: str
    pid: int
    said: str


@dataclass(frozen=True)
class End:
    """How a process ended: ``exit status 1``, ``terminated by SIGKILL``."""

    asked_for: bool
    cause: str


def configuration(stack: Stack, parts: Sequence[Part]) -> str:
    """supervisord's own file. Parts are stopped in the opposite of the order given here."""
    text = HEAD.format(root=_plain(str(ROOT)), folder=_plain(str(stack.folder)), socket=_plain(str(_socket(stack))))
    for priority, part in enumerate(parts, 1):
        text += PROGRAM.format(
            name=part.name,
            # env(1), because supervisord's own way of writing an environment cannot quote a quotation mark
            command=_plain(shlex.join(["env", *(f"{key}={value}" for key, value in part.env.items()), *part.command])),
            stop_seconds=part.stop_seconds,
            retries=part.starts_max - 1,
            steady_seconds=part.steady_seconds,
            priority=priority,
            folder=_plain(str(stack.folder)),
        )
    return text


class Supervisor:
    """One stack's supervisord, reached through a socket in the stack's folder."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._process: subprocess.Popen[bytes] | None = None

    def running(self) -> bool:
        """Whether one answers, of this launcher or of another."""
        try:
            self._call("getState")
        except (OSError, xmlrpc.client.Error):
            return False
        return True

    def launch(self, parts: Sequence[Part]) -> None:
        """Start supervisord; no part yet. In a session of its own, or Ctrl-C would hit all parts at once."""
        folder = self._stack.folder
        (folder / "log").mkdir(parents=True, exist_ok=True)
        if len(str(_socket(self._stack)).encode()) > SOCKET_PATH_MAX:
            raise Failed(f"{folder} is too long a path for a socket: put the clone into a shorter one")
        configured = folder / "supervisord.conf"
        configured.write_text(configuration(self._stack, parts))
        with (folder / "log" / "supervisord.out").open("wb") as out:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "supervisor.supervisord", "-c", str(configured)],
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={name: os.environ[name] for name in INHERITED if name in os.environ},
                start_new_session=True,
            )
        until = time.monotonic() + START_SECONDS
        while not self.running():
            if self._process.poll() is not None or time.monotonic() > until:
                raise Failed(f"supervisord did not start:\n{(folder / 'log' / 'supervisord.out').read_text()[-2000:]}")
            time.sleep(0.05)

    def start(self, name: str) -> None:
        self._call("startProcess", name, False)

    def stop(self, name: str) -> None:
        self._call("stopProcess", name, True)

    def processes(self) -> Mapping[str, Process]:
        """Every part as it is now."""
        rows = self._call("getAllProcessInfo")
        assert isinstance(rows, list)
        return {
            row["name"]: Process(row["statename"], row["pid"], row["spawnerr"] or row["description"]) for row in rows
        }

    def last_end(self, name: str) -> "End | None":
        """How a part's last process ended. Only supervisord's log knows, once the next one is started."""
        log = self._call("readLog", -ENDS_LOOKED_AT, 0)
        assert isinstance(log, str)
        ends = re.findall(rf"(stopped|exited): {re.escape(name)} \((.*)\)$", log, re.MULTILINE)
        if not ends:
            return None
        how, cause = ends[-1]
        return End(asked_for=how == "stopped", cause=cause.split("; ")[0])

    def last_lines(self, name: str) -> str:
        """The end of a part's log, for a person to read."""
        log = self._stack.folder / "log" / f"{name}.log"
        text = log.read_text(errors="replace") if log.exists() else ""
        return "\n".join(text.splitlines()[-LOG_TAIL_LINES:]) or "(it wrote nothing)"

    def shut_down(self) -> bool:
        """Stop all parts in order, then supervisord; returns when it is gone, with whether there was one."""
        try:
            with contextlib.suppress(xmlrpc.client.Fault):  # somebody else is stopping it already
                self._call("shutdown")
        except (OSError, xmlrpc.client.Error):
            return False
        with contextlib.suppress(FileNotFoundError):  # it is gone by now
            pid = int((self._stack.folder / "supervisord.pid").read_text())
            while _lives(pid):
                time.sleep(0.05)
        return True

    def _call(self, method: str, *arguments: object) -> object:
        transport = SupervisorTransport(None, None, serverurl=f"unix://{_socket(self._stack)}")
        with xmlrpc.client.ServerProxy("http://local", transport=transport) as server:
            return getattr(server.supervisor, method)(*arguments)


def _socket(stack: Stack) -> Path:
    return stack.folder / "supervisor.sock"


def _lives(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # where it is a child of this process, it would stay as a zombie
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _plain(text: str) -> str:
    """A percent sign starts an expansion in supervisord's file."""
    return text.replace("%", "%%")
