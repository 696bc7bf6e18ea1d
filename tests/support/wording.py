"""Phrases that no reader of the documentation of TFX, Keras or RecTools would search for."""

from __future__ import annotations

import re

PHRASES = re.compile(
    r"Remedy:|\bmend(s|ed)?\b|\bmet before|\bhad met\b|\btastes?\b|\byardstick|\bbrings (the|what)\b|\bin place\b"
    r"|\bputs a blessed\b|\bmakes vocabularies\b|\bitems that go in\b|\bshare of\b|\btaken back\b|\bclosing table\b"
    r"|\beverything is in order\b",
    re.IGNORECASE,
)


def unusual_phrases(text: str) -> list[str]:
    """The phrases of `PHRASES` in a text, whatever its line breaks."""
    return [match.group() for match in PHRASES.finditer(" ".join(text.split()))]
