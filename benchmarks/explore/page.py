"""The tab Explore in chromium, on an example photo: `python -m benchmarks.explore.page`.

The bundled checkpoints, and a DeiT of 24 blocks with random weights.

From the click on the tab, with the verdict there, to the first drawing and to all attention; then the pointer moves
over the face in each frame, and the script's time a frame says what a page with a processor of its own could draw
at most; then the brush takes out patch after patch, each timed in the page from its press to the frame with the new p.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

from benchmarks import parser
from benchmarks.load.served import served_app
from benchmarks.screenshots import ANSWER_MS, CHROMIUM, EXAMPLES, FOUND, QUIET
from benchmarks.speed.material import write_model
from virtus.checkpoints import BASE, FAST

MOVE = """async ([span, seconds]) => {
  const root = document.querySelector("#explore .look");
  const canvas = root.querySelector("canvas.face");
  root.querySelector(`.choice.span [value=${span}]`).click();
  const box = canvas.getBoundingClientRect();
  const start = performance.now();
  let frames = 0;
  while (performance.now() - start < 1000 * seconds) {
    const place = { clientX: box.left + ((frames * 37) % box.width), clientY: box.top + ((frames * 53) % box.height) };
    canvas.dispatchEvent(new PointerEvent("pointermove", place));
    await new Promise(requestAnimationFrame);
    frames += 1;
  }
  return frames / seconds;
}"""
RUB = """() => {
  const root = document.querySelector("#explore .rub");
  window.rubbed = new Promise((resolve) => {
    let start = null;
    root.addEventListener("pointerdown", (event) => (start = event.timeStamp), { capture: true, once: true });
    const watch = new MutationObserver(() => {
      if (start === null || root.classList.contains("busy")) return;
      watch.disconnect();
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - start)));
    });
    watch.observe(root, { attributes: true, attributeFilter: ["class"] });
  });
}"""
SECONDS = 3  # of moving


def main() -> None:
    args = parser(__doc__, rounds=20).parse_args()
    print("| checkpoint | first drawing (s) | all blocks (s) | frames/s, one block | rollout | script (ms a frame) "
          "| rubbed out (ms), p50 | p95 |")  # fmt: skip
    print("| --- " * 8 + "|")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        write_model(large := Path(folder) / "large", "large")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        for name in (FAST, BASE, str(large)):
            with served_app("--model", name) as (url, _):
                page = browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
                print(f"| `{Path(name).name}` | {' | '.join(measure(page, url, args.rounds))} |", flush=True)
                page.close()


def measure(page: Page, url: str, rounds: int) -> list[str]:
    """The cells of a row."""
    page.set_default_timeout(ANSWER_MS)
    page.goto(url)
    page.locator(".drop-zone:visible input[type=file]").set_input_files(str(EXAMPLES / FOUND))
    page.wait_for_selector(".usual .method:last-child .layer[src]")  # the server has nothing else to do then
    start = time.perf_counter()
    page.get_by_role("tab", name="Explore", exact=True).click()
    page.wait_for_selector("#explore canvas[data-drawn]")
    first = time.perf_counter() - start
    page.wait_for_function("document.querySelector('#explore .fetching').hidden")
    whole = time.perf_counter() - start
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    before = script_seconds(session)
    frames = [page.evaluate(MOVE, [span, SECONDS]) for span in ("block", "rollout")]
    script_ms = 1000 * (script_seconds(session) - before) / (SECONDS * sum(frames))
    latencies = np.percentile([rub_out(page, number) for number in range(rounds)], (50, 95))
    return [f"{first:.2f}", f"{whole:.2f}", *(f"{rate:.0f}" for rate in frames), f"{script_ms:.1f}",
            *(f"{latency:.0f}" for latency in latencies)]  # fmt: skip


def script_seconds(session) -> float:
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(one["value"] for one in metrics if one["name"] == "ScriptDuration")


def rub_out(page: Page, number: int) -> float:
    """Milliseconds from a press of the brush to the new p on the screen, by the page's own clock."""
    canvas = page.locator("#explore canvas[data-part=rub]")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(
        box["x"] + box["width"] * (0.1 + 0.8 * (number % 6) / 6),
        box["y"] + box["height"] * (0.1 + 0.13 * (number // 6)),
    )
    page.evaluate(RUB)
    page.mouse.down()
    page.mouse.up()
    return page.evaluate("window.rubbed")


if __name__ == "__main__":
    main()
