import copy

import pytest
import torch

from train.fit.model import drop_tokens, load_base


@pytest.mark.parametrize(("kind", "num_prefix"), [("vit", 1), ("deit", 2)])
def test_training_sees_some_patches_and_always_the_class_token(kind, num_prefix, make_checkpoint):
    model, _ = load_base(str(make_checkpoint(kind=kind)))
    plain = copy.deepcopy(model)
    drop_tokens(model, 0.5)
    pixel_values = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    model.train()
    kept = model.base_model.embeddings(pixel_values)
    everything = plain.base_model.embeddings(pixel_values)  # in training mode too, without dropout
    assert kept.shape == (3, num_prefix + 8, 32)
    assert torch.equal(kept[:, :num_prefix], everything[:, :num_prefix])
    for few, many in zip(kept[:, num_prefix:], everything[:, num_prefix:], strict=True):
        places = [int((many == token).all(1).nonzero()[0]) for token in few]
        assert len(set(places)) == 8
    assert not torch.equal(kept[0, num_prefix:], model.base_model.embeddings(pixel_values)[0, num_prefix:])


def test_evaluation_sees_all_of_them(make_checkpoint):
    model, _ = load_base(str(make_checkpoint()))
    pixel_values = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        before = model.eval()(pixel_values).logits
        drop_tokens(model, 0.25)
        assert torch.equal(model(pixel_values).logits, before)
