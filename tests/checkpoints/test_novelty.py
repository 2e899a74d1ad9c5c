"""Novelty: distances by hand, statistics beside the weights that they are of, and what they make of a verdict."""

import contextlib
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from virtus.checkpoints.detector import Detector
from virtus.checkpoints.examine import examine_checkpoint
from virtus.checkpoints.load import load_checkpoint
from virtus.checkpoints.novelty import FILE, Novelty, block_of, fit_novelty, store_novelty, without_novelty
from virtus.cli.commands import main
from virtus.errors import CheckpointError, DataError
from virtus.judging.photo import analyze_photo
from virtus.media.images import load_image
from virtus.results import FaceCrop

WIDTH, BLOCKS = 32, 3  # of the checkpoints that `make_checkpoint` writes


def plain(block=1, threshold=1.0, mean=None):
    """A distance that is the plain one from `mean`."""
    mean = torch.zeros(WIDTH) if mean is None else mean
    return Novelty(block, mean, torch.eye(WIDTH), threshold, 100)


def with_novelty(folder, novelty=None, sha256=None):
    store_novelty(folder, novelty or plain(), sha256=sha256 or examine_checkpoint(folder).sha256)
    return folder


def crops(num, seed=0):
    draw = np.random.default_rng(seed)
    pictures = (Image.fromarray(draw.integers(0, 256, (40, 40, 3), dtype=np.uint8)) for _ in range(num))
    return [FaceCrop(picture, (0, 0, 40, 40)) for picture in pictures]


def test_the_distance_by_hand():
    # Two directions: standard deviations 2 and 1 about (1, 1). (5, 1) is 2 away, (1, 4) is 3 away; the limit is 2.
    novelty = Novelty(0, torch.ones(2), torch.tensor([[0.5, 0.0], [0.0, 1.0]]), 2.0)
    tokens = torch.tensor([[[4.0, 0.0], [6.0, 2.0]], [[1.0, 4.0], [1.0, 4.0]], [[1.0, 1.0], [1.0, 1.0]]])
    assert novelty.measure(tokens) == pytest.approx([1.0, 1.5, 0.0])


def test_the_digest_is_of_all_that_the_distance_depends_on():
    others = [
        plain(block=2),
        plain(threshold=1.5),
        plain(mean=torch.ones(WIDTH)),
        replace(plain(), whitening=2 * torch.eye(WIDTH)),
        replace(plain(), token="class"),
    ]
    assert len({novelty.digest() for novelty in (plain(), *others)}) == 6
    assert replace(plain(), num_pictures=7).digest() == plain().digest()


def test_fitting_finds_mean_spread_and_tilt():
    draw = np.random.default_rng(0)
    spread = np.array([[3.0, 0.0], [2.9, 0.4]])  # long and tilted: along the tilt far is near, across it near is far
    known, unseen = (draw.standard_normal((5000, 2)) @ spread.T + [10, -5] for _ in range(2))
    novelty = fit_novelty(4, known, unseen)
    along, across = novelty.measure(torch.tensor([[[13.0, -2.0]], [[11.5, -6.5]]]))
    assert along < 1 < across
    # 2 % of a standard normal pair lie beyond sqrt(-2 ln 0.02) = 2.797.
    assert novelty.threshold == pytest.approx(2.797, abs=0.1)
    assert (novelty.block, novelty.num_pictures) == (4, 5000)


def test_the_hardest_source_sets_the_threshold_unless_it_is_tiny():
    draw = np.random.default_rng(1)
    known, easy, hard = (draw.standard_normal((300, 3)) * scale for scale in (1, 1, 2))
    unseen, sources = np.concatenate([easy, hard]), ["easy"] * 300 + ["hard"] * 300
    alone = fit_novelty(0, known, hard).threshold
    assert fit_novelty(0, known, unseen, sources).threshold == pytest.approx(alone)
    assert fit_novelty(0, known, unseen).threshold < alone
    for num, heard in ((19, False), (20, True)):
        unseen, sources = np.concatenate([*[easy] * 10, hard[:num] * 100]), ["easy"] * 3000 + ["hard"] * num
        assert (fit_novelty(0, known, unseen, sources).threshold > 20) is heard


