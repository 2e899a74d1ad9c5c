"""The app's screenshots in README and docs, taken from the running app in chromium.

    python -m benchmarks.screenshots                        # docs/images/app-*.jpg
    python -m benchmarks.screenshots --out look --every     # every tab, both themes, both widths: to look at

The photos are the bundled examples, so that anybody gets the same pictures.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from virtus.bundled import ASSETS

ROOT = Path(__file__).parents[1]
EXAMPLES = ASSETS / "examples"
FOUND = "fake-collins-in-hopper.jpg"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = "--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update".split()
WIDTHS = {"desktop": (1280, 960), "phone": (390, 844)}
QUALITY = 82  # of the JPEGs
THEMES = ("light", "dark")
START_UP_S, ANSWER_MS, SETTLE_MS = 240, 180_000, 800


@dataclass(frozen=True)
class Shot:
    """A state of the app: its tab, what is done there, and where it is shown."""

    tab: str
    prepare: Callable[[Page], None]
    width: str = "desktop"
    theme: str = "light"
    state: str = "result"

    @property
    def name(self) -> str:
        return f"app-{self.tab.lower()}-{self.state}-{self.width}-{self.theme}.jpg"


def give(page: Page, *names: str) -> None:
    page.locator(".drop-zone:visible input[type=file]").set_input_files([str(EXAMPLES / name) for name in names])


def nothing(page: Page) -> None:
    """The tab as it is opened."""


def analyze(page: Page) -> None:
    give(page, "eileen-collins.jpg")
    page.wait_for_selector("#map-trust .good, #map-trust .poor")


def batch(page: Page) -> None:
    give(page, *sorted(path.name for path in EXAMPLES.glob("*.jpg")))
    page.wait_for_selector("#batch-downloads a")


def video(page: Page) -> None:
    with tempfile.TemporaryDirectory() as folder:
        page.locator(".drop-zone:visible input[type=file]").set_input_files(write_clip(Path(folder) / "clip.mp4"))
        page.wait_for_selector("#telling img")


def write_clip(file: Path) -> Path:
    """Three seconds in which two of the example photos stand side by side and move."""
    import av

    left, right = (Image.open(EXAMPLES / name).resize((480, 560)) for name in ("grace-hopper.jpg", FOUND))
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=8)
        stream.width, stream.height, stream.pix_fmt = 960, 540, "yuv420p"
        for number in range(24):
            picture = Image.new("RGB", (960, 540), "#202020")
            picture.paste(left, (number - 12, -20 + number % 8))
            picture.paste(right, (492 - number // 2, -10))
            container.mux(stream.encode(av.VideoFrame.from_image(picture)))
        container.mux(stream.encode(None))
    return file


def compare(page: Page) -> None:
    give(page, FOUND)
    page.wait_for_selector("#compare-cards img")


RESULTS = {"Analyze": analyze, "Batch": batch, "Video": video, "Compare": compare, "About": nothing}
"""Tab to what brings it to its result."""
SHOWN = (
    Shot("Analyze", analyze),
    Shot("Batch", batch, theme="dark"),
    Shot("Video", video, theme="dark"),
)
"""Those that README and docs show."""


def every_shot() -> list[Shot]:
    """Each tab empty and with its result, in each theme at each width."""
    states = [(tab, "result", act) for tab, act in RESULTS.items()]
    states += [(tab, "empty", nothing) for tab in RESULTS if RESULTS[tab] is not nothing]
    places = [(width, theme) for width in WIDTHS for theme in THEMES]
    return [Shot(tab, act, *place, state) for tab, state, act in states for place in places]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images", help="folder (default: docs/images)")
    parser.add_argument("--every", action="store_true", help="every tab, state, theme and width")
    parser.add_argument("--tab", choices=sorted(RESULTS), help="of this tab alone")
    args = parser.parse_args()
    shots = [shot for shot in (every_shot() if args.every else SHOWN) if args.tab in (None, shot.tab)]
    args.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright, _Server() as server:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        for shot in shots:
            print(_take(browser, server.url, shot, args.out, whole=args.every))


def _take(browser, url: str, shot: Shot, folder: Path, *, whole: bool) -> Path:
    """Of the whole page, or of its first part."""
    width, height = WIDTHS[shot.width]
    phone = shot.width == "phone"
    context = browser.new_context(
        viewport={"width": width, "height": height}, is_mobile=phone, has_touch=phone, reduced_motion="reduce"
    )
    page = context.new_page()
    page.set_default_timeout(ANSWER_MS)
    page.goto(f"{url}/?__theme={shot.theme}")
    page.get_by_role("tab", name=shot.tab, exact=True).click()
    shot.prepare(page)
    page.wait_for_function("[...document.images].every(one => one.complete)")
    page.wait_for_timeout(SETTLE_MS)
    page.screenshot(path=folder / shot.name, full_page=whole, quality=QUALITY, type="jpeg")
    context.close()
    return folder / shot.name


class _Server:
    """The app as users start it, on a free port."""

    def __enter__(self) -> _Server:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        models = ["--model", "auto", "--model", str(self._wider_crop())]
        command = [sys.executable, "-m", "virtus", "serve", "--port", str(port), *models]
        self.process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"VIRTUS_CHECKPOINT": ""})
        limit = time.monotonic() + START_UP_S
        while time.monotonic() < limit and self.process.poll() is None:
            try:
                urllib.request.urlopen(self.url).close()
                return self
            except OSError:
                time.sleep(0.2)
        raise SystemExit("the app did not start")

    def _wider_crop(self) -> Path:
        """The bundled checkpoint with another margin: somebody to compare it with."""
        self.folder = tempfile.TemporaryDirectory()
        copy = Path(shutil.copytree(ASSETS / "checkpoints" / "virtus-tiny", Path(self.folder.name) / "wider-crop"))
        own = json.loads((copy / "virtus.json").read_text(encoding="utf-8")) | {"margin": 1.8}
        (copy / "virtus.json").write_text(json.dumps(own), encoding="utf-8")
        return copy

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.folder.cleanup()


if __name__ == "__main__":
    main()
