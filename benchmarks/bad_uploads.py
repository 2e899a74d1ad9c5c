"""The corpus of bad inputs uploaded: through every endpoint of a running app, and through its pages in chromium."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from benchmarks.screenshots import CHROMIUM, QUIET
from tests.corpus.doors import Answer, of_report
from tests.corpus.inputs import Expected

Corpus = Mapping[str, Mapping[str, Expected]]
Found = Iterator[tuple[str, str, Expected, Answer | None]]
BATCH = 50
OTHERS = {"/explain": {}, "/compare": {}, "/report": {"methods": ""}}
EVERY = 10  # so many-th picture goes through each of the others too
IN_BROWSER = 4  # of each family
ANSWER_MS = 60_000
ANSWERS = "[data-outcome], .toast-body"


def through_api(url: str, corpus: Corpus) -> Found:
    """Every picture through `analyze`, `provenance` and `batch`, some through the others; clips, zips by theirs."""
    client = Client(url, verbose=False)
    for family, files in corpus.items():
        files = {path: expected for path, expected in files.items() if Path(path).suffix and _is_file(path)}
        if family == "clips":
            for path, expected in files.items():
                yield "clips /video", path, expected, ask(client, "/video", path, num_frames=4)
        elif family == "zips":
            for path, expected in files.items():
                yield "zips /batch", path, expected, _worst(ask_batch(client, [path]))
        else:
            yield from _pictures(client, family, files)


def _pictures(client: Client, family: str, files: Mapping[str, Expected]) -> Found:
    for number, (path, expected) in enumerate(files.items()):
        yield f"{family} /analyze", path, expected, ask(client, "/analyze", path)
        yield f"{family} /provenance", path, Expected.EITHER, ask(client, "/provenance", path)
        for endpoint, options in OTHERS.items() if number % EVERY == 0 else ():
            anything = Expected.EITHER if endpoint == "/report" else expected
            yield f"{family} {endpoint}", path, anything, ask(client, endpoint, path, **options)
    size = 4 if family == "large" else BATCH
    paths = list(files)
    for chunk in (paths[start : start + size] for start in range(0, len(paths), size)):
        answers = ask_batch(client, chunk)
        answers = answers if len(answers) == len(chunk) else answers[:1] * len(chunk)
        for path, answer in zip(chunk, answers, strict=True):
            yield f"{family} /batch", path, files[path], answer


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
    return of_report(first, took) if isinstance(first, dict) and "outcome" in first else Answer("no_face", "", took)


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
            usable = [path for path in files if _is_file(path)]
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
    outcome = answer.get_attribute("data-outcome") or "refused"
    return Answer(outcome, page.locator("body").inner_text(), time.perf_counter() - start)


def _is_file(path: str) -> bool:
    try:
        return Path(path).is_file()
    except OSError:  # its name is too long
        return False


def _worst(answers: list[Answer]) -> Answer | None:
    return next(itertools.chain((one for one in answers if one.refused), answers), None)
