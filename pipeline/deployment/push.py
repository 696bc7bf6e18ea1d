"""`caser push`: publishes a model and waits until servers serve it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from components.errors import UserError
from components.export.golden import golden_mismatch, read_golden
from components.pusher.models_config import config_path, read_config
from pipeline.client.connect import connect
from pipeline.client.in_process import newest_version
from pipeline.client.transport import Connection
from pipeline.console.log_capture import suppress_output
from pipeline.deployment.servers import every_address
from pipeline.deployment.wait import wait_until_available


def push(
    model: Path,
    model_dir: str,
    keep: int,
    servers: list[Connection],
    load_timeout: float,
    allow_no_warmup: bool = False,
) -> Iterator[str]:
    """Publishes a model, waits until it is AVAILABLE, and replays the golden request.

    Args:
        model: SavedModel, or directory of versions (uses the newest).
        model_dir: directory or URI of the versions that the servers read.
        keep: number of versions to keep.
        servers: servers to wait for; if empty, the model is only published.
        load_timeout: seconds a server may take to load the version.
        allow_no_warmup: whether the file of warm-up requests may be missing.

    Yields:
        One line per completed step.

    Raises:
        UserError: the model is invalid, or a server cannot load it; includes the server's message.
    """
    with suppress_output():
        from components.pusher.push import push_model

    source = newest_version(model)
    notes: list[str] = []
    version = push_model(str(source), model_dir, keep, {}, allow_no_warmup=allow_no_warmup, warn=notes.append)
    yield f"{model_dir.rstrip('/')}/{version} published"
    yield from (f"Note: {note}" for note in notes)
    if not _is_loaded_without_a_label(model_dir, version):
        # Labels need gRPC.
        named = "".join(f" --server {server.url}" for server in servers if server.url.startswith("grpc"))
        yield (
            f"no label points to version {version} yet, so servers do not load it; promote it with "
            f"caser promote {version} --model {model_dir}{named}"
        )
        return
    golden = read_golden(str(source))
    for server in every_address(servers):
        transport = connect(server)
        wait_until_available(transport, [version], server.url, load_timeout)
        yield f"{server.url} has version {version} AVAILABLE"
        predictions, _ = transport.predict(golden.requests, version)
        if problem := golden_mismatch(golden, predictions):
            raise UserError(f"{server.url} has loaded version {version}, but its predictions differ: {problem}.")
        yield f"{server.url} passed the golden request"
        transport.close()


def _is_loaded_without_a_label(model_dir: str, version: int) -> bool:
    """Whether `models.config` lets servers load the version; without the file they load the newest one."""
    if "://" in model_dir:
        return True
    policy = read_config(config_path(model_dir)).served.policy
    return not policy.HasField("specific") or version in policy.specific.versions
