"""What callers of the API are told in a sentence, where Gradio ends in an error of the server, or speaks of its own."""

from __future__ import annotations

import json
import re

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from virtus.app.api import ENDPOINTS
from virtus.app.server.guards.responses import path_of, refusal
from virtus.app.visitors import SEE, UNKNOWN_EVENTS, knows_event, knows_session, lacks_login

CALL = re.compile(r"/gradio_api/call/(?:v2/|v2$)?(?P<name>[^/]*)(?:/(?P<event>[^/]*))?/*$")
DIRECT = re.compile(r"/gradio_api/(queue/join|run/[^/]*|api/[^/]*)/?$")
SESSION = re.compile(r"/gradio_api/queue/data/?$")
MISSING = re.compile(r"No value provided for required argument: (\w+)")
UNKNOWN = re.compile(r"Parameter `(.*)` is not a valid key-word argument", re.DOTALL)
MAX_SHOWN = 100  # characters of what was sent
NO_EVENT = "There is no such event. Reload the page; programs ask /gradio_api/call/v2/NAME."
NO_ANSWER = "There is no such call: it was answered before, or never made. Ask again."
NO_SESSION = "There is no such session any more: the server was started anew. Reload the page."
AS_JSON = "Send the parameters as one JSON object, with the header Content-Type: application/json."


class Calls:
    """Refuses calls of endpoints, events and parameters that there are not, and questions after calls nobody made."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = _refused_at_once(scope) if scope["type"] == "http" else None
            if answer and lacks_login(scope["app"], Request(scope)):
                answer = None
            await (answer or self.app)(scope, receive, send)
        except (TypeError, *UNKNOWN_EVENTS) as exc:
            answer = _refused_late(path_of(scope), exc)
            if answer is None:
                raise
            await answer(scope, receive, send)


def _refused_at_once(scope: Scope) -> Response | None:
    path = path_of(scope)
    if SESSION.search(path):
        session = Request(scope).query_params.get("session_hash")
        return None if session is None or knows_session(scope["app"], session) else _no_session()
    call = CALL.search(path)
    if call is None:
        return None
    if call["name"] not in ENDPOINTS:
        names = ", ".join(f"/{name}" for name in ENDPOINTS)
        return refusal(404, f"There is no endpoint {'/' + call['name']!r:.{MAX_SHOWN}}. There are {names}. {SEE}")
    if scope["method"] != ("GET" if call["event"] else "POST"):
        return refusal(405, "An endpoint is asked by POST; its answer is fetched by GET, with the event_id at the end.")
    return refusal(404, NO_ANSWER) if call["event"] and not knows_event(scope["app"], call["event"]) else None


def _no_session() -> Response:
    """As an event: the page waits for one, and then says that the connection is lost."""
    told = {"msg": "unexpected_error", "message": NO_SESSION, "session_not_found": True, "success": False}
    return Response(f"data: {json.dumps(told)}\n\n", 404, media_type="text/event-stream")


def _refused_late(path: str, error: Exception) -> JSONResponse | None:
    """None where the error is none of the caller's."""
    if isinstance(error, UNKNOWN_EVENTS):
        return refusal(404, NO_EVENT) if DIRECT.search(path) else None
    if not CALL.search(path):
        return None
    if found := MISSING.match(str(error)):
        return refusal(422, f"The parameter {found[1]} is missing. {SEE}")
    if found := UNKNOWN.match(str(error)):
        return refusal(422, f"There is no parameter {found[1][:MAX_SHOWN]!r}. {SEE}")
    return None


async def refuse_body(_: Request, error: Exception) -> Response:
    """Whatever FastAPI finds wrong with a request, in one sentence; it lists what was sent, and rules that it broke."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = [str(part) for part in first["loc"][1:]]
    if first["type"] == "json_invalid":
        return refusal(422, f"The request is no valid JSON ({first['ctx']['error']}, character {where[0]}). {AS_JSON}")
    if not where:
        return refusal(422, f"The request is no JSON object, or is not said to be JSON. {AS_JSON}")
    name = ".".join(where)[:MAX_SHOWN]
    if first["type"] == "missing":
        return refusal(422, f"{name!r} is missing. {SEE}")
    return refusal(422, f"{name!r} cannot be read: {first['msg']}. {SEE}")


async def refuse_page(_: Request, error: Exception) -> Response:
    """Starlette's refusals; of a page or a method that there is not, in a sentence."""
    assert isinstance(error, HTTPException)
    allowed = (error.headers or {}).get("Allow", "another method")
    words = {"Not Found": "There is no such page.", "Method Not Allowed": f"This is asked by {allowed}."}
    return JSONResponse({"detail": words.get(str(error.detail), error.detail)}, error.status_code, error.headers)


IN_WORDS = {RequestValidationError: refuse_body, HTTPException: refuse_page}
"""Handlers of exceptions, for the constructor of Gradio's app."""
