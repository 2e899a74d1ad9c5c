"""Parts of a face rubbed out in the tab `Explore`, in chromium."""

import re

import pytest

from tests.support.explorer import OWN, P, at, canvas, names_of, open_explore, said

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser
GREY = (124, 116, 104)  # on which the input of virtus-fast is centred


def test_what_is_rubbed_out_changes_the_verdict_and_comes_back(opened):
    page = opened
    where, told = canvas(page, "rub"), playwright.expect(said(page, "rub"))
    told.to_contain_text("As it is")
    before = P.search(said(page, "rub").inner_text())[1]
    page.mouse.move(*at(where, 0.3, 0.4))
    page.mouse.down()
    page.mouse.move(*at(where, 0.7, 0.4), steps=12)
    page.mouse.up()
    told.to_contain_text("Without")
    playwright.expect(page.locator("#explore .rub.busy")).to_have_count(0)
    count = int(re.search(r"Without (\d+) of 196", said(page, "rub").inner_text())[1])
    swap = page.get_by_role("button", name="Swap what is rubbed out and what is left")
    swap.click()
    told.to_contain_text(f"Without {196 - count} of 196")
    for _ in range(2):
        page.get_by_role("button", name="Undo").click()
    told.to_contain_text("As it is: ")
    playwright.expect(page.locator("#explore .rub.busy")).to_have_count(0)
    assert P.search(said(page, "rub").inner_text())[1] == before
    where.focus()
    page.keyboard.press("Enter")
    told.to_contain_text("Without 4 of 196")
    swap.click()
    told.to_contain_text("Without 192 of 196")
    shown = {fill: corner_with(page, fill) for fill in ("a blur", "grey", "nothing at all")}
    assert shown["grey"] == pytest.approx(GREY, abs=3)  # JPEG
    assert len(set(shown.values())) == 3
    told.to_contain_text("Without 192 of 196")
    page.get_by_role("button", name="Reset").click()
    told.to_contain_text("As it is")


def corner_with(page, fill):
    """The colour in the corner of the face, which is rubbed out, replaced in that way."""
    page.locator("#explore .rub .choice.fill").get_by_text(fill, exact=True).click()
    playwright.expect(page.locator("#explore .rub.busy")).to_have_count(0)
    read = "(one) => [...one.getContext('2d').getImageData(3, 3, 1, 1).data].slice(0, 3)"
    return tuple(canvas(page, "rub").evaluate(read))


def test_the_brush_asks_one_question_at_a_time_beside_the_queue(opened):
    page = opened
    where, asked, waiting, most = canvas(page, "rub"), [], set(), []

    def begins(request):
        asked.append(request)
        waiting.add(request)
        most.append(len([one for one in waiting if one.url.endswith("/gradio_api/erase")]))

    page.on("request", begins)
    page.on("requestfinished", lambda request: waiting.discard(request))
    page.mouse.move(*at(where, 0.1, 0.6))
    page.mouse.down()
    page.mouse.move(*at(where, 0.9, 0.6), steps=40)
    page.mouse.up()
    playwright.expect(page.locator("#explore .rub.busy")).to_have_count(0)
    strokes = [request.post_data_json["gone"] for request in asked if request.url.endswith("/gradio_api/erase")]
    count = int(re.search(r"Without (\d+) of 196", said(page, "rub").inner_text())[1])
    assert max(most) == 1
    assert strokes[-1].count("1") == count  # the last answer is to what is shown
    assert len(strokes) > 1  # and some came on the way
    assert [name for name in names_of(page, asked) if OWN.search(name) and "/erase" not in name] == []
    page.remove_listener("request", begins)
    page.get_by_role("button", name="Reset").click()
    playwright.expect(page.locator("#explore .rub.busy")).to_have_count(0)


