"""Inverted lists over coarse k-means: which items are worth scoring exactly for a user.

Jégou, Douze and Schmid, "Product Quantization for Nearest Neighbor Search", TPAMI 2011, section IV. Where they have
codes, the items of a list have their principal components, from which their scores are estimated.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from sklearn.cluster import KMeans

from components.model.caser import Caser

# As in faiss: some times sqrt(items) lists, trained on some dozens of items per list.
_LISTS_PER_ROOT, _TRAINING_ITEMS_PER_LIST, _ITERATIONS = 4, 40, 10
# Principal components of the vectors that score items.
_COMPONENTS, _LEAST_VARIANCE = 32, 1e-6
# The items with the best estimates among those of the searched lists.
_CANDIDATES = 1 / 16
_CHUNK = 1 << 16


class InvertedIndex(tf.Module):
    """Items grouped by what scores them; a search looks into a few groups."""

    def __init__(self, projection: np.ndarray, centroids: np.ndarray, vectors: np.ndarray, lists: np.ndarray) -> None:
        """Creates the lists.

        Args:
            projection: float32 [2d + 1, r], projects users.
            centroids: float32 [C, r], mean vectors of the lists.
            vectors: float32 [n_items, r], projected items.
            lists: int [n_items], the list of each item column.
        """
        super().__init__()
        self.lists = len(centroids)
        order = np.argsort(lists, kind="stable").astype(np.int32)
        start = np.concatenate([[0], np.cumsum(np.bincount(lists, minlength=self.lists))]).astype(np.int64)
        self._projection = tf.Variable(projection, trainable=False, name="index_projection")
        self._centroids = tf.Variable(centroids, trainable=False, name="index_centroids")
        # In the order of the lists: reading scattered rows would take most of the time of a search.
        self._vectors = tf.Variable(vectors[order], trainable=False, name="index_vectors")
        self._items = tf.Variable(order, trainable=False, name="index_items")
        self._start = tf.Variable(start, trainable=False, name="index_start")

    @classmethod
    def build(cls, model: Caser, representations: np.ndarray, seed: int) -> InvertedIndex:
        """Projects and clusters the output vectors of a model.

        What should be small is not the distance of a vector v from its centroid c, but the error of scores of users q:
        E[(q (v - c))^2] = (v - c)' E[q q'] (v - c). With the eigenvectors V and eigenvalues l of E[q q'] it is the
        squared distance of the vectors v V l^0.5, whose products with q V l^-0.5 are the scores. The components with
        the largest eigenvalues have most of it.

        Args:
            model: a trained model.
            representations: float [Q, 2d], users as `model` sees them.
            seed: seed of k-means.
        """
        items = model.n_items
        lists = max(1, min(2 ** round(np.log2(_LISTS_PER_ROOT * np.sqrt(items))), items // 2))
        variance, components = _principal_components(representations)
        space = (components * np.sqrt(variance)).astype(np.float32)
        vectors = np.concatenate(
            [_vectors(model, np.arange(at, min(at + _CHUNK, items))) @ space for at in range(0, items, _CHUNK)]
        )
        sample = np.sort(np.random.default_rng(seed).permutation(items)[: lists * _TRAINING_ITEMS_PER_LIST])
        means = KMeans(lists, init="random", n_init=1, max_iter=_ITERATIONS, random_state=seed).fit(vectors[sample])
        projection = (components / np.sqrt(variance)).astype(np.float32)
        return cls(projection, means.cluster_centers_.astype(np.float32), vectors, means.predict(vectors))

    def project(self, representation: tf.Tensor) -> tf.Tensor:
        """Users as the index sees them.

        Args:
            representation: float [B, 2d], from `Caser`.

        Returns:
            float [B, r].
        """
        return tf.matmul(tf.pad(representation, [[0, 0], [0, 1]], constant_values=1.0), self._projection)

    def nearest(self, users: tf.Tensor, probes: int | tf.Tensor) -> tf.Tensor:
        """The lists whose centroids score highest.

        Args:
            users: float [B, r], from `project`.
            probes: number of lists.

        Returns:
            int32 [B, probes].
        """
        return tf.math.top_k(tf.matmul(users, self._centroids, transpose_b=True), probes, sorted=False).indices

    def candidates(self, user: tf.Tensor, lists: tf.Tensor, least: int | tf.Tensor) -> tf.Tensor:
        """The items in some lists with the highest estimated scores.

        Args:
            user: float [r], from `project`.
            lists: int32 [P].
            least: minimum number of candidates, if the lists have as many items.

        Returns:
            int64 [M], item columns, from 0.
        """
        places = tf.ragged.range(tf.gather(self._start, lists), tf.gather(self._start, lists + 1)).flat_values
        scores = tf.linalg.matvec(tf.gather(self._vectors, places), user)
        most = tf.maximum(tf.cast(tf.cast(tf.size(places), tf.float32) * _CANDIDATES, tf.int32), least)
        best = tf.math.top_k(scores, tf.minimum(most, tf.size(places)), sorted=False).indices
        return tf.cast(tf.gather(self._items, tf.gather(places, best)), tf.int64)


def _principal_components(representations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The largest eigenvalues [r] and their eigenvectors [2d + 1, r] of E[q q'], of users q with a 1 for the bias."""
    queries = np.pad(representations, [(0, 0), (0, 1)], constant_values=1.0).astype(np.float64)
    values, vectors = np.linalg.eigh(queries.T @ queries / len(queries))
    first = np.argsort(-values)[:_COMPONENTS]
    first = first[values[first] > _LEAST_VARIANCE * values.max()]
    return values[first], vectors[:, first]


def _vectors(model: Caser, columns: np.ndarray) -> np.ndarray:
    """Output vectors with biases of some item columns: float32 [n, 2d + 1]."""
    return model.output_vectors(tf.constant(columns)).numpy()
