"""Sources of pictures, and what is refused in which words."""

import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from tests.support.pictures import BLUE, GREEN, RED, WHITE, encode, refusal
from virtus.media import modes
from virtus.media.images import MAX_BYTES, load_image, to_rgb
from virtus.media.kinds import is_image_path


def png_header(width, height):
    """A PNG that ends where its pixels should begin: whoever decodes it fails, and says so in other words."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    header = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + header + struct.pack(">I", 1000) + b"IDAT"


def test_every_kind_of_source_gives_the_same_pixels(make_image, tmp_path):
    image = make_image()
    data, path = encode(image), tmp_path / "photo of me.png"
    path.write_bytes(data)
    sources = [path, str(path), data, bytearray(data), memoryview(data), io.BytesIO(data), image, np.asarray(image)]
    for source in sources:
        found = load_image(source)
        assert found.mode == "RGB"
        assert found.tobytes() == image.tobytes()
    with path.open("rb") as stream:
        assert load_image(stream).tobytes() == image.tobytes()
        assert not stream.closed


def test_a_file_object_is_read_from_its_start(make_image):
    stream = io.BytesIO()
    make_image().save(stream, "PNG")
    assert load_image(stream).tobytes() == make_image().tobytes()


def test_what_comes_back_is_a_copy_and_the_source_is_left_alone(make_image):
    image, array = make_image(), np.asarray(make_image()).copy()
    for source in (image, array):
        load_image(source).paste(RED, (0, 0, 64, 48))
    assert image.tobytes() == array.tobytes() == make_image().tobytes()


def test_nothing_of_the_file_is_kept_beside_the_pixels(make_image):
    """A text that a file calls `jpeg_quality` was taken for the number, and ended the analysis."""
    tags, texts = Image.Exif(), PngImagePlugin.PngInfo()
    tags[0x010F] = "Canon"
    texts.add_text("jpeg_quality", "high")
    assert load_image(encode(make_image(), exif=tags, pnginfo=texts)).info == {}
    photo = load_image(encode(make_image(), "JPEG", quality=80, exif=tags, comment=b"private"))
    assert photo.info == load_image(photo).info == {"jpeg_quality": 80}
    assert not photo.getexif()


def test_an_animation_is_left_at_its_frame():
    frames = [Image.new("RGB", (40, 40), color) for color in (RED, GREEN, BLUE)]
    animation = Image.open(io.BytesIO(encode(frames[0], "GIF", save_all=True, append_images=frames[1:])))
    animation.seek(2)
    assert load_image(animation).getpixel((20, 20)) == RED
    assert animation.tell() == 2
    assert animation.convert("RGB").getpixel((20, 20)) == BLUE


@pytest.mark.parametrize(
    ("array", "pixel"),
    [
        (np.full((40, 40), 7, np.uint8), (7, 7, 7)),
        (np.full((40, 40, 1), 7, np.uint8), (7, 7, 7)),
        (np.full((40, 40, 3), RED, np.uint8), RED),
        (np.full((40, 40, 4), (255, 0, 0, 0), np.uint8), WHITE),
        (np.full((40, 40, 3), (65535, 257, 0), np.uint16), (255, 1, 0)),
        (np.full((40, 40), 255, np.uint16), (1, 1, 1)),  # dark, not white
        (np.full((40, 40, 3), (1.0, 0.5, 0.0), np.float32), (255, 128, 0)),
        (np.full((40, 40), 0.2, np.float64), (51, 51, 51)),
        (np.ones((40, 40), bool), WHITE),
        (np.full((80, 40, 3), GREEN, np.uint8)[::-2, ::-1], GREEN),
    ],
    ids=lambda value: f"{value.dtype}{value.shape}" if isinstance(value, np.ndarray) else None,
)
def test_arrays(array, pixel):
    found = load_image(array)
    assert (found.mode, found.size) == ("RGB", (40, 40))
    assert found.getpixel((20, 20)) == pixel


@pytest.mark.parametrize(
    ("array", "cause"),
    [
        (np.full((40, 40, 3), 255.0), "values in [0, 1]. Divide by 255"),
        (np.full((40, 40, 3), -0.1), "values in [0, 1]"),
        (np.full((40, 40, 3), np.nan), "values in [0, 1]"),
        (np.zeros((40, 40, 3), np.int64), "An array of int64"),
        (np.zeros((3, 40, 40), np.uint8), "shape (3, 40, 40)"),
        (np.zeros((1, 40, 40, 3), np.uint8), "shape (1, 40, 40, 3)"),
        (np.zeros((0, 40, 3), np.uint8), "shape (0, 40, 3)"),
        (np.zeros((31, 40, 3), np.uint8), "40x31 pixels; each side needs at least 32"),
    ],
)
def test_arrays_that_are_no_pictures(array, cause):
    assert cause in refusal(array)


def test_paths_that_lead_to_no_picture(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    assert refusal(tmp_path) == "This is a folder, not a picture. Give a picture, or a folder that has some in it."
    assert refusal(tmp_path / "none.png") == "There is no such file. Check the path."
    assert refusal("a\0b.png") == "There is no such file. Check the path."
    assert refusal(tmp_path / "pipe.png") == "This is not a regular file. Give a picture."  # and does not wait for it
    assert refusal("x" * 5000).startswith("The file cannot be read (File name too long).")
    for address in ("https://example.org/a.png", Path("http://a/b.png"), "data:image/png;base64,AAAA"):
        assert refusal(address) == "Addresses are not fetched. Download the picture and give the file."


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path):
    (tmp_path / "secret.png").touch(mode=0)
    assert "Permission denied" in refusal(tmp_path / "secret.png")


def test_contents_that_are_no_picture(tmp_path):
    (tmp_path / "notes.png").write_text("Not a picture.")
    vector = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n"  # Pillow would start Ghostscript for it
    for source in (tmp_path / "notes.png", vector, b"<svg/>", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"):
        assert refusal(source).startswith(
            "This is not a picture that can be read, or it is damaged or cut off. Give a JPE"
        )
    for source in (b"", io.BytesIO()):
        assert refusal(source) == "The file is empty. Save or download it again."


def test_file_objects_that_give_no_bytes(make_image, tmp_path):
    (tmp_path / "photo.png").write_bytes(encode(make_image()))
    with (tmp_path / "photo.png").open() as stream:
        assert refusal(stream) == "The file is open as text. Open it with mode 'rb'."
    closed = io.BytesIO(b"x")
    closed.close()
    assert refusal(closed).startswith("The file object cannot be read (I/O operation on closed file")


@pytest.mark.parametrize("source", [None, 3, ["photo.png"], {"path": "photo.png"}], ids=repr)
def test_other_things_are_no_pictures(source):
    assert refusal(source) == f"A picture was expected, not {type(source).__name__}."


def test_bombs_are_refused_from_their_header():
    assert refusal(png_header(60_000, 60_000)).startswith("The picture claims far too many pixels")
    assert refusal(png_header(8_000, 7_000)).startswith(
        "The picture has 8000x7000 pixels; at most 50 million are read."
    )
    assert refusal(png_header(7_000, 7_000)).startswith("The picture is cut off or damaged.")


def test_limits(make_image, tmp_path):
    assert refusal(make_image(31, 40)) == "The picture has 31x40 pixels; each side needs at least 32."
    assert load_image(make_image(32, 40)).size == (32, 40)
    assert load_image(make_image(31, 40), min_side=31).size == (31, 40)
    assert "at most 1599 are read" in refusal(make_image(40, 40), max_pixels=1599)
    assert load_image(make_image(40, 40), max_pixels=1600).size == (40, 40)
    data, path = encode(make_image(600, 600)), tmp_path / "large.png"
    path.write_bytes(data)
    for source in (data, path, io.BytesIO(data)):
        assert "more than the 1 MiB that are read" in refusal(source, max_bytes=2**20)
        assert load_image(source, max_bytes=len(data)).size == (600, 600)


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    with (tmp_path / "large.png").open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    assert refusal(tmp_path / "large.png").startswith("The file has more than the 64 MiB that are read.")


def test_names_of_pictures():
    assert all(map(is_image_path, map(Path, ("a.jpg", "b.JPEG", "c.heic", "d.x.AVIF", "e.webp"))))
    assert not any(map(is_image_path, map(Path, ("a", "jpg", "a.txt", "a.jpg.part", ".png", "a.svg", "a.eps"))))


MODES = "1 L P PA LA La RGBA RGBa CMYK YCbCr HSV LAB I F I;16 I;16B I;16L".split()


def random_picture(mode, size=(37, 41)):
    width, height = size
    draw = np.random.default_rng(0)
    if mode == "F":
        return Image.fromarray(draw.random((height, width), dtype=np.float32))
    if mode == "I":
        return Image.fromarray(draw.integers(0, 60_000, (height, width), dtype=np.int32))
    bytes_each = 2 if mode.startswith("I;16") else len(Image.new(mode, (1, 1)).getbands())
    length = (width + 7) // 8 * height if mode == "1" else width * height * bytes_each
    picture = Image.frombytes(mode, size, draw.bytes(length))
    if mode in ("P", "PA"):
        picture.putpalette(draw.bytes(768))
    return picture


@pytest.mark.parametrize("mode", MODES)
def test_strips_give_what_the_whole_gives(mode, monkeypatch):
    picture = random_picture(mode)
    whole = to_rgb(picture)
    monkeypatch.setattr(modes, "STRIP_PIXELS", 100)  # of 37 pixels in a row: two rows and a rest
    assert to_rgb(picture).tobytes() == whole.tobytes()
    assert (whole.mode, whole.size) == ("RGB", picture.size)
    assert len(set(whole.getdata())) > 1


def test_white_is_that_of_the_whole_picture_not_of_a_strip(monkeypatch):
    monkeypatch.setattr(modes, "STRIP_PIXELS", 40)
    levels = np.ones((40, 40), np.float32)
    levels[-1] = 60_000  # so white is 65535, and 1 is black
    assert to_rgb(Image.fromarray(levels)).getpixel((0, 0)) == (0, 0, 0)


def test_rgb_comes_back_itself():
    picture = random_picture("RGB")
    assert to_rgb(picture) is picture


def test_decoders_write_nothing_beside_what_is_said(tmp_path):
    """Pillow warned with its own path, and libtiff wrote to the stream from C."""
    picture, lzw = Image.effect_noise((64, 64), 80), {"compression": "tiff_lzw"}
    (tmp_path / "a.jpg").write_bytes(encode(picture, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x09"))
    (tmp_path / "b.tif").write_bytes(encode(picture, "TIFF", **lzw).replace(b"\x80", b"\x81", 20))
    (tmp_path / "c.tif").write_bytes(encode(picture, "TIFF")[:-40])
    code = (
        "import sys\nfrom virtus.media import load_image\nfrom virtus.errors import ImageError\n"
        "for name in sys.argv[1:]:\n try: load_image(name)\n except ImageError as exc: print(exc)"
    )
    names = sorted(map(str, tmp_path.iterdir()))
    ended = subprocess.run(
        [sys.executable, "-W", "always", "-c", code, *names], capture_output=True, text=True, check=True
    )
    assert ended.stderr == ""
    assert ended.stdout.count("damaged") == 2
