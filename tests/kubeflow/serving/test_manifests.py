"""Kubernetes manifests of the server: rendered by kubectl, and validated offline by the schemas of several releases."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from components.export.warmup import BATCH_SIZES
from pipeline.cli.serving.promote import promote
from tests.support import kubernetes_schemas
from tests.support.served_model import Batching

SERVING = Path(__file__).resolve().parents[3] / "kubeflow" / "serving"
RELEASES = ("1.28", "1.31", "1.34")
# KServe's own kind is in no schema of Kubernetes.
NOT_OF_KUBERNETES = {"InferenceService"}


@functools.cache
def rendered(folder):
    done = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def render(folder):
    if not shutil.which("kubectl"):
        pytest.skip("needs kubectl to render the manifests (`kubectl kustomize`)")
    return list(yaml.safe_load_all(rendered(folder)))


@pytest.fixture(scope="module")
def base():
    return render(SERVING / "base")


def of_kind(objects, kind):
    actual = [part for part in objects if part["kind"] == kind and not part["metadata"]["name"].endswith("-headless")]
    (found,) = actual
    return found


def pod(objects):
    return of_kind(objects, "Deployment")["spec"]["template"]["spec"]


@pytest.mark.parametrize("push_model", RELEASES)
@pytest.mark.parametrize("folder", ["base", "overlays/object-store", "overlays/single-node"])
def test_rendered_manifests_are_valid(folder, push_model):
    objects = render(SERVING / folder)
    kinds = {"ConfigMap", "Deployment", "NetworkPolicy", "PodDisruptionBudget", "Service"}
    assert {part["kind"] for part in objects} - {"HorizontalPodAutoscaler"} == kinds
    for part in objects:
        kubernetes_schemas.validate(part, push_model)


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
    kubernetes_schemas.validate(built, push_model)
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
    assert {service["image"] for service in compose["services"].values()} == {image}
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


def headless(objects):
    (service,) = [part for part in objects if part["metadata"]["name"] == "caser-serving-headless"]
    return service


def test_headless_service_has_the_addresses_of_the_replicas(base):
    service, one = headless(base), of_kind(base, "Service")
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["selector"] == one["spec"]["selector"]
    assert service["spec"]["ports"] == one["spec"]["ports"]


def test_single_node_fits_two_cores_without_metrics_server():
    objects = render(SERVING / "overlays" / "single-node")
    assert not [part for part in objects if part["kind"] == "HorizontalPodAutoscaler"]
    deployment = of_kind(objects, "Deployment")["spec"]
    (container,) = deployment["template"]["spec"]["containers"]
    millicores = int(container["resources"]["requests"]["cpu"].removesuffix("m"))
    # A rolling update starts one more; Kubernetes and Kubeflow need the rest.
    assert millicores * (deployment["replicas"] + 1) <= 1000


def test_servers_read_labels_from_the_volume(base):
    compose = yaml.safe_load((SERVING / "compose.yaml").read_text())
    (server,) = pod(base)["containers"]
    for flags in (server["args"], compose["services"]["serving"]["command"]):
        assert "--model_config_file=/models/models.config" in flags
        assert any(flag.startswith("--model_config_file_poll_wait_seconds=") for flag in flags)
        assert not any(flag.startswith(("--model_base_path", "--model_name")) for flag in flags)
    assert not compose["services"]["serving"]["volumes"][0].endswith(":/models")
    assert compose["services"]["models-config"]["volumes"][0].endswith(":/models")


def test_poll_of_the_manifests_is_the_default_of_promote(base):
    (server,) = pod(base)["containers"]
    interval = next(option.default for option in promote.params if option.name == "poll_interval")
    assert f"--model_config_file_poll_wait_seconds={interval:g}" in server["args"]


def test_batching_never_pads_and_serves_large_requests():
    batching = Batching.of((SERVING / "components" / "batching" / "batching.config").read_text())
    assert not batching.pad_variable_length_inputs
    assert batching.enable_large_batch_splitting
    assert batching.allowed_batch_sizes[-1] == batching.max_batch_size
    assert set(batching.allowed_batch_sizes) == set(BATCH_SIZES)


def test_kserve_sends_a_part_of_the_traffic_to_a_new_revision():
    (service,) = render(SERVING / "overlays" / "kserve")
    assert 0 < service["spec"]["predictor"]["canaryTrafficPercent"] < 100


def test_bucket_inside_the_cluster_is_reachable():
    policy = of_kind(render(SERVING / "overlays" / "object-store"), "NetworkPolicy")
    outside, inside = policy["spec"]["egress"]
    assert {port["port"] for port in outside["ports"]} == {53, 443}
    assert "to" not in outside
    assert {port["port"] for port in inside["ports"]} == {9000, 8333}


def test_request_logging_is_off(base):
    assert "logging_config" in of_kind(base, "ConfigMap")["data"]["models.config"]
    config = text_format.Parse(
        of_kind(base, "ConfigMap")["data"]["models.config"], model_server_config_pb2.ModelServerConfig()
    )
    assert not config.model_config_list.config[0].HasField("logging_config")
