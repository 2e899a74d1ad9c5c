"""Labelled clips to samples of faces: the layouts of Celeb-DF v2 and FaceForensics++, or Real/ and Fake/ folders.

**Celeb-DF v2** (Li et al. 2020): `Celeb-real/`, `YouTube-real/`, `Celeb-synthesis/`, `List_of_testing_videos.txt`. The
fake `id35_id32_0007` is the footage `id35_0007` with the face of id32. The official test list cuts through both people
and footage, so no honest split of the rest can keep all people apart. Chosen is: official test clips are `test`, as in
published figures; other clips of the same footage are left out, so that no footage is in both; what remains is divided
by the person whose footage it is, so that `val` shows new ones. Faces put into others' footage do cross.

**FaceForensics++** (Roessler et al. 2019): `original_sequences/<set>/<compression>/videos/000.mp4`,
`manipulated_sequences/<method>/<compression>/videos/000_003.mp4`, and where they are there the official
`splits/{train,val,test}.json`. 000, 003 and all that was made of the two, in any compression, are one group; of the
actors of DeepFakeDetection, all footage of one person.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePath

from tqdm import tqdm

from train.data.processes import spread
from train.data.samples import CACHE, Sample, SampleSet, Unreadable, label_files, read_groups
from virtus.errors import DataError, VideoError
from virtus.faces import MIN_FACE_SIDE, crop_face, find_faces
from virtus.labels import label_from_folder
from virtus.media import is_video_path
from virtus.results import Label
from virtus.video import sample_frames

MARGIN = 2.0  # of the cached crops: training draws its own, smaller one from them
ENDS_BYTES = 64 * 1024  # in one of a clip's ends lies the size of each of its frames

CELEB_FOLDERS = {"celeb-real": Label.REAL, "youtube-real": Label.REAL, "celeb-synthesis": Label.FAKE}
CELEB_TEST_LIST = "list_of_testing_videos.txt"
CELEB_NAME = re.compile(r"(?P<person>id\d+)(_id\d+)?_(?P<take>\d+)", re.IGNORECASE)
FF_FOLDERS = {"original_sequences": Label.REAL, "manipulated_sequences": Label.FAKE}
FF_COMPRESSIONS = ("raw", "c0", "c23", "c40")  # beside them lie masks, which are clips too
FF_ACTOR = re.compile(r"(?P<person>\d\d)(_\d\d)?__.+")
FF_ACTOR_SETS = ("actors", "deepfakedetection")
FF_SPLITS = ("train", "val", "test")


def find_clips(root: Path) -> SampleSet:
    """All labelled clips below a folder, as samples whose paths are those of the clips.

    In Real/ and Fake/ folders, clips that differ only in the class are one group (a fake is mostly named as what it was
    made of), unless a `groups.csv` says otherwise.

    Raises:
        DataError: if an official list or a `groups.csv` cannot be understood.
    """
    trees, plain = defaultdict(list), []
    for path in sorted(path for path in root.rglob("*") if is_video_path(path) and path.is_file()):
        known = _known_folder(path.relative_to(root))
        if known is None:
            plain.append(path)
        else:
            base = root.joinpath(*path.relative_to(root).parts[:known])
            trees[base, path.relative_to(base).parts[0].lower() in CELEB_FOLDERS].append(path)
    samples, notes = _label_plain(plain, root), list[str]()
    for (base, is_celeb), paths in sorted(trees.items()):
        source = base.relative_to(root).as_posix() if base != root else root.resolve().name
        samples += _label_celeb(base, source, paths, notes) if is_celeb else _label_ff(base, source, paths)
    return SampleSet(samples, notes=notes)


def is_of_clips(relative: PurePath) -> bool:
    """Whether a file lies in one of the two data sets' own folders."""
    return _known_folder(relative) is not None


