"""A year in the life of a service: every month a scheduled run on a cluster, on the last three deliveries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from components.drift_validator.result import DriftValidation
from components.export.model_info import read_model_info
from components.refit_validator.checks import RefitValidation
from tests.support.cli import caser
from tests.support.year_log import SETTINGS, items_until, write_month

pytestmark = [pytest.mark.long]

FIRST, LAST, BROKEN = 3, 14, 8


class Month(NamedTuple):
    """What a run did: its verdicts, the newest version after it, and that version's model info."""

    drift: DriftValidation
    refit: RefitValidation
    trained: dict
    notes: list[str]
    served: str
    info: dict


def newest(folder: Path) -> Path:
    return max(folder.iterdir(), key=lambda path: int(path.name))


@pytest.fixture(scope="module")
def year(tmp_path_factory) -> dict[int, Month]:
    """Twelve runs, from the third delivery on; the broken one is repaired before the next run."""
    folder = tmp_path_factory.mktemp("year")
    compiled, output = folder / "pipeline.yaml", folder / "emulated"
    data, volume = output / "volume" / "data", output / "volume"
    data.mkdir(parents=True)
    settings = [part for setting in SETTINGS for part in ("--set", setting)]
    done = caser("kubeflow", "compile", *settings, "--image", "caser:1", "--output", compiled)
    assert done.returncode == 0, done.stdout + done.stderr
    months = {}
    for month in range(1, LAST + 1):
        write_month(data, month, broken=month == BROKEN)
        if month < FIRST:
            continue
        pattern = "data=data/month-{SPAN}.csv"
        done = caser("kubeflow", "emulate", "--pipeline", compiled, "--output", output, "--param", pattern)
        assert done.returncode == 0, done.stdout + done.stderr
        nodes = volume / "pipeline"
        served = newest(volume / "serving" / "caser")
        model_run = newest(nodes / "CaserTrainer" / "model_run")
        months[month] = Month(
            DriftValidation.read(str(newest(nodes / "DriftValidator" / "validation"))),
            RefitValidation.read(str(newest(nodes / "RefitValidator" / "validation"))),
            read_model_info(str(newest(nodes / "CaserTrainer" / "model") / "Format-Serving")),
            json.loads((model_run / "training_history.json").read_text())[0]["notes"],
            served.name,
            read_model_info(str(served)),
        )
        write_month(data, month)  # what was broken is delivered again
    (folder / "year.md").write_text("\n".join(table(months)) + "\n")
    print("\n".join(table(months)))
    return months


def table(months: dict[int, Month]) -> list[str]:
    """The page in the docs."""
    lines = ["| run on months | start | drift | items of the served model | version |", "|---|---|---|---|---|"]
    versions = list(dict.fromkeys(month.served for month in months.values()))
    for number, month in months.items():
        start = "warm" if month.trained["training"]["warm_start"] else "from scratch"
        verdict = month.drift.reason if month.drift.blessed else f"**refused**: {month.drift.reason}"
        version = versions.index(month.served) + 1
        lines.append(f"| {number - 2} to {number} | {start} | {verdict} | {month.info['items']} | {version} |")
    return lines


def test_every_month_but_the_broken_one_publishes_a_refitted_model(year):
    served = [year[month].served for month in sorted(year)]
    new = [
        FIRST,
        *(month for month, before, after in zip(sorted(year)[1:], served, served[1:], strict=False) if before != after),
    ]
    assert new == [month for month in sorted(year) if month != BROKEN]
    assert all(month.info["refit"] for month in year.values())


def test_broken_month_is_refused_and_the_served_model_stays(year):
    broken = year[BROKEN]
    assert (broken.drift.blessed, broken.refit.blessed) == (False, False)
    assert broken.drift.measurements["unknown items"].is_violated
    assert broken.served == year[BROKEN - 1].served


def test_month_after_the_broken_one_is_compared_with_the_one_before(year):
    after = year[BROKEN + 1]
    assert after.drift.blessed
    # Two months of new items since, and none of the broken delivery's.
    assert after.drift.measurements["unknown items"].value < 0.1
    assert after.trained["training"]["warm_start"]


def test_all_runs_but_the_first_start_from_the_last_blessed_model(year):
    assert [month.trained["training"]["warm_start"] for month in year.values()] == [False] + [True] * (len(year) - 1)
    assert "No warm start" in year[FIRST].notes[0]


def test_served_model_knows_items_that_only_held_out_interactions_have(year):
    for number, month in year.items():
        if number != BROKEN:
            assert month.info["items"] == items_until(number)
    assert sum(month.refit.recommended_new_items for month in year.values()) > 0
