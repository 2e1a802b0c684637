"""The launcher's commands; the Makefile calls them."""

import shlex
import subprocess
import sys
import xmlrpc.client
from typing import Annotated, get_args

import httpx2
import typer
from rich.console import Console
from tyrsky.token_cli import NoToken

from deploy.local import demo, jars, launch, services, summary
from deploy.local.progress import Failed
from deploy.local.stack import Profile, Stack

#: What a disk, a network or a part can do to us: one line says it, and the logs say the rest.
UNUSUAL = (OSError, xmlrpc.client.Error, subprocess.SubprocessError, httpx2.HTTPError, NoToken)

app = typer.Typer(add_completion=False, help="The whole platform on this machine, without Docker.")
console = Console(highlight=False, soft_wrap=True)
In = Annotated[
    Profile, typer.Option(help="default (make up), test (make test) or faults: other ports, another folder.")
]


@app.command()
def up(
    profile: In = "default",
    with_demo: Annotated[bool, typer.Option("--demo/--no-demo", help="Load the demo once all is up.")] = True,
    without: Annotated[list[str] | None, typer.Option(help="A service that is not to be started.")] = None,
) -> None:
    """Start every part, load the demo, stay; Ctrl-C stops all."""
    raise typer.Exit(launch.up(Stack.of(profile), console, with_demo=with_demo, without=without or ()))


@app.command()
def run(command: list[str], profile: In = "test") -> None:
    """Run a command with the stack's addresses in its environment; beside the profile's stack if it is up."""
    raise typer.Exit(launch.run(Stack.of(profile), console, command))


@app.command()
def load_demo(
    docker: Annotated[bool, typer.Option(help="The stack is that of docker-compose.yml.")] = False,
) -> None:
    """Load the demo into a stack that runs, and say where everything is."""
    stack = Stack.of("default")
    stack.folder.mkdir(exist_ok=True)
    demo.run(stack, console, in_docker=docker)
    console.print(summary.addresses(stack, in_docker=docker))


@app.command()
def settings(
    service: str,
    profile: Annotated[Profile, typer.Option(envvar="TYRSKY_PROFILE", help="default (make up) or test.")] = "default",
    port: Annotated[int, typer.Option(help="Where a service of your own listens.")] = 0,
) -> None:
    """Print a service's environment, for running it by hand."""
    if service not in services.NAMES and not port:
        raise typer.BadParameter(f"there are {', '.join(services.NAMES)}; a service of your own needs --port")
    for name, value in services.environment(Stack.of(profile), service, port=port).items():
        typer.echo(f"export {name}={shlex.quote(value)}")


@app.command()
def down(profile: In = "default") -> None:
    """Stop a stack from elsewhere."""
    launch.down(Stack.of(profile), console)


@app.command()
def clean() -> None:
    """Delete the data and logs of all profiles."""
    profiles: tuple[Profile, ...] = get_args(Profile)
    for profile in profiles:
        launch.clean(Stack.of(profile), console)


@app.command()
def lock() -> None:
    """Write the lock of the Java parts' files anew."""
    jars.write_lock(console.print)


def main() -> None:
    try:
        app()
    except (Failed, ValueError) as error:
        console.print(str(error), markup=False)
        sys.exit(1)
    except UNUSUAL as error:
        console.print(f"It did not work: {type(error).__name__}: {error}", markup=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
