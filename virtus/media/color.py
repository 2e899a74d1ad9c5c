"""What a picture's file says of its colours, and how they become sRGB: embedded ICC profiles, PNG's chunks, nclx."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple, cast

import numpy as np
from PIL import Image, ImageCms

from virtus.media.color_codes import BT709, Chromaticities, codes_to_srgb, differs_from_srgb, gamma_to_srgb

MAX_PROFILE = 2**22  # bytes; those of printers have 0.5 to 2 MiB
TAGS, END_OF_TAGS = 128, 128 + 4 + 12 * 100  # of an ICC profile: where they are listed; Little CMS takes 100 at most
MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}  # by an ICC profile's colour space: what its transform takes
GREYS = ("1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N")
CODES = "cicp"  # in a picture's `info`: primaries and transfer function, by ITU-T H.273

# Pillow's and libpng's gamma is said for most PNGs, and means sRGB unless it is more than 5 % off (libpng's threshold).
SRGB_GAMMA, GAMMA_TOLERANCE, GAMMAS = 1 / 2.2, 0.05, (0.2, 1.25)
POINT_TOLERANCE = 0.005  # of chromaticities

SAME = 2  # levels: who moves no colour by more is sRGB by another name
LEAST_RANGE, LEAST_STEP, MOST_TINT = 128, 12, 60  # levels; see `_is_sane`


class ToSrgb(NamedTuple):
    """How colours become sRGB: strips of pictures in `mode` go in, RGB comes out."""

    mode: str
    apply: Callable[[Image.Image], Image.Image]


def to_srgb(image: Image.Image) -> ToSrgb | None:
    """How the colours of a picture become sRGB; None where they are, nothing is said of them, or what is said is broken
    or absurd: the pixels are then taken as they are."""
    codes, profile = _codes(image), image.info.get("icc_profile")
    if isinstance(profile, bytes) and profile and not (codes and image.format == "PNG"):
        found = _by_profile(profile) if len(profile) <= MAX_PROFILE else None
    else:
        found = _by_codes(*codes) if codes else _by_chunks(image)
    return found if found is not None and _takes(found.mode, image.mode) else None


def _takes(mode: str, image_mode: str) -> bool:
    """Whether pixels of a picture can be brought to what a transform takes, by their meaning: grey ones may carry a
    profile of RGB, inks only one of inks."""
    if mode == "RGB":
        return image_mode not in ("CMYK", "LAB")
    return image_mode in GREYS if mode == "L" else image_mode == mode


def _codes(image: Image.Image) -> tuple[int, int] | None:
    """PNG's cICP, which goes before its profile; or the nclx of a HEIC or AVIF, which goes behind."""
    codes, nclx = image.info.get(CODES), image.info.get("nclx_profile")
    if isinstance(nclx, dict):
        codes = int(nclx["color_primaries"]), int(nclx["transfer_characteristics"])
    return codes if isinstance(codes, tuple) else None


@functools.lru_cache(maxsize=16)
def _by_codes(primaries: int, transfer: int) -> ToSrgb | None:
    if not differs_from_srgb(primaries, transfer):
        return None
    return _by_array(lambda rgb: codes_to_srgb(rgb, primaries, transfer))


def _by_chunks(image: Image.Image) -> ToSrgb | None:
    """PNG's gAMA and cHRM (ISO/IEC 15948, section 12.2), unless sRGB is said besides."""
    gamma, points = image.info.get("gamma"), image.info.get("chromaticity")
    if image.format != "PNG" or "srgb" in image.info or not isinstance(gamma or 0.0, float):
        return None
    if not isinstance(points, tuple) or len(points) != 8 or np.allclose(points, BT709, atol=POINT_TOLERANCE):
        points = None
    if gamma is None or abs(gamma / SRGB_GAMMA - 1) <= GAMMA_TOLERANCE:
        gamma = None
    elif not GAMMAS[0] <= gamma <= GAMMAS[1]:
        return None
    return _by_gamma(gamma, cast("Chromaticities | None", points)) if gamma or points else None


