"""Texts that a user reads use the terms of the field: help, errors, settings and documentation.

The console output and the report of a run are checked in `tests/e2e/test_run.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from pipeline.cli.main import main
from pipeline.config.presets import preset_names
from tests.support.documentation import PAGES, ROOT
from tests.support.wording import unusual_phrases

HEADER = "user_id,item_id,timestamp\n"
FILES = {
    "data.csv": HEADER + "a,b,1\n",
    "empty.csv": "",
    "header.csv": HEADER,
    "columns.csv": "who,what\na,b\n",
    "latin1.csv": HEADER.encode() + b"caf\xe9,b,1\n",
    "bad.parquet": b"PAR1",
    "broken.yaml": "trainer: [",
    "old.yaml": "markov: {}\ntrainer: {epochs: none}\n",
    "pipeline.yaml": "not: a pipeline\n",
    "users.jsonl": "{}\n",
}
ERRORS = [
    "run",
    "run --data absent.csv --output out",
    "run --data empty.csv --output out",
    "run --data columns.csv --output out",
    "run --data latin1.csv --output out",
    "run --data bad.parquet --output out",
    "run --data data.csv --output data.csv",
    "run --data data-{SPAN}.csv --output out",
    "run --data data.csv --sample --output out",
    "run --data data.csv --preset movielens-data --output out",
    "run --data data.csv --config broken.yaml --output out",
    "run --data data.csv --config old.yaml --output out",
    "run --data data.csv --set trainer.epochs --output out",
    "run --data data.csv --set windows.L=0 --output out",
    "run --data data.csv --set data.max_bad_row_fraction=2 --output out",
    "config --set markov.orders=2",
    "presets nothing",
    "recommend --model absent --user 1",
    "recommend --user 1",
    "recommend --server ftp://host --user 1",
    "recommend --server http://127.0.0.1:9 --timeout 1 --user 1",
    "recommend --model absent --batch users.jsonl",
    "push --model absent --to absent",
    "promote 1 --model absent --label stable",
    "rollback --model absent --label stable",
    "kubeflow compile --output pipeline.yaml",
    "kubeflow compile --preset sample --image caser:1 --cluster broken.yaml --output new.yaml",
    "kubeflow emulate --pipeline pipeline.yaml --output out",
    "kubeflow emulate --pipeline absent.yaml --output out",
    "kubeflow submit --pipeline pipeline.yaml --host http://127.0.0.1:9",
    "kubeflow schedule --pipeline pipeline.yaml --host http://127.0.0.1:9 --cron never",
]


def command_paths(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from command_paths(child, (*path, name))


@pytest.mark.parametrize("path", command_paths(main), ids=lambda path: " ".join(("caser", *path)))
def test_help_uses_common_terms(path):
    result = CliRunner().invoke(main, [*path, "--help"])
    assert result.exit_code == 0
    assert not unusual_phrases(result.output)


@pytest.mark.parametrize("arguments", ERRORS)
def test_error_uses_common_terms(arguments, tmp_path, monkeypatch):
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, arguments.split())
    assert result.exit_code == 2, result.output
    assert len(result.output.split()) > 3
    assert not unusual_phrases(result.output)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_documentation_uses_common_terms(page):
    assert not unusual_phrases(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("preset", preset_names())
def test_configuration_uses_common_terms(preset):
    result = CliRunner().invoke(main, ["config", "--preset", preset])
    assert result.exit_code == 0
    assert not unusual_phrases(result.output)


@pytest.mark.parametrize("text", ["Remedy: use\nit", "a  share\nof rows", "it mends", "has put the model in place"])
def test_unusual_phrase_is_found_in_any_layout(text):
    assert unusual_phrases(text)
