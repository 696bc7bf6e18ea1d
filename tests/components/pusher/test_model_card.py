"""The model card of a version."""

import datetime
import json

import pytest

from components.baseline_validator.comparison import Comparison, HeldOutItems
from components.evaluator.slices import SliceMetrics
from components.export.model_info import write_model_info
from components.pusher.model_card import Evidence, model_card, renumber_model_card, write_model_card

INFO = {
    "items": 3416,
    "users": 6040,
    "L": 5,
    "k": 100,
    "version": 1795000000,
    "rule_weight": 1.5,
    "exclude_seen": True,
    "index_recall": 0.985,
    "model": {"d": 100, "heights": [1, 2], "l2": None},
    "refit": True,
}
DATE = datetime.date(2026, 11, 27)
COUNTS = {
    "interactions": 1000,
    "users": 50,
    "items": 20,
    "first_time": "2024-01-01T00:00:00Z",
    "last_time": "2024-12-31T00:00:00Z",
    "split_users": {"train": 50, "test": 40},
}


def evidence():
    metrics = {"test": {"map": 0.2, "ndcg_at_10": 0.3}, "sequential_rules": {"map": 0.1, "ndcg_at_10": 0.15}}
    intervals = {"test": {"map": [0.19, 0.21]}}
    comparison = Comparison(True, "", "sequential_rules", 40, metrics, intervals, {}, HeldOutItems(40, 3, 2))
    slices = [SliceMetrics("history length", "6 to 20", {"": {"map": 0.25, "mrr": 0.3}, "caser_": {"map": 0.2}})]
    return Evidence({"map": 0.2, "ndcg_at_10": 0.3, "mrr": 0.4}, slices, comparison, COUNTS, "leave_last")


# As far as this project uses it: https://github.com/tensorflow/model-card-toolkit, schema 0.0.2.
TEXT, NUMBER = str, (int, float)
SCHEMA = {
    "schema_version": TEXT,
    "model_details": {
        **dict.fromkeys(("name", "overview", "documentation"), TEXT),
        "version": {"name": TEXT, "date": TEXT, "diff": TEXT},
        "references": [{"reference": TEXT}],
        "citations": [{"style": TEXT, "citation": TEXT}],
    },
    "model_parameters": {
        **dict.fromkeys(("model_architecture", "input_format", "output_format"), TEXT),
        "data": [{"name": TEXT, "description": TEXT, "sensitive": {"sensitive_data": [TEXT]}}],
    },
    "quantitative_analysis": {
        "performance_metrics": [
            {
                "type": TEXT,
                "value": NUMBER,
                "slice": TEXT,
                "confidence_interval": {"lower_bound": NUMBER, "upper_bound": NUMBER},
            }
        ]
    },
    "considerations": {
        **{key: [{"description": TEXT}] for key in ("users", "use_cases", "limitations", "tradeoffs")},
        "ethical_considerations": [{"name": TEXT, "mitigation_strategy": TEXT}],
    },
}


def check(value, schema):
    if isinstance(schema, dict):
        assert isinstance(value, dict)
        assert value.keys() <= schema.keys()
        for key, part in value.items():
            check(part, schema[key])
    elif isinstance(schema, list):
        assert isinstance(value, list)
        for part in value:
            check(part, schema[0])
    else:
        assert isinstance(value, schema)


@pytest.mark.parametrize(("info", "known"), [(INFO, evidence()), ({}, Evidence())])
def test_card_follows_the_schema_whatever_is_known(info, known):
    check(json.loads(json.dumps(model_card(info, known, DATE))), SCHEMA)


def test_card_has_metrics_with_intervals_baselines_and_slices():
    assert model_card(INFO, evidence(), DATE)["quantitative_analysis"]["performance_metrics"] == [
        {"type": "map", "value": 0.2, "confidence_interval": {"lower_bound": 0.19, "upper_bound": 0.21}},
        {"type": "mrr", "value": 0.4},
        {"type": "ndcg_at_10", "value": 0.3},
        {"type": "map of sequential rules", "value": 0.1},
        {"type": "ndcg_at_10 of sequential rules", "value": 0.15},
        {"type": "map", "value": 0.25, "slice": "history length: 6 to 20"},
    ]


def test_card_says_what_the_data_and_the_limits_are():
    card = model_card(INFO, evidence(), DATE)
    (data,) = card["model_parameters"]["data"]
    assert data["description"] == (
        "1,000 interactions of 50 users with 20 items, from 2024-01-01T00:00:00Z to 2024-12-31T00:00:00Z. "
        "Split: the last item of each user is held out. Users by split: train 50, test 40."
    )
    limitations = [part["description"] for part in card["considerations"]["limitations"]]
    assert "5 of 40 held-out items cannot be recommended and count as misses." in limitations
    assert any(text.startswith("The split is by user") for text in limitations)
    assert "98.5%" in card["considerations"]["tradeoffs"][0]["description"]
    assert card["model_details"]["version"] == {
        "name": "1795000000",
        "date": "2026-11-27",
        "diff": "Trained again on all interactions; the metrics are those of the evaluated model.",
    }
    assert "serve_tf_example: examples (string, rank 1)" in card["model_parameters"]["input_format"]
    assert "L=5, d=100, heights=[1, 2]" in card["model_parameters"]["model_architecture"]


def test_copied_card_gets_the_new_version(tmp_path):
    renumber_model_card(str(tmp_path), 7)  # there is none
    assert list(tmp_path.iterdir()) == []
    write_model_info(str(tmp_path), INFO)
    write_model_card(str(tmp_path), evidence())
    renumber_model_card(str(tmp_path), 7)
    card = json.loads((tmp_path / "assets.extra" / "model_card.json").read_text())
    assert card["model_details"]["version"]["name"] == "7"
    assert len(card["quantitative_analysis"]["performance_metrics"]) == 6
