"""InteractionExampleGen: interaction files -> one Example per user and split."""

from __future__ import annotations

import json
import os
import re
from importlib import metadata

from google.protobuf import wrappers_pb2
from tfx.components.example_gen.component import FileBasedExampleGen
from tfx.dsl.components.base import executor_spec
from tfx.proto import example_gen_pb2

from components.example_gen.driver import Driver
from components.example_gen.executor import Executor
from components.example_gen.settings import DataSettings, HistorySettings, SplitSettings
from components.features import ALL, SPLITS

_INPUT = "interactions"


class InteractionExampleGen(FileBasedExampleGen):
    """Reads interaction files and writes one Example per user and split (see `components.features`).

    Outputs:
        examples: Examples with the configured splits among `train`, `valid` and `test`, and on request `all`, the
            complete histories. `counts.json` at the root of the artifact counts what was read and what was dropped.
    """

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)
    DRIVER_CLASS = Driver

    def __init__(
        self,
        path: str,
        data: DataSettings | None = None,
        histories: HistorySettings | None = None,
        split: SplitSettings | None = None,
        quarantine_dir: str | None = None,
        complete_histories: bool = False,
    ) -> None:
        """Declares the node.

        Args:
            path: what `input_files` takes; of a pattern with `{SPAN}`, TFX reads the latest span.
            data: how files are read.
            histories: how interactions are filtered and ordered.
            split: how histories are split.
            quarantine_dir: directory for `bad_rows.csv`; `{RUN}` is replaced by the run ID. Default: the artifact.
            complete_histories: whether to write the split `all`, too.
        """
        split = split or SplitSettings()
        settings = {
            "data": (data or DataSettings()).model_dump(exclude={"items"}),
            "histories": (histories or HistorySettings()).model_dump(),
            "split": split.model_dump(),
            "quarantine_dir": quarantine_dir,
            # A new version may parse files differently, so it must not reuse cached outputs of an old one.
            "version": metadata.version("tfx-caser"),
        }
        config = example_gen_pb2.CustomConfig()
        config.custom_config.Pack(wrappers_pb2.StringValue(value=json.dumps(settings, sort_keys=True)))
        base, pattern = split_pattern(path)
        names = [*(name for name in SPLITS if split.has(name)), *([ALL] if complete_histories else [])]
        super().__init__(
            input_base=base,
            input_config=example_gen_pb2.Input(splits=[example_gen_pb2.Input.Split(name=_INPUT, pattern=pattern)]),
            output_config=example_gen_pb2.Output(
                split_config=example_gen_pb2.SplitConfig(
                    # TFX only takes the names from here; histories are split by the executor.
                    splits=[example_gen_pb2.SplitConfig.Split(name=name, hash_buckets=1) for name in names]
                )
            ),
            custom_config=config,
        )


def split_pattern(path: str) -> tuple[str, str]:
    """Splits a path into TFX's `input_base` and `pattern`.

    Args:
        path: file, glob pattern, or pattern with `{SPAN}`.

    Returns:
        The directory above the first wildcard, and the rest.
    """
    wildcard = re.search(r"[*?\[{]", path)
    base = os.path.dirname(path[: wildcard.start()] if wildcard else path)
    return base, path[len(base) :].lstrip("/") if base else path
