"""The corpus of bad inputs uploaded to a running app, by its endpoints and its pages, and wrong parameters given to it.

For `python -m benchmarks.bad_inputs`.
"""

from __future__ import annotations

import io
import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from benchmarks.screenshots import CHROMIUM, QUIET
from tests.corpus.clips import whole_clips
from tests.corpus.doors import Answer, of_answer, of_report
from tests.corpus.inputs import Expected
from tests.corpus.parameters import wrong_requests
from tests.corpus.whole import whole_files
from virtus.parallel import in_chunks

Corpus = Mapping[str, Mapping[str, Expected]]
Found = Iterator[tuple[str, str, Expected, Answer | None]]
Request = tuple[str, str, dict]
BATCH = 50
OTHERS = {"/explain": {}, "/explore": {}, "/compare": {}, "/report": {"methods": ""}}
CLIENTS = 4  # at once
EVERY = 10  # so many-th picture goes through each of the others too
IN_BROWSER = 30  # of each family
MAX_UPLOAD = 2**28
ANSWER_MS = 60_000
ANSWERS = "[data-outcome], .toast-body, .board tbody tr"


def through_api(url: str, corpus: Corpus) -> Found:
    """Every picture through `analyze`, `provenance` and `batch`, some through the others; clips, zips by theirs."""
    tasks = [task for family, files in corpus.items() for task in _tasks(family, _usable(files))]
    own = threading.local()  # Gradio's client, shared by threads, now and then drops the call of one for another's

    def open_client() -> None:
        own.client = Client(url, verbose=False, httpx_kwargs={"timeout": 120})

    with ThreadPoolExecutor(CLIENTS, initializer=open_client) as pool:
        yield from itertools.chain.from_iterable(pool.map(lambda task: task(own.client), tasks))


def _tasks(family: str, files: Mapping[str, Expected]) -> list[Callable[[Client], list[tuple]]]:
    if family == "clips":
        return [partial(_one, family, "/video", path, files[path], num_frames=4) for path in files]
    size = {"zips": 1, "large": 4}.get(family, BATCH)
    tasks = [partial(_many, family, dict(chunk)) for chunk in in_chunks(files.items(), size)]
    for number, (path, expected) in enumerate(files.items() if family != "zips" else ()):
        ask_one = partial(_one, family)
        tasks += [partial(ask_one, "/analyze", path, expected), partial(ask_one, "/provenance", path, Expected.EITHER)]
        if number % EVERY == 0:
            for endpoint, options in OTHERS.items():  # a report is written of what cannot be read too
                anything = Expected.EITHER if endpoint == "/report" else expected
                tasks.append(partial(ask_one, endpoint, path, anything, **options))
    return tasks


def _one(family: str, endpoint: str, path: str, expected: Expected, client: Client, **options) -> list[tuple]:
    return [(f"{family} {endpoint}", path, expected, ask(client, endpoint, path, **options))]


def _many(family: str, files: Mapping[str, Expected], client: Client) -> list[tuple]:
    answers = ask_batch(client, list(files))
    if family == "zips":  # the worst answer to a file in it is that to the zip
        answers = [next(itertools.chain((one for one in answers if one.refused), answers), None)]
    answers = answers if len(answers) == len(files) else answers[:1] * len(files)
    pairs = zip(files.items(), answers, strict=True)
    return [(f"{family} /batch", path, expected, answer) for (path, expected), answer in pairs]


def _usable(files: Mapping[str, Expected]) -> dict[str, Expected]:
    """Files that can be uploaded: no pipes, no links to nowhere, no names but in UTF-8, and not the one of 64 GiB."""
    return {path: expected for path, expected in files.items() if _can_be_sent(path)}


def ask(client: Client, endpoint: str, path: str, **options) -> Answer:
    """One file by one endpoint."""
    start = time.perf_counter()
    try:
        answer = client.predict(handle_file(path), api_name=endpoint, **options)
    except AppError as exc:
        return Answer("refused", str(exc), time.perf_counter() - start)
    took = time.perf_counter() - start
    first = answer[0] if isinstance(answer, (list, tuple)) else answer
    if endpoint == "/compare":
        return of_report(first["reports"][0], took)
    return of_answer(first, took)


def ask_batch(client: Client, paths: list[str]) -> list[Answer]:
    """Many files at once: an answer to each, or one to all."""
    start = time.perf_counter()
    try:
        reports, _ = client.predict([handle_file(path) for path in paths], api_name="/batch")
    except AppError as exc:
        return [Answer("refused", str(exc), time.perf_counter() - start)]
    took = (time.perf_counter() - start) / max(1, len(reports))
    return [of_report(report, took) for report in reports]


def through_app(url: str, corpus: Corpus, rng: random.Random) -> Found:
    """Some of each family dropped into the tab for them, one after the other in one page."""
    from playwright.sync_api import sync_playwright

    tabs = {"clips": "Video", "zips": "Batch"}
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        for family, files in corpus.items():
            page, problems = browser.new_page(), []
            page.on("pageerror", lambda error, problems=problems: problems.append(str(error)))
            usable = list(_usable(files))
            for path in rng.sample(usable, min(IN_BROWSER, len(usable))):
                answer = _drop(page, url, tabs.get(family, "Analyze"), path)
                said = "\n".join([answer.said, *(f"Traceback of the page: {problem}" for problem in problems)])
                expected = Expected.EITHER if family == "zips" else files[path]
                yield family, path, expected, replace(answer, said=said)
            page.close()
        browser.close()


def _drop(page, url: str, tab: str, path: str) -> Answer:
    start = time.perf_counter()
    page.goto(url)
    page.get_by_role("tab", name=tab, exact=True).click()
    page.locator(".drop-zone:visible input[type=file]").set_input_files(path)
    answer = page.locator(ANSWERS).filter(visible=True).first
    answer.wait_for(timeout=ANSWER_MS)
    outcome = (answer.get_attribute("data-outcome") or "refused").replace("error", "refused")
    return Answer(outcome, page.locator("body").inner_text(), time.perf_counter() - start)


def _can_be_sent(path: str) -> bool:
    try:
        path.encode()
        return Path(path).is_file() and Path(path).stat().st_size < MAX_UPLOAD
    except (OSError, UnicodeEncodeError):  # its name is too long, or in bytes that Gradio's client cannot send
        return False


def through_parameters(
    url: str, choose: Callable[[Sequence[Request]], Sequence[Request]]
) -> Iterator[tuple[str, str, Expected, Answer]]:
    """Each request by itself; those that are chosen of all."""
    with httpx.Client(base_url=url, timeout=120) as client, ThreadPoolExecutor(CLIENTS) as pool:
        paths = {"": _upload(client, "photo.jpg", whole_files()["plain.jpg"])}
        paths["/video"] = _upload(client, "clip.mp4", whole_clips()["mp4"])
        endpoints = client.get("/gradio_api/info").json()["named_endpoints"]
        asked = choose(list(wrong_requests(endpoints, paths)))
        answers = pool.map(partial(_ask_wrongly, client), asked)
        for (endpoint, parameter, data), answer in zip(asked, answers, strict=True):
            yield endpoint, f"{parameter}={data[parameter]!r:.80}", Expected.EITHER, answer


def _upload(client: httpx.Client, name: str, content: bytes) -> str:
    (path,) = client.post("/gradio_api/upload", files={"files": (name, io.BytesIO(content))}).raise_for_status().json()
    return path


def _ask_wrongly(client: httpx.Client, request: Request) -> Answer:
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
