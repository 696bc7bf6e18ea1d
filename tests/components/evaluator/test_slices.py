import numpy as np

from components.evaluator.slices import length_slices, popularity_slices
from components.features import FIRST_ID, UNKNOWN
from components.ranking.metrics import MISS, NO_RANK


def test_history_length_belongs_to_exactly_one_slice():
    lengths = np.array([0, 5, 6, 20, 21, 50, 51, 100, 101, 10_000])
    actual = length_slices(lengths)
    assert [lengths[inside].tolist() for inside in actual.values()] == [
        [0],
        [5],
        [6, 20],
        [21, 50],
        [51, 100],
        [101, 10_000],
    ]


def test_popularity_slices_partition_the_ranks():
    # Of ten items the first is the head, the next four the middle.
    items = np.array([[FIRST_ID, FIRST_ID + 1, FIRST_ID + 4, FIRST_ID + 5, FIRST_ID + 9, UNKNOWN, 0]])
    ranks = np.array([[3, 4, 5, 6, 7, MISS, NO_RANK]])
    head, middle, tail, new = (
        of_class[of_class != NO_RANK].tolist() for of_class in popularity_slices(ranks, items, 10).values()
    )
    assert (head, middle, tail, new) == ([3], [4, 5], [6, 7], [MISS])


def test_catalogue_of_one_item_is_all_head():
    (head, *others) = popularity_slices(np.array([[1]]), np.array([[FIRST_ID]]), 1).values()
    assert head.tolist() == [[1]]
    assert all((of_class == NO_RANK).all() for of_class in others)
