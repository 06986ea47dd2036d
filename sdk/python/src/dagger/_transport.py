"""Requests to a session: HTTP/1.1 over loopback, nothing more.

Without an event loop a request blocks; with one it does not. Neither way imports an HTTP library:
a function call lives for milliseconds and most of it would be imports.
"""

from __future__ import annotations

import sys
from typing import Any, Callable, Optional

try:
    # The module under `socket`, without the classes that cost more to import than a request takes.
    from _socket import socket as _Socket
except ImportError:  # pragma: no cover - not CPython
    from socket import socket as _Socket  # type: ignore[assignment]

from . import _json
from .errors import ClientConnectionError, ExecuteTimeoutError, TransportError, query_error

_AF_INET, _SOCK_STREAM = 2, 1
_CHUNK = 1 << 16
_CONNECT_TIMEOUT = 10.0


class _Stale(Exception):
    """A kept connection was closed by the other side before it answered."""


class _Parser:
    """Reads one response from pieces of it."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.status = 0
        self.keep = True
        self.length: Optional[int] = None
        self.chunked = False
        self.body = bytearray()
        self._in_body = False

    def feed(self, piece: bytes) -> bool:
        """Take a piece (empty at the end of the stream); true when the response is complete."""
        self.buffer += piece
        if not self._in_body and not self._head():
            if not piece:
                raise _Stale if not self.buffer else TransportError("the engine's answer broke off")
            return False
        if self.chunked:
            done = self._chunks()
        elif self.length is None:
            self.keep = False
            self.body += self.buffer
            self.buffer.clear()
            return not piece
        else:
            done = len(self.buffer) >= self.length
            if done:
                self.body = self.buffer
        if not done and not piece:
            raise TransportError("the engine's answer broke off")
        return done

    def _head(self) -> bool:
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        status, *headers = bytes(self.buffer[:end]).decode("latin-1").split("\r\n")
        del self.buffer[: end + 4]
        try:
            self.status = int(status.split(" ", 2)[1])
        except (IndexError, ValueError):
            raise TransportError(f"the engine's answer is not HTTP: {status!r}") from None
        if self.status < 200:
            return self._head()
        for header in headers:
            name, _, value = header.partition(":")
            name, value = name.strip().lower(), value.strip()
            if name == "content-length":
                self.length = int(value)
            elif name == "transfer-encoding":
                self.chunked = value.lower() == "chunked"
            elif name == "connection" and value.lower() == "close":
                self.keep = False
        self._in_body = True
        return True

    def _chunks(self) -> bool:
        while True:
            end = self.buffer.find(b"\r\n")
            if end < 0:
                return False
            size = int(bytes(self.buffer[:end]).split(b";")[0], 16)
            if len(self.buffer) < end + 2 + size + 2:
                return False
            self.body += self.buffer[end + 2 : end + 2 + size]
            del self.buffer[: end + 2 + size + 2]
            if size == 0:
                return True


class Session:
    """A session of an engine that listens on a port of this host."""

    def __init__(
        self,
        port: int,
        token: str,
        host: str = "127.0.0.1",
        timeout: Optional[float] = None,
        on_close: Optional[Callable[[], None]] = None,
    ) -> None:
        from binascii import b2a_base64

        credentials = b2a_base64(f"{token}:".encode(), newline=False).decode()
        self.host, self.port, self.timeout = host, port, timeout
        self._on_close = on_close
        self._head = (
            f"POST /query HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
            f"Accept: application/json\r\nAuthorization: Basic {credentials}\r\n"
            "Content-Length: "
        ).encode()
        self._idle: list[Any] = []

    # The answer of a request.

    def request(self, query: str) -> dict[str, Any]:
        """Ask and wait, blocking the thread."""
        message = self._message(query)
        while self._idle:
            try:
                return self._exchange(self._idle.pop(), message, query)
            except (_Stale, ConnectionError):
                continue
        try:
            return self._exchange(self._connect(), message, query)
        except _Stale:
            raise TransportError("the engine closed the connection") from None
        except TimeoutError:
            raise ExecuteTimeoutError(f"no answer within {self.timeout} s") from None
        except OSError as error:
            raise TransportError(f"the connection to the engine broke: {error}") from error

    async def request_async(self, query: str) -> dict[str, Any]:
        """Ask and wait, letting other tasks run if there is an event loop."""
        asyncio: Any = sys.modules.get("asyncio")
        try:
            loop = asyncio.get_running_loop() if asyncio else None
        except RuntimeError:
            loop = None
        if loop is None:
            return self.request(query)
        work = self._request_in_loop(asyncio, loop, query)
        if self.timeout is None:
            return await work
        try:
            return await asyncio.wait_for(work, self.timeout)
        except asyncio.TimeoutError:
            raise ExecuteTimeoutError(f"no answer within {self.timeout} s") from None

    def close(self) -> None:
        """Let go of connections and of the engine if it was started for this session."""
        while self._idle:
            self._idle.pop().close()
        if self._on_close is not None:
            on_close, self._on_close = self._on_close, None
            on_close()

    # Messages.

    def _message(self, query: str) -> bytes:
        body = _json.dumps({"query": query}).encode("utf-8", "surrogatepass")
        trace = _trace_header()
        return b"%b%d\r\n%b\r\n%b" % (self._head, len(body), trace, body)

    def _answer(self, parser: _Parser, query: str) -> dict[str, Any]:
        text = parser.body.decode("utf-8", "replace")
        try:
            answer = _json.loads(text)
        except ValueError:
            answer = None
        if parser.status == 401:
            raise ClientConnectionError("the engine refused the session token")
        if not isinstance(answer, dict):
            raise TransportError(f"the engine answered {parser.status}: {text[:200]}")
        if answer.get("errors"):
            raise query_error(answer["errors"], query)
        if parser.status != 200:
            raise TransportError(f"the engine answered {parser.status}: {text[:200]}")
        return answer.get("data") or {}

    # Blocking connections.

    def _connect(self) -> Any:
        connection = _Socket(_AF_INET, _SOCK_STREAM, 0)
        try:
            connection.settimeout(_CONNECT_TIMEOUT)
            connection.connect((self.host, self.port))
            connection.setsockopt(6, 1, 1)  # TCP_NODELAY
        except OSError as error:
            connection.close()
            raise ClientConnectionError(
                f"cannot connect to the engine at {self.host}:{self.port}: {error}"
            ) from error
        return connection

    def _exchange(self, connection: Any, message: bytes, query: str) -> dict[str, Any]:
        parser = _Parser()
        try:
            connection.settimeout(self.timeout)
            connection.sendall(message)
            while not parser.feed(connection.recv(_CHUNK)):
                pass
        except BaseException:
            connection.close()
            raise
        self._keep(connection, parser)
        return self._answer(parser, query)

    # The same connections with an event loop.

    async def _request_in_loop(self, asyncio: Any, loop: Any, query: str) -> dict[str, Any]:
        message = self._message(query)
        while self._idle:
            try:
                return await self._exchange_in_loop(loop, self._idle.pop(), message, query)
            except (_Stale, ConnectionError):
                continue
        connection = _Socket(_AF_INET, _SOCK_STREAM, 0)
        try:
            connection.setblocking(False)
            connection.setsockopt(6, 1, 1)  # TCP_NODELAY
            connecting = loop.sock_connect(connection, (self.host, self.port))
            await asyncio.wait_for(connecting, _CONNECT_TIMEOUT)
        except (OSError, asyncio.TimeoutError) as error:
            connection.close()
            raise ClientConnectionError(
                f"cannot connect to the engine at {self.host}:{self.port}: {error}"
            ) from error
        try:
            return await self._exchange_in_loop(loop, connection, message, query)
        except _Stale:
            raise TransportError("the engine closed the connection") from None
        except OSError as error:
            raise TransportError(f"the connection to the engine broke: {error}") from error

    async def _exchange_in_loop(
        self, loop: Any, connection: Any, message: bytes, query: str
    ) -> dict[str, Any]:
        parser = _Parser()
        try:
            connection.setblocking(False)
            await loop.sock_sendall(connection, message)
            while not parser.feed(await loop.sock_recv(connection, _CHUNK)):
                pass
        except BaseException:
            # Also when cancelled: half an answer may still be on the way.
            connection.close()
            raise
        self._keep(connection, parser)
        return self._answer(parser, query)

    def _keep(self, connection: Any, parser: _Parser) -> None:
        if parser.keep:
            self._idle.append(connection)
        else:
            connection.close()


def _trace_header() -> bytes:
    import os

    parent = os.environ.get("TRACEPARENT")
    return f"traceparent: {parent}\r\n".encode() if parent else b""
