"""Photos of 1280x960 with one real face each, made from the small pictures of a data set: `write_photos`."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from train.data import find_samples

SIZE = (1280, 960)
SIDES = (200, 700)  # of the small picture in the large one, least and most


def val_pictures(data: Path, count: int, *, seed: int = 0) -> list[Path]:
    """So many pictures of the `val` splits, drawn at random; all in turn again if there are fewer."""
    paths = [sample.path for sample in find_samples(data) if sample.split == "val"]
    random.Random(seed).shuffle(paths)
    return [paths[index % len(paths)] for index in range(count)]


def photo_with(picture: Image.Image, *, seed: int) -> Image.Image:
    """The picture at a random size and place, before its own blurred and grained colours."""
    draw = np.random.default_rng(seed)
    ground = picture.convert("RGB").resize(SIZE).filter(ImageFilter.GaussianBlur(60))
    grain = draw.normal(0, 4, (SIZE[1], SIZE[0], 1))
    photo = Image.fromarray(np.clip(np.asarray(ground) + grain, 0, 255).astype(np.uint8))
    side = int(draw.integers(*SIDES))
    small = picture.convert("RGB").resize((side, side), Image.Resampling.BICUBIC)
    photo.paste(small, tuple(int(draw.integers(0, length - side)) for length in SIZE))
    return photo


def write_photos(folder: Path, data: Path, count: int) -> list[Path]:
    """So many JPEG files in a folder."""
    paths = [folder / f"{index:05}.jpg" for index in range(count)]
    for index, (path, source) in enumerate(zip(paths, val_pictures(data, count), strict=True)):
        with Image.open(source) as picture:
            photo_with(picture, seed=index).save(path, quality=90)
    return paths
