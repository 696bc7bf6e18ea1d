"""Following a run: what Kubeflow and Kubernetes say, and what is shown without access to the latter."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
import yaml
from click.testing import CliRunner

from pipeline.cli.main import main
from tests.support.http_server import serving

LOG = """INFO at work
Error: CaserTrainer: Not enough users: 3. Hint: use more data.
time="2026-11-01" level=info msg="sub-process exited"
F1101 launcher failed: exit status 1
"""
TIMES = {"start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-01T00:00:07Z"}


def pod(name, phase, **status):
    return {
        "metadata": {"name": name, "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"containers": [{"name": "main"}]},
        "status": {"phase": phase, **status},
    }


class Cluster:
    """Kubeflow's API and Kubernetes' at one address; `runs` are answers to the question for the run, in order."""

    def __init__(self):
        self.runs, self.pods, self.logs, self.asked = [], [], {}, []

    def __call__(self, request):
        self.asked.append(request.path)
        return self.answer(urlsplit(request.path).path)

    def answer(self, path):
        if path.startswith("/apis/v2beta1/runs/"):
            return self.runs.pop(0) if len(self.runs) > 1 else self.runs[0]
        if path.endswith("/pods"):
            return 200, {"kind": "PodList", "apiVersion": "v1", "items": self.pods}
        if path.endswith("/log"):
            return 200, self.logs[path.split("/")[-2]]
        return 200, {"multi_user": False}


def run(state, **tasks):
    details = [{"display_name": name.replace("_", "-"), "state": task, **TIMES} for name, task in tasks.items()]
    own = [{"display_name": name, "state": "RUNNING", **TIMES} for name in ("root", "root-driver", "executor")]
    return 200, {"run_id": "r1", "state": state, "run_details": {"task_details": [*own, *details]}}


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("time.sleep", lambda _: None)
    cluster = Cluster()
    with serving(cluster) as cluster.host:
        yield with_access(cluster, tmp_path / "kubeconfig", monkeypatch)


def with_access(cluster, file, monkeypatch):
    """Sets the configuration of kubectl."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": cluster.host}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {}}],
        "current-context": "c",
    }
    file.write_text(yaml.safe_dump(config))
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(file))
    return cluster


@pytest.fixture
def without_access(monkeypatch):
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", "/absent")


def follow(cluster, *arguments):
    return CliRunner().invoke(main, ["kubeflow", "follow", "r1", "--host", cluster.host, *arguments])


def test_failed_node_is_shown_with_its_reason(cluster):
    cluster.runs = [run("FAILED", transform="SUCCEEDED", caser_trainer="FAILED")]
    cluster.pods = [pod("a", "Failed"), pod("b", "Succeeded")]
    cluster.logs = {"a": LOG, "b": "Transform: done\n"}
    result = follow(cluster)
    assert result.exit_code == 1
    assert "Error: Not enough users: 3. Hint: use more data." in result.output
    assert "launcher" not in result.output
    assert any("labelSelector=pipeline%2Frunid%3Dr1" in path for path in cluster.asked)


def test_failed_node_without_access_names_the_command_that_shows_the_reason(cluster, without_access):
    cluster.runs = [run("FAILED", caser_trainer="FAILED")]
    result = follow(cluster, "--namespace", "team")
    assert result.exit_code == 1
    assert "kubectl -n team logs -l pipeline/runid=r1 -c main --tail=-1 --prefix | grep 'Error: '" in result.output


def test_cached_node_is_shown_as_cached(cluster):
    cluster.runs = [run("SUCCEEDED", transform="SUCCEEDED", caser_trainer="SUCCEEDED")]
    cluster.pods = [pod("a", "Succeeded"), pod("b", "Succeeded")]
    cluster.logs = {"a": "INFO\nTransform: cached\nlauncher\n", "b": "CaserTrainer: done\n"}
    lines = {line.split()[1]: line for line in follow(cluster).output.splitlines() if line.startswith("  ")}
    assert "cached" in lines["Transform"]
    assert "done" in lines["CaserTrainer"]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (
            {
                "conditions": [
                    {
                        "type": "PodScheduled",
                        "status": "False",
                        "reason": "Unschedulable",
                        "message": "0/1 nodes are available: 1 Insufficient cpu.",
                    }
                ]
            },
            "Unschedulable: 0/1 nodes are available: 1 Insufficient cpu.",
        ),
        (
            {
                "containerStatuses": [
                    {
                        "name": "main",
                        "image": "x",
                        "imageID": "",
                        "ready": False,
                        "restartCount": 0,
                        "state": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}},
                    }
                ]
            },
            "ImagePullBackOff: Back-off pulling image",
        ),
    ],
)
def test_pod_that_cannot_start_is_shown_once_with_the_reason(cluster, status, reason):
    cluster.runs = [*[run("RUNNING", transform="RUNNING")] * 3, run("FAILED", transform="FAILED")]
    cluster.pods = [pod("caser-x1", "Pending", **status)]
    result = follow(cluster)
    assert result.output.count(reason) == 1
    assert "pod caser-x1 has not started for" in result.output


def test_pod_that_takes_its_time_is_not_shown(cluster):
    cluster.runs = [run("RUNNING", transform="RUNNING"), run("SUCCEEDED", transform="SUCCEEDED")]
    cluster.pods = [pod("caser-x1", "Pending")]
    assert "has not started" not in follow(cluster).output


def test_run_without_any_task_names_the_command_that_lists_pods(cluster, without_access):
    cluster.runs = [run("RUNNING"), run("RUNNING"), run("SUCCEEDED")]
    result = follow(cluster, "--pending-after", "0")
    assert result.output.count("kubectl -n kubeflow get pods -l pipeline/runid=r1") == 1


def test_broken_connection_is_tried_again(cluster):
    cluster.runs = [(503, {"error": "port-forward"}), (502, "bad gateway"), run("SUCCEEDED", transform="SUCCEEDED")]
    result = follow(cluster)
    assert result.exit_code == 0, result.output
    assert result.output.count("connection to Kubeflow lost (HTTP 503); trying again") == 1


def test_unknown_run_is_one_message(cluster):
    cluster.runs = [(404, {"error": "run not found"})]
    result = follow(cluster)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_ctrl_c_leaves_the_run_going_and_says_how_to_follow_it(cluster, monkeypatch):
    cluster.runs = [run("RUNNING", transform="RUNNING")]

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.kubeflow.submission.follow.time.sleep", interrupt)
    result = follow(cluster, "--namespace", "team")
    assert result.exit_code == 130
    command = f"caser kubeflow follow r1 --host {cluster.host} --namespace team"
    assert f"The run goes on. Follow it again: {command}" in result.output
