"""The connection of a step to ML Metadata."""

from __future__ import annotations

import grpc
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata

from components.errors import UserError


def connect(address: str, timeout: int) -> metadata.Metadata:
    """Connects once the service answers.

    Args:
        address: host:port.
        timeout: seconds to wait.

    Returns:
        A handle for TFX.

    Raises:
        UserError: nothing answers in time.
    """
    host, _, port = address.rpartition(":")
    with grpc.insecure_channel(address) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=timeout)
        except grpc.FutureTimeoutError:
            raise UserError(
                f"ML Metadata does not answer at {address} (waited {timeout} s). Hint: look at its pod "
                "(kubectl get pods -l app.kubernetes.io/name=caser-metadata) and at the NetworkPolicy."
            ) from None
    return metadata.Metadata(metadata_store_pb2.MetadataStoreClientConfig(host=host, port=int(port)))
