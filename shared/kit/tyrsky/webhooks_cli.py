"""``tyrsky webhooks``: see what a service tells outside, without a receiver of your own."""

import binascii
import sys
import threading
from typing import Annotated

import typer

from tyrsky.testing.receiver import SECRET, Call, receiving

app = typer.Typer(no_args_is_help=True, help="Webhooks.")


@app.callback()
def webhooks() -> None:
    """Webhooks."""


@app.command()
def receive(
    port: Annotated[int, typer.Option(help="Where to listen, on this machine.")] = 8199,
    secret: Annotated[str, typer.Option(envvar="WEBHOOK_SECRET", help="What calls are signed with.")] = SECRET,
    calls: Annotated[int, typer.Option(help="End after so many.", min=0)] = 0,
) -> None:
    """Take calls and print each on a line, until told to stop."""
    left, enough = calls, threading.Event()

    def tell(call: Call) -> None:
        nonlocal left
        typer.echo(f"{'signature right' if call.genuine else 'SIGNATURE WRONG'} {call.id} {call.body.decode()}")
        left -= 1
        if left == 0:
            enough.set()

    try:
        with receiving(secret, port=port) as receiver:
            receiver.tell = tell
            enough.wait()
    except OSError as error:
        sys.exit(f"cannot listen on port {port}: {error.strerror}")
    except binascii.Error:
        sys.exit("the secret is not of the form whsec_<base64>")
