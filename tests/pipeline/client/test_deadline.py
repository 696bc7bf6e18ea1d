"""The deadline of a request holds for the whole answer, however slowly it comes; with and without TLS."""

import contextlib
import shutil
import socketserver
import ssl
import subprocess
import threading
import time

import pytest

from components.errors import UserError
from pipeline.client.recommender import Recommender

HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"


class _Drip(socketserver.BaseRequestHandler):
    """Sends some bytes at once, and one more every 50 ms."""

    def handle(self):
        with contextlib.suppress(OSError):
            self.request.recv(65536)
            self.request.sendall(self.server.at_once)
            for _ in range(200):
                self.request.sendall(b" ")
                time.sleep(0.05)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    context = None

    def get_request(self):
        connection, address = super().get_request()
        return (self.context.wrap_socket(connection, server_side=True) if self.context else connection), address

    def handle_error(self, request, client_address):
        pass


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    folder = tmp_path_factory.mktemp("tls")
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    )
    files = ["-keyout", folder / "key.pem", "-out", folder / "cert.pem"]
    subprocess.run([*command.split(), *files], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("at_once", [HEADERS, b"HTTP/1.1 200 OK\r\n"], ids=["body", "headers"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_answer_that_drips_ends_at_the_deadline(request, scheme, at_once):
    with _Server(("127.0.0.1", 0), _Drip) as server:
        server.at_once, ca = at_once, None
        if scheme == "https":
            folder = request.getfixturevalue("certificate")
            server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            server.context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
            ca = str(folder / "cert.pem")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        started = time.monotonic()
        with (
            Recommender.connect(f"{scheme}://localhost:{server.server_address[1]}", timeout=0.6, ca=ca) as recommender,
            pytest.raises(UserError, match=r"No response .* within 0.6 s"),
        ):
            recommender.recommend("u", ["i"])
        assert time.monotonic() - started < 5  # ten seconds without the deadline; a busy machine
        server.shutdown()
