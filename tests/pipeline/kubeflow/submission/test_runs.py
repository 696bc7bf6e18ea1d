"""Submitting and scheduling: what is sent to Kubeflow's API, and one message where it refuses.

The server here is a fixture that answers with the fewest fields, not a real Kubeflow.
"""

from __future__ import annotations

import json
import socket
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner

from pipeline.cli.main import main
from pipeline.kubeflow.compiler.spec_file import write_spec
from pipeline.kubeflow.nodes.node_file import FOLDER, reference
from tests.support.http_server import serving

API = "/apis/v2beta1"
PIPELINE = {
    "pipelineInfo": {"name": "caser"},
    "root": {
        "dag": {"tasks": {"import-schema-gen": {}, "caser-trainer": {}}},
        "inputDefinitions": {"parameters": {"epochs": {"parameterType": "NUMBER_INTEGER", "defaultValue": 10}}},
    },
    "schemaVersion": "2.1.0",
}


class Kubeflow:
    """A server with one pipeline at most; `requests` holds (method, path, body)."""

    def __init__(self):
        self.requests, self.versions, self.status = [], [], 200
        self.pipelines = []
        self.states = [("RUNNING", "RUNNING"), ("SUCCEEDED", "SUCCEEDED")]

    def __call__(self, request):
        parts = urlsplit(request.path)
        self.requests.append((request.method, parts.path, request.body))
        path, query = parts.path.removeprefix(API), parse_qs(parts.query)
        return self.status, self.answer(request.method, path, query, request.body)

    def answer(self, method, path, query, body):
        if self.status != 200:
            return {"error": "no"}
        if path == "/pipelines" and method == "POST":
            self.pipelines.append({"pipeline_id": "p1", "display_name": json.loads(body)["display_name"]})
            return self.pipelines[0]
        if path == "/pipelines/upload_version":
            self.versions.append({"pipeline_version_id": "v1", "display_name": query["name"][0]})
            return self.versions[0]
        if path == "/pipelines":
            return {"pipelines": self.pipelines}
        if path == "/pipelines/p1/versions":
            return {"pipeline_versions": self.versions}
        if path == "/experiments":
            return {"experiment_id": "e1"} if method == "POST" else {"experiments": []}
        if path == "/runs":
            return {"run_id": "r1", "state": "PENDING"}
        if path == "/runs/r1":
            run, task = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            times = {"start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-01T00:00:07Z"}
            detail = {"display_name": "caser-trainer", "state": task, **times}
            return {"run_id": "r1", "state": run, "run_details": {"task_details": [detail]}}
        if path == "/recurringruns":
            return {"recurring_run_id": "s1"}
        return {"multi_user": False}

    def sent(self, method, path):
        return [json.loads(body) for m, p, body in self.requests if (m, p) == (method, API + path)]

    def count(self, path):
        return sum(p == API + path for _, p, _ in self.requests)


