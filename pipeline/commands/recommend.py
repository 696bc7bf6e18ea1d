"""`caser recommend`."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(short_help="Ask a pushed model for the next items of a user.")
@click.option("--model", required=True, type=click.Path(path_type=Path), metavar="DIR", help="DIR/serving/caser.")
@click.option("--user", required=True, metavar="ID", help="A user of the data, or any other for general taste.")
@click.option("--history", default="", metavar="A,B,C", help="Recent items of the user, oldest first.")
@click.option("-k", "k", default=10, show_default=True, type=click.IntRange(min=1), help="How many items.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def recommend(model: Path, user: str, history: str, k: int, as_json: bool) -> None:
    """Ask the newest version of a pushed model for the next items of a user.

    The model holds no histories: give the user's recent items, or popular items are the answer. Items of the history
    are not recommended again.
    """
    from pipeline.recommend import recommend as answer

    recent = [item for item in (part.strip() for part in history.split(",")) if item]
    found = answer(model, user, recent, k)
    if as_json:
        click.echo(json.dumps(found._asdict(), ensure_ascii=False))
        return
    for note in found.notes:
        click.echo(f"Note: {note}", err=True)
    width = max((len(item) for item in found.item_ids), default=0)
    for rank, (item, score) in enumerate(zip(found.item_ids, found.scores, strict=True), start=1):
        click.echo(f"{rank:>4}  {item:<{width}}  {score:>9.4f}")
