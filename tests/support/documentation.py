"""The pages of the documentation and the commands in them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("kubeflow/**/*.md")]
)

_BLOCK = re.compile(r"^([ ]*)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


class CodeBlock(NamedTuple):
    page: str  # path from the root of the repository
    language: str
    text: str


def code_blocks(language: str) -> Iterator[CodeBlock]:
    for page in PAGES:
        for _, actual, text in _BLOCK.findall(page.read_text(encoding="utf-8")):
            if actual == language:
                yield CodeBlock(str(page.relative_to(ROOT)), actual, textwrap.dedent(text))


def shell_lines() -> Iterator[tuple[str, str]]:
    """(page, command line) of all shell blocks; continued lines are joined."""
    for page, _, text in code_blocks("sh"):
        for line in text.replace("\\\n", " ").splitlines():
            if line.strip():
                yield page, line.strip()
