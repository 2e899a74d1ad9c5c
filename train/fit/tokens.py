"""What frozen parts give for each draw of a picture, computed once and kept: tokens, or what a teacher says of it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from numpy.typing import DTypeLike
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from train.config import TrainConfig
from train.pictures import CLEAN, FaceDataset, RowKind, TrainDataset
from virtus.models import Classifier, EvalTransform, has_bfloat16_units, resolve_device

try:
    import fcntl
except ImportError:  # Windows: two runs that fill one store are not told apart there
    fcntl = None

BATCH_SIZE = 32
Compute = Callable[[Sequence[str], torch.Tensor], np.ndarray]


class RowStore:
    """Arrays of one shape, each under a name, in a file that only grows.

    A run that is killed loses the batch that it was about to add. One process writes (see `filling`); others may read.

    Args:
        file: raw numbers; the names lie beside it, a line each, and so does the lock of who writes.
        shape, dtype: of one array; fields may have names.
    """

    def __init__(self, file: Path, shape: tuple[int, ...], dtype: DTypeLike = np.float16):
        self.file, self.names, self.shape, self.dtype = file, file.with_suffix(".names"), shape, np.dtype(dtype)
        self.num_bytes = int(np.prod(shape)) * self.dtype.itemsize
        self.rows = self._whole_rows() if file.exists() else {}

    def __contains__(self, name: str) -> bool:
        return name in self.rows

    def __getitem__(self, name: str) -> np.ndarray:
        """A copy of the array of that name."""
        offset = self.rows[name] * self.num_bytes
        return np.fromfile(self.file, self.dtype, count=int(np.prod(self.shape)), offset=offset).reshape(self.shape)

    @contextmanager
    def filling(self) -> Iterator[None]:
        """While this process adds: another that wants to waits, and begins behind what this one added."""
        self._create()
        with self.file.with_suffix(".lock").open("wb") as lock:
            _wait_for(lock, self.file)
            self.rows = self._whole_rows()
            self.drop_unfinished()
            yield

    def drop_unfinished(self) -> None:
        """What a run that was killed left behind the last whole row: before anything is added."""
        with self.file.open("r+b") as stream:
            stream.truncate(len(self.rows) * self.num_bytes)
        self.names.write_text("".join(f"{name}\n" for name in self.rows), encoding="utf-8")

    def add(self, names: Sequence[str], arrays: np.ndarray) -> None:
        """(N, *shape) under N names that are not known yet."""
        self._create()
        with self.file.open("ab") as stream:
            stream.write(np.ascontiguousarray(arrays, self.dtype).tobytes())
        with self.names.open("a", encoding="utf-8") as stream:
            stream.write("".join(f"{name}\n" for name in names))
        self.rows |= {name: len(self.rows) + place for place, name in enumerate(names)}

    def _create(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.touch()
        self.names.touch()

    def _whole_rows(self) -> dict[str, int]:
        """The row of each name, as the files have them now."""
        known = self.names.read_text(encoding="utf-8").splitlines(keepends=True)
        whole = [line for line in known if line.endswith("\n")][: self.file.stat().st_size // self.num_bytes]
        return {line.rstrip("\n"): row for row, line in enumerate(whole)}


def _wait_for(lock: BinaryIO, store: Path) -> None:
    """Until no other process holds it; closing the file gives it back."""
    if fcntl is None:
        return
    with suppress(OSError):  # a file system without locks
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"Another run is filling {store}. Waiting for it, to use what it computes.", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)


class TokenDataset(Dataset):
    """Rows `{"hidden": float16 (T, D), "labels": int}`: the tokens that enter a block; or in their place named fields.

    Args:
        pictures: of which they are; a training set is drawn `num_draws` times, and with `clean_looks` each of these is
            there clean too. Of neighbouring rows one is shown so, one otherwise.
    """

    def __init__(self, pictures: FaceDataset, store: RowStore, *, num_draws: int = 1, clean_looks: bool = False):
        self.pictures, self.store, self.epoch = pictures, store, 0
        looks = ("", CLEAN) if clean_looks else ("",)
        self.numbers = [f"{number}{look}" for number in range(num_draws) for look in looks]
        self.samples = pictures.samples

    @property
    def kinds(self) -> list[RowKind]:
        """Of the rows of a training set."""
        assert isinstance(self.pictures, TrainDataset)
        return self.pictures.kinds

    def __len__(self) -> int:
        return len(self.pictures)

    def set_epoch(self, epoch: int) -> None:
        """From now on other draws are shown."""
        self.epoch = epoch

    def __getitem__(self, index: int) -> dict:
        row, again = index % len(self), index // len(self)
        number = self.numbers[(self.epoch + again + row) % len(self.numbers)]
        kept = self.store[self.pictures.name(row, number)]
        values = {name: kept[name] for name in kept.dtype.names} if kept.dtype.names else {"hidden": kept}
        return {name: torch.from_numpy(array) for name, array in values.items()} | {"labels": self.pictures.label(row)}

    def draws(self) -> dict[str, tuple[int, str]]:
        """Row and number of each picture that is shown, by the names they are kept under: first draws come first."""
        draws = [(row, number) for number in self.numbers for row in range(len(self))]
        return {self.pictures.name(*draw): draw for draw in draws}


class Missing(Dataset):
    """What a store lacks of what has names: each name, and what `load` makes of its arguments."""

    def __init__(self, store: RowStore, named: Mapping[str, tuple], load: Callable[..., np.ndarray]):
        self.store, self.named, self.load = store, named, load
        self.look()

    def look(self) -> None:
        """See anew which of them the store lacks."""
        self.rows = [item for item in self.named.items() if item[0] not in self.store]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple[str, torch.Tensor]:
        name, arguments = self.rows[index]
        return name, torch.from_numpy(self.load(*arguments))


def open_store(
    folder: Path, config: TrainConfig, classifier: Classifier, transform: EvalTransform, *, block: int
) -> RowStore:
    """Where the tokens that enter a block lie, of what is frozen below it and of that way of drawing.

    Another setting has another folder.
    """
    settings = [config.data, block, asdict(config.augmentation), transform.to_config()]
    digest = digest_of(settings, _frozen(classifier, block))
    architecture = classifier.config
    num_tokens = architecture.num_prefix_tokens + math.prod(architecture.grid_size)
    return RowStore(folder / digest / "tokens.float16", (num_tokens, architecture.hidden_size))


def digest_of(settings: Sequence, tensors: Iterable[torch.Tensor]) -> str:
    """A name for what depends on settings, as JSON takes them, and on weights: 16 hexadecimal digits."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for tensor in tensors:
        digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def _frozen(classifier: Classifier, block: int) -> list[torch.Tensor]:
    names = ("embeddings.", "pre_layernorm.", *(f"layers.{index}." for index in range(block)))
    return [tensor for name, tensor in sorted(classifier.state_dict().items()) if name.startswith(names)]


