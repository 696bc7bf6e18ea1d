"""ExampleGen: files of interactions to one Example per user and split."""

from __future__ import annotations

import json
import os
import re
from importlib import metadata
from typing import Any

import apache_beam as beam
from google.protobuf import wrappers_pb2
from tfx import types
from tfx.components.example_gen import base_example_gen_executor
from tfx.components.example_gen.component import FileBasedExampleGen
from tfx.dsl.components.base import executor_spec
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils
from tfx.utils import proto_utils

from components.example_gen import beam_pipeline
from components.features import SPLITS
from components.settings import DataSettings, HistorySettings, SplitSettings

# Stands for the id of the run, where several runs share a folder: the id itself would keep TFX from using its cache.
RUN = "{RUN}"
_INPUT = "interactions"


class _Executor(base_example_gen_executor.BaseExampleGenExecutor):
    """Groups rows by user; TFX's base class writes the splits."""

    def GetInputSourceToExamplePTransform(self) -> beam.PTransform:  # noqa: N802 -- named by TFX
        """Not used: all splits come out of one pass over the rows."""
        raise NotImplementedError("InteractionExampleGen makes all splits at once, in GenerateExamplesByBeam")

    def Do(  # noqa: N802 -- named by TFX
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Remembers where the artifact is, for the side files."""
        self._artifact_dir = artifact_utils.get_single_uri(output_dict["examples"])
        super().Do(input_dict, output_dict, exec_properties)

    def GenerateExamplesByBeam(  # noqa: N802 -- named by TFX
        self, pipeline: beam.Pipeline, exec_properties: dict[str, Any]
    ) -> dict[str, beam.PCollection]:
        """See the base class."""
        config = example_gen_pb2.CustomConfig()
        proto_utils.json_to_proto(exec_properties["custom_config"], config)
        packed = wrappers_pb2.StringValue()
        config.custom_config.Unpack(packed)
        settings = json.loads(packed.value)
        inputs = example_gen_pb2.Input()
        proto_utils.json_to_proto(exec_properties["input_config"], inputs)
        run_id = self._context.pipeline_run_id if self._context else None
        return beam_pipeline.examples(
            pipeline,
            os.path.join(exec_properties["input_base"], inputs.splits[0].pattern),
            DataSettings.model_validate(settings["data"]),
            HistorySettings.model_validate(settings["histories"]),
            SplitSettings.model_validate(settings["split"]),
            counts_dir=self._artifact_dir,
            quarantine_dir=(settings["quarantine_dir"] or self._artifact_dir).replace(RUN, run_id or ""),
        )


class InteractionExampleGen(FileBasedExampleGen):
    """Reads interactions and leaves one Example per user and split (see `components.features`).

    Outputs:
        examples: Examples with the splits `train`, `valid` and `test`, as far as they are configured; at the
            artifact's root `counts.json`, what was read and what was left out.
    """

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(_Executor)

    def __init__(
        self,
        path: str,
        data: DataSettings | None = None,
        histories: HistorySettings | None = None,
        split: SplitSettings | None = None,
        quarantine_dir: str | None = None,
    ) -> None:
        """Declares the node.

        Args:
            path: file, glob, or pattern with `{SPAN}` (TFX then reads the newest span).
            data: how files are read.
            histories: how interactions become histories.
            split: how histories are divided.
            quarantine_dir: where `bad_rows.csv` goes; `{RUN}` in it is the id of the run; unset: beside the Examples.
        """
        split = split or SplitSettings()
        settings = {
            "data": (data or DataSettings()).model_dump(),
            "histories": (histories or HistorySettings()).model_dump(),
            "split": split.model_dump(),
            "quarantine_dir": quarantine_dir,
            # Another version may read the same file otherwise: it must not find the old one's output in the cache.
            "version": metadata.version("tfx-caser"),
        }
        config = example_gen_pb2.CustomConfig()
        config.custom_config.Pack(wrappers_pb2.StringValue(value=json.dumps(settings, sort_keys=True)))
        base, pattern = split_pattern(path)
        names = [name for name in SPLITS if split.has(name)]
        super().__init__(
            input_base=base,
            input_config=example_gen_pb2.Input(splits=[example_gen_pb2.Input.Split(name=_INPUT, pattern=pattern)]),
            output_config=example_gen_pb2.Output(
                split_config=example_gen_pb2.SplitConfig(
                    # TFX takes the names from here; who goes where is decided inside each history.
                    splits=[example_gen_pb2.SplitConfig.Split(name=name, hash_buckets=1) for name in names]
                )
            ),
            custom_config=config,
        )


def split_pattern(path: str) -> tuple[str, str]:
    """A path as TFX wants it.

    Args:
        path: file, glob, or pattern with `{SPAN}`.

    Returns:
        The folder above the first wildcard, and the rest.
    """
    wildcard = re.search(r"[*?\[{]", path)
    base = os.path.dirname(path[: wildcard.start()] if wildcard else path)
    return base, path[len(base) :].lstrip("/") if base else path
