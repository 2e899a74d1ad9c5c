"""As many pictures of each class, by copies of the rarer one."""

from __future__ import annotations

from train.data.samples import Sample


def oversample(samples: list[Sample], seed: int) -> list[Sample]:
    """With copies of pictures of the rarer class, drawn at random, until both are equally many.

    imbalanced-learn's RandomOverSampler, as in the published notebooks: its draw is the same for the same seed.
    """
    from imblearn.over_sampling import RandomOverSampler

    labels = [sample.label for sample in samples]
    if len(set(labels)) < 2:
        return samples
    indices, _ = RandomOverSampler(random_state=seed).fit_resample([[index] for index in range(len(samples))], labels)
    return [samples[index] for (index,) in indices]
