"""What Beam's workers need: the code of this project, and the output directory."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import components
import pipeline
import schemas
import tfx_caser
from components.errors import UserError

_LOCAL_RUNNERS = {"", "FnApiRunner", "DirectRunner", "BundleBasedDirectRunner", "SwitchingDirectRunner"}
# Options by which Beam sends code to workers.
_PACKAGING = ("--setup_file", "--extra_package", "--extra_packages", "--requirements_file", "--sdk_container_image")

_SETUP = """\
from setuptools import find_packages, setup

setup(
    name="tfx-caser",
    version={version!r},
    packages=find_packages(),
    py_modules=["tfx_caser"],
    package_data={{"": ["*", "*/*"]}},
    install_requires={requirements!r},
)
"""


def with_code(beam_args: Sequence[str], folder: Path) -> list[str]:
    """Beam arguments by which workers find the code of this project.

    Args:
        beam_args: arguments of the user.
        folder: where the project is packed, if it is not a checkout; kept until the end of the run.

    Returns:
        The arguments, with `--setup_file` if there are remote workers and nothing else says where they have code from.
    """
    if any(argument.partition("=")[0] in _PACKAGING for argument in beam_args):
        return list(beam_args)
    if not are_remote(beam_args):
        from pipeline.pipeline import NO_REMOTE_WORKERS  # here, because it imports TFX

        return [*beam_args, NO_REMOTE_WORKERS]
    return [*beam_args, f"--setup_file={_setup_file(folder)}"]


def are_remote(beam_args: Sequence[str]) -> bool:
    """Whether workers run outside this machine, as far as the arguments tell.

    Args:
        beam_args: arguments of the user.
    """
    options = _options(beam_args)
    # Beam takes names with or without the module.
    runner = options.runner.rpartition(".")[2]
    return runner not in _LOCAL_RUNNERS and options.environment_type.upper() != "LOOPBACK"


def _options(beam_args: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name in ("--runner", "--environment_type", "--direct_running_mode", "--direct_num_workers"):
        parser.add_argument(name, default="")
    return parser.parse_known_args(list(beam_args))[0]


def check_running_mode(beam_args: Sequence[str]) -> None:
    """Refuses several threads of Beam's local runner.

    They share one interpreter lock, so they are no faster, and they were seen to mix up their data: a run ended with
    "Invalid PaneInfoEncoding".

    Args:
        beam_args: arguments of the user.

    Raises:
        UserError: the arguments ask for them.
    """
    options = _options(beam_args)
    if options.direct_running_mode == "multi_threading" and options.direct_num_workers != "1":
        raise UserError(
            "Beam's local runner is not reliable with several threads (--direct_running_mode=multi_threading). "
            "Hint: --beam-arg=--direct_running_mode=multi_processing"
        )


def check_output(output: str, beam_args: Sequence[str], shared_output: bool) -> None:
    """Checks that workers reach the output directory.

    Args:
        output: output directory, path or URI.
        beam_args: arguments of the user.
        shared_output: whether the user says that workers mount the same path.

    Raises:
        UserError: they do not.
    """
    if "://" in output or shared_output or not are_remote(beam_args):
        return
    raise UserError(
        f"Workers on other machines cannot write to {output} on this one. Hint: pass --shared-output if all of them "
        "mount the same path, or --beam-arg=--environment_type=LOOPBACK for workers on this machine."
    )


def pack(folder: Path) -> Path:
    """Copies the installed packages.

    Args:
        folder: where to.

    Returns:
        Their `setup.py`.
    """
    for module in (components, pipeline, schemas):
        source = Path(module.__path__[0])
        shutil.copytree(source, folder / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(tfx_caser.__file__, folder)
    requirements = [text for text in metadata.requires("tfx-caser") or [] if "extra ==" not in text]
    setup = folder / "setup.py"
    setup.write_text(_SETUP.format(version=metadata.version("tfx-caser"), requirements=requirements), encoding="utf-8")
    return setup


def _setup_file(folder: Path) -> Path:
    checkout = Path(tfx_caser.__file__).with_name("setup.py")
    return checkout if checkout.exists() else pack(folder)
