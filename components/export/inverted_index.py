"""Inverted lists over coarse k-means: which items are worth scoring exactly for a user (IVF).

Jégou, Douze and Schmid, "Product Quantization for Nearest Neighbor Search", TPAMI 2011, section IV, without its codes:
the lists only choose candidates, whose scores are exact.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from sklearn.cluster import KMeans

from components.model.caser import Caser

# As in faiss: about 4 * sqrt(items) lists, trained on some dozens of items per list.
_LISTS_PER_ROOT, _TRAINING_ITEMS_PER_LIST, _ITERATIONS = 4, 40, 10
_CHUNK = 1 << 16


class InvertedIndex(tf.Module):
    """Items grouped by the direction of what scores them; a search looks into a few groups."""

    def __init__(self, centroids: np.ndarray, list_of_item: np.ndarray) -> None:
        """Creates the lists.

        Args:
            centroids: float32 [C, 2d + 1], mean output vectors of the lists.
            list_of_item: int [n_items], the list of each item column.
        """
        super().__init__()
        lists = len(centroids)
        self.lists = lists
        order = np.argsort(list_of_item, kind="stable").astype(np.int32)
        start = np.concatenate([[0], np.cumsum(np.bincount(list_of_item, minlength=lists))]).astype(np.int64)
        self._centroids = tf.Variable(centroids, trainable=False, name="index_centroids")
        self._items = tf.Variable(order, trainable=False, name="index_items")
        self._start = tf.Variable(start, trainable=False, name="index_start")

    @classmethod
    def build(cls, model: Caser, representations: np.ndarray, seed: int) -> InvertedIndex:
        """Clusters the output vectors of a model.

        What should be small is not the distance of a vector v from its centroid c, but the error of scores of users q:
        E[(q (v - c))^2] = (v - c)' E[q q'] (v - c). So k-means works in the space where this is the squared distance;
        directions in which users are near 0 do not count.

        Args:
            model: a trained model.
            representations: float [Q, 2d], users as `model` sees them.
            seed: seed of k-means.
        """
        items = model.n_items
        lists = max(1, min(2 ** round(np.log2(_LISTS_PER_ROOT * np.sqrt(items))), items // 2))
        space = _space(representations)
        sample = np.sort(np.random.default_rng(seed).permutation(items)[: lists * _TRAINING_ITEMS_PER_LIST])
        means = KMeans(lists, init="random", n_init=1, max_iter=_ITERATIONS, random_state=seed)
        means.fit(_vectors(model, sample) @ space)
        sums, list_of_item = np.zeros([lists, len(space)]), np.zeros(items, np.int64)
        for start in range(0, items, _CHUNK):
            columns = np.arange(start, min(start + _CHUNK, items))
            vectors = _vectors(model, columns)
            list_of_item[columns] = means.predict(vectors @ space)
            np.add.at(sums, list_of_item[columns], vectors)
        sizes = np.maximum(np.bincount(list_of_item, minlength=lists), 1)
        return cls((sums / sizes[:, np.newaxis]).astype(np.float32), list_of_item)

    def nearest(self, representation: tf.Tensor, probes: int | tf.Tensor) -> tf.Tensor:
        """The lists whose mean output vectors score highest.

        Args:
            representation: float [B, 2d], from `Caser`.
            probes: number of lists.

        Returns:
            int32 [B, probes].
        """
        query = tf.pad(representation, [[0, 0], [0, 1]], constant_values=1.0)
        return tf.math.top_k(tf.matmul(query, self._centroids, transpose_b=True), probes, sorted=False).indices

    def items(self, lists: tf.Tensor) -> tf.Tensor:
        """Item columns, from 0, in some lists.

        Args:
            lists: int32 [P].

        Returns:
            int64 [M].
        """
        places = tf.ragged.range(tf.gather(self._start, lists), tf.gather(self._start, lists + 1)).flat_values
        return tf.cast(tf.gather(self._items, places), tf.int64)


def _space(representations: np.ndarray) -> np.ndarray:
    """A root of E[q q'], float32 [2d + 1, 2d + 1], of users q with a 1 for the bias."""
    queries = np.pad(representations, [(0, 0), (0, 1)], constant_values=1.0).astype(np.float64)
    values, vectors = np.linalg.eigh(queries.T @ queries / len(queries))
    return (vectors * np.sqrt(np.maximum(values, 0))).astype(np.float32)


def _vectors(model: Caser, columns: np.ndarray) -> np.ndarray:
    """Output vectors with biases of some item columns: float32 [n, 2d + 1]."""
    return model.output_vectors(tf.constant(columns)).numpy()
