"""Vision transformers: their families, modules, weights and input, and one at work block by block."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.models.architecture import PRECISIONS, Architecture
    from virtus.models.block import MLP, Block
    from virtus.models.families import classifier_config, describe, read_architecture, read_transform
    from virtus.models.hardware import (
        crops_at_once,
        has_bfloat16_units,
        has_int8_units,
        resolve_device,
        resolve_precision,
    )
    from virtus.models.packed import float_shapes, is_packed, pack_folder, rounded
    from virtus.models.preprocessing import EvalTransform
    from virtus.models.tensors import build_classifier, classifier_tensors, file_tensors, with_tensors
    from virtus.models.trunk import Trunk
    from virtus.models.vit import Classifier
    from virtus.models.weights import PICKLES, find_weights, hash_weights, read_headers

__getattr__, __all__ = offer(__name__, __file__)
