"""`make up` and `make test`: start all parts and show how it goes, then stay, or run a command; stop all in order."""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import xmlrpc.client
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console

from deploy.local import caddy, demo, kafka, keycloak, mailbox, mongo, services, summary, zipkin
from deploy.local.part import Part, carry_out, program
from deploy.local.progress import Board, Failed, Say, Task
from deploy.local.stack import HOST, PARTNERS, ROOT, Stack, port_setting
from deploy.local.supervising import End, Process, Supervisor

READY_SECONDS = 180  # for one part, on a slow and busy machine
POLL_SECONDS = 0.25
WATCH_SECONDS = 1.0
KEPT = ("launcher.lock", "uv")  # in a stack's folder, but no data
RESTARTS_MAX = 20  # of one part, while the stack is up: one that dies more often is left alone


def parts(stack: Stack) -> list[Part]:
    """Everything that runs; what is stopped last comes first."""
    return [
        kafka.part(stack),
        mongo.part(stack),
        keycloak.part(stack),
        zipkin.part(stack),
        mailbox.part(stack),
        *(services.part(stack, name) for name in services.NAMES),
        caddy.part(stack),
    ]


def up(stack: Stack, console: Console, *, with_demo: bool, without: Collection[str] = ()) -> int:
    """Start everything, or all but some services that a developer runs by hand, and stay until Ctrl-C."""
    supervisor = Supervisor(stack)
    with _alone(stack) as alone:
        if not alone or supervisor.running():
            console.print(_already(stack, launcher_lives=not alone))
            console.print(summary.addresses(stack))
            return 0
        began = time.monotonic()
        try:
            start(stack, [part for part in parts(stack) if part.name not in without], supervisor, console)
            console.print(f"All parts answer after {time.monotonic() - began:.0f} s, besides the installing.")
            if with_demo and not without:
                demo.run(stack, console)
            console.print(summary.addresses(stack))
            console.print(f"Ctrl-C stops it, and so does `{stack.stopping}` from another terminal.")
            watch(supervisor, console)
        except KeyboardInterrupt:
            console.print("Stopping.")
        finally:
            _stop(supervisor)
        console.print("Stopped.")
    return 0


@contextmanager
def afresh(stack: Stack) -> Generator[Supervisor]:
    """The stack's folder, emptied, for one who starts parts of their own; they are stopped at the end."""
    supervisor = Supervisor(stack)
    with _alone(stack) as alone:
        if not alone or supervisor.running():
            raise Failed(f"A stack runs from {stack.folder} already; `{stack.stopping}` stops it.")
        _empty(stack)
        try:
            yield supervisor
        finally:
            _stop(supervisor)


def run(stack: Stack, console: Console, command: Sequence[str]) -> int:
    """Run a command beside a fresh stack, or beside the profile's if one is up; return the command's exit code."""
    supervisor = Supervisor(stack)
    environment = {**os.environ, **stack.environment()}
    with _alone(stack) as alone:
        if not alone or supervisor.running():
            console.print(f"Using the stack that runs from {stack.folder}.")
            return subprocess.run(command, check=False, env=environment, cwd=ROOT).returncode  # noqa: S603
        _empty(stack)
        try:
            start(stack, parts(stack), supervisor, console)
            code = subprocess.run(command, check=False, env=environment, cwd=ROOT).returncode  # noqa: S603
            _tell_of_the_dead(supervisor, console)
            return code
        finally:
            _stop(supervisor)


def clean(stack: Stack, console: Console) -> None:
    """Delete a stack's data and logs. Raises Failed when it runs."""
    with _alone(stack) as alone:
        if not alone or Supervisor(stack).running():
            raise Failed(f"The stack in {stack.folder} is running: stop it first (Ctrl-C, or `{stack.stopping}`).")
        _empty(stack)
    console.print(f"Deleted the data and logs in {stack.folder}.")


def down(stack: Stack, console: Console) -> None:
    """Stop a stack whose launcher is gone, or whose terminal is not at hand."""
    stopped = Supervisor(stack).shut_down()
    console.print(f"{'Stopped what ran' if stopped else 'Nothing runs'} from {stack.folder}.")


def _already(stack: Stack, *, launcher_lives: bool) -> str:
    if launcher_lives:
        return f"It is running already, from {stack.folder}; `{stack.stopping}` stops it."
    gone = f"It runs from {stack.folder}, but its launcher is gone: nobody tells of parts that die."
    return f"{gone} `{stack.stopping}` stops it."


def _empty(stack: Stack) -> None:
    for child in stack.folder.iterdir():
        if child.name in KEPT:
            continue
        if child.is_dir():
            shutil.rmtree(child)
        else:
            child.unlink()


