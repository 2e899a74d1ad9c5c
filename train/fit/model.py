"""The model that is trained: from a base of any known family, to a folder that the engine and transformers load."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn

from train.config import TrainConfig
from virtus.checkpoints import examine_base, examine_base_configs, fetch, is_repo_id, write_sidecar
from virtus.errors import CheckpointError, DataError
from virtus.models import (
    Architecture,
    Classifier,
    EvalTransform,
    classifier_config,
    classifier_tensors,
    file_tensors,
    pack_folder,
    read_architecture,
    rounded,
    with_tensors,
)
from virtus.results import Calibration

ID2LABEL = {0: "Real", 1: "Fake"}
HEAD_STD = 0.02  # of a new head's weights, as transformers draws them


@dataclass(frozen=True)
class StartingPoint:
    """What a run starts from.

    Attributes:
        classifier: of the two classes in `ID2LABEL`.
        transform: its eval transform, at the model's own size.
        config: the content of the base's `config.json`.
    """

    classifier: Classifier
    transform: EvalTransform
    config: dict


def load_base(name: str, *, head: str = "linear", seed: int = 0) -> StartingPoint:
    """A classifier with the backbone of a base, and with its head too where that tells real from fake.

    Args:
        name: a Hub id, or a folder in the Hub's layout.
        head: "class_token" and "l2" read a token: of CLIP that takes another class than its own, which reads the mean
            of the patches.
        seed: of the weights of a new head.

    Raises:
        CheckpointError: if it cannot be found or is of no known family, or any tensor of the backbone is missing.
    """
    folder = Path(name)
    if not folder.is_dir():
        if not is_repo_id(name):
            raise CheckpointError(f"There is no base {name}: give a folder in the Hub's layout, or a Hub id.")
        folder, _ = fetch(name, check=partial(examine_base_configs, name=name))  # before the weights are fetched
    base = examine_base(folder, name=name)
    held = replace(base.architecture, num_labels=len(ID2LABEL))
    architecture, config, outputs = held, base.config, base.outputs
    if head != "linear" and held.model_type == "clip":
        config, outputs = _describe_for_timm(held, base.transform), None
        architecture = read_architecture(config)
    tensors = classifier_tensors(held, base.weights, heads=outputs is not None)
    if outputs is None:
        tensors |= _new_heads(architecture, seed)
    else:  # whatever order its classes had
        order = [*outputs.real, *outputs.fake]
        tensors |= {key: tensor[order] for key, tensor in tensors.items() if architecture.is_head(key)}
    return StartingPoint(with_tensors(architecture, tensors), base.transform, config)


def start_of(config: TrainConfig) -> StartingPoint:
    """The base of a recipe; with int8 weights what is not trained is rounded before, not after."""
    start = load_base(config.base, head=config.head, seed=config.seed)
    if config.weights == "int8" and config.tune != "full":
        start.classifier.load_state_dict(rounded(start.classifier.state_dict()))
    return start


def go_back(classifier: Classifier, began: Mapping[str, torch.Tensor], share: float) -> None:
    """Set weights so far back on the straight line to those that training began with: see `TrainConfig.start_share`."""
    ended = classifier.state_dict()
    classifier.load_state_dict(
        {name: torch.lerp(ended[name], began[name].to(ended[name].device), share) for name in ended}
    )


class Trainable(nn.Module):
    """A classifier as the Trainer takes it, of which a part may be frozen.

    What lies below all that is trained costs no gradient: torch records only what leads to a tensor that wants one.

    Args:
        tune, head: see `TrainConfig`.
        keep_tokens: share of the patch tokens that a training step keeps, drawn anew for each picture. They are dropped
            once they know their places; all others stay, and evaluation sees all.
        first_block: that tokens enter where these are given in place of pictures.

    Raises:
        DataError: if there are not so many blocks, or one below `first_block` is trained.
    """

    def __init__(
        self,
        classifier: Classifier,
        *,
        tune: str = "full",
        head: str = "linear",
        keep_tokens: float = 1.0,
        first_block: int = 0,
    ):
        super().__init__()
        self.classifier, self.keep_tokens, self.first_block = classifier, keep_tokens, first_block
        classifier.requires_grad_(False)
        for part in _tuned(classifier, tune):
            part.requires_grad_(True)
        if any(weight.requires_grad for block in classifier.blocks[:first_block] for weight in block.parameters()):
            raise DataError(f"tune={tune} trains what lies below cached_block={first_block}: cache a block below it.")
        if head == "l2":
            _fix_length(classifier)

    def forward(
        self,
        pixel_values: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        hidden: torch.Tensor | None = None,
    ) -> dict[str, torch.Tensor]:
        """`logits` (N, 2) of pictures (N, 3, H, W), and where labels (N,) are given the `loss`, their cross entropy.

        Or of `hidden` (N, T, D), the tokens that enter block `first_block`.
        """
        if hidden is not None:
            pooled = self._pooled(hidden.float(), first_block=self.first_block)
        else:
            assert pixel_values is not None
            pooled = self.features(pixel_values)
        return self._with_loss(self.classifier.decide(pooled), labels)

    def features(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """What the heads read of pictures (N, 3, H, W), in training of a share of their tokens: (N, vectors, D)."""
        return self._pooled(self.classifier.embed(pixel_values))

    def _pooled(self, hidden: torch.Tensor, *, first_block: int = 0) -> torch.Tensor:
        kept = None
        if self.training and self.keep_tokens < 1:
            kept = self._draw_tokens(hidden)
            hidden = hidden.gather(1, kept[:, :, None].expand(-1, -1, hidden.shape[2]))
        return self.classifier.features(hidden, kept, first_block=first_block)

    def _with_loss(self, logits: torch.Tensor, labels: torch.Tensor | None) -> dict[str, torch.Tensor]:
        loss = {} if labels is None else {"loss": nn.functional.cross_entropy(logits.float(), labels)}
        return loss | {"logits": logits}

    def _draw_tokens(self, hidden: torch.Tensor) -> torch.Tensor:
        """Which tokens are kept of each picture, (N, T), those before the patches first."""
        num_prefix = self.classifier.config.num_prefix_tokens
        num_patches = hidden.shape[1] - num_prefix
        num_kept = max(1, round(self.keep_tokens * num_patches))
        patches = torch.rand(len(hidden), num_patches, device=hidden.device).argsort(1)[:, :num_kept] + num_prefix
        return torch.cat([torch.arange(num_prefix, device=hidden.device).expand(len(hidden), -1), patches], 1)


def save_checkpoint(
    start: StartingPoint, config: TrainConfig, folder: Path, calibration: Calibration | None = None
) -> None:
    """The folder that `virtus.load_checkpoint` and plain transformers load: safetensors, processor, crop.

    In float16; where a part was frozen in float32, so that it stays what it was to the last bit; or in int8.
    """
    folder.mkdir(parents=True, exist_ok=True)
    dtype = torch.float16 if config.tune == "full" and config.weights == "float" else torch.float32
    architecture = start.classifier.config
    tensors = {name: tensor.to("cpu", dtype) for name, tensor in start.classifier.state_dict().items()}
    save_file(file_tensors(architecture, tensors), folder / "model.safetensors", metadata={"format": "pt"})
    described = classifier_config(architecture, start.config, ID2LABEL)
    described["dtype"] = str(dtype).removeprefix("torch.")
    for name, content in (("config", described), ("preprocessor_config", start.transform.to_config())):
        (folder / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    if config.weights == "int8":
        pack_folder(folder)
    provenance = {"recipe": config.recipe, "base": Path(config.base).name, "seed": config.seed}
    provenance |= {"teacher": Path(config.teacher).name} if config.teacher else {}
    sidecar = {"margin": config.margin, "calibration": calibration and asdict(calibration), "provenance": provenance}
    sidecar |= {"first_trained_block": first} if (first := _first_tuned(start.classifier, config.tune)) else {}
    write_sidecar(folder, sidecar | ({"judges": "pictures"} if config.crop == "whole" else {}))


def _describe_for_timm(architecture: Architecture, transform: EvalTransform) -> dict:
    """The `config.json` of timm's classifier on the class token of the same tower.

    Raises:
        DataError: if timm has no such tower.
    """
    size = {1024: "large_patch14", 1280: "huge_patch14"}.get(architecture.hidden_size, "base_patch16")
    sizes = {
        "img_size": list(architecture.image_size),
        "patch_size": list(architecture.patch_size),
        "embed_dim": architecture.hidden_size,
        "depth": architecture.num_hidden_layers,
        "num_heads": architecture.num_attention_heads,
        "mlp_ratio": architecture.intermediate_size / architecture.hidden_size,
    }
    processing = {
        "input_size": [3, *architecture.image_size],
        "interpolation": Image.Resampling(transform.resample).name.lower(),
        "crop_pct": 1.0,
        "crop_mode": "squash",
        "mean": list(transform.mean),
        "std": list(transform.std),
    }
    config = {
        "architecture": f"vit_{size}_clip_{'quickgelu_' if architecture.hidden_act == 'quick_gelu' else ''}224",
        "model_args": sizes,
        "pretrained_cfg": processing,
        "num_classes": len(ID2LABEL),
        "label_names": list(ID2LABEL.values()),
    }
    found, kept = read_architecture(config), ("hidden_act", "layer_norm_eps")
    if found.tensors() != architecture.tensors() or any(getattr(found, k) != getattr(architecture, k) for k in kept):
        raise DataError(
            f"Such a head needs a class that reads a token, and timm has none for this {architecture.name}."
        )
    return config


def _new_heads(architecture: Architecture, seed: int) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    shapes = {name: shape for name, shape in architecture.tensors().items() if architecture.is_head(name)}
    return {
        name: torch.randn(shape, generator=draw) * HEAD_STD if name.endswith(".weight") else torch.zeros(shape)
        for name, shape in shapes.items()
    }


def _tuned(classifier: Classifier, tune: str) -> list[nn.Module]:
    """What is trained, of all that the logits rest on.

    Raises:
        DataError: if there are not so many blocks.
    """
    unread = classifier.layernorm if classifier.config.final_norm == "idle" else None
    if tune == "layer_norms":
        norms = [part for part in classifier.modules() if isinstance(part, nn.LayerNorm) and part is not unread]
        return [*norms, *classifier.heads]
    parts = [part for part in classifier.children() if part is not unread]
    if tune == "full":
        return parts
    before = (classifier.embeddings, classifier.pre_layernorm, classifier.layers)
    return [*classifier.blocks[_first_tuned(classifier, tune) :], *(part for part in parts if part not in before)]


def _first_tuned(classifier: Classifier, tune: str) -> int:
    """The index of the first block that is trained.

    Raises:
        DataError: if there are not so many blocks.
    """
    wanted, num_blocks = int(tune.rpartition(":")[2]) if tune.startswith("last_blocks") else 0, len(classifier.blocks)
    if wanted > num_blocks:
        raise DataError(f"The base has {num_blocks} blocks; tune=last_blocks:{wanted} asks for more.")
    return num_blocks - wanted if wanted else 0


def _fix_length(classifier: Classifier) -> None:
    """Let the head read features of length 1, as GenD's does: by a last norm that is held, so that it stays linear.

    A layer norm without weight and bias gives vectors of length sqrt(D); at a weight of 1 / sqrt(D) it normalises.

    Raises:
        DataError: where no norm stands between what is pooled and the head.
    """
    config = classifier.config
    if config.l2_features:
        return
    norm = classifier.pooled_layernorm or (classifier.layernorm if config.pooling == "cls" else None)
    if norm is None or config.final_norm == "idle":
        raise DataError(
            f"head=l2 needs a base whose head reads one token behind a norm. {config.name} reads {config.pooling}: its "
            "length differs from picture to picture, and a saved linear head could not undo that. Use head=linear."
        )
    with torch.no_grad():
        norm.weight.fill_(config.hidden_size**-0.5)
        norm.bias.zero_()
    norm.requires_grad_(False)
