"""The documentation's `curl` lines, executed as they stand against a real server."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[2] / "kubeflow" / "serving" / "README.md"
LINES = [line for line in README.read_text(encoding="utf-8").splitlines() if line.startswith("curl ")]


def test_documentation_has_four_curl_lines():
    assert len(LINES) == 4


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
def test_curl_body_is_valid_for_its_signature(line):
    arguments = shlex.split(line)
    if "-d" in arguments:
        body = json.loads(arguments[arguments.index("-d") + 1])
        assert body["signature_name"] in ("serving_default", "score")
        assert ("inputs" in body) != ("instances" in body)


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
def test_curl_line_gets_the_documented_response(server, line):
    asked = line.replace("http://localhost:8501", server.rest)
    done = subprocess.run(shlex.split(asked), capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    if '"instances"' in line:
        assert set(answer["predictions"][0]) == {"item_ids", "scores"}
    elif '"score"' in line:
        assert len(answer["outputs"][0]) == 2
    elif '"inputs"' in line:
        assert [len(items) for items in answer["outputs"]["item_ids"]] == [5, 5]
    else:
        assert answer["model_version_status"][0]["state"] == "AVAILABLE"
