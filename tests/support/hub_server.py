"""A small server in the Hugging Face Hub's URL layout, enough for the real client, which can be made to fail."""

import base64
import contextlib
import hashlib
import json
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml

API = re.compile(r"/api/models/([^/]+/[^/]+)(?:/revision/([^/?]+))?(?:\?.*)?")
FILE = re.compile(r"/([^/]+/[^/]+)/resolve/([^/]+)/([^?]+)(?:\?.*)?")
STEPS = {  # of an upload, by method and path; the large files go by Git LFS
    "create": re.compile(r"POST /api/repos/create"),
    "validate": re.compile(r"POST /api/validate-yaml"),
    "preupload": re.compile(r"POST /api/models/([^/]+/[^/]+)/preupload/([^/?]+)"),
    "batch": re.compile(r"POST /([^/]+/[^/]+)\.git/info/lfs/objects/batch"),
    "store": re.compile(r"PUT /lfs/([^/]+/[^/]+)/([0-9a-f]{64})"),
    "verify": re.compile(r"POST /lfs/([^/]+/[^/]+)/verify"),
    "commit": re.compile(r"POST /api/models/([^/]+/[^/]+)/commit/([^/?]+)"),
}
HUNG_S = 20
SLOW_S = 0.2  # between eighths of a file: all of it takes longer than the second that the client waits for a byte


class HubServer:
    """Serves folders as repositories.

    Attributes:
        mode: "up"; "hung" (no answer); "error" (500); "portal" (a login page for everything); "slow" (bodies trickle).
        cut_at: byte after which the connection breaks in a file of weights; None for never.
        cuts_left: how often it breaks there.
        requests: (method, path, Range header) of all that was asked.
        tokens: to what a token may write: owners; who shows no such token is refused whatever is sent to be kept.
        broken: of the steps of an upload (`STEPS`), a status to answer with, "hung", or "cut" (the connection breaks
            in the middle of what is sent).
        blobs: large files that were sent, by sha256, also those that no commit names yet.
        private: repositories that were made so.
        messages: of the commits that were sent, in order.
    """

    def __init__(self):
        self.mode, self.cut_at, self.cuts_left = "up", None, 0
        self.tokens, self.broken, self.blobs, self.private, self.messages = {}, {}, {}, set(), []
        self.requests, self.repos, self.gated = [], {}, set()
        self.connections = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.hub, self._server.daemon_threads = self, True
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.released = threading.Event()

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.go_down()

    def go_down(self):
        """From here on the port refuses connections."""
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        for connection in self.connections:  # the client keeps them open between requests
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def add(self, repo_id, folder, *, revision="main"):
        """Make a folder's present content the repository's state at a revision; returns its commit."""
        return self.keep(repo_id, revision, {p.relative_to(folder).as_posix(): p.read_bytes() for p in _files(folder)})

    def keep(self, repo_id, revision, files):
        """Make files, by name, the repository's state at a revision; returns its commit."""
        commit = hashlib.sha1(b"".join(name.encode() + data for name, data in sorted(files.items()))).hexdigest()
        revisions = self.repos.setdefault(repo_id, {})
        revisions[revision] = revisions[commit] = (commit, files)
        return commit

    def fetched(self):
        """Names of the files whose content was asked for, in order."""
        return [match[3] for method, path, _ in self.requests if method == "GET" and (match := FILE.fullmatch(path))]

    def steps(self):
        """Names of the steps of an upload that were asked for, in order."""
        asked = [f"{method} {path.partition('?')[0]}" for method, path, _ in self.requests]
        return [step for line in asked for step, form in STEPS.items() if form.fullmatch(line)]

    def ranges(self):
        """Range headers of the requests for weights."""
        return [span for method, path, span in self.requests if method == "GET" and path.endswith(".safetensors")]


def _files(folder):
    return [path for path in Path(folder).rglob("*") if path.is_file()]


