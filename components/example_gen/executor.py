"""Executor of InteractionExampleGen: unpacks the settings and hands over to Beam."""

from __future__ import annotations

from typing import Any

import apache_beam as beam
from tfx import types
from tfx.components.example_gen import base_example_gen_executor
from tfx.types import artifact_utils

from components.example_gen import beam_pipeline
from components.example_gen.driver import files_to_read, settings_of
from components.example_gen.settings import DataSettings, HistorySettings, SplitSettings

# Placeholder for the run ID if several runs share a directory; the ID itself would defeat TFX's cache.
RUN = "{RUN}"


class Executor(base_example_gen_executor.BaseExampleGenExecutor):
    """Groups interactions by user and writes the splits."""

    def GetInputSourceToExamplePTransform(self) -> beam.PTransform:  # noqa: N802 -- named by TFX
        """Not used: one pass over the input produces all splits."""
        raise NotImplementedError("InteractionExampleGen produces all splits in GenerateExamplesByBeam")

    def Do(  # noqa: N802 -- named by TFX
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Remembers the artifact, which `GenerateExamplesByBeam` is not told."""
        self._examples = output_dict["examples"]
        super().Do(input_dict, output_dict, exec_properties)

    def GenerateExamplesByBeam(  # noqa: N802 -- named by TFX
        self, pipeline: beam.Pipeline, exec_properties: dict[str, Any]
    ) -> dict[str, beam.PCollection]:
        """Builds the Beam pipeline that writes all splits; nothing is left for TFX to write."""
        settings = settings_of(exec_properties)
        run_id = self._context.pipeline_run_id if self._context else None
        artifact_dir = artifact_utils.get_single_uri(self._examples)
        split = SplitSettings.model_validate(settings["split"])
        names = artifact_utils.decode_split_names(artifact_utils.get_single_instance(self._examples).split_names)
        beam_pipeline.write_examples(
            pipeline,
            files_to_read(exec_properties),
            DataSettings.model_validate(settings["data"]),
            HistorySettings.model_validate(settings["histories"]),
            split,
            {name: artifact_utils.get_split_uri(self._examples, name) for name in names},
            counts_dir=artifact_dir,
            quarantine_dir=(settings["quarantine_dir"] or artifact_dir).replace(RUN, run_id or ""),
        )
        return {}
