"""The part of a PlatformSpec that configures a task's pod."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.kubeflow.compiler.cluster_settings import ClusterSettings, PodSettings, SecretKey


def pod_config(cluster: ClusterSettings, pod: PodSettings, env: Mapping[str, SecretKey]) -> dict[str, Any]:
    """A `KubernetesExecutorConfig`.

    Args:
        cluster: settings of the cluster.
        pod: settings of the pod.
        env: environment variables from Secrets.
    """
    config: dict[str, Any] = {"pvcMount": [{"constant": cluster.volume_claim, "mountPath": cluster.mount_path}]}
    if pod.node_selector:
        config["nodeSelector"] = {"labels": dict(pod.node_selector)}
    if pod.tolerations:
        config["tolerations"] = [toleration.model_dump(exclude_none=True) for toleration in pod.tolerations]
    if pod.annotations:
        config["podMetadata"] = {"annotations": dict(pod.annotations)}
    if cluster.image_pull_secrets:
        config["imagePullSecret"] = [{"secretName": name} for name in cluster.image_pull_secrets]
    if env:
        config["secretAsEnv"] = [
            {"secretName": source.secret, "keyToEnv": [{"secretKey": source.key, "envVar": name}]}
            for name, source in sorted(env.items())
        ]
    return config
