"""What `--data` is: the files behind a path, and their fingerprint. Check, cache and reader all ask here."""

from __future__ import annotations

import glob
import hashlib
import os
import re
import shlex
import stat
from pathlib import Path
from urllib.parse import unquote

from components.errors import UserError

# Placeholders of TFX for the latest span; before TFX resolves them, they stand for all spans.
_SPAN = re.compile(r"\{(SPAN|VERSION|YYYY|MM|DD)(:\d+)?\}")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_OBJECT_STORES = ("gs", "s3")
# Written by Spark, Hive and Databricks beside the data.
_MARKER_FILE = re.compile(r"_SUCCESS|_(common_)?metadata|_(committed|started)_.*")
# Files up to this size are compared by content, larger ones by what the file system knows of them.
_HASHED_BYTES = 64 << 20
_LISTED = 8


def input_files(path: str) -> list[str]:
    """The files behind a path, in the order in which they are read.

    An existing path is taken literally, glob characters included. A directory stands for all files in it, at any
    depth; a glob pattern for the files that match it (`**`: any depth), or for the directories if no file does.
    Hidden files and markers such as `_SUCCESS` are left out.

    Args:
        path: file, directory, glob pattern, pattern with `{SPAN}`, or such a path in `gs://` or `s3://`.

    Returns:
        Paths in ascending order.

    Raises:
        UserError: nothing is there, or it cannot be read.
    """
    if is_remote(path):
        return _remote_files(path)
    path = local_path(path)
    if os.path.lexists(path):
        return [_readable(file) for file in (_files_in(path) if os.path.isdir(path) else [path])]
    pattern = _SPAN.sub("*", path)
    if not glob.has_magic(pattern):
        raise UserError(_missing(path))
    matches = sorted({os.path.normpath(match) for match in glob.glob(pattern, recursive=True)})
    files = [match for match in matches if not os.path.isdir(match) and not _is_marker(match)]
    files = files or sorted({file for match in matches for file in _files_in(match)})
    if not files:
        raise UserError(f"No file matches {path}. Hint: check the pattern.")
    return [_readable(file) for file in files]


def has_span(path: str) -> bool:
    """Whether TFX should resolve a placeholder such as `{SPAN}` first."""
    return not os.path.lexists(path) and _SPAN.search(path) is not None


def is_remote(path: str) -> bool:
    """Whether the path is in an object store, which Beam reads.

    Raises:
        UserError: the path is a URL of another kind.
    """
    scheme = _URL.match(path)
    if scheme is None or (name := scheme.group()[:-3].lower()) == "file":
        return False
    if name in _OBJECT_STORES:
        return True
    hint = f"download it first: curl -LO {shlex.quote(path)}" if name in ("http", "https", "ftp") else "copy it here"
    raise UserError(
        f"{path}: {name}:// cannot be read. Hint: {hint}, or put it into gs:// or s3://, and pass its path."
    )


def local_path(path: str) -> str:
    """A path without `file://`."""
    if not path.lower().startswith("file://"):
        return path
    return unquote(path[len("file://") :].removeprefix("localhost"))


def is_pipe(path: str) -> bool:
    """Whether the path can only be read once, such as `<(command)` or /dev/stdin."""
    return os.path.exists(path) and not os.path.isdir(path) and not os.path.isfile(path)


def partition_values(file: str) -> dict[str, str | None]:
    """Columns that Hive, Spark and pandas keep in directory names.

    Args:
        file: such as `log/event=buy/date=2020-01-01/part-0.parquet`.

    Returns:
        Such as `{"event": "buy", "date": "2020-01-01"}`; None for Hive's null.
    """
    pairs = (part.partition("=") for part in file.split("/")[:-1])
    return {
        unquote(key): None if value == "__HIVE_DEFAULT_PARTITION__" else unquote(value)
        for key, equals, value in pairs
        if equals and key
    }


def fingerprint(files: list[str]) -> str:
    """A digest that differs if a file was changed or replaced, even by one of the same size and time.

    Args:
        files: from `input_files`.

    Returns:
        A hexadecimal digest. Small files count by content; large ones by size, inode, and times of modification and
        of change in nanoseconds (the latter cannot be set back); files in an object store by size and time.
    """
    digest = hashlib.sha256()
    for file in files:
        digest.update(os.fsencode(file) + b"\0")
        if is_remote(file):
            known = _remote_metadata(file)
            digest.update(f"{known.size_in_bytes} {known.last_updated_in_seconds}".encode())
            continue
        status = os.stat(file)
        if status.st_size > _HASHED_BYTES:
            digest.update(f"{status.st_size} {status.st_ino} {status.st_mtime_ns} {status.st_ctime_ns}".encode())
        else:
            digest.update(hashlib.sha256(Path(file).read_bytes()).digest())
    return digest.hexdigest()


