"""The console command finds its own packages, whatever the user's environment has."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tfx_caser import import_order

ROOT = Path(__file__).resolve().parents[1]


def test_project_is_first_and_the_users_directories_are_last():
    paths = ["/bin", "/mine", "/lib", "/site-packages", "/home/user-site"]
    assert import_order(paths, "/project", ["/mine", "/home/user-site"]) == [
        *("/project", "/bin", "/lib", "/site-packages", "/mine", "/home/user-site"),
    ]


def test_installed_project_on_pythonpath_stays_first():
    assert import_order(["/bin", "/project", "/lib"], "/project", ["/project"]) == ["/project", "/bin", "/lib"]


def test_packages_of_the_same_names_do_not_replace_ours(tmp_path):
    for name in ("pipeline", "components", "click"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('a package of the user')")
    done = subprocess.run(
        [Path(sys.executable).with_name("caser"), "presets"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "ml-1m-caser" in done.stdout


@pytest.mark.parametrize("name", ["components", "schemas"])
def test_package_of_the_same_name_in_a_program_is_an_import_error_that_names_both(tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").touch()
    program = "import pipeline.client.recommender"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    message = done.stderr.splitlines()[-1]
    assert message.startswith(
        f"ImportError: tfx-caser needs its own package `{name}`, in {ROOT}, but {tmp_path / name} "
    )
    assert "Hint:" in message


def test_folder_named_pipeline_does_not_disturb_the_components(tmp_path):
    (tmp_path / "pipeline").mkdir()
    (tmp_path / "pipeline" / "__init__.py").write_text("mine = True")
    program = "import pipeline, components.trainer.settings; assert pipeline.mine"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True)
