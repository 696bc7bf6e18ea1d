"""Says why a node failed from the user's view, whatever TFX and Beam wrapped around the cause."""

from __future__ import annotations

import re
from typing import NamedTuple

from components.errors import UserError

_NAME = f"{UserError.__module__}.{UserError.__qualname__}: "
# Beam appends the step's name, and formats the cause as text where it crossed a worker.
_BEAM_SUFFIX = re.compile(r"\s*\[while running .*", re.DOTALL)


class Failure(NamedTuple):
    """The cause: `text`, and whether a `UserError` says it, so that it needs no stack trace."""

    text: str
    is_user_error: bool


def failure_of(error: BaseException) -> Failure:
    """Finds the cause.

    Args:
        error: what a runner raised.

    Returns:
        The text of a UserError, wherever it is in the chain or in the text of another exception; else type and message
        of the innermost exception, in one line.
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
    # An exception that Beam turned to text holds a whole trace; its last line names the cause.
    message = lines[-1] if lines and "Traceback" in str(innermost) else " ".join(lines)
    return Failure(f"{type(innermost).__name__}: {message}"[:500].removesuffix(": "), False)


def _chain(error: BaseException) -> list[BaseException]:
    """From the outermost to the innermost."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or link.__context__
    return chain
