"""`explain`: the maps that it writes, and what it says of them."""

import json
import re
from pathlib import Path

from PIL import Image

from tests.support.command import virtus_here
from virtus.cli.commands import main
from virtus.explain.registry import EXPLAINERS
from virtus.media.images import load_image


def test_explain_writes_overlays_and_a_manifest(album, tmp_path):
    how = ["--methods", "rollout,gradcam", "--target", "fake", "--out", tmp_path]
    done = virtus_here("explain", album / "face.png", *how)
    assert (done.returncode, done.stderr) == (0, "")
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    (face,) = manifest["faces"]
    assert [(one["method"], one["target"]) for one in face["explanations"]] == [("rollout", None), ("gradcam", "fake")]
    for one in face["explanations"]:
        assert (len(one["heatmap"]), len(one["heatmap"][0])) == (14, 14)
        assert Image.open(tmp_path / one["overlay"]).size == Image.open(tmp_path / face["crop"]).size
        assert Image.open(tmp_path / one["overlay_photo"]).size == (512, 512)
    # The photo is altered at the face's place, and nowhere else.
    photo, shown = load_image(album / "face.png"), load_image(tmp_path / face["explanations"][0]["overlay_photo"])
    x0, y0, x1, y1 = face["crop_box_xyxy"]
    centre = ((x0 + x1) // 2, (y0 + y1) // 2)
    assert shown.getpixel(centre) != photo.getpixel(centre)
    assert shown.getpixel((x0 - 2, y0)) == photo.getpixel((x0 - 2, y0))


def test_explain_says_under_each_map_whether_it_is_better_than_chance(make_checkpoint, album, tmp_path):
    model = ("--model", make_checkpoint(), "--whole-image")
    done = virtus_here("explain", album / "face.png", *model, "--methods", "all", "--faithfulness", "--out", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    outcome, face, *maps, manifest = done.stdout.splitlines()
    assert outcome in ("real", "fake", "inconclusive")
    assert re.fullmatch(rf"  face 0: {outcome} \(p_fake [01]\.\d+; uncalibrated\)", face)
    said = [
        line for line in maps if re.match("  face 0, .*: (no )?better than chance|  face 0, .*: the map is empty", line)
    ]
    assert len(said) == len(EXPLAINERS)
    explanations = json.loads(Path(manifest).read_text())["faces"][0]["explanations"]
    assert [one["method"] for one in explanations] == list(EXPLAINERS)
    assert all(0.01 <= one["faithfulness"]["p_value"] <= 1 for one in explanations)


def test_explain_says_where_the_thresholds_are_at_the_prior(copy_checkpoint, album, tmp_path, capsys):
    calibration = {"temperature": 1.0, "real_below": 0.25, "fake_above": 0.75}
    model = str(copy_checkpoint(own={"calibration": calibration}))
    main(
        [
            "explain",
            str(album / "wall.png"),
            "--whole-image",
            "--model",
            model,
            "--out",
            str(tmp_path),
            "--prior",
            "0.1",
        ]
    )
    # logit(0.25) + logit(0.1) = -ln 27; that of 0.75 falls below 0.5, and stays there
    assert "inconclusive from 0.04 to 0.50)" in capsys.readouterr().out


def test_explain_says_what_makes_a_verdict_less_sure(make_checkpoint, album, tmp_path, capsys):
    load_image(album / "face.png").resize((300, 300)).save(tmp_path / "small.png")
    model = str(make_checkpoint(image_size=224, patch_size=56))
    assert main(["explain", str(tmp_path / "small.png"), "--out", str(tmp_path), "--model", model]) == 0
    assert "The face has few pixels" in capsys.readouterr().out


def test_explaining_a_photo_without_a_face_says_so(make_checkpoint, album, tmp_path, capsys):
    status = main(["explain", str(album / "wall.png"), "--out", str(tmp_path), "--model", str(make_checkpoint())])
    assert status == 1
    assert "No face was found" in capsys.readouterr().out
    assert json.loads((tmp_path / "manifest.json").read_text())["outcome"] == "no_face"


def test_layer_and_head_go_to_the_methods_that_take_them(make_checkpoint, album, tmp_path):
    maps = {}
    for name, options in {"usual": [], "other": ["--layer", "0", "--head", "1"]}.items():
        command = ["explain", str(album / "wall.png"), "--whole-image", "--model", str(make_checkpoint())]
        assert main([*command, "--methods", "rollout,evidence,occlusion", "--out", str(tmp_path), *options]) == 0
        (face,) = json.loads((tmp_path / "manifest.json").read_text())["faces"]
        maps[name] = {one["method"]: one["heatmap"] for one in face["explanations"]}
    same = {method for method in maps["usual"] if maps["usual"][method] == maps["other"][method]}
    assert same == {"occlusion"}


def test_a_layer_that_there_is_not_is_one_sentence(make_checkpoint, album, tmp_path, capsys):
    command = ["explain", str(album / "wall.png"), "--whole-image", "--model", str(make_checkpoint())]
    assert main([*command, "--methods", "gradcam", "--layer", "9", "--out", str(tmp_path)]) == 2
    assert "There is no layer 9" in capsys.readouterr().err


def test_a_place_that_takes_no_files_is_one_sentence_and_the_report_stays(make_checkpoint, album, tmp_path, capsys):
    page, taken = tmp_path / "report.html", tmp_path / "file"
    taken.touch()
    command = ["explain", str(album / "wall.png"), "--whole-image", "--model", str(make_checkpoint())]
    assert main([*command, "--methods", "evidence", "--out", str(taken), "--report", str(page)]) == 2
    assert f"virtus: {taken} cannot be written to: File exists.\n" in capsys.readouterr().err
    assert page.exists()
