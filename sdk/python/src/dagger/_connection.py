"""Finding, starting and ending a session."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Awaitable, Callable, Optional, TypeVar

from ._transport import Session
from .errors import ClientConnectionError, ProvisionError, SessionError

if TYPE_CHECKING:
    from .client.gen import Client

T = TypeVar("T")

_default: Optional[Session] = None


class Timeout:
    """Seconds to wait for a connection; only kept for programs that set it."""

    def __init__(self, timeout: Optional[float] = None, connect: Optional[float] = None) -> None:
        self.timeout, self.connect = timeout, connect

    @classmethod
    def default(cls) -> Timeout:
        """Return the usual waiting times."""
        return cls(None, 10.0)


class Retry:
    """How often connecting is tried; only kept for programs that set it."""

    def __init__(self, connect: bool = True, execute: bool = False) -> None:
        self.connect, self.execute = connect, execute


class Config:
    """Settings of a connection.

    Args:
        workdir: Directory the engine takes relative host paths from.
        config_path: Accepted for programs that set it; not used.
        log_output: Stream for the engine's progress, such as ``sys.stderr``.
        timeout: Accepted for programs that set it; connecting takes ten seconds at most.
        retry: Accepted for programs that set it; not used.
        execute_timeout: Seconds an answer may take; unlimited by default.
        console: Accepted for programs that set it; not used.
    """

    def __init__(
        self,
        *,
        workdir: Any = "",
        config_path: Any = "",
        log_output: Any = None,
        timeout: Any = None,
        retry: Any = None,
        execute_timeout: Any = None,
        console: Any = None,
    ) -> None:
        self.workdir = workdir
        self.config_path = config_path
        self.log_output = log_output
        self.timeout = timeout
        self.retry = retry
        self.execute_timeout = execute_timeout
        self.console = console


def default_session() -> Session:
    """Return the session `dag` uses, connecting to it if that has not been done."""
    global _default
    if _default is None:
        _default = _from_environment(Config())
        if _default is None:
            raise ClientConnectionError(
                "there is no session: run this program with `nsci run`, or connect first with "
                "`async with dagger.connection():`"
            )
    return _default


def has_session() -> bool:
    """Tell whether `dag` can be used."""
    environ = os.environ
    in_environment = environ.get("NSCI_SESSION_PORT") or environ.get("DAGGER_SESSION_PORT")
    return _default is not None or bool(in_environment)


def open_session(config: Optional[Config] = None) -> Session:
    """Join the session of the environment, or start an engine with one."""
    config = config or Config()
    return _from_environment(config) or _spawn(config)


def _from_environment(config: Config) -> Optional[Session]:
    environ = os.environ
    port = environ.get("NSCI_SESSION_PORT") or environ.get("DAGGER_SESSION_PORT")
    if not port:
        return None
    token = environ.get("NSCI_SESSION_TOKEN") or environ.get("DAGGER_SESSION_TOKEN")
    if not token:
        raise ClientConnectionError("DAGGER_SESSION_PORT is set but DAGGER_SESSION_TOKEN is not")
    if config.workdir and str(config.workdir) not in (".", os.getcwd()):
        raise ClientConnectionError("the working directory of a running session cannot be changed")
    try:
        return Session(int(port), token, timeout=config.execute_timeout)
    except ValueError:
        raise ClientConnectionError(f"DAGGER_SESSION_PORT is not a port: {port!r}") from None


def _spawn(config: Config) -> Session:
    import json
    import shutil
    import subprocess

    environ = os.environ
    command = environ.get("NSCI_CLI_BIN") or environ.get("_EXPERIMENTAL_DAGGER_CLI_BIN") or "nsci"
    program = shutil.which(os.path.expanduser(command))
    if program is None:
        raise ProvisionError(f"`{command}` was not found; install nsci or set NSCI_CLI_BIN to it")
    arguments = [program, "session", "--label", "dagger.io/sdk.name:python"]
    if config.workdir:
        arguments += ["--workdir", os.path.abspath(config.workdir)]
    stderr, copy_to = _log_target(config.log_output)
    try:
        child = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr
        )
    except OSError as error:
        raise ProvisionError(f"cannot start {program}: {error}") from error
    if copy_to is not None:
        import threading

        threading.Thread(target=_copy, args=(child.stderr, copy_to), daemon=True).start()
    assert child.stdout is not None
    line = child.stdout.readline()
    try:
        parameters = json.loads(line)
        port, token = parameters["port"], parameters["session_token"]
    except (ValueError, KeyError, TypeError):
        child.kill()
        raise SessionError(
            f"{program} did not start a session (exit code {child.wait()})"
        ) from None

    def stop() -> None:
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                stream.close()
        code = child.wait()
        if code != 0:
            raise SessionError(f"the engine ended with exit code {code}")

    return Session(port, token, timeout=config.execute_timeout, on_close=stop)


def _log_target(output: Any) -> tuple[Any, Any]:
    """Where the engine's log goes: a file descriptor, or a stream it is copied to."""
    if output is None:
        import subprocess

        return subprocess.DEVNULL, None
    try:
        return output.fileno(), None
    except (AttributeError, OSError, ValueError):
        import subprocess

        return subprocess.PIPE, output


def _copy(source: Any, target: Any) -> None:
    for line in source:
        target.write(line.decode("utf-8", "replace"))


class Connection:
    """A session of its own: ``async with dagger.Connection() as client:``."""

    def __init__(self, config: Optional[Config] = None) -> None:
        self.config = config
        self._session: Optional[Session] = None

    async def __aenter__(self) -> Client:
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        self.__exit__()

    def __enter__(self) -> Client:
        from .client.gen import Client

        self._session = open_session(self.config)
        return Client(self._session)

    def __exit__(self, *_: object) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None


class _GlobalConnection:
    """A session for `dag`."""

    def __init__(self, config: Optional[Config] = None) -> None:
        self.config = config
        self._before: Optional[Session] = None

    async def __aenter__(self) -> Client:
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        self.__exit__()

    def __enter__(self) -> Client:
        global _default
        from .client.gen import dag

        self._before, _default = _default, open_session(self.config)
        return dag

    def __exit__(self, *_: object) -> None:
        global _default
        session, _default = _default, self._before
        if session is not None and session is not self._before:
            session.close()


def connection(config: Optional[Config] = None) -> _GlobalConnection:
    """Give `dag` a session for the length of a (plain or async) ``with`` block."""
    return _GlobalConnection(config)


async def connect(config: Optional[Config] = None) -> Client:
    """Give `dag` a session until :func:`close` or the end of the program."""
    import atexit

    client = connection(config).__enter__()
    atexit.register(_close)
    return client


async def close() -> None:
    """End the session :func:`connect` began."""
    _close()


def _close() -> None:
    global _default
    session, _default = _default, None
    if session is not None:
        session.close()


def run_sync(awaitable: Awaitable[T]) -> T:
    """Wait for an API call in a plain function.

    ``run_sync(dag.container().from_("alpine").stdout())`` is what ``await`` is in an async one.
    It blocks, and cannot be used while an event loop runs in the same thread.
    """
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            pass
        else:
            raise RuntimeError("run_sync blocks the running event loop; use await")
    return drive(awaitable)


def drive(awaitable: Awaitable[T]) -> T:
    """Run to its end an awaitable that needs no event loop."""
    steps = awaitable.__await__()
    try:
        next(steps)
    except StopIteration as done:
        return done.value
    close: Optional[Callable[[], None]] = getattr(steps, "close", None)
    if close is not None:
        close()
    raise RuntimeError("this awaitable needs an event loop; run it with asyncio.run")
