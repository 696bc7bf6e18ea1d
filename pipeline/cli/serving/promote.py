"""`caser promote`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipeline.cli.serving.options import rollout_options

if TYPE_CHECKING:
    from pipeline.deployment.rollout import Rollout


@click.command(short_help="Assign a label (stable, canary) to a version.")
@click.argument("version", type=click.IntRange(min=0))
@rollout_options
def promote(version: int, label: str, rollout: Rollout) -> None:
    """Assign a label to a version in models.config and on running servers.

    All servers load the version first; then the label moves. Servers given by --server are reloaded at once; the others
    read models.config again. Once there are labels, servers load labelled versions only, and no longer the newest one.
    If a step fails, or on Ctrl-C, models.config and the servers are restored.

    \b
      caser promote 1767225600 --model /srv/models/caser --label canary --server grpc://host:8500
    """
    from pipeline.deployment import labels

    labels.promote(rollout, version, label)
