"""Explanations: which patches of a face crop a verdict rests on, and whether a map says more than chance."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.explain.attention import grow_rollout, joint_attention, read_by_head
    from virtus.explain.erasing import (
        OTHER_FILL,
        Fill,
        FlippingStep,
        MaskJudge,
        embed_filled,
        erasing_judge,
        filling_pictures,
        find_flipping_patches,
        judge_of_tokens,
    )
    from virtus.explain.faithfulness import (
        STEPS_A_MAP,
        ChanceTest,
        centre_map,
        describe_faithfulness,
        measure_faithfulness,
        measure_in_steps,
        random_maps,
    )
    from virtus.explain.lens import logit_lens
    from virtus.explain.occlusion import occlude_in_steps
    from virtus.explain.packed_attention import PackedAttention, pack_attention
    from virtus.explain.registry import (
        CENTRE_HITS,
        CHANCE_HITS,
        DEFAULT_METHOD,
        EXPLAINERS,
        HEAD_FUSIONS,
        LOCALISATION,
        LOCALISATION_OF,
        explain,
    )

__getattr__, __all__ = offer(__name__, __file__)
