"""ML Metadata as a gRPC service over a database: MLMD's own C++ store behind a gRPC server.

    python -m pipeline.kubeflow.metadata.service --database FILE --port 8080

It passes the bytes of each request to the C++ library of MLMD's own server. It runs from the image of the steps, so
server and steps always have the same version of MLMD.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from concurrent import futures

import click
import grpc
from ml_metadata.metadata_store.pywrap.metadata_store_extension import metadata_store as cpp_store
from ml_metadata.proto import metadata_store_pb2, metadata_store_service_pb2

from components.errors import UserError
from pipeline.kubeflow.metadata.database import connection_config, description

_THREADS, _GRACE_SECONDS = 16, 5
_STATUS = {status.value[0]: status for status in grpc.StatusCode}
_SERVICE = metadata_store_service_pb2.DESCRIPTOR.services_by_name["MetadataStoreService"]
_INTERNAL = grpc.StatusCode.INTERNAL.value[0]
_PROBE = "GetContextTypes"
# MLMD says no more than this about a connection that broke, or about one that cannot be made.
_LOST = ("Lost connection", "gone away", "server closed the connection", "terminating connection", "connect to server")


class DatabaseUnavailableError(Exception):
    """The database cannot be reached now."""


class _Store:
    """MLMD's store with a single connection, which is made again after the database was away."""

    def __init__(self, database: str) -> None:
        self._config = connection_config(database)
        self._store: object | None = None
        self.connect()

    def connect(self) -> None:
        """Connects, and creates the tables in an empty database."""
        options = metadata_store_pb2.MigrationOptions(enable_upgrade_migration=True)
        try:
            self._store = cpp_store.CreateMetadataStore(self._config.SerializeToString(), options.SerializeToString())
        except RuntimeError as error:
            raise DatabaseUnavailableError(str(error)) from None

    def call(self, method: str, request: bytes) -> tuple[bytes, str, int]:
        """Calls a method; returns response, error message and status.

        Raises:
            DatabaseUnavailableError: whether the request was executed is not known.
        """
        if self._store is None:
            self.connect()
        response, error, status = getattr(cpp_store, method)(self._store, request)
        message = error.decode(errors="replace")
        if status == _INTERNAL and (any(part in message for part in _LOST) or not self._answers()):
            self._store = None
            raise DatabaseUnavailableError(message)
        return response, message, status

    def _answers(self) -> bool:
        _, _, status = getattr(cpp_store, _PROBE)(self._store, b"")
        return bool(status == 0)


class _Methods(grpc.GenericRpcHandler):
    """All methods of the service, one at a time, since the store has a single connection."""

    def __init__(self, store: _Store) -> None:
        self._store = store
        self._lock = threading.Lock()

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        service, _, method = details.method.lstrip("/").partition("/")
        if service != _SERVICE.full_name or not hasattr(cpp_store, method):
            return None

        def respond(request: bytes, context: grpc.ServicerContext) -> bytes:
            try:
                with self._lock:
                    response, message, status = self._store.call(method, request)
            except DatabaseUnavailableError as error:
                context.abort(grpc.StatusCode.UNAVAILABLE, f"the database is not available: {error}")
            if status:
                context.abort(_STATUS[status], message)
            return response

        return grpc.unary_unary_rpc_method_handler(respond)


def start(database: str, address: str, wait: float = 0) -> tuple[grpc.Server, int]:
    """Starts the service in threads of this process.

    Args:
        database: SQLite file or URL of a database, see `connection_config`.
        address: address such as "[::]:8080"; port 0 means any free port.
        wait: seconds to wait for the database.

    Returns:
        The server and its port.

    Raises:
        UserError: the database is not valid, or does not answer.
    """
    deadline = time.monotonic() + wait
    while True:
        try:
            store = _Store(database)
            break
        except DatabaseUnavailableError as error:
            if time.monotonic() >= deadline:
                raise UserError(
                    f"Cannot use the database {description(database)}: {error}. Hint: check that it exists, its user "
                    "and password, and that it is reachable from here."
                ) from None
            time.sleep(1)
    server = grpc.server(futures.ThreadPoolExecutor(_THREADS), handlers=[_Methods(store)])
    port = server.add_insecure_port(address)
    server.start()
    return server, port


@click.command()
@click.option(
    "--database",
    required=True,
    envvar="CASER_METADATA_DATABASE",
    help="SQLite file, mysql://USER@HOST/NAME or postgresql://USER@HOST/NAME; password in CASER_METADATA_PASSWORD.",
)
@click.option("--host", default="0.0.0.0", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, help="Port; 0: any free port.")
@click.option("--wait", default=60.0, show_default=True, help="Seconds to wait for the database.")
def main(database: str, host: str, port: int, wait: float) -> None:
    """Serves ML Metadata until SIGTERM; prints the port once it listens."""
    try:
        server, bound = start(database, f"{host}:{port}", wait)
    except UserError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
    signal.signal(signal.SIGTERM, lambda *_: server.stop(_GRACE_SECONDS))
    click.echo(f"ML Metadata listens on {bound}")
    server.wait_for_termination()


if __name__ == "__main__":
    main()