def total_bytes(files: list[str]) -> int:
    """Size of all files, from `input_files`."""
    return sum(_remote_metadata(file).size_in_bytes if is_remote(file) else os.path.getsize(file) for file in files)


def _files_in(directory: str) -> list[str]:
    """All data files in a directory, as Spark and pandas see it.

    Raises:
        UserError: there are none, or they are of several kinds.
    """
    files = []
    for folder, folders, names in os.walk(directory, followlinks=True):
        folders[:] = sorted(name for name in folders if not _is_private(name))
        files += [os.path.join(folder, name) for name in names if not _is_private(name)]
    if not files:
        raise UserError(f"{directory} is a directory without data files. Hint: check the path.")
    kinds = sorted({_kind(file) for file in files})
    if len(kinds) > 1:
        first = max(kinds, key=[_kind(file) for file in files].count)
        pattern = shlex.quote(os.path.join(directory, "**", f"*{first}"))
        listed = ", ".join(kind or "without an extension" for kind in kinds[:_LISTED])
        raise UserError(
            f"{directory} is a directory with files of several kinds: {listed}. "
            f"Hint: pass those to read, such as --data {pattern}"
        )
    return sorted(files)


def _kind(file: str) -> str:
    """The extension of a file, without that of its compression."""
    root, extension = os.path.splitext(os.path.basename(file).lower())
    return os.path.splitext(root)[1] or extension if extension in (".gz", ".bz2", ".xz", ".zst", ".zip") else extension


def _is_private(name: str) -> bool:
    """Whether Spark and pandas leave this name of a directory's entry out."""
    return name.startswith(".") or (name.startswith("_") and "=" not in name)


def _is_marker(file: str) -> bool:
    return _MARKER_FILE.fullmatch(os.path.basename(file)) is not None


def _readable(file: str) -> str:
    try:
        mode = os.stat(file).st_mode
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}. Hint: check what it links to.") from None
    if not stat.S_ISREG(mode):
        raise UserError(
            f"{file} is a pipe or a device, which can be read only once. Hint: write its content to a file first."
        )
    if not os.access(file, os.R_OK):
        raise UserError(
            f"{file} cannot be read: permission denied. Hint: chmod +r {shlex.quote(file)}, or run as another user."
        )
    return file


def _missing(file: str) -> str:
    parent = Path(file).parent
    try:
        siblings = sorted(entry.name for entry in parent.iterdir() if not entry.name.startswith("."))[:_LISTED]
    except OSError as error:
        details = f" Directory {parent}: {error.strerror}."
    else:
        details = f" {parent} contains: {', '.join(siblings)}." if siblings else f" {parent} is empty."
    return f"File {file} does not exist.{details} Hint: check the path."


def _remote_files(path: str) -> list[str]:
    from apache_beam.io.filesystems import FileSystems

    try:
        matches = [file.path for file in FileSystems.match([_SPAN.sub("*", path)])[0].metadata_list]
        if not matches:
            matches = [file.path for file in FileSystems.match([f"{path.rstrip('/')}/**"])[0].metadata_list]
    except Exception as error:  # whatever the client of an object store raises
        scheme = path.partition("://")[0]
        extra = {"gs": "gcp", "s3": "aws"}[scheme.lower()]
        raise UserError(
            f"{path} cannot be read: {type(error).__name__}: {' '.join(str(error).split())[:300]}. "
            f"Hint: check path and credentials; Beam reads {scheme}:// with: pip install 'apache-beam[{extra}]'"
        ) from None
    files = [file for file in matches if not (_is_marker(file) or os.path.basename(file).startswith("."))]
    if not files:
        raise UserError(f"No file matches {path}. Hint: check the path.")
    return sorted(files)


def _remote_metadata(file: str):  # type: ignore[no-untyped-def]
    from apache_beam.io.filesystems import FileSystems

    return FileSystems.match([file])[0].metadata_list[0]
