"""A clip to frames evenly spaced in time, upright RGB, or a `VideoError` that says what is wrong and what to do."""

from __future__ import annotations

import contextlib
import io
import os
import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from PIL import Image

from virtus.errors import VideoError
from virtus.images import MAX_PIXELS

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

VIDEO_SUFFIXES = frozenset(".mp4 .m4v .mov .3gp .avi .mkv .webm .mpg .mpeg .mts .m2ts .flv .wmv .ogv".split())
# Only these containers are ever opened: FFmpeg also knows playlists, which name other files and addresses.
FORMATS = "mov,matroska,avi,mpeg,mpegts,flv,asf,ogg"
SUPPORTED = "an MP4, MOV, WebM, MKV or AVI file"
MAX_LOST_TAIL_S = 0.5  # a header may claim that much more than there is: sound and picture end at different times

VideoSource = str | os.PathLike | bytes | BinaryIO

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


def sample_frames(source: VideoSource, *, num_frames: int, max_pixels: int = MAX_PIXELS) -> Clip:
    """Read a few frames of a clip, evenly spaced in time.

    The duration is cut into `num_frames` equal slices; of each, the frame is taken that is shown in its middle,
    whatever the frame rate does. A frame comes once, even if it is shown through several slices; a clip with no more
    than `num_frames` frames gives each of them.

    The file is read through once without decoding, for the time of every frame; only what lies between a wanted frame
    and the key frame before it is decoded.

    Args:
        source: a path, the bytes of a file, or a binary file object that can seek (read from its start).
        max_pixels: clips of larger frames are refused from their header, before decoding.

    Raises:
        VideoError: for anything of which no frame can be read.
    """
    if num_frames < 1:
        raise VideoError(f"At least 1 frame must be asked for, not {num_frames}.")
    with _open(source) as container:
        stream = _picture_stream(container)
        _check_size(stream.codec_context.width, stream.codec_context.height, max_pixels)
        index = _read_index(container, stream)
        wanted = index.evenly_spaced(num_frames)
        found = _decode(container, stream, index, wanted, max_pixels)
    if not found:
        raise VideoError("No frame of the clip can be decoded. Save, download or convert it again.")
    frames = tuple(Frame(found[at], (at - index.times[0]) * index.time_base) for at in wanted if at in found)
    return Clip(frames, index.duration * index.time_base, index.whole and len(frames) == len(wanted))


def is_video_path(path: Path) -> bool:
    """Whether the file's name says that it is a clip."""
    return path.suffix.lower() in VIDEO_SUFFIXES


@dataclass(frozen=True)
class _Index:
    """When each frame of a clip is shown, in units of `time_base` seconds, sorted.

    Attributes:
        times: of all frames.
        keys: of those that can be decoded without others: the time, and the one to seek to.
        duration: from the first frame to the end of the last.
        timed: whether the file says when each frame is shown; otherwise only when it is decoded.
        whole: whether the file reaches as far as its header says.
    """

    times: list[int]
    keys: list[tuple[int, int]]
    duration: int
    time_base: float
    timed: bool
    whole: bool

    def evenly_spaced(self, num_frames: int) -> list[int]:
        """The times of the frames shown in the middles of equal slices."""
        if num_frames >= len(self.times):
            return self.times
        middles = [self.times[0] + self.duration * (2 * i + 1) / (2 * num_frames) for i in range(num_frames)]
        return sorted({self.times[bisect_right(self.times, middle) - 1] for middle in middles})

    def key_of(self, time: int) -> int:
        """Which key frame a frame at `time` needs: an index into `keys`, or -1."""
        return bisect_right(self.keys, time, key=lambda key: key[0]) - 1

    def seek_time(self, key: int) -> int:
        """Where to seek for a key frame; before the first one, well before the start of the clip."""
        return self.keys[key][1] if key >= 0 else self.times[0] - round(10 / self.time_base)


@contextlib.contextmanager
def _open(source: VideoSource) -> Iterator[InputContainer]:
    import av

    file = _file_of(source)
    options = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
    try:
        container = av.open(file, mode="r", container_options=options, metadata_errors="replace")
    except Exception as exc:  # readers raise whatever their C code meets: all of it means "not a clip" or "damaged"
        raise VideoError(
            f"This is not a clip that can be read, or it is damaged or cut off. Give {SUPPORTED}."
        ) from exc
    with container:
        yield container


def _file_of(source: VideoSource) -> str | BinaryIO:
    if isinstance(source, (str, os.PathLike)):
        return _checked_path(source)
    if isinstance(source, (bytes, bytearray, memoryview)):
        source = io.BytesIO(source)
    if isinstance(source, io.TextIOBase) or not hasattr(source, "read"):
        raise VideoError(f"A clip was expected, or a file open for reading in mode 'rb', not {type(source).__name__}.")
    try:
        if source.seek(0, os.SEEK_END) == 0:
            raise VideoError("The file is empty. Save or download it again.")
        source.seek(0)
    except (OSError, ValueError) as exc:  # ValueError: it is closed
        raise VideoError(f"The file object cannot be read ({exc}). Give one that is open and can seek.") from exc
    return source


