"""Child processes see the project and its environment, nothing else of the user's."""

import os
import subprocess

from components.processes import isolated_command


def test_modules_of_working_directory_and_pythonpath_are_not_imported(tmp_path):
    for folder in (tmp_path / "here", tmp_path / "path"):
        folder.mkdir()
        for name in ("numpy", "keras", "fcntl"):
            (folder / f"{name}.py").write_text("raise SystemExit('a file of the user')")
        (folder / "components").mkdir()
        (folder / "components" / "__init__.py").write_text("raise SystemExit('a package of the user')")
    done = subprocess.run(
        isolated_command("components.example_gen.histories", []),
        cwd=tmp_path / "here",
        env={**os.environ, "PYTHONPATH": str(tmp_path / "path")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_module_runs_as_main_with_its_arguments(tmp_path):
    done = subprocess.run(isolated_command("json.tool", ["--version"]), capture_output=True, text=True, check=False)
    assert "usage" in done.stderr
    (tmp_path / "x.json").write_text('{"a":1}')
    shown = subprocess.run(isolated_command("json.tool", [str(tmp_path / "x.json")]), capture_output=True, check=True)
    assert shown.stdout == b'{\n    "a": 1\n}\n'
