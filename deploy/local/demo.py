"""A company's way through the platform, as a person at a college would take it: with a log-in, over HTTP.

It may be run again: what is there already is used, and one more visit is made.
"""

import imaplib
import json
import secrets
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
from rich.console import Console
from tyrsky.token_cli import by_password

from deploy.local import mailbox, register_sample
from deploy.local.part import carry_out, program
from deploy.local.progress import Failed
from deploy.local.stack import HOST, ROOT, Stack
from deploy.local.summary import PASSWORD

REAL_RECORDS = ROOT.parent / "shared" / "data" / "ytj_v3_sample_companies.json"
USER = "vaao-outreach"
CONTACT = {
    "name": "Teppo Testaaja",
    "email": "teppo.testaaja@yritys.example",
    "role": "workplace-instructor",
    "language": "fi",
}
NEEDS = ["guidance-competence", "apprenticeship"]

Answer = dict[str, Any]  # JSON, as a client of any language sees it

IMPORT_SECONDS = 120
ANSWER_SECONDS = 30
PAUSE_SECONDS = 0.25
LOOKED_AT_MAX = 50
MAIL_SECONDS = 60
REPEAT_SECONDS = 60
AWAY = (502, 503, 504)  # a part is being started again
STARTS_IN = timedelta(seconds=4)  # soon, because only a visit that has begun can be recorded


def run(stack: Stack, console: Console, *, in_docker: bool = False) -> None:
    """Import, register, add a contact, plan a visit, see the mail, record the visit. Raises Failed on a surprise.

    With Docker Compose the mailbox has no IMAP and the collector is another: what the services say is taken for it.
    """
    file = _register_file(stack)
    # MongoDB's set of one has a name that only the other containers know.
    uri = f"{stack.mongo_uri}/?directConnection=true" if in_docker else stack.mongo_uri
    environment = {"MONGO_URI": uri, "MONGO_DATABASE": "companies"}
    command = [program("tyrsky"), "register", "import", str(file)]
    carry_out("The import of the register", command, seconds=IMPORT_SECONDS, env=environment)
    console.print(f"Imported the business register from {file.name}.")
    with httpx2.Client(base_url=stack.url("gateway"), timeout=ANSWER_SECONDS) as http:
        http.headers["Authorization"] = f"Bearer {by_password(http, stack.issuer, 'tyrsky-cli', USER, PASSWORD)}"
        _walk(stack, http, file, console, in_docker=in_docker)


def _walk(stack: Stack, http: httpx2.Client, file: Path, console: Console, *, in_docker: bool) -> None:
    business_id = json.loads(file.read_text())["companies"][0]["businessId"]["value"]
    company = _company(http, business_id)
    console.print(f"{USER} has {company['name']} ({business_id}) in the college's care.")
    contact = _contact(http, company["id"])
    console.print(f"{CONTACT['name']} is its contact.")

    starts = datetime.now(UTC) + STARTS_IN
    wanted = {
        "contact_id": contact["id"],
        "starts_at": starts.isoformat(),
        "ends_at": (starts + timedelta(hours=1)).isoformat(),
    }
    with _click(stack, told=not in_docker) as click:
        visit = _post(http, f"/companies/{company['id']}/visits", wanted, {"traceparent": click.traceparent})
    console.print(f"A visit is planned: {visit['id']}.")

    _wait_until_sent(http, visit["id"])
    subject = "" if in_docker else f": “{_subject(stack, visit['id'])}”"
    console.print(f"The invitation came{subject}. See {stack.url('mailbox', '/')}, {CONTACT['email']}, INBOX.")
    time.sleep(max(0.0, (starts - datetime.now(UTC)).total_seconds()))
    _post(http, f"/visits/{visit['id']}/record", {"needs": NEEDS, "notes": "Demo."})
    console.print("The visit is recorded.")
    where = f"trace {click.trace}" if in_docker else stack.url("zipkin", f"/zipkin/traces/{click.trace}")
    console.print(f"From the click to the mail: {where}")


class Click:
    """Where the trace begins: with whoever uses the platform, not with the first service."""

    def __init__(self) -> None:
        self.trace, self.span = secrets.token_hex(16), secrets.token_hex(8)
        self.traceparent = f"00-{self.trace}-{self.span}-01"


