"""What must hold of any bytes, arrays and pictures, and how `hypothesis` makes them: for tests and long runs."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from hypothesis.strategies import DataObject, SearchStrategy
from PIL import Image

from tests.corpus.boundaries import boundaries
from tests.corpus.broken import LENGTHS
from tests.corpus.clips import whole_clips
from tests.corpus.whole import whole_files
from tests.corpus.zips import archive
from tests.support.zips import STORED, Entry
from virtus.errors import ImageError, InputError, VideoError
from virtus.media.archives import open_archive
from virtus.media.images import MAX_PIXELS, MIN_SIDE, load_image
from virtus.provenance import read_provenance
from virtus.video.reading import read_clip

MAX_EDITS = 6
MODES = "1 L P PA LA La RGB RGBA RGBa RGBX CMYK YCbCr LAB HSV I F I;16 I;16B I;16L".split()


@st.composite
def damaged(draw: Callable, files: Sequence[bytes]) -> bytes:
    """One of the files after some edits, mostly at the boundaries of its parts."""
    data = draw(st.sampled_from(files))
    places = boundaries(data) or [0]
    for _ in range(draw(st.integers(0, MAX_EDITS))):
        at = draw(st.sampled_from(places) | st.integers(0, max(0, len(data) - 1)))
        data = draw(st.sampled_from(EDITS))(draw, data, at, files)
    return data


def _overwrite(draw: Callable, data: bytes, at: int, _files: Sequence[bytes]) -> bytes:
    new = draw(st.binary(min_size=1, max_size=8) | st.sampled_from(LENGTHS))
    return data[:at] + new + data[at + len(new) :]


def _insert(draw: Callable, data: bytes, at: int, _files: Sequence[bytes]) -> bytes:
    return data[:at] + draw(st.binary(max_size=40)) * draw(st.sampled_from((1, 1, 500))) + data[at:]


def _cut_out(draw: Callable, data: bytes, at: int, _files: Sequence[bytes]) -> bytes:
    return data[:at] + data[at + draw(st.integers(1, 1000)) :]


def _cut_off(_draw: Callable, data: bytes, at: int, _files: Sequence[bytes]) -> bytes:
    return data[:at]


def _repeat(draw: Callable, data: bytes, at: int, _files: Sequence[bytes]) -> bytes:
    return data[:at] + data[at : at + draw(st.integers(1, 300))] * draw(st.integers(2, 20)) + data[at:]


def _splice(draw: Callable, data: bytes, at: int, files: Sequence[bytes]) -> bytes:
    other = draw(st.sampled_from(files))
    return data[:at] + other[draw(st.sampled_from(boundaries(other) or [0])) :]


EDITS = (_overwrite, _overwrite, _insert, _cut_out, _cut_off, _repeat, _splice)


def pictures() -> SearchStrategy[bytes]:
    """Damaged files of pictures, and now and then any bytes."""
    return damaged(list(whole_files().values())) | st.binary(max_size=200)


def clips() -> SearchStrategy[bytes]:
    return damaged(list(whole_clips().values()))


def zips() -> SearchStrategy[bytes]:
    photo = whole_files()["plain.jpg"][:2000]
    two = archive(Entry(b"a.jpg", photo), Entry("é/c.png".encode(), photo, STORED))
    return damaged([two, archive(Entry(b"a.jpg", photo)), archive()])


def any_arrays() -> SearchStrategy[np.ndarray]:
    kinds = arrays.scalar_dtypes() | st.sampled_from((np.dtype("uint8"), np.dtype("float32")))
    return arrays.arrays(kinds, arrays.array_shapes(min_dims=0, max_dims=4, max_side=40))


def check_picture(data: bytes) -> None:
    """`load_image` gives RGB within its limits, or raises `ImageError`: of bytes and of a file alike."""
    outcomes = [_outcome(source) for source in (data, io.BytesIO(data))]
    assert outcomes[0] == outcomes[1]


def check_source(source: object) -> None:
    """The same of an array or a picture, which is left as it is."""
    before = source.tobytes()
    _outcome(source)
    assert source.tobytes() == before


def check_any_mode(data: DataObject) -> None:
    """Every colour mode of Pillow's is read."""
    mode, side = data.draw(st.sampled_from(MODES)), data.draw(st.integers(1, 70))
    image = Image.new(mode, (side, data.draw(st.integers(1, 70))))
    names = st.sampled_from(("transparency", "exif", "jpeg_quality", "xmp"))
    image.info = data.draw(st.dictionaries(names, st.binary() | st.text()))
    check_source(image)


def check_origin(data: bytes) -> None:
    """`read_provenance` never raises."""
    assert "".join(finding.what for finding in read_provenance(data).findings).isprintable()


def check_clip(data: bytes) -> None:
    """`read_clip` gives upright RGB frames in the clip, or raises `VideoError`."""
    try:
        with read_clip(data, num_frames=3) as reader:
            assert all(frame.image.mode == "RGB" for frame in reader.frames())
    except VideoError:
        return


def check_zip(data: bytes, path: Path) -> None:
    """`open_archive` gives files, each of which reads as long as it says, or both raise `InputError`."""
    path.write_bytes(data)
    try:
        files = open_archive(path).files
    except InputError:
        return
    for file in files:
        try:
            assert len(file.read()) == file.num_bytes
        except ImageError:
            continue


def _outcome(source: object) -> object:
    try:
        image = load_image(source)
    except ImageError as exc:
        return str(exc)
    assert image.mode == "RGB"
    assert min(image.size) >= MIN_SIDE
    assert image.width * image.height <= MAX_PIXELS
    assert set(image.info) <= {"jpeg_quality", "num_frames", "readable_share"}
    return image.size, image.tobytes()