def _decode(value):
    assert value["encoding"] == "base64"
    return base64.b64decode(value["content"])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.server.hub.connections.append(self.connection)

    def log_message(self, *args):
        pass

    def do_HEAD(self):
        self._answer()

    def do_GET(self):
        self._answer()

    def do_POST(self):
        self._answer()

    def do_PUT(self):
        self._answer()

    def _answer(self):
        hub = self.server.hub
        hub.requests.append((self.command, self.path, self.headers.get("Range")))
        if hub.mode == "hung":
            self._hang()
        elif self.command in ("POST", "PUT"):
            self._answer_step()
        elif hub.mode == "error":
            self._send(500, b"")
        elif hub.mode == "portal":
            self._send(200, b"<html>Please log in to the hotel's network</html>", {"Content-Type": "text/html"})
        elif match := API.fullmatch(self.path):
            self._answer_api(match[1], match[2] or "main")
        elif match := FILE.fullmatch(self.path):
            self._answer_file(*match.groups())
        else:
            self._refuse(404, "EntryNotFound")

    def _hang(self):
        self.server.hub.released.wait(HUNG_S)
        self.close_connection = True

    def _answer_step(self):
        """One step of an upload, if it is known, not broken, and allowed."""
        hub, line = self.server.hub, f"{self.command} {self.path.partition('?')[0]}"
        step, match = next(((step, m) for step, form in STEPS.items() if (m := form.fullmatch(line))), (None, None))
        trouble = hub.broken.get(step)
        length = int(self.headers.get("Content-Length", 0))
        if trouble == "cut":
            self.rfile.read(length // 2)
            self._cut_off()
            return
        body = self.rfile.read(length)  # also where it is refused: the client sends all of it before it listens
        owners = hub.tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
        if trouble == "hung":
            self._hang()
        elif hub.mode == "error" or trouble:
            self._send(trouble or 500, b"")
        elif hub.mode == "portal":
            self._send(200, b"<html>Please log in to the hotel's network</html>", {"Content-Type": "text/html"})
        elif step is None:
            self._refuse(404, "EntryNotFound")
        elif owners is None and step != "store":  # where large files go, the address itself is the permission
            self._refuse(401, "Unauthorized", "Invalid credentials in Authorization header")
        else:
            getattr(self, f"_{step}")(body, owners, *match.groups())

    def _may_write(self, repo_id, owners):
        """Whether it may be written to; refuses if not."""
        if repo_id not in self.server.hub.repos:
            return self._refuse(404, "RepoNotFound")
        if repo_id.split("/")[0] not in owners:
            return self._refuse(403, "Forbidden", "You have no write access to this repository")
        return True

    def _create(self, body, owners):
        hub, wanted = self.server.hub, json.loads(body)
        repo_id = f"{wanted['organization']}/{wanted['name']}"
        if wanted["organization"] not in owners:
            self._refuse(403, "Forbidden", "You don't have the rights to create a model under this namespace")
        elif repo_id in hub.repos:
            row = {"error": "You already created this model repo", "url": f"{hub.url}/{repo_id}"}
            self._send_json(row, status=409)  # the client reads the address from this answer too
        else:
            hub.keep(repo_id, "main", {})
            hub.private |= {repo_id} if wanted.get("visibility") == "private" else set()
            self._send_json({"url": f"{hub.url}/{repo_id}"})

    def _validate(self, body, owners):  # noqa: ARG002
        text = json.loads(body)["content"]
        try:
            head = yaml.safe_load(text.split("---\n")[1])
            wrong = None if isinstance(head, dict) and head.get("license") else "license is missing"
        except (yaml.YAMLError, IndexError) as exc:
            wrong = str(exc)
        self._send_json({"errors": [{"message": wrong}] if wrong else [], "warnings": []}, status=400 if wrong else 200)

    def _preupload(self, body, owners, repo_id, revision):
        if not self._may_write(repo_id, owners):
            return
        _, kept = self.server.hub.repos[repo_id][revision]
        rows = []
        for file in json.loads(body)["files"]:
            large = b"\0" in base64.b64decode(file["sample"])  # binary: as git tells it
            row = {"path": file["path"], "uploadMode": "lfs" if large else "regular", "shouldIgnore": False}
            if (old := kept.get(file["path"])) is not None:
                blob = b"blob %d\0" % len(old) + old
                row["oid"] = hashlib.sha256(old).hexdigest() if large else hashlib.sha1(blob).hexdigest()
            rows.append(row)
        self._send_json({"files": rows})

    def _batch(self, body, owners, repo_id):
        if not self._may_write(repo_id, owners):
            return
        hub, rows = self.server.hub, []
        for wanted in json.loads(body)["objects"]:
            row = {"oid": wanted["oid"], "size": wanted["size"]}
            if wanted["oid"] not in hub.blobs:  # what was sent before need not be sent again
                places = {"upload": wanted["oid"], "verify": "verify"}
                row["actions"] = {key: {"href": f"{hub.url}/lfs/{repo_id}/{at}"} for key, at in places.items()}
            rows.append(row)
        self._send_json({"transfer": "basic", "objects": rows})

    def _store(self, body, owners, repo_id, sha256):  # noqa: ARG002
        if hashlib.sha256(body).hexdigest() != sha256:
            self._refuse(400, "BadDigest")
        else:
            self.server.hub.blobs[sha256] = body
            self._send(200, b"")

    def _verify(self, body, owners, repo_id):  # noqa: ARG002
        wanted = json.loads(body)
        if len(self.server.hub.blobs.get(wanted["oid"], b"")) == wanted["size"]:
            self._send_json({})
        else:
            self._refuse(404, "EntryNotFound")

    def _commit(self, body, owners, repo_id, revision):
        if not self._may_write(repo_id, owners):
            return
        hub, rows = self.server.hub, [json.loads(line) for line in body.splitlines()]
        files = dict(hub.repos[repo_id][revision][1])
        for row in rows[1:]:
            value = row["value"]
            if row["key"] == "lfsFile" and value["oid"] not in hub.blobs:
                self._refuse(400, "LfsMissing", "This large file was never sent")
                return
            files[value["path"]] = hub.blobs[value["oid"]] if row["key"] == "lfsFile" else _decode(value)
        commit = hub.keep(repo_id, revision, files)
        hub.messages.append(rows[0]["value"]["summary"])
        self._send_json({"commitUrl": f"{hub.url}/{repo_id}/commit/{commit}", "commitOid": commit})

    def _refuse(self, status, code, message=None):
        self._send(status, b"", {"X-Error-Code": code, "X-Error-Message": message or code})

    def _send_json(self, row, *, status=200):
        self._send(status, json.dumps(row).encode(), {"Content-Type": "application/json"})

    def _cut_off(self):
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _find(self, repo_id, revision):
        """The commit and its files; None after refusing."""
        revisions = self.server.hub.repos.get(repo_id)
        if revisions is None:
            return self._refuse(404, "RepoNotFound")
        return revisions.get(revision.replace("%2F", "/")) or self._refuse(404, "RevisionNotFound")

    def _answer_api(self, repo_id, revision):
        if found := self._find(repo_id, revision):
            commit, files = found
            row = {"id": repo_id, "sha": commit, "private": repo_id in self.server.hub.private}
            self._send_json(row | {"siblings": [{"rfilename": name} for name in files]})

    def _answer_file(self, repo_id, revision, name):
        if repo_id in self.server.hub.gated:
            self._refuse(403, "GatedRepo")
        elif found := self._find(repo_id, revision):
            commit, files = found
            self._send_file(commit, name, files[name]) if name in files else self._refuse(404, "EntryNotFound")

    def _send_file(self, commit, name, data):
        headers = {"ETag": f'"{hashlib.sha256(data).hexdigest()}"', "X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        span = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        start = int(span[1]) if span else 0
        if span:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        cut = self._cut(name, start)
        self._send(206 if span else 200, data[start:], headers, cut=cut)

    def _cut(self, name, start):
        """How many bytes of the answer are sent before the connection breaks; None for all."""
        hub = self.server.hub
        if hub.cut_at is None or hub.cuts_left == 0 or self.command == "HEAD" or not name.endswith(".safetensors"):
            return None
        hub.cuts_left -= 1
        return max(hub.cut_at - start, 0)

    def _send(self, status, body, headers=(), *, cut=None):
        self.send_response(status)
        for key, value in (dict(headers) | {"Content-Length": str(len(body))}).items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self._send_body(body if cut is None else body[:cut])
        if cut is not None:
            self.wfile.flush()
            self._cut_off()

    def _send_body(self, body):
        slow = self.server.hub.mode == "slow" and len(body) > 10_000
        size = len(body) // 8 if slow else len(body) or 1
        for start in range(0, len(body), size):
            self.wfile.write(body[start : start + size])
            self.server.hub.released.wait(SLOW_S if slow else 0)
