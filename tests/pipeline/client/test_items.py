"""Titles and conditions of clients."""

import pytest

from components.errors import UserError
from pipeline.client.items import Items, parse_condition


@pytest.fixture
def items(tmp_path):
    file = tmp_path / "items.csv"
    file.write_text("item_id,title,genres,year\n1,Matrix,Action|Sci-Fi,1999\n2,,Drama,1999\n3,Alien,Sci-Fi,1979\n")
    return Items.read(file)


def test_titles_are_in_the_order_of_the_items(items):
    assert items.titles(["3", "what", "2", "1"]) == ["Alien", "", "", "Matrix"]


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([("genres", "Sci-Fi")], ["1", "3"]),
        ([("genres", "Sci-Fi"), ("year", "1999")], ["1"]),
        ([("genres", "Sci-Fi"), ("genres", "Action")], ["1"]),
        ([("title", "Alien")], ["3"]),
        ([("item_id", "2")], ["2"]),
    ],
)
def test_items_meet_all_conditions(items, conditions, expected):
    assert items.where(conditions) == expected


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ([("genre", "Drama")], r"has no column `genre`. Hint: its columns are item_id, title, genres, year"),
        ([("genres", "drama")], r"No item has genres=drama. Hint: values of `genres` are Action, Drama, Sci-Fi"),
        ([("genres", "Drama"), ("year", "1979")], r"No item has genres=Drama and year=1979. Hint: values of `year`"),
    ],
)
def test_conditions_that_nothing_meets_are_one_message(items, conditions, message):
    with pytest.raises(UserError, match=message):
        items.where(conditions)


def test_condition_has_a_column_and_a_value():
    assert parse_condition("category = book=1") == ("category", "book=1")
    for text in ("category", "=book", "category=", ""):
        with pytest.raises(UserError, match=r"--where should be COLUMN=VALUE"):
            parse_condition(text)


def test_model_that_was_pushed_without_items_has_none(tmp_path):
    assert Items.of_model(tmp_path) is None
