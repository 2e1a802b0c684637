"""Only tokens that the issuer signed for us, for now, for a college that is served. The issuer is real, on loopback."""

import asyncio
import base64
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tyrsky.aggregate import Rejected
from tyrsky.auth import TOKEN_BYTES_MAX, Verifier
from tyrsky.settings import Settings
from tyrsky.testing.tokens import Authority, Key


def settings_for(issuer: Authority, **changes: Any) -> Settings:
    return Settings(oidc_issuer=issuer.issuer, colleges=["vaao"], **{"oidc_refetch_seconds": 0, **changes})


@pytest.fixture
def issuer() -> Iterator[Authority]:
    """An issuer that a test may stop or rotate."""
    with Authority() as found:
        yield found


async def refusal(verifier: Verifier, token: str) -> str:
    with pytest.raises(Rejected) as refused:
        await verifier.caller(token)
    return refused.value.code


async def test_a_good_token_names_its_caller(issuer: Authority):
    token = issuer.signed({**issuer.claims(name="Maija"), "roles": ["outreach", "offline_access"]})
    caller = await Verifier(settings_for(issuer)).caller(token)
    assert (caller.college, caller.roles, caller.name) == ("vaao", {"outreach"}, "Maija")


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
async def test_rsa_keys_are_taken_too(algorithm: str):
    with Authority(Key(algorithm)) as issuer:
        assert (await Verifier(settings_for(issuer)).caller(issuer.token())).college == "vaao"


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"aud": "another"}, "token-invalid"),
        ({"aud": None}, "token-invalid"),
        ({"iss": "https://evil.example/realms/tyrsky"}, "token-invalid"),
        ({"exp": None}, "token-invalid"),
        ({"exp": "tomorrow"}, "token-invalid"),
        ({"iat": None}, "token-invalid"),
        ({"sub": None}, "token-invalid"),
        ({"sub": ""}, "token-invalid"),
        ({"typ": "ID"}, "token-invalid"),
        ({"typ": "Refresh"}, "token-invalid"),
        ({"college": None}, "college-missing"),
        ({"college": "tredu"}, "college-not-served"),
        ({"college": {"$ne": ""}}, "token-invalid"),
        ({"college": "../vaao"}, "token-invalid"),
        ({"roles": "admin"}, "token-invalid"),
        ({"roles": [{"name": "admin"}]}, "token-invalid"),
    ],
)
async def test_a_token_that_is_not_for_us(authority: Authority, claims: dict[str, Any], code: str):
    whole = {**authority.claims(), **claims}
    token = authority.signed({name: claim for name, claim in whole.items() if claim is not None})
    assert await refusal(Verifier(settings_for(authority)), token) == code


@pytest.mark.parametrize(("claim", "seconds", "code"), [("exp", -60, "token-expired"), ("nbf", 60, "token-invalid")])
async def test_a_token_of_another_time(authority: Authority, claim: str, seconds: int, code: str):
    token = authority.signed({**authority.claims(), claim: int(time.time()) + seconds})
    assert await refusal(Verifier(settings_for(authority)), token) == code


async def test_clocks_may_differ_by_seconds(authority: Authority):
    now = int(time.time())
    for claims in ({"exp": now - 5}, {"nbf": now + 5}, {"iat": now + 5}):
        token = authority.signed({**authority.claims(), **claims})
        assert await Verifier(settings_for(authority)).caller(token)


def forged(claims: dict[str, Any], algorithm: str, key: Key, secret: bytes | None = None) -> str:
    """A token made by hand, as an attacker would: no library signs such."""
    head = {"alg": algorithm, "typ": "JWT", "kid": key.kid}
    signed = b".".join(encoded(json.dumps(part).encode()) for part in (head, claims))
    signature = hmac.digest(secret, signed, "sha256") if secret else b""
    return (signed + b"." + encoded(signature)).decode()


