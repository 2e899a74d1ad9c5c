"""ICC profiles made by hand (ICC.1:2022): of primaries and one exponent, of grey, and of four inks."""

from __future__ import annotations

import itertools
import struct

import numpy as np

D50 = (0.9642, 1.0, 0.8249)
# Columns of XYZ of red, green and blue, adapted to D50: what Apple and Adobe write.
DISPLAY_P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
ADOBE_RGB = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
SRGB_COLUMNS = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def rgb_profile(columns=DISPLAY_P3, curve=SRGB_CURVE, *, intent=0, white=D50) -> bytes:
    """`curve` is an exponent, or the five numbers of a parametric curve of kind 3."""
    tags = {b"wtpt": _xyz(white), **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _curve(curve))}
    tags |= {name: _xyz(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)}
    return _profile(b"RGB ", b"XYZ ", tags, intent)


def with_program(profile: bytes, num_steps: int) -> bytes:
    """The same with a D2B0 tag of so many steps: each is the same one, and changes nothing."""
    step = b"matf" + bytes(4) + struct.pack(">HH12f", 3, 3, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0)
    head = b"mpet" + bytes(4) + struct.pack(">HHI", 3, 3, num_steps)
    body = head + struct.pack(">II", len(head) + 8 * num_steps, len(step)) * num_steps + step
    (count,) = struct.unpack_from(">I", profile, 128)
    tag = struct.pack(">4sII", b"D2B0", len(profile) + 12, len(body))
    table = b"".join(
        struct.pack(">4sII", name, at + 12, length)
        for name, at, length in struct.iter_unpack(">4sII", profile[132 : 132 + 12 * count])
    )
    made = profile[:128] + struct.pack(">I", count + 1) + table + tag + profile[132 + 12 * count :] + body
    return struct.pack(">I", len(made)) + made[4:]


def grey_profile(curve=1.0) -> bytes:
    return _profile(b"GRAY", b"XYZ ", {b"wtpt": _xyz(D50), b"kTRC": _curve(curve)})


def ink_profile() -> bytes:
    """Of 2 x 2 x 2 x 2 points: the L* of paper is 100, each ink of three takes 20 of it, black all; none has a hue."""
    entries = [max(0.0, 100 - 20 * (c + m + y) - 100 * k) for c, m, y, k in itertools.product((0, 1), repeat=4)]
    table = np.array([(level * 255 / 100, 128, 128) for level in entries]).round().astype(np.uint8)
    identity = struct.pack(">9i", *(65536 * (at % 4 == 0) for at in range(9)))
    ramp = bytes(range(256))
    body = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + identity + ramp * 4 + table.tobytes() + ramp * 3
    return _profile(b"CMYK", b"Lab ", {b"wtpt": _xyz(D50), b"A2B0": body}, device=b"prtr")


def _profile(space, pcs, tags, intent=0, device=b"mntr") -> bytes:
    start, table, data = 128 + 4 + 12 * len(tags), b"", b""
    for name, body in tags.items():
        table += struct.pack(">4sII", name, start + len(data), len(body))
        data += body.ljust(-(-len(body) // 4) * 4, b"\0")
    head = struct.pack(">I4sI", start + len(data), b"none", 0x0430_0000 if space != b"CMYK" else 0x0240_0000)
    head += device + space + pcs + struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + b"acsp" + bytes(24)
    head += struct.pack(">I", intent) + _fixed(*D50)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data


def _xyz(values) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(*values)


def _curve(curve) -> bytes:
    kind, numbers = (0, (curve,)) if isinstance(curve, float) else (3, curve)
    return b"para" + bytes(4) + struct.pack(">HH", kind, 0) + _fixed(*numbers)


def _fixed(*values) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))
