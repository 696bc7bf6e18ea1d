"""What can happen to tasks on a cluster: deleted and evicted pods, and an outage of ML Metadata."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from components.errors import UserError
from pipeline.config.suggestions import closest_match
from pipeline.kubeflow.emulator.pod import Fault, Pod

DELETE, EVICT, METADATA_OUTAGE = "delete", "evict", "metadata-outage"
_FAULT = re.compile(rf"({DELETE}|{EVICT}|{METADATA_OUTAGE}):([A-Za-z]+)(?:@(\d+(?:\.\d+)?))?")
_DEFAULT_SECONDS = 10.0
OUTAGE_SECONDS = 25.0


class Metadata:
    """The service of ML Metadata, in a separate process unless it runs elsewhere."""

    def __init__(self, address: str | None, output: Path, python: Path) -> None:
        """Starts nothing yet.

        Args:
            address: host:port of a running service; None: start one.
            output: directory of the SQLite file.
            python: Python interpreter that stands in for the image.
        """
        self.address = address or ""
        self._output, self._python = output.absolute(), python
        self._is_ours = address is None
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Starts the service; after an outage on the same port.

        Raises:
            UserError: the service does not start.
        """
        if not self._is_ours:
            return
        port = self.address.rpartition(":")[2] or "0"
        command = [str(self._python), "-m", "pipeline.kubeflow.metadata.service", "--host", "127.0.0.1"]
        command += ["--port", port, "--database", str(self._output / "metadata.sqlite")]
        log_file = self._output / "metadata.log"
        with log_file.open("a") as log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            reason = (log_file.read_text().strip().splitlines() or ["no output"])[-1]
            raise UserError(f"ML Metadata failed to start with {self._python}: {reason}. Hint: check --python.")
        self.address = f"127.0.0.1:{line.split()[-1]}"

    def stop(self) -> None:
        """Stops the service."""
        if self._process:
            self._process.terminate()
            self._process.wait()
            if self._process.stdout:
                self._process.stdout.close()
            self._process = None

    def interrupt(self) -> None:
        """An outage of `OUTAGE_SECONDS`."""
        self.stop()
        time.sleep(OUTAGE_SECONDS)
        self.start()

    def check_ours(self) -> None:
        """Checks that the service can be stopped.

        Raises:
            UserError: it runs elsewhere.
        """
        if not self._is_ours:
            raise UserError(f"--fault {METADATA_OUTAGE} needs a service of its own. Hint: leave --metadata out.")


def faults_of(texts: Iterable[str], nodes: Sequence[str], metadata: Metadata) -> dict[str, list[Fault]]:
    """Parses faults.

    Args:
        texts: `KIND:NODE@SECONDS` each.
        nodes: nodes of the pipeline.
        metadata: the service of ML Metadata.

    Returns:
        The faults by node.

    Raises:
        UserError: an unknown kind or node.
    """
    actions: dict[str, Callable[[Pod], None]] = {
        DELETE: lambda pod: pod.delete(),
        EVICT: lambda pod: pod.evict(),
        METADATA_OUTAGE: lambda pod: metadata.interrupt(),
    }
    faults: dict[str, list[Fault]] = {}
    for text in texts:
        match = _FAULT.fullmatch(text)
        if not match:
            raise UserError(
                f"--fault should be KIND:NODE or KIND:NODE@SECONDS, with a kind of {', '.join(actions)}. "
                f"Received: {text}"
            )
        kind, node, seconds = match.groups()
        if node not in nodes:
            raise UserError(f"--fault {text}: unknown node. Did you mean `{closest_match(node, list(nodes))}`?")
        if kind == METADATA_OUTAGE:
            metadata.check_ours()
        faults.setdefault(node, []).append(Fault(float(seconds or _DEFAULT_SECONDS), actions[kind]))
    return faults
