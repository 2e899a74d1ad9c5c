"""The drop zone's examples."""

from pathlib import Path

from virtus.app.widgets.drop_zone import caption, example_files


def test_examples_are_the_pictures_of_the_folder(tmp_path):
    for name in ("fake-a.jpg", "grace-hopper.jpg", "b.png", "README.md"):
        (tmp_path / name).touch()
    assert [path.name for path in example_files(tmp_path)] == ["b.png", "grace-hopper.jpg", "fake-a.jpg"]
    assert caption(Path("grace-hopper.jpg")) == "Grace Hopper"
    assert caption(Path("fake-collins-in-hopper.jpg")) == "Fake: Collins in Hopper"
