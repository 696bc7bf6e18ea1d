"""Promote and rollback: moves labels between versions in the order that TF Serving requires."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from components.errors import UserError
from components.files import write_text
from components.pusher.models_config import config_path, models_config, read_labels, to_text
from components.pusher.version_dirs import versions
from pipeline.client.grpc_transport import GrpcTransport
from pipeline.client.transport import Connection
from pipeline.deployment.wait import wait_until_available

STABLE = "stable"


def promote(
    model_dir: str, version: int, label: str, servers: list[Connection], base_path: str, load_timeout: float
) -> Iterator[str]:
    """Assigns a label to a version: load it, wait until it is AVAILABLE on all servers, then move the label.

    A server refuses a label on a version that is not loaded, or accepts it and fails on requests. The configuration is
    also written to `models.config`, for servers that start later or read the file again.

    Args:
        model_dir: directory of all versions.
        version: version to promote.
        label: label such as `stable` or `canary`.
        servers: all servers, by gRPC.
        base_path: `model_dir` as the servers see it.
        load_timeout: seconds a server may take to load the version.

    Yields:
        One line per completed step.

    Raises:
        UserError: the version does not exist or a server fails; labels are unchanged.
    """
    present = versions(model_dir)
    if version not in present:
        raise UserError(
            f"Version {version} does not exist in {model_dir}. Versions: {', '.join(map(str, present)) or 'none'}."
        )
    before = read_labels(config_path(model_dir))
    after = {**before, label: version}
    # Requests without a label get the newest loaded version; if there are no labels yet, keep it loaded.
    loaded = {version, *before.values()} if before else {version, present[-1]}
    for server in servers:
        if not server.url.startswith("grpc"):
            raise UserError(f"Labels need gRPC. Received: --server {server.url}. Hint: use --server grpc://HOST:8500")
    transports = [GrpcTransport(server) for server in servers]
    try:
        loading = models_config(base_path, before, also_load=loaded)
        for transport, server in zip(transports, servers, strict=True):
            transport.reload(loading)
            wait_until_available(transport, loaded, server.url, load_timeout)
            yield f"{server.url} has version {version} AVAILABLE"
        labelled = models_config(base_path, after)
        write_text(Path(config_path(model_dir)), to_text(labelled))
        for transport, server in zip(transports, servers, strict=True):
            transport.reload(labelled)
            yield f"{server.url}: {_format_labels(after)}"
    finally:
        for transport in transports:
            transport.close()


def version_before(model_dir: str, label: str) -> int:
    """The version to roll back to.

    Args:
        model_dir: directory of all versions.
        label: label to move back; if it is not assigned, the newest version counts as labelled.

    Returns:
        The newest version before the labelled one.

    Raises:
        UserError: there is no older version.
    """
    present = versions(model_dir)
    now = read_labels(config_path(model_dir)).get(label, present[-1] if present else 0)
    older = [version for version in present if version < now]
    if not older:
        raise UserError(
            f"There is no version before {now or 'the first'} in {model_dir}. Hint: raise `pusher.keep`, or "
            "publish an older model again with `caser push`."
        )
    return older[-1]


def _format_labels(labels: Mapping[str, int]) -> str:
    return ", ".join(f"{label} is {version}" for label, version in sorted(labels.items()))
