"""A process that stands for a pod: what its task may see, and what its last line is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipeline.console.live_display import RunConsole, new_console
from pipeline.kubeflow.emulator.pod import Fault, Pod, PodError, Retries

PYTHON = Path(sys.executable)
NO_RETRIES = Retries()


def run(folder, *command, retries=NO_RETRIES, faults=()):
    """The log of the task."""
    pod = Pod("transform", list(command), {"SET": "yes"}, folder, PYTHON, retries, faults)
    pod.run(RunConsole(new_console(sys.stdout)), "Transform")
    return pod.log.read_text()


def test_pod_has_a_clean_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("OF_THE_USER", "secret")
    seen = run(tmp_path, str(PYTHON), "-c", "import os; print(sorted(os.environ), os.listdir())")
    assert "'SET'" in seen
    assert "OF_THE_USER" not in seen
    assert seen.endswith("[]\n")


def test_pod_starts_without_a_umask(tmp_path):
    code = "import os; print(oct(os.stat(open('new', 'w').name).st_mode & 0o777))"
    assert run(tmp_path, str(PYTHON), "-c", code) == "0o666\n"


# The end of a pod, and whether it is retried: by default since Kubeflow Pipelines 2.17, and before.
ENDS = [("exit status", False, True), ("evicted", False, True), ("deleted", True, False)]


@pytest.mark.parametrize(("end", "on_error", "on_failure"), ENDS)
@pytest.mark.parametrize("policy", ["OnError", "OnFailure", "Always"])
def test_end_of_a_pod_is_retried_by_the_policy_of_the_cluster(tmp_path, capsys, end, on_error, on_failure, policy):
    expected = {"OnError": on_error, "OnFailure": on_failure, "Always": True}[policy]
    # The first attempt ends in this way, the second one well.
    first = "exit('Error: no luck')" if end == "exit status" else "time.sleep(60)"
    code = f"import os, time; os.path.exists('again') or (open('again', 'w').close(), {first})"
    happen = {"evicted": Pod.evict, "deleted": Pod.delete}.get(end)
    faults = [Fault(0.5, happen)] if happen else []

    def task():
        run(tmp_path, str(PYTHON), "-c", code, retries=Retries(2, policy), faults=faults)

    if expected:
        task()
    else:
        with pytest.raises(PodError):
            task()
    said = capsys.readouterr().out
    assert ("; retrying" in said) == expected
    assert (f"not retried by the policy {policy}" in said) != expected
    assert end in said


def test_pod_that_fails_every_time_ends_with_its_last_line(tmp_path, capsys):
    retries = Retries(2, "OnFailure")
    with pytest.raises(PodError, match=r"^no luck$"):
        run(tmp_path, str(PYTHON), "-c", "print('noise', flush=True); exit('Error: no luck')", retries=retries)
    assert capsys.readouterr().out.count("; retrying") == 2


def test_missing_command_is_one_line(tmp_path):
    with pytest.raises(PodError, match=rf"^cannot start absent-program \(PATH={PYTHON.parent}:.*\): No such file"):
        run(tmp_path, "absent-program")
