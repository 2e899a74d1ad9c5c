"""What can go wrong with an upload to the Hub: why, and what to do."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from train.publish.hub_target import Target
from virtus.errors import VirtusError

if TYPE_CHECKING:
    from huggingface_hub.errors import HfHubHTTPError

LOG_IN = "Log in by `hf auth login`, or set HF_TOKEN to a token with write permission"


class PublishError(VirtusError):
    """A run that could not be uploaded: the text says why, what to do, and that nothing is lost."""


@contextlib.contextmanager
def translated(target: Target, token: str, *, timeout_s: float) -> Iterator[None]:
    """The Hub client's errors as `PublishError`s, in which the token is never.

    Args:
        timeout_s: after which the client gives up waiting for an answer.
    """
    try:
        yield
    except PublishError:
        raise
    except Exception as exc:  # sockets, TLS, a login page of the hotel, an answer that is not the Hub's
        cause, remedy = _explain(_innermost(exc), target, timeout_s)
        text = f"{target.repo_id} was not published: {cause}. {remedy} {target.advice}"
        raise PublishError(text.replace(token, "[the token]")) from exc


def _explain(exc: BaseException, target: Target, timeout_s: float) -> tuple[str, str]:
    """What happened, and what to do."""
    from huggingface_hub import errors
    from huggingface_hub.utils import httpx

    if isinstance(exc, errors.OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set", "Unset it."
    if isinstance(exc, errors.HfHubHTTPError):
        return _explain_status(exc, target)
    if isinstance(exc, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError):
        return f"the Hub cannot be reached ({_first_line(exc)})", "See to the network, and to HF_ENDPOINT if it is set."
    if isinstance(exc, httpx.TimeoutException):
        return f"the Hub gave no answer in {timeout_s:g} s", "Try again later."
    if isinstance(exc, httpx.TransportError):
        return "the connection was cut", "Try again."
    if isinstance(exc, (json.JSONDecodeError, KeyError, TypeError, AttributeError)):
        return "the answer was not the Hub's", "See to the network (a login page?), and to HF_ENDPOINT if it is set."
    return f"the Hub's client gave up ({_first_line(exc)})", f"If it is about rights: may you write to {target.owner}?"


def _explain_status(exc: HfHubHTTPError, target: Target) -> tuple[str, str]:
    said = (exc.server_message or "").splitlines()
    status, owner = exc.response.status_code, target.owner
    what = f"the Hub answered with status {status}" + (f", {said[0].rstrip('.')}" if said else "")
    remedies = {
        401: f"The token is mistyped, expired or revoked. {LOG_IN}.",
        403: f"The token may not write to {owner}: make one with write permission for it, or name another owner.",
        404: f"See whether {owner} is spelt right, and whether the token may see {target.repo_id}.",
        429: "Wait some minutes.",
    }
    if status >= 500:
        return what, "This is the Hub's fault: try again later (https://status.huggingface.co)."
    return what, remedies.get(status, "It refuses what was sent: what it says names the cause.")


def _innermost(exc: BaseException) -> BaseException:
    """The client wraps what happens while a file is sent."""
    while type(exc) is RuntimeError and exc.__cause__:
        exc = exc.__cause__
    return exc


def _first_line(exc: BaseException) -> str:
    return (str(exc).strip() or type(exc).__name__).splitlines()[0].rstrip(".")
