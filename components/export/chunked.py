"""Maps a function over a batch in chunks of rows, in a graph, to bound memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf


def map_in_chunks(
    function: Callable[[tf.Tensor, tf.Tensor], dict[str, tf.Tensor]], names: Sequence[str], rows: tf.Tensor, size: int
) -> dict[str, tf.Tensor]:
    """Calls `function` for chunks of rows and concatenates the results.

    Args:
        function: takes the first row and the row after the last one; returns int64 [rows of the chunk, any] by name,
            of equal width in all chunks. An empty batch is one chunk without rows.
        names: names of the results.
        rows: int [], number of rows in the batch.
        size: maximum number of rows per chunk.

    Returns:
        The results by name, int64 [rows, any].
    """
    chunks = tf.maximum((rows + size - 1) // size, 1)
    _, results = tf.while_loop(
        lambda chunk, _: chunk < chunks,
        lambda chunk, done: (
            chunk + 1,
            [
                array.write(chunk, value)
                for array, value in zip(done, _values(function, names, chunk, rows, size), strict=True)
            ],
        ),
        (0, [tf.TensorArray(tf.int64, chunks, infer_shape=False) for _ in names]),
        # One chunk at a time bounds the memory.
        parallel_iterations=1,
    )
    # The loop loses static shapes, which signatures should have.
    return {name: tf.ensure_shape(array.concat(), [None, None]) for name, array in zip(names, results, strict=True)}


def _values(
    function: Callable[[tf.Tensor, tf.Tensor], dict[str, tf.Tensor]],
    names: Sequence[str],
    chunk: tf.Tensor,
    rows: tf.Tensor,
    size: int,
) -> list[tf.Tensor]:
    values = function(chunk * size, tf.minimum((chunk + 1) * size, rows))
    return [values[name] for name in names]
