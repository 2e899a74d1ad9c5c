"""Files that mean harm, or were harmed: reading what they say of their origin neither fails nor takes much memory."""

import contextlib
import random
import struct
import tracemalloc
import zlib

import pillow_heif
import pytest

from tests.support.pictures import greedy_tags
from tests.support.provenance_files import TRAINED, exif, picture, png_chunk, png_with, png_with_chunk, with_xmp, xmp
from virtus.provenance import credentials, read_provenance
from virtus.provenance.fields import MAX_TEXT
from virtus.provenance.findings import MAX_FINDINGS, MAX_SHOWN, Kind, clean

pillow_heif.register_heif_opener()

KINDS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "HEIF", "AVIF")
MUTATIONS = 60  # of each kind


def said(data):
    """What was found, without what it means."""
    return [(finding.kind, finding.what, finding.where) for finding in read_provenance(data).findings]


@contextlib.contextmanager
def peak_below(limit):
    """Fails if Python's memory grows by more than `limit` bytes on the way."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()


def full_picture(kind):
    """A picture with all that this kind can hold, signed."""
    tags = exif(Make="Canon", Model="EOS", Software="GIMP", comment=b"ASCII\0\0\0Steps: 1, Sampler: x", gps=True)
    packet = xmp(Iptc4xmpExt__DigitalSourceType=TRAINED, xmp__CreatorTool="Lightroom")
    if kind == "GIF":
        return with_xmp(packet, kind)
    options = {"tiffinfo": {700: packet}} if kind == "TIFF" else {"exif": tags, "xmp": packet}
    if kind == "PNG":
        return png_with(**{"XML:com.adobe.xmp": packet.decode(), "parameters": "Steps: 1, Sampler: x"})
    return picture(kind, **options)


def mutated(data, rng):
    """Some bytes turned, or the end cut off, or a part of it twice."""
    damaged = bytearray(data)
    for _ in range(rng.choice((1, 3, 30))):
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    cut = rng.randrange(len(damaged))
    return bytes(rng.choice((damaged, damaged[:cut], damaged[:cut] + damaged[cut // 2 :])))


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_never_raise(kind, monkeypatch):
    """With what a reader of credentials could make of the damage: without it, each would start a process."""
    monkeypatch.setattr(credentials, "can_read", lambda: False)
    data, rng = full_picture(kind), random.Random(kind)
    assert read_provenance(data).known
    found = [read_provenance(mutated(data, rng)) for _ in range(MUTATIONS)]
    assert any(provenance.known for provenance in found)
    shown = "".join(finding.what + finding.where for provenance in found for finding in provenance.findings)
    assert shown.isprintable()


@pytest.mark.parametrize("kind", KINDS)
def test_every_cut_of_the_head_is_survived(kind, monkeypatch):
    monkeypatch.setattr(credentials, "can_read", lambda: False)
    data = full_picture(kind)
    for end in range(0, min(len(data), 900), 7):
        read_provenance(data[:end])


def test_a_damaged_text_does_not_hide_the_next_one():
    broken = png_chunk(b"iTXt", b"no end")
    data = picture()[:-12] + broken + png_chunk(b"tEXt", b"Software\0GIMP")
    assert said(data) == [(Kind.SOFTWARE, "Software: GIMP", "PNG text “Software”")]


def test_a_compressed_bomb_is_not_blown_up():
    body = b"parameters\0\0" + zlib.compress(b"Steps: 1, Sampler: " * (4 * 2**20))
    data = png_with_chunk(b"zTXt", body)
    with peak_below(16 * MAX_TEXT):
        assert [what for _, what, _ in said(data)] == [
            "Image generator: AUTOMATIC1111, or a program that writes as it does"
        ]


def test_tags_that_all_claim_the_same_block_do_not_multiply_it():
    block = b"x" * 2**20
    count = 60_000
    entry = struct.pack("<HHII", 0x010F, 2, len(block), 8 + 2 + 12 * count)
    data = b"II*\0" + struct.pack("<IH", 8, count) + entry * count + block
    with peak_below(32 * 2**20):
        assert said(data) == []


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_greedy_tags_are_not_handed_to_pillow(kind):
    data = picture(kind, exif=b"Exif\0\0" + greedy_tags())
    with peak_below(32 * 2**20):
        assert said(data) == []


def test_xmp_with_a_document_type_is_not_expanded():
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    inside = xmp("<xmp:CreatorTool>&e11;</xmp:CreatorTool>").decode().partition("?>")[2]
    bomb = f'<!DOCTYPE x [<!ENTITY e0 "ha">{entities}]>{inside}'.encode()
    with peak_below(2**22):
        assert said(with_xmp(bomb, "PNG")) == []


def test_a_packet_nested_without_end_is_read_once_through():
    """Looking at the whole stack for each element took half a minute."""
    packet = xmp("<xmp:CreatorTool>Lightroom</xmp:CreatorTool>" + "<a>" * 340_000)
    assert said(with_xmp(packet, "PNG")) == [(Kind.SOFTWARE, "Software: Lightroom", "XMP xmp:CreatorTool")]


def test_a_packet_that_is_cut_off_gives_what_stands_before_the_end():
    packet = xmp(xmp__CreatorTool="Lightroom")
    assert said(with_xmp(packet[: packet.index(b"</rdf:RDF>")], "PNG")) == [
        (Kind.SOFTWARE, "Software: Lightroom", "XMP xmp:CreatorTool")
    ]


def test_texts_are_cut_and_freed_of_controls_and_turned_letters():
    (finding,) = read_provenance(png_with(Software="a\u202eb\x1b[31m\n" + "c" * 10_000)).findings
    assert finding.what.startswith("Software: a b [31m ccc")
    assert len(finding.what) == len("Software: ") + MAX_SHOWN
    assert finding.what.isprintable()
    assert clean("\x00\u200b \ud800") == ""


def test_the_number_of_findings_has_a_limit():
    data = picture()[:-12] + b"".join(png_chunk(b"tEXt", b"Software\0program %d" % n) for n in range(1000))
    assert len(read_provenance(data).findings) == MAX_FINDINGS
