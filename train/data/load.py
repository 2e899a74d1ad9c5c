"""From what a user names as data to samples: a folder of pictures or clips, or a data set on the Hub."""

from __future__ import annotations

from pathlib import Path

from train.data.clips import crop_clips, find_clips, is_of_clips
from train.data.hub_data import has_tables, load_from_folder, load_from_hub
from train.data.samples import CACHE, SampleSet, label_files, nothing_labelled, read_groups, take_evenly
from virtus.checkpoints import is_repo_id
from virtus.errors import DataError
from virtus.labels import label_from_folders, unlabelled_in_words
from virtus.media import find_pictures
from virtus.results import Label

FRAMES = (
    "{} pictures in the folders of Celeb-DF or FaceForensics++ below {} are left out: of these the clips are read. To "
    "use frames of them, move these into folders named Real and Fake."
)


def load_samples(source: str | Path, *, frames_per_clip: int = 5, num_clips: int = 0, cache: Path = CACHE) -> SampleSet:
    """Find all labelled faces of a data set.

    Args:
        source: a folder of pictures in the layouts of `find_samples`, of clips in those of `train.data.clips`, or of
            both; or a data set on the Hugging Face Hub, `owner/name` or `owner/name@revision`; or a copy of one in a
            folder. A folder goes before a name on the Hub.
        frames_per_clip: of each clip, the largest face of at most so many frames.
        num_clips: so many clips at most, half of them of each class and evenly taken; 0 for all.
        cache: folder for the faces of clips and the pictures of Hub data sets; a second run takes them from there.

    Raises:
        DataError: if there is no such data set, or nothing in it is labelled and can be read.
    """
    if frames_per_clip < 1:
        raise DataError(f"frames_per_clip must be at least 1, not {frames_per_clip}.")
    if str(source) and Path(source).is_dir():
        return _load_folder(Path(source), frames_per_clip, num_clips, cache)
    if is_repo_id(str(source)):
        return load_from_hub(str(source), cache=cache / "hub")
    raise DataError(
        f"There is no folder {source}. Give one with Real/ and Fake/ folders in it, or a data set on the Hugging "
        "Face Hub as owner/name."
    )


def _load_folder(root: Path, frames_per_clip: int, num_clips: int, cache: Path) -> SampleSet:
    # Frames that somebody took out of a set of clips have no label that could be trusted, nor a group.
    every = find_pictures(root)
    pictures = [path for path in every if not is_of_clips(path.relative_to(root))]
    left_out = [FRAMES.format(len(every) - len(pictures), root)] if len(every) > len(pictures) else []
    samples = label_files(pictures, root, read_groups(root))
    clips = find_clips(root)
    if not samples and not clips.samples and has_tables(root):
        return load_from_folder(root, cache=cache / "hub")
    if not samples and not clips.samples:
        raise DataError(" ".join([nothing_labelled(root, pictures), *left_out]))
    by_class = sorted(clips.samples, key=lambda clip: clip.label is Label.FAKE)
    taken = take_evenly(by_class, -(-num_clips // 2), kind=lambda clip: clip.label) if num_clips else clips.samples
    crops = crop_clips(taken, frames_per_clip=frames_per_clip, cache=cache / "clips")
    if not samples and not crops.samples:
        example = crops.unreadable[0]
        raise DataError(f"None of the {len(taken)} clips below {root} gave a face. {example.path}: {example.reason}")
    notes = left_out + _notes(root, pictures) + clips.notes + crops.notes
    return SampleSet(samples + crops.samples, crops.unreadable, notes)


def _notes(root: Path, pictures: list[Path]) -> list[str]:
    """What is left out for want of a class."""
    places = (path.relative_to(root) for path in pictures)
    said = unlabelled_in_words(place for place in places if label_from_folders(place) is None)
    return [f"Of the pictures below {root} {said}"] if said else []
