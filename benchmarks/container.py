"""Builds and runs the container without an engine: `python -m benchmarks.container --folder EMPTY`.

For machines where no Docker runs. Needs root, Debian, `debootstrap`, `unshare` and `nsenter`. An empty Debian with the
Python that runs this stands for the base image; every step of the Dockerfile runs in it, by chroot. Then the image is
started as compose.yaml says: as its first process, as user 1000 without capabilities, its root read-only, with an empty
/tmp, and in a network of its own, so that nothing outside can be reached. Measured are sizes, start and memory.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from benchmarks import parser
from virtus.bundled import ASSETS

ROOT = Path(__file__).parents[1]
PHOTO = ASSETS / "examples" / "grace-hopper.jpg"
LIBRARIES = "ca-certificates,libssl3,libffi8,libsqlite3-0,libbz2-1.0,liblzma5,libreadline8,libncursesw6,libuuid1"
FROM_HERE = ("PIP_CERT", "PIP_INDEX_URL", "PIP_DEFAULT_TIMEOUT")  # how this machine reaches its package index
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
# The network's own loopback alone; the image read-only but for what compose.yaml mounts; then the image's user.
START = """ip link set lo up
mount --bind "$0" "$0" && mount --bind "$0/home/virtus/hub" "$0/home/virtus/hub" && mount -o remount,ro,bind "$0"
mount -t tmpfs -o mode=1777 tmp "$0/tmp" && mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev"
exec chroot "$0" setpriv --reuid 1000 --regid 1000 --clear-groups --no-new-privs --bounding-set=-all "$@"
"""
VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
ASK = """import sys
from gradio_client import Client, handle_file
report = Client("http://127.0.0.2:7860", verbose=False).predict(handle_file(sys.argv[1]), api_name="/analyze")
print(report["outcome"])
"""


@dataclass
class Stage:
    """From one FROM to the next.

    Attributes:
        name: after AS; empty where it has none.
        arguments: each ARG with its default, those before the first FROM too.
        steps: every other instruction, in its order, with the rest of its line.
    """

    name: str
    arguments: dict[str, str] = field(default_factory=dict)
    steps: list[tuple[str, str]] = field(default_factory=list)


def read_dockerfile(text: str) -> list[Stage]:
    """Its stages, in their order."""
    stages: list[Stage] = []
    shared: dict[str, str] = {}
    for word, rest in _instructions(text):
        if word == "FROM":
            stages.append(Stage(rest.partition(" AS ")[2], dict(shared)))
        elif word == "ARG":
            name, _, default = rest.partition("=")
            (stages[-1].arguments if stages else shared)[name] = default
        else:
            stages[-1].steps.append((word, rest))
    return stages


def assignments(rest: str, known: dict[str, str]) -> dict[str, str]:
    """What an ENV sets; `known` stands for the variables in it."""
    pairs = (pair.partition("=") for pair in rest.split())
    return {name: VARIABLE.sub(lambda one: known.get(one[1] or one[2], ""), value) for name, _, value in pairs}


def words_of(rest: str) -> list[str]:
    """The JSON list of an ENTRYPOINT, a CMD or a HEALTHCHECK."""
    return json.loads(rest[rest.index("[") :])


def seconds_of(rest: str, option: str) -> float:
    """An option of HEALTHCHECK, such as --interval=30s."""
    (seconds,) = re.findall(rf"--{option}=(\d+)s", rest)
    return float(seconds)


def context_files(folder: Path) -> list[PurePosixPath]:
    """What the folder's .dockerignore lets through, relative to it."""
    patterns = [line for line in (folder / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    taken_back = tuple(line.removeprefix("!").partition("/")[0] for line in patterns if line.startswith("!"))
    # Not into .venv and .git: nothing below a folder that is left out can come back unless a pattern names it.
    tops = [
        top for top in folder.iterdir() if top.name in taken_back or not _left_out(PurePosixPath(top.name), patterns)
    ]
    files = (path for top in tops for path in (top, *top.rglob("*")) if path.is_file())
    names = (PurePosixPath(path.relative_to(folder)) for path in files)
    return [name for name in names if not _left_out(name, patterns)]


def _instructions(text: str) -> list[tuple[str, str]]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    whole = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [(word.upper(), rest.strip()) for word, _, rest in (line.partition(" ") for line in whole) if word]


def _left_out(name: PurePosixPath, patterns: list[str]) -> bool:
    """The last pattern that fits the file or a folder above it decides, as in Docker."""
    out = False
    for pattern in patterns:
        wanted = pattern.lstrip("!").removeprefix("**/")
        anywhere = wanted != pattern.lstrip("!")
        if any(fnmatch.fnmatchcase(one.name if anywhere else str(one), wanted) for one in (name, *name.parents[:-1])):
            out = not pattern.startswith("!")
    return out


@dataclass
class Image:
    """What a stage of the Dockerfile leaves behind."""

    root: Path
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": PATH, "HOME": "/root"})
    user: str = "0"
    folder: str = "/"
    entrypoint: list[str] = field(default_factory=list)
    health: str = ""


def build(base: Path, folder: Path) -> Image:
    """Every step of the Dockerfile, each stage in a copy of the base; one whose folder is there was built before."""
    built: dict[str, Image] = {}
    for number, stage in enumerate(read_dockerfile((ROOT / "Dockerfile").read_text())):
        image = Image(folder / f"stage-{number}")
        if fresh := not image.root.exists():
            subprocess.run(["cp", "--archive", base, image.root], check=True)
        for word, rest in stage.steps:
            start = time.perf_counter()
            if fresh or word not in CHANGING:
                STEPS[word](image, rest, stage.arguments, built)
                print(f"| {word} {' '.join(rest.split())[:80]} | {time.perf_counter() - start:.1f} s |", flush=True)
        built[stage.name] = image
    return image


def _run(image: Image, rest: str, arguments: dict, _built: dict) -> None:
    variables = image.environment | arguments | {name: os.environ[name] for name in FROM_HERE if name in os.environ}
    command = f"mount -t proc proc {image.root}/proc && mount --rbind /dev {image.root}/dev && exec chroot"
    inside = f"cd {image.folder} && {rest}"
    as_user = f"{command} --userspec={image.user}:{image.user} {image.root} /bin/sh -c {shlex.quote(inside)}"
    subprocess.run(["unshare", "--mount", "--pid", "--fork", "sh", "-c", as_user], env=variables, check=True)


def _copy(image: Image, rest: str, _arguments: dict, built: dict) -> None:
    *sources, target = rest.split()
    inside = image.root / str(PurePosixPath(image.folder, target)).lstrip("/")
    if sources[0].startswith("--from="):
        subprocess.run(["cp", "--archive", _below(built[sources[0][7:]].root, sources[1]), inside], check=True)
        return
    known = context_files(ROOT)
    for pattern in sources:
        found = [name for name in known if name.match(pattern) or name.is_relative_to(pattern)]
        if not found:
            raise SystemExit(f"COPY {pattern}: no such file in the build context")
        for name in found:
            place = name.relative_to(pattern) if name.is_relative_to(pattern) and str(name) != pattern else None
            path = inside / (place or name.name) if place or target.endswith("/") or inside.is_dir() else inside
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, path)


def _env(image: Image, rest: str, arguments: dict, _built: dict) -> None:
    image.environment |= assignments(rest, arguments | image.environment)


def _workdir(image: Image, rest: str, *_more) -> None:
    image.folder = rest
    _below(image.root, rest).mkdir(parents=True, exist_ok=True)


STEPS = {
    "RUN": _run,
    "COPY": _copy,
    "ENV": _env,
    "WORKDIR": _workdir,
    "USER": lambda image, rest, *_: setattr(image, "user", rest),
    "EXPOSE": lambda *_: None,
    "HEALTHCHECK": lambda image, rest, *_: setattr(image, "health", rest),
    "ENTRYPOINT": lambda image, rest, *_: setattr(image, "entrypoint", words_of(rest)),
}

CHANGING = ("RUN", "COPY")


def _below(root: Path, path: str) -> Path:
    return root / path.lstrip("/")


def start(image: Image, *options: str) -> tuple[subprocess.Popen, int]:
    """The container: the process that made it, and the first process inside."""
    apart = ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "sh", "-ec", START, str(image.root)]
    inside = ["env", "-C", image.folder, *image.entrypoint, *options]
    environment = image.environment | {"HOME": "/home/virtus"}
    process = subprocess.Popen([*apart, *inside], env=environment)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while not (found := children.read_text().split()):
        time.sleep(0.01)
    return process, int(found[0])


