"""`caser config`."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.options import config_options


@click.command(short_help="Show all settings with values and descriptions.")
@config_options
@click.option("--markdown", is_flag=True, help="Print the reference of all settings in Markdown.")
def config(preset: str | None, config_file: Path | None, overrides: tuple[str, ...], markdown: bool) -> None:
    """Show all settings with values and descriptions.

    The output is YAML for `caser run --config`:

    \b
      caser config --preset movielens-dat > mine.yaml
    """
    from pipeline.config.annotated_yaml import annotated_yaml
    from pipeline.config.config import load_config
    from pipeline.config.reference import reference_page

    text = reference_page() if markdown else annotated_yaml(load_config(preset, config_file, overrides))
    click.echo(text, nl=False)
