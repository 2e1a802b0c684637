"""A token is verified once, as long as it is good; and at the door whoever can be told at once."""

import asyncio
import hashlib
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from tyrsky.aggregate import Rejected
from tyrsky.auth import LEEWAY_SECONDS, Verifier
from tyrsky.settings import Settings
from tyrsky.testing.tokens import Authority, Key


def settings_for(issuer: Authority) -> Settings:
    return Settings(oidc_issuer=issuer.issuer, colleges=["vaao"], oidc_refetch_seconds=0)


@pytest.fixture
def issuer() -> Iterator[Authority]:
    with Authority() as found:
        yield found


async def refusal(verifier: Verifier, token: str) -> str:
    with pytest.raises(Rejected) as refused:
        await verifier.caller(token)
    return refused.value.code


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens whose signatures were looked at."""
    tokens, decode = list[str](), jwt.decode

    def counted(token: str, *given: Any, **named: Any) -> Any:
        tokens.append(token)
        return decode(token, *given, **named)

    monkeypatch.setattr(jwt, "decode", counted)
    return tokens


async def test_a_token_that_is_shown_again_is_not_verified_again(issuer: Authority, verified: list[str]):
    verifier = Verifier(settings_for(issuer))
    token, other = issuer.token(), issuer.token(name="Maija")
    for shown in (token, other, token, token):
        await verifier.caller(shown)
        assert verifier.recognised(shown)
    assert verified == [token, other]
    await verifier.keys._fetch()  # pyright: ignore[reportPrivateUsage] - other keys, with which nothing was verified
    await verifier.caller(token)
    assert verified == [token, other, token]


async def test_only_so_many_tokens_are_remembered(issuer: Authority, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tyrsky.auth.VERIFIED_MAX", 2)
    verifier = Verifier(settings_for(issuer))
    tokens = [issuer.token(name=f"Maija {n}") for n in range(5)]
    assert [(await verifier.caller(token)).name for token in tokens * 2] == [f"Maija {n}" for n in range(5)] * 2
    assert len(verifier._verified) == 2  # pyright: ignore[reportPrivateUsage]


async def test_the_token_that_was_shown_longest_ago_is_forgotten(issuer: Authority, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tyrsky.auth.VERIFIED_MAX", 2)
    verifier = Verifier(settings_for(issuer))
    often, seldom, new = (issuer.token(name=f"Maija {n}") for n in range(3))
    for token in (often, seldom, often, new):
        await verifier.caller(token)
    assert list(verifier._verified) == [digest(often), digest(new)]  # pyright: ignore[reportPrivateUsage]


async def test_a_token_that_is_verified_anew_drives_no_other_out(issuer: Authority, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tyrsky.auth.VERIFIED_MAX", 2)
    verifier = Verifier(settings_for(issuer))
    first, second = (issuer.token(name=f"Maija {n}") for n in range(2))
    await verifier.caller(first)
    await verifier.caller(second)
    await verifier.keys._fetch()  # pyright: ignore[reportPrivateUsage] - the same keys, as other objects
    await verifier.caller(second)
    assert list(verifier._verified) == [digest(first), digest(second)]  # pyright: ignore[reportPrivateUsage]


async def test_two_requests_with_one_new_token_drive_no_other_out(issuer: Authority, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tyrsky.auth.VERIFIED_MAX", 2)
    verifier = Verifier(settings_for(issuer))
    first, second = (issuer.token(name=f"Maija {n}") for n in range(2))
    await asyncio.gather(*(verifier.caller(token) for token in (first, second, second)))  # all wait for the keys
    assert list(verifier._verified) == [digest(first), digest(second)]  # pyright: ignore[reportPrivateUsage]


async def test_a_token_that_was_verified_ends_all_the_same_and_is_forgotten(issuer: Authority):
    verifier = Verifier(settings_for(issuer))
    token = issuer.signed({**issuer.claims(), "exp": int(time.time()) - LEEWAY_SECONDS + 1})
    await verifier.caller(token)
    await asyncio.sleep(2.1)
    assert await refusal(verifier, token) == "token-expired"
    assert not verifier._verified  # pyright: ignore[reportPrivateUsage]


async def test_who_is_recognised_at_once_asks_nobody(issuer: Authority):
    verifier = Verifier(settings_for(issuer))
    token = issuer.token()
    assert verifier.recognised(token) is None  # the keys are not here
    assert issuer.asked == 0
    await verifier.keys.check()
    found = verifier.recognised(token)
    assert found is not None
    assert found == await verifier.caller(token)
    for junk in ("", "junk", "a.b.c", "x" * 10_000, issuer.token(college="tredu"), issuer.token(exp=1)):
        assert verifier.recognised(junk) is None
    assert verifier.recognised(issuer.signed(issuer.claims(), headers={"kid": "no such"})) is None
    assert issuer.asked == 1


async def test_wrong_signatures_take_a_share_of_the_time(
    issuer: Authority, monkeypatch: pytest.MonkeyPatch, verified: list[str]
):
    monkeypatch.setattr("tyrsky.auth.FAILURES_SHARE", 0.005)
    verifier, stranger = Verifier(settings_for(issuer)), Key()
    stranger.kid = issuer.keys[0].kid
    await verifier.keys.check()
    wrong = issuer.signed(issuer.claims(), key=stranger)
    met = issuer.token(name="Maija")
    await verifier.caller(met)
    await verifier.keys._fetch()  # pyright: ignore[reportPrivateUsage] - with which everything is verified anew
    for _ in range(500):
        assert verifier.recognised(wrong) is None
    assert 0 < verified.count(wrong) < 250  # each takes about a tenth of a millisecond
    assert verifier.recognised(issuer.token()) is None
    assert verifier.recognised(met)
    assert await refusal(verifier, wrong) == "token-invalid"  # who has a place is told all the same
    assert await verifier.caller(issuer.token())
