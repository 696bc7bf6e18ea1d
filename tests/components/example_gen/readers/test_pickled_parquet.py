"""Parquet files whose metadata holds pickled Python code (CVE-2023-47248)."""

import gzip
import io
import os
import pickle

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.errors import UserError
from components.example_gen.preflight import check_input
from components.example_gen.settings import DataSettings, HistorySettings, SplitSettings


class _Touch:
    """Unpickling it creates a file."""

    def __init__(self, path):
        self._path = path

    def __reduce__(self):
        return os.mkdir, (str(self._path),)


def parquet_with_code(column, ran, nested=False):
    """A Parquet file of valid interactions whose `column` claims to be a pickled extension type."""
    columns = {
        "user_id": pa.array(["a"] * 10),
        "item_id": pa.array([f"i{i}" for i in range(10)]),
        "timestamp": pa.array(range(10)),
        "comment": pa.array([["x"]] * 10) if nested else pa.array(["x"] * 10),
    }
    extension = {
        b"ARROW:extension:name": b"arrow.py_extension_type",
        b"ARROW:extension:metadata": pickle.dumps(_Touch(ran), protocol=0),
    }
    fields = [pa.field(name, values.type, metadata=extension) for name, values in columns.items() if name == column]
    if nested:
        fields = [pa.field(column, pa.list_(pa.field("element", pa.string(), metadata=extension)))]
    schema = pa.schema([fields[0] if name == column else (name, values.type) for name, values in columns.items()])
    content = io.BytesIO()
    pq.write_table(pa.table([columns[name].cast(schema.field(name).type) for name in columns], schema=schema), content)
    return content.getvalue()


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzipped"])
@pytest.mark.parametrize("column", ["user_id", "item_id", "timestamp", "comment"])
def test_parquet_column_with_pickled_code_is_refused_without_running_it(tmp_path, column, compress):
    ran = tmp_path / "ran"
    file = tmp_path / ("log.parquet.gz" if compress is gzip.compress else "log.parquet")
    file.write_bytes(compress(parquet_with_code(column, ran)))
    with pytest.raises(UserError, match=r"log\.parquet.*pickled Python code.*Hint: "):
        check_input(str(file), DataSettings(), HistorySettings(), SplitSettings())
    assert not ran.exists()


def test_nested_parquet_column_with_pickled_code_is_refused_without_running_it(tmp_path):
    ran = tmp_path / "ran"
    file = tmp_path / "log.parquet"
    file.write_bytes(parquet_with_code("comment", ran, nested=True))
    with pytest.raises(UserError, match="pickled Python code"):
        check_input(str(file), DataSettings(), HistorySettings(), SplitSettings())
    assert not ran.exists()


def test_crafted_parquet_file_would_run_code_when_unpickled(tmp_path):
    pickle.loads(pickle.dumps(_Touch(tmp_path / "ran"), protocol=0))
    assert (tmp_path / "ran").exists()
