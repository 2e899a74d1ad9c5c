"""Clips of 10 bits in HLG and PQ, BT.2020: their frames are those of the ordinary clip that they were made from."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from tests.corpus.whole import photo
from virtus.video.reading import sample_frames

BT2020, PQ, HLG, BT709 = 9, 16, 18, 1
# Linear light of sRGB to BT.2020 (BT.2087, table 4).
TO_BT2020 = np.array(((0.6274, 0.3293, 0.0433), (0.0691, 0.9195, 0.0114), (0.0164, 0.0880, 0.8956)))


def light_of(pixels):
    signal = np.asarray(pixels) / 255
    return np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)


def pq_signal(light):
    """SMPTE ST 2084 of light whose white is 203 cd/m2."""
    power = (light * 203 / 10_000).clip(0) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


def hlg_signal(light):
    """ARIB STD-B67 of the scene that a screen of 1000 cd/m2 shows so: luminance to the power of 1 / 1.2."""
    shown = light.clip(0) * 203 / 1000
    luminance = np.maximum(shown @ (0.2627, 0.6780, 0.0593), 1e-9)[..., None]
    scene = shown * luminance ** (1 / 1.2 - 1)
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene),
                    0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073)  # fmt: skip


def clip_of(signal, transfer, primaries=BT2020):
    """Three frames of HEVC without loss but for the 10 bits and the halved colour."""
    stream = io.BytesIO()
    with av.open(stream, "w", format="mp4") as container:
        video = container.add_stream("libx265", rate=10, options={"x265-params": "lossless=1:log-level=none"})
        video.height, video.width = signal.shape[:2]
        video.pix_fmt = "yuv420p10le"
        context = video.codec_context
        context.color_primaries, context.color_trc, context.colorspace = primaries, transfer, Colorspace.BT2020
        deep = (signal.clip(0, 1) * 65535).round().astype(np.uint16)
        for index in range(3):
            frame = av.VideoFrame.from_ndarray(deep, format="rgb48le")
            frame = frame.reformat(format="yuv420p10le", dst_colorspace="bt2020", dst_color_range=ColorRange.MPEG)
            frame.pts, frame.time_base = index, Fraction(1, 10)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return stream.getvalue()


@pytest.mark.parametrize(("transfer", "signal_of"), [(PQ, pq_signal), (HLG, hlg_signal)])
def test_a_face_filmed_in_hdr_is_the_face_on_the_screen(transfer, signal_of):
    expected = np.asarray(photo()).astype(int)
    clip = sample_frames(clip_of(signal_of(light_of(expected) @ TO_BT2020.T), transfer), num_frames=1)
    moved = np.abs(np.asarray(clip.frames[0].image) - expected)
    assert clip.frames[0].image.size == photo().size
    assert np.median(moved) <= 1
    assert moved.mean() < 3.5  # what the halved colour costs


def test_a_wide_gamut_of_ordinary_light_is_converted_too():
    light = light_of(np.full((64, 64, 3), (180, 90, 60))) @ TO_BT2020.T
    signal = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    frame = sample_frames(clip_of(signal, BT709), num_frames=1).frames[0]
    assert np.abs(np.subtract(frame.image.getpixel((30, 30)), (180, 90, 60))).max() <= 2


def test_an_unknown_curve_is_shown_as_it_is():
    frame = sample_frames(clip_of(np.full((64, 64, 3), 0.5), 9), num_frames=1).frames[0]
    assert np.abs(np.subtract(frame.image.getpixel((30, 30)), 128)).max() <= 3
