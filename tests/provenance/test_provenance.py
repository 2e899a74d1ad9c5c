"""What a picture's own file says of its origin: each kind by files made by hand, and what must never come out."""

import json
import socket
import struct

import pillow_heif
import pytest

from tests.support.provenance_files import SOURCE_TYPES, TRAINED, exif, picture, png_with, png_with_chunk, with_xmp, xmp
from virtus.provenance import Provenance, read_provenance
from virtus.provenance.fields import EXIF_TAGS
from virtus.provenance.findings import UNKNOWN, Kind
from virtus.provenance.generators import SOURCE_WORDS

pillow_heif.register_heif_opener()

A1111 = (
    "portrait of jane owner\nNegative prompt: blurry\n"
    "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Model hash: abc, Model: realVis_v5, Version: v1.9.4"
)
COMFY = json.dumps({"4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sd\\flux-dev.safetensors"}}})


def said(data):
    """What was found, without what it means."""
    return [(finding.kind, finding.what, finding.where) for finding in read_provenance(data).findings]


def test_a_file_that_says_nothing_is_unknown_and_not_suspicious():
    provenance = read_provenance(picture("JPEG"))
    assert provenance == Provenance()
    assert not provenance.known
    assert list(provenance.lines()) == [UNKNOWN]
    assert provenance.to_json() == {"known": False, "statement": UNKNOWN, "findings": []}
    assert "neither of a fake nor of a real photo" in UNKNOWN


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", b"no picture", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP"])
def test_what_is_no_picture_gives_nothing(data):
    assert read_provenance(data) == Provenance()


def picture_with_exif(kind, tags):
    """Pillow leaves the parts of EXIF out of a TIFF; but EXIF is one, if one without pixels."""
    return tags.tobytes().removeprefix(b"Exif\0\0") if kind == "TIFF" else picture(kind, exif=tags)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"])
def test_the_camera_and_the_software_of_exif(kind):
    tags = exif(Make="Canon", Model="Canon EOS 5D", Software="GIMP 2.10", taken="2020:01:02 10:11:12")
    assert said(picture_with_exif(kind, tags)) == [
        (Kind.SOFTWARE, "Software: GIMP 2.10", "EXIF Software"),
        (
            Kind.CAMERA,
            "Camera: Canon EOS 5D, 2020-01-02 10:11 by its clock",
            "EXIF Make, Model, DateTimeOriginal",
        ),
    ]


def test_a_maker_who_is_not_in_the_models_name_stands_before_it():
    assert said(picture("JPEG", exif=exif(Make="NIKON CORPORATION", Model="Z 6"))) == [
        (Kind.CAMERA, "Camera: NIKON CORPORATION Z 6", "EXIF Make, Model")
    ]


def test_imagemagicks_profiles_in_png():
    raw = exif(Make="Apple", Model="iPhone 12").tobytes()
    profile = f"\nexif\n{len(raw):8}\n{raw.hex()}\n"
    assert said(png_with(**{"Raw profile type exif": profile})) == [
        (Kind.CAMERA, "Camera: Apple iPhone 12", "EXIF Make, Model")
    ]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"])
def test_places_serial_numbers_and_people_never_come_out(kind):
    tags = exif(Make="Sony", Model="A7", Artist="Jane Owner", HostComputer="Jane's Mac", gps=True)
    data = picture_with_exif(kind, tags)
    assert b"4711" in data
    provenance = read_provenance(data)
    shown = json.dumps(provenance.to_json()) + "\n".join(provenance.lines())
    assert "Sony A7" in shown
    assert [word for word in ("Jane", "4711", "0815", "51", "GPS") if word in shown] == []


def test_people_in_xmp_never_come_out():
    packet = xmp(
        "<dc:description>Jane Owner at 51.5 N</dc:description><dc:creator>Jane Owner</dc:creator>",
        photoshop__Credit="Jane Owner",
        exif__GPSLatitude="51,28.6N",
    )
    assert said(with_xmp(packet, "JPEG")) == []


