"""The app behind nginx, as deploy/nginx.conf sets it up: TLS, uploads, streamed answers."""

import re
import shutil
import ssl
import subprocess
import urllib.request

import pytest
from gradio_client import Client, handle_file

from tests.app.conftest import HOPPER, ROOT, free_port

PLACES = "client_body_temp proxy_temp fastcgi_temp uwsgi_temp scgi_temp".split()


@pytest.fixture
def proxied(server, tmp_path):
    """Address of nginx before the running app; the configuration is ours but for ports, name and certificate."""
    nginx, openssl = shutil.which("nginx", path="/usr/sbin:/usr/bin"), shutil.which("openssl")
    if not (nginx and openssl):
        pytest.skip("nginx or openssl is not installed")
    made = ["-keyout", tmp_path / "virtus.key", "-out", tmp_path / "virtus.crt"]
    certify = [openssl, *"req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 1".split(), *made]
    subprocess.run(certify, check=True, capture_output=True)
    plain, secure = free_port(), free_port()
    changes = {
        "127.0.0.1:7860": server.url.removeprefix("http://"),
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl;": f"listen 127.0.0.1:{secure} ssl;",
        "/etc/ssl": str(tmp_path),
        "virtus.example.org": "localhost",
    }
    ours = (ROOT / "deploy" / "nginx.conf").read_text()
    for there, here in changes.items():
        assert there in ours
        ours = ours.replace(there, here)
    folders = "".join(f"{place}_path {tmp_path / place};" for place in PLACES)
    own = f"pid {tmp_path}/pid; error_log {tmp_path}/log; events {{}} http {{ {folders}\n{ours}\n}}"
    (tmp_path / "nginx.conf").write_text(own)
    running = subprocess.Popen([nginx, "-c", tmp_path / "nginx.conf", "-g", "daemon off;"])
    while not (tmp_path / "pid").exists():
        assert running.poll() is None
    yield f"https://localhost:{secure}"
    running.terminate()
    running.wait(30)


def test_a_photo_goes_through_the_proxy(proxied, tmp_path):
    client = Client(proxied, ssl_verify=False, verbose=False, download_files=str(tmp_path))
    report = client.predict(handle_file(str(HOPPER)), "auto", False, api_name="/analyze")
    assert report["faces"]


def test_the_page_asks_for_nothing_beside_the_proxy(proxied):
    page = urllib.request.urlopen(proxied, context=ssl._create_unverified_context()).read().decode()
    assert re.findall(r'"root":\s*"([^"]*)"', page) == [proxied]
