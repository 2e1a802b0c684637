"""The other end of the webhooks notes each call, and whether it is signed as it should be."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
from pydantic import SecretStr
from tyrsky.webhooks import signed, signing_key

from tests.faults.ledger import Ledger
from tests.faults.parts import WEBHOOKS
from tests.faults.receiver import Receiver

SECRET = WEBHOOKS["WEBHOOK_SECRET"]
BODY = b'{"type":"reservation.confirmed"}'


async def test_a_call_is_genuine_when_its_signature_is_of_its_body_whatever_the_clock_says(tmp_path: Path):
    book = Ledger(tmp_path / "ledger.jsonl")
    receiver = Receiver(0, book, SECRET)
    await receiver.start()
    try:
        long_ago = datetime.now(UTC) - timedelta(minutes=10)
        headers = signed(signing_key(SecretStr(SECRET)), "s1", long_ago, BODY)
        async with httpx2.AsyncClient(trust_env=False) as http:
            for body, told in ((BODY, headers), (b"{}", headers), (BODY, {"webhook-id": "s1"})):
                assert (await http.post(receiver.url, content=body, headers=told)).status_code == 204
    finally:
        await receiver.close()
    assert [each["genuine"] for each in book.paper.noted("webhook")] == [True, False, False]
