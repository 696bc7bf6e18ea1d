"""What the commands around a cluster share: options, and a word on files that must be there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds what a run needs; `pipeline.kubeflow.submission.runs.Request` is made of it by `to_request`."""
    for option in reversed(
        (
            click.option("--pipeline", required=True, type=click.Path(path_type=Path), metavar="FILE"),
            click.option("--host", required=True, metavar="URL", help="Of Kubeflow Pipelines' API or UI."),
            click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="A run parameter; repeatable."),
            click.option("--experiment", default="caser", show_default=True, help="Groups runs in Kubeflow's UI."),
            click.option("--namespace", help="Yours, where Kubeflow has several users."),
            click.option("--service-account", help="Of the tasks; Kubeflow's own by default."),
            click.option("--token", envvar="KUBEFLOW_TOKEN", help="Bearer token; also $KUBEFLOW_TOKEN."),
            click.option(
                "--cookies", envvar="KUBEFLOW_COOKIES", help="Such as authservice_session=...; also by variable."
            ),
            click.option("--in-cluster", is_flag=True, help="Use the token of this pod's service account."),
        )
    ):
        command = option(command)
    return command


def to_request(options: dict[str, Any]) -> Any:
    """The request that the options of `run_options` make."""
    from pipeline.kubeflow.submission.api import Access
    from pipeline.kubeflow.submission.runs import Request

    access = Access(options["host"], options["namespace"], options["token"], options["cookies"], options["in_cluster"])
    return Request(options["pipeline"], access, options["params"], options["experiment"], options["service_account"])


def tell_of_node_files(pipeline: Path) -> None:
    """Says what has to be on the volume, where nodes of a compiled pipeline are files."""
    from pipeline.kubeflow.compiler.spec_file import read_spec
    from pipeline.kubeflow.nodes.node_file import FOLDER, references

    if references(read_spec(pipeline).pipeline):
        click.echo(f"Copy {pipeline.parent / FOLDER} to the volume before a run (kubeflow/README.md, Long settings).")
