"""A process that stands for a pod: what its task may see, and what its last line is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipeline.console.live_display import RunConsole, new_console
from pipeline.kubeflow.emulator.pod import Pod, PodError

PYTHON = Path(sys.executable)


def run(folder, *command, retries=0):
    """The log of the task."""
    pod = Pod("transform", list(command), {"SET": "yes"}, folder, PYTHON, retries)
    pod.run(RunConsole(new_console(sys.stdout)), "Transform")
    return pod.log.read_text()


def test_pod_has_a_clean_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("OF_THE_USER", "secret")
    seen = run(tmp_path, str(PYTHON), "-c", "import os; print(sorted(os.environ), os.listdir())")
    assert "'SET'" in seen
    assert "OF_THE_USER" not in seen
    assert seen.endswith("[]\n")


def test_failing_pod_is_retried(tmp_path, capsys):
    with pytest.raises(PodError, match=r"^no luck$"):
        run(tmp_path, str(PYTHON), "-c", "print('noise', flush=True); exit('Error: no luck')", retries=2)
    assert capsys.readouterr().out.count("; retrying") == 2


def test_missing_command_is_one_line(tmp_path):
    with pytest.raises(PodError, match=rf"^cannot start absent-program \(PATH={PYTHON.parent}:.*\): No such file"):
        run(tmp_path, "absent-program")
