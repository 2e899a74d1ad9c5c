import io
import struct
from fractions import Fraction

import numpy as np
import pytest

from tests.support.clips import numbered, write_clip
from virtus.errors import VideoError
from virtus.video.clip_file import ClipIndex
from virtus.video.reading import Clip, read_clip, sample_frames

TKHD_MATRIX = 44  # bytes from the name of the box, where it has version 0
ONE, MINUS = 1 << 16, -1 << 16


def numbers(clip):
    """Which of the `numbered` pictures came."""
    frames = clip.frames if isinstance(clip, Clip) else clip.frames()
    return [round(np.asarray(frame.image).mean() / 10) for frame in frames]


def in_memory(pictures, times=None, **options):
    return write_clip(io.BytesIO(), pictures, times, **options).getvalue()


def with_matrix(data, matrix):
    """The clip, shown turned or mirrored."""
    (a, b, c, d), data = matrix, bytearray(data)
    struct.pack_into(">9i", data, data.index(b"tkhd") + TKHD_MATRIX, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    return bytes(data)


@pytest.fixture(scope="module")
def cut_off(tmp_path_factory):
    """A clip whose header stands in front, and that lacks its second half."""
    whole = write_clip(tmp_path_factory.mktemp("clips") / "whole.mp4", numbered(), movflags="faststart").read_bytes()
    return whole[: len(whole) * 55 // 100]


@pytest.mark.parametrize(("num_frames", "expected"), [(1, [12]), (2, [6, 18]), (3, [4, 12, 20]), (4, [3, 9, 15, 21])])
def test_frames_come_from_the_middles_of_equal_slices(num_frames, expected):
    clip = sample_frames(in_memory(numbered(), format="mp4"), num_frames=num_frames)
    assert numbers(clip) == expected
    assert [frame.time_s for frame in clip.frames] == pytest.approx([number / 10 for number in expected])
    assert clip.duration_s == pytest.approx(2.4)
    assert clip.complete


def test_slices_are_of_time_where_the_frame_rate_varies():
    times = [0, 0.1, 0.2, 0.3, 2, 4, 6, 8]  # and the last one for 0.1 s: the middles are 1.01, 3.04, 5.06, 7.09
    clip = sample_frames(in_memory(numbered(8), times, format="mp4"), num_frames=4)
    assert numbers(clip) == [3, 4, 5, 6]
    assert [frame.time_s for frame in clip.frames] == pytest.approx([0.3, 2, 4, 6])
    assert clip.duration_s == pytest.approx(8.1)


@pytest.mark.parametrize(
    ("form", "codec"),
    [
        ("mp4", "libx264"),
        ("matroska", "libx264"),
        ("webm", "libvpx-vp9"),
        ("avi", "mpeg4"),
        ("avi", "libx264"),  # does not say when its frames are shown, and they are not decoded in that order
        ("mpegts", "libx264"),  # starts at 1.4 s, and is sought less exactly
        ("flv", "libx264"),
    ],
)
def test_containers_and_codecs_give_the_same_frames(form, codec):
    import av

    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no {codec}")
    data = in_memory(numbered(), format=form, codec=codec)
    assert numbers(sample_frames(data, num_frames=4)) == [3, 9, 15, 21]


def test_fewer_frames_than_asked_for_come_once_each():
    clip = sample_frames(in_memory(numbered(3), format="mp4"), num_frames=5)
    assert numbers(clip) == [0, 1, 2]
    assert clip.complete


def test_a_frame_shown_through_several_slices_comes_once():
    clip = sample_frames(in_memory(numbered(4), [0, 9, 9.1, 9.2], format="mp4"), num_frames=3)
    assert numbers(clip) == [0]


def test_one_picture_is_a_clip():
    assert numbers(sample_frames(in_memory(numbered(1), format="mp4"), num_frames=5)) == [0]


def test_a_file_a_path_and_bytes_are_read_alike(tmp_path):
    path = write_clip(tmp_path / "clip.mp4", numbered())
    with path.open("rb") as file:
        file.seek(100)
        assert numbers(sample_frames(file, num_frames=2)) == [6, 18]
    for source in (path, str(path), path.read_bytes()):
        assert numbers(sample_frames(source, num_frames=2)) == [6, 18]


@pytest.mark.parametrize(
    ("matrix", "place"),
    [
        ((ONE, 0, 0, ONE), (0, 0)),
        ((0, ONE, MINUS, 0), (1, 0)),  # held upright: a quarter clockwise
        ((MINUS, 0, 0, MINUS), (1, 1)),
        ((0, MINUS, ONE, 0), (0, 1)),
        ((MINUS, 0, 0, ONE), (1, 0)),  # mirrored
        ((ONE, 0, 0, MINUS), (0, 1)),
        ((0, ONE, ONE, 0), (0, 0)),
        ((0, MINUS, MINUS, 0), (1, 1)),
    ],
)
def test_frames_are_turned_upright(matrix, place):
    """`place` is where the white top left corner comes to lie: right, down."""
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:24, :32] = 255
    data = with_matrix(in_memory([picture], format="mp4"), matrix)
    image = sample_frames(data, num_frames=1).frames[0].image
    assert image.mode == "RGB"
    assert image.size == ((64, 48) if matrix[0] else (48, 64))
    light = {(x, y) for x in (0, 1) for y in (0, 1) if image.getpixel((4 + x * 36, 4 + y * 36))[0] > 128}
    assert light == {place}


def test_of_a_clip_that_is_cut_off_the_readable_part_comes(cut_off):
    clip = sample_frames(cut_off, num_frames=4)
    assert not clip.complete
    assert clip.duration_s < 2
    assert len(clip.frames) == 4
    assert numbers(clip) == [round(frame.time_s * 10) for frame in clip.frames]


def test_frames_that_are_damaged_are_left_out():
    data = bytearray(in_memory(numbered(), format="mp4"))
    start = len(data) * 4 // 10
    data[start : start + len(data) // 5] = bytes(len(data) // 5)
    clip = sample_frames(bytes(data), num_frames=24)
    assert not clip.complete
    assert 10 < len(clip.frames) < 24
    assert {0, 1, 2, 3} < set(numbers(clip))


def test_a_recording_without_a_duration_is_whole():
    """What a browser records has none in its header."""

    class Pipe(io.RawIOBase):
        data = b""

        def writable(self):
            return True

        def write(self, data):
            self.data += bytes(data)
            return len(data)

    pipe = write_clip(Pipe(), numbered(), format="matroska")
    clip = sample_frames(pipe.data, num_frames=4)
    assert numbers(clip) == [3, 9, 15, 21]
    assert clip.duration_s == pytest.approx(2.4)
    assert clip.complete


def test_tags_in_another_encoding_do_no_harm():
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        container.metadata["title"] = "Zoe"
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        frame = av.VideoFrame.from_ndarray(numbered(1)[0], format="rgb24")
        container.mux(stream.encode(frame.reformat(format="yuv420p")))
        container.mux(stream.encode(None))
    assert b"Zoe" in file.getvalue()
    assert len(sample_frames(file.getvalue().replace(b"Zoe", b"Zo\xeb"), num_frames=1).frames) == 1


def sound_only():
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="wav") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    return file.getvalue()


def sound_in_a_clip_container():
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    return file.getvalue()


def refusal(source, num_frames=3):
    with pytest.raises(VideoError) as caught:
        sample_frames(source, num_frames=num_frames)
    return str(caught.value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (b"", "The file is empty"),
        (b"no clip" * 1000, "not a clip that can be read"),
        (io.StringIO("text"), "mode 'rb', not StringIO"),
        (7, "not int"),
        ("there/is/none.mp4", "no such file"),
        (".", "not a regular file"),
        ("https://example.org/clip.mp4", "Addresses are not fetched"),
    ],
)
def test_what_is_no_clip_is_refused_with_a_reason(source, message):
    assert message in refusal(source)


