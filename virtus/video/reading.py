"""A clip to frames evenly spaced in time, upright RGB, or a `VideoError` that says what is wrong and what to do."""

from __future__ import annotations

import contextlib
import struct
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from PIL import Image

from virtus.errors import ImageError, VideoError
from virtus.media import MAX_PIXELS, Animation, animation_frames, codes_to_srgb, differs_from_srgb, open_animation
from virtus.video.clip_file import ClipIndex, VideoSource, open_clip, picture_stream, read_index

if TYPE_CHECKING:
    from fractions import Fraction

    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

# Of all frames that are decoded for one clip: ten minutes of Full HD with a single key frame have 37 thousand million,
# and take a core 80 to 150 s. A frame that is like the one before costs its file 60 bytes.
MAX_DECODED_PIXELS = 50_000_000_000

MAX_PIXEL_SHAPE = 4  # the widest that cameras and discs have are 2:1

# Signs of (a, b, c, d) in a clip's display matrix to what makes it upright: x' = ax + cy, y' = bx + dy, y downwards.
TURNS = {
    (1, 0, 0, 1): None,
    (0, 1, -1, 0): Image.Transpose.ROTATE_270,
    (-1, 0, 0, -1): Image.Transpose.ROTATE_180,
    (0, -1, 1, 0): Image.Transpose.ROTATE_90,
    (-1, 0, 0, 1): Image.Transpose.FLIP_LEFT_RIGHT,
    (1, 0, 0, -1): Image.Transpose.FLIP_TOP_BOTTOM,
    (0, 1, 1, 0): Image.Transpose.TRANSPOSE,
    (0, -1, -1, 0): Image.Transpose.TRANSVERSE,
}


@dataclass(frozen=True)
class Frame:
    """One picture of a clip: upright RGB, shown from `time_s` seconds after the clip's first one."""

    image: Image.Image
    time_s: float


@dataclass(frozen=True)
class Clip:
    """What was read of a clip.

    Attributes:
        frames: in the order of time.
        duration_s: from the first frame to the end of the last one that is there.
        complete: False where the file is cut off, or a frame that was asked for is damaged: `frames` are then of the
            readable part.
    """

    frames: tuple[Frame, ...]
    duration_s: float
    complete: bool


@dataclass(frozen=True)
class ClipReader:
    """An open clip, of which a few frames are wanted.

    Attributes:
        wanted: their times, in units of the index's `time_base`.
    """

    container: InputContainer
    stream: VideoStream
    index: ClipIndex
    wanted: Sequence[int]

    @property
    def duration_s(self) -> float:
        """From the first frame to the end of the last one that is there."""
        return self.index.duration * self.index.time_base

    @property
    def num_pixels(self) -> int:
        """Of a frame, as its header says."""
        return max(1, self.stream.codec_context.width * self.stream.codec_context.height)

    @property
    def whole(self) -> bool:
        """Whether the file reaches as far as its header says."""
        return self.index.whole

    def frames(self) -> Iterator[Frame]:
        """Those of the wanted frames that can be decoded, one in memory at a time.

        In the order of time, but for frames that are only found at a second try.
        """
        for key, group in groupby(self.wanted, self.index.key_of):
            missing = list(group)
            for start in (key, key - 2):  # some containers seek to a little later than they should
                for time, image in self._pick(self.index.seek_time(start), list(missing)):
                    missing.remove(time)
                    yield Frame(image, (time - self.index.times[0]) * self.index.time_base)

    def _pick(self, seek_time: int, times: list[int]) -> Iterator[tuple[int, Image.Image]]:
        if not times:
            return
        for time, frame in _frames_from(self.container, self.stream, self.index, seek_time):
            if time in times:
                _check_size(frame.width, frame.height)
                if (image := _upright(frame, self.stream.sample_aspect_ratio)) is not None:
                    times.remove(time)
                    yield time, image
            if not times or time >= times[-1]:
                break