def test_each_part_is_tried_and_the_one_that_counts_most_is_named(opened):
    page = opened
    short, kept = page.locator("#explore .short"), page.locator("#explore .rub .try")
    looked = re.compile("More than their size would explain: the .* \\(\\d\\.\\d\\s×\\)|about evenly|At no part")
    playwright.expect(short).to_contain_text(looked)
    playwright.expect(short).to_contain_text("where it fetched information from. It does not tell what decided.")
    before, answers = float(P.search(said(page, "rub").inner_text())[1]), {}

    def note(response):
        if response.url.endswith("/gradio_api/erase"):
            asked = response.request.post_data_json
            answers.setdefault(asked["gone"], {})[asked["fill"]] = response.json()["p_fake"]

    page.on("response", note)
    short.get_by_role("button", name="Try each part in turn").click()
    playwright.expect(kept).to_be_disabled()
    told, rows = page.locator("#explore .tried-said"), page.locator("#explore .tried li")
    ways = (
        "(falls|rises|changes) most without",
        "count about the same",
        "No clear answer",
        "No single part of the face decides",
    )
    found = re.compile("|".join(ways))
    playwright.expect(told).to_contain_text(found)
    playwright.expect(short).to_contain_text(told.inner_text())
    playwright.expect(kept).to_be_enabled()
    page.remove_listener("response", note)
    assert len(answers) > 5
    assert {tuple(ps) for ps in answers.values()} == {("blur", "grey")}  # a blur alone may look forged
    shown = [tuple(row.locator("span, b, small").all_inner_texts()) for row in rows.all()]
    expected = {f"{ps['blur']:.3f} blurred, {ps['grey']:.3f} grey": ps.values() for ps in answers.values()}
    assert {both for _, _, both in shown} == set(expected)
    for _, words, both in shown:
        assert is_said(words, *(p - before for p in expected[both]))
    *of_face, (last, _, _) = shown
    assert re.fullmatch(r"background \(\d\d %\)", last)  # much larger than any part: not among them
    counts = [abs(signed(words)) for _, words, _ in of_face if words != "unsure"]
    assert counts == sorted(counts, reverse=True)
    is_unsure = "unsure" in [words for _, words, _ in shown]
    playwright.expect(page.locator("#explore .unsure-said")).to_be_visible(visible=is_unsure)
    short.get_by_role("button", name="See all parts").click()
    for part in (page.locator("#explore .rub h3"), told):
        playwright.expect(part).to_be_in_viewport()
    page.keyboard.press("Tab")
    playwright.expect(rows.first).to_be_focused()  # the keyboard stood at the top of the tab still
    playwright.expect(said(page, "rub")).to_contain_text("As it is")  # nothing is rubbed out by that


def signed(words):
    return float(words.replace("−", "-"))


def is_said(words, blurred, grey):
    """Whether a bar says the change that both bring about, the smaller one; "unsure" where they go apart by 0.05."""
    if words == "unsure":
        return min(blurred, grey) < 0.001 and max(blurred, grey) > -0.001 and max(abs(blurred), abs(grey)) > 0.049
    both = min(blurred, grey, key=abs) if blurred * grey > 0 else 0
    return abs(signed(words) - both) < 0.002  # p is told to three digits


def test_what_was_found_is_kept_for_each_face_of_the_photo(opened):
    """It was lost when another face was chosen."""
    page, faces = opened, opened.locator("#explore-face label")
    short, told = page.locator("#explore .short"), page.locator("#explore .tried-said")
    page.locator("#explore .rub .try").click()
    see = short.get_by_role("button", name="See all parts")
    playwright.expect(see).to_be_enabled()
    found, rows = told.inner_text(), page.locator("#explore .tried").inner_text()
    title = page.locator("#explore .whose h3").inner_text()
    faces.nth(1).click()
    playwright.expect(page.locator("#explore .whose h3")).not_to_have_text(title)
    playwright.expect(told).to_be_empty()
    playwright.expect(short.get_by_role("button", name="Try each part in turn")).to_be_enabled()
    faces.nth(0).click()
    playwright.expect(page.locator("#explore .whose h3")).to_have_text(title)
    playwright.expect(told).to_have_text(found)
    playwright.expect(short).to_contain_text(found)
    assert page.locator("#explore .tried").inner_text() == rows
    playwright.expect(see).to_be_enabled()
    playwright.expect(page.locator("#explore .explorer[data-blocks='12']")).to_be_visible(timeout=120_000)


