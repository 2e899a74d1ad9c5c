"""Pictures in object stores, by address: s3://, gs:// and file://, through pyarrow's file systems."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import filterfalse
from urllib.parse import SplitResult, quote, unquote, urlsplit

from pyarrow.fs import FileSelector, FileSystem, FileType

from virtus.errors import ImageError, InputError
from virtus.media import MAX_BYTES, LeftOut, is_image_path, kind_of

SCHEMES = ("file", "s3", "gs")


@dataclass(frozen=True)
class StoredFile:
    """An object that was fetched, or why it could not be. `str()` is its address."""

    address: str
    content: bytes | ImageError = field(repr=False)

    def __str__(self) -> str:
        return self.address

    def read(self) -> bytes:
        """Its bytes, or the first of them, one more than a picture may have.

        Raises:
            ImageError: if it could not be fetched.
        """
        if isinstance(self.content, ImageError):
            raise self.content
        return self.content


def is_address(path: str) -> bool:
    """Whether it names something in an object store; other paths are of the file system."""
    return path.partition("://")[0].lower() in SCHEMES and "://" in path


def fetch(address: str) -> StoredFile:
    """Read one object into memory: no more of it than a picture may have, and one byte."""
    try:
        store, key = _find(address)
        with store.open_input_stream(key) as stream:
            return StoredFile(address, stream.read(MAX_BYTES + 1))
    except FileNotFoundError:
        return StoredFile(address, ImageError("There is no such object. Check the address."))
    except InputError as exc:
        return StoredFile(address, ImageError(str(exc)))
    except (OSError, ValueError) as exc:  # pyarrow's own errors are both
        return StoredFile(address, ImageError(f"The object cannot be read ({_first_line(exc)})."))


def list_objects(address: str, left_out: LeftOut) -> Iterator[str]:
    """The addresses of the pictures below one, by their names, sorted; itself, where it is an object or nothing.

    Raises:
        InputError: if the store cannot be asked.
    """
    try:
        store, key = _find(address)
        if store.get_file_info(key).type is not FileType.Directory:
            yield address
            return
        found = store.get_file_info(FileSelector(key, recursive=True))
    except (OSError, ValueError) as exc:
        raise InputError(f"{address} cannot be listed ({_first_line(exc)}).") from exc
    addresses = [_address_of(key, urlsplit(address)) for key in sorted(info.path for info in found if info.is_file)]
    for other in filterfalse(is_image_path, addresses):
        left_out.add(kind_of(other), other)
    yield from list(filter(is_image_path, addresses)) or [address]


def _find(address: str) -> tuple[FileSystem, str]:
    parts = urlsplit(address)
    if "@" in parts.netloc and not parts.netloc.startswith("anonymous@"):
        raise InputError("An address must not hold a password: rows repeat it. Set it in the environment.")
    key = unquote(parts.path)
    return _store(parts.scheme, parts.netloc, parts.query), key if parts.scheme == "file" else _bucket(parts) + key


@functools.cache
def _store(scheme: str, netloc: str, query: str) -> FileSystem:
    """One client for each bucket: to make one can take a request."""
    return FileSystem.from_uri(f"{scheme}://{netloc}/" + (f"?{query}" if query else ""))[0]


def _address_of(key: str, like: SplitResult) -> str:
    path = key if like.scheme == "file" else key.removeprefix(_bucket(like))
    return like._replace(path=quote(path)).geturl()


def _bucket(parts: SplitResult) -> str:
    return parts.netloc.removeprefix("anonymous@")


def _first_line(exc: Exception) -> str:
    return str(exc).partition("\n")[0]
