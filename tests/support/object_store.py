"""A stand-in for Google Cloud Storage: the part of its JSON API that TensorFlow and Apache Beam use, over HTTPS.

TensorFlow's file system has Google's addresses compiled in, so the server is also a proxy that all hosts lead to.
Every `fault_every`-th request is answered with 503, as the real one does now and then.
"""

from __future__ import annotations

import contextlib
import datetime
import email
import itertools
import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

_HOSTS = ("storage.googleapis.com", "www.googleapis.com", "localhost")


class ObjectStore:
    """Objects by bucket and name.

    Attributes:
        buckets: content of objects.
        environment: variables with which a process uses this server.
        faults: number of requests that were answered with 503.
    """

    def __init__(self, folder: Path, buckets: tuple[str, ...], fault_every: int | None) -> None:
        """Creates a certificate and binds a port.

        Args:
            folder: where the certificate is written.
            buckets: names of the buckets.
            fault_every: see the module; None: no faults.
        """
        self.buckets: dict[str, dict[str, bytes]] = {name: {} for name in buckets}
        self.changed: dict[tuple[str, str], str] = {}
        self.uploads: dict[str, tuple[str, str, bytearray]] = {}
        self.faults, self._requests, self._fault_every = 0, itertools.count(1), fault_every
        self.lock = threading.RLock()
        certificate, key = folder / "certificate.pem", folder / "key.pem"
        names = ",".join(f"DNS:{host}" for host in _HOSTS)
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
                *("-subj", f"/CN={_HOSTS[0]}", "-addext", f"subjectAltName={names}"),
                *("-keyout", key, "-out", certificate),
            ],
            check=True,
            capture_output=True,
        )
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(certificate, key)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"store": self}))
        proxy = f"http://127.0.0.1:{self.server.server_port}"
        self.environment = {
            "https_proxy": proxy,
            "HTTPS_PROXY": proxy,
            "CURL_CA_BUNDLE": str(certificate),
            "REQUESTS_CA_BUNDLE": str(certificate),
            "GOOGLE_AUTH_TOKEN_FOR_TESTING": "token",
            "NO_GCE_CHECK": "true",
            "GCS_RETRY_CONFIG_INIT_DELAY_TIME_US": "1000",
            "GCS_RETRY_CONFIG_MAX_DELAY_TIME_US": "10000",
            # Anonymous credentials in Google's Python library.
            "STORAGE_EMULATOR_HOST": f"https://{_HOSTS[0]}",
        }

    def is_faulty(self) -> bool:
        """Whether the current request fails."""
        with self.lock:
            faulty = self._fault_every is not None and next(self._requests) % self._fault_every == 0
            self.faults += faulty
            return faulty

    def put(self, bucket: str, name: str, content: bytes) -> dict[str, Any]:
        """Writes an object and returns its metadata."""
        with self.lock:
            self.buckets[bucket][name] = content
            self.changed[bucket, name] = datetime.datetime.now(datetime.timezone.utc).isoformat()[:-6] + "Z"
            return self.metadata(bucket, name)

    def metadata(self, bucket: str, name: str) -> dict[str, Any]:
        """The metadata of an object."""
        return {
            "kind": "storage#object",
            "bucket": bucket,
            "name": name,
            "size": str(len(self.buckets[bucket][name])),
            "updated": self.changed[bucket, name],
            "generation": "1",
        }


