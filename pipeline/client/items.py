"""Titles and other columns of items, for clients: from the model, or from a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from components.errors import UserError

_LISTED = 10


class Items:
    """A table of items. All values are text; several of one item are separated by "|"."""

    def __init__(self, columns: Mapping[str, Sequence[str | None]], name: str) -> None:
        """Use `read` or `of_model` instead.

        Args:
            columns: values by column, in the order of the file; `item_id` and `title` are among them.
            name: where they are from, for messages.
        """
        from components.items_gen.item_files import ITEM, TITLE

        self._columns, self._name = columns, name
        self._ids = [str(id_) for id_ in columns[ITEM]]
        self._titles = {id_: title for id_, title in zip(columns[ITEM], columns[TITLE], strict=True) if title}

    @classmethod
    def read(cls, path: str | Path, id_column: str = "item_id") -> Items:
        """Reads a CSV or Parquet file.

        Args:
            path: what `data.items` takes.
            id_column: the column with IDs; `item_id` and `id` are found, too.

        Raises:
            UserError: see `components.items_gen.item_files.read_items`.
        """
        from components.items_gen.item_files import read_items

        return cls(read_items(str(path), id_column, setting="--items").to_pydict(), str(path))

    @classmethod
    def of_model(cls, folder: Path) -> Items | None:
        """The items that the Pusher stored with a version; None if there are none.

        Args:
            folder: directory of the version.
        """
        from components.export.model_info import EXTRA
        from components.items_gen.item_files import ITEMS_FILE

        file = folder / EXTRA / ITEMS_FILE
        if not file.is_file():
            return None
        import pyarrow.parquet as pq

        return cls(pq.read_table(file).to_pydict(), str(folder))

    def titles(self, item_ids: Sequence[str]) -> list[str]:
        """Titles of items; "" where there is none.

        Args:
            item_ids: any IDs.
        """
        return [self._titles.get(id_, "") for id_ in item_ids]

    def where(self, conditions: Sequence[tuple[str, str]]) -> list[str]:
        """The items that meet all conditions.

        Args:
            conditions: column and value; an item with several values meets one that names any of them.

        Returns:
            Their IDs, at least one.

        Raises:
            UserError: there is no such column, or no such item.
        """
        from components.items_gen.item_files import SEVERAL

        found = list(range(len(self._ids)))
        for column, value in conditions:
            if column not in self._columns:
                known = ", ".join(self._columns)
                raise UserError(f"{self._name} has no column `{column}`. Hint: its columns are {known}.")
            cells = [(self._columns[column][row] or "").split(SEVERAL) for row in range(len(self._ids))]
            found = [row for row in found if value in cells[row]]
            if not found:
                every = sorted({part for cell in cells for part in cell if part})
                listed = ", ".join(every[:_LISTED]) + (", ..." if len(every) > _LISTED else "")
                wanted = " and ".join(f"{name}={text}" for name, text in conditions)
                raise UserError(f"No item has {wanted}. Hint: values of `{column}` are {listed}.")
        return [self._ids[row] for row in found]


def parse_condition(text: str) -> tuple[str, str]:
    """A condition such as `category=book`.

    Args:
        text: of the option `--where`.

    Raises:
        UserError: it has no column or no value.
    """
    column, _, value = text.partition("=")
    if not column.strip() or not value.strip():
        raise UserError(f"--where should be COLUMN=VALUE, such as category=book. Received: {text!r}")
    return column.strip(), value.strip()
