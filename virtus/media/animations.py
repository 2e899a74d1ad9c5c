"""Pictures that move (GIF, WebP, APNG, AVIF): how many frames they have, and a few of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image, ImageChops

from virtus.media.containers import count_gif_pictures, png_chunks

# Of all frames that are decoded for one animation: each is made of the one before, and takes a core 10 s for so many,
# 13 s where all are compared because they are the same.
MAX_DECODED_PIXELS = 1_000_000_000
MAX_FRAMES = 10_000  # that are counted
USUAL_MS = 100  # that a frame is shown which says nothing of it, or next to no time: what browsers do
LEAST_MS = 10


@dataclass
class Animation:
    """An open animation, to be gone through once.

    Attributes:
        num_frames: that it has; more than `MAX_FRAMES` are not counted.
        first: index of the first frame that is shown: an APNG may begin with a picture for those who show none.
        duration_s: of the frames that were gone through.
        whole: whether none of them was damaged, and all were within the limits.
    """

    image: Image.Image
    num_frames: int
    first: int = 0
    duration_s: float = 0.0
    whole: bool = True

    @property
    def num_readable(self) -> int:
        """Of its frames from the beginning, those that are decoded at most."""
        return min(self.num_frames, max(2, MAX_DECODED_PIXELS // (self.image.width * self.image.height)))

    def evenly_spaced(self, num_frames: int) -> list[int]:
        """The indices in the middles of equal slices; of all frames that are read, if there are no more."""
        total = self.num_readable
        if num_frames >= total:
            return list(range(total))
        return [total * (2 * part + 1) // (2 * num_frames) for part in range(num_frames)]

    def frames(self, indices: Sequence[int]) -> Iterator[tuple[Image.Image, float]]:
        """The frames with these indices as Pillow has them, and when they are shown, in seconds; none behind damage."""
        self.whole = self.num_readable == self.num_frames
        for index in range(self.num_readable):
            try:
                self.image.seek(self.first + index)
                self.image.load()
            except Exception:  # readers raise whatever their C code meets: the rest is damaged or cut off
                self.whole = False
                return
            if index in indices:
                frame = self.image.copy()
                frame.format = self.image.format
                yield frame, self.duration_s
            shown_ms = self.image.info.get("duration") or 0
            self.duration_s += (shown_ms if shown_ms > LEAST_MS else USUAL_MS) / 1000


def animation_of(image: Image.Image, data: bytes) -> Animation | None:
    """The animation that an open picture is; None for a photo: of one frame, or of frames that are all the same.

    All that can be read are compared, until one differs: of a few of them, frames that alternate may be all alike.

    Args:
        image: at its first frame; left at another.
        data: the file that it was opened from.
    """
    first = int(bool(image.info.get("default_image")))
    animation = Animation(image, count_frames(image, data), first)
    if animation.num_frames < 2:
        return None
    frames = (frame.convert("RGBA") for frame, _ in animation.frames(range(animation.num_readable)))
    shown = next(frames, None)
    moves = shown is not None and any(ImageChops.difference(shown, frame).getbbox(alpha_only=False) for frame in frames)
    return Animation(image, animation.num_frames, first) if moves else None


def count_frames(image: Image.Image, data: bytes) -> int:
    """How many an open picture shows; 1 of a photo, up to `MAX_FRAMES`.

    What Pillow would count in minutes, or take from a claim, is counted here. Pages of a TIFF, and pictures of an MPO
    or HEIC, are no frames.
    """
    if image.format == "GIF":
        return count_gif_pictures(data, MAX_FRAMES)
    if image.format == "PNG" and getattr(image, "is_animated", False):
        controls = sum(part.kind == b"fcTL" for part in png_chunks(data))
        return min(controls, MAX_FRAMES - int(bool(image.info.get("default_image"))))
    return min(getattr(image, "n_frames", 1), MAX_FRAMES) if image.format in ("WEBP", "AVIF") else 1
