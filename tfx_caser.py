"""Start of the console command `caser`: this project's packages go before others of the same names.

Its packages have common names, and PYTHONPATH and the user's site-packages come before the environment: a folder called
`pipeline` there, or an older library, would be imported instead. They are moved to the end, where they still provide
what the environment lacks. A program that imports the packages has its own order; for it, clashes are an error.
"""

import importlib.util
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


def check_packages(*names: str) -> None:
    """Checks that packages of this project are not replaced by others of the same names.

    Args:
        names: top-level packages.

    Raises:
        ImportError: one of them would be imported from elsewhere.
    """
    project = Path(__file__).resolve().parent
    for name in names:
        spec = importlib.util.find_spec(name)
        found = [*(spec.submodule_search_locations or ()), spec.origin] if spec else []
        places = [Path(place).resolve() for place in found if place]
        if project / name not in places[:1]:
            other = f"{places[0]} would be imported" if places else "it is not there"
            raise ImportError(
                f"tfx-caser needs its own package `{name}`, in {project}, but {other}. Hint: import it from a "
                "directory without a folder of that name, and keep such folders off PYTHONPATH."
            )
