"""The one eval transform: a crop to the numbers that a checkpoint was trained on."""

from __future__ import annotations

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
        resized = self.resize(image)
        values = np.asarray(resized, dtype=np.float32) * np.float32(self.rescale_factor)
        values = (values - np.float32(self.mean)) / np.float32(self.std)
        return np.ascontiguousarray(values.transpose(2, 0, 1))

    def resize(self, image: Image.Image) -> Image.Image:
        """The picture as the model gets it, before normalisation."""
        height, width = self.size or self._edge_size(image)
        if image.size != (width, height):
            image = image.resize((width, height), self.resample)
        return self._centre(image) if self.crop_size else image

    def _edge_size(self, image: Image.Image) -> tuple[int, int]:
        scale = self.shortest_edge / min(image.size)
        return tuple(max(self.shortest_edge, round(side * scale)) for side in reversed(image.size))

    def _centre(self, image: Image.Image) -> Image.Image:
        height, width = self.crop_size
        left, top = (image.width - width) // 2, (image.height - height) // 2
        return image.crop((left, top, left + width, top + height))

    @classmethod
    def from_config(cls, config: Mapping) -> EvalTransform:
        """From the content of a `preprocessor_config.json`.

        Raises:
            CheckpointError: if it does not describe this kind of transform.
        """
        size, shortest_edge = _parse_size(config.get("size", 224), config.get("do_resize", True))
        crop = _parse_size(config["crop_size"], True)[0] if config.get("do_center_crop") else None
        normalised = config.get("do_normalize", True)
        mean = _parse_channels(config, "image_mean", default=(0.0,) * 3, used=normalised)
        std = _parse_channels(config, "image_std", default=(1.0,) * 3, used=normalised)
        resample, factor = config.get("resample", 3), config.get("rescale_factor", 1 / 255)
        if min(std) <= 0:
            raise CheckpointError(f"Its processor does not fit: image_std is {list(std)}, which cannot be divided by.")
        if resample not in list(Image.Resampling):
            raise CheckpointError(f"Its processor does not fit: resample is {resample!r}, no way of resizing.")
        if not isinstance(factor, (int, float)) or factor <= 0:
            raise CheckpointError(f"Its processor does not fit: rescale_factor is {factor!r}.")
        factor = float(factor) if config.get("do_rescale", True) else 1.0
        return cls(size, mean, std, int(resample), shortest_edge, crop, factor)

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


def _parse_size(size: object, resized: bool) -> tuple[tuple[int, int] | None, int | None]:
    """(height, width) or the shortest edge, from the forms that processors have had."""
    if not resized:
        raise CheckpointError("Its processor does not fit: it does not resize (do_resize is false).")
    if _is_length(size):
        return (size, size), None
    if isinstance(size, Mapping) and _is_length(size.get("height")) and _is_length(size.get("width")):
        return (size["height"], size["width"]), None
    if isinstance(size, Mapping) and _is_length(size.get("shortest_edge")):
        return None, size["shortest_edge"]
    raise CheckpointError(
        f"Its processor does not fit: size is {size!r}, neither height and width nor a shortest edge."
    )


def _is_length(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _parse_channels(config: Mapping, key: str, *, default: tuple[float, ...], used: bool) -> tuple[float, ...]:
    if not used:
        return default
    values = config.get(key)
    if (
        not isinstance(values, (list, tuple))
        or len(values) != 3
        or not all(isinstance(v, (int, float)) for v in values)
    ):
        raise CheckpointError(f"Its processor does not fit: {key} is {values!r}, not three numbers (RGB).")
    return tuple(float(value) for value in values)