@contextmanager
def _click(stack: Stack, *, told: bool) -> Generator[Click]:
    """Something that a person does: the first span of a trace, told to Zipkin as a browser would."""
    click, began = Click(), time.time()
    yield click
    if not told:
        return
    span = {"traceId": click.trace, "id": click.span, "name": "plan a visit", "kind": "CLIENT"}
    span |= {"timestamp": int(began * 1e6), "duration": int((time.time() - began) * 1e6)}
    span |= {"localEndpoint": {"serviceName": "demo"}}
    httpx2.post(f"http://{stack.address('zipkin')}/api/v2/spans", json=[span], timeout=ANSWER_SECONDS)


def _register_file(stack: Stack) -> Path:
    if REAL_RECORDS.exists():
        return REAL_RECORDS
    made_up = stack.folder / "register.json"
    register_sample.write(made_up)
    return made_up


def _company(http: httpx2.Client, business_id: str) -> Answer:
    found = _get(http, "/companies", {"business_id": business_id})["items"]
    return found[0] if found else _post(http, "/companies", {"business_id": business_id})


def _contact(http: httpx2.Client, company_id: str) -> Answer:
    place = f"/companies/{company_id}/contacts"
    found = [one for one in _get(http, place, {})["items"] if one["email"] == CONTACT["email"]]
    return found[0] if found else _post(http, place, CONTACT)


def _wait_until_sent(http: httpx2.Client, visit_id: str) -> None:
    until = time.monotonic() + MAIL_SECONDS
    while time.monotonic() < until:
        sent = _get(http, "/notifications", {"about": visit_id, "status": "sent"})["items"]
        if sent:
            return
        time.sleep(PAUSE_SECONDS)
    raise Failed(f"The invitation to visit {visit_id} was not sent within {MAIL_SECONDS} seconds.")


def _subject(stack: Stack, visit_id: str) -> str:
    """The contact's mails are looked through for the calendar entry that is about the visit."""
    with imaplib.IMAP4(HOST, stack.ports["imap"], timeout=ANSWER_SECONDS) as box:
        box.login(CONTACT["email"], mailbox.PASSWORD)
        box.select("INBOX", readonly=True)
        numbers = box.search(None, "ALL")[1][0].split()
        for number in reversed(numbers[-LOOKED_AT_MAX:]):
            raw = next(part[1] for part in box.fetch(number.decode(), "(RFC822)")[1] if isinstance(part, tuple))
            mail = message_from_bytes(raw, policy=policy.default)
            if any(
                visit_id in part.get_content() for part in mail.walk() if part.get_content_type() == "text/calendar"
            ):
                return str(mail["Subject"])
    raise Failed(f"The service says that it sent the invitation to visit {visit_id}; it is not in the mailbox.")


def _get(http: httpx2.Client, path: str, asked: Mapping[str, str]) -> Answer:
    return _until_answered(f"GET {path}", lambda: http.get(path, params=asked))


def _post(http: httpx2.Client, path: str, body: Answer, headers: Mapping[str, str] | None = None) -> Answer:
    """Ask for something; the key is the same each time, so that it is done once."""
    sent = {"Idempotency-Key": str(uuid4()), **(headers or {})}
    return _until_answered(f"POST {path}", lambda: http.post(path, json=body, headers=sent))


def _until_answered(what: str, send: Callable[[], httpx2.Response]) -> Answer:
    """Repeat a request while a part is being started again, as every client should."""
    until = time.monotonic() + REPEAT_SECONDS
    while True:
        try:
            answer = send()
        except httpx2.TransportError as error:
            if time.monotonic() > until:
                raise Failed(f"{what} was not answered within {REPEAT_SECONDS} s: {error}") from None
        else:
            under_way = answer.status_code == 409 and answer.json().get("code") == "key-in-flight"
            if not (under_way or answer.status_code in AWAY) or time.monotonic() > until:
                return _checked(answer)
        time.sleep(PAUSE_SECONDS)


def _checked(answer: httpx2.Response) -> Answer:
    if not answer.is_success:
        raise Failed(
            f"{answer.request.method} {answer.request.url.path} answered {answer.status_code}: {answer.text[:500]}"
        )
    return answer.json()
