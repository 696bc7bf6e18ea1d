"""The base model of a warm start: weights of an exported model, for a model with newer vocabularies."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from components.export.model_info import read_model_info, vocabulary_file
from components.export.saved_model import WEIGHTS
from components.features import FIRST_ID, ITEM_VOCABULARY, UNKNOWN, USER_VOCABULARY
from components.model.caser import Caser
from components.model.settings import ModelSettings
from components.trainer.plan import TrainingPlan
from components.transform.vocabulary import Vocabulary

# Hyperparameters that shape the weights or what they mean; others may change from run to run.
_ARCHITECTURE = (
    "d",
    "heights",
    "horizontal_filters",
    "vertical_filters",
    "normalize",
    "convolution_activation",
    "dense_activation",
    "tied_embeddings",
)


# Shrink and perturb (Ash and Adams, "On Warm-Starting Neural Network Training", NeurIPS 2020): a model that is
# trained on from its weights as they are generalizes worse than one from scratch.
_SHRINK = 0.8


class BaseModel(NamedTuple):
    """An exported model.

    Attributes:
        folder: directory of the SavedModel, or its URI.
        info: its model info, see `components.export.model_info`.
    """

    folder: str
    info: dict[str, Any]

    @classmethod
    def read(cls, folder: str) -> BaseModel:
        """Reads the model info.

        Args:
            folder: directory of the SavedModel, or its URI.
        """
        return cls(folder, read_model_info(folder))

    @property
    def plan(self) -> TrainingPlan:
        """How it was trained."""
        return TrainingPlan(**self.info["training"])

    def mismatch(self, settings: ModelSettings, L: int) -> str | None:
        """Why its weights cannot be used; None if they can.

        Args:
            settings: the configured hyperparameters; unset ones are those of the base model.
            L: number of input items.
        """
        if "training" not in self.info:
            return "it was exported by a version without warm start"
        own, wanted = {**self.info["model"], "L": self.info["L"]}, {**settings.model_dump(), "L": L}
        for name in (*_ARCHITECTURE, "L"):
            if wanted[name] is not None and wanted[name] != own[name]:
                return f"its {name} is {own[name]}, and the configuration says {wanted[name]}"
        return None

    def hyperparameters(self, settings: ModelSettings) -> ModelSettings:
        """The configured hyperparameters, with those of the base model where they are unset.

        Args:
            settings: the configured hyperparameters.
        """
        return settings.model_copy(update={name: self.info["model"][name] for name in _ARCHITECTURE})

    def describe(self, items: Vocabulary) -> str:
        """How much of a catalogue it knows, in words.

        Args:
            items: the current item vocabulary.
        """
        known = int((self._ids(ITEM_VOCABULARY, items) != UNKNOWN).sum())
        return (
            f"training began with the weights of the last blessed model, which knows {known:,} of {items.size:,} items"
        )

    def mix_weights(self, model: Caser, items: Vocabulary, users: Vocabulary) -> None:
        """Mixes all weights into those of a new model: 0.8 times these, plus 0.2 times random ones.

        Rows of embeddings are matched by ID; those of new IDs stay random.

        Args:
            model: a new model with `hyperparameters`.
            items: its item vocabulary.
            users: its user vocabulary.
        """
        model.build_weights()
        checkpoint = tf.train.load_checkpoint(os.path.join(self.folder, "variables", "variables"))
        new_items, new_users = self._ids(ITEM_VOCABULARY, items), self._ids(USER_VOCABULARY, users)
        rows = {
            id(model.item_embedding.embeddings): _with_special_ids(new_items),
            id(model.user_embedding.embeddings): _with_special_ids(new_users),
            id(model.output_embedding): new_items - FIRST_ID,
            id(model.output_bias): new_items - FIRST_ID,
        }
        for index, weight in enumerate(model.weights):
            value = checkpoint.get_tensor(f"{WEIGHTS}/{index}/.ATTRIBUTES/VARIABLE_VALUE")
            if weight is model.item_embedding.embeddings and model.item_embedding.normalized:
                # They are exported with length 1, ten times that of new ones, so training would hardly turn them.
                value = value * _typical_length(weight)
            mixed = weight.numpy()
            target = rows.get(id(weight))
            if target is None:
                mixed = _mix(value, mixed)
            else:
                known = target >= 0
                mixed[target[known]] = _mix(value[known], mixed[target[known]])
            weight.assign(mixed)

    def _ids(self, vocabulary: str, current: Vocabulary) -> np.ndarray:
        """For each ID of the base model, its id in a newer vocabulary: int64 [n], UNKNOWN if it is not there."""
        tokens = tf.data.TextLineDataset(vocabulary_file(self.folder, vocabulary)).batch(1 << 16)
        return np.concatenate([np.zeros(0, np.int64), *(current.ids(batch).numpy() for batch in tokens)])


def _with_special_ids(ids: np.ndarray) -> np.ndarray:
    """The row of each row of an embedding: padding and unknown stay, IDs that are gone get -1."""
    return np.concatenate([np.arange(FIRST_ID), np.where(ids == UNKNOWN, -1, ids)])


def _mix(learned: np.ndarray, random: np.ndarray) -> np.ndarray:
    return _SHRINK * learned + (1 - _SHRINK) * random


def _typical_length(weight: tf.Variable) -> float:
    return float(np.linalg.norm(weight.numpy()[FIRST_ID:], axis=1).mean())
