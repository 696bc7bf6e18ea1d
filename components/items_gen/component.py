"""ItemsGen: a file about items -> an artifact that other nodes read."""

from __future__ import annotations

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel_utils, component_spec

from components.items_gen.artifact import ItemsArtifact
from components.items_gen.driver import FINGERPRINT, Driver
from components.items_gen.executor import Executor


class _ItemsGenSpec(component_spec.ComponentSpec):
    PARAMETERS = {
        "path": component_spec.ExecutionParameter(type=str),
        "setting": component_spec.ExecutionParameter(type=str),
        "id_column": component_spec.ExecutionParameter(type=str, optional=True),
        "encoding": component_spec.ExecutionParameter(type=str),
        # Set by the driver.
        FINGERPRINT: component_spec.ExecutionParameter(type=str, optional=True),
    }
    INPUTS: dict[str, component_spec.ChannelParameter] = {}
    OUTPUTS = {"items": component_spec.ChannelParameter(type=ItemsArtifact)}


class ItemsGen(base_component.BaseComponent):
    """Reads a file about items: titles and other columns (`data.items`), or a blocklist (`recommend.blocklist`).

    It runs again when the content of the file changes.

    Outputs:
        items: `items.parquet`, see `components.items_gen.item_files`.
    """

    SPEC_CLASS = _ItemsGenSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
    DRIVER_CLASS = Driver

    def __init__(self, path: str, id_column: str | None = None, encoding: str = "auto") -> None:
        """Declares the node.

        Args:
            path: what `input_files` takes.
            id_column: name of the column with IDs; None: a text file with an ID per line.
            encoding: of text with columns, see `data.encoding`.
        """
        super().__init__(
            _ItemsGenSpec(
                path=path,
                setting="data.items" if id_column else "recommend.blocklist",
                id_column=id_column,
                encoding=encoding,
                items=channel_utils.as_channel([ItemsArtifact()]),
            )
        )
