"""ML Metadata as a gRPC service over a SQLite file: MLMD's own C++ store behind a gRPC server.

    python -m pipeline.kubeflow.metadata.service --database FILE --port 8080

It passes the bytes of each request to the C++ library of MLMD's own server. It runs from the image of the steps, so
server and steps always have the same version of MLMD.
"""

from __future__ import annotations

import signal
import threading
from concurrent import futures
from pathlib import Path

import click
import grpc
from ml_metadata.metadata_store.pywrap.metadata_store_extension import metadata_store as cpp_store
from ml_metadata.proto import metadata_store_pb2, metadata_store_service_pb2

_THREADS, _GRACE_SECONDS = 16, 5
_STATUS = {status.value[0]: status for status in grpc.StatusCode}
_SERVICE = metadata_store_service_pb2.DESCRIPTOR.services_by_name["MetadataStoreService"]


class _Methods(grpc.GenericRpcHandler):
    """All methods of the service, one at a time, since the store has a single connection."""

    def __init__(self, database: Path) -> None:
        config = metadata_store_pb2.ConnectionConfig()
        config.sqlite.filename_uri = str(database)
        config.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
        options = metadata_store_pb2.MigrationOptions(enable_upgrade_migration=True)
        self._store = cpp_store.CreateMetadataStore(config.SerializeToString(), options.SerializeToString())
        self._lock = threading.Lock()

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        service, _, method = details.method.lstrip("/").partition("/")
        if service != _SERVICE.full_name or not hasattr(cpp_store, method):
            return None

        def respond(request: bytes, context: grpc.ServicerContext) -> bytes:
            with self._lock:
                response, error, status = getattr(cpp_store, method)(self._store, request)
            if status:
                context.abort(_STATUS[status], error.decode(errors="replace"))
            return response

        return grpc.unary_unary_rpc_method_handler(respond)


def start(database: Path, address: str) -> tuple[grpc.Server, int]:
    """Starts the service in threads of this process.

    Args:
        database: SQLite file; created if missing.
        address: address such as "[::]:8080"; port 0 means any free port.

    Returns:
        The server and its port.
    """
    server = grpc.server(futures.ThreadPoolExecutor(_THREADS), handlers=[_Methods(database)])
    port = server.add_insecure_port(address)
    server.start()
    return server, port


@click.command()
@click.option("--database", required=True, type=click.Path(dir_okay=False, path_type=Path), help="SQLite file.")
@click.option("--host", default="0.0.0.0", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, help="Port; 0: any free port.")
def main(database: Path, host: str, port: int) -> None:
    """Serves ML Metadata until SIGTERM; prints the port once it listens."""
    server, bound = start(database, f"{host}:{port}")
    signal.signal(signal.SIGTERM, lambda *_: server.stop(_GRACE_SECONDS))
    click.echo(f"ML Metadata listens on {bound}")
    server.wait_for_termination()


if __name__ == "__main__":
    main()
