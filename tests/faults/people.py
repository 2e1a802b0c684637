"""Who uses the platform: users of the demo realm, with tokens that outlive a run."""

import httpx2
from tyrsky.token_cli import by_password

from deploy.local.stack import Stack
from deploy.local.summary import PASSWORD
from tests.faults.calling import Caller

TOKEN_SECONDS = 12 * 3_600
ANSWER_SECONDS = 20


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
    """Log-ins, each made once; ``front`` is where people ask."""

    def __init__(self, stack: Stack, front: str) -> None:
        self._stack = stack
        self._front = front
        self._tokens: dict[str, str] = {}
        self._clients: dict[str, httpx2.AsyncClient] = {}
        self._callers: dict[str, Caller] = {}

    def person(self, user: str) -> httpx2.AsyncClient:
        """A client with a user's token, in front of the gateway."""
        if user not in self._clients:
            self._clients[user] = httpx2.AsyncClient(
                base_url=self._front,
                headers={"Authorization": f"Bearer {self._token(user)}"},
                timeout=ANSWER_SECONDS,
            )
        return self._clients[user]

    def caller(self, user: str) -> Caller:
        """The same for whoever calls much: the load's clients."""
        if user not in self._callers:
            self._callers[user] = Caller(self._front, self._token(user))
        return self._callers[user]

    def _token(self, user: str) -> str:
        if user not in self._tokens:
            with httpx2.Client(timeout=30) as http:
                self._tokens[user] = by_password(http, self._stack.issuer, "tyrsky-cli", user, PASSWORD)
        return self._tokens[user]

    async def close(self) -> None:
        """Let go of all connections."""
        for client in self._clients.values():
            await client.aclose()
        for caller in self._callers.values():
            await caller.close()
