"""`caser evaluate`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from pipeline.cli.options import config_options


@click.command("evaluate", short_help="Evaluate a published model on an interaction log.")
@click.option("--model", required=True, metavar="DIR", help="DIR/serving/caser of a run, or one version.")
@click.option("--data", required=True, metavar="PATH", help="Interaction log, as for `caser run`.")
@config_options
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def evaluate_command(
    model: str, data: str, preset: str | None, config_file: Path | None, overrides: tuple[str, ...], as_json: bool
) -> None:
    """Evaluate a published model on an interaction log, without training.

    The log is split as `caser run` splits it; the model ranks the held-out items of each user by the history before
    them. With interactions that are newer than the model, split by time where its data ended.

    \b
    Examples:
      caser evaluate --model out/mine/serving/caser --data interactions.csv
      caser evaluate --model out/mine/serving/caser --data newer.csv --set split.strategy=time \\
        --set split.valid_from=2024-06-01 --set split.test_from=2024-06-01
    """
    from pipeline.client.in_process import local_version
    from pipeline.config.config import load_config
    from pipeline.console.live_display import new_console
    from pipeline.console.log_capture import silence_end_of_python, suppress_output
    from pipeline.console.run_summary import print_evaluation

    config = load_config(preset, config_file, overrides)
    try:
        with local_version(model) as version, suppress_output():
            from pipeline.local.evaluate import evaluate

            summary = evaluate(version, data, config)
    finally:
        silence_end_of_python()
    if not as_json:
        print_evaluation(new_console(sys.stdout), summary)
        return
    parts = {column.key: column.metrics for column in summary.columns()}
    others = {"intervals": summary.intervals, "counts": summary.counts, "warnings": summary.warnings}
    click.echo(json.dumps({**parts, **others}, ensure_ascii=False, indent=1))