@dataclass(frozen=True)
class AnimationReader:
    """An open GIF, WebP, APNG or AVIF, of which a few frames are wanted: the same as `ClipReader` of a clip.

    Attributes:
        wanted: their indices, evenly spaced.
    """

    animation: Animation
    wanted: Sequence[int]

    @property
    def duration_s(self) -> float:
        """Of the frames that were gone through."""
        return self.animation.duration_s

    @property
    def num_pixels(self) -> int:
        """Of a frame."""
        return self.animation.image.width * self.animation.image.height

    @property
    def whole(self) -> bool:
        """Whether none of the frames that were gone through is damaged."""
        return self.animation.whole

    @property
    def takes_all(self) -> bool:
        """Whether every frame that there is is wanted."""
        return len(self.wanted) == self.animation.num_frames

    def frames(self) -> Iterator[Frame]:
        """Those of the wanted frames that can be decoded, one in memory at a time."""
        with contextlib.suppress(ImageError):
            for image, time_s in animation_frames(self.animation, self.wanted):
                yield Frame(image, time_s)


@contextlib.contextmanager
def read_frames(
    source: VideoSource, *, num_frames: int, max_bytes: int | None = None, max_duration_s: float | None = None
) -> Iterator[ClipReader | AnimationReader]:
    """Open a clip or an animation: `read_clip`, whose arguments and errors these are."""
    animation = None
    with contextlib.suppress(ImageError, OSError, ValueError, TypeError, AttributeError):  # a clip, or said to be none
        animation = open_animation(source)
    if animation is not None and num_frames >= 1:
        yield AnimationReader(animation, animation.evenly_spaced(num_frames))
        return
    with read_clip(source, num_frames=num_frames, max_bytes=max_bytes, max_duration_s=max_duration_s) as reader:
        yield reader


@contextlib.contextmanager
def read_clip(
    source: VideoSource, *, num_frames: int, max_bytes: int | None = None, max_duration_s: float | None = None
) -> Iterator[ClipReader]:
    """Open a clip for reading a few frames of it, evenly spaced in time.

    The duration is cut into `num_frames` equal slices; of each, the frame is taken that is shown in its middle,
    whatever the frame rate does. A frame comes once, even if it is shown through several slices; a clip with no more
    than `num_frames` frames gives each of them.

    The file is read through once without decoding, for the time of every frame; only what lies between a wanted frame
    and the key frame before it is decoded. Frames of more than `MAX_PIXELS` are refused by the file's header.

    Args:
        source: a path, the bytes of a file, or a binary file object that can seek (read from its start).
        max_bytes, max_duration_s: larger and longer clips are refused; None for no limit.

    Raises:
        VideoError: for anything that is no clip, passes a limit, or would take minutes to decode.
    """
    if num_frames < 1:
        raise VideoError(f"At least 1 frame must be asked for, not {num_frames}.")
    with open_clip(source, max_bytes) as container:
        stream = picture_stream(container)
        _check_size(stream.codec_context.width, stream.codec_context.height)
        _check_duration((container.duration or 0) / 1_000_000, max_duration_s)
        index = read_index(container, stream)
        _check_duration(index.duration * index.time_base, max_duration_s)
        wanted = index.evenly_spaced(num_frames)
        _check_work(index.num_decoded(wanted), stream.codec_context.width * stream.codec_context.height)
        yield ClipReader(container, stream, index, wanted)


def sample_frames(source: VideoSource, *, num_frames: int) -> Clip:
    """Read a few frames of a clip at once: see `read_clip`.

    Raises:
        VideoError: for anything of which no frame can be read.
    """
    with read_clip(source, num_frames=num_frames) as reader:
        frames = tuple(sorted(reader.frames(), key=lambda frame: frame.time_s))
    if not frames:
        raise nothing_decoded()
    return Clip(frames, reader.duration_s, reader.index.whole and len(frames) == len(reader.wanted))


def nothing_decoded() -> VideoError:
    """Of a clip none of whose wanted frames can be decoded."""
    return VideoError("No frame of the clip can be decoded. Save, download or convert it again.")


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        limit = f"{MAX_PIXELS / 1e6:g} million"
        raise VideoError(f"The clip has {width}x{height} pixels; at most {limit} are read. Scale it down.")


