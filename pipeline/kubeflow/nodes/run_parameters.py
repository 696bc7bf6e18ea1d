"""Run parameters of the Kubeflow pipeline, which can be changed without recompiling."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from google.protobuf import wrappers_pb2
from pydantic import ValidationError
from tfx.proto import example_gen_pb2
from tfx.proto.orchestration import pipeline_pb2
from tfx.utils import json_utils, proto_utils

from components.errors import UserError
from components.example_gen.settings import DataSettings, HistorySettings, SplitSettings
from components.trainer.settings import TrainerSettings
from pipeline.config.config import Config
from pipeline.kubeflow.nodes.node_ir import only_node

# Numbers cannot be unset in Kubeflow: 0 means the default.
_DEFAULT_EPOCHS = 0


class RunParameter(NamedTuple):
    """One parameter.

    Attributes:
        name: name in Kubeflow and of the option of the step.
        type: Kubeflow's name of the type.
        default: default value.
        node_id: node that uses the parameter.
        description: description in Kubeflow's UI.
    """

    name: str
    type: str
    default: str | int | bool
    node_id: str
    description: str


def run_parameters(config: Config, data: str) -> list[RunParameter]:
    """All run parameters with their defaults.

    Args:
        config: configuration of the compiled pipeline.
        data: path of the interactions; relative paths are below the volume.
    """
    return [
        RunParameter(
            "data",
            "STRING",
            data,
            "InteractionExampleGen",
            "Interactions: file, glob pattern, or pattern with {SPAN}; relative paths are below the volume.",
        ),
        RunParameter(
            "epochs",
            "NUMBER_INTEGER",
            config.trainer.epochs or _DEFAULT_EPOCHS,
            "CaserTrainer",
            "Number of training epochs; 0: the default for the size of the data.",
        ),
        RunParameter(
            "push",
            "BOOLEAN",
            config.pusher.enabled,
            "CaserPusher",
            "Whether to publish a blessed model.",
        ),
    ]


def set_data(ir: pipeline_pb2.Pipeline, data: str, volume: str) -> None:
    """Sets the input of ExampleGen, after checking the files.

    Args:
        ir: restored IR of InteractionExampleGen; modified by this function.
        data: file, glob pattern, or pattern with `{SPAN}`.
        volume: path of the volume, for relative paths.

    Raises:
        UserError: the input is invalid.
    """
    # Imported by need: Beam takes seconds, and only one node uses this.
    from components.example_gen.component import split_pattern
    from components.example_gen.preflight import check_input

    path = data if "://" in data else os.path.join(volume, data)
    parameters = only_node(ir).parameters.parameters
    config = example_gen_pb2.CustomConfig()
    proto_utils.json_to_proto(parameters["custom_config"].field_value.string_value, config)
    message = wrappers_pb2.StringValue()
    config.custom_config.Unpack(message)
    settings = json.loads(message.value)
    check_input(
        path,
        DataSettings.model_validate(settings["data"]),
        HistorySettings.model_validate(settings["histories"]),
        SplitSettings.model_validate(settings["split"]),
    )
    base, pattern = split_pattern(path)
    inputs = example_gen_pb2.Input()
    proto_utils.json_to_proto(parameters["input_config"].field_value.string_value, inputs)
    inputs.splits[0].pattern = pattern
    parameters["input_base"].field_value.string_value = base
    parameters["input_config"].field_value.string_value = proto_utils.proto_to_json(inputs)


def set_epochs(ir: pipeline_pb2.Pipeline, epochs: str) -> None:
    """Sets the number of epochs.

    Args:
        ir: IR of CaserTrainer; modified by this function.
        epochs: value from Kubeflow, such as "5"; "0" for the default.

    Raises:
        UserError: the value is not a valid number of epochs.
    """
    value = only_node(ir).parameters.parameters["custom_config"].field_value
    config: dict[str, Any] = json_utils.loads(value.string_value)
    try:
        value_or_none = None if epochs == str(_DEFAULT_EPOCHS) else epochs
        trainer = TrainerSettings.model_validate({**config["trainer"], "epochs": value_or_none})
    except ValidationError:
        raise UserError(
            f"The parameter `epochs` should be a whole number of at least 1, or 0 for the default. Received: {epochs}"
        ) from None
    value.string_value = json_utils.dumps({**config, "trainer": trainer.model_dump()})


def is_true(name: str, value: str) -> bool:
    """Parses a BOOLEAN parameter.

    Args:
        name: name of the parameter.
        value: value from Kubeflow.

    Raises:
        UserError: the value is neither true nor false.
    """
    known: Mapping[str, bool] = {"true": True, "false": False}
    if value.lower() not in known:
        raise UserError(f"The parameter `{name}` should be true or false. Received: {value}")
    return known[value.lower()]
