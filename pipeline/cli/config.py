"""`caser config`."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.options import config_options


@click.command(short_help="Show every setting, its value and what it means.")
@config_options
def config(preset: str | None, config_file: Path | None, overrides: tuple[str, ...]) -> None:
    """Show every setting, its value and what it means.

    What is printed is YAML that `caser run --config` reads:

    \b
      caser config --preset movielens-dat > mine.yaml
    """
    from pipeline.config.annotated_yaml import described
    from pipeline.config.config import load_config

    click.echo(described(load_config(preset, config_file, overrides)), nl=False)
