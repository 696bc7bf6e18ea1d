"""The report and `metrics.json`: complete, self-contained, and safe to show whatever the ids are."""

import datetime
import io
import json
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from components.evaluator.slices import SliceMetrics
from components.pusher.model_card import Evidence, model_card
from pipeline.config.config import Config
from pipeline.console.live_display import new_console
from pipeline.console.run_summary import print_summary
from pipeline.results.html_report import write_report
from pipeline.results.line_chart import line_chart
from pipeline.results.metrics_json import write_metrics
from pipeline.results.summary import Check, Example, RunSummary

VOID = {"meta", "br"}

MORE = {"peak_memory_gb": 1.04, "notes": []}


class Checker(HTMLParser):
    """Notes what a browser would fetch, and elements that are not closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.fetched, self.text = [], [], ""

    def handle_starttag(self, tag, attributes):
        if tag not in VOID:
            self.open.append(tag)
        self.fetched += [value for name, value in attributes if name in {"src", "href", "xlink:href"}]
        assert tag not in {"script", "link", "iframe"}

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def summary():
    return RunSummary(
        test={"map": 0.25, "ndcg_at_10": 0.3},
        caser={"map": 0.22, "ndcg_at_10": 0.28},
        neighbours={"map": 0.12, "ndcg_at_10": 0.17},
        intervals={"test": {"map": (0.2406, 0.2594), "ndcg_at_10": (0.29, 0.31)}},
        rule_weight=0.75,
        popularity={"map": 0.05, "ndcg_at_10": 0.1},
        sequential_rules={"map": 0.15, "ndcg_at_10": 0.2},
        ceiling={"map": 0.5, "ndcg_at_10": 0.6},
        counts={"users": 1234, "items": 56, "dropped": {"rare": 7}},
        blessed=True,
        blessing_reason="map 0.25 is at least 0",
        pushed_version="1700000000",
        seconds={"Transform": 1.25, "CaserTrainer": 2.0},
        states={"Transform": "cached", "CaserTrainer": "done"},
        slices=[SliceMetrics("history_length", "1 to 10", {"": {"map": 0.2}, "sequential_rules_": {"map": 0.1501}})],
        history=[
            {"epoch": 1, "seconds": 1.0, "loss": 3.0, "objective": "full softmax", "map": 0.1, **MORE},
            {"epoch": 2, "seconds": 1.0, "loss": 2.0, "objective": "full softmax", "map": 0.2, **MORE},
        ],
        examples=[Example("<script>u</script>", ["a&b"], ["x", "y"], ["y"])],
    )


def test_report_shows_every_part(summary, tmp_path):
    file = tmp_path / "report.html"
    write_report(summary, Config(), "plays <1>.csv", file)
    page = Checker()
    page.feed(file.read_text())
    assert not page.open
    assert not page.fetched
    assert "url(" not in file.read_text()
    for part in (
        "plays <1>.csv",
        "<script>u</script>",
        "a&b",
        "0.2500",
        "ceiling",
        "1 to 10",
        "0.1501",
        "0.2406 to 0.2594",
        "whose weight is 0.75",
        "1,234",
        "epoch 2 were exported",
    ):
        assert part in page.text, part
    assert '<span class="item hit">y</span>' in file.read_text()


def test_next_item_metrics_are_hidden_if_repeated(summary):
    for values in (column.metrics for column in summary.columns()):
        values["next_item_ndcg_at_10"] = values["ndcg_at_10"]
    assert summary.main_metrics() == ["map", "ndcg_at_10"]
    summary.test["next_item_ndcg_at_10"] += 0.1
    assert summary.main_metrics() == ["map", "ndcg_at_10", "next_item_ndcg_at_10"]


def test_report_of_a_bare_run_is_complete(tmp_path):
    file = tmp_path / "report.html"
    bare = RunSummary(
        {"map": 0.1},
        {"map": 0.1},
        {"map": 0.0},
        {},
        False,
        "too low",
        {},
        {},
        history=[{"epoch": 1, "loss": 1.0, "objective": "bce", **MORE}],
    )
    write_report(bare, Config(), "data.csv", file)
    page = Checker()
    page.feed(file.read_text())
    assert not page.open
    assert "Not blessed: too low." in page.text


def test_metrics_json_has_the_documented_content(summary, tmp_path):
    file = tmp_path / "metrics.json"
    write_metrics(summary, file)
    content = json.loads(file.read_text())
    assert list(content) == [
        "test", "caser", "sequential_rules", "neighbours", "popularity", "notes", "ceiling", "slices", "intervals",
        "rule_weight", "counts", "blessed", "blessing_reason", "unseen_items", "warnings", "pushed_version",
        "seconds", "states",
    ]  # fmt: skip
    assert content["sequential_rules"] == summary.sequential_rules
    assert content["test"] == summary.test
    assert content["seconds"] == {"Transform": 1.25, "CaserTrainer": 2.0}
    assert list(tmp_path.iterdir()) == [file]


CHECKS = [
    Check("drift", False, "size 0.100, below drift.min_size=0.5", {"size": 0.1}),
    Check("refit", True, "its top 10 has 0.80 of the evaluated model's", {"overlap": 0.8}),
]


def test_checks_before_the_push_are_in_report_and_metrics(summary, tmp_path):
    checked = replace(summary, checks=CHECKS, unseen_items=7)
    write_report(checked, Config(), "data.csv", tmp_path / "report.html")
    write_metrics(checked, tmp_path / "metrics.json")
    page = Checker()
    page.feed((tmp_path / "report.html").read_text())
    assert "Drift, not pushed: size 0.100, below drift.min_size=0.5." in page.text
    assert "Refit: its top 10 has 0.80" in page.text
    assert "has never seen 7 items" in page.text
    content = json.loads((tmp_path / "metrics.json").read_text())
    assert content["drift"] == {"passed": False, "reason": CHECKS[0].reason, "size": 0.1}
    assert (content["refit"]["overlap"], content["unseen_items"]) == (0.8, 7)


@pytest.mark.parametrize(
    ("blessed", "checks", "expected"),
    [
        (False, CHECKS, " (model was not blessed)"),
        (True, CHECKS, " (drift check failed)"),
        (True, CHECKS[1:], ""),
        (True, [], ""),
    ],
)
def test_reason_why_nothing_was_pushed_is_the_first_refusal(blessed, checks, expected, summary):
    assert replace(summary, blessed=blessed, checks=checks).why_not_pushed() == expected


def test_skipped_baseline_has_a_note(summary, tmp_path):
    without = replace(summary, sequential_rules=None, notes={"sequential_rules": "skipped: could need 9 GB"})
    write_metrics(without, tmp_path / "metrics.json")
    content = json.loads((tmp_path / "metrics.json").read_text())
    assert content["sequential_rules"] is None
    assert content["notes"] == {"sequential_rules": "skipped: could need 9 GB"}
    write_report(without, Config(), "data.csv", tmp_path / "report.html")
    assert "skipped: could need 9 GB" in (tmp_path / "report.html").read_text()
    screen = io.StringIO()
    print_summary(new_console(screen), without, str(tmp_path), tmp_path, tmp_path / "log", 1.0)
    assert "skipped: could need 9 GB" in screen.getvalue()
    assert "sequential rules" not in screen.getvalue().splitlines()[1]
    assert "0.2406 to 0.2594" in screen.getvalue()
    assert "served: Caser combined with sequential rules, whose weight is 0.75" in screen.getvalue()


def test_trial_of_the_defaults_is_told_everywhere(summary, tmp_path):
    tried = replace(
        summary, history=[{**row, "notes": ["Defaults were chosen by a trial."]} for row in summary.history]
    )
    write_report(tried, Config(), "data.csv", tmp_path / "report.html")
    assert (
        "peak memory of the process 1.0 GB. Defaults were chosen by a trial." in (tmp_path / "report.html").read_text()
    )
    screen = io.StringIO()
    print_summary(new_console(screen), tried, str(tmp_path), tmp_path, tmp_path / "log", 1.0)
    assert "Defaults were chosen by a trial." in screen.getvalue()


def test_caser_has_no_column_of_its_own_without_rules(summary):
    alone = replace(summary, rule_weight=0.0)
    assert [column.title for column in summary.columns()][:2] == ["served", "Caser"]
    assert [column.title for column in alone.columns()][:2] == ["Caser", "sequential rules"]


@pytest.mark.parametrize("values", [[1.0], [2.0, 2.0], [0.0, 0.0, 0.0], [3.0, -1.0, 2.0]])
def test_line_chart_keeps_all_points_inside(values):
    chart = line_chart("loss", values, "loss")
    assert len(chart.points) == len(values)
    for point in chart.points:
        assert chart.left <= point.x <= chart.right
        assert 0 <= point.y <= chart.bottom


def test_line_chart_marks_the_best_epoch():
    chart = line_chart("loss", [3.0, 1.0, 2.0], "loss", best=1)
    assert [point.is_best for point in chart.points] == [False, True, False]


def test_model_card_of_the_pushed_version_is_a_section(summary, tmp_path):
    info = {"items": 56, "k": 10, "model": {"d": 50}, "rule_weight": 0.0}
    card = model_card(info, Evidence(), datetime.date(2026, 11, 27))
    write_report(replace(summary, model_card=json.dumps(card)), Config(), "data.csv", tmp_path / "report.html")
    checker = Checker()
    checker.feed((tmp_path / "report.html").read_text())
    assert checker.open == []
    assert "Only the 56 items of the training data are recommended" in checker.text
    assert "Trade-offs" not in checker.text  # there are none without an index
    write_report(summary, Config(), "data.csv", tmp_path / "report.html")
    assert "Model card" not in (tmp_path / "report.html").read_text()
