"""TFX's Trainer executor, which also passes the valid split and the rules to run_fn."""

from __future__ import annotations

from typing import Any

from tfx import types
from tfx.components.trainer import executor
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.types import artifact_utils

from components.features import VALID

# Entries of `custom_config`: directory of the raw valid split, and URIs of the sequential rules and of the blocklist.
VALID_SPLIT, RULES, BLOCKLIST = "valid_split", "rules", "blocklist"


class Executor(executor.GenericExecutor):
    """Passes the locations of more inputs to `run_fn`, see `with_other_inputs`."""

    def _GetFnArgs(  # noqa: N802 -- named by TFX
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> FnArgs:
        fn_args = super()._GetFnArgs(input_dict, output_dict, exec_properties)
        fn_args.custom_config = with_other_inputs(fn_args.custom_config, input_dict)
        return fn_args


def with_other_inputs(custom_config: dict[str, Any], input_dict: dict[str, list[types.Artifact]]) -> dict[str, Any]:
    """Adds the locations of the raw valid split, of the rules and of the blocklist.

    Args:
        custom_config: of `run_fn`.
        input_dict: inputs of the node.
    """
    others = {}
    raw = input_dict.get("raw_examples")
    if raw and VALID in artifact_utils.decode_split_names(raw[0].split_names):
        others[VALID_SPLIT] = artifact_utils.get_split_uri(raw, VALID)
    for name in (RULES, BLOCKLIST):
        if input_dict.get(name):
            others[name] = artifact_utils.get_single_uri(input_dict[name])
    return {**custom_config, **others}
