"""What `kubeflow/` gives to a cluster: it renders, is valid for several versions of Kubernetes, and fits together."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from pipeline.kubeflow.compiler.cluster_settings import ClusterSettings

KUBEFLOW = Path(__file__).resolve().parents[2] / "kubeflow"
# Those of the server have tests of their own (`tests/kubeflow/serving/test_manifests.py`).
KUSTOMIZATIONS = sorted(
    file.parent for file in KUBEFLOW.rglob("kustomization.yaml") if not file.is_relative_to(KUBEFLOW / "serving")
)
VERSIONS = ("1.30", "1.33", "1.36")


def rendered(folder):
    if not shutil.which("kubectl"):
        pytest.skip("needs kubectl, whose `kustomize` renders the manifests")
    done = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


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
        kubernetes_validate.validate(document, version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
def test_copy_pod_mounts_the_volume(version):
    pod = yaml.safe_load((KUBEFLOW / "copy-pod.yaml").read_text())
    kubernetes_validate.validate(pod, version, strict=True)
    assert pod["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] == ClusterSettings().volume_claim
    assert pod["spec"]["containers"][0]["volumeMounts"][0]["mountPath"] == ClusterSettings().mount_path


def test_manifest_validation_detects_a_mistyped_field():
    claim = by_name(rendered(KUBEFLOW / "base"))["PersistentVolumeClaim", "caser-data"]
    claim["spec"]["acessModes"] = claim["spec"].pop("accessModes")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(claim, VERSIONS[0], strict=True)


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
    job = base["Job", "caser-volume"]["spec"]["template"]["spec"]
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
    assert "--extra" not in build
    assert "apt-get" not in final
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