def test_the_tags_of_places_serial_numbers_and_owners_are_not_among_those_that_are_read():
    assert EXIF_TAGS.keys().isdisjoint({0x8825, 0xA430, 0xA431, 0xA435, 0xC62F, 0x013B, 0x013C, 0x8298})


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF", "HEIF"])
@pytest.mark.parametrize(
    "packet",
    [
        xmp(Iptc4xmpExt__DigitalSourceType=TRAINED),
        xmp(f"<Iptc4xmpExt:DigitalSourceType>{TRAINED}</Iptc4xmpExt:DigitalSourceType>"),
        xmp(f'<Iptc4xmpExt:DigitalSourceType rdf:resource="{TRAINED}"/>'),
    ],
    ids=["attribute", "element", "resource"],
)
def test_the_digital_source_type_of_xmp(kind, packet):
    assert said(with_xmp(packet, kind)) == [
        (
            Kind.SOURCE_TYPE,
            "Digital source type: made by generative AI (trainedAlgorithmicMedia)",
            "XMP Iptc4xmpExt:DigitalSourceType",
        )
    ]


@pytest.mark.parametrize("code", SOURCE_WORDS)
def test_each_known_source_type_is_said_in_words(code):
    (finding,) = read_provenance(with_xmp(xmp(Iptc4xmpExt__DigitalSourceType=SOURCE_TYPES + code), "JPEG")).findings
    assert finding.what == f"Digital source type: {SOURCE_WORDS[code][0]} ({code})"
    assert finding.meaning.endswith("Anyone can write, copy or remove this.")


def test_an_unknown_source_type_is_named():
    (finding,) = read_provenance(with_xmp(xmp(Iptc4xmpExt__DigitalSourceType=SOURCE_TYPES + "new"), "JPEG")).findings
    assert finding.what == "Digital source type: a kind that is not known here (new)"


def test_what_a_packet_says_of_other_pictures_is_not_said_of_this_one():
    nested = f'<rdf:Description Iptc4xmpExt:DigitalSourceType="{TRAINED}" xmp:CreatorTool="Midjourney"/>'
    packet = xmp(f"<dc:source><rdf:Bag><rdf:li>{nested}</rdf:li></rdf:Bag></dc:source>", xmp__CreatorTool="Lightroom")
    assert said(with_xmp(packet, "JPEG")) == [(Kind.SOFTWARE, "Software: Lightroom", "XMP xmp:CreatorTool")]


def test_extended_xmp_of_jpeg_is_read():
    body = b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + bytes(8) + xmp(xmp__CreatorTool="Lightroom")
    data = picture("JPEG")
    segment = b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
    assert said(data[:2] + segment + data[2:]) == [(Kind.SOFTWARE, "Software: Lightroom", "XMP xmp:CreatorTool")]


def test_ai_systems_of_iptc_2025_and_no_prompt_writer():
    packet = xmp(
        "<Iptc4xmpExt:AIPromptWriterName>Jane Owner</Iptc4xmpExt:AIPromptWriterName>",
        Iptc4xmpExt__AISystemUsed="Painter",
        Iptc4xmpExt__AISystemVersionUsed="3",
        Iptc4xmpExt__AIPromptInformation="portrait of jane owner",
    )
    found = read_provenance(with_xmp(packet, "JPEG"))
    assert [finding.what for finding in found.findings] == [
        "Image generator: Painter 3",
        "Image generator: a prompt for one",
    ]
    assert "jane" not in json.dumps(found.to_json()).lower()


@pytest.mark.parametrize(
    ("texts", "what", "where"),
    [
        (
            {"parameters": A1111},
            "AUTOMATIC1111, or a program that writes as it does, model realVis_v5",
            "PNG text “parameters”",
        ),
        ({"prompt": COMFY, "workflow": '{"nodes": []}'}, "ComfyUI, model flux-dev.safetensors", "PNG text “prompt”"),
        ({"workflow": '{"nodes": []}'}, "ComfyUI", "PNG text “workflow”"),
        ({"invokeai_metadata": '{"model": {"name": "sdxl"}}'}, "InvokeAI, model sdxl", "PNG text “invokeai_metadata”"),
        ({"sd-metadata": '{"model_weights": "sd-1.5"}'}, "InvokeAI, model sd-1.5", "PNG text “sd-metadata”"),
        (
            {"Software": "NovelAI", "Source": "NovelAI Diffusion V4", "Comment": '{"uc": "", "sampler": "k"}'},
            "NovelAI, model NovelAI Diffusion V4",
            "PNG text “Source”",
        ),
        ({"parameters": '{"sui_image_params": {"model": "a/b"}}'}, "SwarmUI, model b", "PNG text “parameters”"),
        (
            {"parameters": '{"base_model": "jugg", "version": "Fooocus v2"}', "fooocus_scheme": "fooocus"},
            "Fooocus, model jugg",
            "PNG text “parameters”",
        ),
        ({"Description": "jane Job ID: 0a1b2c3d-0000"}, "Midjourney", "PNG text “Description”"),
        ({"prompt": "portrait of jane owner", "seed": "1"}, "not named", "PNG text “prompt”"),
        ({"parameters": '{"sui_image_params": ' + "[" * 100_000}, "SwarmUI", "PNG text “parameters”"),
    ],
)
def test_the_texts_of_image_generators(texts, what, where):
    found = read_provenance(png_with(**texts))
    assert said(png_with(**texts)) == [(Kind.GENERATOR, f"Image generator: {what}", where)]
    assert "jane" not in json.dumps(found.to_json()).lower()


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
@pytest.mark.parametrize("coded", [b"UNICODE\0" + A1111.encode("utf-16-be"), b"UNICODE\0" + A1111.encode("utf-16-le"),
                                   b"ASCII\0\0\0" + A1111.encode()])  # fmt: skip