def fill(tokens: TokenDataset, classifier: Classifier, block: int, *, bf16: bool, num_workers: int) -> None:
    """Compute the tokens that enter a block where the store lacks them."""

    def enter(_: Sequence[str], pixel_values: torch.Tensor) -> np.ndarray:
        hidden, rotation = classifier.embed(pixel_values), classifier.rotation()
        for layer in classifier.blocks[:block]:
            hidden = layer(hidden, rotation=rotation)
        return hidden.float().cpu().numpy()

    fill_by(enter, tokens, classifier, bf16=bf16, num_workers=num_workers)


def fill_by(
    compute: Compute,
    tokens: TokenDataset,
    classifier: Classifier,
    *,
    bf16: bool,
    num_workers: int,
) -> None:
    """Compute of pictures what the store lacks; see `fill_store`."""
    missing = Missing(tokens.store, tokens.draws(), tokens.pictures.pixel_values)
    fill_store(tokens.store, missing, compute, classifier, bf16=bf16, num_workers=num_workers)


@torch.inference_mode()
def fill_store(
    store: RowStore,
    missing: Missing,
    compute: Compute,
    classifier: Classifier,
    *,
    bf16: bool,
    num_workers: int = 0,
) -> None:
    """Compute what is missing, a batch at a time, and keep each at once; of several runs one after the other.

    Args:
        compute: by the classifier, from a batch of what is missing, its names and what was loaded, such as pictures
            (N, 3, H, W), to what is kept.
        bf16: see `TrainConfig`.
    """
    if not len(missing):
        return
    device = resolve_device()
    classifier.to(device).eval()
    bfloat16 = torch.autocast(device.type, torch.bfloat16, enabled=bf16 and has_bfloat16_units(device))
    with store.filling():
        missing.look()  # another run may have added some of it meanwhile
        loader = DataLoader(missing, BATCH_SIZE, num_workers=num_workers)  # float16: no batch under autocast
        for names, values in tqdm(loader, desc=store.file.stem, unit="batch"):
            with bfloat16:
                store.add(names, compute(names, values.to(device)))
