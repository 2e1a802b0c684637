"""A mail server that keeps whatever is sent to anybody, and shows it on a page. Keeps the mails in memory."""

import sys

from deploy.local.part import Part, answers, listens
from deploy.local.stack import HOST, Stack

PASSWORD = "demo"  # noqa: S105 - every mailbox of the local stack opens with it


def part(stack: Stack) -> Part:
    smtp, imap, page = (stack.ports[name] for name in ("smtp", "imap", "mailbox"))
    command = [sys.executable, "-m", "deploy.local.mailbox_server", "--host", HOST]
    command += ["--multi-user", "--password", PASSWORD]
    command += ["--smtp-port", str(smtp), "--imap-port", str(imap), "--http-port", str(page)]
    return Part(
        name="mailbox",
        command=command,
        ready=lambda: listens(HOST, smtp) or listens(HOST, imap) or answers(f"http://{HOST}:{page}/"),
        ports=("smtp", "imap", "mailbox"),
        page=stack.url("mailbox", "/"),
    )
