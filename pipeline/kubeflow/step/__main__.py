"""Command line of a pod."""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import Any

import click

from components.errors import UserError
from pipeline.console.root_cause import failure_of
from pipeline.kubeflow.nodes.node_file import read_node
from pipeline.kubeflow.nodes.node_ir import decode, only_node
from pipeline.kubeflow.step.run_step import Request, run_step

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
def main(**arguments: Any) -> None:
    """Runs one node of the pipeline; see the module."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True)
    request = Request(**arguments)
    try:
        state = run_step(request)
    except Exception as error:
        failure = failure_of(error)
        if not failure.is_user_error:
            _log.exception("the node failed")
        sys.stdout.flush()
        # One line, and the last: what `kubectl logs --tail 1` and Kubeflow's UI show.
        print(f"Error: {_name(request)}: {' '.join(failure.text.split())}", file=sys.stderr, flush=True)
        sys.exit(1)
    click.echo(f"{_name(request)}: {state}")


def _name(request: Request) -> str:
    with contextlib.suppress(UserError):
        return only_node(decode(read_node(request.node, request.volume))).node_info.id
    return "step"


if __name__ == "__main__":
    main()