def crop_clips(
    clips: Sequence[Sample], *, frames_per_clip: int, cache: Path = CACHE / "clips", num_workers: int | None = None
) -> SampleSet:
    """The largest face of a few frames of each clip, evenly spaced in time, cut out as files.

    A clip is known by its size and its first and last bytes, whatever its name. What was cut is not cut again.

    Args:
        clips: samples whose paths are clips.
        cache: gets a folder for each clip.

    Returns:
        A sample for each face, with source, class, split and group of its clip; the clips that gave none, and why.
    """
    folders, unreadable = dict[Path, Path](), list[Unreadable]()
    for clip in clips:
        try:
            folders[clip.path] = cache / f"{_fingerprint(clip.path)}_{frames_per_clip}x{MARGIN:g}"
        except OSError as exc:
            unreadable.append(Unreadable(clip.path, f"The file cannot be read ({exc.strerror or exc})."))
    cuts = {folder: cut for folder in set(folders.values()) if (cut := _read_cut(folder)) is not None}
    new = {folder: path for path, folder in folders.items() if folder not in cuts}
    if new:
        cuts |= _cut_all(new, frames_per_clip, num_workers or os.cpu_count() or 1)
    samples, notes = list[Sample](), list[str]()
    for clip in (clip for clip in clips if clip.path in folders):
        folder = folders[clip.path]
        cut = cuts[folder]
        samples += [replace(clip, path=folder / name, clip=folder.name) for name in cut.names]
        if cut.reason:
            unreadable.append(Unreadable(clip.path, cut.reason))
        elif not cut.complete:
            notes.append(f"{clip.path} is cut off or damaged; its readable part is used.")
    return SampleSet(samples, sorted(unreadable, key=lambda broken: broken.path), notes)


@dataclass(frozen=True)
class CutClip:
    """What was cut from a clip: the files' names, whether the clip is whole, and why there are none."""

    names: list[str]
    complete: bool = True
    reason: str | None = None


def _cut_all(clips: dict[Path, Path], frames_per_clip: int, num_workers: int) -> dict[Path, CutClip]:
    """From the folder of each clip and the clip to what was cut."""
    cuts = spread(partial(_cut, frames_per_clip=frames_per_clip), clips, clips.values(), num_workers=num_workers)
    return dict(zip(clips, tqdm(cuts, total=len(clips), desc="clips", unit="clip"), strict=True))


def _cut(folder: Path, path: Path, *, frames_per_clip: int) -> CutClip:
    draft = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)  # of a run that was killed: in a container each has the same numbers
    draft.mkdir(parents=True)
    try:
        cut = _cut_into(draft, path, frames_per_clip)
        (draft / "clip.json").write_text(json.dumps({"name": path.name, **vars(cut)}) + "\n", encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)  # so that a folder is whole, or not there
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return cut


def _cut_into(folder: Path, path: Path, frames_per_clip: int) -> CutClip:
    try:
        clip = sample_frames(path, num_frames=frames_per_clip)
    except VideoError as exc:
        return CutClip([], reason=str(exc))
    names = []
    for index, frame in enumerate(clip.frames):
        for face in find_faces(frame.image, min_side=MIN_FACE_SIDE)[:1]:
            names.append(f"{index:03}.jpg")
            crop = crop_face(frame.image, face, margin=MARGIN)
            crop.image.save(folder / names[-1], quality=95, subsampling=0)
    reason = None if names else f"No face was found in {len(clip.frames)} of its frames."
    return CutClip(names, clip.complete, reason)


def _read_cut(folder: Path) -> CutClip | None:
    try:
        row = json.loads((folder / "clip.json").read_text(encoding="utf-8"))
        cut = CutClip(row["names"], row["complete"], row["reason"])
    except (OSError, ValueError, KeyError):
        return None
    return cut if all((folder / name).is_file() for name in cut.names) else None


def _fingerprint(path: Path) -> str:
    """Of the size and both ends: sets of clips are too large to be read through at every run."""
    size = path.stat().st_size
    digest = hashlib.blake2b(str(size).encode(), digest_size=16)
    with path.open("rb") as stream:
        digest.update(stream.read(ENDS_BYTES))
        stream.seek(max(0, size - ENDS_BYTES))
        digest.update(stream.read(ENDS_BYTES))
    return digest.hexdigest()


def _known_folder(relative: PurePath) -> int | None:
    """How many folders lie above the one that tells Celeb-DF v2 or FaceForensics++."""
    parts = [part.lower() for part in relative.parts[:-1]]
    return next((at for at, part in enumerate(parts) if part in CELEB_FOLDERS or part in FF_FOLDERS), None)


def _label_plain(paths: list[Path], root: Path) -> list[Sample]:
    groups, samples = read_groups(root), []
    for sample in label_files(paths, root, groups):
        relative = sample.path.relative_to(root)
        folders = [part for part in relative.parts[:-1] if label_from_folder(part) is None]
        twins = "/".join([sample.source, *folders, relative.stem])  # Real/7.mp4 and Fake/7.mp4
        samples.append(sample if sample.path in groups else replace(sample, group=twins))
    return samples


