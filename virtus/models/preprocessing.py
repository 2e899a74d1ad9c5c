"""The one eval transform: a crop to the numbers that a checkpoint was trained on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from PIL import Image

from virtus.errors import CheckpointError
from virtus.models.config_values import is_count

CROPPING = ("DeiT", "CLIP", "Bit")  # processors of transformers that cut out a centre unless told not to


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

    def picture_of(self, pixel_values: np.ndarray) -> Image.Image:
        """(3, height, width) `pixel_values` back to the picture that `normalise` makes them of."""
        values = pixel_values.transpose(1, 2, 0) * np.array(self.std, np.float32) + np.array(self.mean, np.float32)
        return Image.fromarray((values / np.float32(self.rescale_factor)).round().clip(0, 255).astype(np.uint8))

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

    def shown_box(self, image: Image.Image) -> tuple[float, float, float, float]:
        """What the model sees of a picture: left, top, right, bottom, in its pixels.

        Less than all of it where a centre is cut out, more where that is filled up.
        """
        scaled, (height, width) = self.scale(image), self.input_size
        across, down = image.width / scaled.width, image.height / scaled.height
        left, top = (scaled.width - width) / 2 * across, (scaled.height - height) / 2 * down
        return left, top, left + width * across, top + height * down

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
        crop = _parse_crop(config) if _switch(config, "do_center_crop", default=_is_of(config, CROPPING)) else None
        normalised = _switch(config, "do_normalize")
        mean = _parse_channels(config, "image_mean") if normalised else (0.0,) * 3
        std = _parse_std(config, "image_std") if normalised else (1.0,) * 3
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


@dataclass(frozen=True)
class TimmTransform(EvalTransform):
    """As timm does it, who rounds and pads otherwise than transformers.

    Attributes:
        crop_mode: center keeps the proportions and loses what stands over, border keeps them and fills up with the
            mean, squash does not keep them.
    """

    crop_mode: Literal["center", "border", "squash"] = "center"

    def resize(self, image: Image.Image) -> Image.Image:
        scaled = self.scale(image)
        height, width = self.input_size
        if self.crop_mode == "border":
            scaled = self._fill_up(scaled)
        left, top = round((scaled.width - width) / 2), round((scaled.height - height) / 2)
        return scaled.crop((left, top, left + width, top + height))

    def scale(self, image: Image.Image) -> Image.Image:
        if isinstance(self.size, int) or self.crop_mode == "squash":
            return super().scale(image)
        ratios = image.height / self.size[0], image.width / self.size[1]
        ratio = max(ratios) if self.crop_mode == "border" else min(ratios)
        size = round(image.width / ratio), round(image.height / ratio)
        return image if image.size == size else image.resize(size, self.resample)

    def _fill_up(self, scaled: Image.Image) -> Image.Image:
        """A picture that is at no side smaller than what the model takes, this one in its middle."""
        height, width = max(scaled.height, self.input_size[0]), max(scaled.width, self.input_size[1])
        filled = Image.new("RGB", (width, height), tuple(round(255 * value) for value in self.mean))
        filled.paste(scaled, ((width - scaled.width) // 2, (height - scaled.height) // 2))
        return filled

    @classmethod
    def from_config(cls, config: Mapping) -> TimmTransform:
        """From a `pretrained_cfg`, as a `config.json` holds one. What it leaves out is timm's default.

        Raises:
            CheckpointError: if it does not describe this kind of transform.
        """
        usual = {"input_size": (3, 224, 224), "interpolation": "bicubic", "crop_pct": 0.875, "crop_mode": "center"}
        usual |= {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
        config = usual | {key: value for key, value in config.items() if value}
        channels, *sides = config["input_size"] if isinstance(config["input_size"], (list, tuple)) else (0,)
        if channels != 3 or len(sides) != 2 or not all(map(is_count, sides)):
            raise _unfit(f"input_size is {config['input_size']!r}, not 3 channels, height and width")
        if (mode := config["crop_mode"]) not in ("center", "border", "squash"):
            raise _unfit(f"crop_mode is {mode!r}, not center, border or squash")
        if not _is_number(part := config["crop_pct"]) or not 0 < part <= 1:
            raise _unfit(f"crop_pct is {part!r}, not a number above 0 and up to 1")
        if (name := config["interpolation"]) not in [way.name.lower() for way in Image.Resampling]:
            raise _unfit(f"interpolation is {name!r}, no way of resizing that Pillow knows")
        height, width = (math.floor(side / part) for side in sides)
        size = height if mode == "center" and height == width else (height, width)
        mean, std = _parse_channels(config, "mean"), _parse_std(config, "std")
        resample = int(Image.Resampling[name.upper()])
        return cls(size, mean, std, resample, (sides[0], sides[1]), crop_mode=mode)


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


def _is_of(config: Mapping, kinds: tuple[str, ...]) -> bool:
    return str(config.get("image_processor_type", "")).startswith(kinds)


def _parse_resample(config: Mapping) -> int:
    """A number of Pillow's. Left out, it depends on the kind of processor (transformers' defaults)."""
    is_bicubic = _is_of(config, (*CROPPING, "Siglip"))
    value = config.get("resample", Image.Resampling.BICUBIC if is_bicubic else Image.Resampling.BILINEAR)
    if isinstance(value, bool) or value not in list(Image.Resampling):
        raise _unfit(f"resample is {value!r}, no way of resizing that Pillow knows")
    return int(value)


def _parse_channels(config: Mapping, key: str) -> tuple[float, ...]:
    values = config.get(key)
    if not isinstance(values, (list, tuple)) or len(values) != 3 or not all(map(_is_number, values)):
        raise _unfit(f"{key} is {values!r}, not three numbers (RGB)")
    return tuple(float(value) for value in values)


def _parse_std(config: Mapping, key: str) -> tuple[float, ...]:
    if min(std := _parse_channels(config, key)) <= 0:
        raise _unfit(f"{key} is {list(std)}, which cannot be divided by")
    return std


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
