"""TFX's Tuner executor, which also passes the valid split, the rules and the folder of the search to tuner_fn."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

from tfx import types
from tfx.components.tuner import executor
from tfx.utils import json_utils

from components.trainer.executor import with_other_inputs

# Entries of `custom_config`: directory of the finished trials, and the settings of the Tuner.
SEARCH_FOLDER, SETTINGS = "search_folder", "tuner"
# Settings that leave finished trials valid.
_SAME_SEARCH = ("enabled", "trials")


class Executor(executor.Executor):
    """Passes more to `tuner_fn` than TFX does."""

    def Do(  # noqa: N802 -- named by TFX
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Searches, and writes the best hyperparameters and all results."""
        settings = json.loads(exec_properties["settings"])
        config = with_other_inputs(json_utils.loads(exec_properties["custom_config"]), input_dict)
        same = {name: value for name, value in settings.items() if name not in _SAME_SEARCH}
        uris = {name: artifacts[0].uri for name, artifacts in input_dict.items() if artifacts}
        digest = hashlib.sha256(json.dumps([config, same, uris], sort_keys=True).encode()).hexdigest()[:16]
        config |= {SETTINGS: settings, SEARCH_FOLDER: os.path.join(exec_properties["directory"], digest)}
        super().Do(input_dict, output_dict, {**exec_properties, "custom_config": json_utils.dumps(config)})
