"""What `kubeflow/` gives to a cluster: it renders, is valid for several versions of Kubernetes, and fits together."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from pipeline.kubeflow.compiler.cluster_settings import ClusterSettings
from pipeline.kubeflow.metadata import service
from tests.support import kubernetes_schemas

KUBEFLOW = Path(__file__).resolve().parents[2] / "kubeflow"
# Those of the server have tests of their own (`tests/kubeflow/serving/test_manifests.py`).
KUSTOMIZATIONS = sorted(
    file.parent
    for file in KUBEFLOW.rglob("kustomization.yaml")
    # A component has no manifests of its own.
    if not file.is_relative_to(KUBEFLOW / "serving") and "components" not in file.parts
)
OVERLAYS = ("overlays/single-node", "overlays/shared", "serving/base", "serving/overlays/single-node")
VERSIONS = ("1.30", "1.33", "1.36")


@functools.cache
def render(folder):
    done = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rendered(folder):
    if not shutil.which("kubectl"):
        pytest.skip("needs kubectl, whose `kustomize` renders the manifests")
    return [document for document in yaml.safe_load_all(render(folder)) if document]


def by_name(documents):
    return {(document["kind"], document["metadata"]["name"]): document for document in documents}


def relative(folder):
    return str(folder.relative_to(KUBEFLOW))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("folder", KUSTOMIZATIONS, ids=relative)
def test_manifests_are_valid_for_this_kubernetes(folder, version):
    documents = rendered(folder)
    assert documents
    for document in documents:
        kubernetes_schemas.validate(document, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_copy_pod_mounts_the_volume(version):
    pod = yaml.safe_load((KUBEFLOW / "copy-pod.yaml").read_text())
    kubernetes_schemas.validate(pod, version)
    assert pod["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] == ClusterSettings().volume_claim
    assert pod["spec"]["containers"][0]["volumeMounts"][0]["mountPath"] == ClusterSettings().mount_path


def test_manifest_validation_detects_a_mistyped_field():
    claim = by_name(rendered(KUBEFLOW / "base"))["PersistentVolumeClaim", "caser-data"]
    claim["spec"]["acessModes"] = claim["spec"].pop("accessModes")
    with pytest.raises(kubernetes_schemas.ValidationError):
        kubernetes_schemas.validate(claim, VERSIONS[0])


@pytest.mark.parametrize("overlay", ["single-node", "shared"])
def test_overlay_is_in_one_namespace(overlay):
    documents = rendered(KUBEFLOW / "overlays" / overlay)
    assert {document["metadata"]["namespace"] for document in documents} == {"kubeflow"}
    assert {document["metadata"]["labels"]["app.kubernetes.io/part-of"] for document in documents} == {"tfx-caser"}


def test_only_the_shared_volume_is_mounted_by_several_nodes():
    modes = {}
    for overlay in ("single-node", "shared"):
        claims = by_name(rendered(KUBEFLOW / "overlays" / overlay))
        modes[overlay] = claims["PersistentVolumeClaim", "caser-data"]["spec"]["accessModes"]
        assert claims["PersistentVolumeClaim", "caser-metadata"]["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert modes == {"single-node": ["ReadWriteOnce"], "shared": ["ReadWriteMany"]}


def test_manifests_have_the_names_of_the_cluster_settings():
    base = by_name(rendered(KUBEFLOW / "base"))
    cluster = ClusterSettings()
    assert ("PersistentVolumeClaim", cluster.volume_claim) in base
    host, _, port = cluster.metadata_service.rpartition(":")
    service = base["Service", host]
    assert service["spec"]["ports"][0]["port"] == int(port)
    pod = base["Deployment", host]["spec"]["template"]
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    assert (
        base["NetworkPolicy", host]["spec"]["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    )
    job = base["Job", "caser-prepare-volume"]["spec"]["template"]["spec"]
    assert job["containers"][0]["volumeMounts"][0]["mountPath"] == cluster.mount_path


def test_pods_are_unprivileged():
    base = rendered(KUBEFLOW / "base")
    assert not {"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"} & {document["kind"] for document in base}
    user = re.search(r"^USER (\d+):(\d+)$", (KUBEFLOW / "Dockerfile").read_text(), re.MULTILINE)
    pods = [document["spec"]["template"]["spec"] for document in base if document["kind"] in ("Deployment", "Job")]
    assert len(pods) == 2
    for pod in pods:
        assert pod["automountServiceAccountToken"] is False
        security = pod["securityContext"]
        assert security["runAsNonRoot"] is True
        assert (security["runAsUser"], security["fsGroup"]) == (int(user[1]), int(user[2]))
        for container in pod["containers"]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["resources"].keys() == {"requests", "limits"}


def test_image_is_built_from_the_lock():
    stages = (KUBEFLOW / "Dockerfile").read_text().split("\nFROM ")[1:]
    build, final = stages
    assert all("--locked --no-dev" in line for line in build.splitlines() if line.startswith("RUN uv sync"))
    assert [line for line in build.splitlines() if "ARG EXTRAS" in line] == ["ARG EXTRAS="]  # none by default
    assert "apt-get" not in final
    assert "LABEL org.opencontainers.image.title" in final
    assert "--format cyclonedx1.5" in build
    assert "--mount" not in build + final  # BuildKit alone knows it


def test_build_context_contains_all_copied_files():
    root = KUBEFLOW.parent
    allowed = {line[1:] for line in (root / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (KUBEFLOW / "Dockerfile").read_text(), re.MULTILINE)
    names = {name for line in copied for name in line.split()}
    assert names == allowed
    assert all((root / name).exists() for name in names)


def test_pipeline_shares_a_namespace_with_the_server(tmp_path):
    both = [os.path.relpath(KUBEFLOW / part, tmp_path) for part in ("overlays/single-node", "serving/base")]
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump({"namespace": "team", "resources": both}))
    documents = rendered(tmp_path)
    assert {document["metadata"]["namespace"] for document in documents} == {"team"}
    assert len(by_name(documents)) == len(documents)
    pod = by_name(documents)["Deployment", "caser-serving"]["spec"]["template"]["spec"]
    mounted = [volume["persistentVolumeClaim"] for volume in pod["volumes"] if "persistentVolumeClaim" in volume]
    assert [claim["claimName"] for claim in mounted] == [ClusterSettings().volume_claim]
    (mount,) = [mount for mount in pod["containers"][0]["volumeMounts"] if mount.get("subPath")]
    assert (mount["subPath"], mount["readOnly"]) == ("serving", True)


# Kubernetes refuses to change these: the template of a Job, selectors, claims.
IMMUTABLE = {
    "Job": [("spec", "template"), ("spec", "selector")],
    "Deployment": [("spec", "selector")],
    "PersistentVolumeClaim": [("spec",)],
    "Service": [("spec", "clusterIP")],
}


def immutable_parts(documents):
    for document in documents:
        for path in IMMUTABLE.get(document["kind"], []):
            value = document
            for name in path:
                value = (value or {}).get(name)
            yield document["kind"], document["metadata"]["name"], path, value


def with_image(folder, tag):
    """A copy of the manifests with another tag of the image, as step 2 of the documentation sets it."""
    shutil.copytree(KUBEFLOW, folder)
    file = folder / "base" / "kustomization.yaml"
    base = yaml.safe_load(file.read_text())
    (image,) = [image for image in base["images"] if image["name"] == "caser"]
    image["newTag"] = tag
    file.write_text(yaml.safe_dump(base))
    return folder


@pytest.mark.parametrize(
    "overlay", ["overlays/single-node", "overlays/shared", "serving/base", "serving/overlays/single-node"]
)
def test_another_image_tag_changes_no_immutable_field(overlay, tmp_path):
    first, second = (rendered(with_image(tmp_path / tag, tag) / overlay) for tag in ("1", "2"))
    if not overlay.startswith("serving"):
        assert first != second
    assert list(immutable_parts(first)) == list(immutable_parts(second))


def pods_of(documents):
    for document in documents:
        spec = document.get("spec", {})
        if "template" in spec:
            yield document["kind"], spec["template"]
        elif document["kind"] == "Pod":
            yield "Pod", document


def test_no_mount_walks_the_whole_volume():
    everything = [*rendered(KUBEFLOW / "base"), *rendered(KUBEFLOW / "serving" / "base")]
    pods = [*pods_of(everything), ("Pod", yaml.safe_load((KUBEFLOW / "copy-pod.yaml").read_text()))]
    assert len(pods) == 4
    for _, pod in pods:
        security = pod["spec"]["securityContext"]
        assert security["fsGroup"]
        assert security["fsGroupChangePolicy"] == "OnRootMismatch"


def test_pods_that_end_have_no_sidecar():
    pods = [*pods_of(rendered(KUBEFLOW / "base")), ("Pod", yaml.safe_load((KUBEFLOW / "copy-pod.yaml").read_text()))]
    for kind, pod in pods:
        if kind in ("Job", "Pod"):
            assert pod["metadata"]["annotations"]["sidecar.istio.io/inject"] == "false"


def empty_fields(value, path=""):
    if isinstance(value, dict):
        for name, part in value.items():
            yield from empty_fields(part, f"{path}.{name}")
    elif isinstance(value, list):
        if not value:
            yield path
        for part in value:
            yield from empty_fields(part, path)


@pytest.mark.parametrize("folder", [*KUSTOMIZATIONS, *(KUBEFLOW / overlay for overlay in OVERLAYS[2:])], ids=relative)
def test_api_server_drops_no_field(folder):
    # An empty list is dropped, so that each `kubectl apply` would say "configured".
    assert not [path for document in rendered(folder) for path in empty_fields(document)]


@pytest.fixture
def with_database(tmp_path):
    (tmp_path / "kustomization.yaml").write_text(
        yaml.safe_dump(
            {
                "resources": [os.path.relpath(KUBEFLOW / "base", tmp_path)],
                "components": [os.path.relpath(KUBEFLOW / "components" / "database", tmp_path)],
            }
        )
    )
    return by_name(rendered(tmp_path))


def test_database_component_replaces_the_sqlite_file(with_database):
    assert ("PersistentVolumeClaim", "caser-metadata") not in with_database
    for document in with_database.values():
        kubernetes_schemas.validate(document, VERSIONS[-1])
    (container,) = with_database["Deployment", "caser-metadata"]["spec"]["template"]["spec"]["containers"]
    assert container["envFrom"] == [{"secretRef": {"name": "caser-metadata-database"}}]
    # The service reads the URL from the environment that the Secret gives.
    (option,) = [option for option in service.main.params if option.name == "database"]
    assert option.envvar == "CASER_METADATA_DATABASE"
    assert "--database" not in container["args"]


def test_metadata_reaches_its_database(with_database):
    (rule,) = with_database["NetworkPolicy", "caser-metadata"]["spec"]["egress"]
    assert {port["port"] for port in rule["ports"]} == {53, 3306, 5432}


def test_metadata_reaches_nothing_without_a_database():
    policy = by_name(rendered(KUBEFLOW / "base"))["NetworkPolicy", "caser-metadata"]["spec"]
    assert "Egress" in policy["policyTypes"]
    assert "egress" not in policy
