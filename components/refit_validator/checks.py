"""Checks of a refitted model that need no labels: it has seen them all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tfx.utils import io_utils

from components.export.signatures import ITEMS, SERVE_TF_EXAMPLE
from components.refit_trainer.settings import RefitSettings

TOP = 10
RESULT_FILE = "refit_validation.json"

# Recommends for serialized raw Examples, string [B]: item IDs, bytes [B, k], "" where fewer are left.
Recommend = Callable[[tf.Tensor], np.ndarray]


class RefitValidation(NamedTuple):
    """The verdict.

    Attributes:
        blessed: whether the refitted model may be served.
        reason: why, in words.
        users: number of users whose recommendations were compared.
        overlap: mean fraction of the evaluated model's top 10 that is in the refitted model's.
        coverage: coverage@10 of the refitted model over these users.
        evaluated_coverage: the same of the evaluated model.
        new_items: items that only the refitted model knows.
        recommended_new_items: those of them in a top 10.
    """

    blessed: bool
    reason: str
    users: int = 0
    overlap: float = 0.0
    coverage: float = 0.0
    evaluated_coverage: float = 0.0
    new_items: int = 0
    recommended_new_items: int = 0

    def write(self, uri: str) -> None:
        """Writes the artifact."""
        io_utils.write_string_file(os.path.join(uri, RESULT_FILE), json.dumps(self._asdict(), indent=1))

    @classmethod
    def read(cls, uri: str) -> RefitValidation:
        """Reads the artifact."""
        return cls(**json.loads(io_utils.read_string_file(os.path.join(uri, RESULT_FILE))))


def compare(
    evaluated: Sequence[Sequence[bytes]],
    refitted: Sequence[Sequence[bytes]],
    known: set[bytes],
    items: set[bytes],
    settings: RefitSettings,
) -> RefitValidation:
    """Compares the top lists of the same users.

    Args:
        evaluated: item IDs per user, best first, by the evaluated model.
        refitted: the same by the refitted model.
        known: items of the evaluated model.
        items: items of the refitted model.
        settings: thresholds.
    """
    users = len(evaluated)
    pairs = [(one[:TOP], other[:TOP]) for one, other in zip(evaluated, refitted, strict=True)]
    shares = [len({*one} & {*other}) / len(one) for one, other in pairs if one]
    overlap = float(np.mean(shares)) if shares else 1.0
    recommended = {item for row in refitted for item in row[:TOP]}
    coverage = len(recommended) / len(items)
    before = len({item for row in evaluated for item in row[:TOP]}) / len(known)
    new = items - known
    if missing := known - items:
        blessed, reason = False, f"it lacks {len(missing):,} of the {len(known):,} items of the evaluated model"
    elif overlap < settings.min_overlap:
        blessed = False
        reason = f"its top {TOP} has {overlap:.2f} of the evaluated model's, below refit.min_overlap"
        reason += f"={settings.min_overlap:g}"
    elif coverage < before * settings.min_coverage:
        blessed = False
        reason = f"its coverage@{TOP} is {coverage:.4f}, and the evaluated model's {before:.4f} (refit.min_coverage"
        reason += f"={settings.min_coverage:g})"
    else:
        blessed, reason = True, f"its top {TOP} has {overlap:.2f} of the evaluated model's"
    return RefitValidation(blessed, reason, users, overlap, coverage, before, len(new), len(new & recommended))


def non_finite_weight(model_dir: str) -> str | None:
    """The name of a weight with a value that is not finite; None if there is none.

    Args:
        model_dir: directory of a SavedModel, or its URI.
    """
    checkpoint = tf.train.load_checkpoint(os.path.join(model_dir, "variables", "variables"))
    for name, dtype in checkpoint.get_variable_to_dtype_map().items():
        if dtype.is_floating and not np.isfinite(checkpoint.get_tensor(name)).all():
            return str(name.split("/.ATTRIBUTES")[0])
    return None


def recommender(model_dir: str) -> Recommend:
    """Recommends by an exported model.

    Args:
        model_dir: directory of the SavedModel, or its URI.
    """
    model = tf.saved_model.load(model_dir)
    return lambda examples: model.signatures[SERVE_TF_EXAMPLE](examples=examples)[ITEMS].numpy()
