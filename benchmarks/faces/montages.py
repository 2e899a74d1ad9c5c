"""Whether so many faces in a picture keep the promise of one: `python -m benchmarks.faces.montages DATA`.

Montages of the reporting part: each of n real faces of one source, side by side, then the same with a fake one of any
source in the place of one of them. "Before": a picture is fake where the p of any face is, as of one face alone.

`--pictures`: montages of each kind. `--forget 1`: without the thresholds for several faces, as of an older calibration.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from benchmarks import parser
from train.data import Sample
from train.report import held_out
from virtus.checkpoints import Detector, at_prior, error_among, load_checkpoint
from virtus.judging import analyze_photo
from virtus.media import load_image
from virtus.results import ImageReport, Label, Outcome

NUM_FACES = (1, 2, 4, 8, 16)
TILE, FRAME = 256, 48  # px of a picture, and of its mirrored edges about it
COLUMNS = (
    *("reals: fake before", "fake now", "inconclusive now"),
    *("one fake: fake before", "fake now", "inconclusive now"),
    "real pictures fake, that so many calibrating reals leave possible",
)


def montage(pictures: list[Image.Image]) -> Image.Image:
    """Pictures in rows, each of one size and within its own mirrored edges, so that no crop shows a neighbour."""
    columns = math.ceil(math.sqrt(len(pictures)))
    side = TILE + 2 * FRAME
    whole = Image.new("RGB", (columns * side, math.ceil(len(pictures) / columns) * side), "grey")
    for at, picture in enumerate(pictures):
        pixels = np.asarray(picture.resize((TILE, TILE), Image.Resampling.BICUBIC))
        framed = cv2.copyMakeBorder(pixels, FRAME, FRAME, FRAME, FRAME, cv2.BORDER_REFLECT)
        whole.paste(Image.fromarray(framed), (at % columns * side, at // columns * side))
    return whole


def draw(reals: list[Sample], fakes: list[Sample], count: int, dice: random.Random) -> tuple[list[Sample], Sample]:
    """Real faces of one source, a source as often as it has pictures, and a fake one."""
    source = dice.choice(reals).source
    same = [sample for sample in reals if sample.source == source]
    return [dice.choice(same) for _ in range(count)], dice.choice(fakes)


def note(report: ImageReport, fake_above: float) -> tuple[bool, bool, bool]:
    """Whether the picture was fake before, is now, and is inconclusive now."""
    before = any(face.p_fake is not None and face.p_fake >= fake_above for face in report.faces)
    return before, report.outcome is Outcome.FAKE, report.outcome is Outcome.INCONCLUSIVE


def share(noted: Sequence[bool]) -> str:
    """With its 95 % interval (Wilson 1927)."""
    count, rate, z = len(noted), sum(noted) / len(noted), 1.96
    middle, scale = rate + z**2 / (2 * count), 1 + z**2 / count
    half = z * math.sqrt(rate * (1 - rate) / count + z**2 / (4 * count**2))
    return f"{rate:.1%} ({max(0, middle - half) / scale:.1%} to {(middle + half) / scale:.1%})"


def expect(num_reals: int, count: int) -> str:
    """How often a picture of real faces comes out as fake by thresholds of so many calibrating reals: the middle 95 %.

    The share of one face above their k-th highest is of Beta(k, N + 1 - k).
    """
    from scipy.stats import beta

    above = num_reals + 1 - math.ceil((num_reals + 1) * (1 - error_among(count)))
    if above < 1:
        return "too few"
    low, high = beta.ppf((0.025, 0.975), above, num_reals + 1 - above)
    return f"{1 - (1 - low) ** count:.1%} to {1 - (1 - high) ** count:.1%}"


def main() -> None:
    args = parser(__doc__, data=True, model="auto", pictures=200, forget=0).parse_args()
    detector = Detector(load_checkpoint(args.model))
    if args.forget and detector.checkpoint.info.calibration:
        detector = detector.with_calibration(replace(detector.checkpoint.info.calibration, fake_above_among=()))
    samples, dice = held_out(args.data), random.Random(1)
    reals, fakes = ([sample for sample in samples if sample.label is label] for label in (Label.REAL, Label.FAKE))
    num_fitted = sum(sample.label is Label.REAL for sample in held_out(args.data, part="calibrate"))
    fake_above = at_prior(detector.checkpoint.info.calibration, detector.prior).fake_above
    print(f"{args.pictures} montages of each kind; {num_fitted} calibrating reals")
    print(f"| faces | {' | '.join(COLUMNS)} |\n| ---: |{' ---: |' * len(COLUMNS)}")
    for count in NUM_FACES:
        noted = []
        for _ in tqdm(range(args.pictures), desc=f"{count} faces"):
            faces, fake = draw(reals, fakes, count, dice)
            pictures = [load_image(face.path) for face in faces]
            of_reals = note(analyze_photo(detector, montage(pictures)), fake_above)
            pictures[dice.randrange(count)] = load_image(fake.path)
            noted.append((*of_reals, *note(analyze_photo(detector, montage(pictures)), fake_above)))
        cells = [share(column) for column in zip(*noted, strict=True)]
        print(f"| {count} | {' | '.join(cells)} | {expect(num_fitted, count)} |", flush=True)


if __name__ == "__main__":
    main()