def test_fillings_that_disagree_are_shown_as_unsure_and_a_bar_shows_its_part(opened):
    """A part that turned the verdict blurred, and not grey, was printed as 0.00."""
    page = opened
    before = float(P.search(said(page, "rub").inner_text())[1])
    blurred, grey = (before - 0.02, before + 0.5) if before < 0.5 else (before + 0.02, before - 0.5)
    of_fill = {"blur": blurred, "grey": grey}  # apart: where both go the same way, the smaller change counts

    def answer(route):
        route.fulfill(json={"p_fake": of_fill[route.request.post_data_json["fill"]], "outcome": "fake"})

    page.route("**/gradio_api/erase", answer)
    page.locator("#explore .rub .try").click()
    told, rows = page.locator("#explore .tried-said"), page.locator("#explore .tried li")
    playwright.expect(told).to_contain_text("No clear answer")
    page.unroute("**/gradio_api/erase", answer)
    both = f"{of_fill['blur']:.3f} blurred, {of_fill['grey']:.3f} grey"
    for row in rows.all():
        assert row.locator("b, small").all_inner_texts() == ["unsure", both]
    playwright.expect(page.locator("#explore .unsure-said")).to_contain_text("may come from the replacement")
    picture = "(one) => one.toDataURL()"
    plain = canvas(page, "rub").evaluate(picture)
    rows.first.focus()
    page.wait_for_function("(plain) => document.querySelector('#explore .rub canvas').toDataURL() !== plain", arg=plain)
    canvas(page, "rub").focus()
    page.locator("#explore .rub .try").focus()
    page.wait_for_function("(plain) => document.querySelector('#explore .rub canvas').toDataURL() === plain", arg=plain)


def test_patches_that_turn_the_verdict_are_searched_step_by_step_and_it_can_be_stopped(visit, photos):
    page = open_explore(visit(tab="Analyze"), photos["one.jpg"])
    page.set_default_timeout(120_000)
    search, found = page.get_by_role("button", name="Find patches that turn the verdict"), page.locator(".flip-said")
    told, fill = playwright.expect(said(page, "rub")), page.locator("#explore .rub .choice.fill")
    click = "(button) => [button.click(), document.querySelector('#explore .rub .choice.fill').disabled]"
    assert search.evaluate(click)[1]  # its p is of what stands in for patches now
    page.get_by_role("button", name="Stop", exact=True).click()  # at once: it may be over in a second
    playwright.expect(found).to_contain_text("Stopped on the way")
    told.to_contain_text("As it is")  # what it had rubbed out by then is no answer
    page.evaluate(
        """() => {
            const heard = (window.heard = []);
            const [said, bar] = [".flip-said", ".searched"].map((one) => document.querySelector(`#explore ${one}`));
            new MutationObserver(() => heard.push([said.textContent, bar.value])).observe(said, { childList: true });
        }"""
    )
    search.click()
    playwright.expect(found).to_contain_text("can be spared", timeout=120_000)
    heard = [(words, share) for words, share in page.evaluate("heard") if words.startswith("Searched")]
    assert "each small square left out by itself" in heard[0][0]  # before the first patch goes
    shares = [share for _, share in heard]
    assert shares == sorted(shares)
    assert len(set(shares)) > 3
    playwright.expect(page.locator("#explore .searched")).to_be_hidden()
    playwright.expect(search).to_be_visible()
    playwright.expect(fill).to_be_enabled()
    words = r"Fake without \d+ of 196 patches, replaced by a blur: none of these can be spared\. "
    otherwise = r"But replaced by grey it is “inconclusive” \(p of fake = (0\.\d{3})\): it may come from the"
    by_grey = re.search(words + otherwise, found.inner_text())[1]
    fill.get_by_text("grey", exact=True).click()
    told.to_contain_text(f"Inconclusive, p of fake = {by_grey}")  # it is of the same patches
    playwright.expect(found).to_be_empty()  # and what was said was of the blur
    page.get_by_role("button", name="Undo").click()
    told.to_contain_text("As it is")


