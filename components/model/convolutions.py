"""Horizontal and vertical convolution (Tang and Wang, WSDM 2018, section 3.2)."""

from __future__ import annotations

import math

import keras
from keras import ops

from components.model.convolution_kernels import place_tall_filters, slide_low_filters


@keras.saving.register_keras_serializable("caser")
class HorizontalConvolution(keras.layers.Layer):
    """Union-level patterns: filters of several heights slide over the image, max-pooled over time (eq. 3 to 5)."""

    def __init__(self, heights: list[int], filters: int, activation: str, **kwargs: object) -> None:
        """Creates the layer; `Caser` validates the arguments.

        Args:
            heights: heights h of the filters, from 1 to L.
            filters: number of filters per height.
            activation: name of the activation, applied before pooling.
            **kwargs: passed to `keras.layers.Layer`.
        """
        super().__init__(**kwargs)
        self.heights, self.filters = sorted(heights), filters
        self.activation = keras.activations.get(activation)

    def build(self, image_shape: tuple[int | None, int, int]) -> None:
        """Creates the filters, laid out for matrix products, and one bias per filter."""
        L, d = image_shape[1:]
        # A filter fits at L - h + 1 positions; which of two forms is cheaper depends on that number.
        low = [h for h in self.heights if h <= L - h + 1]
        self.low, self.tall = low, self.heights[len(low) :]
        if low:
            self.rows = self.add_weight(
                shape=(d, sum(low) * self.filters), initializer=self._glorot_of_rows, name="kernel_rows"
            )
        self.kernels = [
            self.add_weight(shape=(h * d, self.filters), initializer="glorot_uniform", name=f"kernel_{h}")
            for h in self.tall
        ]
        self.bias = self.add_weight(shape=(len(self.heights) * self.filters,), initializer="zeros", name="bias")

    def _glorot_of_rows(self, shape: tuple[int, int], dtype: str | None = None) -> keras.KerasTensor:
        """Glorot and Bengio (AISTATS 2010), with the fan-in of a whole filter."""
        limits = [math.sqrt(6 / (h * shape[0] + self.filters)) for h in self.low for _ in range(h * self.filters)]
        return keras.initializers.RandomUniform(-1, 1)(shape, dtype) * ops.convert_to_tensor(limits, dtype)

    def call(self, image: keras.KerasTensor) -> keras.KerasTensor:
        """Convolves and max-pools.

        Args:
            image: float [B, L, d].

        Returns:
            float [B, len(heights) * filters].
        """
        parts = []
        if self.low:
            parts.append(slide_low_filters(image, self.rows, self.low, self.filters))
        if self.tall:
            parts.append(place_tall_filters(image, self.kernels, self.tall, self.filters))
        # All activations are monotone, so max-pooling before the activation gives the same result.
        return self.activation(ops.concatenate(parts, axis=1) + self.bias)


@keras.saving.register_keras_serializable("caser")
class VerticalConvolution(keras.layers.Layer):
    """Point-level patterns: weighted sums of the L rows of the image (equations 6 and 7)."""

    def __init__(self, filters: int, activation: str, **kwargs: object) -> None:
        """Creates the layer; `Caser` validates the arguments.

        Args:
            filters: number of filters.
            activation: name of the activation.
            **kwargs: passed to `keras.layers.Layer`.
        """
        super().__init__(**kwargs)
        self.filters = filters
        self.activation = keras.activations.get(activation)

    def build(self, image_shape: tuple[int | None, int, int]) -> None:
        """Creates one weight per row and filter."""
        self.kernel = self.add_weight(shape=(self.filters, image_shape[1]), initializer="glorot_uniform", name="kernel")
        self.bias = self.add_weight(shape=(self.filters, 1), initializer="zeros", name="bias")

    def call(self, image: keras.KerasTensor) -> keras.KerasTensor:
        """Computes weighted sums of rows.

        Args:
            image: float [B, L, d].

        Returns:
            float [B, filters * d].
        """
        sums = self.activation(ops.matmul(self.kernel, image) + self.bias)
        return ops.reshape(sums, (-1, self.filters * image.shape[2]))
