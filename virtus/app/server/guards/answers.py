"""How a guard refuses: in the form of Gradio's own refusals, which its clients show."""

from __future__ import annotations

import math

from starlette.responses import JSONResponse


def refusal(status: int, sentence: str, *, after_s: float | None = None) -> JSONResponse:
    """`{"detail": sentence}`; `after_s` says when to ask again."""
    headers = {} if after_s is None else {"Retry-After": str(max(1, math.ceil(after_s)))}
    return JSONResponse({"detail": sentence}, status, headers)
