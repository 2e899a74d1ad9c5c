"""Sound photos under hostile names, and what stands in a folder but is no file."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from tests.corpus.inputs import Expected
from tests.corpus.whole import whole_files

NAMES = (
    b"two\nlines.jpg", b"return\r.jpg", b"tab\t.jpg", b'quote".jpg', b"comma,.jpg", b"semicolon;.jpg",
    b"=cmd|' !A0.jpg", b"-dash.jpg", b"--help.jpg", b"*.jpg", b"[a].jpg", b"~.jpg", b"$(id).jpg", b"%s%n.jpg",
    b"..jpg.jpg", b".. .jpg", b"back\\slash.jpg", b" .jpg", b"a .jpg", b"\x1b[31mred\x1b[2J.jpg", b"\x7f\x01.jpg",
    b"\xff\xfe.jpg", b"latin-\xe9.jpg", b"half-\xc3.jpg", b"\xed\xb3\xbf.jpg", "\u202egpj.exe.jpg".encode(),
    "\u2028\u2029\x85.jpg".encode(), "\ufeff\u200b.jpg".encode(), "\U0001f600.jpg".encode(),
    "e\u0301\u00e9.jpg".encode(), b"a" * 251 + b".jpg", "é".encode() * 125 + b".jpg", b"{}.jpg", b"null.jpg",
    b"<img src=x onerror=alert(1)>.jpg", b"a.jpg\n{}.jpg",
)  # fmt: skip
LINKS = {"circle-a": "circle-b", "circle-b": "circle-a", "gone": "nowhere", "device": "/dev/zero"}
DEEP, LAST = "d" * 200, "deep.jpg"


def make_names(folder: Path) -> dict[str, Expected]:
    """Put them into a new folder. Path, as a program would be given it, to what must come of it."""
    folder.mkdir(parents=True)
    photo = whole_files()["plain.jpg"]
    made = {str(folder / os.fsdecode(name)): Expected.READ for name in NAMES}
    for path in made:
        Path(path).write_bytes(photo)
    made |= {str(folder / ".." / folder.name / "*.jpg"): Expected.READ}
    return made | _no_files(folder, photo) | _deep(folder, photo)


def _no_files(folder: Path, photo: bytes) -> dict[str, Expected]:
    """Links, pipes, sockets, devices, folders, and files that may not be read or are too large."""
    for name, target in LINKS.items():
        (folder / f"{name}.jpg").symlink_to(target)
    os.mkfifo(folder / "pipe.jpg")
    (folder / "pipe-link.jpg").symlink_to("pipe.jpg")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(folder / "socket.jpg"))
    (folder / "folder.jpg").mkdir()
    with (folder / "sparse.jpg").open("wb") as stream:
        stream.truncate(2**36)
    refused = "circle-a circle-b gone device pipe pipe-link socket folder sparse missing"
    found = {str(folder / f"{name}.jpg"): Expected.REFUSED for name in refused.split()}
    (folder / "link.jpg").symlink_to("~.jpg")
    if os.geteuid() != 0:  # root may read everything
        (folder / "secret.jpg").write_bytes(photo)
        (folder / "secret.jpg").chmod(0)
        found[str(folder / "secret.jpg")] = Expected.REFUSED
    return found | {str(folder / "link.jpg"): Expected.READ}


def _deep(folder: Path, photo: bytes) -> dict[str, Expected]:
    """A path of more than 4096 bytes: made from within, for the system takes none at once."""
    at = os.open(folder, os.O_RDONLY)
    for _ in range(22):
        os.mkdir(DEEP, dir_fd=at)
        within = os.open(DEEP, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = within
    with open(os.open(LAST, os.O_WRONLY | os.O_CREAT, dir_fd=at), "wb") as stream:  # noqa: PTH123
        stream.write(photo)
    os.close(at)
    return {str(folder.joinpath(*[DEEP] * 22, LAST)): Expected.REFUSED, "x" * 5000 + ".jpg": Expected.REFUSED}
