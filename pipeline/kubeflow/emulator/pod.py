"""A process that stands in for the pod of one task."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.console.live_display import RunConsole

_CACHED = ": cached"
# Exit status of a shell if it does not find a program.
_NOT_FOUND = 127


class PodError(Exception):
    """A task failed after all retries; the message is the last line of its log."""


class Pod:
    """One task and its attempts."""

    def __init__(
        self, task: str, command: list[str], environment: dict[str, str], folder: Path, python: Path, retries: int
    ) -> None:
        """Starts nothing yet.

        Args:
            task: name of the task.
            command: command with all placeholders replaced.
            environment: environment variables of the container.
            folder: directory for log, working directory and outputs.
            python: Python interpreter that stands in for the image.
            retries: number of retries.
        """
        self.log = folder / "log.txt"
        self._task, self._command, self._folder, self._retries = task, command, folder, retries
        self._environment = {
            "PATH": f"{python.absolute().parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(folder / "home"),
            "HOSTNAME": task,
            "LANG": "C.UTF-8",
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._is_killed = False

    def run(self, console: RunConsole, node_id: str) -> None:
        """Runs the task, with retries.

        Args:
            console: shows the task.
            node_id: node of the task.

        Raises:
            PodError: the last attempt failed.
        """
        started = time.monotonic()
        console.on_node_start(node_id)
        for attempt in range(self._retries + 1):
            status = self._attempt()
            if status == 0:
                cached = self._last_line().endswith(_CACHED)
                console.on_node_end(node_id, "cached" if cached else "done", time.monotonic() - started)
                return
            if self._is_killed:
                break
            if attempt < self._retries:
                console.console.print(
                    f"    {node_id}: attempt {attempt + 1} failed with exit status {status}; retrying"
                )
        failure = PodError(self._last_line() or f"{self._task} failed with exit status {status} and no output")
        console.on_node_failed(node_id, failure, time.monotonic() - started)
        raise failure

    def kill(self) -> None:
        """Kills the task and its child processes; it is not retried."""
        self._is_killed = True
        if self._process and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)

    def _attempt(self) -> int:
        for name in ("home", "work", "outputs"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        program, path = self._command[0], self._environment["PATH"]
        with self.log.open("ab") as log:
            try:
                self._process = subprocess.Popen(
                    self._command,
                    env=self._environment,
                    cwd=self._folder / "work",
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    executable=_which(program, path),
                )
            except OSError as error:
                log.write(f"Error: cannot start {program} (PATH={path}): {error.strerror}\n".encode())
                return _NOT_FOUND
        return self._process.wait()

    def _last_line(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if self.log.exists() else []
        return lines[-1].removeprefix("Error: ") if lines else ""


def _which(program: str, path: str) -> str:
    """Looks a program up in the PATH of the pod; `subprocess` would use ours."""
    for folder in path.split(":"):
        candidate = os.path.join(folder, program)
        if os.access(candidate, os.X_OK):
            return candidate
    return program