def _checked_path(source: str | os.PathLike) -> str:
    """Absolute, so that FFmpeg takes it for a file and never for an address or a pattern."""
    if str(source).lower().startswith(("http:/", "https:/", "ftp:/", "data:")):  # one slash: what Path leaves of two
        raise VideoError("Addresses are not fetched. Download the clip and give the file.")
    path = Path(source)
    try:
        if not path.exists():
            raise VideoError("There is no such file. Check the path.")
        if not path.is_file():
            raise VideoError("This is not a regular file. Give a clip.")
        with path.open("rb") as stream:
            if not stream.read(1):
                raise VideoError("The file is empty. Save or download it again.")
    except OSError as exc:
        raise VideoError(f"The file cannot be read ({exc.strerror or exc}). Check its path and permissions.") from exc
    return str(path.resolve())


def _picture_stream(container: InputContainer) -> VideoStream:
    from av.stream import Disposition

    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]  # a song's cover
    if not streams:
        raise VideoError("The file has no pictures, only sound or text. Give a clip.")
    if streams[0].codec_context is None:
        raise VideoError("The clip is coded in a way that cannot be read. Convert it to H.264 in an MP4 file.")
    return streams[0]


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        limit = f"{max_pixels / 1e6:.0f} million" if max_pixels >= 1_000_000 else f"{max_pixels}"
        raise VideoError(f"The clip has {width}x{height} pixels; at most {limit} are read. Scale it down.")


def _read_index(container: InputContainer, stream: VideoStream) -> _Index:
    ends, keys, file_end, whole = {}, [], 0.0, True
    timed = not (container.format.name == "avi" and stream.codec_context.has_b_frames)
    try:
        for packet in container.demux():
            at = packet.dts if packet.pts is None else packet.pts
            if at is None:  # what flushes a decoder
                continue
            end = at + (packet.duration or 0)
            file_end = max(file_end, float(end * packet.time_base))
            if packet.stream_index == stream.index and not packet.is_discard and not packet.is_corrupt:
                ends[at] = end
                keys += [(at, at if packet.dts is None else min(at, packet.dts))] if packet.is_keyframe else []
                timed = timed and packet.pts is not None
    except Exception:  # see _open
        whole = False
    if not ends:
        raise VideoError("The clip has no frame that can be read. Save, download or convert it again.")
    times = sorted(ends)
    # Where the last frame does not say how long it is shown: as long as the others on average.
    last = ends[times[-1]] - times[-1] or round((times[-1] - times[0]) / max(1, len(times) - 1))
    claimed_s = (container.duration or 0) / 1_000_000
    return _Index(
        times,
        sorted(keys),
        duration=times[-1] + last - times[0],
        time_base=float(stream.time_base),
        timed=timed,
        whole=whole and file_end >= claimed_s - MAX_LOST_TAIL_S,
    )


def _decode(
    container: InputContainer, stream: VideoStream, index: _Index, wanted: list[int], max_pixels: int
) -> dict[int, Image.Image]:
    """Those of the wanted frames that can be decoded, by their times."""
    found = {}
    for key, group in groupby(wanted, index.key_of):
        times = list(group)
        for start in (key, key - 2):  # some containers seek to a little later than they should
            if missing := [time for time in times if time not in found]:
                frames = _frames_from(container, stream, index, index.seek_time(start))
                found |= _pick(frames, missing, max_pixels)
    return found


def _pick(frames: Iterator[tuple[int, VideoFrame]], times: list[int], max_pixels: int) -> dict[int, Image.Image]:
    found = {}
    for time, frame in frames:
        if time in times:
            _check_size(frame.width, frame.height, max_pixels)
            if (image := _upright(frame)) is not None:
                found[time] = image
        if time >= times[-1]:
            break
    return found


def _frames_from(
    container: InputContainer, stream: VideoStream, index: _Index, seek_time: int
) -> Iterator[tuple[int, VideoFrame]]:
    """The sound frames from a key frame on, in the order in which they are shown, with their times."""
    position = None
    with contextlib.suppress(Exception):  # see _open
        container.seek(seek_time, stream=stream)
        for packet in container.demux(stream):
            for frame in _frames_of(packet):
                if index.timed:
                    time = frame.pts
                else:  # what comes first is a key frame, which is decoded when it is shown; from there they are counted
                    own = frame.dts if frame.pts is None else frame.pts
                    position = bisect_left(index.times, own or 0) if position is None else position + 1
                    time = index.times[min(position, len(index.times) - 1)]
                if time is not None and not frame.is_corrupt:
                    yield time, frame


def _frames_of(packet: Packet) -> list[VideoFrame]:
    try:
        return [] if packet.is_corrupt else packet.decode()
    except Exception:  # see _open; the next one may be sound
        return []


def _upright(frame: VideoFrame) -> Image.Image | None:
    """None for pixels of a kind that cannot be made RGB."""
    try:
        turn, image = _turn(frame), frame.to_image()
    except Exception:  # see _open
        return None
    return image if turn is None else image.transpose(turn)


def _turn(frame: VideoFrame) -> Image.Transpose | None:
    """What makes the frame upright, from the clip's display matrix; turns other than by quarters are left alone."""
    from av.sidedata.sidedata import Type

    matrix = frame.side_data.get(Type.DISPLAYMATRIX)
    if matrix is None:
        return None
    a, b, _, c, d = struct.unpack("=5i", bytes(matrix)[:20])
    return TURNS.get(tuple((v > 0) - (v < 0) for v in (a, b, c, d)))
