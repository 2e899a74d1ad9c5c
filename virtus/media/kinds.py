"""What a file is, by its name and, where that says nothing, by its first bytes; and what is left out of folders."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from enum import StrEnum
from functools import partial

NUM_FIRST_BYTES = 32
NUM_NAMED = 3  # of the files of a kind that are left out

IMAGE_SUFFIXES = (
    ".jpg .jpeg .jpe .jfif .png .webp .avif .bmp .dib .tif .tiff .gif .heic .heif .hif .mpo .ppm .pgm".split()
)
VIDEO_SUFFIXES = ".mp4 .m4v .mov .3gp .avi .mkv .webm .mpg .mpeg .mts .m2ts .flv .wmv .ogv".split()
# Raw photos begin as a TIFF does, whose first picture is a thumbnail.
UNREAD_SUFFIXES = (
    ".jxl .jp2 .j2k .jpx .jxr .wdp .psd .psb .tga .dng .cr2 .cr3 .crw .nef .nrw .arw .sr2 .raf .orf .rw2 .raw .pef "
    ".srw .x3f .3fr .iiq .erf .kdc .mrw".split()
)
OTHER_SUFFIXES = ".txt .md .csv .json .jsonl .xml .xmp .aae .html .pdf .log .db .ini .py .safetensors".split()

PICTURE_START = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|II\*\0|MM\0\*|RIFF....WEBP|....ftyp(?:hei|hev|mif1|msf1|avi[fs])"
    rb"|BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0",
    re.DOTALL,
)
UNREAD_START = re.compile(rb"\xff\x0a|\0\0\0\x0cJXL |\0\0\0\x0cjP  |8BPS|....ftypcrx ", re.DOTALL)
CLIP_START = re.compile(
    rb"....ftyp(?!M4[AB])|\x1aE\xdf\xa3|RIFF....AVI |FLV\x01|\0\0\x01\xba|0&\xb2u\x8ef\xcf\x11", re.DOTALL
)


class FileKind(StrEnum):
    """What lies in a folder or zip, as far as a scan is concerned."""

    PICTURE = "picture"
    CLIP = "clip"
    UNREAD = "unread"
    ARCHIVE = "archive"
    DEAD_LINK = "dead_link"
    FOLDER_LINK = "folder_link"
    NO_FILE = "no_file"
    OTHER = "other"


KIND_OF_SUFFIX = {
    **dict.fromkeys(IMAGE_SUFFIXES, FileKind.PICTURE),
    **dict.fromkeys(VIDEO_SUFFIXES, FileKind.CLIP),
    **dict.fromkeys(UNREAD_SUFFIXES, FileKind.UNREAD),
    **dict.fromkeys(OTHER_SUFFIXES, FileKind.OTHER),
    ".zip": FileKind.ARCHIVE,
}
# One of the kind, several, and what to do; the kinds in the order in which they are said.
WORDS = {
    FileKind.CLIP: (
        "clip was",
        "clips were",
        "A clip is judged where it is named itself, unpacked, or found by a glob.",
    ),
    FileKind.UNREAD: (
        "picture in a format that is not read was",
        "pictures in formats that are not read were",
        "Save such a picture as JPEG or PNG.",
    ),
    FileKind.DEAD_LINK: ("link to nowhere was", "links to nowhere were", "Mend such a link, or remove it."),
    FileKind.ARCHIVE: ("zip in a folder was", "zips in folders were", "Name a zip itself."),
    FileKind.FOLDER_LINK: ("link to a folder was", "links to folders were", "Name the folder itself."),
    FileKind.NO_FILE: ("pipe, socket or device was", "pipes, sockets and devices were", ""),
    FileKind.OTHER: ("other file was", "other files were", ""),
}
GRAVE = (FileKind.CLIP, FileKind.UNREAD, FileKind.DEAD_LINK, FileKind.ARCHIVE)


def kind_of(name: str | os.PathLike, first_bytes: Callable[[], bytes] = bytes) -> FileKind:
    """What a regular file is.

    Args:
        first_bytes: asked for `NUM_FIRST_BYTES` of it where its suffix is unknown; by default the name alone is asked.
    """
    known = KIND_OF_SUFFIX.get(os.path.splitext(name)[1].lower())  # noqa: PTH122 (of strings too, with no Path for each)
    return known or kind_of_bytes(first_bytes())


def kind_of_bytes(data: bytes) -> FileKind:
    """What a file is that begins so."""
    starts = ((PICTURE_START, FileKind.PICTURE), (UNREAD_START, FileKind.UNREAD), (CLIP_START, FileKind.CLIP))
    return next((kind for start, kind in starts if start.match(data)), FileKind.OTHER)


def read_first_bytes(path: str | os.PathLike) -> bytes:
    """What `kind_of` asks for; none of a file that cannot be read, nor of a pipe, which would be waited for."""
    if not os.path.isfile(path):  # noqa: PTH113 (of names that are too long, `Path` raises)
        return b""
    try:
        with open(path, "rb", buffering=0) as stream:  # noqa: PTH123 (of strings too)
            return stream.read(NUM_FIRST_BYTES)
    except OSError:
        return b""


def is_image_path(path: str | os.PathLike) -> bool:
    """Whether the file's name says that it is a picture."""
    return kind_of(path) is FileKind.PICTURE


def is_video_path(path: str | os.PathLike) -> bool:
    """Whether the file's name says that it is a clip."""
    return kind_of(path) is FileKind.CLIP


def is_clip(path: str | os.PathLike) -> bool:
    """Whether a file is a clip by `kind_of`; its first bytes are read only where its name says nothing."""
    return kind_of(path, partial(read_first_bytes, path)) is FileKind.CLIP


def is_archive_path(path: str | os.PathLike) -> bool:
    """Whether the file's name says that it is an archive that can be looked into."""
    return kind_of(path) is FileKind.ARCHIVE


class LeftOut:
    """What lay in folders and zips and is not judged: counted by kind, the first few named."""

    def __init__(self) -> None:
        self._counts: Counter[FileKind] = Counter()
        self._names: dict[FileKind, list[str]] = defaultdict(list)

    def add(self, kind: FileKind, name: str) -> None:
        """One more."""
        self._counts[kind] += 1
        if len(self._names[kind]) < NUM_NAMED:
            self._names[kind].append(name)

    def merge(self, other: LeftOut, within: str) -> None:
        """All of what lay in another place, whose names do not say where that is."""
        self._counts += other._counts
        for kind, names in other._names.items():
            named = [f"{within}/{name}" for name in names]
            self._names[kind] = [*self._names[kind], *named][:NUM_NAMED]

    @property
    def is_grave(self) -> bool:
        """Whether there was anything that may show a face: pictures, clips, archives, links to who knows what."""
        return any(self._counts[kind] for kind in GRAVE)

    def in_words(self, *, clips: str = "") -> list[str]:
        """A sentence or two for each kind: how many, which, and what to do.

        Args:
            clips: what to do with clips, where they are not named on a command line.
        """
        return [self._said(kind, clips if kind is FileKind.CLIP else "") for kind in WORDS if self._counts[kind]]

    def _said(self, kind: FileKind, mend: str) -> str:
        (one, several, usual), count, names = WORDS[kind], self._counts[kind], self._names[kind]
        more = f" and {count - len(names):,} more" if count > len(names) else ""
        said = f"{count:,} {one if count == 1 else several} left out: {', '.join(names)}{more}."
        return f"{said} {mend or usual}".rstrip()
