"""The page gets every answer, also of what was asked for while the stream of answers ended."""

import pytest

from tests.support.slow_network import SlowWay
from tests.support.streams import LIMIT_S, Streams

playwright = pytest.importorskip("playwright.sync_api")

# Each stream's end comes a second after what it said last, as on a busy machine, or behind a proxy.
LATE_END = """
const ask = window.fetch;
window.fetch = async (...asked) => {
  const answer = await ask(...asked);
  if (!String(asked[0].url ?? asked[0]).includes("/queue/data")) return answer;
  const late = new TransformStream({
    async transform(chunk, to) {
      const text = new TextDecoder().decode(chunk);
      const end = text.indexOf('data: {"msg":"close_stream"');
      if (end < 0) return to.enqueue(chunk);
      to.enqueue(new TextEncoder().encode(text.slice(0, end)));
      await new Promise((done) => setTimeout(done, 1000));
      to.enqueue(new TextEncoder().encode(text.slice(end)));
    },
  });
  return new Response(answer.body.pipeThrough(late), answer);
};
"""


@pytest.fixture
def late(browser, server):
    """The app's page, whose streams end late."""
    with browser.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.add_init_script(LATE_END)
        page.goto(server.url)
        page.locator(".drop-zone:visible").wait_for()
        yield page


def test_what_is_asked_for_while_the_stream_ends_is_answered(late, give, photos, opposites):
    """It was answered on a stream that the page read no more: "Looking" stood there for ever."""
    judge = late.locator("#checkpoint")
    before = judge.inner_text()
    late.locator("#model input").fill(opposites[1])
    late.locator("#model input").press("Enter")
    playwright.expect(judge).not_to_have_text(before)
    give(late, photos["one.jpg"])  # the stream of the choice has not ended yet
    playwright.expect(late.locator("#verdict .verdict")).to_be_visible()
    playwright.expect(late.locator("#map-caption")).to_contain_text("attribution, for the class")


def test_an_answer_does_not_wait_for_a_question_that_is_on_its_way(visit, give, photos):
    """While one was held up on its way to the server, and the stream ended, nothing else was answered."""
    streams = Streams()
    page = visit(streams=streams)
    give(page, photos["one.jpg"])
    playwright.expect(page.locator("#verdict .verdict")).to_be_visible()
    way = SlowWay(page, "show_verdict")
    with page.expect_request(way.is_asked):
        give(page, photos["two.png"])  # the maps of the first are not there yet
    streams.wait_for_end(page)
    page.get_by_role("tab", name="Explore", exact=True).click()
    playwright.expect(page.locator("#explore .whose")).to_contain_text("of 2")
    way.end()
    page.get_by_role("tab", name="Analyze", exact=True).click()
    playwright.expect(page.locator("#face label")).to_have_count(2)


def test_a_page_that_awaits_nothing_holds_no_stream_open(visit, give, photos):
    streams = Streams()
    page = visit(streams=streams)
    give(page, photos["one.jpg"])
    patient = {"timeout": 1000 * LIMIT_S}
    playwright.expect(page.locator("#map-caption")).to_contain_text("attribution, for the class", **patient)
    playwright.expect(page.locator(".usual .thumb .layer[src]")).to_have_count(4, **patient)  # what is asked for last
    streams.wait_for_end(page)
    assert streams.begun > 0
