"""`caser recommend`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from components.errors import UserError
from pipeline.cli.options import config_options, items_option
from pipeline.cli.serving.options import ServerOptions, server_options

if TYPE_CHECKING:
    from pipeline.client.recommender import Recommendations, Recommender


@click.command(short_help="Recommend next items to users.")
@click.option("--model", metavar="DIR", help="DIR/serving/caser, served in process.")
@server_options(multiple=False)
@click.option("--label", metavar="NAME", help="Version label on the server (default: stable where the server has it).")
@click.option("--user", metavar="ID", help="User ID; unknown users get non-personalized recommendations.")
@click.option("--history", default="", metavar="A,B,C", help="Recent items of the user, oldest first.")
@click.option("--exclude", default="", metavar="A,B,C", help="Additional items to exclude.")
@click.option("--among", metavar="A,B,C", help="The only items that may be recommended, such as those in stock.")
@click.option(
    "--where",
    "conditions",
    multiple=True,
    metavar="COLUMN=VALUE",
    help="Only items with this value in a column of data.items, or of --items; repeatable.",
)
@items_option
@click.option("--batch", metavar="FILE", help="Many users, one JSON object per line; - reads standard input.")
@click.option("--all-users", is_flag=True, help="Recommend to all users of the run, or of --data, on Beam.")
@click.option("--users", type=click.Path(path_type=Path), metavar="FILE", help="Like --all-users, for these IDs only.")
@click.option("--data", metavar="PATH", help="With --all-users: interaction log with the histories.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="With --all-users: file to write, .parquet or .jsonl.",
)
@click.option("--beam-arg", "beam_args", multiple=True, metavar="ARG", help="With --all-users: Beam option.")
@config_options
@click.option("-k", "k", default=10, show_default=True, type=click.IntRange(min=1), help="Number of recommendations.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def recommend(
    model: str | None,
    servers: ServerOptions,
    label: str | None,
    user: str | None,
    history: str,
    exclude: str,
    among: str | None,
    conditions: tuple[str, ...],
    items: str | None,
    batch: str | None,
    all_users: bool,
    users: Path | None,
    data: str | None,
    output: Path | None,
    beam_args: tuple[str, ...],
    preset: str | None,
    config_file: Path | None,
    overrides: tuple[str, ...],
    k: int,
    as_json: bool,
) -> None:
    """Recommend next items to users, with a published model or a server.

    The model is stateless: pass the user's recent items with --history; without them it returns popular items. Items
    of the history are not recommended again.

    \b
      caser recommend --model out/mine/serving/caser --user 42 --history matrix,alien
      caser recommend --model out/mine/serving/caser --user 42 --history matrix,alien --where genres=Drama
      caser recommend --server grpc://host:8500 --user 42 --history matrix,alien --json
      caser recommend --server http://host:8501 --batch users.jsonl > recommendations.jsonl
      caser recommend --model out/mine/serving/caser --all-users --output recommendations.parquet
    A line of users.jsonl: {"user": "42", "recent": ["matrix", "alien"], "exclude": ["brazil"]}
    """
    for_all = all_users or users is not None
    if [user is not None, batch is not None, for_all].count(True) != 1:
        raise UserError("Pass one of --user ID, --batch FILE, --all-users and --users FILE.")
    from pipeline.client.items import parse_condition

    if for_all:
        if conditions or items:
            raise UserError("--where and --items are for --user.")
        if model is None or output is None:
            raise UserError("--all-users and --users need --model DIR and --output FILE.")
        from pipeline.cli.batch import recommend_for_all_users
        from pipeline.client.in_process import local_version
        from pipeline.config.config import load_config
        from pipeline.local.batch_request import BatchRequest

        config = load_config(preset, config_file, overrides)
        with local_version(model) as version:
            recommend_for_all_users(BatchRequest(version.absolute(), data, config, users, output, k, beam_args))
        return
    if conditions and batch is not None:
        raise UserError("--where is for --user. Hint: name the items of each user as `among` in the lines of --batch.")
    if data is not None or output is not None or beam_args:
        raise UserError("--data, --output and --beam-arg are for --all-users or --users.")
    wanted = [parse_condition(text) for text in conditions]
    with recommender_of(model, servers, label, items) as recommender:
        if batch is not None:
            _recommend_batch(recommender, batch, k)
            return
        recommendations = recommender.recommend(
            str(user), _ids(history), _ids(exclude), k, _candidates(recommender, among, wanted)
        )
    if as_json:
        click.echo(json.dumps(recommendations._asdict(), ensure_ascii=False))
        return
    _print(recommendations)
    if (among or conditions) and not recommendations.item_ids:
        click.echo("Note: all candidates are unknown to the model, in the history, or excluded.", err=True)


def recommender_of(
    model: str | None, servers: ServerOptions, label: str | None, items: str | None = None
) -> Recommender:
    """The client that `--model` or `--server` names.

    Raises:
        UserError: neither or both are given, or the file of `--items` cannot be used.
    """
    if (model is None) == (not servers.urls):
        raise UserError("Pass either --model DIR or --server URL.")
    from pipeline.client.recommender import Recommender
    from pipeline.console.log_capture import suppress_output

    if model is not None:
        return Recommender.load(model, items)
    with suppress_output():
        return Recommender.connect(servers.urls[0], servers.timeout, servers.token, servers.ca, label, items)


def _recommend_batch(recommender: Recommender, batch: str, k: int) -> None:
    from pipeline.client.batch import read_lines, recommend_lines

    for recommendations in recommend_lines(recommender, read_lines(batch), k, batch):
        click.echo(json.dumps(recommendations._asdict(), ensure_ascii=False))


def _print(recommendations: Recommendations) -> None:
    for note in recommendations.notes:
        click.echo(f"Note: {note}", err=True)
    print_items(recommendations.item_ids, recommendations.scores, recommendations.titles)


def print_items(items: Sequence[str], scores: Sequence[float], titles: Sequence[str]) -> None:
    """Prints a ranked list; titles are empty if none are known."""
    width = max((len(item) for item in items), default=0)
    for rank, (item, score, title) in enumerate(zip(items, scores, titles or [""] * len(items), strict=True), start=1):
        # Adding 0 turns -0.0, to which a small negative score is rounded, into 0.0.
        click.echo(f"{rank:>4}  {item:<{width}}  {round(score, 4) + 0.0:>9.4f}  {title}".rstrip())


def _candidates(recommender: Recommender, among: str | None, conditions: Sequence[tuple[str, str]]) -> list[str] | None:
    """The only items that may be recommended; None: all."""
    candidates = None if among is None else _ids(among)
    if not conditions:
        return candidates
    if recommender.items is None:
        raise UserError(
            "--where needs columns of items, and this model was pushed without. "
            "Hint: pass --items FILE, or set data.items and run again."
        )
    found = recommender.items.where(conditions)
    if candidates is None:
        return found
    both = sorted({*found}.intersection(candidates))
    if not both:
        raise UserError("No item of --among meets --where.")
    return both


def _ids(text: str) -> list[str]:
    return text.split(",")
