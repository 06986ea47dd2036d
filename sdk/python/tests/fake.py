"""A session that answers queries by making up what they ask for.

It keeps a log of the queries and serves on a port of its own, in a thread, as the engine would.
Objects are named by the path that leads to them.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Optional

TOKEN = "s3cret"
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[{}()\[\]:,]|[^\s{}()\[\]:,"]+')


def parse(query: str) -> list[tuple[str, dict[str, Any], list]]:
    """Parse a selection set into fields, arguments and selections below."""
    tokens = _TOKENS.findall(query)
    if tokens[0] == "query":
        tokens.pop(0)
    tokens.reverse()
    return _selection(tokens)


def _selection(tokens: list[str]) -> list:
    assert tokens.pop() == "{"
    fields = []
    while tokens[-1] != "}":
        name, args, below = tokens.pop(), {}, []
        if tokens[-1] == "(":
            tokens.pop()
            while tokens[-1] != ")":
                key = tokens.pop()
                assert tokens.pop() == ":"
                args[key] = _value(tokens)
                if tokens[-1] == ",":
                    tokens.pop()
            tokens.pop()
        if tokens[-1] == "{":
            below = _selection(tokens)
        fields.append((name, args, below))
    tokens.pop()
    return fields


def _value(tokens: list[str]) -> Any:
    token = tokens.pop()
    if token == "[":
        items = []
        while tokens[-1] != "]":
            items.append(_value(tokens))
            if tokens[-1] == ",":
                tokens.pop()
        tokens.pop()
        return items
    if token == "{":
        fields = {}
        while tokens[-1] != "}":
            key = tokens.pop()
            assert tokens.pop() == ":"
            fields[key] = _value(tokens)
            if tokens[-1] == ",":
                tokens.pop()
        tokens.pop()
        return fields
    try:
        return json.loads(token)
    except ValueError:
        return token  # an enum


class Failure(Exception):
    """An error to answer with."""

    def __init__(self, message: str, **extensions: Any) -> None:
        super().__init__(message)
        self.extensions = extensions


class Fake:
    """The session."""

    def __init__(self, call: Optional[dict[str, Any]] = None) -> None:
        self.call = call
        self.queries: list[str] = []
        self.values: dict[str, Any] = {}
        self.returned: Any = None
        self.error: Optional[dict[str, Any]] = None
        self.connections = 0
        self.before: Callable[[str], None] = lambda query: None
        self._errors: list[dict[str, Any]] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                fake.connections += 1
                super().setup()

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                query = json.loads(self.rfile.read(length))["query"]
                expected = "Basic " + base64.b64encode(f"{TOKEN}:".encode()).decode()
                if self.headers["Authorization"] != expected:
                    self.reply(401, {"errors": [{"message": "who are you"}]})
                    return
                fake.queries.append(query)
                fake.before(query)
                try:
                    self.reply(200, {"data": fake.answer(query)})
                except Failure as failure:
                    error = {"message": str(failure), "extensions": failure.extensions}
                    self.reply(200, {"data": None, "errors": [error]})

            def reply(self, status: int, body: Any) -> None:
                data = json.dumps(body).encode()
                head = f"HTTP/1.1 {status} x\r\nContent-Length: {len(data)}\r\n\r\n".encode()
                self.wfile.write(head + data)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def environ(self) -> dict[str, str]:
        return {"DAGGER_SESSION_PORT": str(self.port), "DAGGER_SESSION_TOKEN": TOKEN}

    def answer(self, query: str) -> dict[str, Any]:
        return self._select(parse(query), "")

    def _select(self, fields: list, path: str) -> dict[str, Any]:
        return {name: self._field(name, args, below, path) for name, args, below in fields}

    def _field(self, name: str, args: dict, below: list, path: str) -> Any:
        if name == "currentFunctionCall" and not path:
            return self._current_call(below)
        if name == "error" and not path:
            self._errors.append({"message": args["message"], "values": {}})
        if name == "withValue" and path.startswith("error"):
            self._errors[-1]["values"][args["name"]] = json.loads(args["value"])
        shown = ",".join(f"{key}={json.dumps(value)}" for key, value in args.items())
        here = f"{path}.{name}".lstrip(".") + (f"({shown})" if shown else "")
        match = re.fullmatch(r"load(\w+)FromID", name)
        if match:
            here = args["id"]
        if name == "id":
            return path
        for known in (here, f"*.{name}"):
            if known in self.values:
                value = self.values[known]
                if isinstance(value, Exception):
                    raise value
                return value
        if name == "sync":
            return path
        return self._select(below, here) if below else here

    def _current_call(self, below: list) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for name, args, _ in below:
            if name == "returnValue":
                self.returned = json.loads(args["value"])
                out[name] = None
            elif name == "returnError":
                self.error = self._errors[-1]
                out[name] = None
            else:
                assert self.call is not None
                out[name] = self.call[name]
        return out
