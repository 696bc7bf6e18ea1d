"""Data-parallel training: every device trains on its share of a batch, and all apply the same sum of gradients."""

from __future__ import annotations

import json
import os

import tensorflow as tf

from components.errors import UserError
from components.features import FIRST_ID
from components.model.caser import Caser
from components.trainer.settings import Distribution, DTypePolicy


def strategy_for(distribution: Distribution) -> tf.distribute.Strategy:
    """TensorFlow's strategy.

    Args:
        distribution: none: one device; mirrored: all GPUs of this machine, or all of its logical CPUs; multi_worker:
            the workers in the environment variable TF_CONFIG.

    Raises:
        UserError: `multi_worker` without TF_CONFIG.
    """
    if distribution == "mirrored":
        devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        return tf.distribute.MirroredStrategy([device.name for device in devices])
    if distribution == "multi_worker":
        if "TF_CONFIG" not in os.environ:
            raise UserError(
                "trainer.distribution=multi_worker needs the addresses of all workers in the environment variable "
                "TF_CONFIG, as Kubeflow's TFJob sets it. Hint: --set trainer.distribution=mirrored for one machine."
            )
        return tf.distribute.MultiWorkerMirroredStrategy()
    return tf.distribute.get_strategy()


def copy_for(strategy: tf.distribute.Strategy, model: Caser, dtype_policy: DTypePolicy) -> Caser:
    """The model to train.

    Args:
        strategy: from `strategy_for`.
        model: a new model.
        dtype_policy: that of the Trainer.

    Returns:
        The model itself if one device trains it in float32; else a copy whose weights are on all devices. What is
        validated and exported should depend neither on them nor on the precision.
    """
    if strategy.num_replicas_in_sync == 1 and dtype_policy == "float32":
        return model
    model.build_weights()
    with strategy.scope():
        copy = model.new(dtype_policy)
        copy.build_weights()
    copy.set_weights(model.get_weights())
    return copy


def is_chief(distribution: Distribution) -> bool:
    """Whether this process exports the model: the only one, or the first worker."""
    if distribution != "multi_worker":
        return True
    task = json.loads(os.environ["TF_CONFIG"])["task"]
    return task["type"] == "chief" or (task["type"], task["index"]) == ("worker", 0)


def share_of_loss(targets: tf.Tensor) -> tf.Tensor:
    """What a device's mean over its targets counts in the mean over those of the whole batch.

    Args:
        targets: int32 [B, T] ids of this device, padded with 0.

    Returns:
        float []; the sum over all devices is 1. Called where a device trains.
    """
    replica = tf.distribute.get_replica_context()
    own = tf.reduce_sum(tf.cast(targets >= FIRST_ID, tf.float32))
    return own / replica.all_reduce(tf.distribute.ReduceOp.SUM, own)
