"""What a user may change from run to run without compiling anew: parameters of the Kubeflow pipeline."""

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

# Kubeflow's parameters have no unset numbers.
_AS_DATA_SUGGEST = 0


class RunParameter(NamedTuple):
    """One parameter.

    Attributes:
        name: in Kubeflow, and as an option of the step.
        type: Kubeflow's name of the type.
        default: unless the user says otherwise.
        node_id: of the node that it concerns.
        description: is shown in Kubeflow's UI.
    """

    name: str
    type: str
    default: str | int | bool
    node_id: str
    description: str


def run_parameters(config: Config, data: str) -> list[RunParameter]:
    """All parameters with the defaults that a configuration gives them.

    Args:
        config: of the compiled pipeline.
        data: path of the interactions; relative ones are below the volume.
    """
    return [
        RunParameter(
            "data",
            "STRING",
            data,
            "InteractionExampleGen",
            "File, glob or {SPAN} pattern of interactions; a relative path is below the volume.",
        ),
        RunParameter(
            "epochs",
            "NUMBER_INTEGER",
            config.trainer.epochs or _AS_DATA_SUGGEST,
            "CaserTrainer",
            "Epochs of training; 0 takes as many as the data suggest.",
        ),
        RunParameter(
            "push",
            "BOOLEAN",
            config.pusher.enabled,
            "CaserPusher",
            "Whether a blessed model is put in place.",
        ),
    ]


def read_data_from(ir: pipeline_pb2.Pipeline, data: str, volume: str) -> None:
    """Lets ExampleGen read other files, after a look at them.

    Args:
        ir: of InteractionExampleGen, restored; is changed.
        data: path, glob or `{SPAN}` pattern.
        volume: folder that a relative path is below.

    Raises:
        UserError: the files will not do.
    """
    # Imported by need: Beam takes seconds, and this runs in the pod of one node.
    from components.example_gen.component import split_pattern
    from components.example_gen.preflight import check_input

    path = data if "://" in data else os.path.join(volume, data)
    parameters = only_node(ir).parameters.parameters
    config = example_gen_pb2.CustomConfig()
    proto_utils.json_to_proto(parameters["custom_config"].field_value.string_value, config)
    packed = wrappers_pb2.StringValue()
    config.custom_config.Unpack(packed)
    settings = json.loads(packed.value)
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


def train_epochs(ir: pipeline_pb2.Pipeline, epochs: str) -> None:
    """Sets the number of epochs.

    Args:
        ir: of CaserTrainer; is changed.
        epochs: as Kubeflow passes it, such as "5"; "0" for what the data suggest.

    Raises:
        UserError: it is no such number.
    """
    value = only_node(ir).parameters.parameters["custom_config"].field_value
    config: dict[str, Any] = json_utils.loads(value.string_value)
    try:
        chosen = None if epochs == str(_AS_DATA_SUGGEST) else epochs
        trainer = TrainerSettings.model_validate({**config["trainer"], "epochs": chosen})
    except ValidationError:
        raise UserError(
            "The parameter `epochs` should be a whole number from 1 on, or 0 for as many as the data suggest. "
            f"Received: {epochs}"
        ) from None
    value.string_value = json_utils.dumps({**config, "trainer": trainer.model_dump()})


def is_true(name: str, value: str) -> bool:
    """A parameter of type BOOLEAN as Kubeflow passes it.

    Raises:
        UserError: it is neither true nor false.
    """
    known: Mapping[str, bool] = {"true": True, "false": False}
    if value.lower() not in known:
        raise UserError(f"The parameter `{name}` should be true or false. Received: {value}")
    return known[value.lower()]
