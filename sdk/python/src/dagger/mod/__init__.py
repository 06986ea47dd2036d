"""Declaring a module: which classes, functions and values it offers.

The decorators only take notes; the runtime reads them when a function is called, and the engine
reads the same things from the source without running it.
"""

from __future__ import annotations

import sys
from enum import Enum as _Enum
from typing import Any, Callable, Optional, TypeVar, overload

_F = TypeVar("_F", bound=Callable[..., Any])
_C = TypeVar("_C", bound=type)

if sys.version_info >= (3, 11):
    from typing import dataclass_transform
else:

    def dataclass_transform(**_: Any) -> Callable[[Any], Any]:
        """Tell nothing to type checkers of old Pythons."""
        return lambda function: function


class Registry:
    """What a program declared, in the order it did."""

    def __init__(self) -> None:
        self.types: list[type] = []
        self.functions: list[Callable[..., Any]] = []


registry = Registry()


class FunctionMeta:
    """What the source says about a function beside its signature."""

    def __init__(
        self,
        name: Optional[str] = None,
        doc: Optional[str] = None,
        cache: Optional[str] = None,
        deprecated: Optional[str] = None,
    ) -> None:
        self.name, self.doc, self.cache, self.deprecated = name, doc, cache, deprecated


# Metadata of arguments and fields, for `Annotated`.


class Doc:
    """Documentation of an argument or field."""

    def __init__(self, documentation: str) -> None:
        self.documentation = documentation


class Name:
    """Name in the API, where Python's rules or taste ask for another one in the code."""

    def __init__(self, name: str) -> None:
        self.name = name


class DefaultPath:
    """Directory or file of the module's context that is used when none is given."""

    def __init__(self, from_context: str) -> None:
        self.from_context = from_context


class DefaultAddress:
    """Address the object is made from when none is given."""

    def __init__(self, address: str) -> None:
        self.address = address


class Ignore:
    """Patterns that are left out of a directory."""

    def __init__(self, patterns: list[str]) -> None:
        self.patterns = patterns


class Deprecated:
    """Why an argument or field should no longer be used."""

    def __init__(self, reason: str = "") -> None:
        self.reason = reason


class Arg:
    """Name and documentation of an argument in one, as early modules write it."""

    def __init__(self, name: Optional[str] = None, doc: Optional[str] = None) -> None:
        self.name, self.doc = name, doc


# Fields.


class Field:
    """A field that is part of the API."""

    def __init__(
        self, default: Any, name: Optional[str], init: bool, deprecated: Optional[str]
    ) -> None:
        self.default, self.name, self.init, self.deprecated = default, name, init, deprecated


MISSING: Any = type("MISSING", (), {"__repr__": lambda self: "MISSING"})()


def field(
    *,
    default: Any = MISSING,
    name: Optional[str] = None,
    init: bool = True,
    deprecated: Optional[str] = None,
) -> Any:
    """Make a field of an object part of the API.

    Args:
        default: Value when none is given; called to make it if it can be called.
        name: Name in the API.
        init: Whether it is an argument of the constructor.
        deprecated: Why it should no longer be used.
    """
    return Field(default, name, init, deprecated)


# Functions.


@overload
def function(func: _F) -> _F: ...
@overload
def function(
    *,
    name: Optional[str] = None,
    doc: Optional[str] = None,
    cache: Optional[str] = None,
    deprecated: Optional[str] = None,
) -> Callable[[_F], _F]: ...
def function(
    func: Any = None,
    *,
    name: Optional[str] = None,
    doc: Optional[str] = None,
    cache: Optional[str] = None,
    deprecated: Optional[str] = None,
) -> Any:
    """Offer a method of an object, or a function of the file, to callers.

    Args:
        func: The function.
        name: Name in the API.
        doc: Documentation, instead of the docstring.
        cache: How long results are reused: ``never``, ``session``, or a time such as ``10m``.
        deprecated: Why it should no longer be used.
    """

    def decorate(func: Any) -> Any:
        target = getattr(func, "__func__", func)
        target.__dagger_function__ = FunctionMeta(name, doc, cache, deprecated)
        if "." not in target.__qualname__:
            registry.functions.append(target)
        return func

    return decorate if func is None else decorate(func)


def _mark(kind: str) -> Callable[..., Any]:
    def mark(func: Any = None, **_: Any) -> Any:
        def decorate(func: Any) -> Any:
            target = getattr(func, "__func__", func)
            target.__dagger_marks__ = {*getattr(target, "__dagger_marks__", ()), kind}
            return func

        return decorate if func is None else decorate(func)

    mark.__name__ = mark.__qualname__ = kind
    return mark


check = _mark("check")
generate = _mark("generate")
up = _mark("up")
agent = _mark("agent")


# Types.


@dataclass_transform(kw_only_default=True, field_specifiers=(field,))
def object_type(
    cls: Any = None,
    *,
    name: Optional[str] = None,
    doc: Optional[str] = None,
    deprecated: Optional[str] = None,
) -> Any:
    """Offer a class as an object of the API.

    Annotated attributes are its state and, unless it has a constructor of its own, the arguments of
    its constructor.
    """

    def decorate(cls: type) -> type:
        from ._objects import make_object

        cls.__dagger_object__ = make_object(cls, name, doc, deprecated)  # type: ignore[attr-defined]
        registry.types.append(cls)
        return cls

    return decorate if cls is None else decorate(cls)


def interface(cls: Any = None, *, name: Optional[str] = None, doc: Optional[str] = None) -> Any:
    """Describe the functions an argument must have, whichever module it comes from."""

    def decorate(cls: type) -> type:
        cls.__dagger_interface__ = (name or cls.__name__, doc)  # type: ignore[attr-defined]
        registry.types.append(cls)
        return cls

    return decorate if cls is None else decorate(cls)


def enum_type(cls: Any = None, *, name: Optional[str] = None, doc: Optional[str] = None) -> Any:
    """Offer an enum as a closed set of values."""

    def decorate(cls: type) -> type:
        cls.__dagger_enum__ = (name or cls.__name__, doc)  # type: ignore[attr-defined]
        if cls not in registry.types:
            registry.types.append(cls)
        return cls

    return decorate if cls is None else decorate(cls)


class Enum(str, _Enum):
    """Base of enums whose members are written as a value, or a value and its documentation."""

    description: Optional[str]

    def __new__(cls, value: str, description: Optional[str] = None) -> Enum:
        """Make a member."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.__dagger_enum__ = (cls.__name__, None)  # type: ignore[attr-defined]
        registry.types.append(cls)

    def __str__(self) -> str:
        return str(self.value)


class _DefaultModule:
    """The decorators, gathered as early modules expect them."""

    function = staticmethod(function)
    object_type = staticmethod(object_type)
    enum_type = staticmethod(enum_type)
    interface = staticmethod(interface)
    field = staticmethod(field)


def default_module() -> _DefaultModule:
    """Return the module of the program."""
    return _DefaultModule()


Module = _DefaultModule

__all__ = [
    "Arg",
    "DefaultAddress",
    "DefaultPath",
    "Deprecated",
    "Doc",
    "Enum",
    "Ignore",
    "Module",
    "Name",
    "agent",
    "check",
    "default_module",
    "enum_type",
    "field",
    "function",
    "generate",
    "interface",
    "object_type",
    "up",
]
