"""Detects lists that a server has padded with items.

With `pad_variable_length_inputs`, TF Serving merges concurrent requests of different width by padding the narrower
tensor with its own first value: the history `a b` becomes `a b a a a`, and the answer would be wrong. The first row
then begins and ends with the same item, so such a batch is refused. A list that begins with "" is padded with "", which
is ignored; a batch of one row is never refused; `serve_tf_example` has one string per user and is never padded.
"""

from __future__ import annotations

import tensorflow as tf


def refuse_padded_items(*lists: tf.Tensor) -> None:
    """Adds the check to the graph.

    Args:
        lists: string [B, any] each.

    Raises:
        tf.errors.InvalidArgumentError: one of several rows has a list of at least two entries that begins and ends
            with the same item.
    """
    for items in lists:
        first, last = items[:, :1], items[:, -1:]
        is_padded = tf.reduce_any(tf.logical_and(tf.equal(first, last), tf.not_equal(first, "")))
        may_be_merged = tf.reduce_all(tf.shape(items) > 1)
        tf.debugging.Assert(
            tf.logical_not(tf.logical_and(is_padded, may_be_merged)),
            [
                "A list of item ids begins and ends with the same item, as after padding by the server's batching. "
                'Hint: begin every list with "", or use the signature serve_tf_example.'
            ],
        )
