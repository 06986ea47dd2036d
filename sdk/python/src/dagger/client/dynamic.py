"""Objects of other modules, whose types are learnt from the session when they are used.

The generated client has the core API only. A dependency's functions are asked for by introspection,
one type at a time, so a module needs no code generated for the modules it uses.
"""

from __future__ import annotations

from typing import Any, Callable, Optional

from .base import ID, Input, Scalar, Type

_TYPE_REF = "kind name ofType{kind name ofType{kind name ofType{kind name ofType{kind name}}}}"
_FIELDS = (
    "kind fields{name args{name defaultValue type{" + _TYPE_REF + "}} type{" + _TYPE_REF + "}}"
    " enumValues{name}"
)


class Member(str):
    """Member of another module's enum."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """Name of the member."""
        return str(self)

    value = name


class _Named(type):
    """Class of classes made up for types; an attribute in capitals is taken for an enum's member."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_") or not name[0].isupper():
            raise AttributeError(f"type {cls.__name__!r} has no attribute {name!r}")
        return Member(name)


_types: dict[str, type] = {}
_records: dict[tuple[int, str], dict[str, Any]] = {}


def named_type(name: str) -> type:
    """Return the class of an API type, generated or made up."""
    from . import gen

    known = gen.__dict__.get(name)
    if isinstance(known, type):
        return known
    if name not in _types:
        _types[name] = _Named(name, (Type,), {"__slots__": (), "_api_name": name})
    return _types[name]


def from_json(kind: type[Type], value: str) -> Any:
    """Make what stands for an object or an enum's member of another module."""
    from . import gen

    if isinstance(kind, _Named) and _record(gen.dag, kind.__name__).get("kind") == "ENUM":
        return Member(value)
    return kind._from_id(value)


def method(owner: Type, name: str) -> Callable[..., Any]:
    """Return the method of an object for a function the generated class does not know."""
    if name.startswith("load_") and name.endswith("_from_id") and not owner._field:
        return _loader(owner, name[5:-8])
    if name == "__await__" or name.startswith("_"):
        raise AttributeError(name)
    api_name = type(owner)._api_name or type(owner).__name__
    record = _record(owner, api_name)
    field = _find(record, name)
    if field is None:
        from difflib import get_close_matches

        offered = [_snake(field["name"]) for field in record["fields"] or ()]
        near = get_close_matches(name, offered, 1)
        hint = f"; did you mean `{near[0]}`?" if near else ""
        raise AttributeError(f"`{_display(api_name)}` has no function `{name}`{hint}")

    def call(*args: Any, **kwargs: Any) -> Any:
        return _call(owner, field, name, args, kwargs)

    call.__name__ = name
    return call


def _loader(owner: Type, snake: str) -> Callable[[str], Type]:
    from . import gen

    wanted = snake.replace("_", "").lower()
    for candidate in (*gen.__dict__.values(), *_types.values()):
        is_type = isinstance(candidate, type) and issubclass(candidate, Type)
        if is_type and candidate.__name__.lower() == wanted:
            kind: Any = candidate
            return lambda id: kind._from_id(id, owner)
    name = "".join(part[:1].upper() + part[1:] for part in snake.split("_"))
    made: Any = named_type(name)
    return lambda id: made._from_id(id, owner)


def _record(owner: Type, api_name: str) -> dict[str, Any]:
    root = owner._client()
    session = root._session()
    key = (id(session), api_name)
    if key not in _records:
        answer = session.request('{__type(name:"%s"){%s}}' % (api_name, _FIELDS))
        _records[key] = answer.get("__type") or {"fields": []}
    return _records[key]


def _find(record: dict[str, Any], name: str) -> Optional[dict[str, Any]]:
    for field in record["fields"] or ():
        if field["name"] == name or _same(field["name"], name):
            return field
    return None


def _same(api: str, python: str) -> bool:
    return api.lower() == python.replace("_", "").lower()


def _snake(name: str) -> str:
    out = ""
    for at, c in enumerate(name):
        if c.isupper() and at and not name[at - 1].isupper():
            out += "_"
        out += c.lower()
    return out


def _display(api_name: str) -> str:
    return "dag" if api_name == "Query" else api_name


def _call(owner: Type, field: dict[str, Any], name: str, args: Any, kwargs: Any) -> Any:
    declared = field["args"] or []
    # Required arguments may be given by position, as in generated methods.
    required = [arg for arg in declared if _required(arg)]
    order = required + [arg for arg in declared if not _required(arg)]
    if len(args) > len(order):
        raise TypeError(f"{name}() takes {len(order)} arguments but {len(args)} were given")
    given = {arg["name"]: value for arg, value in zip(order, args)}
    for key, value in kwargs.items():
        match = next((arg for arg in declared if _same(arg["name"], key)), None)
        if match is None:
            raise TypeError(f"{name}() has no argument {key!r}")
        given[match["name"]] = value
    missing = [_snake(arg["name"]) for arg in required if arg["name"] not in given]
    if missing:
        raise TypeError(f"{name}() misses {', '.join(missing)}")
    pairs = tuple(
        (arg["name"], given[arg["name"]], *(() if _required(arg) else (None,)))
        for arg in declared
        if arg["name"] in given
    )
    returned, many = _unwrap(field["type"])
    if returned["kind"] in ("OBJECT", "INTERFACE"):
        kind = named_type(returned["name"])
        if many:
            return owner._objects(kind, field["name"], *pairs)
        return owner._select(kind, field["name"], *pairs)
    if returned["name"] == "ID" and field["name"] in ("sync", "start", "stop"):
        return owner._same(field["name"], *pairs)
    return owner._value(None, field["name"], *pairs)


def _required(arg: dict[str, Any]) -> bool:
    return arg["type"]["kind"] == "NON_NULL" and arg.get("defaultValue") is None


def _unwrap(kind: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    many = False
    while kind.get("ofType"):
        many = many or kind["kind"] == "LIST"
        kind = kind["ofType"]
    return kind, many


__all__ = ["ID", "Input", "Scalar", "method", "named_type"]
