"""Options shared by the commands for a cluster, and a note on node payload files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


def access_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options from which `to_access` creates an `Access`."""
    for option in reversed(
        (
            click.option("--host", required=True, metavar="URL", help="URL of the Kubeflow Pipelines API or UI."),
            click.option("--namespace", help="Namespace (multi-user deployments)."),
            click.option("--token", envvar="KUBEFLOW_TOKEN", help="Bearer token; also $KUBEFLOW_TOKEN."),
            click.option(
                "--cookies", envvar="KUBEFLOW_COOKIES", help="Such as authservice_session=...; also $KUBEFLOW_COOKIES."
            ),
            click.option("--in-cluster", is_flag=True, help="Use the service account token of this pod."),
        )
    ):
        command = option(command)
    return command


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of a run, from which `to_request` creates a `SubmitRequest`."""
    command = access_options(command)
    for option in reversed(
        (
            click.option(
                "--pipeline", required=True, type=click.Path(path_type=Path), metavar="FILE", help="Compiled pipeline."
            ),
            click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="Run parameter; repeatable."),
            click.option(
                "--experiment", default="caser", show_default=True, help="Experiment of the run in Kubeflow's UI."
            ),
            click.option("--service-account", help="Service account of the tasks (default: Kubeflow's)."),
        )
    ):
        command = option(command)
    return command


pending_option = click.option(
    "--pending-after",
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    help="After how long to show why a pod has not started.",
)


def to_access(options: dict[str, Any]) -> Any:
    """Creates the `Access` from the options of `access_options`."""
    from pipeline.kubeflow.submission.api import Access

    return Access(**{name: options[name] for name in Access._fields})


def to_request(options: dict[str, Any]) -> Any:
    """Creates the `SubmitRequest` from the options of `run_options`."""
    from pipeline.kubeflow.submission.runs import SubmitRequest

    return SubmitRequest(
        pipeline=options["pipeline"],
        access=to_access(options),
        params=options["params"],
        experiment=options["experiment"],
        service_account=options["service_account"],
    )


def print_payload_note(pipeline: Path) -> None:
    """Prints which files to copy to the volume, if the pipeline has node payload files."""
    from pipeline.kubeflow.compiler.spec_file import read_spec
    from pipeline.kubeflow.nodes.node_file import FOLDER, references

    if references(read_spec(pipeline).pipeline):
        click.echo(
            f"Copy {pipeline.parent / FOLDER} to the volume before a run (docs/kubeflow.md, Large configurations)."
        )