def test_as_many_ordinary_pictures_pass_as_was_promised():
    draw = np.random.default_rng(2)
    novelty = fit_novelty(0, *(draw.standard_normal((2000, 5)) for _ in range(2)))
    new = torch.from_numpy(draw.standard_normal((20000, 1, 5))).float()
    assert np.mean(np.array(novelty.measure(new)) > 1) == pytest.approx(0.02, abs=0.01)


def test_wide_features_keep_only_their_strongest_directions():
    draw = np.random.default_rng(3)
    novelty = fit_novelty(0, *(draw.standard_normal((120, 768)) for _ in range(2)))
    assert novelty.whitening.shape == (768, 130)
    assert novelty.whitening.numel() * 4 <= 400_000


def test_too_few_pictures_are_refused():
    with pytest.raises(DataError, match="100 faces to train"):
        fit_novelty(0, np.zeros((99, 4)), np.zeros((200, 4)))


def test_the_place_in_the_trunk():
    assert (block_of(12), block_of(3)) == (5, 1)


def test_what_is_stored_is_read_back(copy_checkpoint):
    folder = copy_checkpoint(own={"margin": 2})
    draw = np.random.default_rng(4)
    written = fit_novelty(2, *(draw.standard_normal((150, WIDTH)) for _ in range(2)))
    loaded = load_checkpoint(str(with_novelty(folder, written)), precision="float32")
    assert (loaded.novelty.block, loaded.novelty.num_pictures, loaded.margin) == (2, 150, 2)
    assert loaded.novelty.threshold == written.threshold
    assert torch.equal(loaded.novelty.whitening, written.whitening)
    with without_novelty(folder):
        assert json.loads((folder / "virtus.json").read_text()) == {"margin": 2}
        assert not (folder / FILE).exists()
        assert load_checkpoint(str(folder)).novelty is None


def test_what_was_fitted_is_back_where_nothing_else_could_be(copy_checkpoint):
    folder = with_novelty(copy_checkpoint())
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    with contextlib.suppress(KeyboardInterrupt), without_novelty(folder):
        assert not (folder / FILE).exists()
        raise KeyboardInterrupt
    assert {name: content for name, content in before.items() if (folder / name).read_bytes() != content} == {}


def test_a_threshold_beyond_all_distances_is_refused(copy_checkpoint):
    folder = with_novelty(copy_checkpoint())
    sidecar = json.loads((folder / "virtus.json").read_text())
    sidecar["novelty"]["threshold"] = 1e30
    (folder / "virtus.json").write_text(json.dumps(sidecar))
    with pytest.raises(CheckpointError, match="out of range"):
        load_checkpoint(str(folder))


def test_statistics_of_other_weights_are_refused(copy_checkpoint, capsys):
    folder = with_novelty(copy_checkpoint(), sha256="0" * 64)
    with pytest.raises(CheckpointError, match=r"novelty\.safetensors was made with other weights"):
        load_checkpoint(str(folder))
    assert main(["doctor", str(folder)]) == 1
    assert f"refused: {folder} is not used. novelty.safetensors was made with other weights" in capsys.readouterr().out


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / FILE).unlink(),
        lambda folder: (folder / FILE).write_bytes(b"no tensors"),
        lambda folder: set_entry(folder, block=BLOCKS),
        lambda folder: set_entry(folder, block=-1),
        lambda folder: set_entry(folder, threshold=0.0),
        lambda folder: set_entry(folder, unheard_of=1),
        lambda folder: (folder / "virtus.json").write_text('{"novelty": 5}'),
        lambda folder: with_novelty(folder, Novelty(1, torch.zeros(8), torch.eye(8), 1.0)),
        lambda folder: with_novelty(folder, plain(mean=torch.full((WIDTH,), torch.nan))),
    ],
)
def test_damaged_statistics_are_refused_with_the_remedy(copy_checkpoint, damage):
    folder = with_novelty(copy_checkpoint())
    damage(folder)
    with pytest.raises(CheckpointError, match=r"is not used\. .*python -m train novelty"):
        load_checkpoint(str(folder))


def set_entry(folder, **changes):
    file = folder / "virtus.json"
    own = json.loads(file.read_text())
    file.write_text(json.dumps({"novelty": own["novelty"] | changes}))


