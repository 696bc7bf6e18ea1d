"""ItemsGen in a pipeline: its artifact, and when it runs again."""

import pytest
from tfx import v1 as tfx
from tfx.orchestration.metadata import sqlite_metadata_connection_config

from components.errors import UserError
from components.features import FIRST_ID
from components.items_gen.artifact import read_item_ids, read_titles
from components.items_gen.blocklist import blocklist_note, recommendable
from components.items_gen.component import ItemsGen
from components.ranking.settings import RecommendSettings
from components.transform.vocabulary import Vocabulary
from pipeline.local.runner import run


class Nodes:
    """Notes the state of each node."""

    def __init__(self):
        self.states = {}

    def on_node_start(self, node_id):
        pass

    def on_node_end(self, node_id, state, seconds):
        self.states[node_id] = state

    def on_node_failed(self, node_id, error, seconds):
        self.states[node_id] = "failed"


def run_nodes(folder):
    titles = ItemsGen(str(folder / "items.csv"), "item_id").with_id("Items")
    blocked = ItemsGen(str(folder / "blocked.txt")).with_id("Blocklist")
    nodes = Nodes()
    pipeline = tfx.dsl.Pipeline(
        pipeline_name="items",
        pipeline_root=str(folder / "root"),
        components=[titles, blocked],
        enable_cache=True,
        metadata_connection_config=sqlite_metadata_connection_config(str(folder / "metadata.sqlite")),
    )
    run(pipeline, nodes)
    return nodes.states


def last(folder, node):
    return str(max((folder / "root" / node / "items").iterdir(), key=lambda path: int(path.name)))


def test_files_are_read_again_only_when_their_content_changes(tmp_path):
    (tmp_path / "items.csv").write_text("item_id,title\ni1,one\n")
    (tmp_path / "blocked.txt").write_text("i1\n")
    assert run_nodes(tmp_path) == {"Items": "done", "Blocklist": "done"}
    (tmp_path / "items.csv").write_text("item_id,title\ni1,one\n")
    assert run_nodes(tmp_path) == {"Items": "cached", "Blocklist": "cached"}
    (tmp_path / "blocked.txt").write_text("i2\n")
    assert run_nodes(tmp_path) == {"Items": "cached", "Blocklist": "done"}
    assert read_titles(last(tmp_path, "Items")) == {"i1": "one"}
    assert read_item_ids(last(tmp_path, "Blocklist")) == ["i2"]


def test_missing_file_names_the_setting(tmp_path):
    (tmp_path / "blocked.txt").write_text("i1\n")
    with pytest.raises(Exception, match=r"`data.items`: File .*items.csv does not exist"):
        run_nodes(tmp_path)


@pytest.fixture
def blocklist(tmp_path):
    (tmp_path / "items.csv").write_text("item_id\nx\n")
    (tmp_path / "blocked.txt").write_text("a\nc\nwhat\n")
    run_nodes(tmp_path)
    return last(tmp_path, "Blocklist")


def vocabulary(folder, *items):
    (folder / "vocabulary").write_text("".join(f"{item}\n" for item in items))
    return Vocabulary(str(folder / "vocabulary"), len(items))


def test_blocked_ids_are_those_of_known_items(blocklist, tmp_path):
    items = vocabulary(tmp_path, "a", "b", "c")
    found = recommendable(RecommendSettings(exclude_seen=False), blocklist, items)
    assert found.blocked.tolist() == [FIRST_ID, FIRST_ID + 2]
    assert not found.exclude_seen
    assert found.candidates(3).numpy().tolist() == [[False, True, False]]
    assert "2 items are never recommended; IDs that are not in the train split: 1 (what)" in blocklist_note(
        blocklist, items
    )


def test_unknown_blocked_items_block_nothing(blocklist, tmp_path):
    found = recommendable(RecommendSettings(), blocklist, vocabulary(tmp_path, "b", "d"))
    assert found.blocked is None
    assert found.candidates(2) is None


def test_blocklist_of_all_items_is_refused(blocklist, tmp_path):
    with pytest.raises(UserError, match=r"`recommend.blocklist` has all items of the train split"):
        recommendable(RecommendSettings(), blocklist, vocabulary(tmp_path, "a", "c"))
