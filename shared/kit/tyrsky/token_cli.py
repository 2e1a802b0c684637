"""``tyrsky token``: an access token for trying things out, from the dev-only client of the realm.

In production there is no such client: people log in with a browser, and programs have clients of their own.
"""

import time
from typing import Annotated, Any

import httpx2
import typer

ISSUER = "http://localhost:8180/realms/tyrsky"
CLIENT = "tyrsky-cli"
SECONDS = 10
DEVICE_SECONDS = 600


class NoToken(Exception):  # noqa: N818 - reads as the sentence that it prints
    """The identity provider gave no token, and this is why."""


def token(
    user: Annotated[str | None, typer.Option(help="Log in as this demo user, by password.")] = None,
    password: Annotated[str | None, typer.Option(envvar="TYRSKY_PASSWORD", help="Asked for when not given.")] = None,
    issuer: Annotated[str, typer.Option(envvar="OIDC_ISSUER", help="The realm.")] = ISSUER,
    client: Annotated[str, typer.Option(help="The client to log in through.")] = CLIENT,
) -> None:
    """Print an access token: by --user and password, or else by a page to open in a browser."""
    try:
        with httpx2.Client(timeout=SECONDS) as http:
            if user is None:
                typer.echo(by_device(http, issuer, client))
            else:
                secret = password or typer.prompt("Password", hide_input=True, err=True)
                typer.echo(by_password(http, issuer, client, user, secret))
    except httpx2.ConnectError:
        typer.echo(f"no token: nobody answers at {issuer}; --issuer or OIDC_ISSUER says where the realm is", err=True)
        raise typer.Exit(1) from None
    except (NoToken, httpx2.HTTPError) as error:
        typer.echo(f"no token from {issuer}: {error}", err=True)
        raise typer.Exit(1) from None


def by_password(http: httpx2.Client, issuer: str, client: str, user: str, password: str) -> str:
    """The token of a user whose password is known.

    :raises NoToken: when the identity provider refuses.
    """
    wish = {"grant_type": "password", "client_id": client, "username": user, "password": password, "scope": "openid"}
    answer = http.post(_endpoints(http, issuer)["token_endpoint"], data=wish)
    if answer.is_error and _reason(answer) == "invalid_grant":
        raise NoToken("wrong user or password")
    return _token(answer)


def by_device(http: httpx2.Client, issuer: str, client: str) -> str:
    """The token of whoever opens the page that is printed, and logs in there.

    :raises NoToken: when nobody does in time, or the identity provider refuses.
    """
    endpoints = _endpoints(http, issuer)
    asked = http.post(endpoints["device_authorization_endpoint"], data={"client_id": client, "scope": "openid"})
    if asked.is_error:
        raise NoToken(_reason(asked))
    device = asked.json()
    wish = {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "client_id": client,
        "device_code": device["device_code"],
    }
    seconds = min(device.get("expires_in", DEVICE_SECONDS), DEVICE_SECONDS)
    page = device.get("verification_uri_complete", device["verification_uri"])
    typer.echo(f"Open {page} and log in: this waits for {seconds} s.", err=True)
    ends = time.monotonic() + seconds
    pause = device.get("interval", 5)
    while time.monotonic() < ends:
        time.sleep(pause)
        answer = http.post(endpoints["token_endpoint"], data=wish)
        match _reason(answer) if answer.is_error else "":
            case "authorization_pending":
                continue
            case "slow_down":
                pause += 5
            case _:
                return _token(answer)
    raise NoToken("nobody logged in in time")


def _endpoints(http: httpx2.Client, issuer: str) -> dict[str, Any]:
    answer = http.get(f"{issuer}/.well-known/openid-configuration")
    if answer.is_error:
        raise NoToken(f"it answers {answer.status_code}")
    return answer.json()


def _token(answer: httpx2.Response) -> str:
    if answer.is_error:
        raise NoToken(_reason(answer))
    return answer.json()["access_token"]


def _reason(answer: httpx2.Response) -> str:
    """Why the identity provider refuses: its own word where it has one."""
    try:
        told = answer.json()
    except ValueError:
        return f"it answers {answer.status_code}"
    return str(told.get("error", answer.status_code))
