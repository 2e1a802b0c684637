"""Pages of the documentation that are made from the code; a test fails when one is stale."""

import importlib
from importlib.util import find_spec
from typing import Annotated

import typer

from tyrsky import dispatch_api, preconditions, settings
from tyrsky.problems import declared
from tyrsky.serving import is_there, settings_of

Packages = Annotated[list[str], typer.Argument(help="Packages of services.")]


def show_settings(packages: Packages) -> None:
    """Print every setting: docs/architecture/settings.md."""
    typer.echo(settings_page(packages))


def show_problems(packages: Packages) -> None:
    """Print every problem: docs/architecture/problems.md."""
    typer.echo(problems_page(packages))


def settings_page(packages: list[str]) -> str:
    """The settings that every service has, and those that each of ``packages`` adds."""
    parts = [
        "# Settings\n\nEach is a variable of the environment. This page is made by `tyrsky settings"
        f" {' '.join(packages)}`; a test fails when it is stale.",
        f"## Every service\n\n{settings.table(settings.Settings)}",
    ]
    for package in packages:
        own = settings_of(package)
        if own.model_fields.keys() > settings.Settings.model_fields.keys():
            parts.append(f"## {package}\n\n{settings.table(own, beyond=settings.Settings)}")
    return "\n\n".join(parts)


def problems_page(packages: list[str]) -> str:
    """The problems that the kit and ``packages`` declare, by code.

    :raises typer.BadParameter: when there is no such service.
    """
    for package in packages:
        is_there(package)
    modules = [preconditions.__name__, dispatch_api.__name__, *(f"{package}.problems" for package in packages)]
    for module in modules:
        if find_spec(module) is not None:
            importlib.import_module(module)
    rows = [f"| `{p.code}` | {p.status} | {p.fi} | {p.sv} | {p.en} |" for p in declared()]
    return "\n".join(
        [
            "# Problems\n\nEvery refusal is `application/problem+json` (RFC 9457). Programs go by `code`, people read"
            " `title`, which is in the language of `Accept-Language`. `field` or `errors` say where, `about` holds"
            f" particulars, `trace_id` is for those who run the service.\n\nThis page is made by `tyrsky problems"
            f" {' '.join(packages)}`; a test fails when it is stale.\n",
            "| code | status | fi | sv | en |",
            "| --- | --- | --- | --- | --- |",
            *rows,
        ]
    )
