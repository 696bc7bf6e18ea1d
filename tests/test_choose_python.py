"""Which interpreter, and with it which TFX version, `make` chooses."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Not installed: it runs before anything is.
_SPEC = importlib.util.spec_from_file_location("choose_python", ROOT / "choose_python.py")
sys.modules["choose_python"] = choose_python = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(choose_python)
Interpreter, Machine, choose = choose_python.Interpreter, choose_python.Machine, choose_python.choose

DEBIAN_12 = Machine("Linux x86_64", (2, 36), True, [])
DEBIAN_13 = Machine("Linux x86_64", (2, 41), True, [])


def interpreter(version, headers=True):
    return Interpreter(version, f"/usr/bin/python{version}", headers)


def no_network(version):
    return None


def network(version):
    return Interpreter(version, f".tools/python/{version}", True)


@pytest.mark.parametrize(
    ("machine", "installed", "version", "reason"),
    [
        (DEBIAN_13, ["3.13", "3.10"], "3.13", "glibc 2.41, C++ compiler and headers found"),
        (DEBIAN_13, ["3.11", "3.12"], "3.12", "glibc 2.41, C++ compiler and headers found"),
        (DEBIAN_12, ["3.13", "3.10"], "3.10", "TFX 1.21 needs glibc 2.39 or later, and this machine has glibc 2.36"),
        (
            DEBIAN_12._replace(glibc=None),
            ["3.10"],
            "3.10",
            "TFX 1.21 needs glibc 2.39 or later, and this machine has another C library",
        ),
        (
            DEBIAN_13._replace(compiler=False),
            ["3.13", "3.10"],
            "3.10",
            "TFX 1.21 needs a C++ compiler, and there is none (apt-get install g++)",
        ),
        (DEBIAN_13, ["3.10"], "3.10", "there is no Python 3.11 to 3.13"),
        (DEBIAN_13._replace(system="Darwin arm64", glibc=None), ["3.12"], "3.12", "C++ compiler and headers found"),
    ],
)
def test_newest_tfx_that_can_be_installed_is_chosen_with_its_reason(machine, installed, version, reason):
    machine = machine._replace(interpreters=list(map(interpreter, installed)))
    assert choose(machine, "", no_network) == (interpreter(version), reason)


def test_interpreter_without_headers_is_passed_over_for_one_with_them():
    machine = DEBIAN_13._replace(interpreters=[interpreter("3.13", headers=False), interpreter("3.12")])
    assert choose(machine, "", no_network)[0].version == "3.12"


def test_missing_headers_are_named_with_their_package():
    machine = DEBIAN_13._replace(interpreters=[interpreter("3.13", headers=False), interpreter("3.10")])
    found, reason = choose(machine, "", no_network)
    assert found.version == "3.10"
    assert "apt-get install python3.13-dev" in reason


def test_missing_interpreter_is_downloaded_where_the_network_allows():
    assert choose(DEBIAN_13, "", network)[0] == network("3.13")
    assert choose(DEBIAN_12, "", network)[0] == network("3.10")
    assert choose(DEBIAN_13, "3.11", network) == (network("3.11"), "as PYTHON asks")


def test_wanted_version_goes_before_a_newer_one():
    machine = DEBIAN_13._replace(interpreters=[interpreter("3.13"), interpreter("3.10")])
    assert choose(machine, "3.10", no_network) == (interpreter("3.10"), "as PYTHON asks")


@pytest.mark.parametrize(
    ("machine", "wanted", "part"),
    [
        (DEBIAN_12, "", "pyenv install 3.10"),
        (DEBIAN_13, "", "apt-get install g++ python3.13-dev python3.13-venv"),
        (DEBIAN_13._replace(compiler=False), "", "apt-get install g++ python3.13-dev"),
        (DEBIAN_12, "3.13", "leave PYTHON out"),
        (DEBIAN_13._replace(compiler=False), "3.13", "Hint: apt-get install g++ python3.13-dev"),
        (DEBIAN_13, "3.12", "Python 3.12 was not found"),
        (DEBIAN_13, "3.9", "PYTHON=3.9 is not one of 3.10, 3.11, 3.12, 3.13"),
        (DEBIAN_13._replace(system="Linux aarch64"), "", "this is Linux aarch64"),
    ],
)
def test_machine_without_a_tfx_is_told_what_to_do(machine, wanted, part):
    with pytest.raises(choose_python.UnsuitableError) as error:
        choose(machine, wanted, no_network)
    assert part in str(error.value)


def test_interpreter_of_this_environment_is_found_and_explained_in_one_line():
    uv = next(ROOT.glob(".tools/uv-*/bin/uv"), None)
    if uv is None:
        pytest.skip("needs the uv of `make install`")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    command = [sys.executable, ROOT / "choose_python.py", uv, version]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == [
        f"TFX {'1.16' if version == '3.10' else '1.21'} on Python {version}: as PYTHON asks"
    ]
    chosen = subprocess.run([done.stdout.strip(), "--version"], capture_output=True, text=True, check=True).stdout
    assert chosen.startswith(f"Python {version}.")
