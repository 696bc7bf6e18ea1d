"""Driver of InteractionExampleGen: resolves `{SPAN}` as TFX does, and decides whether cached Examples are reused."""

from __future__ import annotations

import json
import os
from typing import Any

from google.protobuf import wrappers_pb2
from tfx.components.example_gen import driver, utils
from tfx.orchestration import data_types
from tfx.proto import example_gen_pb2
from tfx.types import standard_component_specs
from tfx.utils import proto_utils

from components.errors import UserError
from components.example_gen.inputs.input_files import fingerprint, has_span, input_files
from components.example_gen.inputs.spans import latest_spans


class Driver(driver.FileBasedDriver):
    """TFX's driver with a fingerprint of contents: TFX compares sizes and times in whole seconds."""

    def resolve_exec_properties(
        self,
        exec_properties: dict[str, Any],
        pipeline_info: data_types.PipelineInfo,
        component_info: data_types.ComponentInfo,
    ) -> dict[str, Any]:
        """Adds span, version and fingerprint.

        Raises:
            UserError: there is no readable file.
        """
        data = settings_of(exec_properties)["data"]
        if data["last_spans"]:
            # TFX resolves a single span.
            newest = latest_spans(input_path(exec_properties), data["last_spans"]).newest
            properties = {**exec_properties, utils.SPAN_PROPERTY_NAME: newest, utils.VERSION_PROPERTY_NAME: None}
        elif has_span(input_path(exec_properties)):
            try:
                properties = super().resolve_exec_properties(exec_properties, pipeline_info, component_info)
            except ValueError as error:
                raise UserError(
                    f"{input_path(exec_properties)}: no span can be found: {error}. "
                    "Hint: name files or directories by whole numbers, such as span-1, span-2."
                ) from None
        else:
            # Not by TFX, whose file systems differ from those of Beam, which reads the files.
            properties = {**exec_properties, utils.SPAN_PROPERTY_NAME: 0, utils.VERSION_PROPERTY_NAME: None}
        files = files_to_read(properties)
        # Who is left out decides what is in the Examples, too.
        if exclude := data["exclude_users"]:
            files = files + input_files(exclude)
        return {**properties, utils.FINGERPRINT_PROPERTY_NAME: fingerprint(files)}


def files_to_read(exec_properties: dict[str, Any]) -> list[str]:
    """The files that the node reads.

    Args:
        exec_properties: from the driver.
    """
    path, spans = input_path(exec_properties), settings_of(exec_properties)["data"]["last_spans"]
    if spans:
        return latest_spans(path, spans, int(exec_properties[utils.SPAN_PROPERTY_NAME])).files
    return input_files(path)


def settings_of(exec_properties: dict[str, Any]) -> dict[str, Any]:
    """The settings that the component packed."""
    config = example_gen_pb2.CustomConfig()
    proto_utils.json_to_proto(exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY], config)
    message = wrappers_pb2.StringValue()
    config.custom_config.Unpack(message)
    return dict(json.loads(message.value))


def input_path(exec_properties: dict[str, Any]) -> str:
    """The input's path or pattern, as `split_pattern` took it apart."""
    config = example_gen_pb2.Input()
    proto_utils.json_to_proto(exec_properties[standard_component_specs.INPUT_CONFIG_KEY], config)
    return os.path.join(exec_properties[standard_component_specs.INPUT_BASE_KEY], config.splits[0].pattern)
