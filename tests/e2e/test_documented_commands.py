"""Commands of the README, executed as they stand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.documentation import code_blocks
from tests.support.interaction_log import rows

FILMS = {"i0": "matrix", "i1": "alien", "i2": "brazil"}


def block(start: str) -> list[str]:
    """The lines of the README's shell block that begins with these words."""
    (actual,) = [item.text for item in code_blocks("sh") if item.page == "README.md" and item.text.startswith(start)]
    return actual.splitlines()


def execute(line: str, folder: Path) -> str:
    done = subprocess.run(
        ["bash", "-c", line], cwd=folder, capture_output=True, text=True, check=False, timeout=900, env=os.environ
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture
def folder(tmp_path) -> Path:
    """A directory in which `.venv/bin/caser` is the installed command."""
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    return tmp_path


def write_log(path: Path, header: str, row: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (row.format(user=user[1:], item=FILMS.get(item, item[1:]), time=time) for user, item, time in rows())
    path.write_text(header + "".join(lines), encoding="utf-8")


@pytest.mark.long
def test_commands_for_own_data_end_with_recommendations(folder):
    write_log(folder / "plays.csv", "user_id,item_id,timestamp\n", "{user},{item},{time}\n")
    show, run, recommend = block("head")
    assert execute(show, folder).startswith("user_id,item_id,timestamp\n")
    assert "Blessed" in execute(run, folder)
    assert len(execute(recommend, folder).splitlines()) == 5
    assert (folder / "out/plays/report.html").is_file()


@pytest.mark.long
def test_command_with_a_preset_runs_on_a_file_of_its_format(folder):
    write_log(folder / "ml-latest-small/ratings.csv", "userId,movieId,rating,timestamp\n", "{user},{item},4.0,{time}\n")
    (run,) = block(".venv/bin/caser run --data ml-latest-small")
    execute(run, folder)
    assert (folder / "out/ml-small/metrics.json").is_file()


@pytest.mark.long
def test_commands_for_kubeflow_compile_and_emulate_the_sample(folder):
    *lines, submit = block(".venv/bin/caser sample")
    assert submit.startswith(".venv/bin/caser kubeflow submit")
    for line in lines:
        execute(line, folder)
    assert list((folder / "out/emulated/volume").rglob("saved_model.pb"))