@contextmanager
def _alone(stack: Stack) -> Generator[bool]:
    """Whether no other launcher is at work in this folder. The system gives the lock back however a launcher ends."""
    stack.folder.mkdir(parents=True, exist_ok=True)
    with (stack.folder / "launcher.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def start(stack: Stack, everything: Sequence[Part], supervisor: Supervisor, console: Console) -> None:
    """Start supervisord and the parts, and wait until all of them answer. Raises Failed when one does not."""
    for stopping in (signal.SIGINT, signal.SIGTERM):  # SIGINT too: what a shell starts with & ignores it
        signal.signal(stopping, signal.default_int_handler)
    bring_up(stack, everything, supervisor, console)


def bring_up(
    stack: Stack,
    everything: Sequence[Part],
    supervisor: Supervisor,
    console: Console,
    topics: Mapping[str, str] | None = None,
) -> None:
    """What ``start`` does, for callers who see to the signals themselves. Parts on demand are left for later.

    ``topics`` are more settings for `tyrsky topics apply`.
    """
    check_ports(stack, everything)
    supervisor.launch(everything)
    tasks = [Task(part.name, _starting(part, supervisor), part.needs) for part in everything if not part.on_demand]
    if any(part.name == "kafka" for part in everything):
        tasks.append(Task("topics", lambda say: _apply_topics(stack, topics or {}, say), needs=("kafka",)))
    Board(tasks, console).run()


def _stop(supervisor: Supervisor) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave half of it running
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    supervisor.shut_down()


def check_ports(stack: Stack, everything: Sequence[Part]) -> None:
    """Raise Failed, naming every port that something else holds, and the setting that moves it."""
    taken = [
        f"port {stack.ports[name]} ({name}) is in use: set {port_setting(name, stack.profile)} to another"
        for part in everything
        for name in part.ports
        if not _is_free(stack.ports[name])
    ]
    if len(taken) > 1:
        taken.append("Another `make up` or `make test` probably holds them.")
    if taken:
        raise Failed("\n".join(taken))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _starting(part: Part, supervisor: Supervisor) -> Callable[[Say], None]:
    def work(say: Say) -> None:
        part.prepare(say)
        supervisor.start(part.name)
        until = time.monotonic() + READY_SECONDS
        while waits_for := part.ready():
            process = supervisor.processes()[part.name]
            if process.state == "FATAL":
                raise Failed(_died(part.name, process, supervisor))
            if time.monotonic() > until:
                said = supervisor.last_lines(part.name)
                raise Failed(f"{part.name} still waits for {waits_for} after {READY_SECONDS} s:\n{said}")
            say(f"waits for {waits_for}")
            time.sleep(POLL_SECONDS)

    return work


def _died(name: str, process: Process, supervisor: Supervisor) -> str:
    end = supervisor.last_end(name)
    return f"{name} died ({end.cause if end else process.said}). The end of its log:\n{supervisor.last_lines(name)}"


def _apply_topics(stack: Stack, more: Mapping[str, str], say: Say) -> None:
    say("topics, access lists and users of partner colleges")
    command = [program("tyrsky"), "topics", "apply"]
    env = {"KAFKA_BOOTSTRAP": stack.address("kafka"), "PARTNERS": json.dumps(PARTNERS), **more}
    said = carry_out("`tyrsky topics apply`", command, seconds=READY_SECONDS, env=env)
    (stack.folder / "log" / "topics.log").write_text(said)


def watch(supervisor: Supervisor, console: Console) -> None:
    """Say of each part that dies what it said last. supervisord starts it again; one that dies for ever is given up."""
    before = supervisor.processes()
    restarts = dict.fromkeys(before, 0)
    while True:
        time.sleep(WATCH_SECONDS)
        try:
            now = supervisor.processes()
        except (OSError, xmlrpc.client.Error):
            console.print("It was stopped from elsewhere.")
            return
        for name, process in now.items():
            if process.state == "FATAL" != before[name].state:
                console.print(_died(name, process, supervisor), markup=False)
                console.print(f"{name} is not started again; the others run on.")
            elif process.pid and process.pid != before[name].pid:
                end = supervisor.last_end(name)
                if end and end.asked_for:
                    console.print(f"{name} was restarted, as somebody asked.")
                    continue
                restarts[name] += 1
                _tell_of_restart(name, restarts[name], end, supervisor, console)
        before = now


def _tell_of_restart(name: str, times: int, end: End | None, supervisor: Supervisor, console: Console) -> None:
    said = supervisor.last_lines(name)
    cause = f" ({end.cause})" if end else ""
    console.print(f"{name} died{cause} and was started again. The end of its log:\n{said}", markup=False)
    if times == RESTARTS_MAX:
        supervisor.stop(name)
        console.print(f"{name} died {times} times: it is not started again.")


def _tell_of_the_dead(supervisor: Supervisor, console: Console) -> None:
    for name, process in supervisor.processes().items():
        if process.state == "FATAL":
            console.print(_died(name, process, supervisor), markup=False)
