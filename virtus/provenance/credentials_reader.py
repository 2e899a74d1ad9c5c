"""Reads the C2PA manifest of the picture on standard input, and writes it as JSON: a program of its own.

The library is compiled code and the picture a stranger's, so `virtus.provenance.credentials` runs it where a crash, an
endless loop or a flood of memory harms nobody. It imports nothing of Virtus.

Usage: python credentials_reader.py MIME_TYPE < picture
"""

from __future__ import annotations

import io
import sys

MAX_MEMORY = 2 * 2**30  # bytes of address space
MAX_SECONDS = 10  # of processor time
MAX_ANSWER = 4 * 2**20  # characters
OFFLINE = {
    "version": 1,
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": False},
    "core": {"allowed_network_hosts": [], "decode_identity_assertions": False},
}
"""Nothing is fetched: no remote manifests, no revocation lists, no identities on the web. Trust in the signer is not
judged: that takes a list of trusted signers, which changes and would have to be fetched."""


def main() -> None:
    _limit_resources()
    import c2pa

    picture, mime = io.BytesIO(sys.stdin.buffer.read()), sys.argv[1]
    with (
        c2pa.Context(c2pa.Settings.from_dict(OFFLINE)) as context,
        c2pa.Reader(mime, picture, context=context) as reader,
    ):
        answer = reader.json()
    if len(answer) > MAX_ANSWER:
        sys.exit("The manifest is too long.")
    sys.stdout.buffer.write(answer.encode("utf-8"))


def _limit_resources() -> None:
    try:
        import resource
    except ImportError:  # Windows: the caller's time limit is left
        return
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
