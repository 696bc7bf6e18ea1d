"""The two fast forms of the horizontal convolution."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf
from keras import ops


def slide_low_filters(image: tf.Tensor, rows: tf.Tensor, heights: list[int], filters: int) -> tf.Tensor:
    """Max-pooled responses of low filters: one product of all image rows with all filter rows.

    The response of a filter is then a sum of shifted rows; no window is copied out of the image.

    Args:
        image: float [B, L, d].
        rows: float [d, sum(heights) * filters]: for each height h in turn, h groups of `filters` columns; group i is
            row i of the filters.
        heights: heights h of the filters.
        filters: number of filters per height.

    Returns:
        float [B, len(heights) * filters].
    """
    L, d = image.shape[1:]
    products = ops.matmul(ops.reshape(image, (-1, d)), rows)
    return _max_of_shifted_sums(ops.reshape(products, (-1, L, sum(heights) * filters)), heights, filters)


def place_tall_filters(image: tf.Tensor, kernels: list[tf.Tensor], heights: list[int], filters: int) -> tf.Tensor:
    """Max-pooled responses of tall filters: one product of whole images with each filter at each position.

    Args:
        image: float [B, L, d].
        kernels: float [h * d, filters] for each height.
        heights: heights h of the filters.
        filters: number of filters per height.

    Returns:
        float [B, len(heights) * filters].
    """
    L, d = image.shape[1:]
    columns, positions = [], [L - h + 1 for h in heights]
    for h, n, kernel in zip(heights, positions, kernels, strict=True):
        if n > 1:
            # Tiling copies of L + 1 rows and reading them as L rows shifts each copy down by one row.
            longer = ops.pad(ops.reshape(kernel, (h, d * filters)), [[0, n], [0, 0]])
            shifted = ops.reshape(ops.tile(longer, (n, 1))[: n * L], (n, L * d, filters))
            kernel = ops.reshape(ops.transpose(shifted, (1, 0, 2)), (L * d, n * filters))
        columns.append(kernel)
    products = ops.matmul(ops.reshape(image, (-1, L * d)), ops.concatenate(columns, axis=1))
    parts = tf.split(products, [n * filters for n in positions], axis=1)
    return ops.concatenate(
        [ops.max(ops.reshape(part, (-1, n, filters)), axis=1) for n, part in zip(positions, parts, strict=True)], axis=1
    )


def _max_of_shifted_sums(products: tf.Tensor, heights: list[int], filters: int) -> tf.Tensor:
    """Max-pools the responses of every filter over time.

    Args:
        products: float [B, L, sum(heights) * filters]: for each height h in turn, h groups of `filters` columns; group
            i is the image times row i of the filters.
        heights: heights h of the filters.
        filters: number of filters per height.

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
            # Only the h rows at the best position of a filter get a gradient. TensorFlow's own gradients of max and
            # slice would write the whole tensor once per slice.
            parts = tf.split(upstream, len(heights), axis=1)
            rows = tf.concat([at + i for h, at in zip(heights, where, strict=True) for i in range(h)], axis=1)
            values = tf.concat([part for h, part in zip(heights, parts, strict=True) for _ in range(h)], axis=1)
            wins = tf.range(L)[:, tf.newaxis] == rows[:, tf.newaxis, :]
            return tf.where(wins, values[:, tf.newaxis, :], tf.zeros([], values.dtype))

        return tf.concat(best, axis=1), gradient

    return pool(products)
