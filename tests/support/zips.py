"""Zip archives made byte by byte, as hostile ones are."""

import io
import struct
import zlib
from dataclasses import dataclass

LOCAL, CENTRAL = "<4s5H3I2H", "<4s6H3I5H2I"
STORED, DEFLATED = 0, 8


def deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


@dataclass
class Entry:
    """A file, and what the table of contents says of it; `None` is the truth."""

    name: bytes
    data: bytes = b""
    method: int = DEFLATED
    flags: int = 0
    mode: int = 0
    size: int | None = None
    offset: int | None = None
    crc: int | None = None

    def packed(self) -> bytes:
        return deflate(self.data) if self.method == DEFLATED else self.data

    def header(self, form: str, *rest: int) -> bytes:
        known = self.size if self.size is not None else len(self.data)
        crc = self.crc if self.crc is not None else zlib.crc32(self.data)
        signature = b"PK\3\4" if form == LOCAL else b"PK\1\2"
        versions = (20,) if form == LOCAL else (0x0314, 20)
        fields = (*versions, self.flags, self.method, 0, 0, crc, len(self.packed()), known, len(self.name), 0)
        return struct.pack(form, signature, *fields, *rest) + self.name


def make_zip(path, entries):
    """Write the entries one after the other, then the table of contents."""
    body, table = io.BytesIO(), io.BytesIO()
    for entry in entries:
        offset = body.tell() if entry.offset is None else entry.offset
        table.write(entry.header(CENTRAL, 0, 0, 0, entry.mode << 16, offset))
        if entry.offset is None:
            body.write(entry.header(LOCAL) + entry.packed())
    count = min(len(entries), 0xFFFF)
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, table.tell(), body.tell(), 0)
    path.write_bytes(body.getvalue() + table.getvalue() + end)
    return path