@pytest.mark.parametrize("then", ["brush", "Reset", "Undo", "Swap"])
def test_what_was_found_is_not_said_of_anything_else(opened, then):
    """It stayed beside other patches."""
    found = opened.locator("#explore .flip-said")
    where = canvas(opened, "rub")
    opened.mouse.click(*at(where, 0.5, 0.5))
    found.evaluate("(one) => { one.textContent = 'Fake without 2 of 196 patches'; }")
    if then == "brush":
        opened.mouse.click(*at(where, 0.1, 0.9))
    else:
        opened.get_by_role("button", name=then).click()
    playwright.expect(found).to_be_empty()
    if opened.get_by_role("button", name="Reset").is_enabled():
        opened.get_by_role("button", name="Reset").click()
    playwright.expect(said(opened, "rub")).to_contain_text("As it is")


def test_an_inconclusive_verdict_has_no_other_side_to_search_for(opened):
    playwright.expect(opened.locator("#explore .whose h3")).to_contain_text("Inconclusive")
    playwright.expect(opened.locator("#explore .rub .flip")).to_be_hidden()


SHARE_OF_CYAN = """(canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4) count += data[at] < 180 && data[at + 1] > 220 && data[at + 2] > 220;
    return (4 * count) / data.length;
}"""


def explore_by(page, model, photo):
    """A photo judged by another checkpoint, opened in the tab Explore."""
    page.locator("#model input").fill(model)
    page.locator("#model input").press("Enter")
    return open_explore(page, photo, blocks=3)


def test_a_search_that_finds_nothing_gives_back_what_was_rubbed_out(visit, photos, opposites):
    """It left the whole face blurred, but for a patch."""
    page = explore_by(visit(tab="Analyze"), opposites[1], photos["one.jpg"])
    page.mouse.click(*at(canvas(page, "rub"), 0.1, 0.1))
    told, found = playwright.expect(said(page, "rub")), page.locator("#explore .flip-said")
    told.to_contain_text("Without 4 of 16")
    page.get_by_role("button", name="Find patches that turn the verdict").click()
    playwright.expect(found).to_contain_text(
        "No set was found that, replaced by a blur, turns it to “real”; another replacement may. The nearest: Fake, p"
    )
    told.to_contain_text("Without 4 of 16")
    nearest = page.get_by_role("button", name=re.compile("Rub out these (\\d+) patches"))
    count = int(re.search(r"\d+", nearest.inner_text())[0])
    playwright.expect(found).to_contain_text("Striped on the face")
    share = canvas(page, "rub").evaluate(SHARE_OF_CYAN)
    assert share > 0.05  # a line around the patch that is left would be 0.005
    nearest.click()
    told.to_contain_text(f"Without {count} of 16")
    playwright.expect(nearest).to_be_hidden()
    playwright.expect(found).to_be_empty()
    page.get_by_role("button", name="Undo").click()
    told.to_contain_text("Without 4 of 16")
    page.get_by_role("button", name="Undo").click()
    told.to_contain_text("As it is")
    page.locator("#explore .rub .try").click()  # and no part of it alone turns it either
    words = "or neighbours together, blurred or grey, the verdict stays “fake”."
    playwright.expect(page.locator("#explore .short")).to_contain_text(words)