def test_sound_alone_is_refused():
    assert "no pictures" in refusal(sound_in_a_clip_container())
    assert "not a clip" in refusal(sound_only())


def test_an_empty_file_is_refused_by_its_path(tmp_path):
    (tmp_path / "empty.mp4").touch()
    assert "empty" in refusal(tmp_path / "empty.mp4")


def test_a_clip_without_its_header_is_refused():
    data = in_memory(numbered(), format="mp4")  # the header stands at the end
    assert "damaged or cut off" in refusal(data[: len(data) // 2])


def test_a_clip_without_a_frame_is_refused(cut_off):
    start = cut_off.index(b"mdat") + 4
    assert "no frame that can be read" in refusal(cut_off[:start])
    assert "can be decoded" in refusal(cut_off[:start] + bytes(len(cut_off) - start))


def test_large_frames_are_refused_before_they_are_decoded(monkeypatch):
    data = in_memory(numbered(1), format="mp4")
    monkeypatch.setattr("virtus.video.reading.MAX_PIXELS", 64 * 48 - 1)
    assert "64x48 pixels; at most 0.003071 million are read" in refusal(data)
    monkeypatch.setattr("virtus.video.reading.MAX_PIXELS", 64 * 48)
    assert len(sample_frames(data, num_frames=1).frames) == 1


def test_a_playlist_opens_no_other_file(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", numbered(2))
    for name, text in (
        ("list.mp4", f"ffconcat version 1.0\nfile {clip.name}\n"),
        ("list.m3u8", f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{clip.name}\n#EXT-X-ENDLIST\n"),
    ):
        (tmp_path / name).write_text(text)
        assert "not a clip" in refusal(tmp_path / name)


def test_no_frame_asked_for_is_refused():
    assert "At least 1" in refusal(in_memory(numbered(1), format="mp4"), num_frames=0)


def test_too_long_a_clip_is_refused():
    data = in_memory(numbered(), format="mp4")  # 2.4 s
    with read_clip(data, num_frames=2, max_duration_s=2.5) as reader:
        assert reader.duration_s == pytest.approx(2.4)
    with (
        pytest.raises(VideoError, match=r"lasts 2.4 seconds; at most 2.0 seconds are judged. Cut out"),
        read_clip(data, num_frames=2, max_duration_s=2),
    ):
        pass


def test_a_clip_whose_header_does_not_say_how_long_it_is_is_measured():
    times = [0, 100, 200]
    data = bytearray(in_memory(numbered(3), times, format="matroska"))
    place = data.index(b"\x44\x89\x88") + 3  # the duration, a float of 8 bytes, milliseconds
    assert struct.unpack(">d", data[place : place + 8])[0] > 200_000
    data[place : place + 8] = struct.pack(">d", 1000)
    with (
        pytest.raises(VideoError, match=r"lasts [345]\.\d minutes; at most 1.0 minutes"),
        read_clip(bytes(data), num_frames=2, max_duration_s=60),
    ):
        pass


@pytest.mark.parametrize("kind", ["path", "bytes", "file"])
def test_too_large_a_clip_is_refused(tmp_path, kind):
    path = write_clip(tmp_path / "clip.mp4", numbered())
    size = path.stat().st_size
    with path.open("rb") as file:
        source = {"path": path, "bytes": path.read_bytes(), "file": file}[kind]
        with read_clip(source, num_frames=2, max_bytes=size) as reader:
            assert numbers(reader) == [6, 18]
        with (
            pytest.raises(VideoError, match=r"MiB; at most .* are read. Cut out"),
            read_clip(source, num_frames=2, max_bytes=size - 1),
        ):
            pass


def test_more_packets_than_any_clip_has_are_refused(monkeypatch):
    monkeypatch.setattr("virtus.video.clip_file.MAX_PACKETS", 23)
    assert "more than the 23 packets" in refusal(in_memory(numbered(), format="mp4"))
    monkeypatch.setattr("virtus.video.clip_file.MAX_PACKETS", 30)
    assert len(sample_frames(in_memory(numbered(), format="mp4"), num_frames=3).frames) == 3


def test_a_clip_that_would_take_minutes_to_decode_is_refused(monkeypatch):
    """Every sixth is a key frame. Of 2 wanted, 6 and 18, each is one; for 4, 12 and 20, 5, 1 and 3 are decoded."""
    data = in_memory(numbered(1) * 24, format="mp4")
    for num_frames, decoded in ((2, 2), (3, 9), (24, 24)):
        monkeypatch.setattr("virtus.video.reading.MAX_DECODED_PIXELS", decoded * 64 * 48)
        assert len(sample_frames(data, num_frames=num_frames).frames) == num_frames
        monkeypatch.setattr("virtus.video.reading.MAX_DECODED_PIXELS", decoded * 64 * 48 - 1)
        with pytest.raises(VideoError, match=f"{decoded} large ones would have to be decoded. Ask for fewer"):
            sample_frames(data, num_frames=num_frames)


def test_packets_that_claim_one_time_count_each():
    index = ClipIndex([0, 5], [0, 0, 0, 5], [(0, 0)], duration=6, time_base=1.0, timed=True, whole=True)
    assert index.num_decoded([5]) == 4
    assert index.num_decoded([0]) == 3


@pytest.mark.parametrize(("turn", "size"), [(None, (128, 48)), ((0, ONE, MINUS, 0), (48, 128))])
def test_the_shape_of_pixels_is_applied_before_the_turn(tmp_path, turn, size):
    """A circle that is squeezed in the file is shown as a circle."""
    import av

    file = tmp_path / "wide.mp4"
    with av.open(file, "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(2, 1)
        for picture in numbered(4):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    data = file.read_bytes()
    clip = sample_frames(with_matrix(data, turn) if turn else data, num_frames=4)
    assert [frame.image.size for frame in clip.frames] == [size] * 4
    assert numbers(clip) == [0, 1, 2, 3]
