"""Zip archives: what is in them is looked at before anything is unpacked, and photos are read one by one into memory.

Nothing of an archive is ever written to disk. One that is made to do harm is refused as a whole.
"""

from __future__ import annotations

import io
import os
import re
import stat
import struct
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from virtus.errors import ImageError, InputError
from virtus.media.images import check_bytes
from virtus.media.kinds import NUM_FIRST_BYTES, FileKind, LeftOut, is_archive_path, kind_of

MAX_MEMBERS = 20_000
MAX_DIRECTORY_BYTES = 256 * MAX_MEMBERS  # of the table of contents: 46 for each entry, and its name
MAX_TOTAL_BYTES = 16 * 2**30  # of all photos, unpacked
MAX_RATIO = 200  # unpacked to packed. Deflate reaches 1032; photos hardly pass 1, flat drawings as BMP 100.
MAX_FIRST_PACKED = 4096  # bytes that are unpacked to see the first ones: a table of codes may stand before them
HARMLESS_BYTES = 16 * 2**20  # less than this is no bomb, whatever its ratio

LOCAL_HEADER = struct.Struct("<4s22xHH")  # signature, then at its end the lengths of name and extra field
SIGNATURE = b"PK\x03\x04"
ENCRYPTED, NAME_IS_UTF8 = 0x1, 0x800  # flag bits
PLAIN_KINDS = (0, stat.S_IFREG, stat.S_IFDIR)  # 0: made where files have no kind
UNSAFE = re.compile(r"[\x00-\x1f\x7f\\]")  # ends a name early, moves a terminal's cursor, or is a slash on Windows
SKIPPED_FOLDER, ICON = "__MACOSX", "Icon\r"  # of macOS: attributes, and a folder's icon with this very name

DAMAGED = "This file in the archive is cut off or damaged. Make the zip again."
NESTED = "An archive within an archive is not opened. Unpack it, and give its photos."
METHOD = "This file is packed in a way that is not read. Make the zip again with the usual compression (deflate)."


@dataclass(frozen=True)
class ArchivedFile:
    """A file in a zip archive that was looked at. `str()` is "photos.zip/folder/photo.jpg".

    It holds no open file: it can be handed to other threads and processes.

    Attributes:
        archive: path of the zip.
        member: its name in there.
        num_bytes: its size, unpacked, as the archive declares it.
    """

    archive: str
    member: str
    num_bytes: int
    _num_packed: int = field(repr=False)
    _offset: int = field(repr=False)
    _method: int = field(repr=False)
    _crc: int = field(repr=False)

    def __str__(self) -> str:
        return f"{self.archive}/{self.member}"

    def read(self) -> bytes:
        """Unpack it into memory; never more bytes than the archive declares.

        Raises:
            ImageError: if it is an archive itself, too large, damaged, or other than declared.
        """
        if is_archive_path(self.member):
            raise ImageError(NESTED)
        check_bytes(max(self.num_bytes, self._num_packed))
        try:
            data = self._unpack(self._packed(), self.num_bytes + 1)
        except (OSError, struct.error, zlib.error) as exc:
            raise ImageError(DAMAGED) from exc
        if len(data) > self.num_bytes:
            raise ImageError("This file unpacks to more than the archive declares. It is not read any further.")
        if len(data) < self.num_bytes or zlib.crc32(data) != self._crc:
            raise ImageError(DAMAGED)
        return data

    def read_first_bytes(self) -> bytes:
        """So many as say what it is; none of a damaged one."""
        try:
            return self._unpack(self._packed(MAX_FIRST_PACKED), NUM_FIRST_BYTES)
        except (ImageError, OSError, struct.error, zlib.error):
            return b""

    def _packed(self, max_bytes: int | None = None) -> bytes:
        with Path(self.archive).open("rb") as stream:
            stream.seek(self._offset)
            signature, *lengths = LOCAL_HEADER.unpack(stream.read(LOCAL_HEADER.size))
            if signature != SIGNATURE:
                raise ImageError(DAMAGED)
            stream.seek(sum(lengths), os.SEEK_CUR)
            return stream.read(min(self._num_packed, max_bytes or self._num_packed))

    def _unpack(self, packed: bytes, max_bytes: int) -> bytes:
        if self._method == zipfile.ZIP_STORED:
            return packed
        if self._method != zipfile.ZIP_DEFLATED:
            raise ImageError(METHOD)
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, max_bytes)


@dataclass(frozen=True)
class Archive:
    """What a zip holds.

    Attributes:
        files: its photos, sorted as in a folder; archives within it too, which cannot be read.
        left_out: the other files, by their names in there. Hidden files and folders are not counted.
    """

    files: tuple[ArchivedFile, ...]
    left_out: LeftOut


@dataclass(frozen=True)
class RefusedArchive:
    """A zip that cannot be used, in the place of its files, so that many files do not end with it."""

    path: str
    reason: str

    def __str__(self) -> str:
        return self.path

    def read(self) -> bytes:
        raise ImageError(self.reason)


