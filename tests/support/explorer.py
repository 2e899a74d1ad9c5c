"""The tab `Explore` in a browser: how a test opens it, and what it reads there."""

import re

OWN = re.compile("explore|open_face|gradio_api/file")  # Analyze goes on with its maps meanwhile
P = re.compile(r"p (?:of fake )?= (\d\.\d+)")


def open_explore(page, photo, blocks=12):
    """A photo in Analyze, another one than before, then the tab Explore with all attention there."""
    before = page.evaluate("window.virtusJudged")
    page.locator(".drop-zone:visible input[type=file]").set_input_files(str(photo))
    page.wait_for_function("(before) => window.virtusJudged && window.virtusJudged !== before", arg=before)
    page.locator("#verdict .verdict").wait_for()
    page.get_by_role("tab", name="Explore", exact=True).click()
    page.locator(f"#explore .explorer[data-blocks='{blocks}']").wait_for(timeout=120_000)
    return page


def canvas(page, part="look", pane="explore"):
    found = page.locator(f"#{pane} canvas[data-part={part}]")
    found.scroll_into_view_if_needed()
    return found


def at(where, x, y):
    """Of a point of a canvas, as shares of its sides, the place on the page."""
    box = where.bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def names_of(page, requests):
    """Of the events that were asked for, and the paths of other requests, but for those of their answers."""
    events = dict(page.evaluate("gradio_config.dependencies.map((event) => [event.id, event.api_name])"))
    asked = [events[one.post_data_json["fn_index"]] for one in requests if one.url.find("/queue/join") > 0]
    return asked + [one.url for one in requests if "/queue/" not in one.url and "/heartbeat" not in one.url]


def said(page, part):
    return page.locator(f"#explore .{part} .said")
