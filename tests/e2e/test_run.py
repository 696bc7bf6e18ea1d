"""One `caser run` and its outputs."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from components.baseline_validator.result import read_result as read_validation
from components.evaluator.results import read_evaluation
from components.evaluator.settings import EvaluatorSettings
from pipeline.cli.main import main
from pipeline.pipeline import PIPELINE_NAME
from pipeline.results.runs import read_runs
from pipeline.results.summary import BEYOND_ACCURACY
from tests.support.cli import caser, caser_command, run_arguments
from tests.support.interaction_log import SETTINGS, rows, write
from tests.support.wording import unusual_phrases

pytestmark = pytest.mark.xdist_group("run")


def metrics_of(output):
    return json.loads((output / "metrics.json").read_text())


def test_evaluation_of_the_pushed_model_has_the_metrics_of_the_run(finished, log):
    settings = [part for setting in SETTINGS for part in ("--set", setting)]
    model = str(finished / "serving" / "caser")
    result = CliRunner().invoke(main, ["evaluate", "--model", model, "--data", str(log), "--json", *settings])
    assert result.exit_code == 0, result.output
    actual, expected = json.loads(result.output), metrics_of(finished)
    for part in ("test", "caser", "sequential_rules", "popularity"):
        assert actual[part] == pytest.approx(expected[part], abs=1e-6)
    assert actual["test"]["novelty_at_10"] > 0


def test_all_users_of_the_run_are_recommended_to(finished, tmp_path):
    output = tmp_path / "all.jsonl"
    arguments = ["--all-users", "--output", str(output), "-k", "5"]
    result = CliRunner().invoke(main, ["recommend", "--model", str(finished / "serving" / "caser"), *arguments])
    assert result.exit_code == 0, result.output
    users = [json.loads(line)["user_id"] for line in output.read_text().splitlines()]
    assert len(users) == len(set(users)) == metrics_of(finished)["counts"]["users"]


def versions_of(output):
    folder = output / "serving" / "caser"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_metrics_json_has_the_documented_keys(finished):
    metrics = metrics_of(finished)
    keys = {
        f"{name}_at_{k}" for name in ("precision", "recall", "ndcg", "hit_rate", "coverage") for k in (1, 5, 10, 20)
    }
    keys |= {"map", "mrr", "next_item_ndcg_at_10", "next_item_mrr"}
    assert keys <= metrics["test"].keys()
    assert keys <= metrics["popularity"].keys()
    assert metrics["sequential_rules"].keys() == metrics["popularity"].keys()
    assert metrics["blessed"] is True
    lengths = metrics["slices"]["history length"]
    assert lengths.keys() <= {"1 to 5", "6 to 20", "21 to 50", "51 to 100", "101 and more"}
    assert all(part.keys() == {"test", "caser", "sequential_rules", "popularity"} for part in lengths.values())
    assert metrics["slices"]["item popularity"]["head (top 10 %)"]["test"].keys() >= {"map", "recall_at_10"}
    assert metrics["counts"]["rows_read"] == len(rows())
    assert (
        metrics["seconds"].keys()
        == metrics["states"].keys()
        >= {"CaserTrainer", "Evaluator", "SequentialRules", "CaserPusher"}
    )


def test_planted_pattern_is_learnt_far_better_than_popularity(finished):
    metrics = metrics_of(finished)
    assert metrics["test"]["map"] > 2 * metrics["popularity"]["map"]
    assert metrics["sequential_rules"]["map"] > 2 * metrics["popularity"]["map"]


def test_nodes_agree_on_the_metrics_of_each_part(finished):
    metrics = metrics_of(finished)
    assert metrics["rule_weight"] > 0
    folder = finished / "pipeline"
    (evaluation,) = (folder / "Evaluator" / "evaluation").iterdir()
    (validation,) = (folder / "BaselineValidator" / "validation").iterdir()
    by_tfma = read_evaluation(str(evaluation), EvaluatorSettings()).parts
    compared = read_validation(str(validation)).comparison.metrics
    # TFMA sums in the order of Beam's bundles.
    parts = {"": "test", "caser_": "caser", "popularity_": "popularity"}
    # Rules in the model, and rules from the artifact.
    for part, name in {**parts, "sequential_rules_": "sequential_rules"}.items():
        both = {key: value for key, value in compared[name].items() if key not in BEYOND_ACCURACY}
        assert len(both) > 20
        assert both == pytest.approx({key: by_tfma[part][key] for key in both})
        assert compared[name].keys() >= BEYOND_ACCURACY.keys()
    for low, high in metrics["intervals"]["test"].values():
        assert low <= high
    low, high = metrics["intervals"]["test"]["map"]
    assert low < metrics["test"]["map"] < high


def test_run_pushes_exactly_the_blessed_model(finished):
    assert versions_of(finished) == [metrics_of(finished)["pushed_version"]]


def test_the_report_needs_no_network(finished):
    report = (finished / "report.html").read_text()
    assert "<svg" in report
    assert not re.findall(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", report)


@pytest.mark.parametrize("file", ["../console.txt", "report.html"])
def test_output_of_a_run_uses_common_terms(finished, file):
    text = (finished / file).read_text()
    assert "popularity" in text
    assert not unusual_phrases(text)


def test_pushed_model_serves_in_a_process_with_only_tensorflow(finished):
    (version,) = versions_of(finished)
    code = f"""
import sys, tensorflow as tf
model = tf.saved_model.load({str(finished / "serving" / "caser" / version)!r})
ask = model.signatures["serving_default"]
two = ask(user_id=tf.constant(["u1", "stranger"]), recent_item_ids=tf.constant([["", "i4", "i5"], ["", "", "what"]]),
          exclude_item_ids=tf.constant([["i9"], [""]]))
