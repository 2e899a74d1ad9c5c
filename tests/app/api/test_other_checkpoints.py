"""Checkpoints with unclear labels, and such as judge whole pictures, of a running app, by `gradio_client`."""

import pytest
from gradio_client import handle_file
from gradio_client.exceptions import AppError


def test_unclear_labels_and_whole_pictures(serve_here, make_checkpoint, photos):
    unclear, pictures = make_checkpoint(labels=("LABEL_0", "LABEL_1")), make_checkpoint(own={"judges": "pictures"})
    client, wall = serve_here(f"{unclear}#1", str(pictures)), handle_file(str(photos["none.png"]))
    judged = client.predict(handle_file(str(photos["one.jpg"])), api_name="/analyze")
    assert (judged["checkpoint"]["name"], "whole_image" in judged["faces"][0]) == (f"{unclear}#1", False)
    with pytest.raises(AppError, match="is not the name of a checkpoint"):
        client.predict(wall, model=f"{make_checkpoint()}#1", api_name="/analyze")
    found = client.predict(wall, models=["auto", str(pictures)], api_name="/compare")
    assert (found["by_face"], found["reports"][0]["outcome"]) == ([None], "no_face")
    assert found["reports"][1]["faces"][0]["whole_image"] is True
    assert found["reports"][1]["outcome"] in ("real", "fake")
