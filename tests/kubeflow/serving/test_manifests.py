"""Kubernetes manifests of the server: rendered by kubectl, and validated offline by the schemas of several releases."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

SERVING = Path(__file__).resolve().parents[3] / "kubeflow" / "serving"
RELEASES = ("1.28", "1.31", "1.34")
# KServe's own kind is in no schema of Kubernetes.
NOT_OF_KUBERNETES = {"InferenceService"}


def render(folder):
    if not shutil.which("kubectl"):
        pytest.skip("needs kubectl to render the manifests (`kubectl kustomize`)")
    done = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


@pytest.fixture(scope="module")
def base():
    return render(SERVING / "base")


def of_kind(objects, kind):
    (actual,) = [part for part in objects if part["kind"] == kind]
    return actual


def pod(objects):
    return of_kind(objects, "Deployment")["spec"]["template"]["spec"]


@pytest.mark.parametrize("push_model", RELEASES)
@pytest.mark.parametrize("folder", ["base", "overlays/object-store"])
def test_rendered_manifests_are_valid(folder, push_model):
    objects = render(SERVING / folder)
    assert {part["kind"] for part in objects} >= {
        "ConfigMap",
        "Deployment",
        "HorizontalPodAutoscaler",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "Service",
    }
    for part in objects:
        kubernetes_validate.validate(part, push_model, strict=True)


@pytest.mark.parametrize("push_model", RELEASES)
def test_kserve_pods_are_valid(push_model):
    (service,) = render(SERVING / "overlays" / "kserve")
    predictor = service["spec"]["predictor"]
    model = predictor["model"]
    container = {
        "name": "model",
        "image": "x",
        **{name: model[name] for name in ("args", "resources", "securityContext")},
    }
    spec = {name: predictor[name] for name in ("securityContext", "automountServiceAccountToken")}
    built = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {**spec, "containers": [container]}}
    kubernetes_validate.validate(built, push_model, strict=True)
    assert service["kind"] in NOT_OF_KUBERNETES
    assert model["storageUri"] == "pvc://caser-data/serving/caser"


def test_serving_base_sets_no_namespace(base, tmp_path):
    assert not any("namespace" in part["metadata"] for part in base)
    shutil.copytree(SERVING / "base", tmp_path / "base")
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text("namespace: music\nresources: [../base]\n")
    assert {part["metadata"]["namespace"] for part in render(overlay)} == {"music"}


def test_serving_image_is_pinned_everywhere(base):
    images = {part["image"] for part in (*pod(base)["containers"], *pod(base)["initContainers"])}
    (image,) = images
    assert re.fullmatch(r"tensorflow/serving:\d+\.\d+\.\d+", image)
    compose = yaml.safe_load((SERVING / "compose.yaml").read_text())
    assert compose["services"]["serving"]["image"] == image
    (service,) = render(SERVING / "overlays" / "kserve")
    assert image.endswith(":" + service["spec"]["predictor"]["model"]["runtimeVersion"])


def test_serving_pods_are_unprivileged(base):
    spec = pod(base)
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    for container in (*spec["containers"], *spec["initContainers"]):
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]


def test_server_mounts_the_serving_directory_read_only(base):
    (server,) = pod(base)["containers"]
    (mount,) = [mount for mount in server["volumeMounts"] if mount["name"] == "models"]
    assert (mount["subPath"], mount["readOnly"]) == ("serving", True)
    claims = [volume["persistentVolumeClaim"] for volume in pod(base)["volumes"] if "persistentVolumeClaim" in volume]
    assert claims == [{"claimName": "caser-data"}]


def test_selectors_match_the_pods(base):
    labels = of_kind(base, "Deployment")["spec"]["template"]["metadata"]["labels"]
    selectors = [
        of_kind(base, "Service")["spec"]["selector"],
        of_kind(base, "Deployment")["spec"]["selector"]["matchLabels"],
        of_kind(base, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        of_kind(base, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
    ]
    assert all(selector.items() <= labels.items() for selector in selectors)


def test_probe_checks_the_model_of_the_mounted_config(base):
    data = of_kind(base, "ConfigMap")["data"]
    config = text_format.Parse(data["models.config"], model_server_config_pb2.ModelServerConfig())
    (model,) = config.model_config_list.config
    assert (model.name, model.base_path) == ("caser", "/models/caser")
    assert f"/v1/models/{model.name} " in data["probe.sh"]


@pytest.mark.parametrize(("state", "status"), [("AVAILABLE", 0), ("LOADING", 1), ("END", 1)])
def test_probe_reads_the_state_of_the_version(base, tmp_path, state, status):
    # Of the script, only where it connects to is another one here.
    script = of_kind(base, "ConfigMap")["data"]["probe.sh"]
    response = f'HTTP/1.0 200 OK\r\n\r\n{{"model_version_status": [{{"version": "1", "state": "{state}"}}]}}'
    (tmp_path / "answer").write_text(response)
    opened = script.replace("exec 3<>/dev/tcp/127.0.0.1/8501", f"exec 3<>{tmp_path / 'answer'}")
    assert opened != script
    opened = opened.replace(">&3", "> /dev/null", 1)
    assert subprocess.run(["bash", "-c", opened], check=False).returncode == status


def test_batching_component_mounts_its_parameters(tmp_path):
    shutil.copytree(SERVING / "base", tmp_path / "base")
    shutil.copytree(SERVING / "components" / "batching", tmp_path / "batching")
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text("resources: [../base]\ncomponents: [../batching]\n")
    objects = render(overlay)
    assert "--enable_batching=true" in pod(objects)["containers"][0]["args"]
    assert "max_batch_size" in of_kind(objects, "ConfigMap")["data"]["batching.config"]
