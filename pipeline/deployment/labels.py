"""Moves labels from one version to another, in the order that TF Serving needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from components.errors import UserError
from components.pusher.models_config import config_path, models_config, read_labels, to_text
from components.pusher.version_dirs import versions
from pipeline.client.grpc_transport import GrpcTransport
from pipeline.client.transport import Connection
from pipeline.deployment.wait import wait_until_available
from pipeline.files import write_text

STABLE = "stable"


def promote(
    model_dir: str, version: int, label: str, servers: list[Connection], base_path: str, load_timeout: float
) -> Iterator[str]:
    """Gives a label to a version: load it, wait until it is AVAILABLE everywhere, then label it.

    A label on a version that is not loaded is refused by a server, or accepted and answered with errors. What is told
    to the servers is also written to `models.config`, so that one that starts later, or looks at its file again, does
    the same.

    Args:
        model_dir: of all versions.
        version: one of them.
        label: such as `stable` or `canary`.
        servers: all of them, by gRPC.
        base_path: `model_dir` as the servers see it.
        load_timeout: seconds that a server may take to load.

    Yields:
        One line for each thing that is done.

    Raises:
        UserError: there is no such version, or a server does not follow. Labels then are as before.
    """
    present = versions(model_dir)
    if version not in present:
        raise UserError(
            f"There is no version {version} in {model_dir}. Versions: {', '.join(map(str, present)) or 'none'}."
        )
    before = read_labels(config_path(model_dir))
    after = {**before, label: version}
    # Whoever asks without a label gets the newest version that is loaded: where nothing was labelled, keep it so.
    loaded = {version, *before.values()} if before else {version, present[-1]}
    for server in servers:
        if not server.url.startswith("grpc"):
            raise UserError(f"Labels move by gRPC: --server grpc://HOST:8500. Received: {server.url}")
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
            yield f"{server.url}: {_described(after)}"
    finally:
        for transport in transports:
            transport.close()


def version_before(model_dir: str, label: str) -> int:
    """The version to go back to.

    Args:
        model_dir: of all versions.
        label: that is to go back; where nobody has it, the newest version counts as labelled.

    Returns:
        The newest version that is older than the labelled one.

    Raises:
        UserError: there is none.
    """
    present = versions(model_dir)
    now = read_labels(config_path(model_dir)).get(label, present[-1] if present else 0)
    older = [version for version in present if version < now]
    if not older:
        raise UserError(
            f"There is no version before {now or 'the first'} in {model_dir}. Hint: keep more by `pusher.keep`; "
            "push an older model again by `caser push`."
        )
    return older[-1]


def _described(labels: Mapping[str, int]) -> str:
    return ", ".join(f"{label} is {version}" for label, version in sorted(labels.items()))
