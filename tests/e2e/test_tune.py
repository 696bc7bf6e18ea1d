"""`caser tune`, a search that was killed, and a run with what it found."""

from __future__ import annotations

import csv
import json
import re
import shutil
import signal
import subprocess

import pytest
import yaml

from pipeline.pipeline import PIPELINE_NAME
from pipeline.results.metadata import last_outputs
from tests.support.cli import caser, caser_command, run_arguments
from tests.support.interaction_log import SETTINGS as LOG_SETTINGS

pytestmark = pytest.mark.xdist_group("run")

PARAMETERS = ["model.d", "windows.L", "trainer.learning_rate"]
SETTINGS = (f"tuner.parameters=[{', '.join(PARAMETERS)}]", "trainer.epochs=4")


def arguments(command, log, output, *more):
    _, *rest = run_arguments(log, output, *SETTINGS)
    return [command, *rest, *more]


@pytest.mark.long
def test_killed_search_goes_on_and_a_run_with_its_best_settings_repeats_the_best_trial(restored, log):
    command = caser_command(*arguments("tune", log, restored, "--trials", "3"))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed:
        for line in killed.stdout:
            if "trial 2 of 3" in line:
                killed.send_signal(signal.SIGKILL)
                break
    done = caser(*arguments("tune", log, restored, "--trials", "3"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "trial 1 of 3, epoch" not in done.stdout
    assert "trial 2 of 3, best" in done.stdout

    folder = restored / "tuning"
    rows = list(csv.DictReader((folder / "trials.csv").open()))
    assert [row["trial"] for row in rows] == ["1", "2", "3"]
    assert [rows[0][name] for name in PARAMETERS] == ["16", "3", "0.01"]
    scores = [float(row["valid_map"]) for row in rows]
    best = rows[scores.index(max(scores))]
    settings = yaml.safe_load((folder / "best.yaml").read_text())
    assert settings["trainer"]["learning_rate"] == float(best["trainer.learning_rate"])
    assert "tuner" not in settings
    assert f"{max(scores):.4f} on valid" in done.stdout
    assert "<svg" in (folder / "report.html").read_text()

    more = ("--set", "pusher.enabled=false")
    repeated = caser("run", "--data", log, "--config", folder / "best.yaml", "--output", restored, *more)
    assert repeated.returncode == 0, repeated.stdout + repeated.stderr
    trained = re.findall(r"map (0\.\d+)\n", repeated.stdout)
    tried = re.findall(rf"trial {best['trial']} of 3.*map (0\.\d+)\n", done.stdout)
    # Trial 1 was finished by the process that was killed.
    assert trained == tried or best["trial"] == "1"
    states = json.loads((restored / "metrics.json").read_text())["states"]
    assert states["Transform"] == states["SequentialRules"] == "cached"


@pytest.mark.long
def test_run_with_the_tuner_trains_and_reports_the_best_trial(restored, log):
    tuner = ("--set", "tuner.enabled=true", "--set", "tuner.trials=2", "--set", "pusher.enabled=false")
    done = caser(*arguments("run", log, restored, *tuner))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Tuned hyperparameters: model.d=" in done.stdout
    report = (restored / "report.html").read_text()
    assert "Hyperparameter search" in report
    assert len(re.findall(r"<tr><td class=\"number\">[12]</td>", report)) == 2
    outputs = last_outputs(restored / "metadata.sqlite", PIPELINE_NAME)
    assert ("CaserTuner", "best_hyperparameters") in outputs


@pytest.mark.long
def test_search_goes_on_after_its_pod_was_deleted(log, tmp_path):
    pipeline, output = tmp_path / "pipeline.yaml", tmp_path / "out"
    (output / "volume" / "data").mkdir(parents=True)
    shutil.copy(log, output / "volume" / "data" / "log.csv")
    settings = [part for setting in (*LOG_SETTINGS, *SETTINGS) for part in ("--set", setting)]
    tuner = ("--set", "tuner.enabled=true", "--set", "tuner.trials=3")
    image = ("--image", "registry.example.com/caser:1", "--data", "data/log.csv")
    compiled = caser("kubeflow", "compile", *settings, *tuner, *image, "--output", pipeline)
    assert compiled.returncode == 0, compiled.stderr
    fault = ("--fault", "delete:CaserTuner@25")
    done = caser("kubeflow", "emulate", "--pipeline", pipeline, "--output", output, *fault)
    assert done.returncode == 0, done.stdout + done.stderr
    (search,) = (output / "volume").rglob("oracle.json")
    trials = sorted(search.parent.glob("trial_*/trial.json"))
    assert [json.loads(trial.read_text())["status"] for trial in trials] == ["COMPLETED"] * 3
    (version,) = (output / "volume").rglob("serving/caser/*/assets.extra/model.json")
    assert json.loads(version.read_text())["training"]["learning_rate"] > 0


def test_search_without_a_valid_split_is_one_message(log, tmp_path):
    done = caser(
        "tune", "--data", log, "--output", tmp_path / "out", "--set", "split.valid=0", "--set", "split.test=0.3"
    )
    assert done.returncode == 2
    assert "`tuner.enabled` needs a valid split" in done.stderr
    assert not (tmp_path / "out").exists()
