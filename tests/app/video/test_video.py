"""The tab `Video` in a browser, and its endpoint by Gradio's client and by raw requests."""

import pytest

from tests.app.api.test_refusals import META, call
from tests.support.clips import numbered, scene, write_clip


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """Name to path: two persons, one for long, none, one cut off, and sound without pictures."""
    folder = tmp_path_factory.mktemp("clips")
    two = [scene(("hopper", at, 200), ("collins", 240, 200)) for at in (0, 4, 8, 12)]
    long = [scene(("collins", 4 * (at % 40), 200)) for at in range(96)]
    cut = [scene(("collins", 4 * at, 200)) for at in range(24)]
    found = {
        "two.mp4": write_clip(folder / "two.mp4", two, codec="libx264"),
        "none.mp4": write_clip(folder / "none.mp4", numbered(4), codec="libx264"),
        "long.mp4": write_clip(folder / "long.mp4", long, codec="libx264"),
        "cut.mp4": write_clip(folder / "cut.mp4", cut, codec="libx264", movflags="faststart"),
        "sound.mkv": write_sound(folder / "sound.mkv"),
    }
    data = found["cut.mp4"].read_bytes()
    found["cut.mp4"].write_bytes(data[: len(data) * 6 // 10])
    return found


def write_sound(path):
    import av
    import numpy as np

    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    return path


def test_a_clip_from_upload_to_its_persons(visit, give, clips):
    page = visit(tab="Video")
    give(page, clips["two.mp4"])
    page.locator("#video-verdict .verdict").wait_for()
    assert "4 of 4 frames judged" in page.inner_text("#video-verdict")
    assert "Person 1 of 2" in page.inner_text("#video-verdict")
    assert "p of fake over time in 4 frames" in page.get_attribute("#filmstrip svg", "aria-label")
    assert page.locator("#telling img").count() == 2
    page.locator("#person label").nth(1).click()
    page.locator("#video-verdict", has_text="Person 2 of 2").wait_for()

    shots = page.locator("#filmstrip .shot")
    assert shots.count() == 4
    chosen = page.locator("#filmstrip .shot[aria-pressed=true]")
    shots.first.focus()
    page.keyboard.press("Enter")
    assert chosen.get_attribute("aria-label").startswith("At 0.0 s")
    page.keyboard.press("ArrowRight")
    assert chosen.get_attribute("aria-label").startswith("At 0.1 s")
    assert page.inner_text("#filmstrip figcaption") == chosen.get_attribute("aria-label")
    page.locator("#filmstrip .point[data-frame='3']").click()
    assert page.inner_text("#filmstrip figcaption").startswith("At 0.3 s")
    page.get_by_role("button", name="Remove").locator("visible=true").click()
    page.locator("#video-verdict .empty").wait_for()
    assert page.locator("#filmstrip .shot").count() == 0


def test_a_test_of_a_map_is_given_up_for_another_person_or_no_clip(visit, give, clips):
    """It ended some twenty seconds later, and stood beside the other map."""
    page = visit(tab="Video")
    give(page, clips["two.mp4"])
    page.locator("#video-verdict .verdict").wait_for()
    remove = page.get_by_role("button", name="Remove").locator("visible=true")
    for tested, another in ((1, page.locator("#person label").nth(1)), (2, remove)):
        page.locator("#video-test").click()
        page.locator("#video-trust .testing", has_text=f"This map of person {tested} is being").wait_for()
        another.click()
        page.locator("#video-trust .trust").wait_for(state="detached")
        page.wait_for_timeout(1000)  # the test would show its next steps
        assert page.locator("#video-trust .trust").count() == 0
    give(page, clips["cut.mp4"])  # of one person, whom no list shows
    page.locator("#video-test").click()
    page.locator("#video-trust .testing", has_text="This map is being").wait_for()


NOTE_VERDICTS = """() => {
  window.verdicts = 0;
  new MutationObserver(() => window.verdicts += document.querySelectorAll("#video-verdict .verdict").length)
    .observe(document.body, { childList: true, subtree: true });
}"""


def test_a_clip_that_is_taken_away_is_judged_no_further(visit, give, clips):
    """It was judged to its end, its verdict came, and then that no photo was handed over."""
    page = visit(tab="Video")
    give(page, clips["long.mp4"])
    page.locator("#video-verdict [role=progressbar]").wait_for()
    page.locator("#video-settings button").first.click()
    page.locator("#video-frames input[type=number]").fill("96")  # so that it does not end before the click
    page.locator("#video-frames input[type=number]").press("Tab")
    page.locator("#video-verdict", has_text="of 96 frames").wait_for()
    page.evaluate(NOTE_VERDICTS)
    page.get_by_role("button", name="Remove").locator("visible=true").click()
    page.locator("#video-verdict .empty").wait_for()
    assert page.evaluate("window.verdicts") == 0
    give(page, clips["two.mp4"])
    page.locator("#video-verdict .verdict").wait_for()  # what was given next is judged


@pytest.mark.parametrize(
    ("name", "title", "reason"),
    [
        ("none.mp4", "No face found", "No face was found in any of the 4 frames"),
        ("sound.mkv", "Not readable", "no pictures, only sound"),
    ],
)
def test_what_cannot_be_judged_says_why_without_a_number(visit, give, clips, name, title, reason):
    page = visit(tab="Video")
    give(page, clips[name])
    page.locator("#video-verdict .message").wait_for()
    said = page.inner_text("#video-verdict")
    assert title in said
    assert reason in said
    assert "Probability" not in said
    assert page.inner_text("#filmstrip") == page.inner_text("#telling") == ""


def test_a_broken_tail_is_said_on_a_phone_in_the_dark(visit, give, clips, fits):
    page = visit(theme="dark", width=390, height=844, tab="Video")
    assert fits(page)
    assert "at most 10 minutes, up to 256 MiB" in page.inner_text("#clip")
    give(page, clips["cut.mp4"])
    page.locator("#video-verdict .verdict").wait_for()
    assert "The clip is cut off or damaged" in page.inner_text("#video-verdict .cautions")
    page.locator("#telling img").first.wait_for()
    assert fits(page)


@pytest.fixture(scope="module")
def client(server):
    from gradio_client import Client

    return Client(server.url, verbose=False)


def test_the_endpoint_answers_a_report(client, clips):
    from gradio_client import handle_file

    report = client.predict(handle_file(clips["two.mp4"]), num_frames=3, explain=True, api_name="/video")
    assert (report["kind"], report["path"], report["complete"]) == ("video", None, True)
    assert len(report["times_s"]) == 3
    hopper, collins = report["persons"]
    assert [sight["p_fake"] is not None for sight in hopper["sights"]] == [True] * 3
    assert [one["method"] for one in collins["explanations"]] == ["attribution"]
    again = client.predict(handle_file(clips["two.mp4"]), num_frames=3, prior=0.01, api_name="/video")
    assert again["prior"] == 0.01
    assert again["persons"][0]["p_fake"] < hopper["p_fake"]
    assert again["persons"][0]["explanations"] == []


@pytest.mark.parametrize("name", ["two.mp4", "none.mp4", "cut.mp4", "sound.mkv"])
def test_real_answers_are_of_the_type(client, clips, name):
    import jsonschema
    from gradio_client import handle_file
    from pydantic import TypeAdapter

    from tests.app.api.test_api_docs import strict
    from virtus.schema import row_type
    from virtus.video.report import VideoReport

    report = client.predict(handle_file(clips[name]), num_frames=2, explain=True, api_name="/video")
    jsonschema.validate(report, strict(TypeAdapter(row_type(VideoReport)).json_schema()))


def test_the_endpoint_says_what_it_cannot_judge(client, clips):
    from gradio_client import handle_file

    report = client.predict(handle_file(clips["sound.mkv"]), api_name="/video")
    assert (report["outcome"], report["persons"]) == ("unreadable", [])
    assert "no pictures" in report["reason"]
    too_many = client.predict(handle_file(clips["two.mp4"]), num_frames=301, api_name="/video")
    assert "At most 300 frames" in too_many["reason"]
    for wrong in (0, 1.5, True):
        with pytest.raises(Exception, match="whole number from 1 on"):
            client.predict(handle_file(clips["two.mp4"]), num_frames=wrong, api_name="/video")


def test_an_address_of_a_clip_is_refused_before_it_is_fetched(server, outside):
    url, counting = outside
    event, said = call(server, "video", file={"path": url, "url": url, "meta": META})
    assert event == "error"
    assert "Addresses are not fetched" in said
    assert counting.hits == 0
