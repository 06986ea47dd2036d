"""Write CI/CD pipelines in Python.

Names are loaded when first used: a function call should not pay for what it does not touch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._connection import (
        Config,
        Connection,
        Retry,
        Timeout,
        close,
        connect,
        connection,
        run_sync,
    )
    from .client.base import ID, Input, Scalar, Type
    from .client.gen import *  # noqa: F403
    from .errors import (
        ClientConnectionError,
        ClientError,
        DaggerError,
        DownloadError,
        ExecError,
        ExecuteTimeoutError,
        FunctionError,
        InvalidQueryError,
        ProvisionError,
        QueryError,
        SessionError,
        TransportError,
        VersionMismatch,
    )
    from .mod import (
        Arg,
        DefaultAddress,
        DefaultPath,
        Deprecated,
        Doc,
        Enum,
        Ignore,
        Name,
        agent,
        check,
        enum_type,
        field,
        function,
        generate,
        interface,
        object_type,
        up,
    )

_HOMES = {
    "_connection": (
        "Config",
        "Connection",
        "Retry",
        "Timeout",
        "close",
        "connect",
        "connection",
        "run_sync",
    ),
    "errors": (
        "ClientConnectionError",
        "ClientError",
        "DaggerError",
        "DownloadError",
        "ExecError",
        "ExecuteTimeoutError",
        "FunctionError",
        "InvalidQueryError",
        "ProvisionError",
        "QueryError",
        "SessionError",
        "TransportError",
        "VersionMismatch",
    ),
    "mod": (
        "Arg",
        "DefaultAddress",
        "DefaultPath",
        "Deprecated",
        "Doc",
        "Enum",
        "Ignore",
        "Name",
        "agent",
        "check",
        "enum_type",
        "field",
        "function",
        "generate",
        "interface",
        "object_type",
        "up",
    ),
    "client.base": ("ID", "Input", "Scalar", "Type"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
_SUBMODULES = ("client", "errors", "log", "mod")


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    value = _load(name)
    globals()[name] = value
    return value


def _load(name: str) -> Any:
    from importlib import import_module

    if name in _SUBMODULES:
        return import_module(f"{__name__}.{name}")
    home = _HOME_OF.get(name)
    if home is not None:
        return getattr(import_module(f"{__name__}.{home}"), name)
    gen = import_module(f"{__name__}.client.gen")
    if name in gen.__dict__:
        return gen.__dict__[name]
    if name == "Void":
        return type(None)
    if name.endswith("ID") and name[:-2] in gen.__dict__:
        return import_module(f"{__name__}.client.base").ID
    if name[0].isupper():
        # A type of another module; what it can do is asked for when it is used.
        return import_module(f"{__name__}.client.dynamic").named_type(name)
    # Early modules called the API as functions of this package: `dagger.gradle()`.
    if not import_module(f"{__name__}._connection").has_session():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def call(*args: Any, **kwargs: Any) -> Any:
        return getattr(gen.dag, name)(*args, **kwargs)

    call.__name__ = call.__qualname__ = name
    return call


def __dir__() -> list[str]:
    from .client import gen

    return sorted({*globals(), *_HOME_OF, *gen.__all__})
