"""Atomic writes and locks, with real processes."""

import subprocess
import sys

import pytest

from components.export.model_info import read_blocklist, write_blocklist
from components.files import exclusive_lock, read_lines, write_text

HOLDER = """
import sys
from components.files import exclusive_lock
with exclusive_lock(sys.argv[1]):
    print("locked", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """A process that holds the lock `tmp_path/lock` until its input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, tmp_path / "lock"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "locked\n"
        yield process
        process.kill()


def test_written_file_replaces_the_old_one(tmp_path):
    file = tmp_path / "file.txt"
    file.write_text("a longer old content")
    write_text(file, "größer")
    assert file.read_text(encoding="utf-8") == "größer"
    assert list(tmp_path.iterdir()) == [file]


def test_failed_write_keeps_the_old_file(tmp_path):
    file = tmp_path / "file.txt"
    file.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_text(file, "new \ud800")
    assert file.read_text() == "old"


def test_file_in_an_object_store_is_written(tmp_path):
    write_text(f"file://{tmp_path}/file.txt", "content")
    assert (tmp_path / "file.txt").read_text() == "content"


def test_lock_of_another_process_is_an_error_without_waiting(holder, tmp_path):
    with pytest.raises(BlockingIOError), exclusive_lock(tmp_path / "lock", wait=False):
        pass


def test_lock_of_a_killed_process_is_free(holder, tmp_path):
    holder.kill()
    holder.wait()
    with exclusive_lock(tmp_path / "lock", wait=False):
        assert (tmp_path / "lock").exists()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_of_ids_keep_other_line_separators(end, tmp_path):
    ids = ["i1", "a\u2028b", "a\x85b", "a\x0cb", "\x1c", "last"]
    (tmp_path / "ids.txt").write_bytes("".join(f"{id_}{end}" for id_ in ids).encode())
    assert read_lines(tmp_path / "ids.txt") == ids
    (tmp_path / "ids.txt").write_bytes(end.join(ids).encode())
    assert read_lines(tmp_path / "ids.txt") == ids
    (tmp_path / "ids.txt").write_bytes(b"")
    assert read_lines(tmp_path / "ids.txt") == []


def test_blocklist_of_a_model_keeps_ids_with_line_separators(tmp_path):
    blocked = ["i1", "a\u2028b"]
    write_blocklist(str(tmp_path), blocked)
    assert read_blocklist(str(tmp_path)) == blocked
