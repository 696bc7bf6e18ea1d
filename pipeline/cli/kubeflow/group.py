"""`caser kubeflow`."""

from __future__ import annotations

import click

from pipeline.cli.kubeflow.compile import compile_command
from pipeline.cli.kubeflow.emulate import emulate_command
from pipeline.cli.kubeflow.follow import follow_command
from pipeline.cli.kubeflow.schedule import schedule_command
from pipeline.cli.kubeflow.submit import submit_command


@click.group(short_help="Run the pipeline on Kubeflow Pipelines.")
def kubeflow() -> None:
    """Run the same pipeline on open-source Kubeflow Pipelines 2.x.

    \b
    Compile it:              caser kubeflow compile --image IMAGE --output pipeline.yaml
    Run it locally:          caser kubeflow emulate --pipeline pipeline.yaml --output out/emulated
    Run it on a cluster:     caser kubeflow submit --pipeline pipeline.yaml --host URL --wait
    """


for command in (compile_command, emulate_command, submit_command, follow_command, schedule_command):
    kubeflow.add_command(command)
