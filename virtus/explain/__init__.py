"""Explanations: which patches of a face crop a verdict rests on, and whether a map says more than chance."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.explain.attention import joint_attention
    from virtus.explain.faithfulness import (
        ChanceTest,
        blurring_judge,
        centre_map,
        describe_faithfulness,
        measure_faithfulness,
        measure_in_steps,
        random_maps,
    )
    from virtus.explain.registry import DEFAULT_METHOD, EXPLAINERS, HEAD_FUSIONS, explain

__getattr__, __all__ = offer(__name__, __file__)
