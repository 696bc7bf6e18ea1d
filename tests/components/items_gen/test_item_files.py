"""Files about items: what is read of them, and how mistakes are answered."""

import gzip
import math

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.errors import UserError
from components.items_gen.item_files import read_blocklist, read_items

FILMS = {"item_id": ["1", "2"], "title": ["Matrix, The", None], "genres": ["Action|Sci-Fi", "Drama"]}
CSV = 'movieId,title,genres\n1,"Matrix, The",Action|Sci-Fi\n2,,Drama\n'


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


KINDS = {
    "CSV": CSV,
    "CRLF": CSV.replace("\n", "\r\n"),
    "BOM": "\ufeff" + CSV,
    "gzip": gzip.compress(CSV.encode()),
    "UTF-16": CSV.encode("utf-16"),
    "semicolons": "movieId;title;genres\n1;Matrix, The;Action|Sci-Fi\n2;;Drama\n",
    "tabs, other order": "title\tgenres\tmovieId\nMatrix, The\tAction|Sci-Fi\t1\n\tDrama\t2\n",
    "item_id": CSV.replace("movieId", "item_id"),
    "Excel": "sep=;\r\nmovieId;title;genres\r\n 1 ;Matrix, The;Action|Sci-Fi\r\n2;;Drama\r\n;;\r\n",
    "id and name": CSV.replace("movieId", "id").replace("title", "name"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_delimited_text_is_read_whatever_its_separator_and_encoding(kind, tmp_path):
    items = read_items(write(tmp_path / "items", KINDS[kind]), "movieId")
    assert items.to_pydict() == FILMS


def test_parquet_has_the_same_ids_as_text_and_lists_as_several_values(tmp_path):
    genres = [["Action", "Sci-Fi"], ["Drama"]]
    titles, years = ["Matrix, The", None], [1999.0, math.nan]
    table = pa.table({"movieId": [1.0, 2.0], "title": titles, "genres": genres, "year": years})
    pq.write_table(table, tmp_path / "items.parquet")
    assert read_items(str(tmp_path / "items.parquet"), "movieId").to_pydict() == {**FILMS, "year": ["1999", None]}


def test_encoding_is_the_one_of_the_log(tmp_path):
    file = write(tmp_path / "items.csv", "item_id,title\n1,Amélie\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"`data.items`: .*is not UTF-8. Hint: set data.encoding"):
        read_items(file, "item_id")
    assert read_items(file, "item_id", "latin-1")["title"].to_pylist() == ["Amélie"]


def test_files_of_a_directory_are_read_together(tmp_path):
    (tmp_path / "items").mkdir()
    write(tmp_path / "items" / "a.csv", "item_id,title\n1,one\n")
    write(tmp_path / "items" / "b.csv", "item_id,brand\n2,two\n")
    items = read_items(str(tmp_path / "items"), "item_id").to_pydict()
    assert items == {"item_id": ["1", "2"], "title": ["one", None], "brand": [None, "two"]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("film,title\n1,a\n", r"has no column `movieId`; its columns are film, title. Hint: name the column"),
        ("", r"has no column `movieId`; its columns are"),
        ("movieId,title\n1,a\n,b\n", r"item 2 has no ID in the column `movieId`"),
        ("movieId,title\n1,a\n2,b\n1,c\n", r"the items 1 and 3 have the same ID '1'"),
        ("movieId,title\n1,a\n2,b\n1,c\n2,d\n", r"the same ID '1', and 1 other IDs"),
        ("movieId,title\n1,a,too,many\n2,b\n", r"cannot be read: line 2 has 4 fields instead of 2"),
        ("movieId,a,a\n1,2,3\n", r"cannot be read: a column name occurs twice: movieId, a, a"),
        (b"PAR1 but nothing else", r"cannot be read"),
    ],
)
def test_mistakes_are_one_message(content, message, tmp_path):
    with pytest.raises(UserError, match=message) as raised:
        read_items(write(tmp_path / "items.csv", content), "movieId")
    assert str(raised.value).startswith("`data.items`: ")
    assert "items.csv" in str(raised.value)


def test_missing_file_is_one_message(tmp_path):
    with pytest.raises(UserError, match=r"`data.items`: File .*nothing.csv does not exist"):
        read_items(str(tmp_path / "nothing.csv"), "item_id")


text = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1).filter(lambda value: value.strip() == value)


@given(st.dictionaries(text, text, min_size=1, max_size=8))
def test_any_text_survives_csv(tmp_path_factory, titles):
    file = tmp_path_factory.mktemp("csv") / "items.csv"
    pd.DataFrame({"item_id": titles.keys(), "title": titles.values()}).to_csv(file, index=False)
    assert dict(zip(*read_items(str(file), "item_id").to_pydict().values(), strict=True)) == titles


def test_blocklist_has_an_id_per_line(tmp_path):
    file = write(tmp_path / "blocked.txt", "\ufeffi2\r\n i1 \n\ni2\n")
    assert read_blocklist(file).to_pydict() == {"item_id": ["i1", "i2"]}
    with pytest.raises(UserError, match=r"`recommend.blocklist`: File .* does not exist"):
        read_blocklist(str(tmp_path / "nothing.txt"))
