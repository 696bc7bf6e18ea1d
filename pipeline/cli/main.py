"""The console command `caser`."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from components.errors import UserError
from pipeline.cli.config import config
from pipeline.cli.doctor import doctor
from pipeline.cli.evaluate import evaluate_command
from pipeline.cli.kubeflow.group import kubeflow
from pipeline.cli.presets import presets
from pipeline.cli.recommend import recommend
from pipeline.cli.run import run
from pipeline.cli.runs import runs
from pipeline.cli.sample import sample
from pipeline.cli.serving.promote import promote
from pipeline.cli.serving.push import push
from pipeline.cli.serving.rollback import rollback
from pipeline.cli.serving.versions import versions
from pipeline.cli.similar import similar
from pipeline.cli.tune import tune

BAD_REQUEST, INTERRUPTED = 2, 130


class _Group(click.Group):
    """Prints a `UserError` as one message, and Ctrl-C as one line."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().main(*args, **kwargs)
        except SystemExit as end:
            # With this package, Python's end is an abort by one of its threads.
            if "tensorflow_io" in sys.modules:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(end.code if isinstance(end.code, int) else 0)
            raise

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except UserError as error:
            click.secho("Error: ", err=True, nl=False, fg="red")
            click.echo(str(error), err=True)
            context.exit(BAD_REQUEST)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            context.exit(INTERRUPTED)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="tfx-caser", prog_name="caser")
def main() -> None:
    """Sequential recommendation with Caser on TFX: from an interaction log to a served model.

    \b
    Run the built-in sample:   caser run --sample --output out/sample
    Use your own data:         caser run --data interactions.csv --output out/mine
    """


for command in (
    run,
    tune,
    runs,
    evaluate_command,
    recommend,
    similar,
    push,
    versions,
    promote,
    rollback,
    kubeflow,
    config,
    presets,
    sample,
    doctor,
):
    main.add_command(command)
