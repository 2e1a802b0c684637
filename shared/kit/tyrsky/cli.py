"""The command ``tyrsky``. A service adds its own commands by an entry point in the group ``tyrsky.commands``.

Only the command that was asked for is imported: a service has no use for Kafka's administration in its memory.
"""

import sys
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

import typer

COMMANDS = {
    "serve": "serving:serve",
    "token": "token_cli:token",
    "settings": "pages:show_settings",
    "problems": "pages:show_problems",
}
GROUPS = {
    "contracts": "contracts_cli:app",
    "topics": "topics_cli:app",
    "dlq": "dlq_cli:app",
    "project": "project_cli:app",
    "webhooks": "webhooks_cli:app",
}


def commands(asked: str = "") -> typer.Typer:
    """The command line: with the one command that is asked for, or with all of them when there is none of that name."""
    made = typer.Typer(
        no_args_is_help=True, pretty_exceptions_show_locals=False, help="Tyrsky's services and their upkeep."
    )
    made.callback()(lambda: None)  # also a single command is called by its name
    of_services = {point.name: point for point in entry_points(group="tyrsky.commands")}
    known = {*COMMANDS, *GROUPS, *of_services}
    for name in [asked] if asked in known else [*COMMANDS, *GROUPS, *sorted(of_services)]:
        if name in COMMANDS:
            made.command(name)(_found(COMMANDS[name]))
        else:
            made.add_typer(_found(GROUPS[name]) if name in GROUPS else of_services[name].load(), name=name)
    return made


def _found(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(f"tyrsky.{module}"), name)


app = commands(sys.argv[1] if len(sys.argv) > 1 else "")
