"""The model card of a version, `assets.extra/model_card.json`, by the schema of the Model Card Toolkit (0.0.2)."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from components.baseline_validator.comparison import SERVED, Comparison
from components.evaluator.slices import SliceMetrics
from components.export.model_info import MODEL_CARD_FILE, read_model_info
from components.export.signatures import EVALUATE, SIGNATURES

_SCHEMA_VERSION = "0.0.2"
_PAPER = "https://doi.org/10.1145/3159652.3159656"
_METRICS = (
    "map",
    "mrr",
    "ndcg_at_10",
    "recall_at_10",
    "hit_rate_at_10",
    "coverage_at_10",
    "novelty_at_10",
    "gini_at_10",
)
_SLICED = ("map", "ndcg_at_10")
_SPLITS = {
    "ratio": "the last interactions of each user are held out",
    "leave_last": "the last item of each user is held out",
    "time": "all interactions after a point in time are held out",
}


class Evidence(NamedTuple):
    """What is known about a model besides its files.

    Attributes:
        metrics: metrics of what is served, by the Evaluator.
        slices: the same by segment.
        comparison: with the baselines; None: not compared.
        counts: counts of ExampleGen.
        strategy: how histories were split; "" if unknown.
    """

    metrics: Mapping[str, float] = {}
    slices: list[SliceMetrics] = []
    comparison: Comparison | None = None
    counts: Mapping[str, Any] = {}
    strategy: str = ""


def write_model_card(folder: str, evidence: Evidence) -> None:
    """Writes the card of a model whose model info is complete.

    Args:
        folder: directory of the SavedModel.
        evidence: what is known besides.
    """
    card = model_card(read_model_info(folder), evidence, datetime.datetime.now(datetime.timezone.utc).date())
    _write(card, os.path.join(folder, MODEL_CARD_FILE))


def renumber_model_card(folder: str, version: int) -> None:
    """Gives the card of a copied model, if there is one, its new version.

    Args:
        folder: directory of the SavedModel.
        version: the new version.
    """
    file = os.path.join(folder, MODEL_CARD_FILE)
    if os.path.exists(file):
        with open(file, encoding="utf-8") as stream:
            card = json.load(stream)
        card["model_details"]["version"]["name"] = str(version)
        _write(card, file)


def model_card(info: Mapping[str, Any], evidence: Evidence, date: datetime.date) -> dict[str, Any]:
    """The card as JSON.

    Args:
        info: the model info, see `components.export.model_info`.
        evidence: what is known besides.
        date: of the push.
    """
    return {
        "schema_version": _SCHEMA_VERSION,
        "model_details": _details(info, date),
        "model_parameters": {
            "model_architecture": _architecture(info),
            "data": _data(evidence),
            "input_format": _formats("inputs"),
            "output_format": _formats("outputs"),
        },
        "quantitative_analysis": {"performance_metrics": list(_performance(evidence))},
        "considerations": {
            "users": [{"description": "Teams that recommend items to users with a history of interactions."}],
            "use_cases": [{"description": "The next items for a user, given the most recent ones; similar items."}],
            "limitations": [{"description": text} for text in _limitations(info, evidence)],
            "tradeoffs": [{"description": text} for text in _tradeoffs(info)],
            "ethical_considerations": [
                {
                    "name": "Popular items are recommended more often than others, and so become more popular.",
                    "mitigation_strategy": "Watch coverage, Gini index and the metrics of rare items in the report.",
                },
                {
                    "name": "Histories are personal data, and the vocabulary of users is part of the model.",
                    "mitigation_strategy": "Use pseudonyms; `data.exclude_users` leaves users out of a training.",
                },
            ],
        },
    }


def _write(card: Mapping[str, Any], file: str) -> None:
    with open(file, "w", encoding="utf-8") as stream:
        json.dump(card, stream, indent=1, ensure_ascii=False)


def _details(info: Mapping[str, Any], date: datetime.date) -> dict[str, Any]:
    weight = info.get("rule_weight")
    rules = f" combined with sequential rules (weight {weight:g})" if weight else ""
    refit = "Trained again on all interactions; the metrics are those of the evaluated model."
    return {
        "name": "caser",
        "overview": f"Sequential recommendation with Caser{rules}: from the recent items of a user to the best "
        f"{info.get('k', 0):,} of {info.get('items', 0):,} items.",
        "documentation": "A SavedModel for TensorFlow Serving: mount the folder of its versions as /models/caser and "
        "set MODEL_NAME=caser. Inputs and outputs are strings; vocabularies are inside. "
        "Behind a server that batches, use the signature serve_tf_example.",
        "version": {
            "name": str(info.get("version", "")),
            "date": date.isoformat(),
            **({"diff": refit} if info.get("refit") else {}),
        },
        "references": [{"reference": _PAPER}],
        "citations": [
            {
                "style": "ACM",
                "citation": "Jiaxi Tang and Ke Wang. 2018. Personalized Top-N Sequential Recommendation via "
                f"Convolutional Sequence Embedding. In WSDM 2018. {_PAPER}",
            }
        ],
    }


def _architecture(info: Mapping[str, Any]) -> str:
    settings = {"L": info.get("L"), **info.get("model", {})}
    known = ", ".join(f"{name}={json.dumps(value)}" for name, value in settings.items() if value is not None)
    return f"Caser (Tang and Wang, WSDM 2018): horizontal and vertical convolutions over the last L items. {known}"


def _data(evidence: Evidence) -> list[dict[str, Any]]:
    counts = evidence.counts
    if not counts:
        return []
    size = f"{counts['interactions']:,} interactions of {counts['users']:,} users with {counts['items']:,} items"
    times = [counts.get(name) for name in ("first_time", "last_time")]
    period = f", from {times[0]} to {times[1]}" if all(times) else ""
    split = f" Split: {_SPLITS[evidence.strategy]}." if evidence.strategy else ""
    users = ", ".join(f"{name} {users:,}" for name, users in counts["split_users"].items())
    return [
        {
            "name": "interactions",
            "description": f"{size}{period}.{split} Users by split: {users}.",
            "sensitive": {"sensitive_data": ["user ids and their histories"]},
        }
    ]


def _formats(side: str) -> str:
    def tensors(signature: str) -> str:
        named = getattr(SIGNATURES[signature], side)
        return ", ".join(f"{name} ({tensor.dtype}, rank {tensor.dimensions})" for name, tensor in named.items())

    return "; ".join(f"{signature}: {tensors(signature)}" for signature in SIGNATURES if signature != EVALUATE)


def _performance(evidence: Evidence) -> Iterator[dict[str, Any]]:
    compared = evidence.comparison
    served = {**(compared.metrics.get(SERVED, {}) if compared else {}), **evidence.metrics}
    intervals = compared.intervals.get(SERVED, {}) if compared else {}
    for name in _METRICS:
        if name in served:
            low, high = intervals.get(name, (None, None))
            interval = {} if low is None else {"confidence_interval": {"lower_bound": low, "upper_bound": high}}
            yield {"type": name, "value": served[name], **interval}
    for baseline, metrics in (compared.metrics if compared else {}).items():
        if baseline != SERVED:
            yield from (
                {"type": f"{name} of {baseline.replace('_', ' ')}", "value": metrics[name]}
                for name in _SLICED
                if name in metrics
            )
    for part in evidence.slices:
        yield from (
            {"type": name, "value": part.parts[""][name], "slice": f"{part.name}: {part.value}"}
            for name in _SLICED
            if name in part.parts.get("", {})
        )


def _limitations(info: Mapping[str, Any], evidence: Evidence) -> Iterator[str]:
    yield f"Only the {info.get('items', 0):,} items of the training data are recommended; new ones need a new training."
    yield "Users without a known item in the request get popular items; unknown users share an embedding."
    if info.get("exclude_seen", True):
        yield "Items in the given history are never recommended."
    if evidence.comparison:
        held_out = evidence.comparison.held_out
        if missed := held_out.total - held_out.reachable:
            yield f"{missed:,} of {held_out.total:,} held-out items cannot be recommended and count as misses."
    if evidence.strategy in ("ratio", "leave_last"):
        yield (
            "The split is by user, so training has seen interactions of others from after a held-out one: "
            "live metrics may be lower."
        )
    yield "No features of users or items and no time gaps are used."
    yield "The metrics are offline metrics of logged choices, which former recommendations have influenced."


def _tradeoffs(info: Mapping[str, Any]) -> Iterator[str]:
    recall = info.get("index_recall")
    if recall is not None:
        yield f"An approximate index chooses the items that are scored; it finds {recall:.1%} of the exact top 100."
