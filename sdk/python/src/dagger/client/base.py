"""What every object of the API can do.

An object is a path of calls from the root that has not been asked for yet. A call that returns an
object makes the path longer; a call that returns a value sends it. Objects given as arguments are
sent as their ids, which are asked for first.
"""

from __future__ import annotations

import sys
from typing import Any, Callable, Optional, TypeVar

from .._json import quote
from .._transport import Session
from ..errors import InvalidQueryError

_T = TypeVar("_T", bound="Type")


class Scalar(str):
    """A text with a meaning."""

    __slots__ = ()


class ID(Scalar):
    """What the engine calls an object."""

    __slots__ = ()


class Input:
    """A group of values given as one argument."""

    _fields: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name, _ in self._fields)
        return f"{type(self).__name__}({values})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]


class Type:
    """An object of the API."""

    __slots__ = ("_parent", "_field", "_args", "_id")

    _api_name = ""

    def __init__(self, parent: Any, field: str = "", args: Optional[dict[str, Any]] = None) -> None:
        self._parent = parent
        self._field = field
        self._args = args
        self._id: Optional[str] = None

    @classmethod
    def _from_id(cls: type[_T], id: str, root: Optional[Type] = None) -> _T:
        loaded = cls(root or _root(), f"load{cls._api_name or cls.__name__}FromID", {"id": str(id)})
        loaded._id = str(id)
        return loaded

    # What generated methods are made of. An argument is a name and a value, and a default if the
    # engine has the same one; a value equal to it is not sent.

    def _select(self, kind: type[_T], field: str, *args: tuple[Any, ...]) -> _T:
        return kind(self, field, _given(args))

    async def _value(self, decode: Optional[Callable[[Any], Any]], field: str, *args: Any) -> Any:
        value = await self._fetch(field, _given(args))
        if decode is None or value is None:
            return value
        return [decode(element) for element in value] if isinstance(value, list) else decode(value)

    async def _objects(self, kind: type[_T], field: str, *args: Any) -> list[_T]:
        elements = await self._fetch(field, _given(args), "{id}")
        root = self._client()
        return [kind._from_id(element["id"], root) for element in elements or ()]

    async def _same(self: _T, field: str, *args: Any) -> _T:
        return type(self)._from_id(await self._fetch(field, _given(args)), self._client())

    async def _fetch(self, field: str, args: Optional[dict[str, Any]], below: str = "") -> Any:
        calls: list[tuple[str, Optional[dict[str, Any]]]] = [(field, args)]
        node = self
        while node._field:
            calls.append((node._field, node._args))
            node = node._parent
        calls.reverse()
        await _resolve([args for _, args in calls])
        query = "query{" + "{".join(_call(*call) for call in calls) + below + "}" * len(calls)
        value: Any = await node._session().request_async(query)
        for field, _ in calls:
            if value is None:
                return None
            value = value[field]
        return value

    async def _get_id(self) -> str:
        if self._id is None:
            self._id = await self._fetch("id", None)
        return self._id

    def _client(self) -> Type:
        node = self
        while node._field:
            node = node._parent
        return node

    def _session(self) -> Session:
        """Session of the root; only the root is asked."""
        if self._parent is not None:
            return self._parent
        from .._connection import default_session

        return default_session()

    def __repr__(self) -> str:
        names = []
        node = self
        while node._field:
            names.append(node._field)
            node = node._parent
        path = ".".join(reversed(names))
        return f"<{type(self).__name__} {path}>" if path else f"<{type(self).__name__}>"

    def __getattr__(self, name: str) -> Any:
        # Only reached by names the generated class does not have.
        if name.startswith("__"):
            raise AttributeError(name)
        from .dynamic import method

        return method(self, name)


def _root() -> Type:
    from .gen import dag

    return dag


def _given(args: tuple[tuple[Any, ...], ...]) -> Optional[dict[str, Any]]:
    given = {}
    for arg in args:
        value = arg[1]
        if len(arg) == 3 and (value is None or _is_default(value, arg[2])):
            continue
        given[arg[0]] = value
    return given or None


def _is_default(value: Any, default: Any) -> bool:
    if isinstance(default, (list, tuple)):
        return isinstance(value, (list, tuple)) and not value and not default
    return type(value) is type(default) and value == default


async def _resolve(arguments: list[Optional[dict[str, Any]]]) -> None:
    """Ask for the ids of all objects in arguments, at once if there is an event loop."""
    unknown: list[Type] = []
    for args in arguments:
        if args:
            for value in args.values():
                _collect(value, unknown)
    if not unknown:
        return
    asyncio = sys.modules.get("asyncio")
    if len(unknown) > 1 and asyncio is not None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            pass
        else:
            await asyncio.gather(*(value._get_id() for value in unknown))
            return
    for value in unknown:
        await value._get_id()


def _collect(value: Any, unknown: list[Type]) -> None:
    if isinstance(value, Type):
        if value._id is None and all(value is not other for other in unknown):
            unknown.append(value)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for element in value:
            _collect(element, unknown)
    elif isinstance(value, Input):
        for element in vars(value).values():
            _collect(element, unknown)


def _call(field: str, args: Optional[dict[str, Any]]) -> str:
    if not args:
        return field
    return f"{field}({','.join(f'{name}:{literal(value)}' for name, value in args.items())})"


def literal(value: Any) -> str:
    """Write a value in the API's notation."""
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, Type):
        return quote(value._id or "")
    if isinstance(value, _enum_class()):
        return str(value.value)
    if isinstance(value, str):
        return str(value) if type(value).__name__ == "Member" else quote(value)
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise InvalidQueryError(f"{value} cannot be sent")
        return repr(value)
    if isinstance(value, (list, tuple)):
        return f"[{','.join(literal(element) for element in value)}]"
    if isinstance(value, (set, frozenset)):
        return f"[{','.join(literal(element) for element in sorted(value))}]"
    if isinstance(value, Input):
        fields = ((api, getattr(value, name)) for name, api in value._fields)
        return "{" + ",".join(f"{api}:{literal(v)}" for api, v in fields if v is not None) + "}"
    if hasattr(value, "__fspath__"):
        return quote(value.__fspath__())
    if hasattr(value, "__await__"):
        raise InvalidQueryError("an argument was not awaited: write `await` before the call")
    raise InvalidQueryError(f"a value of type {type(value).__name__} cannot be sent: {value!r}")


def _enum_class() -> Any:
    from enum import Enum

    return Enum
