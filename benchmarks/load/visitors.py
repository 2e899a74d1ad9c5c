"""Simulated visitors for `python -m benchmarks.load`: each has a picture, and knows what the engine says of it."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import httpx
from PIL import Image, ImageOps

import virtus
from virtus.bundled import ASSETS
from virtus.results import ImageReport

EXAMPLES = sorted((ASSETS / "examples").glob("*.jpg"))
MAX_DIFFERENCE = 0.03  # of p: crops that are judged together are rounded otherwise than alone, in bfloat16
ASKED = {"analyze": 0.7, "explain": 0.1, "provenance": 0.1, "batch": 0.1}
ANSWER_S = 300  # a limit for what hangs
# What a place in the queue says that is not free, and what a server says that is asked too often.
BUSY = (429, 503)


class MixedUp(Exception):
    """An answer that is not about the visitor's own picture."""


class Busy(Exception):
    """The server said that it is busy."""


class Failed(Exception):
    """Anything else that is no answer."""


@dataclass(frozen=True)
class Visitor:
    """Somebody with a picture: no two have pictures of the same size, by the same camera, or with the same faces.

    Attributes:
        data: the picture as a file.
        expected: what the engine says of it.
        asked: the endpoints, as often as each is asked.
    """

    number: int
    data: bytes
    expected: ImageReport
    asked: dict[str, float]

    @property
    def name(self) -> str:
        return f"photo-{self.number}.jpg"

    async def ask(self, client: httpx.AsyncClient, draw: random.Random) -> tuple[str, int]:
        """Upload the picture, ask an endpoint about it, and check the answer; gives its name and the photos judged.

        Raises:
            Busy, Failed, MixedUp: where there was no answer, or not this visitor's.
        """
        (api_name,) = draw.choices(list(self.asked), list(self.asked.values()))
        file = {"path": await self._upload(client), "orig_name": self.name, "meta": {"_type": "gradio.FileData"}}
        given = {"files": [file, file]} if api_name == "batch" else {"file": file}
        answer = await _last_answer(client, api_name, given)
        getattr(self, f"_check_{api_name}")(answer)
        return api_name, {"batch": 2, "provenance": 0}.get(api_name, 1)

    async def leave(self, client: httpx.AsyncClient, draw: random.Random) -> None:
        """Go away in mid-upload, or while waiting for the answer."""
        if draw.random() < 0.3:
            with_length = {"content-type": "multipart/form-data; boundary=b", "content-length": "1000000"}
            with_end = asyncio.wait_for(client.post("upload", content=_begun(), headers=with_length), 0.2)
        else:
            file = {"path": await self._upload(client), "meta": {"_type": "gradio.FileData"}}
            with_end = asyncio.wait_for(_last_answer(client, "analyze", {"file": file}), draw.uniform(0, 1))
        with contextlib.suppress(TimeoutError, httpx.HTTPError):
            await with_end

    async def _upload(self, client: httpx.AsyncClient) -> str:
        answer = await client.post("upload", files={"files": (self.name, self.data, "image/jpeg")})
        return _json_of(answer)[0]

    def _check_analyze(self, answer: list) -> None:
        self._check_report(answer[0])

    def _check_batch(self, answer: list) -> None:
        if [one["name"] for one in answer[0]] != [self.name] * 2:
            raise MixedUp(f"{self.name} got {answer[0]}")
        for report in answer[0]:
            self._check_report(report)

    def _check_explain(self, answer: list) -> None:
        self._check_report(answer[0])
        if self.expected.faces and self.expected.faces[0].crop and "heatmap" not in answer[0]:
            raise MixedUp(f"{self.name} got no map")

    def _check_provenance(self, answer: list) -> None:
        if not any(one["what"].endswith(f"Camera {self.number}") for one in answer[0]["findings"]):
            raise MixedUp(f"{self.name} got {answer[0]}")

    def _check_report(self, report: dict) -> None:
        expected = self.expected.to_json()
        same = report["image_size"] == expected["image_size"] and len(report["faces"]) == len(expected["faces"])
        if not (same and all(map(_alike, report["faces"], expected["faces"]))):
            raise MixedUp(f"{self.name} got {report}")


def make_visitors(count: int, detector: virtus.Detector, ask: Sequence[str]) -> list[Visitor]:
    """Visitors from 0 on. Their pictures show one face, two or none, mirrored or not, in many sizes and qualities."""
    made, asked = [], {name: ASKED[name] for name in ask}
    for number in range(count):
        data = _picture(number)
        made.append(Visitor(number, data, virtus.analyze_image(detector, data), asked))
    return made


def _picture(number: int) -> bytes:
    draw = random.Random(number)
    canvas = Image.new("RGB", (640 + 2 * number, 480), tuple(draw.randrange(256) for _ in range(3)))
    for left in _places(number):
        face = Image.open(draw.choice(EXAMPLES)).convert("RGB")
        face = ImageOps.mirror(face) if draw.random() < 0.5 else face
        side = draw.randrange(220, 300)
        canvas.paste(ImageOps.contain(face, (side, side)), (left + number % 16, draw.randrange(10, 180)))
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Load", f"Camera {number}"  # Make, Model
    buffer = io.BytesIO()
    canvas.save(buffer, "JPEG", quality=draw.randrange(80, 96), exif=exif)
    return buffer.getvalue()


def _places(number: int) -> tuple[int, ...]:
    """Where faces stand, from the left: every eighth picture has none, every third of the others two."""
    if number % 8 == 7:
        return ()
    return (10, 320) if number % 3 == 1 else (10,)


def _alike(face: dict, expected: dict) -> bool:
    p, wanted = face["p_fake"], expected["p_fake"]
    close = p == wanted if None in (p, wanted) else abs(p - wanted) <= MAX_DIFFERENCE
    return close and face["box_xyxy"] == expected["box_xyxy"]


async def _begun() -> AsyncIterator[bytes]:
    yield b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n' + bytes(100_000)
    await asyncio.sleep(ANSWER_S)


async def _last_answer(client: httpx.AsyncClient, api_name: str, given: dict) -> list:
    event = _json_of(await client.post(f"call/v2/{api_name}", json=given))["event_id"]
    name = data = ""
    async with client.stream("GET", f"call/v2/{api_name}/{event}", timeout=ANSWER_S) as stream:
        async for line in stream.aiter_lines():
            key, _, value = line.partition(": ")
            name, data = (value, data) if key == "event" else (name, value if key == "data" else data)
    if name != "complete":
        raise Failed(f"{api_name}: {name} {data}")
    return json.loads(data)


def _json_of(answer: httpx.Response):
    if answer.status_code in BUSY:
        raise Busy(answer.text)
    if answer.is_error:
        raise Failed(f"{answer.status_code} {answer.text}")
    return answer.json()
