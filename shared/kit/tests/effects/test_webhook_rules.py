"""What a call of a webhook says, and what its answer means: without a store."""

# pyright: reportPrivateUsage=false

from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr
from tyrsky.dispatches import Dispatch
from tyrsky.effects import Outcome
from tyrsky.settings import SettingsWrong
from tyrsky.testing.receiver import SECRET
from tyrsky.webhooks import Settings, Webhook, body_of, signed, signing_key, verdict


def settings_of(**other: Any) -> Settings:
    base: dict[str, Any] = {
        "colleges": ["vaao"],
        "oidc_issuer": "http://localhost",
        "webhook_url": "http://127.0.0.1:1",
        "webhook_secret": SECRET,
    }
    return Settings(**{**base, **other})


def test_the_signature_is_the_one_of_the_standards_documentation():
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = signed(signing_key(SecretStr(SECRET)), "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_body_is_the_same_however_the_store_ordered_it():
    state = Dispatch(due_at=None, kind="k", data={"b": 1, "a": 2}, accepted_at=datetime(2026, 9, 1, 12, tzinfo=UTC))
    other = state.but(data={"a": 2, "b": 1}, attempts=3)
    assert body_of(state) == body_of(other)


@pytest.mark.parametrize(
    ("status", "retry_after", "outcome"),
    [
        (200, "", Outcome("sent")),
        (299, "", Outcome("sent")),
        (301, "", Outcome("deferred", "http-301")),
        (410, "", Outcome("refused", "http-410")),
        (429, "Wed, 21 Oct 2026 07:28:00 GMT", Outcome("deferred", "http-429")),
    ],
)
def test_what_an_answer_means(status: int, retry_after: str, outcome: Outcome):
    assert verdict(status, retry_after) == outcome


def test_a_receiver_may_ask_for_a_pause_within_a_day():
    assert [verdict(429, seconds).pause.total_seconds() for seconds in ("30", "999999999")] == [30, 86_400]


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook_url": "ftp://127.0.0.1"},
        {"webhook_secret": "whsec_short"},
        {"webhook_secret": "whsec_" + "!" * 40},
        {"webhook_seconds": 13},
    ],
)
def test_settings_that_cannot_be_right_stop_the_service(wrong: dict[str, Any]):
    with pytest.raises(SettingsWrong) as refused:
        settings_of(**wrong)
    assert "whsec_short" not in str(refused.value)


async def test_what_never_came_to_be_sent_is_known_not_to_be(monkeypatch: pytest.MonkeyPatch):
    webhook = Webhook(settings_of(webhook_seconds=1))
    for error in (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout):

        def stream(*_: object, error: type[Exception] = error, **__: object) -> object:
            raise error("no")

        monkeypatch.setattr(httpx2.AsyncClient, "stream", stream)
        assert await webhook._post(b"", {}) == Outcome("deferred", "connection-failed")
    await webhook.close()