def _check_duration(duration_s: float, limit_s: float | None) -> None:
    if limit_s is not None and duration_s > limit_s:
        raise VideoError(
            f"The clip lasts {_in_minutes(duration_s)}; at most {_in_minutes(limit_s)} are judged. "
            "Cut out the part that matters."
        )


def _check_work(num_decoded: int, num_pixels: int) -> None:
    if num_decoded * num_pixels > MAX_DECODED_PIXELS:
        raise VideoError(
            f"For the wanted frames, {num_decoded} large ones would have to be decoded. "
            "Ask for fewer, cut out the part that matters, or save the clip smaller."
        )


def _in_minutes(duration_s: float) -> str:
    return f"{duration_s / 60:.1f} minutes" if duration_s >= 60 else f"{duration_s:.1f} seconds"


def _frames_from(
    container: InputContainer, stream: VideoStream, index: ClipIndex, seek_time: int
) -> Iterator[tuple[int, VideoFrame]]:
    """The sound frames from a key frame on, in the order in which they are shown, with their times."""
    position = None
    with contextlib.suppress(Exception):  # see `open_clip`
        container.seek(seek_time, stream=stream)
        for packet in container.demux(stream):
            for frame in _frames_of(packet):
                if index.timed:
                    time = frame.pts
                else:  # what comes first is a key frame, which is decoded when it is shown; from there they are counted
                    start = frame.dts if frame.pts is None else frame.pts
                    position = bisect_left(index.times, start or 0) if position is None else position + 1
                    time = index.times[min(position, len(index.times) - 1)]
                if time is not None and not frame.is_corrupt:
                    yield time, frame


def _frames_of(packet: Packet) -> list[VideoFrame]:
    try:
        return [] if packet.is_corrupt else packet.decode()
    except Exception:  # see `open_clip`; the next one may be sound
        return []


def _upright(frame: VideoFrame, pixel_shape: Fraction | None) -> Image.Image | None:
    """As players show it; None for pixels of a kind that cannot be made RGB."""
    try:
        turn, image = _turn(frame), _to_srgb(frame)
    except Exception:  # see `open_clip`
        return None
    if (size := shown_size(image.size, pixel_shape)) != image.size:
        image = image.resize(size, Image.Resampling.BICUBIC)
    return image if turn is None else image.transpose(turn)


def shown_size(size: tuple[int, int], pixel_shape: Fraction | None) -> tuple[int, int]:
    """Width and height of a frame with square pixels, before it is turned: the side that is squeezed grows.

    Args:
        pixel_shape: width of a pixel over its height. What is none or absurd, or would make the frame larger than
            `MAX_PIXELS`, changes nothing.
    """
    (width, height), shape = size, float(pixel_shape or 1)
    if not 1 / MAX_PIXEL_SHAPE <= shape <= MAX_PIXEL_SHAPE:
        return size
    shown = (round(width * shape), height) if shape > 1 else (width, round(height / shape))
    return shown if shown[0] * shown[1] <= MAX_PIXELS else size


def _to_srgb(frame: VideoFrame) -> Image.Image:
    """RGB as players show it on an ordinary screen; what phones film in HLG or PQ, and wide gamuts, from all bits."""
    codes = frame.color_primaries, frame.color_trc
    if not differs_from_srgb(*codes):
        return frame.to_image()
    return Image.fromarray(codes_to_srgb(frame.to_ndarray(format="rgb48le"), *codes))


def _turn(frame: VideoFrame) -> Image.Transpose | None:
    """What makes the frame upright, from the clip's display matrix; turns other than by quarters are left alone."""
    from av.sidedata.sidedata import Type

    matrix = frame.side_data.get(Type.DISPLAYMATRIX)  # pyright: ignore[reportCallIssue, reportArgumentType] (no str)
    if matrix is None:
        return None
    a, b, _, c, d = ((value > 0) - (value < 0) for value in struct.unpack("=5i", bytes(matrix)[:20]))
    return TURNS.get((a, b, c, d))