@contextlib.contextmanager
def object_store(
    folder: Path, buckets: tuple[str, ...] = ("bucket",), fault_every: int | None = None
) -> Iterator[ObjectStore]:
    """Serves an object store while the block runs; the arguments are those of `ObjectStore`."""
    store = ObjectStore(folder, buckets, fault_every)
    thread = threading.Thread(target=store.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield store
    finally:
        store.server.shutdown()
        store.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store: ObjectStore

    def log_message(self, *_: Any) -> None:
        """Prints nothing."""

    def do_CONNECT(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.connection = self.store.tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)
        self.close_connection = False
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            while not self.close_connection:
                self.handle_one_request()

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def do_PUT(self) -> None:
        self._answer(self._put)

    def do_DELETE(self) -> None:
        self._answer(self._delete)

    def _answer(self, method: Any) -> None:
        body = self._body()
        if self.store.is_faulty():
            self._send(503, b"backend error")
            return
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        try:
            method([part for part in url.path.split("/") if part], query, body)
        except KeyError:
            self._json({"error": {"code": 404, "message": "Not Found"}}, 404)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _get(self, path: list[str], query: dict[str, str], body: bytes) -> None:
        path = path[1:] if path[0] == "download" else path
        if path[:3] != ["storage", "v1", "b"]:  # storage.googleapis.com/bucket/object
            self._content(self._object([*path[:1], "o", *path[1:]]))
        elif len(path) == 4:
            self.store.buckets[path[3]]  # a KeyError is 404
            self._json({"kind": "storage#bucket", "name": path[3], "location": "US"})
        elif len(path) == 5:
            self._json(self._list(path[3], query))
        elif query.get("alt") == "media":
            self._content(self._object(path[3:]))
        else:
            self._object(path[3:])
            self._json(self.store.metadata(*_names(path[3:])))

    def _post(self, path: list[str], query: dict[str, str], body: bytes) -> None:
        if path[0] == "batch":
            self._batch(body)
        elif path[0] == "upload":
            self._upload(path[4], query, body)
        else:
            self._json(self._copy(path))

    def _copy(self, path: list[str]) -> dict[str, Any]:
        """`b/bucket/o/object/rewriteTo/b/bucket/o/object`, or `copyTo`."""
        verb = next(index for index, part in enumerate(path) if part in ("rewriteTo", "copyTo"))
        content = self._object(path[3:verb])
        copied = self.store.put(*_names(path[verb + 2 :]), content)
        size = str(len(content))
        done = {"done": True, "totalBytesRewritten": size, "objectSize": size, "resource": copied}
        return done if path[verb] == "rewriteTo" else copied

    def _upload(self, bucket: str, query: dict[str, str], body: bytes) -> None:
        self.store.buckets[bucket]
        if query["uploadType"] == "resumable":
            name = query.get("name") or json.loads(body)["name"]
            key = f"{len(self.store.uploads)}"
            self.store.uploads[key] = bucket, name, bytearray()
            self._send(200, b"", {"Location": f"https://{_HOSTS[1]}/resumable/{key}"})
        elif query["uploadType"] == "multipart":
            text = b"Content-Type: " + self.headers["Content-Type"].encode() + b"\r\n\r\n" + body
            metadata, content = email.message_from_bytes(text).get_payload()
            name = json.loads(metadata.get_payload())["name"]
            self._json(self.store.put(bucket, name, content.get_payload(decode=True)))
        else:
            self._json(self.store.put(bucket, query["name"], body))

    def _put(self, path: list[str], query: dict[str, str], body: bytes) -> None:
        bucket, name, content = self.store.uploads[path[1]]
        span, _, total = (self.headers.get("Content-Range") or "bytes 0-/*").removeprefix("bytes ").partition("/")
        if span != "*":
            content[int(span.partition("-")[0]) :] = body
        if self.headers.get("Content-Range") is None or total == str(len(content)):
            self._json(self.store.put(bucket, name, bytes(content)))
        else:
            self._send(308, b"", {"Range": f"bytes=0-{len(content) - 1}"} if content else {})

    def _delete(self, path: list[str], query: dict[str, str], body: bytes) -> None:
        self._remove(path)
        self._send(204, b"")

    def _remove(self, path: list[str]) -> None:
        self._object(path[3:])
        bucket, name = _names(path[3:])
        del self.store.buckets[bucket][name]

    def _batch(self, body: bytes) -> None:
        """Deletes and copies, as Beam sends them: an HTTP request in each part."""
        text = b"Content-Type: " + self.headers["Content-Type"].encode() + b"\r\n\r\n" + body
        answers = []
        for part in email.message_from_bytes(text).get_payload():
            method, url, _ = part.get_payload().split(None, 2)
            path = [name for name in urlsplit(url).path.split("/") if name]
            try:
                answer = json.dumps(self._copy(path)) if method == "POST" else self._remove(path) or ""
                status = "200 OK" if answer else "204 No Content"
            except KeyError:
                status, answer = "404 Not Found", json.dumps({"error": {"code": 404, "message": "Not Found"}})
            answers.append(f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n\r\n{answer}")
        parts = "".join(f"--answer\r\nContent-Type: application/http\r\n\r\n{answer}\r\n" for answer in answers)
        kind = {"Content-Type": 'multipart/mixed; boundary="answer"'}
        self._send(200, f"{parts}--answer--".encode(), kind)

    def _list(self, bucket: str, query: dict[str, str]) -> dict[str, Any]:
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter")
        names = sorted(name for name in self.store.buckets[bucket] if name.startswith(prefix))
        folders = set()
        if delimiter:
            rests = {name: name[len(prefix) :] for name in names}
            folders = {prefix + rest.split(delimiter)[0] + delimiter for rest in rests.values() if delimiter in rest}
            names = [name for name in names if delimiter not in rests[name]]
        most = int(query.get("maxResults") or 1000)
        first = int(query.get("pageToken") or 0)
        page: dict[str, Any] = {"kind": "storage#objects"}
        every = sorted([*names, *folders])
        shown = every[first : first + most]
        if items := [self.store.metadata(bucket, name) for name in shown if name not in folders]:
            page["items"] = items
        if prefixes := [name for name in shown if name in folders]:
            page["prefixes"] = prefixes
        return page | ({"nextPageToken": str(first + most)} if first + most < len(every) else {})

    def _object(self, path: list[str]) -> bytes:
        bucket, name = _names(path)
        return self.store.buckets[bucket][name]

    def _content(self, content: bytes) -> None:
        span = self.headers.get("Range", "").removeprefix("bytes=")
        if not span:
            self._send(200, content)
            return
        first, _, last = span.partition("-")
        if int(first) >= len(content):
            self._send(416, b"")
            return
        part = content[int(first) : int(last) + 1 if last else None]
        at = f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}"
        self._send(206, part, {"Content-Range": at})

    def _json(self, value: Any, status: int = 200) -> None:
        self._send(status, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()


def _names(path: list[str]) -> tuple[str, str]:
    """Bucket and object of `[bucket, "o", object ...]`."""
    return path[0], unquote("/".join(path[2:]))
