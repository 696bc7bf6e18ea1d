"""The output of the node: the rules, and how they were chosen."""

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple

from tfx import types
from tfx.dsl.io import fileio
from tfx.utils import io_utils

from components.sequential_rules.tables import RuleTables, read_tables, write_tables

SUMMARY_FILE, TABLES_FILE = "sequential_rules.json", "sequential_rules.npz"


class SequentialRulesArtifact(types.Artifact):
    """Artifact with `sequential_rules.json` and, unless the rules were skipped, `sequential_rules.npz`."""

    TYPE_NAME = "SequentialRules"


class RulesSummary(NamedTuple):
    """How the rules were made.

    Attributes:
        note: why the rules were skipped; "" if they were not.
        settings: the chosen parameters by name.
        valid: metric on the valid split of each candidate; empty if there was no choice.
    """

    note: str = ""
    settings: dict[str, Any] = {}
    valid: list[float] = []


def write_rules(uri: str, summary: RulesSummary, tables: RuleTables | None) -> None:
    """Writes both files.

    Args:
        uri: URI of the artifact.
        summary: how the rules were made.
        tables: the rules; None if they were skipped.
    """
    if tables is not None:
        write_tables(tables, os.path.join(uri, TABLES_FILE))
    io_utils.write_string_file(os.path.join(uri, SUMMARY_FILE), json.dumps(summary._asdict(), indent=1))


def read_rules(uri: str) -> RuleTables | None:
    """Reads the rules; None if they were skipped.

    Args:
        uri: URI of the artifact.
    """
    path = os.path.join(uri, TABLES_FILE)
    return read_tables(path) if fileio.exists(path) else None


def read_summary(uri: str) -> RulesSummary:
    """Reads how the rules were made.

    Args:
        uri: URI of the artifact.
    """
    return RulesSummary(**json.loads(io_utils.read_string_file(os.path.join(uri, SUMMARY_FILE))))
