"""Recipes: each a function that returns one complete `TrainConfig`."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from train.config.augmentation import Augmentation
from train.config.settings import TrainConfig

DEIT_TINY = "facebook/deit-tiny-patch16-224"
DEIT_BASE = "facebook/deit-base-distilled-patch16-224"
VIT_BASE = "google/vit-base-patch16-224-in21k"
DIMA806 = "dima806/deepfake_vs_real_image_detection"
CLIP_BASE = "openai/clip-vit-base-patch16"
CLIP_LARGE = "openai/clip-vit-large-patch14"

NOTEBOOK = Augmentation(  # of the published notebooks: whole pictures, turned and sharpened, nothing else
    rotation=90.0, sharpness_chance=0.5, mirror_chance=0.0, colour_chance=0.0, scale_chance=0.0, jpeg_chance=0.0
)


def virtus(data: str, base: str | None = None) -> TrainConfig:
    """agasta/virtus as published, except that the backbone is kept."""
    return TrainConfig(
        recipe="virtus",
        base=base or _beside(data, DEIT_BASE),
        data=data,
        split="pooled-60-40",
        crop="whole",
        num_epochs=2.0,
        learning_rate=1e-6,
        schedule="linear",
        weight_decay=0.02,
        warmup=50.0,
        batch_size=32,
        eval_batch_size=8,
        choose_by="loss",
        augmentation=NOTEBOOK,
    )


def flask_vit(data: str, base: str | None = None) -> TrainConfig:
    """Sxhni/deepfake-detector-vit: the same from a checkpoint that was trained on the same pictures."""
    return replace(virtus(data, base or _beside(data, DIMA806)), recipe="flask-vit")


def prithiv_celebdf(data: str, base: str | None = None) -> TrainConfig:
    """prithivMLmods/Deep-Fake-Detector-Model on Celeb-DF v2: at most 5 frames of each of 200 videos."""
    augmentation = replace(NOTEBOOK, area=(0.08, 1.0))
    config = virtus(data, base or _beside(data, VIT_BASE))
    return replace(
        config,
        recipe="prithiv-celebdf",
        num_epochs=100.0,
        frames_per_clip=5,
        num_clips=200,
        augmentation=augmentation,
    )


def prithiv_hemg(data: str, base: str | None = None) -> TrainConfig:
    """The same on Hemg/deepfake-and-real-images."""
    return replace(prithiv_celebdf(data, base), recipe="prithiv-hemg", num_clips=0)


def virtus_honest(data: str, base: str | None = None) -> TrainConfig:
    """`virtus` with its faults mended: split by group first, only the training part balanced, the one crop."""
    published = virtus(data, base)
    return replace(
        published, recipe="virtus-honest", split="by-group", balance="train", crop="face", choose_by="mean_auc"
    )


def virtus_tiny(data: str, base: str | None = None) -> TrainConfig:
    """DeiT-tiny, faces cropped and degraded alike, some self-blended fakes; release 0.1.0 bundled two cycles of it."""
    return TrainConfig(
        recipe="virtus-tiny",
        base=base or _beside(data, DEIT_TINY),
        data=data,
        num_epochs=5.0,
        learning_rate=3e-4,
        batch_size=64,
        source_weights={"dfdc": 2, "stylegan": 3},
        blended_share=0.05,
        augmentation=Augmentation(
            shift=0.06,
            scale_chance=0.35,
            scale=(0.3, 1.0),
            blur_chance=0.05,
            noise_chance=0.05,
            jpeg_quality=(30, 95),
        ),
    )


def gend(data: str, base: str | None = None) -> TrainConfig:
    """GenD (Yermakov et al. 2025): layer norms and a head on features of length 1, on pairs of one origin."""
    return TrainConfig(
        recipe="gend",
        base=base or _beside(data, CLIP_LARGE),
        data=data,
        tune="layer_norms",
        head="l2",
        pairs=True,
        num_epochs=30.0,
        weight_decay=0.0,
        warmup=0.0,
        batch_size=512,
        frames_per_clip=32,
        augmentation=Augmentation(
            margin=(1.2, 1.45),
            shift=0.1,
            rotation=10.0,
            colour_chance=1.0,
            colour=0.1,
            scale_chance=0.0,
            blur_chance=0.1,
            blur=(0.1, 2.0),
            jpeg_chance=1.0,
            jpeg_quality=(40, 100),
        ),
    )


KINDS = {  # what a detector should tell that never saw it; by origin, for leaving out
    "round trips": ("*/flux2vae_*",),
    "StyleGAN": ("stylegan/*", "tpdne_basemax/*", "dinab_ffhq_tpdne/*"),  # FFHQ is the real side of two
    "text to image": ("sfhq_t2i/*", "sd15_blonde_woman/*"),
    "swaps": ("openforensics/*", "dfdc/*", "ffpp_c23/Deepfakes*", "ffpp_c23/FaceSwap*"),
    "reenactment": ("ffpp_c23/Face2Face*", "ffpp_c23/NeuralTextures*"),
    "composites": ("made/*",),
}


def virtus_base(data: str, base: str | None = None) -> TrainConfig:
    """CLIP ViT-B/16: its last blocks from a probe of them all on, on sixteen sources and fakes made here.

    Each batch holds couples, half real and half fake, of all sources and kinds in turn, and as many clean as degraded.
    """
    return TrainConfig(
        recipe="virtus-base",
        base=base or _beside(data, CLIP_BASE),
        data=data,
        tune="last_blocks:4",
        head="class_token",
        weights="int8",
        balance="batch",
        source_weights={
            "*/flux2vae_*": 4,
            "dfdc/*": 3,
            "dfdc": 3,
            "openforensics/*": 2,
            "openforensics": 2,
        },
        keep_tokens=0.5,
        num_epochs=4.0,
        learning_rate=5e-5,
        batch_size=32,
        kinds=KINDS,
        blended_share=0.15,
        swapped_share=0.15,
        cached_draws=1,
        cached_block=8,
        clean_looks=True,
        probe=True,
        augmentation=Augmentation(
            shift=0.06,
            colour_chance=0.3,
            colour=0.25,
            grey_chance=0.05,
            smooth_chance=0.1,
            sharpness_chance=0.1,
            scale_chance=0.45,
            scale=(0.3, 1.6),
            blur_chance=0.15,
            blur=(0.3, 2.0),
            noise_chance=0.1,
            noise=(1.0, 10.0),
            jpeg_chance=0.6,
            jpeg_quality=(30, 98),
            webp_share=0.25,
            again_chance=0.2,
        ),
    )


def virtus_fast(data: str, base: str | None = None) -> TrainConfig:
    """DeiT-tiny, all of it, taught by virtus-base on the same pictures and fakes: its logits and its class token.

    The bundled one goes on from virtus-tiny, which had seen all pictures of its three sources ten times, and keeps some
    of it. Round trips it hardly tells: it is not bound to, and sees fewer of them than its teacher did.
    """
    like = virtus_base(data, base or _beside(data, DEIT_TINY))
    seen = {"*/flux2vae_*": 2, "openforensics/*": 3, "openforensics": 3, "stylegan/*": 2, "stylegan": 2}
    return replace(
        like,
        recipe="virtus-fast",
        teacher="virtus-base",
        tune="full",
        head="linear",
        weights="float",
        source_weights=like.source_weights | seen,
        cached_block=0,
        probe=False,
        start_share=0.25,
        choose_by="auc",
        bound_kinds=False,
        num_epochs=6.0,
        learning_rate=3e-4,
        batch_size=64,
    )


def _beside(data: str, repo_id: str) -> str:
    """The folder of that base beside the data (`../models/<name>`) where there is one, else its Hub id."""
    folder = os.path.normpath(Path(data, "..", "models", repo_id.split("/")[1]))  # as relative as `data` is
    return folder if Path(folder).is_dir() else repo_id


RECIPES: dict[str, Callable[..., TrainConfig]] = {
    "virtus": virtus,
    "flask-vit": flask_vit,
    "prithiv-celebdf": prithiv_celebdf,
    "prithiv-hemg": prithiv_hemg,
    "virtus-honest": virtus_honest,
    "virtus-tiny": virtus_tiny,
    "gend": gend,
    "virtus-base": virtus_base,
    "virtus-fast": virtus_fast,
}
