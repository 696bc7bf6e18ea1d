"""`caser versions`."""

from __future__ import annotations

import os

import click

from components.errors import UserError
from pipeline.cli.serving.options import ServerOptions, server_options


@click.command(short_help="List the versions of a published model.")
@click.option("--model", "model_dir", required=True, metavar="DIR", help="Directory of the versions.")
@server_options(multiple=False)
def versions(model_dir: str, servers: ServerOptions) -> None:
    """List the versions of a published model with their metrics and labels and, with --server, their state."""
    from components.export.model_info import read_model_info
    from components.pusher import version_dirs
    from components.pusher.models_config import config_path, read_labels
    from pipeline.client.connect import connect
    from pipeline.console.log_capture import suppress_output

    if not (servers.urls or os.path.isdir(model_dir)):
        raise UserError(f"There is no directory {model_dir}. Hint: pass DIR/serving/caser of a run.")
    states = {}
    for connection in servers.connections():
        with suppress_output():
            transport = connect(connection)
        states = {status.version: f"{status.state} {status.error}".strip() for status in transport.statuses()}
    labels = read_labels(config_path(model_dir))
    folders = version_dirs.version_folders(model_dir)
    listed = sorted({*folders, *states})
    for version in listed:
        folder = folders.get(version, "")
        info = read_model_info(folder) if folder else {}
        score = info.get("metrics", {}).get("map")
        parts = [
            f"{version:<12}",
            f"{info['items']:,} items" if "items" in info else "",
            f"map {score:.4f}" if score is not None else "",
            ", ".join(sorted(label for label, labelled in labels.items() if labelled == version)),
            "incomplete" if folder and not version_dirs.is_complete(folder) else "",
            states.get(version, "not on the server") if servers.urls else "",
        ]
        click.echo("  ".join(part for part in parts if part))
    if not listed:
        click.echo(f"No versions in {model_dir}.")
