"""Colours that a file names by code points (ITU-T H.273) or by numbers, to sRGB: wide gamuts, HLG and PQ.

Light is linear and counted so that 1.0 is the white of a page: 203 cd/m2 where the signal means absolute or display
light (ITU-R BT.2408, table 1), which is 75 % of HLG's signal and 58 % of PQ's. What SDR can show stays as it is, and
what is brighter is rolled off into the last tenth; players differ there and nowhere else.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

Chromaticities = tuple[float, float, float, float, float, float, float, float]
"""x and y of white, red, green and blue, as PNG's cHRM has them."""

D65 = (0.3127, 0.3290)
BT709 = (*D65, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060)
PRIMARIES: dict[int, Chromaticities] = {
    1: BT709,
    5: (*D65, 0.640, 0.330, 0.290, 0.600, 0.150, 0.060),
    6: (*D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (*D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    9: (*D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
LINEAR, PQ, HLG = 8, 16, 18
AS_SRGB = (1, 2, 4, 6, 13, 14, 15)  # the television's curves too are shown as they are
WIDE = (9, 11, 12)  # primaries

WHITE_NITS, HLG_PEAK_NITS, HLG_GAMMA = 203.0, 1000.0, 1.2
BT2020_LUMINANCE = np.array((0.2627, 0.6780, 0.0593), np.float32)
KNEE = 0.9  # of linear light: up to there nothing is rolled off
BRADFORD = np.array(((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296)))
CHUNK = 2**16  # pixels at once: what fits into a core's cache
ENCODED = 2**14  # steps of linear light: the steepest part of the curve moves by a fifth of a level in each


def differs_from_srgb(primaries: int, transfer: int) -> bool:
    """Whether colours of these code points are known here and differ from sRGB as screens show it."""
    known = transfer in (LINEAR, PQ, HLG, *AS_SRGB) and primaries in (2, *PRIMARIES)
    return known and (primaries in WIDE or transfer not in AS_SRGB)


def codes_to_srgb(rgb: np.ndarray, primaries: int, transfer: int) -> np.ndarray:
    """Pixels (..., 3) uint8 or uint16 of full range to uint8; see `differs_from_srgb`."""
    levels = _levels(rgb.dtype)
    if transfer == PQ:
        return _converted(rgb, _pq_light(levels), primaries, _rolled_off)
    if transfer == HLG:
        return _converted(rgb, _hlg_scene(levels), primaries, _hlg_shown)
    return _converted(rgb, levels if transfer == LINEAR else _srgb_light(levels), primaries, None)


def gamma_to_srgb(rgb: np.ndarray, gamma: float | None, chromaticities: Chromaticities | None) -> np.ndarray:
    """Pixels (..., 3) uint8 as PNG's gAMA (the exponent from light to signal) and cHRM say, to uint8."""
    levels = _levels(rgb.dtype)
    light = _srgb_light(levels) if gamma is None else levels ** (1 / gamma)
    return _converted(rgb, light, chromaticities or BT709, None)


def _levels(dtype: np.dtype) -> np.ndarray:
    return np.linspace(0, 1, int(np.iinfo(dtype).max) + 1)


def _converted(
    rgb: np.ndarray,
    light: np.ndarray,
    primaries: int | Chromaticities,
    shown: Callable[[np.ndarray], np.ndarray] | None,
) -> np.ndarray:
    """By a table of the light of each level, what is shown of it, other primaries, and a table of sRGB's levels."""
    chromaticities = PRIMARIES.get(primaries, BT709) if isinstance(primaries, int) else primaries
    matrix, encode, light = _to_bt709(chromaticities), _srgb_levels(), light.astype(np.float32)
    flat = np.ascontiguousarray(rgb).reshape(-1, 3)
    made = np.empty(flat.shape, np.uint8)
    for start in range(0, len(flat), CHUNK):
        linear = np.take(light, flat[start : start + CHUNK])
        linear = (shown(linear) if shown else linear) @ matrix
        made[start : start + CHUNK] = np.take(encode, (linear.clip(0, 1) * ENCODED + 0.5).astype(np.uint16))
    return made.reshape(rgb.shape)


def _rolled_off(light: np.ndarray) -> np.ndarray:
    """Each pixel scaled so that its strongest channel stays below 1; its hue stays."""
    strongest = np.maximum(np.maximum(light[:, 0], light[:, 1]), light[:, 2])  # far faster than along an axis of three
    above = np.maximum(strongest - KNEE, 0) / (1 - KNEE)
    shown = np.minimum(strongest, KNEE) + (1 - KNEE) * above / (1 + above)
    return light * (shown / np.maximum(strongest, 1e-6))[:, None]


def _hlg_shown(scene: np.ndarray) -> np.ndarray:
    """Scene light to that of a screen of 1000 cd/m2 (BT.2100, table 5: the OOTF), in units of white, rolled off."""
    luminance = scene @ BT2020_LUMINANCE
    gain = HLG_PEAK_NITS / WHITE_NITS * np.maximum(luminance, 1e-6) ** (HLG_GAMMA - 1)
    return _rolled_off(scene * gain[:, None])


def _pq_light(signal: np.ndarray) -> np.ndarray:
    """BT.2100, table 4: the EOTF, in units of white."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = signal ** (1 / m2)
    return 10_000 / WHITE_NITS * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)


def _hlg_scene(signal: np.ndarray) -> np.ndarray:
    """BT.2100, table 5: the inverse OETF; 1.0 is the brightest of the scene."""
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * np.log(4 * a)
    return np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)


def _srgb_light(signal: np.ndarray) -> np.ndarray:
    """IEC 61966-2-1."""
    return np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)


@functools.cache
def _srgb_levels() -> np.ndarray:
    light = np.linspace(0, 1, ENCODED + 1)
    signal = np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)
    return (signal * 255).round().astype(np.uint8)


@functools.lru_cache(maxsize=32)
def _to_bt709(chromaticities: Chromaticities) -> np.ndarray:
    """Linear light, as rows times this matrix; whites are adapted by Bradford's cone responses."""
    cones = [BRADFORD @ _xyz(white) for white in (D65, chromaticities[:2])]
    adapted = np.linalg.inv(BRADFORD) @ np.diag(cones[0] / cones[1]) @ BRADFORD
    return (np.linalg.inv(_to_xyz(BT709)) @ adapted @ _to_xyz(chromaticities)).T.astype(np.float32)


def _to_xyz(chromaticities: Chromaticities) -> np.ndarray:
    columns = np.stack([_xyz(chromaticities[at : at + 2]) for at in (2, 4, 6)], axis=1)
    return columns * np.linalg.solve(columns, _xyz(chromaticities[:2]))


def _xyz(point: tuple[float, ...]) -> np.ndarray:
    x, y = point
    return np.array((x / y, 1.0, (1 - x - y) / y))
