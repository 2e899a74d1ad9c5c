"""What the commands are tried on."""

import pytest
from PIL import Image

from virtus.media.images import load_image


@pytest.fixture(scope="module")
def album(tmp_path_factory, astronaut):
    folder = tmp_path_factory.mktemp("album")
    photo = load_image(astronaut)
    photo.save(folder / "face.png")
    Image.new("RGB", (200, 200), "navy").save(folder / "wall.png")
    photo.resize((200, 200)).save(folder / "tiny.png")
    (folder / "broken.jpg").write_bytes((folder / "face.png").read_bytes()[:2000])
    (folder / "notes.txt").write_text("not listed")
    return folder
