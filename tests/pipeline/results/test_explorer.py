"""What the explorer of the report shows."""

import json

import numpy as np
import pytest
import tensorflow as tf

from components.example_gen.raw_examples import serialize_example
from pipeline.results import sampled_users
from pipeline.results.explorer import Explorer, ExplorerItem, ExplorerUser, ScoredItem
from pipeline.results.sampled_users import explore
from tests.support import small_servable

COUNTS = np.arange(80, 0, -10)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tf.saved_model.load(small_servable.save(tmp_path_factory.mktemp("explorer") / "model", "i6"))


def examples(users):
    return [serialize_example(b"u%d" % (n % 3), [b"i0", b"i1"], [b"i6", b"new"]) for n in range(users)]


def test_user_has_history_held_out_items_and_the_list_without_seen_items(model):
    explorer = explore(model, examples(1), small_servable.ITEMS, COUNTS, 0.8)
    # Without rules in the model Caser is all that is served.
    assert explorer.users == [
        ExplorerUser("u0", ["i0", "i1"], ["i6", "new"], {"caser_": ["i6", "i2", "i3", "i4", "i5", "i7"]})
    ]


def test_item_has_popularity_and_similar_items_but_not_itself(model):
    items = explore(model, examples(1), small_servable.ITEMS, COUNTS, 0.8).items
    assert [(item.rank, item.interactions) for item in items.values()] == [(n + 1, 80 - 10 * n) for n in range(8)]
    for item in items.values():
        assert len(item.similar) == 5
        assert item.item not in [other.item for other in item.similar]
        assert item.following == []  # there are no rules
    assert explore(model, [], small_servable.ITEMS, COUNTS, 0.8).users == []


def test_large_catalogue_has_fewer_users_and_the_popular_items_only(model, monkeypatch):
    monkeypatch.setattr(sampled_users, "_SCORES", 80)
    catalogue = small_servable.ITEMS
    explorer = explore(model, examples(40), catalogue, COUNTS, 0.8)
    assert len(explorer.users) == 10
    monkeypatch.setattr(sampled_users, "_LIST", 3)
    monkeypatch.setattr(sampled_users, "_SCORES", 8)
    explorer = explore(model, examples(40), catalogue, COUNTS, 0.8)
    assert len(explorer.users) == 3
    assert [item for item, found in explorer.items.items() if found.similar is not None] == ["i0", "i1", "i2"]
    # Others have their popularity, if they are in a list.
    assert (explorer.items["i6"].rank, explorer.items["i6"].similar) == (7, None)
    others = {other.item for item in ("i0", "i1", "i2") for other in explorer.items[item].similar}
    assert others <= explorer.items.keys()


def test_json_has_every_item_once_and_cannot_end_its_element():
    user = ExplorerUser("</script>", ["a"], ["new"], {"": ["b", "a"]})
    items = {
        "a": ExplorerItem("a", 1, 9, [ScoredItem("b", 0.123456)], [ScoredItem("c", 2.0)]),
        "b": ExplorerItem("b", 2, 5),
    }
    text = Explorer([user], items, 3, 0.8).to_json({"a": "Alien & co", "b": None})
    assert "<" not in text
    assert json.loads(text) == {
        "parts": [["", "served"]],
        "users": [["</script>", [0], [1], {"": [2, 0]}]],
        "items": [["a", "Alien & co", 1, 9], ["new", "", 0, 0], ["b", "", 2, 5], ["c", "", 0, 0]],
        "beside": {"0": [[[2, 0.1235]], [[3, 2.0]]]},
        "catalogue": 3,
        "decay": 0.8,
    }
