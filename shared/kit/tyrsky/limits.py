"""What a request may weigh: its headers, its address, its body, the depth of its JSON, its time.

A body is read whole before the route sees it, so that one that is too large or too deep never reaches a parser. It is
at most ``BODY_BYTES_MAX``; what is larger (the business register) comes in by file, not by request. Only when it is
there does the request take its place (``tyrsky.admission``): who sends a byte a second keeps none from others. Until
the request is answered its body counts among those that are here (``tyrsky.bodies``).
"""

import asyncio
import re
from itertools import accumulate

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tyrsky import admission, problems
from tyrsky.admission import ALWAYS_ANSWERED, Places
from tyrsky.bodies import Bodies, Held
from tyrsky.settings import Settings
from tyrsky.streams import MayStream, Streams


class Limits:
    """Middleware: refuses what weighs too much."""

    def __init__(self, app: ASGIApp, settings: Settings, places: Places) -> None:
        self.app = app
        self._settings = settings
        self._places = places
        self._bodies = Bodies()
        self._streams = Streams(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in ALWAYS_ANSWERED:
            await self.app(scope, receive, send)
            return
        refusal = self._of_head(scope)
        if refusal is not None:
            await _refuse(refusal, scope, receive, send)
            return
        await self._within_time(scope, receive, send)

    def _of_head(self, scope: Scope) -> str | None:
        if sum(len(name) + len(value) for name, value in scope["headers"]) > self._settings.header_bytes_max:
            return "headers-too-large"
        if len(scope["raw_path"]) + len(scope["query_string"]) > self._settings.target_bytes_max:
            return "target-too-long"
        if int(Headers(scope=scope).get("content-length", "0")) > self._settings.body_bytes_max:
            return "body-too-large"
        return None

    async def _within_time(self, scope: Scope, receive: Receive, send: Send) -> None:
        arrived = begun = False
        timer = asyncio.timeout(self._settings.request_seconds)
        caller = scope.get(admission.CALLER, admission.UNKNOWN)
        held = Held(self._bodies, caller)
        answer = MayStream(self._streams, scope, send, timer)
        try:
            async with timer:
                body = await self._body(scope, receive, held)
                arrived = True
                if isinstance(body, str):
                    await _refuse(body, scope, receive, send)
                    return
                if code := await self._places.enter(caller):
                    await admission.refuse(code, scope, receive, send)
                    return

                async def watched(message: Message) -> None:
                    nonlocal begun
                    if not begun:
                        begun = True
                        self._places.leave(caller)  # the work is done: who reads slowly keeps no place
                    await answer.send(message)

                try:
                    await self.app(scope, _replayed(body, receive), watched)
                finally:
                    if not begun:
                        self._places.leave(caller)
            await answer.finish(receive)  # a stream that was refused, and at its end before it could be cut off
        except TimeoutError:
            if not timer.expired():
                raise
            if await answer.finish(receive):
                return
            if begun:
                raise
            await _refuse("answer-slow" if arrived else "request-slow", scope, receive, send)
        finally:
            answer.release()
            held.release()

    async def _body(self, scope: Scope, receive: Receive, held: Held) -> bytes | str:
        """The whole body, or the code of the problem with it."""
        headers = Headers(scope=scope)
        if "content-length" not in headers and "transfer-encoding" not in headers:
            return b""
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return "request-slow"  # half a body is no request, and nobody hears the answer
            part = message.get("body", b"")
            body += part
            more = message.get("more_body", False)
            no_room = held.more(len(part))
            if held.size > self._settings.body_bytes_max:
                return "body-too-large"
            if no_room is not None:
                return no_room
        if "json" in headers.get("content-type", "").lower():
            if not utf_8(body):
                return "json-broken"
            if deeper(body, self._settings.json_depth_max):
                return "json-too-deep"
        return bytes(body)


async def _refuse(code: str, scope: Scope, receive: Receive, send: Send) -> None:
    # What was not read of the body would be taken for the next request: the connection ends here.
    close = {"Connection": "close"} if code in {"body-too-large", "request-slow", *admission.REFUSALS} else None
    if code in admission.REFUSALS:
        await admission.refuse(code, scope, receive, send, headers=close)
        return
    await problems.answer(scope, problems.known(code), headers=close)(scope, receive, send)


def _replayed(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()  # the client's leaving
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)  # possessive: one pass, whatever is sent
_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")


def utf_8(body: bytes | bytearray) -> bool:
    """Whether JSON is in the one encoding that it may be sent in (RFC 8259, 8.1).

    Python's parser would take UTF-16 and UTF-32 too, in which the bytes of a letter look like a quotation mark or a
    bracket to :func:`deeper`. They are told by their NUL bytes, which are allowed nowhere in JSON.
    """
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return 0 not in body


def deeper(body: bytes | bytearray, depth_max: int) -> bool:
    """Whether JSON in UTF-8 is nested deeper than allowed, found without parsing it."""
    if body.count(b"[") + body.count(b"{") <= depth_max:
        return False
    brackets = _STRING.sub(b"", body).translate(None, delete=_BRACKETS)
    return any(depth > depth_max for depth in accumulate(1 if byte in b"[{" else -1 for byte in brackets))


def install(app: FastAPI, settings: Settings) -> None:
    """Hold the app's requests to the settings' limits. The door is :class:`tyrsky.admission.App`."""
    app.state.places = Places(settings)
    app.add_middleware(Limits, settings=settings, places=app.state.places)
