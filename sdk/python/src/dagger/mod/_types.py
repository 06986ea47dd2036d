"""Python's annotations as types of the API, and values of those types to JSON and back."""

from __future__ import annotations

import sys
import typing
from enum import Enum
from typing import Any, Optional

from ..client.base import Input, Scalar, Type
from ..errors import FunctionError
from . import Arg, Name
from ._objects import MISSING

_BUILTIN = {str: "String", int: "Integer", float: "Float", bool: "Boolean"}
_UNIONS: tuple[Any, ...] = (typing.Union,)
if sys.version_info >= (3, 10):
    from types import UnionType

    _UNIONS = (typing.Union, UnionType)
_SELF = getattr(typing, "Self", None)


def hints_of(subject: Any, owner: Optional[type] = None) -> dict[str, Any]:
    """Evaluate the annotations of a function or class."""
    local = {owner.__name__: owner} if owner is not None else None
    try:
        return typing.get_type_hints(subject, None, local, include_extras=True)
    except Exception as error:
        name = getattr(subject, "__qualname__", subject)
        raise FunctionError(f"cannot understand the annotations of `{name}`: {error}") from error


def split(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """Take `Annotated` apart, also inside an optional."""
    metadata: tuple[Any, ...] = ()
    while hasattr(annotation, "__metadata__"):
        metadata = (*annotation.__metadata__, *metadata)
        annotation = annotation.__origin__
    return annotation, metadata


def metadata_of(annotation: Any) -> tuple[Any, ...]:
    """Return what `Annotated` says about a value, around an optional or inside it."""
    inner, metadata = split(annotation)
    if metadata or typing.get_origin(inner) not in _UNIONS:
        return metadata
    members = [m for m in typing.get_args(inner) if m is not type(None)]
    return split(members[0])[1] if len(members) == 1 else ()


def renamed(name: str, metadata: tuple[Any, ...]) -> str:
    """Name of an argument in the API."""
    for item in metadata:
        if isinstance(item, (Name, Arg)) and item.name:
            return item.name
    return name.rstrip("_") or name


def strip_optional(annotation: Any) -> tuple[Any, bool]:
    """Take the `None` out of an annotation."""
    annotation, _ = split(annotation)
    if typing.get_origin(annotation) in _UNIONS:
        members = [m for m in typing.get_args(annotation) if m is not type(None)]
        if len(members) == 1:
            return split(members[0])[0], True
    return annotation, False


def element_of(annotation: Any) -> Any:
    """Return the annotation of a list's elements; `MISSING` if it is no list."""
    import collections.abc as abc

    origin = typing.get_origin(annotation)
    if origin in (list, abc.Sequence, abc.Iterable, abc.Collection, abc.MutableSequence, set):
        return typing.get_args(annotation)[0]
    if origin is tuple:
        arguments = typing.get_args(annotation)
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return arguments[0]
    return MISSING


def type_ref(annotation: Any, owner: Optional[type], where: str) -> dict[str, Any]:
    """Describe an annotation as the engine does."""
    annotation, optional = strip_optional(annotation)
    return {**_kind(annotation, owner, where), "optional": optional}


def _kind(annotation: Any, owner: Optional[type], where: str) -> dict[str, Any]:
    if annotation is None or annotation is type(None):
        return {"kind": "Void"}
    if annotation is _SELF or getattr(annotation, "__name__", "") == "Self":
        if owner is None:
            raise FunctionError(f"{where}: Self outside of a class")
        return {"kind": "Object", "name": owner.__dagger_object__.name}  # type: ignore[attr-defined]
    element = element_of(annotation)
    if element is not MISSING:
        return {"kind": "List", "of": type_ref(element, owner, where)}
    if annotation in _BUILTIN:
        return {"kind": _BUILTIN[annotation]}
    if isinstance(annotation, type):
        own = annotation.__dict__
        if "__dagger_object__" in own:
            return {"kind": "Object", "name": annotation.__dagger_object__.name}  # type: ignore[attr-defined]
        if "__dagger_interface__" in own:
            return {"kind": "Interface", "name": annotation.__dagger_interface__[0]}  # type: ignore[attr-defined]
        if "__dagger_enum__" in own:
            return {"kind": "Enum", "name": annotation.__dagger_enum__[0]}  # type: ignore[attr-defined]
        if issubclass(annotation, Type):
            return {"kind": "Object", "name": annotation._api_name}
        if issubclass(annotation, Enum) and annotation.__module__ == "dagger.client.gen":
            return {"kind": "Enum", "name": annotation.__name__}
        if issubclass(annotation, Scalar):
            return {"kind": "Scalar", "name": annotation.__name__}
    shown = getattr(annotation, "__qualname__", None) or str(annotation)
    raise FunctionError(f"{where}: `{shown}` is not a type the API has")


def is_plain(value: Any) -> bool:
    """Tell whether a default can be written as JSON, or is none."""
    if isinstance(value, (list, tuple)):
        return all(is_plain(element) for element in value)
    simple = value is MISSING or value is None or isinstance(value, (Enum, str, int, float))
    return simple or hasattr(value, "__fspath__")


def plain(value: Any) -> Any:
    """Write a default as JSON."""
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, (list, tuple)):
        return [plain(element) for element in value]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if hasattr(value, "__fspath__"):
        return value.__fspath__()
    raise FunctionError(f"{value!r} cannot be a default")


