"""What SECURITY.md says about files from strangers and about locked versions."""

from __future__ import annotations

import gzip
import http.server
import json
import re
import threading
from pathlib import Path

import pytest
from google.protobuf.internal import api_implementation

from components.errors import UserError
from pipeline.client.recommender import Recommender
from pipeline.config.config import load_config
from pipeline.kubeflow.compiler.spec_file import read_spec

ROOT = Path(__file__).resolve().parents[1]
LOCKED = set(re.findall(r'^name = "([^"]+)"\nversion = "([^"]+)"', (ROOT / "uv.lock").read_text(), re.MULTILINE))
PAGE = (ROOT / "SECURITY.md").read_text()


@pytest.mark.parametrize("read", [lambda file: load_config(file=file), read_spec], ids=["settings", "pipeline"])
def test_yaml_that_would_run_code_is_refused_without_running_it(tmp_path, read):
    made = tmp_path / "made"
    file = tmp_path / "crafted.yaml"
    file.write_text(f"seed: !!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path [{made}]]\n")
    with pytest.raises(UserError, match=r"crafted\.yaml"):
        read(file)
    assert not made.exists()


def test_compressed_answer_of_a_server_is_not_expanded():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = gzip.compress(json.dumps({"outputs": {"item_ids": [["a"]], "scores": [[1.0]]}}).encode())
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with (
            Recommender.connect(f"http://127.0.0.1:{server.server_port}", timeout=5) as recommender,
            pytest.raises(UserError, match="HTTP 200"),
        ):
            recommender.recommend("u", recent=["b"], k=1)
    finally:
        server.shutdown()
        server.server_close()


def test_messages_of_strangers_are_not_parsed_by_the_recursive_python_parser():
    assert api_implementation.Type() in ("cpp", "upb")


def test_listed_versions_are_the_locked_ones():
    listed = re.findall(r"^\| ([a-z0-9-]+) (\d[\d.]*) \| 1\.\d\d \|", PAGE, re.MULTILINE)
    assert len(listed) >= 7
    assert set(listed) <= LOCKED


def test_json_is_not_parsed_by_protobuf():
    files = [file for folder in ("components", "pipeline") for file in (ROOT / folder).rglob("*.py")]
    assert not [file for file in files if "json_format" in file.read_text()]
