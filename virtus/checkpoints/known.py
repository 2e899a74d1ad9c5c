"""The published checkpoints that Virtus knows by name, and what their own files do not say of them."""

from __future__ import annotations

from dataclasses import dataclass

from virtus.checkpoints.bundled import BASE, FAST
from virtus.results import Judges

DEFAULT_MARGIN = 1.3
MARGINS = (0.5, 4)  # the least and the most that a checkpoint may ask for
RAW_KAGGLE_MARGIN = 1.8  # of those that were trained on uncropped pictures


@dataclass(frozen=True)
class KnownCheckpoint:
    """A published checkpoint.

    Attributes:
        family: of its backbone, and its size.
        margin: of the face crop: about that of what it was trained on.
        judges: what it was made for: crops of faces, or whole pictures.
        licence: as its publisher says it; unknown where that was not found.
        fake_label: index of the fake output, where the publisher's own code says it and the labels do not.
        unused: parts of its files that are not loaded.
    """

    family: str
    margin: float = DEFAULT_MARGIN
    judges: Judges = "faces"
    licence: str = "unknown"
    fake_label: str | None = None
    unused: str = ""


CHECKPOINTS = {
    BASE: KnownCheckpoint("CLIP base", licence="research only"),
    FAST: KnownCheckpoint("DeiT tiny", licence="research only"),
    "agasta/virtus": KnownCheckpoint("DeiT base", RAW_KAGGLE_MARGIN),
    "prithivMLmods/Deep-Fake-Detector-Model": KnownCheckpoint("ViT base", RAW_KAGGLE_MARGIN, licence="Apache-2.0"),
    "ashwin-raikar/vit-deepfake-detector-celebdfv2": KnownCheckpoint("ViT base"),
    "Sxhni/deepfake-detector-vit": KnownCheckpoint("ViT base", RAW_KAGGLE_MARGIN),
    "dima806/deepfake_vs_real_image_detection": KnownCheckpoint("ViT base", RAW_KAGGLE_MARGIN, licence="Apache-2.0"),
    "prithivMLmods/deepfake-detector-model-v1": KnownCheckpoint(
        "SigLIP 2 base", RAW_KAGGLE_MARGIN, licence="Apache-2.0"
    ),
    "prithivMLmods/Deepfake-Detect-Siglip2": KnownCheckpoint("SigLIP 2 base", RAW_KAGGLE_MARGIN, licence="Apache-2.0"),
    "prithivMLmods/AI-vs-Deepfake-vs-Real-Siglip2": KnownCheckpoint(
        "SigLIP 2 base", judges="pictures", licence="Apache-2.0"
    ),
    # Index 1 is fake: app/run.py of github.com/yermandy/GenD, which crops faces with a scale of 1.3.
    "yermandy/GenD_CLIP_L_14": KnownCheckpoint("CLIP large", licence="MIT", fake_label="1", unused="visual_projection"),
    "yermandy/GenD_DINOv3_L": KnownCheckpoint("DINOv3 large", licence="MIT", fake_label="1"),
    # One logit with a sigmoid, of whole pictures; real is 0, fake is 1: github.com/JeongsooP/Community-Forensics.
    "buildborderless/CommunityForensics-DeepfakeDet-ViT": KnownCheckpoint(
        "ViT small, 384 px", judges="pictures", licence="MIT", fake_label="0"
    ),
}


def known_checkpoint(name: str) -> KnownCheckpoint | None:
    """What is known of a name, at whatever revision."""
    return CHECKPOINTS.get(name.partition("@")[0])