def encoded(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")


async def test_a_token_without_a_signature(authority: Authority):
    token = forged(authority.claims(), "none", authority.keys[0])
    assert await refusal(Verifier(settings_for(authority)), token) == "token-invalid"


async def test_a_token_signed_with_the_public_key_as_a_shared_secret():
    with Authority(Key("RS256")) as issuer:
        key = issuer.keys[0]
        public = key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        token = forged(issuer.claims(), "HS256", key, public)
        assert await refusal(Verifier(settings_for(issuer)), token) == "token-invalid"


async def test_a_token_with_another_algorithm_than_its_keys():
    with Authority(Key("RS256")) as issuer:
        key = issuer.keys[0]
        token = jwt.encode(issuer.claims(), key.private, "PS256", headers={"kid": key.kid})
        assert await refusal(Verifier(settings_for(issuer)), token) == "token-invalid"


async def test_a_token_signed_by_somebody_else_under_our_key_id(authority: Authority):
    stranger = Key()
    stranger.kid = authority.keys[0].kid
    token = authority.signed(authority.claims(), key=stranger)
    assert await refusal(Verifier(settings_for(authority)), token) == "token-invalid"


@pytest.mark.parametrize("headers", [{"kid": "no-such"}, {"kid": None}, {"typ": "logout+jwt"}])
async def test_a_token_with_a_strange_header(authority: Authority, headers: dict[str, Any]):
    key = authority.keys[0]
    wanted = {k: v for k, v in {"kid": key.kid, **headers}.items() if v is not None}
    token = jwt.encode(authority.claims(), key.private, key.algorithm, headers=wanted)
    assert await refusal(Verifier(settings_for(authority)), token) == "token-invalid"


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é.é.é", "." * 100, "a" * (TOKEN_BYTES_MAX + 1), "e30.e30."])
async def test_what_is_no_token_at_all(authority: Authority, token: str):
    assert await refusal(Verifier(settings_for(authority)), token) == "token-invalid"


@pytest.mark.parametrize(
    "head",
    [
        b'{"alg": ["ES256"], "kid": "x"}',
        b'{"alg": "ES256", "kid": {"$ne": ""}}',
        b'{"alg": "ES256", "kid": "x", "typ": 7}',
        b'{"alg": "ES256", "kid": "x", "crit": ["b64"], "b64": false}',
        b'{"alg": "ES256", "kid": "' + b"x" * 5_000 + b'"}',
        b'{"kid": ' + b"[" * 5_000,
        b"[]",
        b"null",
    ],
)
async def test_a_header_that_somebody_made_up(authority: Authority, head: bytes):
    token = b".".join(encoded(part) for part in (head, b"{}", b"x")).decode()
    assert await refusal(Verifier(settings_for(authority)), token) == "token-invalid"


async def test_a_key_that_cannot_be_read_spoils_none_of_the_others(issuer: Authority):
    junk: list[Any] = [None, 7, {}, {"kty": "EC", "kid": "x", "crv": "?"}, {"kty": "RSA", "kid": "y", "n": 1, "e": []}]
    good = issuer.keys[0]
    issuer.keys = [good]
    issuer.published = [*junk, good.published]
    assert await Verifier(settings_for(issuer)).caller(issuer.token())


async def test_an_issuer_that_publishes_a_shared_secret_is_not_followed(issuer: Authority):
    secret = base64.urlsafe_b64encode(b"s" * 64).decode().rstrip("=")
    issuer.keys[0].published = {"kty": "oct", "k": secret, "kid": "shared", "alg": "HS256", "use": "sig"}
    token = jwt.encode(issuer.claims(), b"s" * 64, "HS256", headers={"kid": "shared"})
    assert await refusal(Verifier(settings_for(issuer)), token) == "token-invalid"


async def test_new_keys_are_found_when_the_issuer_rotates(issuer: Authority):
    verifier = Verifier(settings_for(issuer))
    old = issuer.token()
    await verifier.caller(old)
    issuer.rotate()
    await verifier.caller(issuer.token())
    assert await refusal(verifier, old) == "token-invalid"


async def test_junk_does_not_hammer_the_issuer(issuer: Authority):
    verifier = Verifier(settings_for(issuer, oidc_refetch_seconds=60))
    await verifier.caller(issuer.token())
    junk = [issuer.signed(issuer.claims(), headers={"kid": f"junk-{n}"}) for n in range(50)]
    assert set(await asyncio.gather(*(refusal(verifier, token) for token in junk))) == {"token-invalid"}
    assert issuer.asked == 1


async def test_requests_that_come_together_fetch_the_keys_once(issuer: Authority):
    verifier = Verifier(settings_for(issuer))
    await asyncio.gather(*(verifier.caller(issuer.token()) for _ in range(20)))
    assert issuer.asked == 1


async def test_known_keys_go_on_serving_when_the_issuer_is_gone(issuer: Authority):
    verifier = Verifier(settings_for(issuer, oidc_keys_seconds=1))
    await verifier.caller(issuer.token())
    verifier.keys._fetched_at -= 10  # pyright: ignore[reportPrivateUsage] - ten seconds later, without waiting
    issuer.stop()
    await verifier.caller(issuer.token())
    await verifier.keys.close()
    await verifier.caller(issuer.token())
    assert await refusal(verifier, issuer.signed(issuer.claims(), headers={"kid": "new"})) == "identity-unavailable"


@pytest.mark.parametrize("published", [[], [{"kty": "EC", "kid": "x", "crv": "?"}]])
async def test_an_answer_without_keys_withdraws_none(
    issuer: Authority, published: list[Any], caplog: pytest.LogCaptureFixture
):
    verifier = Verifier(settings_for(issuer))
    await verifier.caller(issuer.token())
    issuer.published = published
    new = issuer.signed(issuer.claims(), headers={"kid": "new"})
    assert await refusal(verifier, new) == "identity-unavailable"  # which makes it look for new keys
    assert issuer.asked == 2
    await verifier.caller(issuer.token())
    assert "1 known ones stay" in caplog.text


async def test_a_key_that_others_are_published_without_is_withdrawn(issuer: Authority):
    old, issuer.keys = issuer.keys[0], [*issuer.keys, Key()]
    verifier = Verifier(settings_for(issuer))
    withdrawn = issuer.signed(issuer.claims(), key=old)
    await verifier.caller(withdrawn)
    issuer.keys = issuer.keys[1:]
    await verifier.keys._fetch()  # pyright: ignore[reportPrivateUsage]
    assert await refusal(verifier, withdrawn) == "token-invalid"
    assert await verifier.caller(issuer.token())


async def test_old_keys_are_fetched_anew_beside_the_requests(issuer: Authority):
    verifier = Verifier(settings_for(issuer, oidc_keys_seconds=1))
    await verifier.caller(issuer.token())
    withdrawn = issuer.token()
    issuer.rotate()
    verifier.keys._fetched_at -= 10  # pyright: ignore[reportPrivateUsage]
    await verifier.caller(withdrawn)
    assert verifier.keys._refresh is not None  # pyright: ignore[reportPrivateUsage]
    await verifier.keys._refresh  # pyright: ignore[reportPrivateUsage]
    assert await refusal(verifier, withdrawn) == "token-invalid"


async def test_without_keys_nobody_is_let_in_and_the_part_is_missing(issuer: Authority):
    verifier = Verifier(settings_for(issuer))
    token = issuer.token()
    issuer.stop()
    assert await refusal(verifier, token) == "identity-unavailable"
    with pytest.raises(Rejected, match="identity-unavailable"):
        await verifier.keys.check()


async def test_another_issuers_discovery_document_is_not_followed(issuer: Authority):
    verifier = Verifier(settings_for(issuer))
    issuer.issuer = issuer.issuer.replace("127.0.0.1", "localhost")
    assert await refusal(verifier, issuer.token()) == "identity-unavailable"


async def test_the_keys_address_can_be_set(issuer: Authority):
    verifier = Verifier(settings_for(issuer, oidc_jwks_uri=f"{issuer.issuer}/keys"))
    assert await verifier.caller(issuer.token())


async def test_no_token_is_401_and_says_how_to_log_in(client: httpx2.AsyncClient):
    answer = await client.get("/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "token-missing")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_an_expired_token_is_401_and_says_so(client: httpx2.AsyncClient, authority: Authority):
    answer = await client.get("/me", headers=authority.headers(exp=int(time.time()) - 60))
    assert (answer.status_code, answer.json()["code"]) == (401, "token-expired")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_a_basic_password_is_no_token(client: httpx2.AsyncClient):
    assert (await client.get("/me", auth=("maija", "salasana"))).json()["code"] == "token-missing"


async def test_a_role_opens_the_door(client: httpx2.AsyncClient, authority: Authority):
    visit = {"place": "Akaa", "contact": {"email": "a@b.example"}}
    assert (await client.post("/visits", json=visit, headers=authority.headers())).status_code == 201
    answer = await client.post("/visits", json=visit, headers=authority.headers(roles=["operator"]))
    assert (answer.status_code, answer.json()["code"]) == (403, "role-missing")
    assert answer.json()["about"] == {"needed": ["coordinator", "outreach"]}
