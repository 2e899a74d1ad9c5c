"""When each frame of a clip is shown, read from its packets without decoding any."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from virtus.errors import VideoError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

MAX_PACKETS = 1_000_000  # hours of film; more are no clip but an attack on the memory
MAX_LOST_TAIL_S = 0.5  # a header may claim that much more than there is: sound and picture end at different times


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
            file_end = max(file_end, float(end * packet.time_base))
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
    # Where the last frame does not say how long it is shown: as long as the others on average.
    last = ends[times[-1]] - times[-1] or round((times[-1] - times[0]) / max(1, len(times) - 1))
    claimed_s = (container.duration or 0) / 1_000_000
    return ClipIndex(
        times,
        sorted(packets),
        sorted(keys),
        duration=times[-1] + last - times[0],
        time_base=float(stream.time_base),
        timed=timed,
        whole=whole and file_end >= claimed_s - MAX_LOST_TAIL_S,
    )
