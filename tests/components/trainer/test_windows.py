"""Windows: what training sees is what serving sees."""

import hypothesis.strategies as st
import numpy as np
import tensorflow as tf
from hypothesis import given, settings

from components.model.window_settings import WindowSettings
from components.model.windows import last_window
from components.trainer.windows import Windows
from components.transform.histories import EncodedHistories


def windows_of(rows, L, T, partial_sequences=False, partial_targets=False):
    """Windows of users 2, 3, ..."""
    items = np.concatenate([np.zeros(0), *rows])
    histories = EncodedHistories.of(np.arange(len(rows)) + 2, items, np.array([len(row) for row in rows]))
    return Windows(
        histories, WindowSettings(L=L, T=T, partial_sequences=partial_sequences, partial_targets=partial_targets)
    )


def everything(windows):
    """User, sequence, targets and position of all windows."""
    return [part.numpy().tolist() for part in windows.at(np.arange(len(windows)))]


def test_targets_are_the_items_after_the_sequence():
    assert everything(windows_of([[1, 2, 3, 4, 5, 6]], 3, 2)) == [
        [2, 2],
        [[1, 2, 3], [2, 3, 4]],
        [[4, 5], [5, 6]],
        [3, 4],
    ]


def test_short_history_gives_one_padded_window():
    assert everything(windows_of([[1, 2, 3, 4], [1], [], [1, 2]], 3, 2)) == [
        [2, 5],
        [[0, 1, 2], [0, 0, 1]],
        [[3, 4], [2, 0]],
        [2, 1],
    ]


def test_partial_windows_end_with_a_single_target():
    user, sequence, targets, _ = everything(
        windows_of([[1, 2, 3, 4, 5, 6], [1, 2, 3, 4], [1, 2]], 3, 2, partial_targets=True)
    )
    assert user == [2, 2, 2, 3, 3, 4]
    assert sequence == [[1, 2, 3], [2, 3, 4], [3, 4, 5], [0, 1, 2], [1, 2, 3], [0, 0, 1]]
    assert targets == [[4, 5], [5, 6], [6, 0], [3, 4], [4, 0], [2, 0]]


def test_partial_sequences_begin_with_a_single_item():
    user, sequence, targets, position = everything(
        windows_of([[1, 2, 3, 4, 5, 6], [1, 2, 3, 4], [1, 2], [1]], 3, 2, partial_sequences=True)
    )
    assert user == [2, 2, 2, 2, 3, 3, 4]
    assert sequence == [[0, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 4], [0, 0, 1], [0, 1, 2], [0, 0, 1]]
    assert targets == [[2, 3], [3, 4], [4, 5], [5, 6], [2, 3], [3, 4], [2, 0]]
    assert position == [1, 2, 3, 4, 1, 2, 1]


def plain_windows(
    history: list[int], L: int, T: int, partial_sequences: bool, partial_targets: bool
) -> list[tuple[list[int], list[int], int]]:
    """The same by hand, for one history."""
    if len(history) < 2:
        return []
    first = L if len(history) >= L + T else max(1, len(history) - T)
    last = len(history) - 1 if partial_targets else max(first, len(history) - T)
    first = 1 if partial_sequences else min(first, L)
    return [(([0] * L + history[:cut])[-L:], (history[cut:] + [0] * T)[:T], cut) for cut in range(first, last + 1)]


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(st.lists(st.integers(2, 9), max_size=12), min_size=1, max_size=5),
    L=st.integers(1, 6),
    T=st.integers(1, 4),
    fewer=st.integers(1, 4),
    partial=st.tuples(st.booleans(), st.booleans()),
)
def test_windows_equal_those_made_by_hand(rows, L, T, fewer, partial):
    windows = windows_of(rows, L, T, *partial)
    expected = [(i + 2, *window) for i, history in enumerate(rows) for window in plain_windows(history, L, T, *partial)]
    assert len(windows) == len(expected)
    assert windows.users == len({user for user, *_ in expected})
    if not expected:
        return
    assert list(zip(*everything(windows), strict=True)) == expected
    targets = everything(windows.with_targets(fewer))[2]
    assert targets == [after[:fewer] for _, _, after, _ in expected]


@settings(deadline=None, max_examples=20)
@given(
    lengths=st.lists(st.integers(0, 9), min_size=1, max_size=6).filter(lambda lengths: max(lengths) > 1),
    batch_size=st.integers(1, 7),
    seed=st.integers(0, 9),
)
def test_epoch_has_every_window_once_and_fills_up_the_last_batch(lengths, batch_size, seed):
    windows = windows_of([list(range(2, length + 2)) for length in lengths], 2, 1, partial_sequences=True)
    batch_size = min(batch_size, len(windows))
    (part,) = windows.parts(batch_size, seed)
    batches = list(part.batches)
    assert {len(batch.user) for batch in batches} == {batch_size}
    assert len(batches) == part.steps == windows.steps(batch_size)
    drawn = [(u, p) for batch in batches for u, p in zip(batch.user.numpy(), batch.position.numpy(), strict=True)]
    user, _, _, position = everything(windows)
    assert sorted(drawn[: len(windows)]) == sorted(zip(user, position, strict=True))
    assert drawn[len(windows) :] == drawn[: len(drawn) - len(windows)]


def test_epochs_differ_and_repeat_with_their_seed():
    windows = windows_of([list(range(2, 40))], 2, 1)

    def order(seed):
        (part,) = windows.parts(8, seed)
        return [batch.position.numpy().tolist() for batch in part.batches]

    assert order(1) == order(1) != order(2)


@settings(deadline=None, max_examples=40)
@given(history=st.lists(st.integers(2, 9), min_size=9, max_size=12), L=st.integers(1, 6), T=st.integers(1, 3))
def test_serving_window_equals_the_training_window(history, L, T):
    _, sequence, targets, position = everything(windows_of([history], L, T))
    cut = len(history) - T
    served = last_window(tf.ragged.constant([history[:cut]], tf.int64, row_splits_dtype=tf.int64), L)
    assert served.numpy().tolist() == sequence[-1:]
    assert targets[-1] == history[cut:]
    assert position[-1] == cut


def test_histories_may_come_in_any_order():
    rows = [[1, 2, 3], [4, 5, 6, 7], [8, 9]]
    ordered = windows_of(rows, 2, 1)
    shuffled = Windows(ordered.histories.take(np.array([2, 0, 1])), WindowSettings(L=2, T=1))
    same = Windows(ordered.histories, WindowSettings(L=2, T=1))
    assert everything(shuffled) == everything(same)


def test_movielens_1m_gives_the_known_number_of_windows(shared_data):
    rows = np.loadtxt(shared_data / "ml1m-caser" / "test" / "train.txt", dtype=np.int64, usecols=(0, 1))
    lengths = np.unique(rows[:, 0], return_counts=True)[1]
    windows = windows_of(np.split(rows[:, 1] + 1, np.cumsum(lengths)[:-1]), 5, 3)
    assert len(windows) == 759_805
    assert (windows.at(np.arange(len(windows))).targets.numpy()[:, 0] > 0).all()