items, scores = two["item_ids"].numpy().astype(str), two["scores"].numpy()
assert items.shape == scores.shape == (2, 10)
assert items[0, 0] == "i6", items
assert not {{"i4", "i5", "i9"}} & set(items[0])
assert (scores[:, :-1] >= scores[:, 1:]).all()
p = model.signatures["score"](user_id=tf.constant(["u1"]), recent_item_ids=tf.constant([["i4", "i5"]]),
                              candidate_item_ids=tf.constant([["i6", "i20", "what"]]))["probabilities"].numpy()[0]
assert p[0] > 0.3 > p[1] > p[2] == 0, p
assert not [name for name in sys.modules if name.split(".")[0] in ("components", "pipeline", "tfx", "tensorflow_text")]
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=finished)
    assert done.returncode == 0, done.stderr


def test_recommend_uses_the_pushed_model(finished):
    done = caser(
        "recommend", "--model", finished / "serving" / "caser", "--user", "u1", "--history", "i4,i5", "-k", 3, "--json"
    )
    assert done.returncode == 0, done.stderr
    assert '"i6"' in done.stdout


def test_deleted_serving_directory_is_pushed_again_and_nothing_else_is_done(restored, log):
    shutil.rmtree(restored / "serving")
    again = caser(*run_arguments(log, restored), "--beam-arg=--direct_num_workers=2")
    assert again.returncode == 0, again.stderr
    metrics = metrics_of(restored)
    done = {node for node, state in metrics["states"].items() if state == "done"}
    assert done <= {"LastBlessedModel", "CaserPusher"}
    assert "CaserPusher" in done
    assert versions_of(restored) == [metrics["pushed_version"]]
    info = json.loads((restored / "serving/caser" / metrics["pushed_version"] / "assets.extra/model.json").read_text())
    assert info["version"] == int(metrics["pushed_version"])
    assert info["metrics"]["map"] == pytest.approx(metrics["test"]["map"])


@pytest.mark.long
def test_second_run_on_unchanged_input_reuses_every_node(restored, log):
    before = versions_of(restored), metrics_of(restored)["test"]
    again = caser(*run_arguments(log, restored), "--beam-arg=--direct_num_workers=2")
    assert again.returncode == 0, again.stderr
    states = metrics_of(restored)["states"]
    assert {node for node, state in states.items() if state == "done"} <= {"LastBlessedModel"}
    assert (versions_of(restored), metrics_of(restored)["test"]) == before


@pytest.mark.long
def test_killed_run_with_changed_settings_completes_and_reuses_unaffected_nodes(restored, log):
    versions, metrics_before = versions_of(restored), metrics_of(restored)
    arguments = run_arguments(
        log, restored, "trainer.epochs=2", "evaluator.min_value=0.99", "sequential_rules.enabled=false"
    )
    killed = subprocess.Popen(caser_command(*arguments), stdout=subprocess.PIPE, text=True, start_new_session=True)
    for line in killed.stdout:
        if "Transform" in line:  # reused: now the Trainer works
            break
    time.sleep(2)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert versions_of(restored) == versions
    assert metrics_of(restored) == metrics_before

    changed = caser(*arguments)
    assert changed.returncode == 0, changed.stdout + changed.stderr
    metrics = metrics_of(restored)
    assert metrics["states"]["Transform"] == "cached"
    assert metrics["states"]["CaserTrainer"] == "done"
    assert "SequentialRules" not in metrics["states"]
    assert (metrics["sequential_rules"], metrics["notes"]["sequential_rules"]) == (
        None,
        "disabled by sequential_rules.enabled",
    )
    assert metrics["blessed"] is False
    assert "evaluator.min_value 0.99" in metrics["blessing_reason"]
    assert metrics["pushed_version"] is None
    assert versions_of(restored) == versions
    check_runs(restored, log, metrics_before)


def check_runs(output, log, first):
    """`caser runs`, where a run was followed by a killed one, and that by one with changed settings."""
    one, *_, killed, last = read_runs(output / "metadata.sqlite", PIPELINE_NAME)
    assert (one.number, one.files, one.is_complete) == (1, [str(log)], True)
    assert one.metrics["map"] == first["test"]["map"]
    assert (one.blessed, one.version) == (True, first["pushed_version"])
    assert not killed.is_complete
    assert (last.is_complete, last.blessed, last.version) == (True, False, None)
    compared = CliRunner().invoke(main, ["runs", "diff", "1", str(last.number), "--output", str(output)]).stdout
    assert re.search(r"^trainer.epochs +20 +2$", compared, re.MULTILINE)
    assert re.search(r"^evaluator.min_value +0.0 +0.99$", compared, re.MULTILINE)
    assert re.search(rf"^MAP +{first['test']['map']:.4f} ", compared, re.MULTILINE)
    assert "data." not in compared


def test_bad_rows_fail_the_run_with_a_quarantine_file(tmp_path):
    data = write(tmp_path / "log.csv", rows())
    data.write_text(data.read_text() + "u1,,5\nu1,i1,soon\n")
    done = caser(*run_arguments(data, tmp_path / "out"))
    text = done.stdout + done.stderr
    assert done.returncode == 1
    assert "Traceback" not in text
    assert f"row {len(rows()) + 2}: blank `item_id`" in text
    assert "--set data.max_bad_row_fraction=" in text
    quarantine = (tmp_path / "out" / "quarantine" / "bad_rows.csv").read_text().splitlines()
    assert len(quarantine) == 3
    assert quarantine[2].endswith(',"u1,i1,soon"')
