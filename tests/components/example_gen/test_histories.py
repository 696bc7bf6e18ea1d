import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from components.example_gen.histories import build_histories
from components.example_gen.settings import HistorySettings


def histories(rows, rare=(), **rules):
    """`rows`: (user, item, time), in the order of the file."""
    user, item, time = (np.array(column, int) for column in zip(*rows, strict=True))
    built = build_histories(
        user,
        item,
        time,
        np.zeros(len(rows), int),
        np.arange(len(rows)),
        np.isin(np.arange(100), rare),
        HistorySettings(**{"min_user_interactions": 1, **rules}),
    )
    return {
        int(u): built.item[built.start[i] : built.start[i + 1]].tolist() for i, u in enumerate(built.user)
    }, built.dropped


def test_history_is_sorted_by_time_then_position():
    assert histories([(1, 5, 9), (2, 6, 1), (1, 7, 3), (1, 8, 3)])[0] == {1: [7, 8, 5], 2: [6]}


def test_rare_items_are_dropped_before_short_histories():
    rows = [(1, 5, 1), (1, 6, 2), (2, 6, 1), (2, 7, 2), (2, 8, 3)]
    actual, dropped = histories(rows, rare=[6], min_user_interactions=2)
    assert actual == {2: [7, 8]}
    assert dropped["min_item_interactions"] == 2
    assert dropped["min_user_interactions"] == 1


def test_history_keeps_only_the_most_recent_interactions():
    assert histories([(1, i, i) for i in range(10)], max_user_interactions=3)[0] == {1: [7, 8, 9]}


def test_repeated_items_keep_the_first_interaction():
    assert histories([(1, 5, 1), (1, 6, 2), (1, 5, 3)], repeated_items="first_only")[0] == {1: [5, 6]}


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9), st.integers(0, 5)), min_size=1), st.randoms())
def test_histories_do_not_depend_on_the_order_of_rows(rows, random):
    user, item, time = (np.array(column, int) for column in zip(*rows, strict=True))
    row, rare, rules = (
        np.arange(len(rows)),
        np.zeros(10, bool),
        HistorySettings(max_user_interactions=4, repeated_items="first_only"),
    )
    order = np.array(random.sample(range(len(rows)), len(rows)))
    one = build_histories(user, item, time, row * 0, row, rare, rules)
    other = build_histories(user[order], item[order], time[order], row * 0, row[order], rare, rules)
    assert one.item.tolist() == other.item.tolist()
    assert one.start.tolist() == other.start.tolist()


def test_movielens_gives_the_sequences_of_the_papers_authors(shared_data):
    from components.example_gen.readers.reader import read_interactions
    from components.example_gen.settings import DataSettings, SplitSettings
    from components.example_gen.splits import TimeRange, split_boundaries

    with open(shared_data / "ml-1m" / "interactions.csv", "rb") as stream:
        batches = list(read_interactions(stream, "interactions.csv", DataSettings()))
    user, item = (
        np.concatenate([np.array(getattr(batch, name).to_pylist(), "S8") for batch in batches]).astype(int)
        for name in ("user", "item")
    )
    time, row = (np.concatenate([getattr(batch, name) for batch in batches]) for name in ("time", "row"))
    built = build_histories(
        user, item, time, row * 0, row, np.bincount(item) < 5, HistorySettings(min_item_interactions=5)
    )
    ratio = SplitSettings(train=0.8, valid=0, test=0.2)
    first, _ = split_boundaries(built.start, built.time, ratio, TimeRange(0, 0))

    theirs = [np.loadtxt(shared_data / "ml1m-caser" / "test" / f"{name}.txt", int)[:, :2] for name in ("train", "test")]
    position = np.arange(len(built.item)) - np.repeat(built.start[:-1], np.diff(built.start))
    in_train = position < np.repeat(first, np.diff(built.start))
    users = np.repeat(np.arange(len(built.user)), np.diff(built.start))
    assert (len(built.user), len(np.unique(built.item)), int(in_train.sum()), int((~in_train).sum())) == (
        6040,
        3416,
        802_085,
        197_526,
    )
    # Users and items have other names there: the same up to a renaming.
    for ours, rows in ((in_train, theirs[0]), (~in_train, theirs[1])):
        assert np.array_equal(_renamed(built.item[ours], built.item[in_train]), _renamed(rows[:, 1], theirs[0][:, 1]))
        assert np.array_equal(users[ours], np.unique(rows[:, 0], return_inverse=True)[1])


def _renamed(items, reference):
    """Items by the order in which they first appear in `reference`; -1 for those that do not."""
    names, first = np.unique(reference, return_index=True)
    rank = np.argsort(np.argsort(first))
    index = np.clip(np.searchsorted(names, items), 0, len(names) - 1)
    return np.where(names[index] == items, rank[index], -1)
