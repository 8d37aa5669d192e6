"""Servers that speak DynamoDB's protocol over HTTP, and a proxy that disturbs them."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import boto3

Json = dict[str, Any]
Forward = Callable[[Json], tuple[int, Json]]
# From the operation, the request and what hands it on to the answer's status and document.
Rule = Callable[[str, Json, Forward], tuple[int, Json]]


@dataclass(frozen=True)
class Server:
    """A server that was started."""

    url: str

    def client(self, service: str = "dynamodb") -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def make_table(self, name: str, *key: str, indexes: Sequence[Json] = ()) -> str:
        """Makes a table. A key attribute is given as ``pk:S``, those of indexes too."""
        types = dict(part.split(":") for part in key)
        names = [name for name in types if not name.startswith("gsi")]
        schema = [
            {"AttributeName": name, "KeyType": kind}
            for name, kind in zip(names, ("HASH", "RANGE"), strict=False)
        ]
        more = {"GlobalSecondaryIndexes": list(indexes)} if indexes else {}
        self.client().create_table(
            TableName=name,
            KeySchema=schema,
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": kind} for name, kind in types.items()
            ],
            BillingMode="PAY_PER_REQUEST",
            **more,
        )
        self.client().get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
        return name

    def items(self, table: str) -> list[Json]:
        """All items, as low-level clients give them."""
        pages = self.client().get_paginator("scan").paginate(TableName=table)
        return [item for page in pages for item in page["Items"]]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextmanager
def started(command: Sequence[str], port: int) -> Iterator[Server]:
    """A server in a process of its own, until the end of the block."""
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    # Read to the end, so that it never waits to be read.
    said: list[bytes] = []
    reading = threading.Thread(target=said.extend, args=(process.stderr,), daemon=True)
    reading.start()
    try:
        until = time.monotonic() + 60
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            assert process.poll() is None, b"".join(said).decode()
            assert time.monotonic() < until, b"".join(said).decode()
            time.sleep(0.05)
        yield Server(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stderr.close()


@dataclass
class Proxy:
    """A real HTTP server in front of another, which answers by a rule.

    Attributes:
        server: Where it listens.
        calls: The operations with their requests, in the order in which they came.
        answers: What was answered.
    """

    server: Server
    calls: list[tuple[str, Json]] = field(default_factory=list)
    answers: list[tuple[int, Json]] = field(default_factory=list)

    def count(self, operation: str) -> int:
        return sum(called == operation for called, _ in self.calls)


@contextmanager
def disturbed(target: Server, rule: Rule) -> Iterator[Proxy]:
    """A proxy in front of a server, until the end of the block."""
    place = urlsplit(target.url)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = self.rfile.read(int(self.headers["Content-Length"]))
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            headers = {
                name: value
                for name, value in self.headers.items()
                if name.lower() not in ("host", "content-length")
            }

            def forward(body: Json) -> tuple[int, Json]:
                connection = http.client.HTTPConnection(str(place.hostname), place.port)
                connection.request("POST", "/", json.dumps(body), headers)
                response = connection.getresponse()
                answer = json.loads(response.read())
                connection.close()
                return response.status, answer

            body = json.loads(request)
            proxy.calls.append((operation, body))
            status, answer = rule(operation, body, forward)
            proxy.answers.append((status, answer))
            text = json.dumps(answer).encode()
            # Whoever asked may have been killed.
            with suppress(ConnectionError):
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.0")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:
            pass

    http_server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http_server.daemon_threads = True
    proxy = Proxy(Server(f"http://127.0.0.1:{http_server.server_address[1]}"))
    serving = threading.Thread(target=http_server.serve_forever, args=(0.05,), daemon=True)
    serving.start()
    try:
        yield proxy
    finally:
        http_server.shutdown()
        http_server.server_close()
        serving.join()


def refusal(code: str, message: str = "no", status: int = 400) -> tuple[int, Json]:
    """What DynamoDB answers where it refuses."""
    return status, {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message}


def renamed(value: Json) -> Json:
    """The value without members of maps that are named as types are: moto 5.2 mixes them up."""
    ((kind, inner),) = value.items()
    match kind:
        case "M":
            return {"M": {f"m{name}": renamed(member) for name, member in inner.items()}}
        case "L":
            return {"L": [renamed(member) for member in inner]}
        case _:
            return value
