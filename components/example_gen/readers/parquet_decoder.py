"""Decodes Parquet in a child process: a damaged file can crash the library, and with it the process that uses it.

The child is kept for the next file. It answers a line with a path by the schema, and a line with column names by record
batches; both lines are JSON, and answers are frames: a letter, the length and the bytes.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from typing import IO, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

# Without it pyarrow 10 (TFX 1.16) unpickles what a column's metadata calls `arrow.py_extension_type`: CVE-2023-47248.
import pyarrow_hotfix  # noqa: F401

from components.processes import isolated_command

PICKLED_TYPE = "arrow.py_extension_type"

_ROWS = 1 << 17
_FRAME = struct.Struct(">cQ")
_SCHEMA, _BATCH, _END, _ERROR, _PICKLED = b"S", b"B", b"E", b"X", b"P"

_idle: list[subprocess.Popen[bytes]] = []


class NotParquetError(Exception):
    """The file cannot be decoded; the message is one line."""


class PickledTypeError(Exception):
    """A column has a type that is pickled Python code, which was not loaded."""


class ParquetContent(NamedTuple):
    """An open file: its schema, the number of rows it should have, and the child that decodes it."""

    schema: pa.Schema
    rows: int
    child: subprocess.Popen[bytes]

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Decodes some columns, once.

        Args:
            columns: their names.

        Yields:
            Record batches, whose values are valid for their types.

        Raises:
            NotParquetError: the file is damaged.
        """
        _ask(self.child, columns)
        while (frame := _answer(self.child))[0] == _BATCH:
            with pa.ipc.open_stream(frame[1]) as stream:
                yield from stream


@contextlib.contextmanager
def open_parquet(stream: IO[bytes]) -> Iterator[ParquetContent]:
    """Opens a Parquet file.

    Args:
        stream: its bytes; a file of this machine, or anything that can be copied to one.

    Raises:
        NotParquetError: the file is damaged.
        PickledTypeError: see there.
    """
    with _local_path(stream) as path:
        child = _idle.pop() if _idle else _start()
        try:
            _ask(child, path)
            _, answer = _answer(child)
            rows, schema = answer[:8], answer[8:]
            yield ParquetContent(pa.ipc.read_schema(pa.py_buffer(schema)), int.from_bytes(rows, "big"), child)
        except BaseException:
            # In the middle of a file, or after an error, it is of no more use.
            _stop(child)
            raise
        _idle.append(child)


@contextlib.contextmanager
def _local_path(stream: IO[bytes]) -> Iterator[str]:
    name = getattr(stream, "name", None)
    if isinstance(name, str) and os.path.isfile(name):
        yield os.path.abspath(name)
        return
    with tempfile.NamedTemporaryFile(suffix=".parquet") as copy:
        shutil.copyfileobj(stream, copy, 1 << 20)
        copy.flush()
        yield copy.name


def _start() -> subprocess.Popen[bytes]:
    command = isolated_command(__name__, [])
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.communicate()


@atexit.register
def _stop_idle() -> None:
    while _idle:
        _stop(_idle.pop())


def _ask(child: subprocess.Popen[bytes], question: object) -> None:
    assert child.stdin
    with contextlib.suppress(BrokenPipeError):  # then there is no answer
        child.stdin.write(json.dumps(question).encode() + b"\n")
        child.stdin.flush()


def _answer(child: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    assert child.stdout
    head = child.stdout.read(_FRAME.size)
    if len(head) == _FRAME.size:
        kind, length = _FRAME.unpack(head)
        content = child.stdout.read(length)
        if kind == _PICKLED:
            raise PickledTypeError
        if kind == _ERROR:
            raise NotParquetError(content.decode())
        if len(content) == length:
            return kind, content
    raise NotParquetError("the Parquet library crashed on it")


def _serve() -> None:
    """Answers questions from standard input until its end."""
    # Whatever prints must not come between the frames.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def answer(kind: bytes, content: bytes = b"") -> None:
        answers.write(_FRAME.pack(kind, len(content)))
        answers.write(content)
        answers.flush()

    for line in sys.stdin:
        try:
            file = _opened(json.loads(line))
            answer(_SCHEMA, file.metadata.num_rows.to_bytes(8, "big") + file.schema_arrow.serialize().to_pybytes())
            for batch in _decoded(file, json.loads(sys.stdin.readline())):
                answer(_BATCH, batch)
            answer(_END)
        except PickledTypeError:
            answer(_PICKLED)
        except Exception as error:
            answer(
                _ERROR, next(iter(str(error).splitlines()), type(error).__name__).encode("utf-8", "backslashreplace")
            )


def _opened(path: str) -> pq.ParquetFile:
    try:
        file = pq.ParquetFile(path)
        types = {(field.metadata or {}).get(b"ARROW:extension:name", b"").decode() for field in file.schema_arrow}
    except RuntimeError as error:
        # Raised by pyarrow_hotfix. Its message quotes the pickled bytes, which are untrusted.
        if PICKLED_TYPE not in str(error):
            raise
        types = {PICKLED_TYPE}
    if PICKLED_TYPE in types:
        raise PickledTypeError
    return file


def _decoded(file: pq.ParquetFile, columns: list[str]) -> Iterator[bytes]:
    rows = 0
    for batch in file.iter_batches(_ROWS, columns=columns):
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            try:
                column.validate(full=True)
            except pa.ArrowInvalid as error:
                raise pa.ArrowInvalid(f"column `{name}`: {error}") from None
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        yield sink.getvalue().to_pybytes()
        rows += batch.num_rows
        # A damaged page may claim billions of rows.
        if rows > file.metadata.num_rows:
            return


if __name__ == "__main__":
    _serve()
