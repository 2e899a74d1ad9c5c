"""A small server in the Hugging Face Hub's URL layout, enough for the real client, which can be made to fail."""

import contextlib
import hashlib
import json
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

API = re.compile(r"/api/models/([^/]+/[^/]+)(?:/revision/([^/?]+))?(?:\?.*)?")
FILE = re.compile(r"/([^/]+/[^/]+)/resolve/([^/]+)/([^?]+)(?:\?.*)?")
HUNG_S = 20
SLOW_S = 0.2  # between eighths of a file: all of it takes longer than the second that the client waits for a byte


class HubServer:
    """Serves folders as repositories.

    Attributes:
        mode: "up"; "hung" (no answer); "error" (500); "portal" (a login page for everything); "slow" (bodies trickle).
        cut_at: byte after which the connection breaks in a file of weights; None for never.
        cuts_left: how often it breaks there.
        requests: (method, path, Range header) of all that was asked.
    """

    def __init__(self):
        self.mode, self.cut_at, self.cuts_left = "up", None, 0
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
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in _files(folder)}
        commit = hashlib.sha1(b"".join(name.encode() + data for name, data in sorted(files.items()))).hexdigest()
        revisions = self.repos.setdefault(repo_id, {})
        revisions[revision] = revisions[commit] = (commit, files)
        return commit

    def fetched(self):
        """Names of the files whose content was asked for, in order."""
        return [match[3] for method, path, _ in self.requests if method == "GET" and (match := FILE.fullmatch(path))]

    def ranges(self):
        """Range headers of the requests for weights."""
        return [span for method, path, span in self.requests if method == "GET" and path.endswith(".safetensors")]


def _files(folder):
    return [path for path in Path(folder).rglob("*") if path.is_file()]


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

    def _answer(self):
        hub = self.server.hub
        hub.requests.append((self.command, self.path, self.headers.get("Range")))
        if hub.mode == "hung":
            hub.released.wait(HUNG_S)
            self.close_connection = True
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

    def _refuse(self, status, code):
        self._send(status, b"", {"X-Error-Code": code, "X-Error-Message": code})

    def _find(self, repo_id, revision):
        """The commit and its files; None after refusing."""
        revisions = self.server.hub.repos.get(repo_id)
        if revisions is None:
            return self._refuse(404, "RepoNotFound")
        return revisions.get(revision.replace("%2F", "/")) or self._refuse(404, "RevisionNotFound")

    def _answer_api(self, repo_id, revision):
        if found := self._find(repo_id, revision):
            commit, files = found
            row = {"id": repo_id, "sha": commit, "siblings": [{"rfilename": name} for name in files]}
            self._send(200, json.dumps(row).encode(), {"Content-Type": "application/json"})

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
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def _send_body(self, body):
        slow = self.server.hub.mode == "slow" and len(body) > 10_000
        size = len(body) // 8 if slow else len(body) or 1
        for start in range(0, len(body), size):
            self.wfile.write(body[start : start + size])
            self.server.hub.released.wait(SLOW_S if slow else 0)
