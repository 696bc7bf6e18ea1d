"""Asking an exported model: the newest version, and a note for whatever was not known."""

import json
from types import SimpleNamespace

import keras
import pytest
from click.testing import CliRunner

from components.errors import UserError
from components.export.saved_model import save_model
from components.export.servable import ServableCaser
from components.model.caser import Caser
from components.model.settings import ModelSettings
from components.transform.vocabulary import Vocabulary
from pipeline.cli.main import main
from pipeline.client.in_process import newest_version
from pipeline.client.recommender import Query, Recommender

ITEMS = [f"item{n}" for n in range(12)]


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    for name, tokens in (("items", ITEMS), ("users", ["ann", "bob"])):
        (folder / name).write_text("\n".join(tokens) + "\n")
    keras.utils.set_random_seed(1)
    items, users = Vocabulary(str(folder / "items"), len(ITEMS)), Vocabulary(str(folder / "users"), 2)
    model = Caser(2, len(ITEMS), 3, ModelSettings(d=4))
    save_model(ServableCaser(model, items, users, k=8, loss="softmax"), str(folder / "caser" / "100"))
    return folder / "caser"


@pytest.fixture(scope="module")
def recommender(model_dir):
    return Recommender.load(model_dir)


def test_known_user_gets_unseen_items(recommender):
    answer = recommender.recommend("ann", ["item1", "item2"], k=5)
    assert len(answer.item_ids) == 5
    assert not {"item1", "item2"} & set(answer.item_ids)
    assert answer.scores == sorted(answer.scores, reverse=True)
    assert answer.notes == []
    assert answer.version == "100"


def test_similar_items_are_other_items(recommender):
    answer = recommender.similar("item3", k=4)
    assert len(answer.item_ids) == len(set(answer.item_ids) - {"item3"}) == 4
    assert answer.scores == sorted(answer.scores, reverse=True)
    assert (answer.version, answer.following_item_ids) == ("100", [])


@pytest.mark.parametrize(
    ("item", "message"), [("no-such", "does not know the item 'no-such'"), (" ", "blank"), (3, "should be text")]
)
def test_item_that_is_none_is_refused(recommender, item, message):
    with pytest.raises(UserError, match=message):
        recommender.similar(item)


def test_similar_prints_a_ranked_list(model_dir):
    done = CliRunner().invoke(main, ["similar", "item3", "--model", str(model_dir), "-k", "2"])
    assert done.exit_code == 0, done.output
    title, first, second = done.stdout.splitlines()
    assert title == "similar:"
    assert first.split()[0] == "1"
    assert second.split()[1].startswith("item")


def test_model_of_an_older_version_says_that_it_has_no_similar_items(model_dir, monkeypatch):
    recommender = Recommender.load(model_dir)
    monkeypatch.setattr(recommender._transport, "_model", SimpleNamespace(signatures={}))
    with pytest.raises(UserError, match="exported by an older version, which has no similar_items"):
        recommender.similar("item3")


def test_unknown_ids_are_noted(recommender):
    notes = recommender.recommend("nobody", ["item1", "no-such", "no-such"], k=3).notes
    assert notes == [
        "unknown user nobody: using the shared user embedding.",
        "unknown items ignored: no-such.",
    ]


def test_empty_history_gives_popular_items_with_a_note(recommender):
    answer = recommender.recommend("ann", [], k=3)
    assert answer.item_ids == ITEMS[:3]
    assert "popular" in answer.notes[0]


def test_k_above_the_limit_is_rejected(recommender):
    with pytest.raises(UserError, match=r"at most 8 items. Received: k=9"):
        recommender.recommend("ann", ["item1"], k=9)


def test_batch_equals_single_requests(recommender):
    queries = [Query("ann", ["item1", "item2"]), Query("bob", [], ["item0"]), Query("nobody", ["item3"], ["item4"])]
    together = recommender.recommend_many(queries, k=3)
    for query, answer in zip(queries, together, strict=True):
        alone = recommender.recommend(query.user, query.recent, query.exclude, k=3)
        assert answer.item_ids == alone.item_ids
        assert answer.scores == pytest.approx(alone.scores, rel=1e-5)
    assert recommender.recommend_many([], k=3) == []


def test_excluded_items_are_not_recommended(recommender):
    assert "item0" not in recommender.recommend("ann", [], ["item0"], k=8).item_ids


def test_only_items_in_among_are_recommended(recommender):
    answer = recommender.recommend("ann", ["item1"], k=3, among=["item5", "item1", "what", "item2"])
    assert sorted(answer.item_ids) == ["item2", "item5"]
    both = recommender.recommend_many([Query("ann", ["item1"], among=["item5"]), Query("ann", ["item1"])], k=3)
    assert (both[0].item_ids, len(both[1].item_ids)) == (["item5"], 3)


