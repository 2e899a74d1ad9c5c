"""The app before its model is loaded: it answers, says so, and lets nobody down."""

import threading
import urllib.request

import pytest
from safetensors.torch import load_file, save_file

from virtus.app import build_app
from virtus.app.server.serving import launch_settings
from virtus.app.visitors import detectors as module
from virtus.app.visitors.detectors import Detectors
from virtus.errors import CheckpointError, InputError


@pytest.fixture
def damaged(copy_checkpoint):
    """A folder that can be examined and not loaded."""
    folder = copy_checkpoint()
    tensors = load_file(folder / "model.safetensors")
    tensors["vit.layernorm.weight"].fill_(float("nan"))
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return str(folder)


@pytest.fixture
def held(monkeypatch):
    """Loading waits until this is set."""
    go_on, load = threading.Event(), module.load_checkpoint
    monkeypatch.setattr(module, "load_checkpoint", lambda *args, **kwargs: go_on.wait(120) and load(*args, **kwargs))
    yield go_on
    go_on.set()


@pytest.fixture
def launch():
    """Starts the app of some detectors in this process, and gives its address."""
    started = []

    def launch_app(detectors: Detectors) -> str:
        started.append(build_app(detectors))
        _, url, _ = started[-1].queue().launch(prevent_thread_lock=True, quiet=True, **launch_settings())
        return url

    yield launch_app
    for app in started:
        app.close()


def test_who_judges_is_known_before_it_is_loaded(held, make_checkpoint):
    detectors = Detectors(str(make_checkpoint(own={"margin": 1.1})))
    info = detectors.info()
    assert not held.is_set()  # a load would still be waiting
    held.set()
    assert info == detectors.get().checkpoint.info == detectors.info()


def test_what_cannot_be_used_is_said_before_anything_is_loaded():
    with pytest.raises(CheckpointError, match="no-such"):
        Detectors("auto", ["./no-such"]).examine_all()
    with pytest.raises(InputError, match="There is no device 'no-such'"):
        Detectors("auto", device="no-such").examine_all()


def test_what_fails_while_loading_is_said_and_the_others_are_loaded(damaged):
    detectors = Detectors(damaged, ["virtus-fast"], device="cpu")
    detectors.examine_all()
    assert detectors.is_loading
    said = list(detectors.load_all())
    assert said == [detectors.failure, "virtus-fast is loaded."]
    assert "vit.layernorm.weight holds values that are not finite." in detectors.failure
    assert not detectors.is_loading
    with pytest.raises(CheckpointError, match="not finite"):
        detectors.get()


def test_a_page_before_the_model_is_loaded_says_so_and_its_visitor_gets_a_verdict(held, launch, browser, photos, give):
    detectors = Detectors("auto", device="cpu", precision="float32")
    detectors.examine_all()
    url = launch(detectors)
    loading = threading.Thread(target=lambda: list(detectors.load_all()))
    loading.start()
    with urllib.request.urlopen(url) as page:
        assert "Virtus" in page.read().decode()
    page = browser.new_page()
    page.goto(url)
    page.get_by_text("virtus-fast is being loaded. You can ask already").wait_for()
    give(page, photos["one.jpg"])
    page.locator("#photo img, #photo [aria-busy]").first.wait_for()
    assert page.locator("#verdict .panel.empty").count() == 1
    held.set()
    page.locator("#verdict").get_by_text("%").first.wait_for()
    page.get_by_text("is being loaded").wait_for(state="hidden")
    page.close()
    loading.join(60)
    assert not loading.is_alive()


def test_a_page_of_a_model_that_could_not_be_loaded_says_why(damaged, launch, browser):
    detectors = Detectors(damaged, device="cpu")
    detectors.examine_all()
    list(detectors.load_all())
    page = browser.new_page()
    page.goto(launch(detectors))
    page.get_by_role("alert").get_by_text("holds values that are not finite. Choose another checkpoint.").wait_for()
    page.close()
