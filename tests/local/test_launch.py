"""What `make up` says when it cannot, and while it works."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from supervisor.options import ServerOptions

from deploy.local import launch
from deploy.local.progress import Board, Failed, Say, Task
from deploy.local.stack import PORTS, Stack, port_setting
from deploy.local.supervising import configuration


def test_a_port_in_use_is_named_with_the_setting_that_moves_it(stack: Stack):
    with socket.create_server(("127.0.0.1", stack.ports["zipkin"])), pytest.raises(Failed) as refused:
        launch.check_ports(stack, launch.parts(stack))
    assert str(refused.value) == (
        f"port {stack.ports['zipkin']} (zipkin) is in use: set {port_setting('zipkin', 'test')} to another"
    )


def test_of_several_ports_in_use_it_is_said_who_probably_holds_them(stack: Stack):
    zipkin, mongo = (socket.create_server(("127.0.0.1", stack.ports[name])) for name in ("zipkin", "mongo"))
    with zipkin, mongo, pytest.raises(Failed) as refused:
        launch.check_ports(stack, launch.parts(stack))
    assert str(refused.value).splitlines()[2:] == ["Another `make up` or `make test` probably holds them."]


def test_every_port_belongs_to_a_part(stack: Stack):
    assert {name for part in launch.parts(stack) for name in part.ports} == set(PORTS)


def test_cleaning_deletes_the_data(stack: Stack, screen: Console, shown: Callable[[], str]):
    (stack.folder / "mongo").mkdir()
    (stack.folder / "mongo" / "data.h2").write_text("data")
    launch.clean(stack, screen)
    assert not (stack.folder / "mongo").exists()
    assert shown() == f"Deleted the data and logs in {stack.folder}.\n"


def test_that_nothing_runs_is_said(stack: Stack, screen: Console, shown: Callable[[], str]):
    launch.down(stack, screen)
    assert shown() == f"Nothing runs from {stack.folder}.\n"


def test_supervisord_understands_the_whole_stack(stack: Stack, tmp_path: Path):
    file = tmp_path / "supervisord.conf"
    (tmp_path / "log").mkdir()
    file.write_text(configuration(stack, launch.parts(stack)))
    options = ServerOptions()
    options.realize(["-c", str(file)])
    groups = {group.name: group.priority for group in options.process_group_configs}
    assert set(groups) == {part.name for part in launch.parts(stack)}
    assert groups["kafka"] < groups["companies"] < groups["gateway"]


def test_work_waits_for_what_it_needs(screen: Console, shown: Callable[[], str]):
    done: list[str] = []

    def work(name: str) -> Callable[[Say], None]:
        return lambda say: done.append(name)

    Board([Task("service", work("service"), needs=("topics",)), Task("topics", work("topics"))], screen).run()
    assert done == ["topics", "service"]
    assert "topics: ready" in shown()


def test_without_a_terminal_it_is_said_in_lines_what_is_waited_for(screen: Console, shown: Callable[[], str]):
    Board([Task("kafka", lambda say: say("waits for port 9092 to open"))], screen).run()
    assert shown().splitlines()[0] == "kafka: waits for port 9092 to open"


def test_what_goes_wrong_is_raised_though_others_still_wait(screen: Console):
    def break_down(say: Say) -> None:
        raise Failed("the disk is full")

    tasks = [Task("kafka", break_down), Task("topics", lambda say: None, needs=("kafka",))]
    with pytest.raises(Failed, match="the disk is full"):
        Board(tasks, screen).run()