def test_predictions_carry_it_however_they_are_made(copy_checkpoint):
    checkpoint = load_checkpoint(str(with_novelty(copy_checkpoint(kind="deit-with-teacher"))), precision="float32")
    faces = crops(5)
    together = Detector(checkpoint).predict(faces)
    from_state = Detector(checkpoint).predict_state(Detector(checkpoint, batch_size=2).encode(faces))
    in_pairs = Detector(checkpoint, batch_size=2).predict(faces)
    expected = [one.novelty for one in together]
    assert len(set(expected)) == 5
    for others in (from_state, in_pairs):
        assert [one.novelty for one in others] == pytest.approx(expected, rel=1e-4)
        assert [one.p_fake for one in others] == pytest.approx([one.p_fake for one in together], rel=1e-4)
    state = Detector(checkpoint).encode(faces)
    tokens = state.block_inputs[1][:, 2:]  # cls and distillation stand before the patches
    assert expected == pytest.approx(tokens.mean(1).norm(dim=1).tolist(), rel=1e-4)
    assert Detector(checkpoint).predict([]) == []


def test_without_statistics_nothing_is_said(make_checkpoint):
    detector = Detector(load_checkpoint(str(make_checkpoint())))
    assert [one.novelty for one in detector.predict(crops(2))] == [None, None]
    assert [one.novelty for one in detector.predict_state(detector.encode(crops(2)))] == [None, None]


def fitted_on_flat_pictures(folder):
    """Statistics of pictures of one colour each, as the checkpoint in the folder sees them."""
    draw = np.random.default_rng(5)
    colours = [tuple(int(v) for v in draw.integers(0, 256, 3)) for _ in range(300)]
    flat = [FaceCrop(Image.new("RGB", (40, 40), colour), (0, 0, 40, 40)) for colour in colours]
    checkpoint = load_checkpoint(str(folder), precision="float32")
    block = block_of(BLOCKS)
    tokens = Detector(checkpoint).encode(flat).block_inputs[block]
    features = tokens[:, checkpoint.trunk.num_prefix_tokens :].mean(1).numpy()
    return with_novelty(folder, fit_novelty(block, features[:150], features[150:]))


def test_noise_is_unlike_flat_pictures_and_comes_out_inconclusive(copy_checkpoint, make_image):
    folder = fitted_on_flat_pictures(copy_checkpoint())
    detector = Detector(load_checkpoint(str(folder), precision="float32"))
    flat = analyze_photo(detector, Image.new("RGB", (60, 60), (90, 140, 30)), whole=True)
    assert (flat.outcome, flat.faces[0].reason) == (flat.faces[0].outcome, None)
    assert flat.outcome != "inconclusive"
    assert flat.faces[0].novelty < 1
    for methods in ((), ("rollout",)):
        noise = analyze_photo(detector, make_image(60, 60), methods=methods, whole=True)
        (face,) = noise.faces
        assert face.novelty > 1
        assert (noise.outcome, face.outcome) == ("inconclusive", "inconclusive")
        assert "unlike anything" in face.reason
        assert face.cautions[-1].name == "unfamiliar"
        assert noise.to_json()["faces"][0]["novelty"] == round(face.novelty, 4)
        assert len(face.explanations) == len(methods)


def test_doctor_says_whether_it_is_known(copy_checkpoint, capsys):
    folder = copy_checkpoint()
    assert main(["doctor", str(folder)]) == 0
    assert "novelty       unknown" in capsys.readouterr().out
    assert main(["doctor", str(with_novelty(folder))]) == 0
    assert "novelty       distance of block 1, threshold fitted on 100 pictures" in capsys.readouterr().out


def test_the_bundled_checkpoint_knows_its_examples(astronaut):
    detector = Detector(load_checkpoint("virtus-fast"))
    for file in sorted(astronaut.parent.glob("*.jpg")):
        (face,) = analyze_photo(detector, load_image(file)).faces
        assert face.novelty < 1, file.name
    drawn = analyze_photo(detector, Image.new("RGB", (200, 200), "white"), whole=True)
    assert drawn.outcome == "inconclusive"


def test_the_class_token_alone_may_be_looked_at(copy_checkpoint):
    novelty = Novelty(0, torch.zeros(2), torch.eye(2), 2.0, token="class")
    tokens = torch.tensor([[[3.0, 4.0], [100.0, 100.0]]])
    assert novelty.measure(tokens, 1) == [2.5]
    folder = with_novelty(copy_checkpoint(), Novelty(1, torch.zeros(WIDTH), torch.eye(WIDTH), 1.0, 100, "class"))
    assert load_checkpoint(str(folder), precision="float32").novelty.token == "class"
