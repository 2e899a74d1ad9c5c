"""Explanations: which patches of a face crop a verdict rests on, and whether a map says more than chance."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.explain.faithfulness import Trial, blurring_judge, in_words, measure_faithfulness, measure_in_steps
    from virtus.explain.heads import HEAD_FUSIONS
    from virtus.explain.nullmaps import centre_map, random_maps
    from virtus.explain.registry import DEFAULT_METHOD, EXPLAINERS, explain
    from virtus.explain.attention import joint_attention

__getattr__, __all__ = offer(__name__, __file__)
