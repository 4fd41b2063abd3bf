"""Middleware in front of gradio's routes: only those that page and API need, bodies of limited size, cached configuration."""

import logging
import re
from collections import OrderedDict

from gradio.route_utils import FnIndexInferError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 2_000_000  # bytes of a request
MIN_COMPRESSED = 2_000  # bytes of a response
MAX_CACHED = 32  # configurations, one for each address and encoding that they are asked for by
API = "/gradio_api/"
OPEN_ROUTES = re.compile(
    r"(api|app_id|call|cancel|component_server|heartbeat|info|login_check|mcp|openapi\.json|queue|reset|run|startup-events"
    r"|theme\.css)(/|$)"
)
"""The routes below `API` that are open: none that takes, serves or fetches files, or writes any."""
UNFOUND = (FnIndexInferError, KeyError, IndexError, TypeError, ValueError, RecursionError)
"""What gradio raises of such a request; errors of our own functions never come this far."""
NOT_AS_DESCRIBED = "there is no such endpoint, or no such parameter of it; see /gradio_api/info"
CACHED_PATHS = ("/", "/config", "/config/", "/gradio_api/info", "/gradio_api/info/")
KEY_HEADERS = (b"host", b"x-forwarded-host", b"x-forwarded-proto", b"x-forwarded-prefix", b"accept-encoding")
"""The headers by which responses of `CACHED_PATHS` differ."""
log = logging.getLogger("lyricgen")


def middleware() -> list[Middleware]:
    """All of it, in order; event streams are not compressed."""
    return [
        Middleware(RequestLimits),
        Middleware(ConfigCache),
        Middleware(GZipMiddleware, minimum_size=MIN_COMPRESSED),
    ]


class RequestLimits:
    """Answers 404 for a closed route, 413 for a body that is too long, and 400 where gradio fails over a request: over an endpoint,
    a function, a component or a parameter that does not exist."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        _, api, route = scope["path"].partition(API)
        if api and not OPEN_ROUTES.match(route):
            return await JSONResponse({"detail": "Not Found"}, 404)(scope, receive, send)
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > MAX_BODY:
            answer = JSONResponse({"detail": too_long(int(length))}, 413, {"connection": "close"})
            return await answer(scope, receive, send)
        received, started = 0, False

        async def send_noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY:
                raise HTTPException(413, too_long(received))
            return message

        try:
            await self.app(scope, receive_limited, send_noted)
        except UNFOUND as error:
            if started:
                raise
            log.warning("a request was refused (%s)", type(error).__name__)
            await JSONResponse({"detail": NOT_AS_DESCRIBED}, 400)(scope, receive, send)


def too_long(length: int) -> str:
    """The sentence on a body of that length."""
    return f"the body of a request must have at most {MAX_BODY:,} bytes, got {length:,}"


class ConfigCache:
    """Answers the page and its configuration from memory: they stay the same while the app runs, and cost gradio a copy of all
    components for each visitor."""

    def __init__(self, app: ASGIApp):
        self.app = app
        self.responses: OrderedDict[tuple, list[Message]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] not in CACHED_PATHS:
            return await self.app(scope, receive, send)
        headers = dict(scope["headers"])
        key = (scope["scheme"], scope["path"], scope["query_string"], *(headers.get(name) for name in KEY_HEADERS))
        if key in self.responses:
            self.responses.move_to_end(key)
            for message in self.responses[key]:
                await send(copied(message))
            return
        messages: list[Message] = []

        async def send_recorded(message: Message) -> None:
            messages.append(copied(message))
            await send(message)

        await self.app(scope, receive, send_recorded)
        if messages and messages[0].get("status") == 200:
            self.responses[key] = messages
            if len(self.responses) > MAX_CACHED:
                self.responses.popitem(last=False)


def copied(message: Message) -> Message:
    """A copy of a message: what compresses it further out changes its headers."""
    return {**message, "headers": list(message["headers"])} if "headers" in message else message
