"""The one eval transform: a crop to the numbers that a checkpoint was trained on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from virtus.errors import CheckpointError


@dataclass(frozen=True)
class EvalTransform:
    """Resize, cut out the centre if the checkpoint does so, scale to [0, 1], subtract the mean, divide by the std.

    Attributes:
        size: height and width after resizing; None with `shortest_edge`.
        shortest_edge: the shorter side after resizing, where the proportions are kept.
        crop_size: height and width of the centre that is cut out, None for all of it.
        mean, std: for each RGB channel, of values in [0, 1].
        resample: a `PIL.Image.Resampling`.
        rescale_factor: brings 0 to 255 to the range that mean and std are of.
    """

    size: tuple[int, int] | None
    mean: tuple[float, ...]
    std: tuple[float, ...]
    resample: int = int(Image.Resampling.BICUBIC)
    shortest_edge: int | None = None
    crop_size: tuple[int, int] | None = None
    rescale_factor: float = 1 / 255

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of what comes out; with `shortest_edge` and no centre, of a square picture."""
        return self.crop_size or self.size or (self.shortest_edge, self.shortest_edge)

    def __call__(self, image: Image.Image) -> np.ndarray:
        """An RGB picture of any size to float32 `pixel_values` of shape (3, height, width)."""
        return self.normalise(self.resize(image))

    def normalise(self, resized: Image.Image) -> np.ndarray:
        """What `resize` gives to `pixel_values`."""
        values = np.asarray(resized, dtype=np.float32) * np.float32(self.rescale_factor)
        values = (values - np.float32(self.mean)) / np.float32(self.std)
        return np.ascontiguousarray(values.transpose(2, 0, 1))

    def resize(self, image: Image.Image) -> Image.Image:
        """The picture as the model gets it, before normalisation."""
        scaled = self.scale(image)
        return self._centre(scaled) if self.crop_size else scaled

    def scale(self, image: Image.Image) -> Image.Image:
        """The picture before a centre is cut out of it: small, and to this transform the same as the large one."""
        height, width = self.size or self._edge_size(image)
        return image if image.size == (width, height) else image.resize((width, height), self.resample)

    def _edge_size(self, image: Image.Image) -> tuple[int, int]:
        shorter = min(image.size)  # the longer side is cut to whole pixels, not rounded, as transformers does
        return tuple(side * self.shortest_edge // shorter for side in reversed(image.size))

    def _centre(self, image: Image.Image) -> Image.Image:
        height, width = self.crop_size
        left, top = (image.width - width) // 2, (image.height - height) // 2
        return image.crop((left, top, left + width, top + height))

    @classmethod
    def from_config(cls, config: Mapping) -> EvalTransform:
        """From the content of a `preprocessor_config.json`. What it leaves out or null is transformers' default.

        Raises:
            CheckpointError: if it does not describe this kind of transform.
        """
        config = {key: value for key, value in config.items() if value is not None}
        if not _switch(config, "do_resize"):
            raise _unfit("it does not resize (do_resize is false)")
        size, shortest_edge = _parse_size(config.get("size", 224))
        crop = _parse_crop(config) if _switch(config, "do_center_crop", default=False) else None
        normalised = _switch(config, "do_normalize")
        mean = _parse_channels(config, "image_mean") if normalised else (0.0,) * 3
        std = _parse_channels(config, "image_std") if normalised else (1.0,) * 3
        if min(std) <= 0:
            raise _unfit(f"image_std is {list(std)}, which cannot be divided by")
        factor = config.get("rescale_factor", 1 / 255) if _switch(config, "do_rescale") else 1.0
        if not _is_number(factor) or factor <= 0:
            raise _unfit(f"rescale_factor is {factor!r}")
        return cls(size, mean, std, _parse_resample(config), shortest_edge, crop, float(factor))

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


def _parse_size(size: object) -> tuple[tuple[int, int] | None, int | None]:
    """(height, width) or the shortest edge, from the forms that processors have had."""
    if _is_length(size):
        return (size, size), None
    if isinstance(size, Mapping) and _is_length(size.get("height")) and _is_length(size.get("width")):
        return (size["height"], size["width"]), None
    if isinstance(size, Mapping) and _is_length(size.get("shortest_edge")):
        return None, size["shortest_edge"]
    raise _unfit(f"size is {size!r}, neither height and width nor a shortest edge")


def _parse_crop(config: Mapping) -> tuple[int, int]:
    crop, _ = _parse_size(config.get("crop_size", 224))
    if crop is None:
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


def _is_length(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
