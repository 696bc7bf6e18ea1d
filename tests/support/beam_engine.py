"""A Beam engine outside this process, for tests: a given one, or one that is started here."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import apache_beam as beam

# Set by `make test-beam-engine JOB_ENDPOINT=host:port`.
ENDPOINT = "JOB_ENDPOINT"
_PRISM = "github.com/apache/beam/sdks/v2/go/cmd/prism"
_BUILD_SECONDS, _START_SECONDS = 1200, 120


class NotAvailableError(Exception):
    """No engine can be started here."""


@contextlib.contextmanager
def job_endpoint(folder: Path) -> Iterator[str]:
    """The endpoint of a job server.

    Args:
        folder: for logs.

    Raises:
        NotAvailableError: none is given, and none can be started.
    """
    if given := os.environ.get(ENDPOINT):
        yield given
        return
    port = _free_port()
    with (folder / "engine.log").open("w") as log:
        server = subprocess.Popen(_command(port), stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait_for(port, server, folder / "engine.log")
            yield f"localhost:{port}"
        finally:
            server.terminate()
            server.wait(30)


def _command(port: int) -> list[str]:
    """The job server of a jar if there is one, else Beam's own engine Prism."""
    if (jar := os.environ.get("JOB_SERVER_JAR")) and shutil.which("java"):
        return ["java", "-jar", jar, f"--job-port={port}", "--artifact-port=0", "--expansion-port=0"]
    return [str(_prism()), f"--job_port={port}", "--serve_http=false"]


def _prism() -> Path:
    if found := shutil.which("prism"):
        return Path(found)
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if not go:
        raise NotAvailableError(
            f"no engine: {ENDPOINT} is not set, JOB_SERVER_JAR and Java are not there, nor is Go to build Beam's Prism"
        )
    folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tfx-caser" / f"prism-{beam.__version__}"
    if not (folder / "prism").exists():
        command = [go, "install", f"{_PRISM}@v{beam.__version__}"]
        environment = {**os.environ, "GOBIN": str(folder)}
        built = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=_BUILD_SECONDS
        )
        if built.returncode:
            raise NotAvailableError(f"no engine: {' '.join(command)} failed: {built.stderr.strip()[-300:]}")
    return folder / "prism"


def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("localhost", port), timeout=1):
            return
        time.sleep(0.1)
    raise NotAvailableError(f"the engine did not start: {log.read_text()[-300:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])
