"""A clip's file, opened: only as a clip, only from this machine, and only within limits."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from virtus.errors import VideoError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

# Only these containers are ever opened: FFmpeg also knows playlists, which name other files and addresses.
FORMATS = "mov,matroska,avi,mpeg,mpegts,flv,asf,ogg"
SUPPORTED = "an MP4, MOV, WebM, MKV or AVI file"

VideoSource = str | os.PathLike | bytes | BinaryIO


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


def check_frame_size(width: int, height: int, max_pixels: int) -> None:
    """Refuse frames that are too large.

    Raises:
        VideoError: for more than `max_pixels`.
    """
    if width * height > max_pixels:
        limit = f"{max_pixels / 1e6:.0f} million" if max_pixels >= 1_000_000 else f"{max_pixels}"
        raise VideoError(f"The clip has {width}x{height} pixels; at most {limit} are read. Scale it down.")


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
