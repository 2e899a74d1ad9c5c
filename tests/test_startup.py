"""What starting loads, and what it must not: each of these libraries costs a second or more."""

import subprocess
import sys
from pathlib import Path

from virtus.cli.commands import COMMANDS

ROOT = Path(__file__).parent.parent
HEAVY = ("torch", "torchvision", "transformers", "numpy", "PIL", "gradio", "av", "pillow_heif", "ray", "scipy")
HEAVY += ("sklearn", "pandas", "matplotlib", "cv2", "pytorch_grad_cam", "facenet_pytorch", "huggingface_hub", "c2pa")


def loaded_by(code: str) -> set[str]:
    """Those of `HEAVY` that a fresh Python has loaded after the code, whatever it printed."""
    code += "\nimport sys\nprint()\nprint(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(HEAVY) & set(done.stdout.splitlines()[-1].split())


def test_importing_virtus_loads_no_heavy_library():
    assert loaded_by("import virtus, virtus.cli.commands") == set()


def test_help_loads_no_heavy_library():
    names = [command.__name__.rpartition(".")[2] for command in COMMANDS]
    code = f"""
from contextlib import suppress
from virtus.cli import main
for arguments in [[], *([name] for name in {names})]:
    with suppress(SystemExit):
        main([*arguments, "--help"])
"""
    assert loaded_by(code) == set()


def test_a_scan_of_a_picture_loads_only_what_it_needs(astronaut):
    code = f"from virtus.cli.commands import main\nassert main(['scan', {str(astronaut)!r}]) == 0"
    needed = {"torch", "cv2", "numpy", "PIL", "pillow_heif"}
    assert loaded_by(code) <= needed


def test_an_examination_and_the_app_s_page_need_no_torch():
    code = "from virtus.app import build_app\nbuild_app()"
    assert loaded_by(code) & {"torch", "torchvision", "transformers", "scipy", "sklearn", "matplotlib", "av"} == set()
