"""A real TF Serving, given by whoever runs the tests; without one these tests are skipped.

`CASER_MODEL_SERVER`: path of a `tensorflow_model_server`, which is started on a folder of its own. Or a server that
runs already: `CASER_SERVING_URL` (REST) and `CASER_SERVING_GRPC`, `CASER_SERVING_DIR` (its folder `caser` of versions,
which the tests write to) and `CASER_SERVING_BASE` (the same folder as the server sees it).
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from components.errors import UserError
from components.pusher.models_config import config_path, models_config, to_text
from components.pusher.version_dirs import publish
from pipeline.client.connect import connect
from pipeline.client.transport import Connection
from pipeline.deployment.wait import wait_until_available
from tests.support import small_servable

LOAD_SECONDS = 120


class Server(NamedTuple):
    rest: str
    grpc: str
    model_dir: Path
    base_path: str

    def wait(self, version: int) -> None:
        transport = connect(Connection(self.rest, timeout=LOAD_SECONDS))
        wait_until_available(transport, [version], self.rest, LOAD_SECONDS)
        transport.close()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def _started(binary: str, folder: Path):
    server = Server(
        f"http://127.0.0.1:{_free_port()}", f"grpc://127.0.0.1:{_free_port()}", folder / "caser", str(folder / "caser")
    )
    config = Path(config_path(str(server.model_dir)))
    config.write_text(to_text(models_config(server.base_path, {})))
    with open(folder / "server.log", "w") as log:
        process = subprocess.Popen(
            [
                binary,
                f"--port={server.grpc.rsplit(':', 1)[1]}",
                f"--rest_api_port={server.rest.rsplit(':', 1)[1]}",
                f"--model_config_file={config}",
                "--file_system_poll_wait_seconds=1",
                "--allow_version_labels_for_unavailable_models=true",
                "--num_load_threads=2",
                "--num_unload_threads=1",
                "--grpc_max_threads=256",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    return server, process


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """Three models, each with another favourite item."""
    folder = tmp_path_factory.mktemp("models")
    return {name: small_servable.save(folder / name, favourite=name) for name in ("i5", "i6", "i7")}


@pytest.fixture(scope="session")
def server(request, tmp_path_factory):
    binary = os.environ.get("CASER_MODEL_SERVER")
    names = ("CASER_SERVING_URL", "CASER_SERVING_GRPC", "CASER_SERVING_DIR")
    if not binary and not all(os.environ.get(name) for name in names):
        pytest.skip("needs a real TF Serving: CASER_MODEL_SERVER=binary, or " + ", ".join(names))
    # Only now: exporting models takes its time.
    models = request.getfixturevalue("models")
    if binary:
        folder = tmp_path_factory.mktemp("serving")
        publish(models["i5"], str(folder / "caser"), lambda staged, version: None)
        server, process = _started(binary, folder)
        try:
            _wait_for(server, process)
            yield server
        finally:
            process.terminate()
            process.wait()
        return
    server = Server(
        os.environ["CASER_SERVING_URL"],
        os.environ["CASER_SERVING_GRPC"],
        Path(os.environ["CASER_SERVING_DIR"]),
        os.environ.get("CASER_SERVING_BASE", "/models/caser"),
    )
    version = publish(models["i5"], str(server.model_dir), lambda staged, version: None)
    server.wait(version)
    yield server


def _wait_for(server: Server, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + LOAD_SECONDS
    while True:
        assert process.poll() is None, "the server ended; see server.log"
        try:
            connection = connect(Connection(server.rest, timeout=1))
            wait_until_available(connection, [int(max(os.listdir(server.model_dir)))], server.rest, LOAD_SECONDS)
            return
        except UserError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
