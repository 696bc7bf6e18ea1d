"""The console command: help at once, and one message with exit status 2 for what the user got wrong."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.cli.main import main
from tests.support import small_servable

HEADER = "user_id,item_id,timestamp\n"


def caser(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_help_of_module_lists_the_commands():
    done = subprocess.run([sys.executable, "-m", "pipeline", "--help"], capture_output=True, text=True, check=True)
    for command in ("run", "recommend", "config", "presets", "sample", "doctor"):
        assert f"\n  {command} " in done.stdout


def test_help_imports_no_framework():
    code = (
        "import sys; from click.testing import CliRunner; from pipeline.cli.main import main;"
        "[CliRunner().invoke(main, [c, '--help']) for c in main.commands];"
        "print([m for m in ('tensorflow', 'tfx', 'keras', 'apache_beam', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("command", sorted(main.commands))
def test_command_has_help(command):
    result = caser(command, "--help")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 4
    assert "\\b" not in result.output


def test_config_prints_effective_values():
    result = caser("config", "--preset", "movielens-dat", "--set", "trainer.epochs=3")
    assert "  separator: '::'" in result.output
    assert "  epochs: 3" in result.output


def test_presets_lists_all_presets():
    assert "ml-1m-caser" in caser("presets").output
    assert caser("presets", "movielens-dat").output.startswith("# Purpose")
    assert caser("presets", "nothing").exit_code == 2


def test_sample_writes_a_csv_file(tmp_path):
    result = caser("sample", "--output", tmp_path / "sample.csv")
    assert result.exit_code == 0
    assert (tmp_path / "sample.csv").read_text().startswith(HEADER)
    assert "caser run --data" in result.output


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--preset", "movielens-data"], "Did you mean `movielens-dat`"),
        (["--set", "trainer.epoch=1"], "Did you mean `trainer.epochs`"),
        (["--set", "trainer.epochs=none"], "`trainer.epochs` should be"),
        (["--set", "trainer.epochs"], "key=value"),
        (["--config", "absent.yaml"], "Cannot read absent.yaml"),
        (["--sample"], "either --data PATH, or --sample"),
    ],
)
def test_invalid_setting_is_one_message_without_traces(tmp_path, arguments, part):
    data = tmp_path / "data.csv"
    data.write_text(HEADER + "a,b,1\n")
    result = caser("run", "--data", data, "--output", tmp_path / "out", *arguments)
    assert result.exit_code == 2
    assert part in result.output
    assert "Traceback" not in result.output
    assert not (tmp_path / "out").exists()


def test_run_without_data_suggests_the_sample(tmp_path):
    result = caser("run", "--output", tmp_path / "out")
    assert result.exit_code == 2
    assert "--sample" in result.output


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (None, "data.csv"),
        ("", "empty"),
        ("user,item,time\na,b,1\n", "user_id"),
        (HEADER.replace(",", ";") + "a;b;1\n", "separator"),
        (HEADER, "the file has a header but no rows"),
        (HEADER + "a,b,soon\nb,c,never\n", "No row is valid"),
        (HEADER + "a,b,1\n", "no user has enough interactions"),
        (HEADER + "a,b,1\na,c,2\na,d,3\n", "--set split.strategy=leave_last"),
    ],
    ids=[
        "missing",
        "empty",
        "wrong column",
        "wrong separator",
        "header alone",
        "no readable row",
        "one interaction each",
        "nothing can be held out",
    ],
)
def test_invalid_data_is_one_message_before_any_node(tmp_path, content, part):
    data = tmp_path / "data.csv"
    if content is not None:
        data.write_text(content)
    result = caser("run", "--data", data, "--output", tmp_path / "out")
    assert result.exit_code == 2
    assert part in result.output
    assert "Traceback" not in result.output
    assert not (tmp_path / "out").exists()


def test_wrong_separator_without_a_header_is_suggested(tmp_path):
    (tmp_path / "u.data").write_text("1\t7\t5\t88\n1\t8\t5\t89\n")
    columns = ["--set", "data.header=false", "--set", "data.columns=[user_id,item_id,rating,timestamp]"]
    result = caser("run", "--data", tmp_path / "u.data", "--output", tmp_path / "out", *columns)
    assert result.exit_code == 2
    assert r"--set data.separator='\t'" in result.output


def test_unwritable_output_directory_is_one_message(tmp_path):
    (tmp_path / "file").touch()
    result = caser("run", "--sample", "--output", tmp_path / "file" / "out")
    assert result.exit_code == 2
    assert "choose a different --output" in result.output


def test_concurrent_run_in_the_same_output_is_rejected(tmp_path):
    from pipeline.local.run import locked

    with locked(tmp_path):
        result = caser("run", "--sample", "--output", tmp_path)
    assert result.exit_code == 2
    assert "Another run is already using" in result.output


def test_recommend_without_a_model_is_one_message(tmp_path):
    result = caser("recommend", "--model", tmp_path / "serving" / "caser", "--user", "u")
    assert result.exit_code == 2
    assert "Model directory" in result.output


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--user", "1", "--all-users"], "Pass one of --user ID, --batch FILE, --all-users and --users FILE"),
        ([], "Pass one of --user ID"),
        (["--all-users"], "need --model DIR and --output FILE"),
        (["--user", "1", "--output", "a.parquet"], "are for --all-users or --users"),
        (["--all-users", "--output", "a.csv"], "--output should end in .parquet or .jsonl. Received: a.csv"),
        (["--all-users", "-k", "5", "--output", "a.jsonl"], "not below the output of a run"),
        (["--all-users", "-k", "5", "--output", "a.jsonl", "--data", "absent.csv"], "absent.csv does not exist"),
        (["--all-users", "-k", "6", "--output", "a.jsonl"], "This model returns at most 5 items. Received: k=6"),
        (["--users", "absent.txt", "--output", "a.jsonl"], "--users: File absent.txt does not exist"),
        (["--users", "empty.txt", "--output", "a.jsonl"], "empty.txt has no user ID"),
    ],
)
def test_wrong_arguments_of_recommend_are_one_message_and_write_nothing(arguments, part, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small_servable.save(tmp_path / "100")
    (tmp_path / "empty.txt").write_text("\n")
    before = sorted(tmp_path.iterdir())
    result = caser("recommend", *(["--model", "100"] if "--output" in arguments else []), *arguments)
    assert result.exit_code == 2
    assert part in result.output
    assert "Traceback" not in result.output
    assert sorted(tmp_path.iterdir()) == before


def test_users_with_a_single_interaction_are_recommended_to_from_a_log(tmp_path):
    small_servable.save(tmp_path / "100", "i5")
    (tmp_path / "log.csv").write_text(HEADER + "u0,i1,1\nnew,i2,1\nu1,i5,1\n")
    output = tmp_path / "out" / "all.jsonl"
    arguments = ["--all-users", "--data", tmp_path / "log.csv", "--output", output, "-k", 1]
    result = caser("recommend", "--model", tmp_path / "100", *arguments)
    assert result.exit_code == 0, result.output
    assert "3 users" in result.output
    rows = {row["user_id"]: row["item_ids"] for row in map(json.loads, output.read_text().splitlines())}
    assert (rows["u0"], rows["new"]) == (["i5"], ["i5"])
    assert rows["u1"] != ["i5"]
    assert [path.name for path in output.parent.iterdir()] == ["all.jsonl"]
    (tmp_path / "ids.txt").write_text("u1\nabsent\nnobody\n")
    arguments = ["--users", tmp_path / "ids.txt", "--data", tmp_path / "log.csv", "--output", tmp_path / "one.parquet"]
    result = caser("recommend", "--model", tmp_path / "100", *arguments, "-k", 1)
    assert (result.exit_code, "2 of the users in" in result.output, "1 users" in result.output) == (0, True, True)
    (tmp_path / "ids.txt").write_text("absent\n")
    result = caser("recommend", "--model", tmp_path / "100", *arguments[:-1], tmp_path / "none.jsonl", "-k", 1)
    assert (result.exit_code, "None of the users in --users has a history" in result.output) == (2, True)
    assert not (tmp_path / "none.jsonl").exists()


@pytest.mark.parametrize("command", [["evaluate"], ["recommend", "--all-users", "-k", "5", "--output", "out.jsonl"]])
def test_malformed_row_of_a_log_is_one_message_that_names_no_lost_file(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small_servable.save(tmp_path / "100")
    rows = "".join(f"u{n},i{t},{t}\n" for n in range(3) for t in range(8))
    (tmp_path / "log.csv").write_text(f"{HEADER}{rows}u1,,5\n")
    result = caser(*command, "--model", "100", "--data", "log.csv")
    assert result.exit_code == 2
    assert "1 of 25 rows are malformed" in result.output
    assert not [word for word in ("Traceback", "while running", "bad_rows.csv") if word in result.output]


def test_evaluation_of_what_is_no_model_is_one_message(tmp_path):
    (tmp_path / "log.csv").write_text(HEADER + "".join(f"u{n},i{t},{t}\n" for n in range(3) for t in range(9)))
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "saved_model.pb").write_text("")
    result = caser("evaluate", "--model", tmp_path / "7", "--data", tmp_path / "log.csv")
    assert (result.exit_code, "no model of this project" in result.output) == (2, True)


def test_output_in_an_object_store_without_file_system_is_one_message_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = caser("run", "--sample", "--output", "ftp://host/mine")
    assert result.exit_code == 2
    assert "--output ftp://host/mine: TensorFlow has no file system for ftp://" in result.output
    assert list(tmp_path.iterdir()) == []


def test_output_path_with_glob_characters_is_refused_before_anything_runs(tmp_path):
    result = caser("run", "--sample", "--output", tmp_path / "out[1]")
    assert result.exit_code == 2
    assert "takes for a pattern" in result.output
    assert not (tmp_path / "out[1]").exists()


@pytest.mark.parametrize("command", [("list",), ("diff", 1, 2)])
def test_runs_of_a_directory_without_runs_are_one_message(tmp_path, command):
    result = caser("runs", *command, "--output", tmp_path / "none")
    assert result.exit_code == 2
    assert "is no output of a run" in result.output


def test_pipe_is_copied_for_the_run_and_removed(tmp_path, monkeypatch):
    seen = {}

    def record(request, goal, data, output, log, console):
        seen[data] = Path(data).read_text()
        return 0

    monkeypatch.setattr("pipeline.local.run._run", record)
    content = HEADER + "".join(f"u{n % 3},i{n},{n}\n" for n in range(60))
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=[content])
    writer.start()
    assert caser("run", "--data", tmp_path / "pipe", "--output", tmp_path / "out").exit_code == 0
    writer.join()
    assert seen == {str(tmp_path / "out" / "data-from-pipe"): content}
    assert not (tmp_path / "out" / "data-from-pipe").exists()


def test_empty_pipe_is_one_message(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=[""])
    writer.start()
    result = caser("run", "--data", tmp_path / "pipe", "--output", tmp_path / "out")
    writer.join()
    assert result.exit_code == 2
    assert "the file is empty" in result.output


def test_number_of_spans_for_a_file_without_spans_is_one_message(tmp_path):
    (tmp_path / "log.csv").write_text(HEADER + "u,i,1\n")
    result = caser("run", "--data", tmp_path / "log.csv", "--output", tmp_path / "out", "--set", "data.last_spans=3")
    assert (result.exit_code, "has no spans, so `data.last_spans`=3 means nothing" in result.output) == (2, True)
    assert not (tmp_path / "out").exists()


ITEMS = "id,name,genres\ni1,Alien,Sci-Fi\ni2,Brazil,Sci-Fi|Drama\ni5,Clue,Comedy\n"


def test_titles_and_conditions_come_from_a_file(tmp_path):
    small_servable.save(tmp_path / "100", "i5")
    (tmp_path / "items.csv").write_text(ITEMS)
    model = ("--model", tmp_path / "100", "--items", tmp_path / "items.csv")
    result = caser("recommend", *model, "--user", "u0", "--history", "i0", "-k", 1)
    assert result.output.split() == ["1", "i5", "1.0000", "Clue"]
    result = caser(
        "recommend", *model, "--user", "u0", "--history", "i0", "--json", "--where", "genres=Sci-Fi", "-k", 5
    )
    answer = json.loads(result.output)
    assert dict(zip(answer["item_ids"], answer["titles"], strict=True)) == {"i1": "Alien", "i2": "Brazil"}
    more = ("--where", "genres=Sci-Fi", "--among", "i2,i5")
    assert json.loads(caser("recommend", *model, "--user", "u0", "--json", *more, "-k", 5).output)["item_ids"] == ["i2"]
    similar = json.loads(caser("similar", "i0", *model, "--json", "-k", 5).output)
    titles = {"i1": "Alien", "i2": "Brazil", "i5": "Clue"}
    assert similar["titles"] == [titles.get(item, "") for item in similar["item_ids"]]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--user", "u0", "--where", "genres"], "--where should be COLUMN=VALUE"),
        (["--user", "u0", "--where", "genres=Horror"], "this model was pushed without. Hint: pass --items FILE"),
        (
            ["--user", "u0", "--where", "genres=Horror", "--items", "items.csv"],
            "No item has genres=Horror. Hint: values",
        ),
        (["--user", "u0", "--where", "year=1999", "--items", "items.csv"], "items.csv has no column `year`"),
        (
            ["--user", "u0", "--where", "title=Clue", "--items", "items.csv", "--among", "i1"],
            "No item of --among meets",
        ),
        (["--user", "u0", "--items", "absent.csv"], "--items: File absent.csv does not exist"),
        (["--batch", "users.jsonl", "--where", "genres=Drama"], "--where is for --user"),
        (["--all-users", "--output", "a.jsonl", "--where", "genres=Drama"], "--where and --items are for --user"),
    ],
)
def test_mistakes_in_conditions_are_one_message(arguments, part, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small_servable.save(tmp_path / "100")
    (tmp_path / "items.csv").write_text(ITEMS)
    result = caser("recommend", "--model", "100", *arguments)
    assert result.exit_code == 2
    assert part in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("setting", "part"),
    [
        ("data.items=absent.csv", "`data.items`: File absent.csv does not exist"),
        ("data.items=log.csv", "`data.items`: log.csv: the items 1 and 9 have the same ID"),
        ("recommend.blocklist=absent.txt", "`recommend.blocklist`: File absent.txt does not exist"),
    ],
)
def test_mistakes_in_files_about_items_are_found_before_the_run(setting, part, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log.csv").write_text(HEADER + "".join(f"u{n},i{t},{t}\n" for n in range(3) for t in range(8)))
    result = caser("run", "--data", "log.csv", "--output", "out", "--set", setting)
    assert (result.exit_code, part in result.output) == (2, True), result.output
    assert not (tmp_path / "out").exists()
