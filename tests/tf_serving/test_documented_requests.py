"""The documented `curl` lines, executed as they stand against the server of these tests."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess

import pytest

from tests.support.documentation import shell_lines

pytestmark = pytest.mark.xdist_group("tf_serving")

LINES = [line for _, line in shell_lines() if line.startswith("curl ")]


def test_documentation_has_seven_curl_lines():
    assert len(LINES) == 7


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
def test_curl_body_is_valid_for_its_signature(line):
    arguments = shlex.split(line)
    if "-d" in arguments:
        body = json.loads(arguments[arguments.index("-d") + 1])
        signatures = ("serving_default", "recommend_among", "score", "similar_items")
        assert body.get("signature_name", "serving_default") in signatures
        assert ("inputs" in body) != ("instances" in body)


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl: make test-deps")
@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
def test_curl_line_gets_the_documented_response(server, line):
    command = shlex.split(line.replace("http://localhost:8501", server.rest))
    response = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    if '"instances"' in line:
        assert set(response["predictions"][0]) == {"item_ids", "scores"}
    elif '"score"' in line:
        assert len(response["outputs"][0]) == 2
    elif '"inputs"' in line:
        assert {len(items) for items in response["outputs"]["item_ids"]} == {5}
    else:
        assert response["model_version_status"][0]["state"] == "AVAILABLE"
