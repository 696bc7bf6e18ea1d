import numpy as np
import pytest
import tensorflow as tf

from components.export.chunked import map_in_chunks

TABLE = np.arange(14).reshape(7, 2)


@pytest.mark.parametrize("rows", [0, 1, 6, 7])
@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_chunked_results_equal_those_of_the_whole_batch(rows, size):
    largest = tf.Variable(0)

    @tf.function
    def run(rows):
        def of_part(first, last):
            largest.assign(tf.maximum(largest, last - first))
            part = tf.constant(TABLE)[first:last]
            return {"rows": part, "sums": tf.reduce_sum(part, axis=1, keepdims=True)}

        return map_in_chunks(of_part, ("sums", "rows"), rows, size)

    outputs = run.get_concrete_function(tf.constant(0)).structured_outputs
    assert {name: value.shape.rank for name, value in outputs.items()} == {"rows": 2, "sums": 2}
    actual = run(tf.constant(rows))
    np.testing.assert_array_equal(actual["rows"], TABLE[:rows])
    np.testing.assert_array_equal(actual["sums"], TABLE[:rows].sum(axis=1, keepdims=True))
    assert int(largest) == min(rows, size)
