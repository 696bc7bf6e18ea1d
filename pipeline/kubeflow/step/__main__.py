"""Entry point of a pod: `python -m pipeline.kubeflow.step`."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from typing import Any

import click

from components.errors import UserError
from pipeline.console.root_cause import root_cause
from pipeline.kubeflow.nodes.node_file import read_node
from pipeline.kubeflow.nodes.node_ir import decode, only_node
from pipeline.kubeflow.step.run_step import StepArguments, run_step

_log = logging.getLogger(__name__)


@click.command()
@click.option("--node", required=True)
@click.option("--run-id", required=True)
@click.option("--metadata", required=True)
@click.option("--metadata-timeout", required=True, type=int)
@click.option("--volume", required=True)
@click.option("--artifacts", required=True)
@click.option("--data")
@click.option("--epochs")
@click.option("--push")
@click.option("--report")
@click.option("--executor-input")
@click.option("--evaluator")
def main(**options: Any) -> None:
    """Run one node of the pipeline."""
    # The umask of a pod is 0; what a step writes, the served model among it, is for its user and group only.
    os.umask(0o002)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True)
    arguments = StepArguments(**options)
    try:
        state = run_step(arguments)
    except Exception as error:
        failure = root_cause(error)
        if not failure.is_user_error:
            _log.exception("the node failed")
        sys.stdout.flush()
        # A single last line, which `kubectl logs --tail 1` and Kubeflow's UI show.
        print(f"Error: {_node_id(arguments)}: {' '.join(failure.text.split())}", file=sys.stderr, flush=True)
        sys.exit(1)
    click.echo(f"{_node_id(arguments)}: {state}")


def _node_id(arguments: StepArguments) -> str:
    with contextlib.suppress(UserError):
        return only_node(decode(read_node(arguments.node, arguments.volume))).node_info.id
    return "step"


if __name__ == "__main__":
    main()
