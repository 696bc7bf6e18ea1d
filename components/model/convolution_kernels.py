"""The two fast forms of the horizontal convolution."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf
from keras import ops


def slide_low_filters(image: tf.Tensor, rows: tf.Tensor, heights: list[int], filters: int) -> tf.Tensor:
    """The largest response of low filters: one product of all rows of all images with every row of every filter.

    A filter's response is then a sum of shifted rows. No window is ever copied out of the image.

    Args:
        image: float [B, L, d].
        rows: float [d, sum(heights) * filters]: for each height h in turn, h groups of `filters` columns; group i is
            row i of the filters.
        heights: heights h of the filters.
        filters: filters per height.

    Returns:
        float [B, len(heights) * filters].
    """
    L, d = image.shape[1:]
    products = ops.matmul(ops.reshape(image, (-1, d)), rows)
    return _max_of_shifted_sums(ops.reshape(products, (-1, L, sum(heights) * filters)), heights, filters)


def place_tall_filters(image: tf.Tensor, kernels: list[tf.Tensor], heights: list[int], filters: int) -> tf.Tensor:
    """The largest response of tall filters: one product of whole images with every filter at every place it fits.

    Args:
        image: float [B, L, d].
        kernels: float [h * d, filters] for each height.
        heights: heights h of the filters.
        filters: filters per height.

    Returns:
        float [B, len(heights) * filters].
    """
    L, d = image.shape[1:]
    columns, places = [], [L - h + 1 for h in heights]
    for h, n, kernel in zip(heights, places, kernels, strict=True):
        if n > 1:
            # Copies of L + 1 rows, read as if they had L rows, are each one row further down than the one before.
            longer = ops.pad(ops.reshape(kernel, (h, d * filters)), [[0, n], [0, 0]])
            shifted = ops.reshape(ops.tile(longer, (n, 1))[: n * L], (n, L * d, filters))
            kernel = ops.reshape(ops.transpose(shifted, (1, 0, 2)), (L * d, n * filters))
        columns.append(kernel)
    products = ops.matmul(ops.reshape(image, (-1, L * d)), ops.concatenate(columns, axis=1))
    parts = tf.split(products, [n * filters for n in places], axis=1)
    return ops.concatenate(
        [ops.max(ops.reshape(part, (-1, n, filters)), axis=1) for n, part in zip(places, parts, strict=True)], axis=1
    )


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
