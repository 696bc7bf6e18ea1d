"""The console command finds its own packages, whatever the user's environment has."""

import os
import subprocess
import sys
from pathlib import Path

from tfx_caser import import_order


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