def test_among_of_the_command_line_is_a_list(model_dir):
    arguments = [
        "recommend",
        "--model",
        str(model_dir),
        "--user",
        "ann",
        "--among",
        "item5, item6",
        "-k",
        "3",
        "--json",
    ]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert sorted(json.loads(result.stdout)["item_ids"]) == ["item5", "item6"]


def test_model_that_does_not_read_candidates_is_named(recommender, monkeypatch):
    original = recommender._transport.predict
    monkeypatch.setattr(recommender._transport, "predict", lambda requests, candidates: original(requests))
    with pytest.raises(UserError, match="exported by an older version, which does not read it"):
        recommender.recommend("ann", ["item1"], k=3, among=["item5"])


def test_batch_file_keeps_the_order_of_lines(model_dir, tmp_path):
    file = tmp_path / "users.jsonl"
    file.write_text('{"user": "ann", "recent": ["item1"]}\n\n' + '{"user": "bob", "exclude": ["item0"]}\n' * 70)
    result = CliRunner().invoke(main, ["recommend", "--model", str(model_dir), "--batch", str(file), "-k", "2"])
    answers = [json.loads(line) for line in result.output.splitlines()]
    assert [answer["user"] for answer in answers] == ["ann"] + ["bob"] * 70
    assert all(len(answer["item_ids"]) == 2 for answer in answers)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("user,item", "expected an object"),
        ('{"user": "ann", "history": []}', "history"),
        ('{"user": 5}', "ids in `user` should be text. Received: 5"),
        ('{"user": "5", "recent": [7]}', "ids in `recent` should be text. Received: 7"),
        ('{"user": "5", "recent": "item1"}', "`recent` should be a list"),
        ('{"user": "5", "recent": null}', "`recent` should be a list"),
        ('["ann"]', "received list"),
        ("[" * 100_000, "expected an object"),
        ('{"user": "ann"', "expected an object"),
    ],
)
def test_malformed_line_of_a_batch_file_is_named(model_dir, line, said):
    arguments = ["recommend", "--model", str(model_dir), "--batch", "-"]
    result = CliRunner().invoke(main, arguments, input='{"user": "ann"}\n' + line + "\n")
    assert result.exit_code == 2
    assert "-, line 2: " in result.output
    assert said in result.output


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file or directory"),
        (b'{"user": "ann"}\n\xff\xfe\n', "line 2: not UTF-8 text"),
        (b"PK\x03\x04\x00\xff\xff", "line 1: not UTF-8 text"),
    ],
)
def test_unreadable_batch_file_is_one_message(model_dir, tmp_path, content, message):
    file = tmp_path / "users.jsonl"
    if content is not None:
        file.write_bytes(content)
    result = CliRunner().invoke(main, ["recommend", "--model", str(model_dir), "--batch", str(file)])
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output


def test_directory_as_a_batch_file_is_one_message(model_dir, tmp_path):
    result = CliRunner().invoke(main, ["recommend", "--model", str(model_dir), "--batch", str(tmp_path)])
    assert result.exit_code == 2
    assert "Is a directory" in result.output


def test_batch_file_may_begin_with_a_byte_order_mark(model_dir, tmp_path):
    file = tmp_path / "users.jsonl"
    file.write_text('{"user": "ann"}\n', encoding="utf-8-sig")
    result = CliRunner().invoke(main, ["recommend", "--model", str(model_dir), "--batch", str(file), "-k", "2"])
    assert result.exit_code == 0, result.output


def test_recommend_prints_a_json_object(model_dir):
    result = CliRunner().invoke(
        main,
        ["recommend", "--model", str(model_dir), "--user", "ann", "--history", "item1, item2", "-k", "2", "--json"],
    )
    answer = json.loads(result.output)
    assert set(answer) == {"user", "version", "item_ids", "scores", "notes", "titles"}
    assert len(answer["item_ids"]) == 2


def test_newest_version_is_compared_as_number(tmp_path):
    for name in ("9", "10", "8", ".staged-11", "12"):
        (tmp_path / name).mkdir()
        if name != "12":  # half copied by hand
            (tmp_path / name / "saved_model.pb").touch()
    assert newest_version(tmp_path).name == "10"
    assert newest_version(tmp_path / "9") == tmp_path / "9"


def test_directory_without_versions_is_an_error(tmp_path):
    with pytest.raises(UserError, match="contains no model version"):
        newest_version(tmp_path)