def within(image: Image, first: int, command: list[str]) -> subprocess.CompletedProcess:
    """A command in the running container, as its user."""
    enter = ["nsenter", f"--target={first}", "--mount", "--pid", "--net", "--root", "--wd"]
    user = ["setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups"]
    settings = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": 30}
    return subprocess.run([*enter, *user, *command], env=image.environment, check=False, **settings)


def wait_until_healthy(image: Image, process: subprocess.Popen, first: int) -> float:
    """Seconds until the HEALTHCHECK succeeds; it has its start period for that."""
    began = time.perf_counter()
    while (taken := time.perf_counter() - began) < seconds_of(image.health, "start-period"):
        if process.poll() is not None:
            raise SystemExit(f"the container ended with {process.returncode}")
        checked = within(image, first, words_of(image.health))
        if checked.returncode == 0:
            return taken
        time.sleep(0.5)
    raise SystemExit(f"the container did not become healthy: {checked.stderr}")


def look(image: Image, first: int) -> dict[str, str]:
    """What a running container is and does."""
    writes = {path: within(image, first, ["touch", f"{path}/new"]).returncode == 0 for path in ("/opt/virtus", "/tmp")}
    client = ["nsenter", f"--target={first}", "--net", sys.executable, "-c", ASK, str(PHOTO)]
    outcome = subprocess.run(client, capture_output=True, text=True, check=True).stdout.strip()
    status = dict(line.split(":", 1) for line in Path(f"/proc/{first}/status").read_text().splitlines())
    return {
        "user, capabilities, no new privileges": " / ".join(
            status[name].split()[0] for name in ("Uid", "CapBnd", "NoNewPrivs")
        ),
        "writes to /opt/virtus, /tmp": f"{writes['/opt/virtus']}, {writes['/tmp']}",
        "one photo, asked from outside": outcome,
        "memory after it, at most": f"{int(status['VmHWM'].split()[0]) / 1024:.0f} MB",
    }


