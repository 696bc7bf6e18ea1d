"""Transport over TF Serving's REST API, with `urllib3`; it does not import TensorFlow."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import re
import socket
import ssl
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3

from components.errors import UserError
from components.export.encoding import encoded_examples
from components.export.signatures import (
    ITEM,
    ITEMS,
    SCORES,
    SERVE_TF_EXAMPLE,
    SIMILAR_ITEMS,
    Predictions,
    PredictRequests,
    SimilarPredictions,
)
from pipeline.client.labels import LabelChoice, RefusedError
from pipeline.client.retries import TransientError, with_retries
from pipeline.client.tls import check_authorities, tls_problem
from pipeline.client.transport import Connection, VersionStatus
from pipeline.client.validation import check_predictions, check_similar, unexpected_answer

# How urllib3 names its connections and pools in messages.
_OBJECT = re.compile(r"<[\w.]+ object at 0x[0-9a-f]+>: |_Quick\w+\([^)]*\): ")
_TRANSIENT = {429, 502, 503, 504}
# Linux only. The server sends a response in several segments and waits for an acknowledgement in between, which the
# kernel delays by 40 ms unless this is set; the kernel resets it, so it is set at each send and at each read.
_QUICKACK = getattr(socket, "TCP_QUICKACK", None)


class RestTransport:
    """A `Transport` over REST, whose responses do not contain the version of the model."""

    def __init__(self, connection: Connection) -> None:
        """Creates a pool, which keeps its connection between requests; nothing is sent yet.

        Args:
            connection: the server.

        Raises:
            UserError: the file of certificate authorities cannot be used.
        """
        self._connection = connection
        self._url = f"{connection.url.rstrip('/')}/v1/models/{quote(connection.model)}"
        parts = urlsplit(connection.url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        try:
            self._pool = _pool(connection)
        except urllib3.exceptions.LocationValueError as error:
            raise UserError(f"{connection.url!r} is no URL: {error}. Hint: use http://HOST:8501.") from None
        self._headers = {"Content-Type": "application/json"}
        if connection.token:
            self._headers["Authorization"] = f"Bearer {connection.token}"
        self._labels = LabelChoice(connection.label)

    def predict(
        self, requests: PredictRequests, version: int | None = None, candidates: Sequence[list[str]] | None = None
    ) -> tuple[Predictions, str]:
        """Sends a predict request."""
        examples = [{"b64": base64.b64encode(example).decode()} for example in encoded_examples(requests, candidates)]
        outputs = self._outputs(SERVE_TF_EXAMPLE, {"examples": examples}, version)
        users = len(requests.user_id)
        return check_predictions(outputs.get(ITEMS), outputs.get(SCORES), users, self._connection.url), ""

    def similar(self, items: Sequence[str]) -> tuple[SimilarPredictions, str]:
        """Sends a request for similar items."""
        return check_similar(self._outputs(SIMILAR_ITEMS, {ITEM: list(items)}), len(items), self._connection.url), ""

    def _outputs(self, signature: str, inputs: dict[str, Any], version: int | None = None) -> dict[str, Any]:
        body = {"signature_name": signature, "inputs": inputs}
        if version is not None:
            response = self._call("POST", f"{self._url}/versions/{version}:predict", body)
        else:
            response = self._labels.call(lambda label: self._call("POST", f"{self._labelled(label)}:predict", body))
        outputs = response.get("outputs")
        if not isinstance(outputs, dict):
            raise unexpected_answer(self._connection.url, f"no `outputs` in {str(response)[:200]}")
        return outputs

    def statuses(self) -> list[VersionStatus]:
        """Reads the model status."""
        response = self._call("GET", self._url, None)
        try:
            return [
                VersionStatus(int(part["version"]), str(part["state"]), part.get("status", {}).get("error_message", ""))
                for part in response["model_version_status"]
            ]
        except (KeyError, TypeError, ValueError, AttributeError):
            raise unexpected_answer(self._connection.url, str(response)[:200]) from None

    def notes(self, user: str, history: Sequence[str]) -> list[str]:
        """No notes: the server does not tell what it knows."""
        return []

    def close(self) -> None:
        """Closes the connection."""
        if isinstance(self._pool, urllib3.ProxyManager):
            self._pool.clear()
        else:
            self._pool.close()

    def _labelled(self, label: str | None) -> str:
        return f"{self._url}/labels/{quote(label)}" if label else self._url

    def _call(self, method: str, url: str, body: dict[str, Any] | None) -> Any:
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        return with_retries(
            lambda remaining: self._attempt(method, url, content, remaining),
            self._connection.timeout,
            self._connection.url,
        )

    def _attempt(self, method: str, url: str, body: bytes | None, remaining: float) -> Any:
        # A proxy needs the whole URL.
        target = url if isinstance(self._pool, urllib3.ProxyManager) else url[len(self._origin) :]
        try:
            # Compressed answers are not asked for, and are not expanded: a few bytes may become gigabytes.
            response = self._pool.urlopen(
                method,
                target,
                body=body,
                headers=self._headers,
                timeout=remaining,
                retries=False,
                redirect=False,
                decode_content=False,
            )
            text = response.data.decode(errors="replace")
        except urllib3.exceptions.LocationValueError as error:
            raise UserError(f"{self._connection.url!r} is no URL: {error}. Hint: use http://HOST:8501.") from None
        except urllib3.exceptions.SSLError as error:
            raise UserError(tls_problem(self._connection.url, str(error))) from None
        except urllib3.exceptions.HTTPError as error:
            if "BadStatusLine" in str(error):
                raise UserError(
                    f"{self._connection.url}: the response is not HTTP. Hint: gRPC has its own port: grpc://HOST:8500."
                ) from None
            raise TransientError(f"{type(error).__name__}: {_OBJECT.sub('', str(error))}") from error
        except (ValueError, OverflowError, http.client.HTTPException) as error:
            # Of Python's http, such as for a chunk of negative length, which urllib3 does not expect.
            raise TransientError(f"the response is not HTTP: {error}") from error
        if response.status in _TRANSIENT:
            raise TransientError(f"HTTP {response.status}: {' '.join(text.split())[:300]}")
        try:
            content = json.loads(text)
        except (ValueError, RecursionError):
            content = None
        if response.status == 200 and isinstance(content, dict) and "error" not in content:
            return content
        if 300 <= response.status < 400:
            raise unexpected_answer(url, f"a redirect (HTTP {response.status}) to {response.headers.get('Location')}")
        if not isinstance(content, dict) and (response.status == 200 or text.lstrip().startswith("<")):
            raise unexpected_answer(url, f"HTTP {response.status}, {text.strip()[:200]!r}")
        reason = content["error"] if isinstance(content, dict) and "error" in content else " ".join(text.split())[:300]
        raise RefusedError(f"{url} refused the request (HTTP {response.status}): {reason}")


class _QuickSocket(socket.socket):
    """Acknowledges each segment at once, see `_QUICKACK`; `deadline` holds for the whole answer, not for each read."""

    deadline = float("inf")

    def recv_into(self, *arguments: Any, **options: Any) -> int:
        _limit(self)
        count = super().recv_into(*arguments, **options)
        _acknowledge_at_once(self)
        return count


class _DeadlineTlsSocket(ssl.SSLSocket):
    deadline = float("inf")

    def recv_into(self, *arguments: Any, **options: Any) -> int:
        _limit(self)
        return super().recv_into(*arguments, **options)


def _limit(connected: _QuickSocket | _DeadlineTlsSocket) -> None:
    if connected.deadline != float("inf"):
        connected.settimeout(max(connected.deadline - time.monotonic(), 1e-3))


def _set_deadline(connected: Any) -> None:
    """From the time that is left when the request was sent, which is the socket's timeout now."""
    if isinstance(connected, _QuickSocket | _DeadlineTlsSocket) and (left := connected.gettimeout()) is not None:
        connected.deadline = time.monotonic() + left


