"""Connects a step to ML Metadata."""

from __future__ import annotations

import grpc
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata

from components.errors import UserError
from pipeline.kubeflow.metadata.retrying_store import RetryingMetadata


def connect(address: str, timeout: int) -> metadata.Metadata:
    """Waits for the service and connects.

    Args:
        address: host:port.
        timeout: seconds to wait for the service, now and at each later call.

    Returns:
        TFX's connection to ML Metadata.

    Raises:
        UserError: the service does not respond in time.
    """
    host, _, port = address.rpartition(":")
    with grpc.insecure_channel(address) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=timeout)
        except grpc.FutureTimeoutError:
            raise UserError(
                f"No response from ML Metadata at {address} within {timeout} s. Hint: check its pod "
                "(kubectl get pods -l app.kubernetes.io/name=caser-metadata) and the NetworkPolicy."
            ) from None
    return RetryingMetadata(metadata_store_pb2.MetadataStoreClientConfig(host=host, port=int(port)), timeout)
