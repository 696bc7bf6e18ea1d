"""Pushes a model by hand, and sees it through until a server answers with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from components.errors import UserError
from components.export.golden import read_golden
from pipeline.client.connect import connect
from pipeline.client.in_process import newest_version
from pipeline.client.transport import Connection
from pipeline.console.log_capture import silence
from pipeline.deployment.wait import wait_until_available


def push(model: Path, model_dir: str, keep: int, servers: list[Connection], load_timeout: float) -> Iterator[str]:
    """Publishes, waits, asks.

    Args:
        model: SavedModel, or a folder of versions, whose newest is taken.
        model_dir: of the versions that the servers read; a folder or a URI.
        keep: versions that stay.
        servers: none: only the files are pushed.
        load_timeout: seconds that a server may take to load.

    Yields:
        One line for each thing that is done.

    Raises:
        UserError: the model was refused, or a server cannot use it; in the server's own words.
    """
    with silence():
        from components.pusher.push import push_model

    source = newest_version(model)
    version = push_model(str(source), model_dir, keep, {})
    yield f"{model_dir.rstrip('/')}/{version} is in place"
    # Verified just now, so it can be read.
    golden = read_golden(str(source))
    for server in servers:
        transport = connect(server)
        wait_until_available(transport, [version], server.url, load_timeout)
        yield f"{server.url} has version {version} AVAILABLE"
        answers, _ = transport.ask(golden.requests, version)
        if wrong := fault(golden, answers):
            raise UserError(f"{server.url} has loaded version {version}, but {wrong}.")
        yield f"{server.url} answers the golden request as the trainer did"
        transport.close()