class _QuickConnection(urllib3.connection.HTTPConnection):
    sock: Any  # set by `connect`

    def connect(self) -> None:
        super().connect()
        if _QUICKACK is not None and type(self.sock) is socket.socket:
            timeout = self.sock.gettimeout()
            self.sock = _QuickSocket(fileno=self.sock.detach())
            self.sock.settimeout(timeout)

    def getresponse(self, *arguments: Any, **options: Any) -> Any:
        _set_deadline(self.sock)
        _acknowledge_at_once(self.sock)
        return super().getresponse(*arguments, **options)


class _QuickTlsConnection(urllib3.connection.HTTPSConnection):
    # OpenSSL reads from the socket itself, so that only the first segments are acknowledged at once.
    def getresponse(self, *arguments: Any, **options: Any) -> Any:
        _set_deadline(self.sock)
        _acknowledge_at_once(self.sock)
        return super().getresponse(*arguments, **options)


class _QuickPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _QuickConnection


class _QuickTlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _QuickTlsConnection


def _pool(connection: Connection) -> urllib3.HTTPConnectionPool | urllib3.ProxyManager:
    """Connections to the server, or to the proxy of the environment."""
    parts = urlsplit(connection.url)
    options: dict[str, Any] = {}
    if parts.scheme == "https":
        check_authorities(connection.ca)
        options = {"cert_reqs": "CERT_REQUIRED", "ca_certs": connection.ca, "ssl_context": _tls_context(connection.ca)}
    proxy = None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)
    if proxy:
        manager = urllib3.ProxyManager(proxy, **options)
        manager.pool_classes_by_scheme = {"http": _QuickPool, "https": _QuickTlsPool}
        return manager
    kind = _QuickTlsPool if parts.scheme == "https" else _QuickPool
    return kind(parts.hostname or "", parts.port, **options)


def _tls_context(ca: str | None) -> ssl.SSLContext:
    context = urllib3.util.ssl_.create_urllib3_context()
    context.sslsocket_class = _DeadlineTlsSocket
    if ca is None:
        context.load_default_certs()
    return context


def _acknowledge_at_once(connected: socket.socket | ssl.SSLSocket | None) -> None:
    if _QUICKACK is not None and connected is not None:
        with contextlib.suppress(OSError):  # closed, or of another kind
            connected.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
