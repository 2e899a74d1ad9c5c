"""The one eval transform: a crop to the numbers that a checkpoint was trained on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from virtus.errors import CheckpointError
from virtus.models.families import is_count


@dataclass(frozen=True)
class EvalTransform:
    """Resize, cut out the centre if the checkpoint does so, scale to [0, 1], subtract the mean, divide by the std.

    Attributes:
        size: height and width after resizing, or the shorter side, where the proportions are kept.
        crop_size: height and width of the centre that is cut out, None for all of it.
        mean, std: for each RGB channel, of values in [0, 1].
        resample: a `PIL.Image.Resampling`.
        rescale_factor: brings 0 to 255 to the range that mean and std are of.
    """

    size: tuple[int, int] | int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    resample: int = int(Image.Resampling.BICUBIC)
    crop_size: tuple[int, int] | None = None
    rescale_factor: float = 1 / 255

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of what comes out; where the proportions are kept and all of it, of a square picture."""
        return self.crop_size or ((self.size, self.size) if isinstance(self.size, int) else self.size)

    def __call__(self, image: Image.Image) -> np.ndarray:
        """An RGB picture of any size to float32 `pixel_values` of shape (3, height, width)."""
        return self.normalise(self.resize(image))

    def normalise(self, resized: Image.Image) -> np.ndarray:
        """What `resize` gives to `pixel_values`."""
        values = np.asarray(resized, dtype=np.float32) * np.float32(self.rescale_factor)
        values = (values - np.array(self.mean, np.float32)) / np.array(self.std, np.float32)
        return np.ascontiguousarray(values.transpose(2, 0, 1))

    def resize(self, image: Image.Image) -> Image.Image:
        """The picture as the model gets it, before normalisation."""
        scaled = self.scale(image)
        if self.crop_size is None:
            return scaled
        height, width = self.crop_size
        left, top = (scaled.width - width) // 2, (scaled.height - height) // 2
        return scaled.crop((left, top, left + width, top + height))

    def scale(self, image: Image.Image) -> Image.Image:
        """The picture before a centre is cut out of it: small, and to this transform the same as the large one."""
        if isinstance(self.size, int):
            shorter = min(image.size)  # the longer side is cut to whole pixels, not rounded, as transformers does
            width, height = image.width * self.size // shorter, image.height * self.size // shorter
        else:
            height, width = self.size
        return image if image.size == (width, height) else image.resize((width, height), self.resample)

    @classmethod
    def from_config(cls, config: Mapping) -> EvalTransform:
        """From the content of a `preprocessor_config.json`. What it leaves out or null is transformers' default.

        Raises:
            CheckpointError: if it does not describe this kind of transform.
        """
        config = {key: value for key, value in config.items() if value is not None}
        if not _switch(config, "do_resize"):
            raise _unfit("it does not resize (do_resize is false)")
        size = _parse_size(config.get("size", 224))
        crop = _parse_crop(config) if _switch(config, "do_center_crop", default=False) else None
        normalised = _switch(config, "do_normalize")
        mean = _parse_channels(config, "image_mean") if normalised else (0.0,) * 3
        std = _parse_channels(config, "image_std") if normalised else (1.0,) * 3
        if min(std) <= 0:
            raise _unfit(f"image_std is {list(std)}, which cannot be divided by")
        factor = config.get("rescale_factor", 1 / 255) if _switch(config, "do_rescale") else 1.0
        if not _is_number(factor) or factor <= 0:
            raise _unfit(f"rescale_factor is {factor!r}")
        return cls(size, mean, std, _parse_resample(config), crop, float(factor))

    def to_config(self) -> dict:
        """The content of a `preprocessor_config.json` of a fixed size, for `ViTImageProcessor`."""
        height, width = self.input_size
        return {
            "image_processor_type": "ViTImageProcessor",
            "do_resize": True,
            "size": {"height": height, "width": width},
            "resample": self.resample,
            "do_rescale": True,
            "rescale_factor": self.rescale_factor,
            "do_normalize": True,
            "image_mean": list(self.mean),
            "image_std": list(self.std),
        }


def _unfit(cause: str) -> CheckpointError:
    return CheckpointError(f"Its processor does not fit: {cause}.")


def _switch(config: Mapping, key: str, *, default: bool = True) -> bool:
    if not isinstance(value := config.get(key, default), bool):
        raise _unfit(f"{key} is {value!r}, neither true nor false")
    return value


def _parse_size(size: Any) -> tuple[int, int] | int:
    """(height, width) or the shortest edge, from the forms that processors have had."""
    if is_count(size):
        return size, size
    if isinstance(size, Mapping) and is_count(size.get("height")) and is_count(size.get("width")):
        return size["height"], size["width"]
    if isinstance(size, Mapping) and is_count(size.get("shortest_edge")):
        return size["shortest_edge"]
    raise _unfit(f"size is {size!r}, neither height and width nor a shortest edge")


def _parse_crop(config: Mapping) -> tuple[int, int]:
    crop = _parse_size(config.get("crop_size", 224))
    if isinstance(crop, int):
        raise _unfit(f"crop_size is {config['crop_size']!r}, not height and width")
    return crop


def _parse_resample(config: Mapping) -> int:
    """A number of Pillow's. Left out, it depends on the kind of processor (transformers' defaults)."""
    is_deit = str(config.get("image_processor_type", "")).startswith("DeiT")
    value = config.get("resample", Image.Resampling.BICUBIC if is_deit else Image.Resampling.BILINEAR)
    if isinstance(value, bool) or value not in list(Image.Resampling):
        raise _unfit(f"resample is {value!r}, no way of resizing that Pillow knows")
    return int(value)


def _parse_channels(config: Mapping, key: str) -> tuple[float, ...]:
    values = config.get(key)
    if not isinstance(values, (list, tuple)) or len(values) != 3 or not all(map(_is_number, values)):
        raise _unfit(f"{key} is {values!r}, not three numbers (RGB)")
    return tuple(float(value) for value in values)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
