"""Marks a blessing as TFX's Evaluator does."""

from __future__ import annotations

import os

from tfx import types
from tfx.components.evaluator import constants
from tfx.utils import io_utils


def bless(blessing: types.Artifact, blessed: bool, model: types.Artifact) -> None:
    """Marks a blessing.

    Args:
        blessing: output artifact.
        blessed: whether it is a blessing or a refusal.
        model: the model it is about.
    """
    name = constants.BLESSED_FILE_NAME if blessed else constants.NOT_BLESSED_FILE_NAME
    io_utils.write_string_file(os.path.join(blessing.uri, name), "")
    blessing.set_int_custom_property(
        constants.ARTIFACT_PROPERTY_BLESSED_KEY,
        constants.BLESSED_VALUE if blessed else constants.NOT_BLESSED_VALUE,
    )
    blessing.set_string_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri)
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id)