@pytest.fixture
def kubeflow(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    # The client waits five seconds between its attempts to ask for health.
    monkeypatch.setattr("time.sleep", lambda _: None)
    server = Kubeflow()
    with serving(server) as server.host:
        yield server


@pytest.fixture
def compiled(tmp_path):
    file = tmp_path / "pipeline.yaml"
    write_spec(PIPELINE, {"platforms": {}}, file)
    return file


def caser(command, kubeflow_host, compiled, *arguments):
    return CliRunner().invoke(
        main, ["kubeflow", command, "--host", kubeflow_host, "--pipeline", str(compiled), *arguments]
    )


def test_submit_starts_a_run_of_the_uploaded_version(kubeflow, compiled):
    result = caser("submit", kubeflow.host, compiled, "--param", "epochs=3", "--service-account", "trainer")
    assert result.exit_code == 0, result.output
    assert f"{kubeflow.host}/#/runs/details/r1" in result.output
    (run,) = kubeflow.sent("POST", "/runs")
    assert run["runtime_config"]["parameters"] == {"epochs": 3}
    assert run["pipeline_version_reference"] == {"pipeline_id": "p1", "pipeline_version_id": "v1"}
    assert (run["experiment_id"], run["service_account"]) == ("e1", "trainer")


def test_unchanged_file_is_uploaded_once(kubeflow, compiled):
    for _ in range(2):
        assert caser("submit", kubeflow.host, compiled).exit_code == 0
    created = [body for method, path, body in kubeflow.requests if (method, path) == ("POST", API + "/pipelines")]
    # The upload of a pipeline would make a version of its own.
    assert (len(created), kubeflow.count("/pipelines/upload"), kubeflow.count("/pipelines/upload_version")) == (1, 0, 1)
    write_spec({**PIPELINE, "sdkVersion": "other"}, {}, compiled)
    assert caser("submit", kubeflow.host, compiled).exit_code == 0
    assert kubeflow.count("/pipelines/upload_version") == 2


def test_output_has_no_warnings_or_links_of_the_sdk(kubeflow, compiled):
    result = caser("submit", kubeflow.host, compiled, "--wait")
    assert "details:" not in result.output
    assert "Warning" not in result.output


def test_followed_run_shows_its_nodes(kubeflow, compiled):
    result = caser("submit", kubeflow.host, compiled, "--wait")
    assert result.exit_code == 0, result.output
    assert "CaserTrainer" in result.output
    assert "7.0 s" in result.output
    assert "SUCCEEDED" in result.output


def test_followed_run_that_fails_exits_with_1(kubeflow, compiled):
    kubeflow.states = [("FAILED", "FAILED")]
    result = caser("submit", kubeflow.host, compiled, "--wait")
    assert result.exit_code == 1
    assert "failed" in result.output


@pytest.mark.parametrize("command", [["submit"], ["schedule", "--cron", "0 3 * * *"]])
def test_payload_files_are_mentioned_before_a_run(kubeflow, compiled, command):
    name, *arguments = command
    container = {"args": ["--node", reference("long")]}
    write_spec({**PIPELINE, "deploymentSpec": {"executors": {"exec": {"container": container}}}}, {}, compiled)
    result = caser(name, kubeflow.host, compiled, *arguments)
    assert result.exit_code == 0, result.output
    assert f"Copy {compiled.parent / FOLDER} to the volume" in result.output


@pytest.mark.parametrize(("cron", "sent"), [("0 3 * * *", "0 0 3 * * *"), ("30 0 3 * * *", "30 0 3 * * *")])
def test_schedule_has_six_cron_fields(kubeflow, compiled, cron, sent):
    result = caser("schedule", kubeflow.host, compiled, "--cron", cron)
    assert result.exit_code == 0, result.output
    assert "recurring run s1" in result.output
    (built,) = kubeflow.sent("POST", "/recurringruns")
    assert built["trigger"]["cron_schedule"]["cron"] == sent
    assert (str(built["max_concurrency"]), built["no_catchup"]) == ("1", True)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--param", "epoch=3"], "Did you mean `epochs`"),
        (["--param", "epochs=many"], "a whole number"),
    ],
)
def test_invalid_run_parameter_sends_no_request(kubeflow, compiled, arguments, part):
    result = caser("submit", kubeflow.host, compiled, *arguments)
    assert result.exit_code == 2
    assert part in result.output
    assert not kubeflow.requests


def test_malformed_schedule_is_rejected(kubeflow, compiled):
    result = caser("schedule", kubeflow.host, compiled, "--cron", "daily")
    assert result.exit_code == 2
    assert "five or six fields" in result.output


@pytest.mark.parametrize(
    ("status", "part"),
    [
        (401, "Authentication failed"),
        (403, "Authentication failed"),
        (404, "No Kubeflow Pipelines API"),
        (500, "HTTP 500"),
    ],
)
def test_refused_request_is_one_message(kubeflow, compiled, status, part):
    kubeflow.status = status
    result = caser("submit", kubeflow.host, compiled)
    assert result.exit_code == 2
    assert part in result.output
    assert "Traceback" not in result.output


def test_unreachable_kubeflow_is_one_message(kubeflow, compiled):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    result = caser("submit", f"http://127.0.0.1:{port}", compiled)
    assert result.exit_code == 2
    assert f"Cannot reach Kubeflow Pipelines at http://127.0.0.1:{port}" in result.output
    assert "Traceback" not in result.output


LOGIN_PAGE = "<html><body>Log in to Dex</body></html>"


@pytest.mark.parametrize("answer", [LOGIN_PAGE, {}, None, {"pipelines": [{}]}], ids=repr)
@pytest.mark.parametrize(
    "path", ["/healthz", "/pipelines", "/pipelines/upload_version", "/pipelines/p1/versions", "/experiments", "/runs"]
)
def test_page_instead_of_an_answer_is_one_message(kubeflow, compiled, monkeypatch, path, answer):
    usual = kubeflow.answer

    def replaced(method, asked, query, body):
        # A proxy that answers everything after a login has run out.
        return answer if asked == path else usual(method, asked, query, body)

    monkeypatch.setattr(kubeflow, "answer", replaced)
    result = caser("submit", kubeflow.host, compiled)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in (0, 2)
    if answer is LOGIN_PAGE and path != "/pipelines/p1/versions":  # which only saves an upload
        assert result.exit_code == 2
    if result.exit_code == 2:
        assert "Hint" in result.output


def test_token_is_taken_without_its_line_break_and_never_shown(kubeflow, compiled):
    assert caser("submit", kubeflow.host, compiled, "--token", "secret\n").exit_code == 0
    refused = caser("submit", kubeflow.host, compiled, "--token", "sec\nret")
    assert refused.exit_code == 2
    assert "--token should be text in one line" in refused.output
    assert "sec\nret" not in refused.output
