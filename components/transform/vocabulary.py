"""Lookup tables string <-> id, from the vocabulary files of Transform."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_transform as tft

from components.features import FIRST_ID, UNKNOWN


def known_items(ids: tf.RaggedTensor) -> tf.RaggedTensor:
    """Drops padding and unknown items, so that histories and windows hold real items only.

    Args:
        ids: int64 [B, (n)].

    Returns:
        int64 [B, (m)] with m <= n, in the same order.
    """
    return tf.ragged.boolean_mask(ids, ids >= FIRST_ID)


class Vocabulary(tf.Module):
    """A vocabulary file as lookup tables; line n (from 0) has id n + FIRST_ID.

    The tables must be attributes of the exported object: only then are they initialized when the SavedModel is loaded,
    and the vocabulary file is stored in it as an asset.
    """

    def __init__(self, path: str, size: int) -> None:
        """Builds the tables.

        Args:
            path: a text file with one token per line.
            size: number of lines.
        """
        super().__init__()
        self.size = size
        self._to_line = tf.lookup.StaticHashTable(
            tf.lookup.TextFileInitializer(
                path, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
            ),
            default_value=UNKNOWN - FIRST_ID,
        )
        self._to_token = tf.lookup.StaticHashTable(
            tf.lookup.TextFileInitializer(
                path, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE
            ),
            default_value="",
        )

    @classmethod
    def from_transform(cls, transform: tft.TFTransformOutput, name: str) -> Vocabulary:
        """The vocabulary that Transform wrote under `name`."""
        path = transform.vocabulary_file_by_name(name)
        if path is None:
            raise ValueError(f"`name` should be a vocabulary of this Transform. Received: {name!r}")
        return cls(path, transform.vocabulary_size_by_name(name))

    def ids(self, tokens: tf.Tensor) -> tf.Tensor:
        """Ids of strings.

        Args:
            tokens: string tensor of any shape.

        Returns:
            int64 of the same shape; UNKNOWN for a string that is not in the vocabulary.
        """
        return self._to_line.lookup(tokens) + FIRST_ID

    def tokens(self, ids: tf.Tensor) -> tf.Tensor:
        """Strings of ids.

        Args:
            ids: int64 tensor of any shape.

        Returns:
            string of the same shape; "" for padding and unknown.
        """
        return self._to_token.lookup(ids - FIRST_ID)
