"""Requests with wrong parameters to every endpoint of a running app."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx

from tests.corpus.clips import whole_clips
from tests.corpus.doors import Answer, of_answer
from tests.corpus.inputs import Expected
from tests.corpus.parameters import wrong_requests
from tests.corpus.whole import whole_files

AT_ONCE = 4
Request = tuple[str, str, dict]


def through_parameters(
    url: str, choose: Callable[[Sequence[Request]], Sequence[Request]]
) -> Iterator[tuple[str, str, Expected, Answer]]:
    """Each request by itself; those that are chosen of all."""
    with httpx.Client(base_url=url, timeout=120) as client, ThreadPoolExecutor(AT_ONCE) as pool:
        paths = {"": _upload(client, "photo.jpg", whole_files()["plain.jpg"])}
        paths["/video"] = _upload(client, "clip.mp4", whole_clips()["mp4"])
        endpoints = client.get("/gradio_api/info").json()["named_endpoints"]
        asked = choose(list(wrong_requests(endpoints, paths)))
        answers = pool.map(partial(_ask, client), asked)
        for (endpoint, parameter, data), answer in zip(asked, answers, strict=True):
            yield endpoint, f"{parameter}={data[parameter]!r:.80}", Expected.EITHER, answer


def _upload(client: httpx.Client, name: str, content: bytes) -> str:
    (path,) = client.post("/gradio_api/upload", files={"files": (name, io.BytesIO(content))}).raise_for_status().json()
    return path


def _ask(client: httpx.Client, request: Request) -> Answer:
    endpoint, _, data = request
    start = time.perf_counter()
    # NaN and half a surrogate pair are written as they are; `httpx` by itself refuses to.
    content, headers = json.dumps(data).encode(), {"Content-Type": "application/json"}
    asked = client.post(f"/gradio_api/call/v2{endpoint}", content=content, headers=headers)
    if asked.status_code in range(400, 500):
        return Answer("refused", asked.text, time.perf_counter() - start)
    if asked.status_code != 200:
        return Answer(f"HTTP {asked.status_code}")
    lines = client.get(f"/gradio_api/call/v2{endpoint}/{asked.json()['event_id']}").text.split("\n")
    said = json.loads(next(line for line in reversed(lines) if line.startswith("data: ")).removeprefix("data: "))
    return _answer(said, time.perf_counter() - start)


def _answer(said: list | dict, seconds: float) -> Answer:
    return Answer("refused", said["error"] or "", seconds) if isinstance(said, dict) else of_answer(said[0], seconds)
