"""The app's screenshots in README and docs, taken from the running app in chromium: `python -m benchmarks.screenshots`.

The photos are the bundled examples, so that anybody gets the same pictures.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from benchmarks import parser
from benchmarks.load.served import served_app
from virtus.bundled import ASSETS
from virtus.checkpoints import read_sidecar, write_sidecar

ROOT = Path(__file__).parents[1]
EXAMPLES = ASSETS / "examples"
FOUND = "fake-collins-in-hopper.jpg"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = "--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update".split()
WIDTH, HEIGHT = 1280, 960
QUALITY = 82  # of the JPEGs
ANSWER_MS, SETTLE_MS = 180_000, 800


def give(page: Page, *names: str) -> None:
    page.locator(".drop-zone:visible input[type=file]").set_input_files([str(EXAMPLES / name) for name in names])


def analyze(page: Page) -> None:
    give(page, "eileen-collins.jpg")
    page.wait_for_selector(".usual .method:last-child .layer[src]")


def explore(page: Page) -> None:
    give(page, FOUND)
    page.locator("#verdict .verdict").wait_for()
    page.get_by_role("tab", name="Explore", exact=True).click()
    page.locator("#explore canvas[data-drawn]").wait_for()
    page.locator("#explore .short .try").click()
    page.get_by_role("button", name="See all parts").wait_for()
    page.locator("#explore .fetching").wait_for(state="hidden")


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


SHOTS = {  # file to tab, what brings it to its result, and theme
    "app-analyze-result-desktop-light.jpg": ("Analyze", analyze, "light"),
    "app-explore-result-desktop-light.jpg": ("Analyze", explore, "light"),
    "app-batch-result-desktop-dark.jpg": ("Batch", batch, "dark"),
    "app-video-result-desktop-dark.jpg": ("Video", video, "dark"),
}


def main() -> None:
    args = parser(__doc__, out=ROOT / "docs" / "images").parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    os.environ["VIRTUS_CHECKPOINT"] = ""
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        served_app("--model", "auto", "--model", str(wider_crop(Path(folder)))) as (url, _),
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        for name, (tab, prepare, theme) in SHOTS.items():
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce")
            page.set_default_timeout(ANSWER_MS)
            page.goto(f"{url}?__theme={theme}")
            page.get_by_role("tab", name=tab, exact=True).click()
            prepare(page)
            page.wait_for_function("[...document.images].every(one => one.complete)")
            page.wait_for_timeout(SETTLE_MS)
            page.screenshot(path=args.out / name, quality=QUALITY, type="jpeg")
            page.close()


def wider_crop(folder: Path) -> Path:
    """The fast checkpoint with another margin: somebody to compare the default with."""
    copy = Path(shutil.copytree(ASSETS / "checkpoints" / "virtus-fast", folder / "wider-crop"))
    write_sidecar(copy, read_sidecar(copy) | {"margin": 1.8})
    return copy


if __name__ == "__main__":
    main()
