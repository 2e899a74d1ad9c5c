"""A student that learns from a teacher: from its logits (Hinton et al. 2015) and from its class token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from train.config import TrainConfig
from train.fit.model import ID2LABEL, StartingPoint, Trainable
from train.fit.tokens import RowStore, TokenDataset, digest_of, fill_by, open_store
from virtus.checkpoints import Checkpoint, load_checkpoint
from virtus.errors import CheckpointError, DataError
from virtus.labels import ClassOutputs
from virtus.models import EvalTransform, read_transform

OUTPUTS = ClassOutputs(real=(0,), fake=(1,))  # as in ID2LABEL


class Teacher:
    """A frozen checkpoint, and what it says of each picture, which is kept beside the picture as it was drawn.

    Args:
        config: of the student's run.

    Raises:
        DataError: if it does not load, or sees or says something else than the student will.
    """

    def __init__(self, config: TrainConfig):
        self.config = config
        try:
            self.checkpoint = load_checkpoint(config.teacher, precision="float32")
        except CheckpointError as exc:
            raise DataError(f"The teacher does not load: {exc} Name one by --set teacher=FOLDER.") from exc
        self.classifier, self.transform = self.checkpoint.trunk.model, self.checkpoint.transform
        if cause := _difference(self.checkpoint, config):
            raise DataError(f"{config.teacher} is no teacher for this run: {cause}.")

    def prepare(self, start: StartingPoint) -> StartingPoint:
        """The student with the eval transform of its teacher, so that both see the same pixels.

        Raises:
            DataError: if it takes pictures of another size, or its kind has a transform of its own.
        """
        theirs, size = self.checkpoint.transform, start.transform.input_size
        if theirs.input_size != size:
            taken, wanted = ("x".join(map(str, sides)) for sides in (theirs.input_size, size))
            raise DataError(
                f"{self.config.teacher} is no teacher for this run: it takes pictures of {taken}, the student {wanted}."
            )
        whole = EvalTransform(size, theirs.mean, theirs.std, theirs.resample, rescale_factor=theirs.rescale_factor)
        if read_transform(start.config, whole.to_config()) != whole:
            kind = start.classifier.config.name
            raise DataError(f"A {kind} has a way of its own to scale pictures, and cannot take that of a teacher.")
        self.transform = whole
        return replace(start, transform=whole)

    @property
    def num_features(self) -> int:
        """How many numbers its heads read."""
        return self.classifier.config.num_features * len(self.classifier.heads)

    def open_store(self, folder: Path) -> RowStore:
        """Where its rows lie; those of another teacher or way of drawing have another folder."""
        drawn = [self.config.data, asdict(self.config.augmentation), self.transform.to_config()]
        fields = [
            ("pixels", np.uint8, (3, *self.transform.input_size)),
            ("teacher_logits", np.float32, (len(ID2LABEL),)),
            ("teacher_token", np.float16, (self.num_features,)),
        ]
        return RowStore(folder / digest_of([self.checkpoint.info.sha256, *drawn], []) / "taught.rows", (), fields)

    def fill(self, taught: TokenDataset, kept: Path, *, bf16: bool, num_workers: int) -> None:
        """Compute what its store lacks; see `train.fit.tokens`.

        Args:
            kept: the folder where a run may have kept the tokens that enter the first of its trained blocks: what is
                there of the same draws is gone on with, which takes a third of the time.
        """
        block = self.checkpoint.first_trained_block
        tokens = open_store(kept, self.config, self.classifier, self.checkpoint.transform, block=block)

        def look(names: Sequence[str], pixel_values: torch.Tensor) -> np.ndarray:
            pooled = self._pooled(names, pixel_values, tokens, block)
            given = {
                "pixels": _pixels(pixel_values, self.transform),
                "teacher_logits": self.classifier.decide(pooled).float(),
                "teacher_token": pooled.flatten(1).float(),
            }
            rows: Any = np.empty(len(pixel_values), taught.store.dtype)  # numpy's types know no names of fields
            for name, values in given.items():
                rows[name] = values.cpu().numpy()
            return rows

        fill_by(look, taught, self.classifier, bf16=bf16, num_workers=num_workers)

    def _pooled(self, names: Sequence[str], pixel_values: torch.Tensor, tokens: RowStore, block: int) -> torch.Tensor:
        """What its heads read of pictures, by kept tokens where all are there: (N, vectors, D)."""
        if not all(name in tokens for name in names):
            return self.classifier.features(self.classifier.embed(pixel_values))
        hidden = torch.from_numpy(np.stack([tokens[name] for name in names])).to(pixel_values.device)
        return self.classifier.features(hidden.float(), first_block=block)


class Student(Trainable):
    """A classifier in training that is taught.

    Its class token behind the last norm is laid beside the teacher's through a linear layer that is learned too, and
    that no checkpoint holds. Where the run mirrors pictures, half of what was kept is shown mirrored: the teacher
    learned from mirrored ones too, and says nearly the same of it.

    Args:
        start: as `Teacher.prepare` gives it.
        options: see `Trainable`.
    """

    def __init__(self, start: StartingPoint, teacher: Teacher, config: TrainConfig, **options: Any):
        super().__init__(start.classifier, **options)
        self.run, self.transform = config, start.transform  # a model's `config` is what the Trainer writes to
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.projection = nn.Linear(start.classifier.config.num_features, teacher.num_features)

    def forward(  # its names are those of the rows
        self,
        pixels: torch.Tensor,
        teacher_logits: torch.Tensor | None = None,
        teacher_token: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
    ) -> dict[str, torch.Tensor]:
        """`logits` (N, 2) of pictures as they were drawn, uint8 (N, 3, H, W), and where labels are given the `loss`."""
        if self.training and self.run.augmentation.mirror_chance:
            pixels = half_mirrored(pixels)
        pooled = self.features(_pixel_values(pixels, self.transform))
        given = self._with_loss(self.classifier.decide(pooled), labels)
        if labels is None or teacher_logits is None or teacher_token is None:
            return given
        divergence = softened_divergence(given["logits"], teacher_logits, self.run.temperature)
        distance = _cosine_distance(self.projection(pooled.flatten(1)), teacher_token)
        taught = self.run.teacher_weight * divergence + self.run.token_weight * distance
        return given | {"loss": given["loss"] + taught}


def half_mirrored(pixels: torch.Tensor) -> torch.Tensor:
    """Pictures (N, C, H, W), each turned left to right with a chance of one half."""
    turned = torch.rand(len(pixels), 1, 1, 1, device=pixels.device) < 0.5
    return torch.where(turned, pixels.flip(-1), pixels)


def softened_divergence(logits: torch.Tensor, teacher_logits: torch.Tensor, temperature: float) -> torch.Tensor:
    """T^2 KL(softmax(teacher / T) || softmax(student / T)), the mean over pictures: its gradient is alike at each T."""
    student, teacher = (functional.log_softmax(of.float() / temperature, dim=1) for of in (logits, teacher_logits))
    return temperature**2 * functional.kl_div(student, teacher, reduction="batchmean", log_target=True)


def _cosine_distance(tokens: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    return 1 - functional.cosine_similarity(tokens.float(), others.float(), dim=1).mean()


def _difference(checkpoint: Checkpoint, config: TrainConfig) -> str:
    """In what a teacher is unlike a student of that run will be; empty where in nothing."""
    if checkpoint.judges_pictures != (config.crop == "whole"):
        return f"it judges {checkpoint.info.judges}, the run's crop is {config.crop}"
    if not checkpoint.judges_pictures and checkpoint.margin != config.margin:
        return f"its crop has a margin of {checkpoint.margin}, the run's {config.margin}"
    if checkpoint.trunk.model.config.num_labels != len(ID2LABEL) or checkpoint.outputs != OUTPUTS:
        return f"its classes are not {ID2LABEL[0]} and {ID2LABEL[1]}, two and in this order"
    transform, size = checkpoint.transform, checkpoint.transform.input_size
    if transform.size not in (size, size[0]):
        return "it cuts out the centre of a crop, which the student would see whole"
    return ""


def _shape(values: tuple[float, ...], like: torch.Tensor) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32, device=like.device)[:, None, None]


def _pixel_values(pixels: torch.Tensor, transform: EvalTransform) -> torch.Tensor:
    """As `EvalTransform.normalise`."""
    return (pixels.float() * transform.rescale_factor - _shape(transform.mean, pixels)) / _shape(transform.std, pixels)


def _pixels(pixel_values: torch.Tensor, transform: EvalTransform) -> torch.Tensor:
    """Back to what `EvalTransform.resize` gave, uint8 (N, 3, H, W)."""
    values = pixel_values * _shape(transform.std, pixel_values) + _shape(transform.mean, pixel_values)
    return (values / transform.rescale_factor).round().clamp(0, 255).to(torch.uint8)
