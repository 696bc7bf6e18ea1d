"""`caser evaluate`: an exported model on a log, without training."""

from __future__ import annotations

import json
from pathlib import Path

import tensorflow as tf

from components.baseline_validator.comparison import CASER, POPULARITY, RULES, SERVED, RunningComparison
from components.baseline_validator.executor import count_held_out, model_ranker, popularity_of
from components.errors import UserError
from components.example_gen.counts import COUNTS_FILE
from components.example_gen.raw_examples import read_split
from components.export.model_info import read_blocklist, read_model_info, vocabulary_file
from components.features import ITEM_VOCABULARY, TRAIN
from components.ranking.ranks import users_per_batch
from components.ranking.recommendable import Recommendable
from components.transform.encoded_users import EncodedUsers
from components.transform.vocabulary import Vocabulary
from pipeline.config.config import Config
from pipeline.local.read_log import examples_of
from pipeline.results.summary import RunSummary
from pipeline.results.warnings import warnings

_REFIT = (
    "this model was refitted on all interactions of its log; if these are among them, it has seen what it is asked, "
    "and its metrics are too good"
)


def evaluate(model_dir: Path, data: str, config: Config) -> RunSummary:
    """Ranks the held-out items of a log by a model.

    Args:
        model_dir: directory of a version.
        data: interaction log; its train split is the history of users, the evaluated split what they are asked.
        config: how the log is read and split.

    Returns:
        Metrics with intervals, and counts.

    Raises:
        UserError: the log or the model cannot be used.
    """
    info = read_model_info(str(model_dir))
    if "items" not in info:
        raise UserError(f"{model_dir} is no model of this project. Hint: pass DIR/serving/caser of a run.")
    items = Vocabulary(vocabulary_file(str(model_dir), ITEM_VOCABULARY), info["items"])
    blocked = items.ids(tf.constant(read_blocklist(str(model_dir)), tf.string)).numpy()
    recommendable = Recommendable(info.get("exclude_seen", True), blocked if len(blocked) else None)
    with examples_of(data, config, complete=False) as folder:
        counts = json.loads((Path(folder) / COUNTS_FILE).read_text(encoding="utf-8"))
        train = EncodedUsers(read_split(f"{folder}/Split-{TRAIN}"), items)
        running = RunningComparison(items.size, config.evaluator, popularity_of(train, items.size))
        rank = model_ranker(str(model_dir), with_rules=info["rule_weight"] > 0)
        for serialized in read_split(f"{folder}/Split-{config.split.evaluated}").batch(users_per_batch(items.size)):
            running.add(rank(serialized), count_held_out(serialized, items, recommendable))
    compared = running.result()
    if not compared.metrics:
        raise UserError(
            f"{data}: no held-out item can be recommended by this model. Hint: is it of the same catalogue?"
        )
    held_out = {**compared.held_out._asdict(), "reachable": compared.held_out.reachable}
    return RunSummary(
        test=compared.metrics[SERVED],
        caser=compared.metrics[CASER],
        sequential_rules=compared.metrics.get(RULES),
        popularity=compared.metrics[POPULARITY],
        intervals=compared.intervals,
        rule_weight=info["rule_weight"],
        counts={**counts, "evaluated_users": compared.users, "held_out": held_out},
        blessed=compared.blessed,
        blessing_reason=compared.reason,
        warnings=[*warnings(config, counts, compared), *([_REFIT] if info.get("refit") else [])],
        seconds={},
        states={},
    )
