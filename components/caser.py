"""The model: Convolutional Sequence Embedding Recommendation (Tang and Wang, WSDM 2018, section 3)."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from components.contracts import FIRST_ID, PADDING
from components.defaults import width_for
from components.notebook_caser import notebook_caser
from components.settings import ModelSettings
from components.tables import Table, rows


@keras.saving.register_keras_serializable("caser")
class HorizontalConvolution(keras.layers.Layer):
    """Union-level patterns: filters of several heights slide over the image, max-pooled over time (eq. 3 to 5)."""

    def __init__(self, heights: list[int], filters: int, activation: str, **kwargs: object) -> None:
        """Checks nothing: `Caser` does.

        Args:
            heights: heights h of the filters, each from 1 to L.
            filters: filters per height.
            activation: name of the activation, applied before pooling.
            **kwargs: of the Keras layer.
        """
        super().__init__(**kwargs)
        self.heights, self.filters = list(heights), filters
        self.activation = keras.activations.get(activation)

    def build(self, image_shape: tuple[int | None, int, int]) -> None:
        """Makes one [h * d, filters] matrix and one bias per height."""
        d = image_shape[-1]
        self.kernels = [
            self.add_weight(shape=(h * d, self.filters), initializer="glorot_uniform", name=f"kernel_{h}")
            for h in self.heights
        ]
        self.biases = [
            self.add_weight(shape=(self.filters,), initializer="zeros", name=f"bias_{h}") for h in self.heights
        ]

    def call(self, image: keras.KerasTensor) -> keras.KerasTensor:
        """Convolves and pools.

        Args:
            image: float [B, L, d].

        Returns:
            float [B, len(heights) * filters].
        """
        L, d = image.shape[1:]
        # One product of all rows of all images with every row of every filter; a filter's response is then a sum of
        # shifted rows. This costs what the multiplications cost: no window is ever copied out of the image.
        rows = [
            ops.reshape(ops.transpose(ops.reshape(kernel, (h, d, self.filters)), (1, 0, 2)), (d, h * self.filters))
            for h, kernel in zip(self.heights, self.kernels, strict=True)
        ]
        products = ops.matmul(ops.reshape(image, (-1, d)), ops.concatenate(rows, axis=1))
        pooled = _max_of_shifted_sums(ops.reshape(products, (-1, L, products.shape[1])), self.heights, self.filters)
        # Every activation here is monotone, so the largest response gives the largest activation.
        return self.activation(pooled + ops.concatenate(self.biases, axis=0))


@keras.saving.register_keras_serializable("caser")
class VerticalConvolution(keras.layers.Layer):
    """Point-level patterns: weighted sums of the L rows of the image (equations 6 and 7)."""

    def __init__(self, filters: int, activation: str, **kwargs: object) -> None:
        """Checks nothing: `Caser` does.

        Args:
            filters: number of filters.
            activation: name of the activation.
            **kwargs: of the Keras layer.
        """
        super().__init__(**kwargs)
        self.filters = filters
        self.activation = keras.activations.get(activation)

    def build(self, image_shape: tuple[int | None, int, int]) -> None:
        """Makes one weight per row and filter."""
        self.kernel = self.add_weight(shape=(self.filters, image_shape[1]), initializer="glorot_uniform", name="kernel")
        self.bias = self.add_weight(shape=(self.filters, 1), initializer="zeros", name="bias")

    def call(self, image: keras.KerasTensor) -> keras.KerasTensor:
        """Sums rows.

        Args:
            image: float [B, L, d].

        Returns:
            float [B, filters * d].
        """
        sums = self.activation(ops.matmul(self.kernel, image) + self.bias)
        return ops.reshape(sums, (-1, self.filters * image.shape[2]))


@keras.saving.register_keras_serializable("caser")
class Caser(keras.Model):
    """Scores every item as the next one of a user.

    The L x d image of the embedded sequence goes through both convolutions into a dense layer (z, equation 8); z and
    the user's embedding score items by an output embedding with bias (equation 10).
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
        d = settings.d or width_for(n_items)
        self.n_items, self.L, self.l2 = n_items, L, settings.l2
        l2 = keras.regularizers.L2(settings.l2) if settings.l2 else None
        self.item_embedding = Table(n_items + FIRST_ID, d, embeddings_initializer=_normal(d), embeddings_regularizer=l2)
        self.user_embedding = Table(n_users + FIRST_ID, d, embeddings_initializer=_normal(d), embeddings_regularizer=l2)
        self.convolutions: list[keras.layers.Layer] = []
        activation = _name(settings.convolution_activation)
        if settings.horizontal_filters:
            self.convolutions.append(HorizontalConvolution(heights, settings.horizontal_filters, activation))
        if settings.vertical_filters:
            self.convolutions.append(VerticalConvolution(settings.vertical_filters, "linear"))
        self.embedding_dropout = keras.layers.Dropout(settings.embedding_dropout)
        self.user_dropout = keras.layers.Dropout(settings.user_dropout)
        self.dropout = keras.layers.Dropout(settings.dropout)
        self.dense = keras.layers.Dense(d, activation=_name(settings.dense_activation), kernel_regularizer=l2)
        # One row per item, without padding and unknown, which are never scored.
        self.output_embedding = self.add_weight(
            shape=(n_items, 2 * d), initializer=_normal(2 * d), regularizer=l2, name="output_embedding"
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
        return ops.matmul(state, ops.transpose(self.output_embedding)) + self.output_bias

    def score_items(self, state: keras.KerasTensor, items: keras.KerasTensor) -> keras.KerasTensor:
        """Scores of some items.

        Args:
            state: float [B, 2d], from `call`.
            items: int [B, C], ids of real items; what stands for padding is not defined.

        Returns:
            float [B, C].
        """
        columns = ops.maximum(items - FIRST_ID, 0)
        weights = rows(self.output_embedding, columns)
        return ops.einsum("bd,bcd->bc", state, weights) + rows(self.output_bias, columns)

    def score_shared(self, state: keras.KerasTensor, items: keras.KerasTensor) -> keras.KerasTensor:
        """Scores of the same few items for every row.

        Args:
            state: float [B, 2d], from `call`.
            items: int [C], ids of real items.

        Returns:
            float [B, C].
        """
        weights = rows(self.output_embedding, items - FIRST_ID)
        return ops.matmul(state, ops.transpose(weights)) + rows(self.output_bias, items - FIRST_ID)

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


def _max_of_shifted_sums(products: tf.Tensor, heights: list[int], filters: int) -> tf.Tensor:
    """The largest response of every filter over time.

    Args:
        products: float [B, L, sum(heights) * filters]: for each height h in turn, h groups of `filters` columns; group
            i is the image times row i of the filters.
        heights: heights h of the filters.
        filters: filters per height.

    Returns:
        float [B, len(heights) * filters]: max over l of the sum over i of group i at l + i.
    """
    L = products.shape[1]
    groups = np.split(np.arange(sum(heights)), np.cumsum(heights)[:-1])

    @tf.custom_gradient
    def pool(products: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        best, where = [], []
        for h, columns in zip(heights, groups, strict=True):
            responses = tf.add_n(
                [
                    products[:, i : L - h + 1 + i, column * filters : (column + 1) * filters]
                    for i, column in enumerate(columns)
                ]
            )
            best.append(tf.reduce_max(responses, axis=1))
            where.append(tf.argmax(responses, axis=1, output_type=tf.int32))

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            # Only the h rows under the winning position of a filter get its gradient. TensorFlow's own gradients of
            # maxima and slices would write the whole tensor once per slice.
            parts = tf.split(upstream, len(heights), axis=1)
            rows = tf.concat([at + i for h, at in zip(heights, where, strict=True) for i in range(h)], axis=1)
            values = tf.concat([part for h, part in zip(heights, parts, strict=True) for _ in range(h)], axis=1)
            wins = tf.range(L)[:, tf.newaxis] == rows[:, tf.newaxis, :]
            return tf.where(wins, values[:, tf.newaxis, :], tf.zeros([], values.dtype))

        return tf.concat(best, axis=1), gradient

    return pool(products)
