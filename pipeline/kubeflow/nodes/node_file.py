"""Node payload files: descriptions of nodes that are too large for a command-line argument.

Large configurations yield large node descriptions. Linux limits an argument to 128 KiB, and a cluster stores all
arguments of a pipeline in one object, several times. The argument of such a node is a reference, `sha256:` and the
digest of the description, and the description is the file of that name in the directory `caser-nodes`, beside the
compiled pipeline and on the volume. Since files are named by their content, several pipelines can share the directory.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from components.errors import UserError
from components.files import write_text

FOLDER = "caser-nodes"
# Ten times the usual size; a pipeline of such nodes stays far below `spec_file.MAX_BYTES`.
MAX_INLINE = 8_192
_REFERENCE = "sha256:"


def reference(node: str) -> str:
    """The reference to a payload file; a node description in base64 cannot contain the colon."""
    return _REFERENCE + hashlib.sha256(node.encode()).hexdigest()


def read_node(argument: str, volume: str) -> str:
    """The description of a node, from the argument of a step or the payload file it refers to.

    Args:
        argument: argument of the step.
        volume: path of the mounted volume.

    Raises:
        UserError: the file is missing or was modified.
    """
    if not argument.startswith(_REFERENCE):
        return argument
    file = _file(Path(volume), argument)
    hint = f"copy the directory {FOLDER} from beside the compiled pipeline to the volume"
    try:
        node = file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UserError(f"Cannot read node payload file {file}: {error.strerror}. Hint: {hint}.") from None
    if reference(node) != argument:
        raise UserError(f"Node payload file {file} was modified after compilation. Hint: {hint} again.")
    return node


def write_nodes(nodes: Iterable[str], folder: Path) -> None:
    """Writes payload files to `folder`/caser-nodes.

    Args:
        nodes: node descriptions.
        folder: directory of the compiled pipeline.

    Raises:
        OSError: the files cannot be written.
    """
    for node in nodes:
        file = _file(folder, reference(node))
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, node)


def references(pipeline: Mapping[str, Any]) -> list[str]:
    """The references to payload files in a PipelineSpec."""
    executors = pipeline.get("deploymentSpec", {}).get("executors", {}).values()
    arguments = [argument for executor in executors for argument in executor["container"].get("args", [])]
    return [argument for argument in arguments if argument.startswith(_REFERENCE)]


def copy_nodes(references: Iterable[str], source: Path, volume: Path) -> None:
    """Copies valid payload files to the volume; a step fails with a hint if one is missing.

    Args:
        references: references to payload files.
        source: directory of the compiled pipeline.
        volume: path of the volume.
    """
    for argument in references:
        with contextlib.suppress(UserError):
            write_nodes([read_node(argument, str(source))], volume)


def _file(folder: Path, argument: str) -> Path:
    return folder / FOLDER / argument.removeprefix(_REFERENCE)
