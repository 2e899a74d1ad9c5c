"""How often a face is found upright, by how sure the first turn must be: `python -m benchmarks.faces.turns DATA`.

`--photos`: of each source.
"""

from __future__ import annotations

import random

from PIL import Image

from benchmarks import parser
from train.data import find_samples
from virtus.faces import MIN_CONFIDENCE, SURE_CONFIDENCE, find_faces
from virtus.media import load_image

RULES = {
    "the first turn with a face": MIN_CONFIDENCE,
    "upright if its confidence is >= 0.99": 0.99,
    f"as shipped: >= {SURE_CONFIDENCE}": SURE_CONFIDENCE,
    "always the most confident turn": 1.01,
}
# How a photo is turned, and the counter-clockwise quarters that make it upright again.
TURNS = {0: None, 1: Image.Transpose.ROTATE_270, 2: Image.Transpose.ROTATE_180, 3: Image.Transpose.ROTATE_90}


def share_right(photos: list[Image.Image], turns: int, sure_confidence: float) -> float:
    """Share of the photos whose largest face is found with the turn that makes it upright."""
    turned = [photo.transpose(turn) if (turn := TURNS[turns]) else photo for photo in photos]
    found = [find_faces(photo, min_side=0, sure_confidence=sure_confidence) for photo in turned]
    return sum(bool(own) and own[0].quarter_turns == turns for own in found) / len(photos)


def main() -> None:
    args = parser(__doc__, data=True, photos=60).parse_args()
    samples = [sample for sample in find_samples(args.data) if sample.split == "val"]
    by_source = {source: [s for s in samples if s.source == source] for source in sorted({s.source for s in samples})}
    drawn = [one for own in by_source.values() for one in random.Random(1).sample(own, min(args.photos, len(own)))]
    photos = [load_image(sample.path) for sample in drawn]
    print(f"{len(photos)} photos of {', '.join(by_source)}\n")
    print("| rule | upright | 90 left | 180 | 90 right |\n| --- | ---: | ---: | ---: | ---: |")
    for rule, confidence in RULES.items():
        cells = " | ".join(f"{share_right(photos, turns, confidence):.1%}" for turns in (0, 3, 2, 1))
        print(f"| {rule} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
