"""`caser recommend`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from components.errors import UserError
from pipeline.cli.serving.options import server_options

if TYPE_CHECKING:
    from pipeline.client.recommender import Recommendations, Recommender


@click.command(short_help="Ask a pushed model, or a server, for the next items of users.")
@click.option("--model", type=click.Path(path_type=Path), metavar="DIR", help="DIR/serving/caser, asked in process.")
@server_options(multiple=False)
@click.option("--label", metavar="NAME", help="The server's version with this label, such as stable.")
@click.option("--user", metavar="ID", help="A user of the data, or any other for general taste.")
@click.option("--history", default="", metavar="A,B,C", help="Recent items of the user, oldest first.")
@click.option("--exclude", default="", metavar="A,B,C", help="Items that should not be recommended either.")
@click.option("--batch", metavar="FILE", help="Many users, one JSON object a line; - reads standard input.")
@click.option("-k", "k", default=10, show_default=True, type=click.IntRange(min=1), help="How many items.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def recommend(
    model: Path | None,
    server: str | None,
    timeout: float,
    token: str | None,
    ca: str | None,
    label: str | None,
    user: str | None,
    history: str,
    exclude: str,
    batch: str | None,
    k: int,
    as_json: bool,
) -> None:
    """Ask a pushed model, or a server, for the next items of users.

    The model holds no histories: give the user's recent items, or popular items are the answer. Items of the history
    are not recommended again.

    \b
      caser recommend --model out/mine/serving/caser --user 42 --history matrix,alien
      caser recommend --server grpc://host:8500 --user 42 --history matrix,alien --json
      caser recommend --server http://host:8501 --batch users.jsonl > answers.jsonl
    A line of users.jsonl: {"user": "42", "recent": ["matrix", "alien"], "exclude": ["brazil"]}
    """
    from pipeline.client.recommender import Recommender
    from pipeline.console.log_capture import silence

    if (model is None) == (server is None):
        raise UserError("Give either --model DIR, or --server URL.")
    if (user is None) == (batch is None):
        raise UserError("Give either --user ID, or --batch FILE.")
    if server is not None:
        with silence():
            recommender = Recommender.connect(server, timeout, token, ca, label)
    else:
        assert model is not None
        recommender = Recommender.load(model)
    with recommender:
        if batch is not None:
            _answer_batch(recommender, batch, k)
            return
        found = recommender.recommend(str(user), _listed(history), _listed(exclude), k)
    if as_json:
        click.echo(json.dumps(found._asdict(), ensure_ascii=False))
    else:
        _show(found)


def _answer_batch(recommender: Recommender, batch: str, k: int) -> None:
    from pipeline.client.batch import answer_lines

    with click.open_file(batch, encoding="utf-8") as lines:
        for answer in answer_lines(recommender, lines, k, batch):
            click.echo(json.dumps(answer._asdict(), ensure_ascii=False))


def _show(found: Recommendations) -> None:
    for note in found.notes:
        click.echo(f"Note: {note}", err=True)
    width = max((len(item) for item in found.item_ids), default=0)
    for rank, (item, score) in enumerate(zip(found.item_ids, found.scores, strict=True), start=1):
        click.echo(f"{rank:>4}  {item:<{width}}  {score:>9.4f}")


def _listed(text: str) -> list[str]:
    return [item for item in (part.strip() for part in text.split(",")) if item]
