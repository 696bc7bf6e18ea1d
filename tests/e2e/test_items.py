"""Titles, conditions and a blocklist, from the settings to the pushed model."""

from __future__ import annotations

import json

import pytest

from tests.support.cli import caser, run_arguments
from tests.support.interaction_log import ITEMS

pytestmark = pytest.mark.xdist_group("run")


def write_items(file, suffix=""):
    rows = (f"i{n},Film {n}{suffix},{'Drama|Comedy' if n % 2 else 'Action'}\n" for n in range(ITEMS))
    file.write_text("item_id,title,genres\n" + "".join(rows))


@pytest.mark.long
def test_blocked_items_never_come_back_and_new_titles_train_nothing(log, tmp_path):
    items, blocked, output = tmp_path / "items.csv", tmp_path / "blocked.txt", tmp_path / "out"
    settings = (f"data.items={items}", f"recommend.blocklist={blocked}", "refit.enabled=true", "batch.enabled=true")

    def run():
        done = caser(*run_arguments(log, output, *settings))
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads((output / "metrics.json").read_text()), done.stdout

    def ask(command, *arguments):
        done = caser(command, "--model", output / "serving" / "caser", "--json", *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    write_items(items)
    blocked.write_text("i6\nnothing\n")
    first, screen = run()
    assert "1 items are never recommended; IDs that are not in the train split: 1 (nothing)" in screen
    assert first["counts"]["held_out"]["blocked"] > 0
    answer = ask("recommend", "--user", "u1", "--history", "i4,i5", "-k", "10")
    assert "i6" not in answer["item_ids"]
    assert answer["titles"] == [f"Film {item[1:]}" for item in answer["item_ids"]]
    answer = ask("recommend", "--user", "u1", "--history", "i4,i5", "--where", "genres=Comedy", "-k", "10")
    assert {int(item[1:]) % 2 for item in answer["item_ids"]} == {1}
    assert "i6" not in ask("similar", "i5")["following_item_ids"]
    (file,) = (output / "pipeline" / "BatchRecommender").rglob("*.parquet")
    assert file.is_file()
    report = (output / "report.html").read_text()
    assert "Film 1" in report
    assert 'title="i1' in report

    write_items(items, suffix=" (restored)")
    second, _ = run()
    assert {node for node, state in second["states"].items() if state == "done"} <= {
        "Items", "CaserPusher", "LastBlessedModel"
    }  # fmt: skip
    assert second["pushed_version"] != first["pushed_version"]
    assert ask("recommend", "--user", "u1", "-k", "1")["titles"][0].endswith("(restored)")

    blocked.write_text("i7\n")
    third, _ = run()
    assert third["states"]["Transform"] == third["states"]["Items"] == "cached"
    assert third["states"]["CaserTrainer"] == third["states"]["BaselineValidator"] == "done"
    assert "i6" in ask("recommend", "--user", "u1", "--history", "i4,i5", "-k", "10")["item_ids"]
