"""C2PA content credentials: signed on the spot, read back, damaged, hidden, and never fetched from anywhere."""

import io
import json
import socket
import threading

import pillow_heif
import pytest

from tests.support.provenance_files import SOURCE_TYPES, Signer, picture
from virtus.provenance import credentials, read_provenance
from virtus.provenance.credentials import FITS, FITS_NOT, NOT_SIGNED, SIGNED, read_store, store_findings
from virtus.provenance.findings import Kind

c2pa = pytest.importorskip("c2pa", reason="the extra c2pa is not installed")
pillow_heif.register_heif_opener()

MIMES = {
    "JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "TIFF": "image/tiff", "GIF": "image/gif",
    "AVIF": "image/avif", "HEIF": "image/heic",
}  # fmt: skip


@pytest.fixture(scope="module")
def signer():
    return Signer()


@pytest.fixture(scope="module")
def signed(signer):
    """A signed JPEG."""
    return signer.sign(picture("JPEG"), "image/jpeg")


@pytest.fixture
def web():
    """A server on loopback that knows nothing: its address, and all that it was asked."""
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    asked.append(connection.recv(1000))
                    connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", asked
        server.shutdown(socket.SHUT_RDWR)


def read_with(settings, data):
    """The library itself, as its users would call it."""
    with c2pa.Context(c2pa.Settings.from_dict(settings)) as context:
        return c2pa.Reader("image/jpeg", io.BytesIO(data), context=context).json()


@pytest.mark.parametrize("kind", MIMES)
def test_signed_credentials_are_read_from_each_kind_of_file(kind, signer):
    found = read_provenance(signer.sign(picture(kind), MIMES[kind])).findings
    assert [(finding.kind, finding.what, finding.meaning) for finding in found] == [
        (
            Kind.CREDENTIALS,
            "Content credentials (C2PA); written by Throwaway Painter 3; signed in the name of Throwaway Newsroom; "
            "actions: created; signature fits",
            FITS,
        ),
        (
            Kind.SOURCE_TYPE,
            "Digital source type: made by generative AI (trainedAlgorithmicMedia), by Painter",
            "Declared by who wrote the file. Most programs that write this made the whole picture. " + SIGNED,
        ),
    ]


def test_the_signers_person_and_serial_number_never_come_out(signed):
    store = json.dumps(read_store(signed, "image/jpeg"))
    assert "Jane Owner" in store
    assert "cert_serial_number" in store
    shown = json.dumps(read_provenance(signed).to_json())
    assert "Jane" not in shown
    assert "serial" not in shown


def test_a_picture_changed_after_signing_says_so(signed):
    damaged = bytearray(signed)
    damaged[-20] ^= 1
    first, second = read_provenance(bytes(damaged)).findings
    assert first.what.endswith("; signature does not fit")
    assert first.meaning == FITS_NOT
    assert second.meaning.endswith(NOT_SIGNED)


def test_credentials_that_cannot_be_read_are_said_to_be_there(signed):
    (finding,) = read_provenance(signed[:1500]).findings
    assert finding.what == "Content credentials (C2PA), unreadable"


def test_without_the_library_credentials_are_said_to_be_there(signed, monkeypatch):
    monkeypatch.setattr(credentials, "can_read", lambda: False)
    (finding,) = read_provenance(signed).findings
    assert finding.what == "Content credentials (C2PA), not read"
    assert "pip install 'virtus[c2pa]'" in finding.meaning


def test_a_remote_manifest_is_named_and_not_fetched(signer, web):
    address, asked = web
    data = signer.sign(picture("JPEG"), "image/jpeg", remote=f"{address}/manifest.c2pa")
    (finding,) = read_provenance(data).findings
    assert finding.what == "Content credentials (C2PA) at 127.0.0.1, not fetched"
    assert read_store(data, "image/jpeg") is None
    assert asked == []
    with pytest.raises(c2pa.C2paError):  # the library's own default
        read_with({}, data)
    assert len(asked) == 1


def test_the_signers_authority_is_not_asked(web):
    address, asked = web
    data = Signer(ocsp=f"{address}/ocsp").sign(picture("JPEG"), "image/jpeg")
    assert read_provenance(data).findings[0].meaning == FITS
    assert asked == []
    read_with({"verify": {"ocsp_fetch": True}}, data)
    assert len(asked) == 1


def test_a_reader_that_dies_or_hangs_harms_nobody(signed, monkeypatch, tmp_path):
    unreadable = "Content credentials (C2PA), unreadable"
    program = tmp_path / "reader.py"
    monkeypatch.setattr(credentials, "READER", program)
    monkeypatch.setattr(credentials, "TIMEOUT_S", 0.5)
    for code in ("import os; os.abort()", "while True: pass", "print('[' * 100_000)", "print('[1]')", "print('{}')"):
        program.write_text(code)
        assert [finding.what for finding in read_provenance(signed).findings] == [unreadable]


@pytest.mark.parametrize(
    "store",
    [
        {},
        {"active_manifest": "a", "manifests": []},
        {"active_manifest": ["a"], "manifests": {"a": {}}},
        {"active_manifest": "a", "manifests": {"a": None}},
    ],
)
def test_a_store_without_a_manifest_says_nothing(store):
    assert list(store_findings(store)) == []


def test_strange_assertions_are_passed_over():
    assertions = [None, {"label": 1}, {"label": "c2pa.actions", "data": [1]}, {"label": "c2pa.actions"}]
    manifest = {"assertions": assertions, "claim_generator_info": "x", "signature_info": 7}
    (finding,) = store_findings({"active_manifest": "a", "manifests": {"a": manifest}})
    assert finding.what == "Content credentials (C2PA); signature does not fit"


def test_ingredients_older_texts_and_trust():
    def manifest(program, source):
        action = {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPES + source, "softwareAgent": "Old"}
        return {
            "claim_generator": program,
            "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action, {"action": "c2pa.edited"}]}}],
        }

    manifests = {"b": manifest("Camera", "digitalCapture"), "a": manifest("Editor", "composite")}
    found = list(store_findings({"active_manifest": "a", "manifests": manifests, "validation_state": "Trusted"}))
    assert [(finding.what, finding.where) for finding in found] == [
        ("Content credentials (C2PA); written by Editor; actions: created, edited; signature fits", "C2PA manifest"),
        (
            "Digital source type: put together of several parts, some perhaps made by AI (composite), by Old",
            "C2PA manifest, action c2pa.created",
        ),
        (
            "Digital source type: taken by a camera (digitalCapture), by Old",
            "C2PA manifest of a picture that went into it, action c2pa.created",
        ),
    ]
