"""What --data is: literal paths, directories, patterns; and a fingerprint that no replaced file escapes."""

import os

import pytest

from components.errors import UserError
from components.example_gen.inputs import input_files as module
from components.example_gen.inputs.input_files import fingerprint, input_files, is_pipe, partition_values


@pytest.fixture
def folder(tmp_path):
    for name in ("a.csv", "b.csv", ".a.csv", "._b.csv", "sub/c.csv", "sub/.d.csv", ".hidden/e.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def names(path, folder):
    return [os.path.relpath(file, folder) for file in input_files(str(path))]


def test_pattern_leaves_hidden_files_out(folder):
    assert names(folder / "*.csv", folder) == ["a.csv", "b.csv"]
    assert names(folder / ".*.csv", folder) == ["._b.csv", ".a.csv"]


def test_two_stars_mean_any_depth(folder):
    assert names(folder / "**" / "*.csv", folder) == ["a.csv", "b.csv", "sub/c.csv"]


@pytest.mark.parametrize("name", ["log[1].csv", "log*.csv", "log?.csv", "{SPAN}.csv", "a b'c.csv", "lög.csv"])
def test_existing_path_is_taken_literally(folder, name):
    (folder / name).write_text("x")
    (folder / "log1.csv").write_text("other")
    assert names(folder / name, folder) == [name]


def test_directory_is_read_as_spark_writes_it(tmp_path):
    for name in (
        *("_SUCCESS", "._SUCCESS.crc", "_metadata", "_temporary/0/part-9.parquet", "event=buy/part-1.parquet"),
        *("event=buy/.part-1.parquet.crc", "event=view/part-0.parquet"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    assert names(tmp_path, tmp_path) == ["event=buy/part-1.parquet", "event=view/part-0.parquet"]
    # Only directories match.
    assert names(tmp_path / "event=*", tmp_path) == ["event=buy/part-1.parquet", "event=view/part-0.parquet"]


def test_directories_beside_matching_files_are_no_input(folder):
    (folder / "copy.csv").mkdir()
    (folder / "copy.csv" / "x.csv").write_text("x")
    assert names(folder / "*.csv", folder) == ["a.csv", "b.csv"]


def test_directory_with_files_of_several_kinds_is_refused_with_a_pattern(tmp_path):
    for name in ("u.data", "u1.data.gz", "README"):
        (tmp_path / name).write_text("x")
    with pytest.raises(UserError, match=r"several kinds: without an extension, \.data\..*--data .*\*\*/\*\.data"):
        input_files(str(tmp_path))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("https://example.com/r.csv", "curl -LO https://example.com/r.csv"),
        ("hdfs://host/r.csv", "hdfs:// cannot be read"),
        ("missing.csv", "contains: .*a.csv"),
        ("no/such/log.csv", "No such file or directory"),
        ("*.tsv", "No file matches"),
        (".hidden/x", "contains: e.csv"),
    ],
)
def test_path_without_files_is_one_message(folder, monkeypatch, path, said):
    monkeypatch.chdir(folder)
    with pytest.raises(UserError, match=f"{said}.*Hint|Hint.*{said}"):
        input_files(path)


def test_empty_directory_and_broken_link_are_named(tmp_path):
    with pytest.raises(UserError, match="without data files"):
        input_files(str(tmp_path))
    (tmp_path / "log.csv").symlink_to("nowhere")
    with pytest.raises(UserError, match="cannot be read: No such file"):
        input_files(str(tmp_path / "log.csv"))


def test_file_url_is_a_path(folder):
    assert names(f"file://{folder}/a.csv", folder) == ["a.csv"]


def test_pipe_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert is_pipe(str(tmp_path / "pipe"))
    with pytest.raises(UserError, match="only once"):
        input_files(str(tmp_path / "pipe"))
    assert not is_pipe(str(tmp_path))


def test_directory_names_give_columns():
    path = "/data/a=b/event=buy/day=2020-01-01%2F2/none=__HIVE_DEFAULT_PARTITION__/x=y.parquet"
    assert partition_values(path) == {"a": "b", "event": "buy", "day": "2020-01-01/2", "none": None}


@pytest.mark.parametrize("hashed_bytes", [1 << 20, 0], ids=["by content", "by what the file system knows"])
def test_replaced_file_has_another_fingerprint(tmp_path, monkeypatch, hashed_bytes):
    monkeypatch.setattr(module, "_HASHED_BYTES", hashed_bytes)
    file, copy = tmp_path / "log.csv", tmp_path / "new.csv"
    file.write_text("u1,i1,1")
    os.utime(file, (1_700_000_000, 1_700_000_000))
    before = fingerprint([str(file)])
    assert fingerprint([str(file)]) == before
    # As cp -p, rsync -t, tar and unzip do: equal size and times.
    copy.write_text("u2,i2,2")
    os.utime(copy, (1_700_000_000, 1_700_000_000))
    os.replace(copy, file)
    assert fingerprint([str(file)]) != before


def test_rewritten_file_with_its_old_time_has_another_fingerprint(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_HASHED_BYTES", 0)
    file = tmp_path / "log.csv"
    file.write_text("u1,i1,1")
    before, times = fingerprint([str(file)]), os.stat(file)
    file.write_text("u2,i2,2")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert fingerprint([str(file)]) != before
