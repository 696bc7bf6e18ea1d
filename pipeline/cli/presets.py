"""`caser presets`."""

from __future__ import annotations

import click


@click.command(short_help="List the presets, or show one.")
@click.argument("name", required=False)
def presets(name: str | None) -> None:
    """List the presets, or show the settings of one."""
    from pipeline.config.presets import preset_names, preset_text

    if name is not None:
        click.echo(preset_text(name), nl=False)
        return
    width = max(map(len, preset_names()))
    for known in preset_names():
        purpose = preset_text(known).splitlines()[0].removeprefix("# Purpose: ")
        click.echo(f"{known:<{width}}  {purpose}")
