"""Marks a blessing as TFX's Evaluator does."""

from __future__ import annotations

import os

from tfx import types
from tfx.components.evaluator import constants
from tfx.utils import io_utils

# Custom property with the node that blesses; TFX's Evaluator sets none.
VALIDATOR = "validator"


def bless(blessing: types.Artifact, blessed: bool, model: types.Artifact, validator: str) -> None:
    """Marks a blessing.

    Args:
        blessing: output artifact.
        blessed: whether it is a blessing or a refusal.
        model: the model it is about.
        validator: the node that blesses; its last word on a model counts.
    """
    name = constants.BLESSED_FILE_NAME if blessed else constants.NOT_BLESSED_FILE_NAME
    io_utils.write_string_file(os.path.join(blessing.uri, name), "")
    blessing.set_int_custom_property(
        constants.ARTIFACT_PROPERTY_BLESSED_KEY,
        constants.BLESSED_VALUE if blessed else constants.NOT_BLESSED_VALUE,
    )
    blessing.set_string_custom_property(VALIDATOR, validator)
    blessing.set_string_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri)
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id)
