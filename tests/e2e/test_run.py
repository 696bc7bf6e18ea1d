"""One `caser run` and what it leaves."""

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

from tests.support.cli import caser, caser_command, run_arguments
from tests.support.interaction_log import rows, write

pytestmark = pytest.mark.xdist_group("run")


def metrics_of(output):
    return json.loads((output / "metrics.json").read_text())


def versions_of(output):
    folder = output / "serving" / "caser"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_metrics_are_documented_ones_and_caser_beats_popularity(finished):
    metrics = metrics_of(finished)
    keys = {
        f"{name}_at_{k}" for name in ("precision", "recall", "ndcg", "hit_rate", "coverage") for k in (1, 5, 10, 20)
    }
    keys |= {"map", "mrr", "next_item_ndcg_at_10", "next_item_mrr"}
    assert keys <= metrics["test"].keys()
    assert keys <= metrics["popularity"].keys()
    assert metrics["sequential_rules"].keys() == metrics["popularity"].keys()
    assert metrics["sequential_rules"]["map"] > 2 * metrics["popularity"]["map"]
    assert metrics["test"]["map"] > 2 * metrics["popularity"]["map"]
    assert metrics["blessed"] is True
    assert metrics["counts"]["rows_read"] == len(rows())
    assert (
        metrics["seconds"].keys()
        == metrics["states"].keys()
        >= {"CaserTrainer", "Evaluator", "SequentialRules", "CaserPusher"}
    )


def test_the_blessed_model_is_pushed_and_nothing_else(finished):
    assert versions_of(finished) == [metrics_of(finished)["pushed_version"]]


def test_the_report_needs_no_network(finished):
    report = (finished / "report.html").read_text()
    assert "<svg" in report
    assert not re.findall(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", report)


def test_a_fresh_process_with_tensorflow_alone_gets_an_answer(finished):
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


def test_recommend_answers_from_the_pushed_folder(finished):
    done = caser(
        "recommend", "--model", finished / "serving" / "caser", "--user", "u1", "--history", "i4,i5", "-k", 3, "--json"
    )
    assert done.returncode == 0, done.stderr
    assert '"i6"' in done.stdout


def test_unchanged_input_reuses_every_node_and_changed_settings_what_depends_on_them(finished, log):
    before = versions_of(finished), metrics_of(finished)["test"]
    again = caser(*run_arguments(log, finished))
    assert again.returncode == 0, again.stderr
    states = metrics_of(finished)["states"]
    assert {node for node, state in states.items() if state == "done"} <= {"LastBlessedModel"}
    assert (versions_of(finished), metrics_of(finished)["test"]) == before

    changed = caser(
        *run_arguments(log, finished, "trainer.epochs=2", "evaluator.min_value=0.99", "sequential_rules.enabled=false")
    )
    assert changed.returncode == 0, changed.stderr
    metrics = metrics_of(finished)
    assert metrics["states"]["Transform"] == "cached"
    assert metrics["states"]["CaserTrainer"] == "done"
    assert "SequentialRules" not in metrics["states"]
    assert (metrics["sequential_rules"], metrics["sequential_rules_note"]) == (
        None,
        "switched off by sequential_rules.enabled",
    )
    assert metrics["blessed"] is False
    assert "evaluator.min_value 0.99" in metrics["blessing_reason"]
    assert metrics["pushed_version"] is None
    assert versions_of(finished) == before[0]


def test_where_the_serving_folder_is_gone_the_next_run_pushes_again(finished, log):
    shutil.rmtree(finished / "serving")
    again = caser(*run_arguments(log, finished))
    assert again.returncode == 0, again.stderr
    metrics = metrics_of(finished)
    assert metrics["states"]["CaserTrainer"] == "cached"
    assert metrics["states"]["CaserPusher"] == "done"
    assert versions_of(finished) == [metrics["pushed_version"]]
    facts = json.loads((finished / "serving/caser" / metrics["pushed_version"] / "assets.extra/model.json").read_text())
    assert facts["version"] == int(metrics["pushed_version"])
    assert facts["metrics"]["map"] == pytest.approx(metrics["test"]["map"])


def test_a_killed_run_leaves_nothing_half_pushed_and_the_next_one_completes(log, tmp_path):
    output = tmp_path / "out"
    killed = subprocess.Popen(
        caser_command(*run_arguments(log, output)), stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    for line in killed.stdout:
        if "Transform" in line:  # done: now the Trainer works
            break
    time.sleep(2)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert versions_of(output) == []
    assert not (output / "metrics.json").exists()
    again = caser(*run_arguments(log, output))
    assert again.returncode == 0, again.stdout + again.stderr
    metrics = metrics_of(output)
    assert metrics["states"]["Transform"] == "cached"
    assert versions_of(output) == [metrics["pushed_version"]]


def test_bad_rows_stop_the_run_and_are_kept(tmp_path):
    data = write(tmp_path / "log.csv", rows())
    data.write_text(data.read_text() + "u1,,5\nu1,i1,soon\n")
    done = caser(*run_arguments(data, tmp_path / "out"))
    shown = done.stdout + done.stderr
    assert done.returncode == 1
    assert "Traceback" not in shown
    assert f"row {len(rows()) + 2}: blank `item_id`" in shown
    assert "--set data.max_bad_row_fraction=" in shown
    quarantine = (tmp_path / "out" / "quarantine" / "bad_rows.csv").read_text().splitlines()
    assert len(quarantine) == 3
    assert quarantine[2].endswith(',"u1,i1,soon"')
