"""Options shared by several commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


def config_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--preset`, `--config` and `--set`, passed as `preset`, `config_file` and `overrides`."""
    for option in (
        click.option(
            "--set",
            "overrides",
            multiple=True,
            metavar="KEY=VALUE",
            help="Set one value, such as trainer.epochs=5; repeatable. Overrides --config.",
        ),
        click.option(
            "--config",
            "config_file",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="YAML file with settings; overrides --preset. See `caser config`.",
        ),
        click.option("--preset", metavar="NAME", help="Settings for a well-known data set. See `caser presets`."),
    ):
        command = option(command)
    return command


def items_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--items`."""
    option = click.option(
        "--items",
        metavar="FILE",
        help="CSV or Parquet with titles and other columns of items (default: those pushed with --model).",
    )
    return option(command)
