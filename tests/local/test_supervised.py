"""Parts in supervisord's care: what becomes of those that die, and of what they are given."""

import fcntl
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from rich.console import Console

from deploy.local import launch
from deploy.local.part import Part
from deploy.local.progress import Failed
from deploy.local.stack import Stack
from deploy.local.supervising import Supervisor

pytestmark = pytest.mark.stack  # it needs no server, but seconds

SECONDS = 20


def eventually(check: Callable[[], bool]) -> bool:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        if check():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def supervisor(stack: Stack) -> Iterator[Supervisor]:
    running = Supervisor(stack)
    yield running
    running.shut_down()


def test_a_stack_whose_launcher_was_killed_is_named_and_can_be_stopped(
    stack: Stack, screen: Console, shown: Callable[[], str], supervisor: Supervisor
):
    supervisor.launch([])
    assert launch.up(stack, screen, with_demo=False) == 0
    assert "its launcher is gone" in shown()
    assert stack.url("gateway", "/") in shown()
    launch.down(stack, screen)
    assert f"Stopped what ran from {stack.folder}." in shown()
    assert not supervisor.running()


def test_a_second_launcher_says_that_it_is_running_and_how_to_stop_it(
    stack: Stack, screen: Console, shown: Callable[[], str]
):
    with (stack.folder / "launcher.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as a launcher that lives
        assert launch.up(stack, screen, with_demo=False) == 0
    assert "It is running already" in shown()
    assert stack.stopping in shown()
    assert "gone" not in shown()


def test_what_runs_is_not_cleaned_away(stack: Stack, screen: Console, supervisor: Supervisor):
    supervisor.launch([])
    with pytest.raises(Failed, match="stop it first"):
        launch.clean(stack, screen)
    assert supervisor.running()


def test_a_part_that_cannot_start_is_named_with_the_end_of_its_log(
    stack: Stack, screen: Console, supervisor: Supervisor
):
    broken = Part(
        name="broken",
        command=[sys.executable, "-c", "raise SystemExit('the disk is full')"],
        ready=lambda: "its answer",
        ports=(),
        starts_max=1,
    )
    with pytest.raises(Failed, match=r"broken died \(exit status 1\)(?s:.*)the disk is full"):
        launch.start(stack, [broken], supervisor, screen)


def test_a_killed_part_is_started_again_and_told_of(
    stack: Stack, screen: Console, shown: Callable[[], str], supervisor: Supervisor
):
    code = "import time; print('I slept', flush=True); time.sleep(60)"
    sleeper = Part("sleeper", [sys.executable, "-c", code], lambda: "", ())
    launch.start(stack, [sleeper], supervisor, screen)
    assert eventually(lambda: supervisor.processes()["sleeper"].state == "RUNNING")
    first = supervisor.processes()["sleeper"].pid
    watching = threading.Thread(target=launch.watch, args=(supervisor, screen), daemon=True)
    watching.start()
    time.sleep(launch.WATCH_SECONDS)
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: "sleeper died (terminated by SIGKILL) and was started again" in shown())
    assert "I slept" in shown()
    assert supervisor.processes()["sleeper"].pid not in (0, first)
    assert eventually(lambda: supervisor.processes()["sleeper"].state == "RUNNING")
    supervisor.stop("sleeper")
    supervisor.start("sleeper")
    assert eventually(lambda: "sleeper was restarted, as somebody asked" in shown())
    assert shown().count("died") == 1
    supervisor.shut_down()
    watching.join(SECONDS)
    assert "stopped from elsewhere" in shown()


def test_parts_are_stopped_in_the_opposite_order(stack: Stack, screen: Console, supervisor: Supervisor):
    log = stack.folder / "stopped"

    def teller(name: str) -> Part:
        ready = stack.folder / f"{name}.ready"
        at_stop = f"signal.signal(15, lambda *_: (open({str(log)!r}, 'a').write('{name} '), sys.exit()))"
        code = f"import signal, sys, time; {at_stop}; open({str(ready)!r}, 'w'); time.sleep(60)"
        return Part(name, [sys.executable, "-c", code], lambda: "" if ready.exists() else "its file", ())

    launch.start(stack, [teller(name) for name in ("store", "service", "gateway")], supervisor, screen)
    supervisor.shut_down()
    assert log.read_text().split() == ["gateway", "service", "store"]


def test_what_a_part_is_started_with_arrives_as_it_was_written(stack: Stack, screen: Console, supervisor: Supervisor):
    value = """["vaao","sasky"] 100% 'quoted' $HOME a,b=c"""
    out = stack.folder / "out"
    code = f"import os,sys,time; open({str(out)!r},'w').write(os.environ['VALUE']+'|'+sys.argv[1]); time.sleep(60)"
    part = Part(
        name="echo",
        command=[sys.executable, "-c", code, value],
        env={"VALUE": value},
        ready=lambda: "" if out.exists() and out.read_text() else "its file",
        ports=(),
    )
    launch.start(stack, [part], supervisor, screen)
    assert out.read_text() == f"{value}|{value}"


def test_what_a_part_inherits_is_chosen(
    stack: Stack, screen: Console, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-Xmx9g")
    out = stack.folder / "out"
    code = (
        f"import os,time; open({str(out)!r},'w').write(os.environ.get('JAVA_TOOL_OPTIONS','nothing')); time.sleep(60)"
    )
    part = Part(
        "echo", [sys.executable, "-c", code], lambda: "" if out.exists() and out.read_text() else "its file", ()
    )
    launch.start(stack, [part], supervisor, screen)
    assert out.read_text() == "nothing"
