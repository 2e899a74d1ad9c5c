"""A small data set for a run: two classes that brightness tells apart."""

from pathlib import Path

from PIL import ImageEnhance

from virtus.media.images import load_image


def write_faces(root: Path, photo: Path, *, num_train: int = 4, num_val: int = 12) -> Path:
    """`train` and `val` with so many pictures of each class, and one broken file.

    Names of root and pictures make the group, which decides the part it falls to: they are the same in every test.
    """
    root = root / "faces"
    face = load_image(photo).crop((140, 20, 310, 210))
    for split, count, shift in (("train", num_train, 0.0), ("val", num_val, 0.01)):
        for label, light in (("Real", 1.0), ("Fake", 0.6)):
            (root / split / label).mkdir(parents=True)
            for index in range(count):
                lit = ImageEnhance.Brightness(face).enhance(light + shift + index / 50)
                lit.save(root / split / label / f"v{index}.png")
    (root / "train" / "Real" / "broken.jpg").write_bytes(b"not a picture")
    return root