@functools.lru_cache(maxsize=16)
def _by_gamma(gamma: float | None, points: Chromaticities | None) -> ToSrgb | None:
    made = _by_array(lambda rgb: gamma_to_srgb(rgb, gamma, points))
    try:
        return made if _is_sane(made) else None
    except (ArithmeticError, ValueError):  # points that span nothing
        return None


def _by_array(convert: Callable[[np.ndarray], np.ndarray]) -> ToSrgb:
    return ToSrgb("RGB", lambda strip: Image.fromarray(convert(np.asarray(strip))))


@functools.lru_cache(maxsize=16)
def _by_profile(profile: bytes) -> ToSrgb | None:
    """By Little CMS, with the intent that the profile names: perceptual, or relative with black fitted to black."""
    try:
        opened = ImageCms.core.profile_frombytes(_without_programs(profile))
        mode = MODES[opened.xcolor_space.strip()]
        absolute = opened.rendering_intent in (1, 3)
        intent = ImageCms.Intent.RELATIVE_COLORIMETRIC if absolute else ImageCms.Intent.PERCEPTUAL
        flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
        transform = ImageCms.buildTransform(opened, _srgb(), mode, "RGB", intent, flags)
        made = ToSrgb(mode, lambda strip: cast("Image.Image", ImageCms.applyTransform(strip, transform)))
        return made if _is_sane(made) and not _is_srgb(made) else None
    except MemoryError:
        raise
    except Exception:  # whatever its C code meets: the profile is broken
        return None


def _without_programs(profile: bytes) -> bytes:
    """The profile without D2B tags (ICC.1:2022, section 9.2.26), which browsers pass over: lists of steps, of which a
    file of 80 kB kept Little CMS busy for 15 s."""
    return profile[:TAGS] + profile[TAGS:END_OF_TAGS].replace(b"D2B", b"d2b") + profile[END_OF_TAGS:]


@functools.cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _is_srgb(conversion: ToSrgb) -> bool:
    """Whether none of 216 colours, in steps of 51, moves."""
    if conversion.mode != "RGB":
        return False
    steps = np.arange(0, 256, 51, dtype=np.uint8)
    colors = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 6, 3)
    moved = np.asarray(conversion.apply(Image.fromarray(colors))).astype(int) - colors
    return bool(np.abs(moved).max() <= SAME)


def _is_sane(conversion: ToSrgb) -> bool:
    """Whether from black to white it grows lighter without a step back, far enough, with the middle between; white is
    nearly neutral; and red, green and blue stay apart."""
    ramp = Image.fromarray(np.arange(0, 256, 17, dtype=np.uint8)[None])
    if conversion.mode == "CMYK":
        none = Image.new("L", ramp.size)
        ramp = Image.merge("CMYK", (none, none, none, ramp.point(lambda level: 255 - level)))
    shown = np.asarray(conversion.apply(ramp.convert(conversion.mode)))[0].astype(int)
    lightness = shown.mean(axis=1)
    middle = lightness[7:9].mean()
    return bool(
        lightness[-1] - lightness[0] >= LEAST_RANGE
        and np.diff(lightness).min() >= -SAME
        and lightness[0] + LEAST_STEP <= middle <= lightness[-1] - LEAST_STEP
        and np.ptp(shown[-1]) <= MOST_TINT
        and _primaries_apart(conversion)
    )


def _primaries_apart(conversion: ToSrgb) -> bool:
    if conversion.mode != "RGB":
        return True
    pure = np.asarray(conversion.apply(Image.fromarray(np.eye(3, dtype=np.uint8)[None] * 255)))[0].astype(int)
    return all(np.abs(pure[a] - pure[b]).max() >= LEAST_RANGE for a, b in ((0, 1), (0, 2), (1, 2)))
