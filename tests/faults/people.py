"""Who uses the platform: users of the demo realm, with tokens that outlive a run."""

import httpx2
from tyrsky.token_cli import by_password

from deploy.local.stack import Stack
from deploy.local.summary import PASSWORD

TOKEN_SECONDS = 12 * 3_600
ANSWER_SECONDS = 20
CONNECTIONS_MAX = 600


def lengthen_tokens(stack: Stack) -> None:
    """Have this realm's tokens last longer than any run: whether they expire rightly is tested elsewhere."""
    base = stack.url("keycloak")
    with httpx2.Client(timeout=30) as http:
        wish = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin"}
        granted = http.post(f"{base}/realms/master/protocol/openid-connect/token", data=wish)
        granted.raise_for_status()
        headers = {"Authorization": f"Bearer {granted.json()['access_token']}"}
        lives = {"accessTokenLifespan": TOKEN_SECONDS, "ssoSessionMaxLifespan": 2 * TOKEN_SECONDS}
        lives |= {"ssoSessionIdleTimeout": 2 * TOKEN_SECONDS}
        http.put(f"{base}/admin/realms/tyrsky", json=lives, headers=headers).raise_for_status()


class People:
    """Log-ins, each made once."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._clients: dict[str, httpx2.AsyncClient] = {}

    def person(self, user: str) -> httpx2.AsyncClient:
        """A client with a user's token, in front of the gateway."""
        if user not in self._clients:
            with httpx2.Client(timeout=30) as http:
                token = by_password(http, self._stack.issuer, "tyrsky-cli", user, PASSWORD)
            self._clients[user] = httpx2.AsyncClient(
                base_url=self._stack.url("gateway"),
                headers={"Authorization": f"Bearer {token}"},
                timeout=ANSWER_SECONDS,
                limits=httpx2.Limits(max_connections=CONNECTIONS_MAX),
            )
        return self._clients[user]

    async def close(self) -> None:
        """Let go of all connections."""
        for client in self._clients.values():
            await client.aclose()