async def encode(value: Any) -> Any:
    """Write a result, or a part of an object's state, as JSON."""
    if hasattr(value, "__await__") and not isinstance(value, Type):
        value = await value
    if isinstance(value, Type):
        return str(await value._get_id())
    if isinstance(value, Enum):
        return value.name
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    meta = getattr(type(value), "__dagger_object__", None)
    if meta is not None:
        return await encode_state(value, meta)
    if isinstance(value, dict):
        return {str(key): await encode(element) for key, element in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)) or hasattr(value, "__next__"):
        return [await encode(element) for element in value]
    if isinstance(value, Input):
        return {name: await encode(getattr(value, name)) for name, _ in value._fields}
    if hasattr(value, "__fspath__"):
        return value.__fspath__()
    raise FunctionError(f"a value of type `{type(value).__qualname__}` cannot be returned")


async def encode_state(value: Any, meta: Any) -> dict[str, Any]:
    """Write an object's state."""
    state = {}
    known = set()
    for field in meta.fields:
        known.add(field.attribute)
        if hasattr(value, field.attribute):
            state[field.key] = await encode(getattr(value, field.attribute))
    if meta.own_init:
        # Such a class need not declare its attributes; what can be written is kept.
        for attribute, content in vars(value).items():
            if attribute not in known and _is_plain(content):
                state[attribute] = content
    return state


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(_is_plain(element) for element in value)
    if isinstance(value, dict):
        return all(isinstance(k, str) and _is_plain(v) for k, v in value.items())
    return value is None or type(value) in (str, int, float, bool)


def decode(value: Any, annotation: Any, owner: Optional[type]) -> Any:
    """Read a value that arrived as JSON."""
    if value is None:
        return None
    annotation, _ = strip_optional(annotation)
    element = element_of(annotation)
    if element is not MISSING:
        items = [decode(item, element, owner) for item in value]
        origin = typing.get_origin(annotation)
        return origin(items) if origin in (tuple, set) else items
    if annotation is _SELF and owner is not None:
        annotation = owner
    if not isinstance(annotation, type):
        return value
    if "__dagger_object__" in annotation.__dict__:
        return decode_state(value, annotation)
    if "__dagger_interface__" in annotation.__dict__:
        return implementer(annotation)._from_id(value)
    if issubclass(annotation, Type):
        if annotation.__module__ == "dagger.client.gen":
            return annotation._from_id(value)
        from ..client.dynamic import from_json

        return from_json(annotation, value)
    if issubclass(annotation, Enum):
        members = annotation.__members__
        return members[value] if value in members else annotation(value)
    if issubclass(annotation, (Scalar, float)) or hasattr(annotation, "__fspath__"):
        convert: Any = annotation
        return convert(value)
    return value


def decode_state(state: Any, cls: Any) -> Any:
    """Make an object again from its state."""
    if not isinstance(state, dict):
        raise FunctionError(f"the state of `{cls.__name__}` is not an object: {state!r}")
    meta = cls.__dagger_object__
    hints: Optional[dict[str, Any]] = None
    values = {}
    keys = set()
    for field in meta.fields:
        keys.add(field.key)
        if field.key in state:
            if hints is None:
                hints = hints_of(cls, cls)
            annotation = hints.get(field.attribute, field.annotation)
            values[field.attribute] = decode(state[field.key], annotation, cls)
    if meta.own_init:
        made = cls.__new__(cls)
        for field in meta.fields:
            if field.attribute not in values and field.has_default():
                setattr(made, field.attribute, field.make_default())
        values.update({key: value for key, value in state.items() if key not in keys})
    else:
        made = cls(**{f.attribute: values[f.attribute] for f in meta.fields if _given(f, values)})
    for attribute, value in values.items():
        object.__setattr__(made, attribute, value)
    return made


def _given(field: Any, values: dict[str, Any]) -> bool:
    if field.init and field.attribute not in values and not field.has_default():
        values[field.attribute] = None
    return field.init and field.attribute in values


_implementers: dict[type, type] = {}


def implementer(interface: type) -> Any:
    """Return the class of objects that are known by an interface of this module."""
    import os

    if interface not in _implementers:
        name = interface.__dagger_interface__[0]  # type: ignore[attr-defined]
        module = os.environ.get("DAGGER_MAIN_OBJECT", "")
        boundary = name[len(module) : len(module) + 1]
        if not (name.startswith(module) and not boundary.islower()):
            name = module + name
        from ..client.dynamic import named_type

        _implementers[interface] = named_type(name)
    return _implementers[interface]
