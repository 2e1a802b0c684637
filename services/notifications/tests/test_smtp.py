import asyncio
import datetime
import ipaddress
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from notifications.mail import Sender, compose
from notifications.settings import Settings
from notifications.smtp import MailServer, Outcome
from tyrsky.settings import SettingsWrong

from .known import ID, notification
from .receiver import GONE, GONE_AFTER_TAKING, HANG, receiving, user

MESSAGE = compose(ID, notification(), Sender("Vaao", "tyoelama@vaao.example"))


def settings(port: int, **other: Any) -> Settings:
    base: dict[str, Any] = {"colleges": ["vaao"], "oidc_issuer": "http://localhost", "smtp_port": port}
    return Settings(**{**base, **other})


async def hand_over(port: int, **other: Any) -> Outcome:
    return await MailServer(settings(port, **other)).hand_over(MESSAGE)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that signs itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail.example")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "mail.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


async def test_a_message_arrives_as_it_was_composed():
    async with receiving() as receiver:
        assert await hand_over(receiver.port) == Outcome("sent")
        (taken,) = receiver.taken
    assert taken.content == MESSAGE.as_bytes()
    assert (taken.mail_from, taken.rcpt_tos) == ("tyoelama@vaao.example", ["teppo.virtanen@metalli.example"])


@pytest.mark.parametrize("stage", ["at_sender", "at_recipient", "at_data"])
@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("550 5.1.1 no teppo.virtanen@metalli.example here", Outcome("refused", "5.1.1")),
        ("554 no thanks", Outcome("refused", "smtp-554")),
        ("451 4.7.1 try again later", Outcome("deferred", "4.7.1")),
        ("421 closing", Outcome("deferred", "smtp-421")),
        ("530 5.7.0 log in first", Outcome("deferred", "5.7.0")),
    ],
)
async def test_what_a_server_says_no_to_is_certainly_not_sent(stage: str, answer: str, outcome: Outcome):
    async with receiving() as receiver:
        setattr(receiver, stage, answer)
        assert await hand_over(receiver.port) == outcome
        assert receiver.taken == []


@pytest.mark.parametrize("stage", ["at_sender", "at_recipient"])
@pytest.mark.parametrize(("what", "reason"), [(HANG, "timeout"), (GONE, "connection-failed")])
async def test_silence_before_the_message_was_handed_over_is_no_doubt(stage: str, what: str, reason: str):
    async with receiving() as receiver:
        setattr(receiver, stage, what)
        assert await hand_over(receiver.port, smtp_seconds=0.3) == Outcome("deferred", reason)


@pytest.mark.parametrize(
    ("what", "reason"), [(HANG, "timeout"), (GONE, "connection-lost"), (GONE_AFTER_TAKING, "connection-lost")]
)
async def test_silence_after_the_message_was_handed_over_is_unsure(what: str, reason: str):
    async with receiving() as receiver:
        receiver.at_data = what
        assert await hand_over(receiver.port, smtp_seconds=0.3) == Outcome("deferred", reason, unsure=True)


async def test_nobody_listens():
    async with receiving() as receiver:
        port = receiver.port
    assert await hand_over(port) == Outcome("deferred", "connection-failed")


async def test_a_server_that_takes_the_connection_and_says_nothing():
    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1)
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await hand_over(port, smtp_seconds=0.2) == Outcome("deferred", "timeout")


