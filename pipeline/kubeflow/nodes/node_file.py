"""Nodes that are too long for an argument: files of the volume, named by their content.

A configuration with long lists makes a long node. Linux takes no argument beyond 128 KiB, and a cluster keeps all
arguments of a pipeline in one object, several times. So the argument of such a node is a reference, `sha256:` and the
digest of the node's text, and the text is the file of that name in the folder `caser-nodes`: beside the compiled file,
and again on the volume. Named by content, the files of several pipelines and runs share the folder.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from components.errors import UserError
from pipeline.files import write_text

FOLDER = "caser-nodes"
# Ten times the usual length; all nodes of the pipeline at this length stay far below `spec_file.MAX_BYTES`.
MAX_INLINE = 8_192
_REFERENCE = "sha256:"


def reference(node: str) -> str:
    """What the argument of a node that is a file says; base64 knows no colon, so it cannot be taken for a node."""
    return _REFERENCE + hashlib.sha256(node.encode()).hexdigest()


def read_node(argument: str, volume: str) -> str:
    """The text of a node, from its argument or from the file that this refers to.

    Args:
        argument: of a step.
        volume: folder of the mounted volume.

    Raises:
        UserError: the file is missing, or is not what was compiled.
    """
    if not argument.startswith(_REFERENCE):
        return argument
    file = _file(Path(volume), argument)
    remedy = f"copy the folder {FOLDER} beside the compiled pipeline to the volume"
    try:
        node = file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UserError(f"The node's description {file} cannot be read: {error.strerror}. Hint: {remedy}.") from None
    if reference(node) != argument:
        raise UserError(f"The node's description {file} is not what was compiled. Hint: {remedy} again.")
    return node


def write_nodes(nodes: Iterable[str], folder: Path) -> None:
    """Leaves nodes as files in `folder`/caser-nodes.

    Args:
        nodes: texts.
        folder: of the compiled pipeline.

    Raises:
        OSError: they cannot be written.
    """
    for node in nodes:
        file = _file(folder, reference(node))
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, node)


def references(pipeline: Mapping[str, Any]) -> list[str]:
    """The references among the arguments of a PipelineSpec."""
    executors = pipeline.get("deploymentSpec", {}).get("executors", {}).values()
    arguments = [argument for executor in executors for argument in executor["container"].get("args", [])]
    return [argument for argument in arguments if argument.startswith(_REFERENCE)]


def copy_nodes(wanted: Iterable[str], source: Path, volume: Path) -> None:
    """Copies those files to the volume that are there and whole; a step misses the others, and says so.

    Args:
        wanted: references.
        source: folder of the compiled pipeline.
        volume: folder.
    """
    for argument in wanted:
        with contextlib.suppress(UserError):
            write_nodes([read_node(argument, str(source))], volume)


def _file(folder: Path, argument: str) -> Path:
    return folder / FOLDER / argument.removeprefix(_REFERENCE)
