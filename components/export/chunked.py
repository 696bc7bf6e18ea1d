"""Works through the rows of a batch a part at a time, in a graph, so that what a row needs is held for few rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf


def map_in_chunks(
    function: Callable[[tf.Tensor, tf.Tensor], dict[str, tf.Tensor]], names: Sequence[str], rows: tf.Tensor, size: int
) -> dict[str, tf.Tensor]:
    """Calls `function` for parts of the rows, and puts its results one below the other.

    Args:
        function: of the first row and the row behind the last one; gives int64 [rows between, any] by name, of
            equal width in all parts. An empty batch is one part of no rows.
        names: of the results.
        rows: int [], in the batch.
        size: rows in a part, at most.

    Returns:
        The results by name, int64 [rows, any].
    """
    parts = tf.maximum((rows + size - 1) // size, 1)
    _, results = tf.while_loop(
        lambda part, _: part < parts,
        lambda part, done: (
            part + 1,
            [
                array.write(part, value)
                for array, value in zip(done, _values(function, names, part, rows, size), strict=True)
            ],
        ),
        (0, [tf.TensorArray(tf.int64, parts, infer_shape=False) for _ in names]),
        # One part at a time is the point.
        parallel_iterations=1,
    )
    # A loop forgets shapes, and a signature should tell them.
    return {name: tf.ensure_shape(array.concat(), [None, None]) for name, array in zip(names, results, strict=True)}


def _values(
    function: Callable[[tf.Tensor, tf.Tensor], dict[str, tf.Tensor]],
    names: Sequence[str],
    part: tf.Tensor,
    rows: tf.Tensor,
    size: int,
) -> list[tf.Tensor]:
    values = function(part * size, tf.minimum((part + 1) * size, rows))
    return [values[name] for name in names]
