"""Text files with an ID per line."""

from __future__ import annotations

from components.errors import UserError
from components.example_gen.inputs.input_files import input_files
from components.example_gen.settings import DataSettings
from components.files import read_lines


def excluded_users(data: DataSettings) -> set[bytes]:
    """The user ids in `data.exclude_users`: users who asked for it. None if it is unset.

    Args:
        data: settings.

    Raises:
        UserError: the file cannot be read.
    """
    return set() if data.exclude_users is None else read_id_list(data.exclude_users, "`data.exclude_users`")


def read_id_list(path: str, name: str, what: str = "a user ID") -> set[bytes]:
    """The IDs in a file.

    Args:
        path: what `input_files` takes.
        name: of the setting or option, for messages.
        what: what a line holds, for messages.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        # Excel and Notepad begin a text with a byte order mark, which would belong to the first ID.
        lines = [
            (line if number else line.removeprefix("\ufeff")).strip()
            for file in input_files(path)
            for number, line in enumerate(read_lines(file))
        ]
    except UserError as error:
        raise UserError(f"{name}: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UserError(
            f"{name} {path} cannot be read: {reason}. Hint: pass a text file with {what} per line."
        ) from None
    return {line.encode() for line in lines if line}
