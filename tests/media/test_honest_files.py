"""The second corpus of the guards: what cameras, phones and editors write, read as the same pixels are without it."""

import pytest
from PIL import Image

from tests.corpus.honest import honest_files
from tests.corpus.whole import encoded
from tests.support.cameras import MAKERS, camera_exif
from virtus.media.images import load_image, register_formats
from virtus.provenance import read_provenance

FORMS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF")
register_formats()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.model)
def test_the_notes_of_every_maker_are_passed_over(maker, form):
    small = Image.linear_gradient("L").resize((40, 40)).convert("RGB")
    data = encoded(form, small, exif=b"Exif\0\0" + camera_exif(maker))
    assert load_image(data) == load_image(encoded(form, small))
    assert any(maker.model in finding.what for finding in read_provenance(data).findings)


@pytest.mark.parametrize("maker", MAKERS[:3], ids=lambda maker: maker.model)
def test_the_turn_beside_a_makers_notes_counts(maker):
    data = encoded("JPEG", Image.new("RGB", (60, 40)), exif=b"Exif\0\0" + camera_exif(maker, orientation=6))
    assert load_image(data).size == (40, 60)


@pytest.mark.parametrize("name", honest_files())
def test_what_cameras_phones_and_editors_write_is_read(name):
    file = honest_files()[name]
    found, plain = load_image(file.data), load_image(file.plain)
    assert (found.size, found.tobytes()) == (plain.size, plain.tobytes())
    read_provenance(file.data)
