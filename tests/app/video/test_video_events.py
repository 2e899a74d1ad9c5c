"""The events of the tab `Video` that come while others are under way, as a page sends them."""

from tests.support.clips import scene, write_clip
from tests.support.pages import Held, Page, answer_late, is_unchanged, upload
from virtus.app.video import callbacks


def test_the_verdict_on_a_clip_that_is_taken_away_is_not_shown(make_checkpoint, serve_here, tmp_path, monkeypatch):
    """Also where all frames were judged by then: the step under way was handed on."""
    client = serve_here(str(make_checkpoint()))
    clip = write_clip(tmp_path / "one.mp4", [scene(("collins", 0, 200))] * 2, codec="libx264")
    page, held = Page(client), Held(callbacks.person_verdict)
    page.set("clip", upload(client, clip))
    monkeypatch.setattr(callbacks, "person_verdict", held)
    late, _ = answer_late(page, held, "show_clip", "stop_clip", clip=None)
    assert is_unchanged(*(part for part in late if part is not None))  # of what a session keeps nothing is told
    page.set("clip", upload(client, clip))
    assert "class" in page.fire("show_clip")[0]  # what is given next is judged
