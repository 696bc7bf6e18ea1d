"""`caser kubeflow compile`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from components.errors import UserError
from pipeline.cli.kubeflow.options import print_payload_note
from pipeline.cli.options import config_options


@click.command("compile", short_help="Compile the pipeline for Kubeflow.")
@config_options
@click.option("--image", required=True, metavar="IMAGE", help="Container image with tfx-caser.")
@click.option(
    "--data",
    default="data/interactions.csv",
    show_default=True,
    metavar="PATH",
    help="Default of the run parameter `data`: file, directory, glob or {SPAN} pattern, relative to the volume.",
)
@click.option(
    "--cluster",
    "cluster_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="YAML file with cluster settings: volume, ML Metadata, resources, scheduling and retries.",
)
@click.option("--output", required=True, type=click.Path(path_type=Path), metavar="FILE", help="Output file.")
def compile_command(
    preset: str | None,
    config_file: Path | None,
    overrides: tuple[str, ...],
    image: str,
    data: str,
    cluster_file: Path | None,
    output: Path,
) -> None:
    """Compile the pipeline of `caser run` for Kubeflow; no cluster is needed.

    \b
    Example:
      caser kubeflow compile --preset movielens-csv --image registry/caser:1 --output pipeline.yaml
    """
    from pipeline.config.config import load_config
    from pipeline.console.log_capture import suppress_output
    from pipeline.kubeflow.compiler.cluster_settings import load_cluster
    from pipeline.kubeflow.compiler.spec_file import tasks_of, write_spec

    if not image or any(character.isspace() for character in image):
        raise UserError(f"--image should be a container image. Received: {image!r}. Hint: --image registry/caser:1")
    config, cluster = load_config(preset, config_file, overrides), load_cluster(cluster_file)
    with suppress_output():
        from pipeline.kubeflow.compiler.spec import compile_pipeline

        compiled = compile_pipeline(config, data, image, cluster)
    size = write_spec(compiled.pipeline, compiled.platform, output, compiled.nodes)
    tasks, parameters = tasks_of(compiled.pipeline).nodes, compiled.pipeline["root"]["inputDefinitions"]
    click.echo(f"{output}: {len(tasks)} tasks, {size:,} bytes; parameters: {', '.join(parameters['parameters'])}.")
    print_payload_note(output)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    click.echo(f"The image needs the same TFX: docker build -f kubeflow/Dockerfile --build-arg PYTHON={version} ...")
    click.echo(f"Next: caser kubeflow submit --host URL --pipeline {output}")
