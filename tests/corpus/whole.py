"""The sound files that the corpus breaks: one photo in every format, plain or with all that the format can hold."""

from __future__ import annotations

import functools
import io

from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from tests.conftest import EXAMPLES
from virtus.media.images import load_image, register_formats

SIZE = (120, 144)
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>'
SIMPLE = ("png", "bmp", "tif", "ppm")  # one picture and nothing else: none without its last tenth can be read


@functools.cache
def photo() -> Image.Image:
    """A face, small, without what the file says of it."""
    return load_image(EXAMPLES / "grace-hopper.jpg").resize(SIZE)


@functools.cache
def whole_files() -> dict[str, bytes]:
    """Name with suffix to content. Those called plain hold nothing beside their pixels."""
    register_formats()
    tags = {"exif": _exif(), "icc_profile": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()}
    more = {"save_all": True, "append_images": [photo().rotate(90), photo().rotate(180)]}
    return {
        "plain.jpg": encoded("JPEG"),
        "full.jpg": encoded("JPEG", progressive=True, restart_marker_blocks=8, comment=b"a comment", xmp=XMP, **tags),
        "plain.png": encoded("PNG"),
        "full.png": encoded("PNG", pnginfo=_texts(), **tags),
        "plain.gif": encoded("GIF"),
        "animated.gif": encoded("GIF", comment=b"a comment", loop=0, duration=50, **more),
        "plain.webp": encoded("WEBP"),
        "full.webp": encoded("WEBP", xmp=XMP, **tags),
        "animated.webp": encoded("WEBP", lossless=True, **more),
        "plain.tif": encoded("TIFF"),
        "lzw.tif": encoded("TIFF", compression="tiff_lzw"),
        "pages.tif": encoded("TIFF", compression="tiff_adobe_deflate", **more),
        "plain.bmp": encoded("BMP"),
        "plain.ppm": encoded("PPM"),
        "full.avif": encoded("AVIF", xmp=XMP, **tags),
        "full.heic": encoded("HEIF", xmp=XMP, **tags),
        "several.mpo": encoded("MPO", **more),
    }


def encoded(form: str, image: Image.Image | None = None, **options) -> bytes:
    stream = io.BytesIO()
    (image or photo()).save(stream, form, **options)
    return stream.getvalue()


def _exif() -> bytes:
    tags = Image.Exif()
    tags[0x010F], tags[0x0110], tags[0x0112] = "Canon", "EOS", 6
    tags.get_ifd(0x8769)[0x9003] = "2020:01:01 00:00:00"
    return tags.tobytes()


def _texts() -> PngInfo:
    texts = PngInfo()
    texts.add_text("Software", "GIMP")
    texts.add_text("Comment", "packed " * 100, zip=True)
    texts.add_itxt("XML:com.adobe.xmp", XMP.decode())
    return texts
