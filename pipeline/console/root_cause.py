"""Finds the root cause of a failed node inside the exceptions of TFX and Beam."""

from __future__ import annotations

import re
from typing import NamedTuple

from components.errors import UserError

_NAME = f"{UserError.__module__}.{UserError.__qualname__}: "
# Beam appends the name of the step, and turns the cause into text between processes.
_BEAM_SUFFIX = re.compile(r"\s*\[while running .*", re.DOTALL)


class Failure(NamedTuple):
    """The message, and whether it comes from a `UserError`, which needs no traceback."""

    text: str
    is_user_error: bool


def root_cause(error: BaseException) -> Failure:
    """Finds the root cause.

    Args:
        error: exception raised by a runner.

    Returns:
        The message of a UserError, anywhere in the chain or in the text of another exception; otherwise type and
        message of the innermost exception, in one line.
    """
    chain = _chain(error)
    for link in chain:
        if isinstance(link, UserError):
            return Failure(_BEAM_SUFFIX.sub("", str(link)), True)
    for link in chain:
        text = str(link)
        if _NAME in text:
            return Failure(_BEAM_SUFFIX.sub("", text.rsplit(_NAME, 1)[1]).strip(), True)
    innermost = chain[-1]
    lines = [line.strip() for line in _BEAM_SUFFIX.sub("", str(innermost)).splitlines() if line.strip()]
    # An exception that Beam turned into text contains a traceback; its last line names the cause.
    message = lines[-1] if lines and "Traceback" in str(innermost) else " ".join(lines)
    return Failure(f"{type(innermost).__name__}: {message}"[:500].removesuffix(": "), False)


def _chain(error: BaseException) -> list[BaseException]:
    """The chain of exceptions, from the outermost to the innermost."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or link.__context__
    return chain
