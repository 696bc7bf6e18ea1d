"""ML Metadata's client that outlives an outage of the service in the middle of a step.

A request that fails for want of the service is sent again. It may have been executed before the answer was lost. So
what it creates gets a unique name first, and is looked up by that name before the request is sent again. MLMD executes
each request in one transaction, so either all of it is there or nothing.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterator
from typing import Any

import grpc
import ml_metadata as mlmd
from ml_metadata import errors
from ml_metadata.proto import metadata_store_pb2, metadata_store_service_pb2
from tfx.orchestration import metadata

from components.errors import UserError

_log = logging.getLogger(__name__)
_TRANSIENT = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
_ATTEMPT_SECONDS, _PAUSE_SECONDS = 60.0, 1.0
_OPTIONS = (("grpc.keepalive_time_ms", 30_000), ("grpc.initial_reconnect_backoff_ms", 500))
# MLMD's messages with an id of their own, and how they are looked up by name.
_ARTIFACT, _EXECUTION, _CONTEXT = "Artifact", "Execution", "Context"


class RetryingMetadata(metadata.Metadata):
    """TFX's connection to ML Metadata, over a `RetryingStore`."""

    def __init__(self, config: metadata_store_pb2.MetadataStoreClientConfig, timeout: float) -> None:
        """Connects at the first use.

        Args:
            config: host and port of the service.
            timeout: seconds for which an outage of the service is outlived.
        """
        super().__init__(config)
        self._timeout = timeout

    def __enter__(self) -> RetryingMetadata:
        if self._store is None:
            self._store: mlmd.MetadataStore | None = RetryingStore(self._connection_config, self._timeout)
        self._users += 1
        return self


class RetryingStore(mlmd.MetadataStore):
    """MLMD's client, whose calls are repeated while the service is not available."""

    def __init__(self, config: metadata_store_pb2.MetadataStoreClientConfig, timeout: float) -> None:
        """Creates a channel.

        Args:
            config: host and port of the service.
            timeout: seconds for which an outage of the service is outlived.
        """
        self._timeout = timeout
        super().__init__(config)

    def _get_channel(self, config: metadata_store_pb2.MetadataStoreClientConfig) -> grpc.Channel:
        return grpc.insecure_channel(f"{config.host}:{config.port}", options=_OPTIONS)

    def _call_method(self, method_name: str, request: Any, response: Any) -> None:
        new = list(_new(request))
        for _, message in new:
            message.name = message.name or f"caser-{uuid.uuid4().hex}"
        deadline = time.monotonic() + self._timeout
        is_repeated = False
        while True:
            try:
                if is_repeated and new and self._is_stored(new, deadline):
                    _log.info("%s had been executed before the connection was lost", method_name)
                    self._fill(request, response, deadline)
                    return
                self._send(method_name, request, response, deadline)
                return
            except grpc.RpcError as error:
                if is_repeated and error.code() == grpc.StatusCode.ALREADY_EXISTS:
                    # An event or a context with a name of its own.
                    self._fill(request, response, deadline)
                    return
                if error.code() not in _TRANSIENT:
                    raise errors.make_exception(error.details(), error.code().value[0]) from error
                if time.monotonic() >= deadline:
                    raise UserError(
                        f"ML Metadata was not available for {self._timeout:g} s ({error.details()}). Hint: check its "
                        "pod, and its database if it has one, or raise `metadata_timeout`."
                    ) from error
                _log.warning("ML Metadata is not available (%s); trying again", error.details())
                is_repeated = True
                time.sleep(_PAUSE_SECONDS)

    def _send(self, method_name: str, request: Any, response: Any, deadline: float) -> None:
        method = getattr(self._metadata_store_stub, method_name)
        seconds = min(max(deadline - time.monotonic(), 0.001), _ATTEMPT_SECONDS)
        response.CopyFrom(method(request, timeout=seconds, wait_for_ready=True))

    def _is_stored(self, new: list[tuple[str, Any]], deadline: float) -> bool:
        return all(self._id(kind, message, deadline) is not None for kind, message in new)

    def _fill(self, request: Any, response: Any, deadline: float) -> None:
        """Completes the response of a request that was executed before."""
        for field in response.DESCRIPTOR.fields_by_name:
            kind = {"execution": _EXECUTION, "artifact": _ARTIFACT, "context": _CONTEXT}[field.split("_")[0]]
            ids = [self._id(kind, message, deadline) for message in _messages(request, kind)]
            if field.endswith("_ids"):
                getattr(response, field).extend(ids)
            else:
                setattr(response, field, ids[0])

    def _id(self, kind: str, message: Any, deadline: float) -> int | None:
        """The id of a message that is stored, by its name and type."""
        if message.id:
            return int(message.id)
        prefix, field = kind, kind.lower()
        types = getattr(metadata_store_service_pb2, f"Get{prefix}TypesByIDResponse")()
        self._send(
            f"Get{prefix}TypesByID",
            getattr(metadata_store_service_pb2, f"Get{prefix}TypesByIDRequest")(type_ids=[message.type_id]),
            types,
            deadline,
        )
        (found_type,) = getattr(types, f"{field}_types")
        found = getattr(metadata_store_service_pb2, f"Get{prefix}ByTypeAndNameResponse")()
        request = getattr(metadata_store_service_pb2, f"Get{prefix}ByTypeAndNameRequest")(
            **{"type_name": found_type.name, "type_version": found_type.version or None, f"{field}_name": message.name}
        )
        self._send(f"Get{prefix}ByTypeAndName", request, found, deadline)
        return int(getattr(found, field).id) if found.HasField(field) else None


def _messages(request: Any, kind: str) -> Iterator[Any]:
    """The messages of a kind in a request, in the order of the ids in its response."""
    for descriptor, value in request.ListFields():
        repeated = descriptor.label == descriptor.LABEL_REPEATED
        for message in value if repeated else [value]:
            name = descriptor.message_type.name if descriptor.message_type else ""
            if name == kind:
                yield message
            elif name == "ArtifactAndEvent" and kind == _ARTIFACT:
                yield message.artifact


def _new(request: Any) -> Iterator[tuple[str, Any]]:
    """The executions and artifacts that a request creates; contexts have names of their own."""
    if request.DESCRIPTOR.name.startswith("Put"):
        for kind in (_EXECUTION, _ARTIFACT):
            for message in _messages(request, kind):
                if not message.id:
                    yield kind, message
