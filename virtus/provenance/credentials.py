"""C2PA content credentials: that there are some, and, where the extra `c2pa` is installed, what they say."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from virtus.provenance.findings import ANYONE, Finding, Kind, clean
from virtus.provenance.generators import source_finding

READER = Path(__file__).with_name("credentials_reader.py")
TIMEOUT_S = 15.0
MAX_ACTIONS = 8

EMBEDDED = "C2PA manifest"
NOT_READ = "There are content credentials in the file. To read them, install the extra: pip install 'virtus[c2pa]'."
BROKEN = (
    "There are content credentials in the file, but they cannot be read: damaged, cut off, or of a kind that the "
    "reader does not know. Programs that do not know credentials damage them when they save a picture."
)
FITS = (
    "The signature fits the content: nothing was changed since it was signed. Who signed was not checked against a "
    "list of trusted signers, and anyone can make a certificate in any name."
)
FITS_NOT = (
    "The signature does not fit the content: the file was changed after it was signed, or the credentials were "
    "taken from another file. Honest photos come to that too, in programs that do not know credentials."
)
SIGNED = "It was signed with the picture; but anyone can sign such a claim, and remove it."
NOT_SIGNED = "The signature does not fit, so this may be about another picture."
ELSEWHERE_MEANS = (
    "The file names a place on the web where its content credentials lie. Nothing was fetched: that would tell the "
    f"place that you have the picture. {ANYONE}"
)


def credentials_findings(data: bytes, mime: str) -> Iterator[Finding]:
    """What the embedded manifest of a picture says, offline; one finding that says why, if it cannot be read."""
    if not can_read():
        yield Finding(Kind.CREDENTIALS, "Content credentials (C2PA), not read", EMBEDDED, NOT_READ)
        return
    store = read_store(data, mime)
    findings = list(store_findings(store)) if store else []
    yield from findings or [Finding(Kind.CREDENTIALS, "Content credentials (C2PA), unreadable", EMBEDDED, BROKEN)]


def can_read() -> bool:
    """Whether the extra `c2pa` is installed."""
    return importlib.util.find_spec("c2pa") is not None


def read_store(data: bytes, mime: str) -> dict | None:
    """The manifest store as c2pa's JSON, read and checked in a process of its own; None if that fails."""
    command = [sys.executable, "-P", str(READER), mime]  # -P: the modules beside it are not for it
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=TIMEOUT_S)
        store = json.loads(done.stdout) if done.returncode == 0 else None
    except (OSError, subprocess.TimeoutExpired, ValueError, RecursionError):
        return None
    return store if isinstance(store, dict) else None


def remote_finding(address: str) -> Finding | None:
    """Credentials that lie elsewhere, as an XMP packet names them; None if that is no address on the web."""
    try:
        host = urlsplit(address).hostname if address.startswith(("http://", "https://")) else None
    except ValueError:
        return None
    what = f"Content credentials (C2PA) at {clean(host, 60)}, not fetched" if host else ""
    return Finding(Kind.CREDENTIALS, what, "XMP dcterms:provenance", ELSEWHERE_MEANS) if what else None


def store_findings(store: Mapping) -> Iterator[Finding]:
    """The active manifest: who made and signed it and whether that holds; then the source types of it and of the
    pictures that went into it. Names of people and serial numbers in it are left out."""
    manifests = _mapping(store.get("manifests"))
    active = store.get("active_manifest")
    manifest = _mapping(manifests.get(active) if isinstance(active, str) else None)
    if not manifest:
        return
    fits = store.get("validation_state") in ("Valid", "Trusted")
    yield Finding(Kind.CREDENTIALS, _summary(manifest, fits), EMBEDDED, FITS if fits else FITS_NOT)
    caution = SIGNED if fits else NOT_SIGNED
    yield from _source_types(manifest, EMBEDDED, caution)
    for label, other in manifests.items():
        if label != active:
            yield from _source_types(_mapping(other), f"{EMBEDDED} of a picture that went into it", caution)


def _summary(manifest: Mapping, fits: bool) -> str:
    program = _program(next(iter(_list(manifest.get("claim_generator_info"))), manifest.get("claim_generator")))
    signer = _text(_mapping(manifest.get("signature_info")).get("issuer"))
    done = dict.fromkeys(_text(action.get("action")).removeprefix("c2pa.") for action in _actions(manifest))
    parts = (
        "Content credentials (C2PA)",
        f"written by {program}" if program else "",
        f"signed in the name of {signer}" if signer else "",
        f"actions: {', '.join(list(done)[:MAX_ACTIONS])}" if done else "",
        "signature fits" if fits else "signature does not fit",
    )
    return "; ".join(filter(None, parts))


def _source_types(manifest: Mapping, where: str, caution: str) -> Iterator[Finding]:
    for action in _actions(manifest):
        if source := _text(action.get("digitalSourceType"), 200):
            by = _program(action.get("softwareAgent"))
            yield source_finding(source, f"{where}, action {_text(action.get('action'))}", by=by, caution=caution)


def _actions(manifest: Mapping) -> list[Mapping]:
    assertions = [_mapping(assertion) for assertion in _list(manifest.get("assertions"))]
    of_actions = [a for a in assertions if str(a.get("label", "")).startswith("c2pa.actions")]
    return [_mapping(action) for a in of_actions for action in _list(_mapping(a.get("data")).get("actions"))]


def _program(agent: object) -> str:
    """Name and version of a program, which is a text in older manifests."""
    if isinstance(agent, str):
        return _text(agent)
    named = _mapping(agent)
    return f"{_text(named.get('name'))} {_text(named.get('version'), 20)}".strip()


def _text(value: object, limit: int = 60) -> str:
    return clean(value, limit) if isinstance(value, str) else ""


def _mapping(value: object) -> Mapping:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list:
    return value if isinstance(value, list) else []
