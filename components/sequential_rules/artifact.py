"""The output of the node: the rules, and how they were chosen."""

from __future__ import annotations

import os

from tfx import types
from tfx.dsl.io import fileio

from components.ranking.choice import Choice
from components.sequential_rules.tables import RuleTables, read_tables, write_tables

SUMMARY_FILE, TABLES_FILE = "sequential_rules.json", "sequential_rules.npz"


class SequentialRulesArtifact(types.Artifact):
    """Artifact with `sequential_rules.json` and, unless the rules were skipped, `sequential_rules.npz`."""

    TYPE_NAME = "SequentialRules"


def write_rules(uri: str, choice: Choice, tables: RuleTables | None) -> None:
    """Writes both files.

    Args:
        uri: URI of the artifact.
        choice: how the rules were made.
        tables: the rules; None if they were skipped.
    """
    if tables is not None:
        write_tables(tables, os.path.join(uri, TABLES_FILE))
    choice.write(os.path.join(uri, SUMMARY_FILE))


def read_rules(uri: str) -> RuleTables | None:
    """Reads the rules; None if they were skipped.

    Args:
        uri: URI of the artifact.
    """
    path = os.path.join(uri, TABLES_FILE)
    return read_tables(path) if fileio.exists(path) else None


def read_choice(uri: str) -> Choice:
    """Reads how the rules were made.

    Args:
        uri: URI of the artifact.
    """
    return Choice.read(os.path.join(uri, SUMMARY_FILE))
