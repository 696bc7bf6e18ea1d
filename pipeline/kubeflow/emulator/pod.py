"""A process that stands in for the pod of one task."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from pipeline.console.live_display import RunConsole

RetryPolicy = Literal["OnError", "OnFailure", "Always"]
# What Argo distinguishes at the end of a pod: "Failed" is an exit status, an eviction or a lack of memory; "Error" is a
# pod that was deleted or whose node is lost.
FAILED, ERROR = "Failed", "Error"
_RETRIED = {"OnError": (ERROR,), "OnFailure": (FAILED,), "Always": (ERROR, FAILED)}
_CACHED = ": cached"
# Exit status of a shell if it does not find a program.
_NOT_FOUND = 127


class PodError(Exception):
    """A task failed after all retries; the message is the last line of its log."""


class Retries(NamedTuple):
    """How often a task is tried again, and after which end of its pod.

    Attributes:
        number: how often at most.
        policy: retry policy of Argo's workflow controller, which a pipeline cannot set.
    """

    number: int = 0
    policy: RetryPolicy = "OnError"


class Fault(NamedTuple):
    """Something that happens to the first attempt of a task.

    Attributes:
        seconds: how long after the start of the pod.
        happen: is called with the pod.
    """

    seconds: float
    happen: Callable[[Pod], None]


class Pod:
    """One task and its attempts."""

    def __init__(
        self,
        task: str,
        command: list[str],
        environment: dict[str, str],
        folder: Path,
        python: Path,
        retries: Retries,
        faults: Sequence[Fault] = (),
    ) -> None:
        """Starts nothing yet.

        Args:
            task: name of the task.
            command: command with all placeholders replaced.
            environment: environment variables of the container.
            folder: directory for log, working directory and outputs.
            python: Python interpreter that stands in for the image.
            retries: how often and when to try again.
            faults: what happens to the first attempt.
        """
        self.log = folder / "log.txt"
        self._task, self._command, self._folder, self._retries = task, command, folder, retries
        self._faults = faults
        self._environment = {
            "PATH": f"{python.absolute().parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(folder / "home"),
            "HOSTNAME": task,
            "LANG": "C.UTF-8",
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._is_killed = False
        self._taken: str | None = None

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
        timers = [threading.Timer(fault.seconds, fault.happen, [self]) for fault in self._faults]
        for timer in timers:
            timer.daemon = True
            timer.start()
        for attempt in range(self._retries.number + 1):
            self._taken = None
            status = self._attempt()
            for timer in timers:
                timer.cancel()
            if status == 0 and self._taken is None:
                cached = self._last_line().endswith(_CACHED)
                console.on_node_end(node_id, "cached" if cached else "done", time.monotonic() - started)
                return
            if self._is_killed:
                break
            end = ERROR if self._taken == ERROR else FAILED
            what = {ERROR: "the pod was deleted", FAILED: "the pod was evicted"}.get(
                self._taken or "", f"exit status {status}"
            )
            if end not in _RETRIED[self._retries.policy]:
                console.console.print(f"    {node_id}: {what}; not retried by the policy {self._retries.policy}")
                break
            if attempt < self._retries.number:
                console.console.print(f"    {node_id}: attempt {attempt + 1} failed: {what}; retrying")
        failure = PodError(self._last_line() or f"{self._task} failed with exit status {status} and no output")
        console.on_node_failed(node_id, failure, time.monotonic() - started)
        raise failure

    def delete(self) -> None:
        """Deletes the pod, as draining its node does."""
        self._take(ERROR)

    def evict(self) -> None:
        """Evicts the pod, as a node without memory does."""
        self._take(FAILED)

    def _take(self, end: str) -> None:
        if self._process and self._process.poll() is None:
            self._taken = end
            os.killpg(self._process.pid, signal.SIGKILL)

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
                    umask=0,  # as in a pod
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
