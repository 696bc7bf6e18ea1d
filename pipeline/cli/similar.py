"""`caser similar`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from pipeline.cli.options import items_option
from pipeline.cli.recommend import print_items, recommender_of
from pipeline.cli.serving.options import ServerOptions, server_options

if TYPE_CHECKING:
    from pipeline.client.recommender import Similar


@click.command(short_help="List similar items, and items that often follow.")
@click.argument("item", metavar="ITEM")
@click.option("--model", metavar="DIR", help="DIR/serving/caser, served in process.")
@server_options(multiple=False)
@click.option("--label", metavar="NAME", help="Version label on the server (default: stable where the server has it).")
@items_option
@click.option("-k", "k", default=10, show_default=True, type=click.IntRange(min=1), help="Number of items.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def similar(
    item: str, model: str | None, servers: ServerOptions, label: str | None, items: str | None, k: int, as_json: bool
) -> None:
    """List the items that are similar to ITEM by the model, and those that often follow it by the sequential rules.

    \b
    Examples:
      caser similar matrix --model out/mine/serving/caser
      caser similar matrix --server http://host:8501 -k 5 --json
    """
    with recommender_of(model, servers, label, items) as recommender:
        answer: Similar = recommender.similar(item, k)
    if as_json:
        click.echo(json.dumps(answer._asdict(), ensure_ascii=False))
        return
    click.echo("similar:")
    print_items(answer.item_ids, answer.scores, answer.titles)
    if answer.following_item_ids:
        click.echo("often next:")
        print_items(answer.following_item_ids, answer.following_scores, answer.following_titles)