async def test_something_else_listens():
    async def speak_http(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(speak_http, "127.0.0.1", 0) as server:
        outcome = await hand_over(server.sockets[0].getsockname()[1])
    assert (outcome.status, outcome.unsure) == ("deferred", False)


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # the test's server does not count TLS from the first byte
@pytest.mark.parametrize(("security", "at_once"), [("starttls", False), ("tls", True)])
async def test_tls_and_a_log_in(security: str, at_once: bool, tls: ssl.SSLContext, certificate: Path):
    secured: dict[str, Any] = {"smtp_security": security, "smtp_ca_file": certificate, "smtp_username": "vaao"}
    async with receiving(
        tls, at_once=at_once, authenticator=user("vaao", "secret"), auth_required=True, auth_require_tls=not at_once
    ) as receiver:
        assert await hand_over(receiver.port, **secured, smtp_password="secret") == Outcome("sent")
        # A wrong password is ours to mend: no recipient is given up for it.
        assert await hand_over(receiver.port, **secured, smtp_password="wrong") == Outcome("deferred", "5.7.8")
        assert len(receiver.taken) == 1


@pytest.mark.parametrize(("security", "at_once"), [("starttls", False), ("tls", True)])
async def test_a_server_that_nobody_vouches_for_gets_nothing(security: str, at_once: bool, tls: ssl.SSLContext):
    async with receiving(tls, at_once=at_once) as receiver:
        outcome = await hand_over(receiver.port, smtp_security=security)
        assert (outcome.status, outcome.unsure, receiver.taken) == ("deferred", False, [])


async def test_starttls_is_never_done_without():
    async with receiving() as receiver:
        outcome = await hand_over(receiver.port, smtp_security="starttls")
        assert (outcome, receiver.taken) == (Outcome("deferred", "protocol-error"), [])


async def test_an_address_with_a_domain_of_letters_goes_out_in_ascii():
    message = compose(ID, notification(to_email="info@hämeenlinna.fi"), Sender("Vaao", "tyoelama@vaao.example"))
    async with receiving() as receiver:
        assert await MailServer(settings(receiver.port)).hand_over(message) == Outcome("sent")
        (taken,) = receiver.taken
    assert taken.rcpt_tos == ["info@xn--hmeenlinna-q5a.fi"]


async def test_an_address_that_no_server_can_read_is_refused_for_good():
    message = EmailMessage(policy=SMTP)
    message["From"] = "Vaao <tyoelama@vaao.example>"
    message["To"] = "jörg@metalli.example"
    async with receiving() as receiver:
        outcome = await MailServer(settings(receiver.port)).hand_over(message)
        assert (outcome, receiver.connections) == (Outcome("refused", "address-malformed"), 0)


async def test_a_host_name_that_is_none_is_ours_to_mend():
    assert await hand_over(25, smtp_host=f"{'ä' * 64}.example") == Outcome("deferred", "connection-failed")


def test_a_password_does_not_travel_in_clear():
    with pytest.raises(SettingsWrong, match="SMTP_SECURITY"):
        settings(25, smtp_host="mail.example", smtp_username="vaao")


@pytest.mark.parametrize(
    "sender", ["", "tyoelama@vaao.example", "Vaao", "Vaao <x>", "Vaao\r\nBcc: e@e.example <a@b.example>"]
)
def test_a_sender_is_a_name_and_an_address(sender: str):
    with pytest.raises(SettingsWrong, match="SENDER_ADDRESSES"):
        settings(25, sender_addresses={"vaao": sender})


@pytest.mark.parametrize("seconds", [7.1, 10, 300])
def test_an_attempt_may_not_outlast_a_stop(seconds: float):
    assert settings(25, stop_seconds=40, smtp_seconds=7).smtp_seconds == 7
    with pytest.raises(SettingsWrong, match=r"SMTP_SECONDS .* STOP_SECONDS"):
        settings(25, stop_seconds=40, smtp_seconds=seconds)


def test_a_senders_domain_of_letters_is_written_in_ascii():
    assert settings(25, sender_address="Tyrsky <t@hämeenlinna.fi>").sender("vaao").address == "t@xn--hmeenlinna-q5a.fi"


def test_each_college_has_its_own_sender():
    both = settings(25, sender_address="Tyrsky <t@t.example>", sender_addresses={"vaao": '"Vaao, Oy" <v@vaao.example>'})
    assert both.sender("vaao") == Sender("Vaao, Oy", "v@vaao.example")
    assert both.sender("sasky") == Sender("Tyrsky", "t@t.example")