def test_generators_in_the_user_comment(kind, coded):
    program = "AUTOMATIC1111, or a program that writes as it does"
    assert said(picture(kind, exif=exif(comment=coded))) == [
        (Kind.GENERATOR, f"Image generator: {program}, model realVis_v5", "EXIF UserComment")
    ]


def test_comfyui_keeps_its_graph_where_the_camera_belongs():
    assert said(picture("WEBP", exif=exif(Model=f"prompt:{COMFY}", Make='workflow:{"nodes": []}'))) == [
        (Kind.GENERATOR, "Image generator: ComfyUI, model flux-dev.safetensors", "EXIF Model “prompt”")
    ]


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (picture("JPEG", exif=exif(Software="Adobe Firefly 3")), "EXIF Software"),
        (png_with(Software="Adobe Firefly 3"), "PNG text “Software”"),
        (with_xmp(xmp(xmp__CreatorTool="Adobe Firefly 3"), "JPEG"), "XMP xmp:CreatorTool"),
    ],
)
def test_generators_by_name(data, where):
    assert said(data) == [(Kind.GENERATOR, "Image generator: Adobe Firefly 3", where)]


def test_of_a_credit_line_only_the_generator_comes_out():
    data = with_xmp(xmp(photoshop__Credit="Jane Owner, Made with Google AI, for Jane Owner"), "JPEG")
    assert said(data) == [(Kind.GENERATOR, "Image generator: Made with Google AI", "XMP photoshop:Credit")]


def test_the_maker_of_a_generator_is_no_camera():
    (finding,) = read_provenance(picture("JPEG", exif=exif(Make="Black Forest Labs", Model="flux-dev"))).findings
    assert (finding.kind, finding.what) == (Kind.GENERATOR, "Image generator: Black Forest Labs flux-dev")


def test_a_path_to_a_program_is_cut_to_its_name():
    assert said(png_with(Software="C:\\Users\\Jane\\paint.exe")) == [
        (Kind.SOFTWARE, "Software: paint.exe", "PNG text “Software”")
    ]


@pytest.mark.parametrize(
    "data",
    [
        with_xmp(xmp("<TC260:AIGC>{&quot;Label&quot;: &quot;1&quot;}</TC260:AIGC>"), "PNG"),
        png_with(AIGC='{"Label": "1", "ContentProducer": "x"}'),
        picture("JPEG", exif=exif(comment=b'ASCII\0\0\0{"AIGC": {"Label": 1, "ContentProducer": "x"}}')),
    ],
)
def test_the_label_of_chinas_standard(data):
    assert [(kind, what) for kind, what, _ in said(data)] == [(Kind.SOURCE_TYPE, "AIGC label: made by AI")]


def test_texts_after_the_pixels_are_read():
    assert said(png_with_chunk(b"tEXt", b"Software\0GIMP")) == [
        (Kind.SOFTWARE, "Software: GIMP", "PNG text “Software”")
    ]


def test_nothing_is_asked_of_the_network(monkeypatch):
    def refuse(*_arguments, **_options):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    packet = xmp(
        dcterms__provenance="https://example.com/private/manifest.c2pa", Iptc4xmpExt__DigitalSourceType=TRAINED
    )
    found = read_provenance(with_xmp(packet, "JPEG"))
    assert [finding.what for finding in found.findings] == [
        "Content credentials (C2PA) at example.com, not fetched",
        "Digital source type: made by generative AI (trainedAlgorithmicMedia)",
    ]
    assert "private" not in json.dumps(found.to_json())