def _label_celeb(base: Path, source: str, paths: list[Path], notes: list[str]) -> list[Sample]:
    official = _read_celeb_test_list(base)
    footage_in_test = {_footage(PurePath(name)) for name in official}
    samples, num_left_out = [], 0
    for path in paths:
        folder, footage = path.relative_to(base).parts[0].lower(), _footage(path.relative_to(base))
        label, person = CELEB_FOLDERS[folder], footage.partition("_")[0] if folder != "youtube-real" else footage
        if f"{folder}/{path.name.lower()}" in official:
            samples.append(Sample(path, label, source, "test", f"{source}/{footage}"))
        elif footage in footage_in_test:
            num_left_out += 1
        else:
            samples.append(Sample(path, label, source, None, f"{source}/{person}"))
    if num_left_out:
        why = "their footage is in the official test list"
        notes.append(f"{source}: {num_left_out} of {len(paths)} clips are left out: {why}.")
    return samples


def _footage(relative: PurePath) -> str:
    """What a clip of Celeb-DF v2 was filmed as: `id35_0007`, or `youtube 00170`."""
    if relative.parts[0].lower() == "youtube-real":
        return f"youtube {relative.stem.lower()}"
    match = CELEB_NAME.fullmatch(relative.stem.lower())
    return f"{match['person']}_{match['take']}" if match else relative.stem.lower()


def _read_celeb_test_list(base: Path) -> set[str]:
    """`folder/name` of each official test clip, in lower case; none where there is no list."""
    file = next((path for path in sorted(base.iterdir()) if path.name.lower() == CELEB_TEST_LIST), None)
    names = set()
    for number, line in enumerate(_read_text(file).splitlines() if file else (), start=1):
        digit, _, name = line.strip().lower().replace("\\", "/").partition(" ")
        folder = name.strip().split("/")[0]
        if line.strip() and (folder not in CELEB_FOLDERS or digit != str(int(CELEB_FOLDERS[folder] is Label.REAL))):
            raise DataError(f"{file}, line {number}: expected '1 Celeb-real/id0_0000.mp4' or '0 Celeb-synthesis/...'.")
        names |= {f"{folder}/{PurePath(name.strip()).name}"} if name else set()
    return names


def _label_ff(base: Path, source: str, paths: list[Path]) -> list[Sample]:
    lists = {split: pairs for split in FF_SPLITS if (pairs := _read_ff_pairs(base, split)) is not None}
    kept = [(path, *kind) for path in paths if (kind := _ff_folders(path.relative_to(base))) is not None]
    fakes = [path.stem.split("_") for path, _, name, _ in kept if name not in FF_ACTOR_SETS and "_" in path.stem]
    group_of = _unite([*fakes, *(pair for pairs in lists.values() for pair in pairs)])
    split_of = {name: split for split, pairs in lists.items() for pair in pairs for name in pair}
    samples = []
    for path, label, name, compression in kept:
        if name in FF_ACTOR_SETS:
            match = FF_ACTOR.fullmatch(path.stem)
            data_set, split, group = (
                f"{source}/DeepFakeDetection",
                None,
                f"actor {match['person'] if match else path.stem}",
            )
        else:
            first = path.stem.split("_")[0]
            data_set, split, group = source, split_of.get(first), group_of.get(first, first)
        samples.append(Sample(path, label, f"{data_set}/{compression}", split, f"{source}/{group}"))
    return samples


def _ff_folders(relative: PurePath) -> tuple[Label, str, str] | None:
    """Class, set or method, and compression of a clip; None for a mask."""
    top, *folders = (part.lower() for part in relative.parts[:-1])
    if len(folders) < 2 or folders[1] not in FF_COMPRESSIONS:
        return None
    return FF_FOLDERS[top], folders[0], folders[1]


def _read_ff_pairs(base: Path, split: str) -> list[list[str]] | None:
    """The pairs of an official list; None where there is none."""
    file = next((path for path in (base / f"splits/{split}.json", base / f"{split}.json") if path.is_file()), None)
    if file is None:
        return None
    try:
        pairs = json.loads(_read_text(file))
        if not all(isinstance(pair, list) and all(isinstance(name, str) for name in pair) for pair in pairs):
            raise TypeError
    except (ValueError, TypeError) as exc:
        raise DataError(f'{file} is no list of pairs such as [["071", "054"]]. Fetch it again, or remove it.') from exc
    return pairs


def _unite(pairs: Iterable[Sequence[str]]) -> dict[str, str]:
    """The name of the group of each that stands in a pair: those that a chain of pairs joins are one."""
    members: dict[str, set[str]] = {}
    for pair in pairs:
        joined = set(pair).union(*(members.get(name, ()) for name in pair))
        members |= dict.fromkeys(joined, joined)
    return {name: "_".join(sorted(joined)) for name, joined in members.items()}


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise DataError(f"{file} cannot be read as UTF-8 text ({exc}). Fetch it again, or remove it.") from exc
