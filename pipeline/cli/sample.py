"""`caser sample`."""

from __future__ import annotations

from pathlib import Path

import click

from components.errors import UserError


@click.command(short_help="Write the built-in sample as CSV.")
@click.option("--output", required=True, type=click.Path(path_type=Path), metavar="FILE", help="Output file.")
@click.option("--seed", default=None, type=click.IntRange(min=0), help="Random seed.")
def sample(output: Path, seed: int | None) -> None:
    """Write the built-in sample as CSV: generated listeners with planted sequential patterns."""
    from pipeline.sample.generator import HEADER, SEED, generate, write_csv

    generated = generate(SEED if seed is None else seed)
    try:
        write_csv(generated, output)
    except OSError as error:
        raise UserError(f"Cannot write {output}: {error.strerror}. Hint: check --output.") from None
    rows = sum(map(len, generated.histories))
    click.echo(f"{output}: {rows:,} rows of {len(generated.histories):,} listeners ({HEADER}).")
    click.echo(f"Next: caser run --data {output} --preset sample --output out/sample")
