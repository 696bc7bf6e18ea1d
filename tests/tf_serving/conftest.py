"""A TF Serving: a real one where whoever runs the tests gives it, else the stand-in of `tests/support`.

`CASER_MODEL_SERVER`: path of a `tensorflow_model_server`, which is started on a folder of its own. Or a server that
runs already: `CASER_SERVING_URL` (REST) and `CASER_SERVING_GRPC`, `CASER_SERVING_DIR` (its folder `caser` of versions,
which the tests write to) and `CASER_SERVING_BASE` (the same folder as the server sees it).
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from components.errors import UserError
from components.pusher.models_config import config_path
from components.pusher.version_dirs import publish
from pipeline.client.connect import connect
from pipeline.client.transport import Connection
from pipeline.deployment.wait import wait_until_available
from tests.support import small_servable
from tests.support.documentation import ROOT

LOAD_SECONDS = 120
POLL_SECONDS = 1
BINARY = "CASER_MODEL_SERVER"
RUNNING = ("CASER_SERVING_URL", "CASER_SERVING_GRPC", "CASER_SERVING_DIR")
STAND_IN = [sys.executable, "-m", "tests.support.tf_serving_process"]


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


def unlabelled(base_path: str) -> str:
    """A `models.config` that serves the newest version, beside another model that nothing may touch."""
    return f"""
model_config_list {{
  config {{ name: "caser" base_path: "{base_path}" model_platform: "tensorflow" }}
  config {{
    name: "other"
    base_path: "{base_path}-other"
    model_platform: "tensorflow"
    model_version_policy {{ all {{ }} }}
    version_labels {{ key: "prod" value: 1 }}
  }}
}}
"""


@contextlib.contextmanager
def started(folder: Path, *flags: str) -> Iterator[Server]:
    """Starts a server on `folder`/caser, with `models.config` beside it."""
    server = Server(
        f"http://127.0.0.1:{_free_port()}", f"grpc://127.0.0.1:{_free_port()}", folder / "caser", str(folder / "caser")
    )
    config = Path(config_path(str(server.model_dir)))
    config.write_text(unlabelled(server.base_path))
    command = [os.environ[BINARY]] if BINARY in os.environ else STAND_IN
    with open(folder / "server.log", "w") as log:
        process = subprocess.Popen(
            [
                *command,
                f"--port={server.grpc.rsplit(':', 1)[1]}",
                f"--rest_api_port={server.rest.rsplit(':', 1)[1]}",
                f"--model_config_file={config}",
                f"--model_config_file_poll_wait_seconds={POLL_SECONDS}",
                "--file_system_poll_wait_seconds=1",
                "--allow_version_labels_for_unavailable_models=true",
                "--num_load_threads=2",
                "--num_unload_threads=1",
                "--grpc_max_threads=256",
                "--rest_api_num_threads=64",
                *flags,
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
        )
    try:
        _wait_for(server, process)
        yield server
    finally:
        process.terminate()
        process.wait()


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


def with_versions(folder: Path, *models: str) -> Path:
    """A folder of versions, and the other model."""
    for model in models:
        publish(model, str(folder / "caser"), lambda staged, version: None)
    (folder / "caser-other").mkdir()
    (folder / "caser-other" / "1").symlink_to(models[0])
    return folder


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """Three models, each with another favourite item."""
    folder = tmp_path_factory.mktemp("models")
    return {name: small_servable.save(folder / name, favourite=name) for name in ("i5", "i6", "i7")}


@pytest.fixture(scope="session")
def server(models, tmp_path_factory):
    if all(os.environ.get(name) for name in RUNNING):
        server = Server(
            os.environ["CASER_SERVING_URL"],
            os.environ["CASER_SERVING_GRPC"],
            Path(os.environ["CASER_SERVING_DIR"]),
            os.environ.get("CASER_SERVING_BASE", "/models/caser"),
        )
        server.wait(publish(models["i5"], str(server.model_dir), lambda staged, version: None))
        yield server
        return
    with started(with_versions(tmp_path_factory.mktemp("serving"), models["i5"])) as server:
        yield server
