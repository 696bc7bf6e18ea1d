"""Commands for child processes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

# The project first: the environment may have other packages of the same names.
_RUN_MODULE = (
    "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); "
    "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)


def isolated_command(module: str, arguments: Sequence[str]) -> list[str]:
    """A command that runs a module of this project as `python -m` does, without files of the user's environment.

    `python -m` would import from the working directory, PYTHONPATH and the user's site-packages first: a file called
    `requests.py` there would replace a library.

    Args:
        module: name of the module.
        arguments: its arguments.
    """
    project = str(Path(__file__).resolve().parents[1])
    return [sys.executable, "-I", "-c", _RUN_MODULE, project, module, *arguments]
