"""Start of the console command `caser`: this project's packages go before others of the same names.

Its packages have common names, and PYTHONPATH and the user's site-packages come before the environment: a folder called
`pipeline` there, or an older library, would be imported instead. They are moved to the end, where they still provide
what the environment lacks.
"""

import os
import site
import sys
from pathlib import Path


def import_order(paths: list[str], project: str, foreign: list[str]) -> list[str]:
    """The order in which to look for modules.

    Args:
        paths: the order of Python.
        project: directory of this project's packages.
        foreign: directories of the user's environment.

    Returns:
        The project, the other directories, and the foreign ones.
    """
    own = [path for path in paths if path not in foreign and path != project]
    return [project, *own, *(path for path in paths if path in foreign and path != project)]


def main() -> None:
    """Runs `caser`."""
    foreign = [*filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)), site.getusersitepackages()]
    sys.path[:] = import_order(sys.path, str(Path(__file__).resolve().parent), foreign)
    from pipeline.cli.main import main as run_command

    run_command(prog_name="caser")