def open_archive(
    path: str | os.PathLike, *, max_members: int = MAX_MEMBERS, max_bytes: int = MAX_TOTAL_BYTES
) -> Archive:
    """Look at a zip's table of contents, and at the first bytes of files whose names say nothing.

    Args:
        max_members: more entries of any kind are refused.
        max_bytes: more bytes of photos, unpacked, are refused.

    Raises:
        InputError: if it is no zip, holds no photo, is encrypted, too large, or made to do harm: names that lead out of
            it, links, names given twice, parts that share bytes (Fifield 2019, "A better zip bomb"), or photos packed
            more densely than photos can be.
    """
    members = _read_directory(path, max_members)
    for info in members:
        _check_member(info)
    _check_names(members)
    _check_overlap(members)
    files, left_out = [], LeftOut()
    for file in (_as_file(path, info) for info in members if not _is_hidden(info)):
        if (kind := kind_of(file.member, file.read_first_bytes)) in (FileKind.PICTURE, FileKind.ARCHIVE):
            files.append(file)
        else:
            left_out.add(kind, file.member)
    if not files:
        raise InputError(" ".join(["There is no photo in this zip.", *left_out.in_words()]))
    _check_sizes(files, max_bytes)
    return Archive(tuple(sorted(files, key=lambda file: file.member.split("/"))), left_out)


class _Bounded(io.FileIO):
    """`zipfile` reads a whole table of contents at once, as long as it says that it is, and makes objects of it."""

    def read(self, size: int = -1, /) -> bytes:
        if size > MAX_DIRECTORY_BYTES:
            raise InputError("The table of contents of this zip is too long. Make several smaller ones.")
        return super().read(size)


def _read_directory(path: str | os.PathLike, max_members: int) -> list[zipfile.ZipInfo]:
    try:
        with _open(path) as stream, zipfile.ZipFile(stream) as archive:
            members = archive.infolist()
    except InputError:
        raise
    except UnicodeDecodeError as exc:
        raise InputError(
            "A name in this zip is not the UTF-8 that it says. Rename the files and zip them again."
        ) from exc
    except Exception as exc:  # zipfile raises whatever it meets in hostile bytes
        raise InputError("This is not a zip that can be read, or it is damaged or cut off. Make it again.") from exc
    if len(members) > max_members:
        raise InputError(f"There are {len(members)} files in this zip; at most {max_members} are read. Make several.")
    return members


def _open(path: str | os.PathLike) -> BinaryIO:
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):  # a pipe would be waited for
            raise InputError("This is not a regular file. Give a zip.")
        return _Bounded(path)
    except OSError as exc:
        raise InputError(f"The zip cannot be read ({exc.strerror or exc}). Check its path and permissions.") from exc


def _check_member(info: zipfile.ZipInfo) -> None:
    name = _name(info)
    if name.startswith("/") or name[1:2] == ":" or ".." in name.split("/") or UNSAFE.search(name.removesuffix(ICON)):
        raise InputError(f"This zip is refused: the name {name!r:.99} in it could lead out of it, or deceive.")
    if stat.S_IFMT(info.external_attr >> 16) not in PLAIN_KINDS:
        raise InputError(f"This zip is refused: {name!r:.99} in it is a link or a device. Zip the photos themselves.")
    if info.flag_bits & ENCRYPTED:
        raise InputError("This zip is encrypted. Make one without a password.")


def _check_names(members: list[zipfile.ZipInfo]) -> None:
    name, count = Counter(map(_name, members)).most_common(1)[0] if members else ("", 0)
    if count > 1:
        raise InputError(f"This zip is refused: {name!r:.99} is in it {count} times. Make it again.")


def _check_overlap(members: list[zipfile.ZipInfo]) -> None:
    """No two may share bytes: what is unpacked is then in sum no longer than the zip, and grows by deflate's ratio.

    Name and extra field, which stand between a header and its data, are left out: their lengths are not in the table of
    contents, and the sum is bounded without them.
    """
    end = 0
    for start, length in sorted((info.header_offset, LOCAL_HEADER.size + info.compress_size) for info in members):
        if start < end:
            raise InputError("This zip is refused: files in it share their bytes, as in a zip bomb.")
        end = start + length


def _check_sizes(files: list[ArchivedFile], max_bytes: int) -> None:
    total = sum(file.num_bytes for file in files)
    if total > max_bytes:
        unpacked, most = (f"{size / 2**20:,.0f} MiB" for size in (total, max_bytes))
        raise InputError(f"The photos in this zip have {unpacked} unpacked; at most {most} are read. Make several.")
    packed = sum(file._num_packed for file in files)
    for name, size, taken in [*((repr(f.member), f.num_bytes, f._num_packed) for f in files), ("it", total, packed)]:
        if size > max(HARMLESS_BYTES, MAX_RATIO * taken):
            raise InputError(f"This zip is refused: {name:.99} unpacks to more than {MAX_RATIO} times its size.")


def _as_file(path: str | os.PathLike, info: zipfile.ZipInfo) -> ArchivedFile:
    sizes = (info.file_size, info.compress_size)
    return ArchivedFile(os.fspath(path), _name(info), *sizes, info.header_offset, info.compress_type, info.CRC)


def _name(info: zipfile.ZipInfo) -> str:
    """Its whole name: `filename` ends at a null byte. macOS writes UTF-8 without saying so."""
    name = info.orig_filename
    if info.flag_bits & NAME_IS_UTF8:
        return name
    try:
        return name.encode("cp437").decode("utf-8")
    except UnicodeDecodeError:
        return name


def _is_hidden(info: zipfile.ZipInfo) -> bool:
    """A folder's own entry, and what a file manager would not show."""
    name = _name(info)
    parts = PurePosixPath(name).parts
    return name.endswith("/") or any(part.startswith(".") or part in (SKIPPED_FOLDER, ICON) for part in parts)
