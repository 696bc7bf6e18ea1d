"""Latency and CPU time of the client beside a bare HTTP client, against a server that sends as TF Serving does.

    python -m benchmarks.client
    python -m benchmarks.client --server http://host:8501 --users 1 --users 64

Without --server, a server in another process answers with a fixed response, in several segments and without TCP_NODELAY
like TF Serving's, so that the client's own part is measured: a delayed acknowledgement shows as 40 ms. Both clients
alternate; numbers are medians. CPU time is that of the client's process.
"""

from __future__ import annotations

import json
import multiprocessing
import socket
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection as Pipe

import click
import numpy as np
import urllib3

from pipeline.client.recommender import Query, Recommender

USERS = (1, 4, 8, 64)
K = 100
# TF Serving's HTTP server sends the response in buffers of this size.
_BUFFER = 4096
_BLOCK = 20
_HISTORY = [f"item{number}" for number in range(20)]


@click.command()
@click.option("--users", multiple=True, type=int, default=USERS, show_default=True, help="Users per request.")
@click.option("--seconds", default=3.0, show_default=True, help="For each figure.")
@click.option("--server", metavar="URL", help="Ask this TF Serving instead.")
def main(users: tuple[int, ...], seconds: float, server: str | None) -> None:
    """Measure the client."""
    process = None
    if server is None:
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
        process.start()
        server = f"http://127.0.0.1:{ours.recv()}"
    click.echo(f"{'users':>6}{'bare ms':>10}{'client ms':>11}{'bare CPU':>10}{'client CPU':>12}")
    for count in users:
        bare, client = _bare(server, count), _client(server, count)
        latencies, cpu = _alternating([bare, client], seconds)
        click.echo(f"{count:>6}{latencies[0]:>10.2f}{latencies[1]:>11.2f}{cpu[0]:>10.2f}{cpu[1]:>12.2f}")
    if process:
        process.terminate()


def _alternating(calls: list[Callable[[], object]], seconds: float) -> tuple[list[float], list[float]]:
    """Median milliseconds of wall and CPU time."""
    wall: list[list[float]] = [[] for _ in calls]
    cpu: list[list[float]] = [[] for _ in calls]
    for call in calls:
        for _ in range(3):
            call()
    started = time.perf_counter()
    while time.perf_counter() - started < seconds * len(calls):
        for index, call in enumerate(calls):
            # In blocks, since a call after a pause has cold caches.
            for _ in range(_BLOCK):
                before, before_cpu = time.perf_counter(), time.process_time()
                call()
                wall[index].append(time.perf_counter() - before)
                cpu[index].append(time.process_time() - before_cpu)
    return [float(np.median(part)) * 1e3 for part in wall], [float(np.median(part)) * 1e3 for part in cpu]


def _bare(server: str, count: int) -> Callable[[], object]:
    """A kept connection of a common HTTP client, with the columns of the documentation."""
    pool = urllib3.PoolManager()
    inputs = {
        "user_id": ["u1"] * count,
        "recent_item_ids": [["", *_HISTORY]] * count,
        "exclude_item_ids": [[""]] * count,
    }
    body = json.dumps({"signature_name": "serving_default", "inputs": inputs}).encode()
    url = f"{server}/v1/models/caser:predict"
    return lambda: json.loads(pool.request("POST", url, body=body).data)


def _client(server: str, count: int) -> Callable[[], object]:
    recommender = Recommender.connect(server)
    queries = [Query("u1", _HISTORY)] * count
    return lambda: recommender.recommend_many(queries, k=K)


def _serve(pipe: Pipe) -> None:
    """Answers every request on each connection; the number of users is that of "u1" in plain text or base64."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    pipe.send(listener.getsockname()[1])

    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection: socket.socket) -> None:
    stream = connection.makefile("rb")
    while True:
        line = stream.readline()
        if not line:
            return
        length = 0
        while (header := stream.readline()) not in (b"\r\n", b""):
            if header.lower().startswith(b"content-length:"):
                length = int(header.split(b":")[1])
        inputs = json.loads(stream.read(length))["inputs"]
        count = len(inputs.get("examples") or inputs["user_id"])
        outputs = {
            "item_ids": [[f"item{1000 + number}" for number in range(K)]] * count,
            "scores": [[12.345678 - number for number in range(K)]] * count,
        }
        body = json.dumps({"outputs": outputs}, indent=1).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        connection.sendall(head)
        for first in range(0, len(body), _BUFFER):
            connection.sendall(body[first : first + _BUFFER])


if __name__ == "__main__":
    main()
