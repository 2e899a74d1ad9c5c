"""What stands before the app: pure ASGI middleware, a file a guard. Gradio's own answers stay as they are otherwise."""

from __future__ import annotations

from starlette.middleware import Middleware

from virtus.app.server.guards.body_limits import BodyLimits, LingeringClose
from virtus.app.server.guards.calls import Calls
from virtus.app.server.guards.client_limits import BasicLogin, LoginLimit, RateLimit
from virtus.app.server.guards.responses import BusyAnswers, ResponseHeaders
from virtus.app.server.guards.routes import ClosedRoutes, OwnOrigin
from virtus.app.visitors import VisitorFiles


def guards(
    *, files: VisitorFiles | None = None, calls_per_minute: int = 0, auth: tuple[str, str] | None = None
) -> list[Middleware]:
    """The guards, the outermost first.

    Args:
        files: where uploads go; without, their number of bytes on disk has no limit.
        calls_per_minute: of each client address; 0 for any number.
        auth: user and password that the tools for assistants ask for. Gradio itself asks for those of the app.
    """
    return [
        Middleware(LingeringClose),
        Middleware(ResponseHeaders),
        Middleware(OwnOrigin),
        Middleware(ClosedRoutes),
        Middleware(LoginLimit),
        Middleware(BasicLogin, auth=auth),
        Middleware(RateLimit, calls_per_minute=calls_per_minute),
        Middleware(BusyAnswers),
        Middleware(BodyLimits, files=files),
        Middleware(Calls),
    ]
