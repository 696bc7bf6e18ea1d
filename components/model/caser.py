"""The model: Convolutional Sequence Embedding Recommendation (Tang and Wang, WSDM 2018, section 3)."""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf
from keras import ops

from components.features import FIRST_ID, PADDING
from components.model.convolutions import HorizontalConvolution, VerticalConvolution
from components.model.dropout import Dropout
from components.model.embeddings import Table, rows
from components.model.notebook_caser import notebook_caser
from components.model.settings import ModelSettings, default_embedding_dim


@keras.saving.register_keras_serializable("caser")
class Caser(keras.Model):
    """Scores every item as the next one of a user.

    The L x d image of the embedded sequence goes through both convolutions into a dense layer (z, equation 8); z and
    the user's embedding score items by an output embedding with bias (equation 10). With tied embeddings, the half of
    it that z meets is the embedding by which items go in (Press and Wolf, EACL 2017).
    """

    def __init__(self, n_users: int, n_items: int, L: int, settings: ModelSettings) -> None:
        """Makes the layers.

        Args:
            n_users: size of the user vocabulary.
            n_items: size of the item vocabulary.
            L: items that go in.
            settings: shape and regularisation.

        Raises:
            ValueError: a height exceeds L.
        """
        super().__init__()
        heights = settings.heights or list(range(1, L + 1))
        if max(heights) > L:
            raise ValueError(f"`heights` should be at most L={L}. Received: heights={heights}")
        d = settings.d or default_embedding_dim(n_items)
        self.n_items, self.L, self.l2 = n_items, L, settings.l2
        self.item_embedding = Table(n_items + FIRST_ID, d, embeddings_initializer=_normal(d))
        self.user_embedding = Table(n_users + FIRST_ID, d, embeddings_initializer=_normal(d))
        self.convolutions: list[keras.layers.Layer] = []
        activation = _name(settings.convolution_activation)
        if settings.horizontal_filters:
            self.convolutions.append(HorizontalConvolution(heights, settings.horizontal_filters, activation))
        if settings.vertical_filters:
            self.convolutions.append(VerticalConvolution(settings.vertical_filters, "linear"))
        self.embedding_dropout = Dropout(settings.embedding_dropout)
        self.user_dropout = Dropout(settings.user_dropout)
        self.dropout = Dropout(settings.dropout)
        self.dense = keras.layers.Dense(d, activation=_name(settings.dense_activation))
        self.tied = settings.tied_embeddings
        # One row per item, without padding and unknown, which are never scored.
        self.output_embedding = self.add_weight(
            shape=(n_items, d if self.tied else 2 * d), initializer=_normal(2 * d), name="output_embedding"
        )
        self.output_bias = self.add_weight(shape=(n_items,), initializer="zeros", name="output_bias")

    from_feature_columns = staticmethod(notebook_caser)

    def call(self, inputs: tuple[keras.KerasTensor, keras.KerasTensor], training: bool = False) -> keras.KerasTensor:
        """What the model knows of a user at a moment.

        Args:
            inputs: user int [B] and sequence int [B, L], padded with 0.
            training: whether dropout applies.

        Returns:
            float [B, 2d]: z and the user's embedding.
        """
        user, sequence = inputs
        image = self.item_embedding(sequence)
        image = image * ops.cast(ops.expand_dims(sequence != PADDING, -1), image.dtype)
        image = self.embedding_dropout(image, training=training)
        features = ops.concatenate([convolution(image) for convolution in self.convolutions], axis=-1)
        z = self.dense(self.dropout(features, training=training))
        taste = self.user_dropout(self.user_embedding(user), training=training)
        return ops.concatenate([z, taste], axis=-1)

    def score_all(self, state: keras.KerasTensor) -> keras.KerasTensor:
        """Scores of all items.

        Args:
            state: float [B, 2d], from `call`.

        Returns:
            float [B, n_items]; column j is the item with id j + FIRST_ID.
        """
        if not self.tied:
            return tf.matmul(state, self.output_embedding, transpose_b=True) + self.output_bias
        z, taste = tf.split(state, 2, axis=1)
        # Scores are cut off rather than rows of the table, which would be a copy of it.
        by_sequence = tf.matmul(z, self.item_embedding.embeddings, transpose_b=True)[:, FIRST_ID:]
        return by_sequence + tf.matmul(taste, self.output_embedding, transpose_b=True) + self.output_bias

    def score_items(self, state: keras.KerasTensor, items: keras.KerasTensor) -> keras.KerasTensor:
        """Scores of some items.

        Args:
            state: float [B, 2d], from `call`.
            items: int [B, C], ids of real items; what stands for padding is not defined.

        Returns:
            float [B, C].
        """
        items = ops.maximum(items, FIRST_ID)
        return _products(state, self._output_rows(items)) + rows(self.output_bias, items - FIRST_ID)

    def score_shared_candidates(self, state: keras.KerasTensor, items: keras.KerasTensor) -> keras.KerasTensor:
        """Scores of the same few items for every row.

        Args:
            state: float [B, 2d], from `call`.
            items: int [C], ids of real items.

        Returns:
            float [B, C].
        """
        weights = self._output_rows(items)
        return tf.matmul(state, weights, transpose_b=True) + rows(self.output_bias, items - FIRST_ID)

    def _output_rows(self, items: keras.KerasTensor) -> keras.KerasTensor:
        """What the state is multiplied by to score items: float [*items.shape, 2d]."""
        own = rows(self.output_embedding, items - FIRST_ID)
        return tf.concat([rows(self.item_embedding.embeddings, items), own], axis=-1) if self.tied else own

    @property
    def tables(self) -> list[keras.Variable]:
        """The weights that have a row per user or item."""
        return [
            self.item_embedding.embeddings,
            self.user_embedding.embeddings,
            self.output_embedding,
            self.output_bias,
        ]


def _normal(width: int) -> keras.initializers.Initializer:
    """As in the authors' code: standard deviation 1 / width of the embedding."""
    return keras.initializers.RandomNormal(stddev=1.0 / width)


def _name(activation: str) -> str:
    return "linear" if activation == "identity" else activation


@tf.custom_gradient
def _products(state: tf.Tensor, weights: tf.Tensor) -> tuple[tf.Tensor, Callable[..., tuple[tf.Tensor, tf.Tensor]]]:
    """Float [B, C] of state [B, 2d] and weights [B, C, 2d].

    TensorFlow's own gradient takes a kernel of matrix products for what is an outer product of few columns.
    """

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        by_state = tf.squeeze(tf.matmul(upstream[:, tf.newaxis], weights), 1)
        return by_state, upstream[:, :, tf.newaxis] * state[:, tf.newaxis]

    return tf.squeeze(tf.matmul(weights, state[:, :, tf.newaxis]), 2), gradient
