"""Shared fixtures: tiny random checkpoints in the Hub's layout, seeded pictures, a photo, a Hub on loopback."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.hub_server import HubServer
from virtus.bundled import ASSETS
from virtus.checkpoints import bundled

EXAMPLES = ASSETS / "examples"


@pytest.fixture(scope="session", autouse=True)
def _nothing_of_the_users_own(tmp_path_factory):
    """The tests, and all programs that they start, neither see nor touch the user's own folder, and `auto` is small."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        patch.setenv("VIRTUS_CHECKPOINT", "virtus-fast")
        yield


def pytest_collection_modifyitems(items):
    """A test that waits for chromium and fails is tried once more, five of a run at most; the summary shows how it
    failed.

    On a machine that stalls for seconds one of a thousand lost a race, and with it a whole run of CI. What it names is
    to be mended all the same.
    """
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))


KINDS = {  # the class, its config's, and what that has beside the sizes that all have
    "vit": ("ViTForImageClassification", "ViTConfig", {}),
    "deit": ("DeiTForImageClassification", "DeiTConfig", {}),
    "deit-with-teacher": ("DeiTForImageClassificationWithTeacher", "DeiTConfig", {}),
    "siglip": ("SiglipForImageClassification", "SiglipConfig", {}),
    "clip": ("CLIPForImageClassification", "CLIPConfig", {}),
    "dinov2": ("Dinov2ForImageClassification", "Dinov2Config", {"mlp_ratio": 2}),
    "dinov2-gated": ("Dinov2ForImageClassification", "Dinov2Config", {"mlp_ratio": 2, "use_swiglu_ffn": True}),
    "dinov2-with-registers": ("Dinov2WithRegistersForImageClassification", "Dinov2WithRegistersConfig", {}),
}


def stock_config(kind, *, labels=("Real", "Fake"), image_size=32, patch_size=8, **options):
    """transformers' config of a model of 3 blocks and width 32."""
    import transformers

    _, config, extra = KINDS[kind]
    sizes = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 64}
    sizes |= {"image_size": image_size, "patch_size": patch_size} | extra | options
    names = dict(enumerate(labels))
    names = {"id2label": names, "label2id": {label: index for index, label in names.items()}}
    if kind in ("siglip", "clip"):  # beside the tower that sees stands one that reads
        return getattr(transformers, config)(vision_config=sizes, **names)
    return getattr(transformers, config)(**sizes, initializer_range=0.2, **names)


def write_checkpoint(
    folder,
    *,
    kind="vit",
    labels=("Real", "Fake"),
    image_size=32,
    patch_size=8,
    seed=0,
    half=False,
    processor=None,
    own=None,
    shard_size="5GB",
):
    """A checkpoint of 3 blocks and width 32 with random weights.

    `kind` is one of `KINDS`; `half` saves float16; `processor` is merged into the processor's config; `own` is the
    content of virtus.json; a `shard_size` such as "50KB" gives several files and an index.
    """
    import torch
    import transformers

    config = stock_config(kind, labels=labels, image_size=image_size, patch_size=patch_size)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = getattr(transformers, KINDS[kind][0])(config)
        if not kind.startswith(("vit", "deit")):  # those are drawn from a wide range as they are
            for name, tensor in model.named_parameters():
                tensor.data += (0.8 if "patch_embed" in name else 0.2) * torch.randn(tensor.shape)
    (model.half() if half else model).save_pretrained(folder, max_shard_size=shard_size)
    side = {"height": image_size, "width": image_size}
    usual = {"image_processor_type": "ViTImageProcessor", "do_resize": True, "size": side, "resample": 2}
    usual |= {"do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True}
    usual |= {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
    (folder / "preprocessor_config.json").write_text(json.dumps(usual | (processor or {})))
    if own is not None:
        (folder / "virtus.json").write_text(json.dumps(own))


@pytest.fixture(scope="session")
def make_checkpoint(tmp_path_factory):
    """Factory: the options of `write_checkpoint` to a folder. Equal options share a folder: leave it as it is."""
    made = {}

    def make(**options):
        key = json.dumps(options, sort_keys=True)
        if key not in made:
            made[key] = tmp_path_factory.mktemp(options.get("kind", "vit"))
            write_checkpoint(made[key], **options)
        return made[key]

    return make


@pytest.fixture
def copy_checkpoint(make_checkpoint, tmp_path):
    """Factory: the same, as a folder of the test's own that it may damage."""

    def copy(**options):
        return Path(shutil.copytree(make_checkpoint(**options), tmp_path / "checkpoint", dirs_exist_ok=True))

    return copy


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    """Factory: from now on copies of a folder come with Virtus by the names given, and nothing else does."""

    def bundle_names(*names, folder):
        for name in names:
            shutil.copytree(folder, tmp_path / "bundled" / name)
        monkeypatch.setattr(bundled, "FOLDER", tmp_path / "bundled")
        monkeypatch.setenv("VIRTUS_CHECKPOINT", "")
        bundled.warn_of_default.cache_clear()

    yield bundle_names
    bundled.warn_of_default.cache_clear()


@pytest.fixture
def make_image():
    """Factory: a seeded RGB picture in which no two pixels need be alike."""

    def make(width=64, height=48, seed=0):
        pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
        return Image.fromarray(pixels)

    return make


@pytest.fixture(scope="session")
def astronaut():
    """A photo, 512x512, with one large upright face."""
    return EXAMPLES / "eileen-collins.jpg"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A Hub on loopback, which the real client asks; what it fetches goes to a cache of the test's own.

    The client reads its settings from the environment when it is imported, but looks them up here at every call.
    """
    from huggingface_hub import close_session, constants

    with HubServer() as server:
        files = constants.HUGGINGFACE_CO_URL_TEMPLATE.removeprefix(constants.ENDPOINT)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", server.url + files)
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 4096)  # kept after a cut are whole chunks, else of 10 MB
        monkeypatch.setattr("time.sleep", lambda _: None)  # between its tries
        yield server
        close_session()


@pytest.fixture
def impatient(monkeypatch):
    """The Hub's client waits one second for an answer: for tests whose Hub gives none."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_ETAG_TIMEOUT", 1)
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 1)
