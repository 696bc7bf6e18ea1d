"""Caser: Convolutional Sequence Embedding Recommendation (Tang and Wang, WSDM 2018, section 3)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from components.features import FIRST_ID, PADDING
from components.model.convolutions import HorizontalConvolution, VerticalConvolution
from components.model.dropout import Dropout
from components.model.embeddings import ItemEmbedding, SparseEmbedding, lookup_rows
from components.model.notebook_caser import notebook_caser
from components.model.settings import ModelSettings, default_embedding_dim

# Of the cosines; near the values that are learned, 7 to 25.
_INITIAL_SCALE = 12.0


@keras.saving.register_keras_serializable("caser")
class Caser(keras.Model):
    """Scores every item as a user's next item.

    Both convolutions read the L x d image of the embedded sequence and feed a fully connected layer (z, equation 8).
    z and the user embedding score items with an output embedding and bias (equation 10). With tied embeddings, the half
    multiplied by z is the input item embedding (Press and Wolf, EACL 2017). With normalized embeddings, item embeddings
    and z have length 1, and z is multiplied by a learned scale (NISER, Gupta et al., 2019): rare items, whose
    embeddings would stay short, can be recommended.
    """

    def __init__(
        self, n_users: int, n_items: int, L: int, settings: ModelSettings, dtype: str | keras.DTypePolicy | None = None
    ) -> None:
        """Creates the layers.

        Args:
            n_users: size of the user vocabulary.
            n_items: size of the item vocabulary.
            L: number of input items.
            settings: hyperparameters; unset ones get the defaults for long histories.
            dtype: dtype policy; None: Keras' global one. With `mixed_bfloat16`, weights, embeddings, representations
                and scores are float32, and products of matrices are computed in bfloat16.

        Raises:
            ValueError: a height exceeds L.
        """
        super().__init__(dtype=dtype)
        self._arguments = n_users, n_items, L, settings
        settings = settings.resolved()
        heights = settings.heights or list(range(1, L + 1))
        if max(heights) > L:
            raise ValueError(f"`heights` should be at most L={L}. Received: heights={heights}")
        d = settings.d or default_embedding_dim(n_items)
        self.hyperparameters = settings.model_copy(update={"d": d, "heights": heights})
        self.n_items, self.L, self.l2 = n_items, L, settings.l2
        # Tables are float32: casting the rows of a batch is cheap, and Keras would cast all of them. Each has its own
        # initializer, which would give two tables the same values.
        weights = self.variable_dtype
        self.item_embedding = ItemEmbedding(
            n_items + FIRST_ID, d, bool(settings.normalize), embeddings_initializer=_normal(d), dtype=weights
        )
        self.user_embedding = SparseEmbedding(n_users + FIRST_ID, d, embeddings_initializer=_normal(d), dtype=weights)
        self.convolutions: list[keras.layers.Layer] = []
        activation = _name(settings.convolution_activation)
        if settings.horizontal_filters:
            self.convolutions.append(
                HorizontalConvolution(heights, settings.horizontal_filters, activation, dtype=self.dtype_policy)
            )
        if settings.vertical_filters:
            self.convolutions.append(VerticalConvolution(settings.vertical_filters, "linear", dtype=self.dtype_policy))
        self.embedding_dropout = Dropout(settings.embedding_dropout, dtype=self.dtype_policy)
        self.user_dropout = Dropout(settings.user_dropout or 0.0, dtype=self.variable_dtype)
        self.dropout = Dropout(settings.dropout, dtype=self.dtype_policy)
        activation = _name(settings.dense_activation or "relu")
        self.dense = keras.layers.Dense(d, activation=activation, dtype=self.dtype_policy)
        self.tied = settings.tied_embeddings
        if settings.normalize:
            initial = keras.initializers.Constant(math.log(_INITIAL_SCALE))
            self.logit_scale = self.add_weight(shape=(), initializer=initial, autocast=False, name="logit_scale")
        # One row per item, without padding and unknown, which are never scored.
        self.output_embedding = self.add_weight(
            shape=(n_items, d if self.tied else 2 * d), initializer=_normal(2 * d), name="output_embedding"
        )
        self.output_bias = self.add_weight(shape=(n_items,), initializer="zeros", name="output_bias")

    def build_weights(self) -> None:
        """Creates the weights, which the first call would create."""
        self((tf.zeros([1], tf.int32), tf.zeros([1, self.L], tf.int32)))

    def new(self, dtype: str | None = None) -> Caser:
        """A new model with the same hyperparameters.

        Args:
            dtype: its dtype policy; None: Keras' global one.
        """
        return Caser(*self._arguments, dtype=dtype)

    @staticmethod
    def from_feature_columns(feature_columns: Sequence[dict[str, Any]], **arguments: Any) -> keras.Model:
        """The notebook variant, a functional Keras model and not a `Caser`; see `notebook_caser`."""
        return notebook_caser(feature_columns, **arguments)

    def call(self, inputs: tuple[keras.KerasTensor, keras.KerasTensor], training: bool = False) -> keras.KerasTensor:
        """The user's representation given the recent items.

        Args:
            inputs: user int [B] and sequence int [B, L], padded with 0 on the left.
            training: whether dropout is applied.

        Returns:
            float [B, 2d]: z and the user embedding.
        """
        user, sequence = inputs
        image = self.item_embedding(sequence)
        image = image * ops.cast(ops.expand_dims(sequence != PADDING, -1), image.dtype)
        image = self.embedding_dropout(image, training=training)
        features = ops.concatenate([convolution(image) for convolution in self.convolutions], axis=-1)
        z = ops.cast(self.dense(self.dropout(features, training=training)), self.variable_dtype)
        if self.item_embedding.normalized:
            z = tf.math.l2_normalize(z, axis=-1) * tf.exp(self.logit_scale.value)
        user_vector = self.user_dropout(self.user_embedding(user), training=training)
        return ops.concatenate([z, user_vector], axis=-1)

    def score_all(self, representation: keras.KerasTensor) -> keras.KerasTensor:
        """Scores of all items.

        Args:
            representation: float [B, 2d], from `call`.

        Returns:
            float [B, n_items]; column j is the item with id j + FIRST_ID.
        """
        if not self.tied:
            return self._product(representation, self.output_embedding) + self.output_bias
        z, user_vector = tf.split(representation, 2, axis=1)
        # Slicing the scores is cheap; slicing the embedding table would copy it.
        by_sequence = self._product(z, self.item_embedding.table())[:, FIRST_ID:]
        return by_sequence + self._product(user_vector, self.output_embedding) + self.output_bias

    def score_items(self, representation: keras.KerasTensor, items: keras.KerasTensor) -> keras.KerasTensor:
        """Scores of some items.

        Args:
            representation: float [B, 2d], from `call`.
            items: int [B, C], ids of real items; scores of padding are undefined.

        Returns:
            float [B, C].
        """
        items = ops.maximum(items, FIRST_ID)
        return _products(representation, self._output_rows(items)) + lookup_rows(self.output_bias, items - FIRST_ID)

    def score_shared_candidates(self, representation: keras.KerasTensor, items: keras.KerasTensor) -> keras.KerasTensor:
        """Scores of the same candidates for every row.

        Args:
            representation: float [B, 2d], from `call`.
            items: int [C], ids of real items.

        Returns:
            float [B, C].
        """
        weights = self._output_rows(items)
        return self._product(representation, weights) + lookup_rows(self.output_bias, items - FIRST_ID)

    def output_vectors(self, columns: keras.KerasTensor) -> keras.KerasTensor:
        """What items are scored with.

        Args:
            columns: int [M], item columns, from 0.

        Returns:
            float [M, 2d + 1]: the score is the product with the representation and a 1.
        """
        items = columns + FIRST_ID
        return tf.concat([self._output_rows(items), lookup_rows(self.output_bias, columns)[:, tf.newaxis]], axis=1)

    def score_columns(self, representation: keras.KerasTensor, columns: keras.KerasTensor) -> keras.KerasTensor:
        """Scores of many items for one row, without gradients.

        Args:
            representation: float [2d], a row from `call`.
            columns: int [M], item columns, from 0.

        Returns:
            float [M].
        """
        own, bias = lookup_rows(self.output_embedding, columns), lookup_rows(self.output_bias, columns)
        if not self.tied:
            return tf.linalg.matvec(own, representation) + bias
        # Two products instead of one with the concatenated rows, which would be copied.
        z, user_vector = tf.split(representation, 2)
        by_sequence = tf.linalg.matvec(self.item_embedding(columns + FIRST_ID), z)
        return by_sequence + tf.linalg.matvec(own, user_vector) + bias

    def _product(self, vectors: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        """The product [B, N] of vectors [B, n] with rows [N, n], in the precision of the dtype policy."""
        product = tf.matmul(tf.cast(vectors, self.compute_dtype), tf.cast(rows, self.compute_dtype), transpose_b=True)
        return tf.cast(product, self.variable_dtype)

    def _output_rows(self, items: keras.KerasTensor) -> keras.KerasTensor:
        """Output embeddings of items: float [*items.shape, 2d]."""
        own = lookup_rows(self.output_embedding, items - FIRST_ID)
        return tf.concat([self.item_embedding(items), own], axis=-1) if self.tied else own

    @property
    def tables(self) -> list[keras.Variable]:
        """The weights with one row per user or item."""
        return [
            self.item_embedding.embeddings,
            self.user_embedding.embeddings,
            self.output_embedding,
            self.output_bias,
        ]


def _normal(dim: int) -> keras.initializers.Initializer:
    """As in the authors' code: the standard deviation is 1 / embedding dimension."""
    return keras.initializers.RandomNormal(stddev=1.0 / dim)


def _name(activation: str) -> str:
    return "linear" if activation == "identity" else activation


@tf.custom_gradient
def _products(vectors: tf.Tensor, weights: tf.Tensor) -> tuple[tf.Tensor, Callable[..., tuple[tf.Tensor, tf.Tensor]]]:
    """Dot products, float [B, C], of vectors [B, 2d] and weights [B, C, 2d].

    The custom gradient is an outer product; TensorFlow's own uses a slower matrix-product kernel.
    """

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        by_vectors = tf.squeeze(tf.matmul(upstream[:, tf.newaxis], weights), 1)
        return by_vectors, upstream[:, :, tf.newaxis] * vectors[:, tf.newaxis]

    return tf.squeeze(tf.matmul(weights, vectors[:, :, tf.newaxis]), 2), gradient
