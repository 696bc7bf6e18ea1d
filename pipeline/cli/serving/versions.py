"""`caser versions`."""

from __future__ import annotations

import os

import click

from pipeline.cli.serving.options import connections, server_options


@click.command(short_help="List the versions of a pushed model.")
@click.option("--model", "model_dir", required=True, metavar="DIR", help="The folder of versions.")
@server_options(multiple=False)
def versions(model_dir: str, server: str | None, timeout: float, token: str | None, ca: str | None) -> None:
    """List the versions of a pushed model: what they are, their labels and, with --server, their state there."""
    from components.export.model_info import read_model_info
    from components.pusher.models_config import config_path, read_labels
    from components.pusher.version_dirs import versions as present
    from pipeline.client.connect import connect
    from pipeline.console.log_capture import silence

    states = {}
    if server:
        with silence():
            transport = connect(*connections((server,), timeout, token, ca))
        states = {status.version: f"{status.state} {status.error}".strip() for status in transport.statuses()}
    labels = read_labels(config_path(model_dir))
    found = sorted({*present(model_dir), *states})
    for version in found:
        facts = read_model_info(os.path.join(model_dir, str(version)))
        score = facts.get("metrics", {}).get("map")
        parts = [
            f"{version:<12}",
            f"{facts['items']:,} items" if "items" in facts else "",
            f"map {score:.4f}" if score is not None else "",
            ", ".join(sorted(label for label, labelled in labels.items() if labelled == version)),
            states.get(version, "not on the server") if server else "",
        ]
        click.echo("  ".join(part for part in parts if part))
    if not found:
        click.echo(f"There is no version in {model_dir}.")
