"""`caser rollback`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipeline.cli.serving.options import rollout_options

if TYPE_CHECKING:
    from pipeline.deployment.rollout import Rollout


@click.command(short_help="Undo the last promotion of a label.")
@rollout_options
def rollback(label: str, rollout: Rollout) -> None:
    """Undo the last promotion of a label: it returns to the version that it had before.

    A label that had none is removed; without labels, servers load the newest version. If there are no labels at all,
    the label is assigned to the version before the newest.

    \b
      caser rollback --model /srv/models/caser --server grpc://host:8500
    """
    from pipeline.deployment import labels

    labels.rollback(rollout, label)
