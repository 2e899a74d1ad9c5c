"""A clip's file: opened only as a clip, only from this machine, within limits; and when its frames are shown."""

from __future__ import annotations

import contextlib
import io
import os
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from virtus.errors import VideoError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

# Only these containers are ever opened: FFmpeg also knows playlists, which name other files and addresses.
FORMATS = "mov,matroska,avi,mpeg,mpegts,flv,asf,ogg"
SUPPORTED = "an MP4, MOV, WebM, MKV or AVI file"
MICROSECOND = Fraction(1, 1_000_000)  # FFmpeg's unit where a stream names none of its own
MAX_PACKETS = 1_000_000  # hours of film; more are no clip but an attack on the memory
MAX_LOST_TAIL_S = 0.5  # a header may claim that much more than there is: sound and picture end at different times

VideoSource = str | os.PathLike | bytes | BinaryIO


@dataclass(frozen=True)
class ClipIndex:
    """When each frame of a clip is shown, in units of `time_base` seconds, sorted.

    Attributes:
        times: of all frames.
        packets: the same, for each packet: several may claim one time.
        keys: of those that can be decoded without others: the time, and the one to seek to.
        duration: from the first frame to the end of the last.
        timed: whether the file says when each frame is shown; otherwise only when it is decoded.
        whole: whether the file reaches as far as its header says.
    """

    times: list[int]
    packets: list[int]
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

    def num_decoded(self, wanted: Iterable[int]) -> int:
        """How many frames must be decoded for those at the `wanted` times: from the key frame before each on."""
        last = {self.key_of(time): time for time in sorted(wanted)}
        starts = {key: bisect_left(self.packets, self.keys[key][0]) if key >= 0 else 0 for key in last}
        return sum(bisect_right(self.packets, time) - starts[key] for key, time in last.items())

    def seek_time(self, key: int) -> int:
        """Where to seek for a key frame; before the first one, well before the start of the clip."""
        return self.keys[key][1] if key >= 0 else self.times[0] - round(10 / self.time_base)


@contextlib.contextmanager
def open_clip(source: VideoSource, max_bytes: int | None = None) -> Iterator[InputContainer]:
    """The clip as PyAV has it, closed afterwards.

    Args:
        source: a path, the bytes of a file, or a binary file object that can seek (read from its start).
        max_bytes: larger files are refused before reading; None for any size.

    Raises:
        VideoError: for anything that is no clip.
    """
    import av

    file = _file_of(source)
    _check_bytes(file, max_bytes)
    options = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
    try:
        container = av.open(file, mode="r", container_options=options, metadata_errors="replace")
    except Exception as exc:  # readers raise whatever their C code meets: all of it means "not a clip" or "damaged"
        raise VideoError(
            f"This is not a clip that can be read, or it is damaged or cut off. Give {SUPPORTED}."
        ) from exc
    with container:
        yield container


def picture_stream(container: InputContainer) -> VideoStream:
    """The moving pictures of a clip.

    Raises:
        VideoError: if it has none, or they cannot be decoded.
    """
    from av.stream import Disposition

    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]  # a song's cover
    if not streams:
        raise VideoError("The file has no pictures, only sound or text. Give a clip.")
    if streams[0].codec_context is None:
        raise VideoError("The clip is coded in a way that cannot be read. Convert it to H.264 in an MP4 file.")
    return streams[0]


def read_index(container: InputContainer, stream: VideoStream) -> ClipIndex:
    """Read the file through once. What follows a break in it is left out.

    Raises:
        VideoError: if it has no frame, or more packets than any clip.
    """
    ends, packets, keys, file_end, whole = {}, [], [], 0.0, True
    timed = not (container.format.name == "avi" and stream.codec_context.has_b_frames)
    try:
        for count, packet in enumerate(container.demux()):
            if count >= MAX_PACKETS:
                raise VideoError(f"The clip has more than the {MAX_PACKETS:,} packets that are read. Cut it.")
            at = packet.dts if packet.pts is None else packet.pts
            if at is None:  # what flushes a decoder
                continue
            end = at + (packet.duration or 0)
            file_end = max(file_end, float(end * (packet.time_base or MICROSECOND)))
            if packet.stream_index == stream.index and not packet.is_discard and not packet.is_corrupt:
                ends[at] = end
                packets.append(at)
                keys += [(at, at if packet.dts is None else min(at, packet.dts))] if packet.is_keyframe else []
                timed = timed and packet.pts is not None
    except VideoError:
        raise
    except Exception:  # see `open_clip`
        whole = False
    if not ends:
        raise VideoError("The clip has no frame that can be read. Save, download or convert it again.")
    times = sorted(ends)
    claimed_s = (container.duration or 0) / 1_000_000
    return ClipIndex(
        times,
        sorted(packets),
        sorted(keys),
        duration=_duration(times, ends[times[-1]]),
        time_base=float(stream.time_base or MICROSECOND),
        timed=timed,
        whole=whole and file_end >= claimed_s - MAX_LOST_TAIL_S,
    )


def _duration(times: list[int], end: int) -> int:
    """Where the last frame does not say how long it is shown: as long as the others on average."""
    shown = times[-1] - times[0]
    return shown + (end - times[-1] or round(shown / max(1, len(times) - 1)))


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


def _check_bytes(file: str | BinaryIO, max_bytes: int | None) -> None:
    if max_bytes is None:
        return
    if isinstance(file, str):
        size = Path(file).stat().st_size
    else:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
    if size > max_bytes:
        raise VideoError(
            f"The clip has {size / 2**20:.0f} MiB; at most {max_bytes / 2**20:g} are read. "
            "Cut out the part that matters, or save it smaller."
        )


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
