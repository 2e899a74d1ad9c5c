"""Python without a network: every attempt to reach another machine fails, and is written down."""

from pathlib import Path

CODE = """
import os, socket

def _note(what, address):
    with open(os.environ["ATTEMPTS"], "a") as file:
        file.write(f"{what} {address!r}\\n")
    raise OSError("there is no network in this test")

def _is_outside(host):
    host = host.decode() if isinstance(host, bytes) else host
    return host not in (None, "", "localhost", "0.0.0.0", "::1", "::") and not host.startswith("127.")

def _guarded(name):
    original = getattr(socket.socket, name)
    def guarded(self, *args):
        address = args[-1]
        if self.family != getattr(socket, "AF_UNIX", None) and isinstance(address, tuple) and _is_outside(address[0]):
            _note(name, address)
        return original(self, *args)
    return guarded

for name in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, name, _guarded(name))
_resolve = socket.getaddrinfo

def getaddrinfo(host, *args, **kwargs):
    if _is_outside(host):
        _note("getaddrinfo", host)
    return _resolve(host, *args, **kwargs)

socket.getaddrinfo = getaddrinfo
"""


def without_network(folder: Path) -> dict[str, str]:
    """The environment for a Python process without a network; the file `attempts` in `folder` lists what it tried."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(CODE)
    (folder / "attempts").touch()
    return {"PYTHONPATH": str(folder), "ATTEMPTS": str(folder / "attempts"), "HF_HUB_OFFLINE": "1"}
