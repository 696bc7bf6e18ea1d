"""Chooses the interpreter of the environment, and with it the TFX version: `python3 choose_python.py UV [VERSION]`.

`make` calls it before anything is installed, so it needs nothing but Python 3.9. The path of the interpreter goes to
standard output; one line on standard error says what was chosen and why.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

# Wheels of TFX 1.21 (ml-metadata, tensorflow-data-validation) need this version of glibc.
GLIBC = (2, 39)
NEW, OLD = ("3.13", "3.12", "3.11"), "3.10"
TFX = {OLD: "1.16", **dict.fromkeys(NEW, "1.21")}


class Interpreter(NamedTuple):
    """An interpreter that can be used.

    Attributes:
        version: such as "3.13".
        path: path of its executable.
        headers: whether its C headers are installed.
    """

    version: str
    path: str
    headers: bool


class Machine(NamedTuple):
    """What decides whether TFX 1.21 can be installed.

    Attributes:
        system: such as "Linux x86_64".
        glibc: version of glibc; None on macOS, and with another C library.
        compiler: whether there is a C++ compiler: pyfarmhash, which TFX 1.21 needs, is compiled.
        interpreters: the ones that are installed.
    """

    system: str
    glibc: tuple[int, int] | None
    compiler: bool
    interpreters: list[Interpreter]


class UnsuitableError(Exception):
    """No TFX version can be installed; the message says what to do."""


def choose(machine: Machine, wanted: str, fetch: Callable[[str], Interpreter | None]) -> tuple[Interpreter, str]:
    """The interpreter to use, and why.

    Args:
        machine: what is there.
        wanted: a Python version; empty: the one with the newest TFX that can be installed.
        fetch: downloads an interpreter of a version; returns None if it cannot.

    Raises:
        UnsuitableError: no TFX version can be installed.
    """
    if machine.system not in ("Linux x86_64", "Darwin arm64"):
        raise UnsuitableError(
            f"TFX has packages for Linux on x86-64 and macOS on Apple silicon only; this is {machine.system}. "
            "Hint: use a container or a virtual machine."
        )
    if wanted and wanted not in TFX:
        raise UnsuitableError(f"PYTHON={wanted} is not one of {', '.join(sorted(TFX))}.")
    obstacles = _obstacles(machine)
    if wanted:
        if wanted in NEW and obstacles:
            raise UnsuitableError(f"{'; '.join(obstacles)}. Hint: {_hint(machine, wanted)}")
        found = _usable(machine, wanted) or fetch(wanted)
        if found:
            return found, "as PYTHON asks"
        raise UnsuitableError(f"Python {wanted} was not found.\n{_packages(wanted)}")
    if not obstacles:
        for version in NEW:
            found = _usable(machine, version)
            if found:
                return found, _reasons(machine)
        found = fetch(NEW[0])
        if found:
            return found, _reasons(machine)
        without = [found for found in machine.interpreters if found.version in NEW]
        obstacles = (
            [f"Python {without[0].version} has no C headers (apt-get install python{without[0].version}-dev)"]
            if without
            else ["there is no Python 3.11 to 3.13"]
        )
    found = _usable(machine, OLD) or fetch(OLD)
    if found:
        return found, "; ".join(obstacles)
    raise UnsuitableError(
        f"No TFX version can be installed.\nTFX 1.21: {'; '.join(obstacles)}.\nTFX 1.16: there is no Python {OLD}.\n"
        + _packages(NEW[0] if _is_new_enough(machine) else OLD)
    )


def _usable(machine: Machine, version: str) -> Interpreter | None:
    """The first interpreter of a version that TFX can be installed into."""
    for interpreter in machine.interpreters:
        if interpreter.version == version and (interpreter.headers or version == OLD):
            return interpreter
    return None


def _is_new_enough(machine: Machine) -> bool:
    return machine.system == "Darwin arm64" or (machine.glibc is not None and machine.glibc >= GLIBC)


def _obstacles(machine: Machine) -> list[str]:
    """Why TFX 1.21 cannot be installed, whatever the interpreter; empty if it can."""
    obstacles = []
    if not _is_new_enough(machine):
        here = f"glibc {_dotted(machine.glibc)}" if machine.glibc else "another C library"
        obstacles.append(f"TFX 1.21 needs glibc {_dotted(GLIBC)} or later, and this machine has {here}")
    elif not machine.compiler:
        obstacles.append("TFX 1.21 needs a C++ compiler, and there is none (apt-get install g++)")
    return obstacles


def _reasons(machine: Machine) -> str:
    glibc = f"glibc {_dotted(machine.glibc)}, " if machine.glibc else ""
    return f"{glibc}C++ compiler and headers found"


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))


def _hint(machine: Machine, wanted: str) -> str:
    if _is_new_enough(machine):
        return f"apt-get install g++ python{wanted}-dev"
    return "leave PYTHON out, or use Debian 13, Ubuntu 24.04 or a later one."


def _packages(version: str) -> str:
    """How to get an interpreter."""
    compiler = "g++ " if version in NEW else ""
    return (
        f"Hint: install Python {version} in one of these ways and try again:\n"
        f"  apt-get install {compiler}python{version}-dev python{version}-venv    (if the distribution has it)\n"
        f"  pyenv install {version}\n"
        "  allow uv to download it from github.com"
    )


def _this_machine(uv: str) -> Machine:
    try:
        libc, number = (os.confstr("CS_GNU_LIBC_VERSION") or "").split()
        major, minor = re.findall(r"\d+", number)[:2]
        glibc = (int(major), int(minor)) if libc == "glibc" else None
    except (AttributeError, OSError, ValueError):
        glibc = None
    compiler = any(map(shutil.which, [os.environ.get("CXX", "c++").split()[0], "g++", "clang++"]))
    return Machine(f"{platform.system()} {platform.machine()}", glibc, compiler, _installed(uv))


def _installed(uv: str) -> list[Interpreter]:
    """Interpreters on the PATH, of uv and of pyenv, without those of virtual environments."""
    command = [uv, "python", "list", "--only-installed", "--output-format", "json"]
    # It warns of every shim of pyenv without a version behind it.
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnsuitableError(f"uv cannot list the interpreters: {done.stderr.strip()}")
    listed = json.loads(done.stdout)
    plain = [row for row in listed if (row["implementation"], row.get("variant", "default")) == ("cpython", "default")]
    paths = {row["path"]: "{major}.{minor}".format(**row["version_parts"]) for row in plain}
    # The shims of pyenv only start the versions that are active.
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    paths |= {str(path): path.name[6:] for path in sorted(pyenv.glob("versions/*/bin/python3.*"), reverse=True)}
    return [Interpreter(paths[path], path, _has_headers(path)) for path in paths if paths[path] in TFX]


def _has_headers(path: str) -> bool:
    program = "import os, sysconfig; print(os.path.isfile(os.path.join(sysconfig.get_path('include'), 'Python.h')))"
    done = subprocess.run([path, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return done.stdout.strip() == b"True"


def _fetch(uv: str, version: str) -> Interpreter | None:
    """Downloads an interpreter from GitHub, where the network allows."""
    print(f"Downloading Python {version} ...", file=sys.stderr)
    command = [uv, "python", "install", "--quiet", "--no-bin", version]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    found = [row for row in _installed(uv) if row.version == version and row.headers]
    if done.returncode or not found:
        reason = " ".join(done.stderr.split()) or "it was not found afterwards"
        print(f"It could not be downloaded: {reason[:300]}", file=sys.stderr)
        return None
    return found[0]


def main(uv: str, wanted: str = "") -> int:
    """Prints the path of the interpreter.

    Args:
        uv: path of uv.
        wanted: a Python version, or empty.

    Returns:
        The exit status.
    """
    try:
        found, reason = choose(_this_machine(uv), wanted, lambda version: _fetch(uv, version))
    except UnsuitableError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"TFX {TFX[found.version]} on Python {found.version}: {reason}", file=sys.stderr)
    print(found.path)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
