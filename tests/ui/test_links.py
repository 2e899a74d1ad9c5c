"""Links to the settings of a tab: what they set, what they leave aside, and that they hold nothing of a photo."""

import html
import re
import urllib.parse

import gradio as gr
import pytest

from virtus.errors import CheckpointError
from virtus.ui.detectors import Detectors
from virtus.ui.links import Linked, Links, read_value

SWITCH = gr.Checkbox()
SHARE, LAYER = gr.Slider(0.01, 0.99, 0.5, step=0.01), gr.Slider(1, 12, 12, step=1)
METHOD = gr.Radio(["rollout", "gradcam"])
MODEL = gr.Dropdown(["virtus-tiny"], allow_custom_value=True)
MODELS = gr.Dropdown(["virtus-tiny"], allow_custom_value=True, multiselect=True, max_choices=2)


@pytest.mark.parametrize(
    ("component", "text", "value"),
    [
        (SWITCH, "1", True),
        (SWITCH, "0", False),
        (SHARE, "0.3", 0.3),
        (LAYER, "7", 7),
        (METHOD, "gradcam", "gradcam"),
        (MODEL, "virtus-tiny", "virtus-tiny"),
        (MODEL, "agasta/virtus", "agasta/virtus"),
        (MODELS, "virtus-tiny,agasta/virtus", ["virtus-tiny", "agasta/virtus"]),
    ],
)
def test_a_value_is_read(component, text, value):
    assert read_value(component, text, Detectors()) == value


@pytest.mark.parametrize(
    ("component", "text"),
    [
        *[(SWITCH, text) for text in ("", "true", "2")],
        *[(SHARE, text) for text in ("", "0", "1", "-1", "nan", "inf", "much", "0.5,0.6")],
        *[(LAYER, text) for text in ("0", "13", "one")],
        *[(METHOD, text) for text in ("", "guess")],
        *[(MODEL, text) for text in ("", "/etc", "../assets", "virtus/assets", "https://example.org/model")],
        *[(MODELS, text) for text in ("", "virtus-tiny,/etc", "a/1,a/2,a/3")],
    ],
)
def test_another_value_is_not_taken(component, text):
    with pytest.raises((LookupError, ValueError, CheckpointError)):
        read_value(component, text, Detectors())


@pytest.fixture
def follow():
    """What a link sets: values by name, the tab, and what is said of it."""
    names = {"prior": SHARE, "model": MODEL}

    def open_link(query):
        with gr.Blocks():
            note, tabs = gr.HTML(), gr.Tabs()
        links = Links(Detectors())
        with gr.Blocks():
            links.add("analyze", Linked(names))
            links.add("about", Linked())
        found = links._open(dict(urllib.parse.parse_qsl(query)), tabs, note)
        said = html.unescape(re.sub("<.*?>", "", found[note].value)) if note in found else ""
        tab = found[tabs].selected if tabs in found else None
        return {name: found[one] for name, one in names.items() if one in found}, tab, said

    return open_link


def test_what_is_understood_is_set_and_the_rest_is_said(follow):
    values, tab, said = follow("tab=analyze&prior=0.3&colour=<b>red</b>&model=/etc&__theme=dark&view=api")
    assert (values, tab) == ({"prior": 0.3}, "analyze")
    assert "From the link: prior=0.3." in said
    assert "left aside: colour=<b>red</b>, model=/etc." in said
    assert "theme" not in said
    assert "view" not in said


def test_a_long_value_is_cut(follow):
    assert len(follow(f"tab=analyze&colour={'x' * 9000}")[2]) < 200


def test_a_checkpoint_that_the_app_does_not_offer_is_said_to_be_fetched_later(follow):
    values, _, said = follow("model=somebody/model")
    assert values == {"model": "somebody/model"}
    assert "somebody/model: not one of this app's checkpoints" in said
    assert "once you give a photo" in said
    assert "not one of" not in follow("model=virtus-tiny")[2]


@pytest.mark.parametrize("query", ["", "__theme=dark", "utm_source=mail", "deep_link=abc"])
def test_an_address_that_is_no_link_to_settings_changes_nothing(follow, query):
    assert follow(query) == ({}, None, "")


def test_a_tab_that_there_is_not(follow):
    values, tab, said = follow("tab=photos&prior=0.3")
    assert (values, tab) == ({}, None)
    assert "There is no tab" in said
    assert follow("tab=about")[1] == "about"


playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")


def copy_link(page, tab, expected):
    """The tab's button shows that link; the one of an earlier click may stand there until then."""
    page.locator(f"#{tab}-copy").click()
    playwright.expect(page.locator(f"#{tab}-link input")).to_have_value(expected)


@pytest.mark.browser
def test_a_copied_link_opens_the_same_settings_and_knows_nothing_of_the_photo(server, visit, photos, give):
    page = visit()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    copy_link(page, "analyze", f"{server.url}/?tab=analyze")
    give(page, photos["one.jpg"])
    playwright.expect(page.locator("#verdict .verdict h2")).to_be_visible()
    page.get_by_label("Whole image").locator("visible=true").check()
    page.locator("#settings").get_by_text("Settings of the verdict").click()
    page.locator("#prior input[type=number]").fill("0.3")
    page.locator("#prior input[type=number]").press("Enter")
    playwright.expect(page.locator("#verdict .trust")).to_contain_text("30 % of photos like this are fake")
    link = f"{server.url}/?tab=analyze&whole=1&prior=0.3"
    copy_link(page, "analyze", link)
    assert page.evaluate("navigator.clipboard.readText()") == link
    page.goto(link)
    playwright.expect(page.locator("#link-note")).to_contain_text("From the link: whole=1, prior=0.3.")
    playwright.expect(page.locator("#whole input")).to_be_checked()
    playwright.expect(page.locator("#verdict")).to_contain_text("Your result appears here")
    copy_link(page, "analyze", link)


@pytest.mark.browser
def test_a_link_leads_to_a_tab_and_loads_no_checkpoint(server, visit):
    page = visit()
    page.goto(f"{server.url}/?tab=compare&models=virtus-tiny,agasta/virtus&method=gradcam&stability=1&colour=red")
    playwright.expect(page.get_by_role("tab", name="Compare", exact=True)).to_have_attribute("aria-selected", "true")
    playwright.expect(page.locator("#link-note")).to_contain_text("left aside: colour=red")
    playwright.expect(page.locator("#compare-models")).to_contain_text("agasta/virtus")
    playwright.expect(page.locator("#compare-headline")).not_to_contain_text("cannot be reached")
    copy_link(page, "compare", re.compile("models=virtus-tiny%2Cagasta%2Fvirtus"))
    page.goto(f"{server.url}/?tab=analyze&model=agasta/virtus")
    playwright.expect(page.locator("#checkpoint")).to_have_text("Asked for: agasta/virtus")


@pytest.mark.browser
def test_where_nothing_can_be_copied_the_link_is_shown(visit):
    page = visit()
    page.evaluate("navigator.clipboard.writeText = () => Promise.reject(); document.execCommand = () => false")
    copy_link(page, "analyze", re.compile(r"/\?tab=analyze$"))
    playwright.expect(page.locator("#analyze-link [role=status]")).to_contain_text("Copy it from here")