def make_base(folder: Path, suite: str, python: Path) -> Path:
    """An empty Debian, and Python in /usr/local: what the base image is."""
    base = folder / "base"
    if not base.exists():
        subprocess.run(["debootstrap", "--variant=minbase", f"--include={LIBRARIES}", suite, base], check=True)
        subprocess.run(["cp", "--archive", f"{python}/.", base / "usr" / "local"], check=True)
        shutil.copy2("/etc/ssl/certs/ca-certificates.crt", base / "etc" / "ssl" / "certs")
        shutil.copy2("/etc/resolv.conf", base / "etc")
        (base / "etc" / "hosts").write_text("127.0.0.1\tlocalhost\n")  # an engine writes it
        subprocess.run(["chroot", base, "ldconfig"], check=True)
    return base


def main() -> None:
    options = parser(__doc__, suite="bookworm", python=Path(sys.base_prefix))
    options.add_argument("--folder", type=Path, required=True, help="where the roots are made; some 15 GB")
    args = options.parse_args()
    base = make_base(args.folder.resolve(), args.suite, args.python)
    print("| step | taken |\n| --- | ---: |")
    image = build(base, args.folder.resolve())
    process, first = start(image)
    try:
        found = {"healthy after": f"{wait_until_healthy(image, process, first):.1f} s", **look(image, first)}
    finally:
        process.kill()
    for part in (image.root, image.root / "opt"):
        size = subprocess.run(["du", "-sm", part], capture_output=True, text=True, check=True).stdout
        found[f"size of {part.relative_to(image.root.parent)}"] = f"{size.split()[0]} MB"
    print("\n| what | found |\n| --- | ---: |")
    for name, value in found.items():
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    main()
