"""Checks of the installation, and what they suggest."""

from click.testing import CliRunner

from pipeline import doctor
from pipeline.cli.main import main


def result_of(name):
    (check,) = [check for check in doctor.run_checks() if check.name == name]
    return check


def test_this_installation_passes_all_checks():
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 0, result.output
    assert result.output.endswith("All checks passed.\n")


def test_unsupported_python_has_a_hint(monkeypatch):
    monkeypatch.setattr("sys.version_info", (3, 9, 0))
    assert "install Python 3.10" in result_of("Python").hint


def test_old_c_library_names_the_needed_version(monkeypatch):
    monkeypatch.setattr("platform.libc_ver", lambda: ("glibc", "2.17"))
    assert "needs 2." in result_of("C library").result
    assert "Debian 13" in result_of("C library").hint


def test_other_c_library_has_a_hint(monkeypatch):
    monkeypatch.setattr("platform.libc_ver", lambda: ("", ""))
    assert "glibc" in result_of("C library").hint


def test_other_tfx_version_names_the_needed_one(monkeypatch):
    monkeypatch.setattr("importlib.metadata.version", lambda name: "1.9.0")
    assert "needs TFX 1." in result_of("TFX").result


def test_full_disk_fails_the_command(monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 1e9}))
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 1
    assert "Hint: free disk space" in result.output
    assert result.output.endswith("1 problem(s) found.\n")


def test_failing_import_is_one_line(monkeypatch):
    def fail(name):
        raise ImportError(f"{name} is broken\nsecond line")

    monkeypatch.setattr("importlib.import_module", fail)
    check = next(check for check in doctor.run_checks() if check.name == "Import")
    assert check.result == "pyarrow: ImportError: pyarrow is broken"


def test_package_with_one_of_our_names_is_a_warning(monkeypatch):
    owners = {"components": ["tfx-caser", "kfp-parts"], "pipeline": ["tfx-caser"]}
    monkeypatch.setattr("importlib.metadata.packages_distributions", lambda: owners)
    assert result_of("Packages").result == "`components` is also in kfp-parts"
    assert "environment of its own" in result_of("Packages").hint
