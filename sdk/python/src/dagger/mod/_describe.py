"""The module's types as data: what the engine otherwise reads from the source."""

from __future__ import annotations

from enum import Enum
from types import FunctionType
from typing import Any, Callable, Optional

from ..errors import FunctionError
from . import (
    Arg,
    DefaultAddress,
    DefaultPath,
    Deprecated,
    Doc,
    Ignore,
    Registry,
)
from ._objects import MISSING, ObjectMeta
from ._types import hints_of, is_plain, metadata_of, plain, renamed, type_ref


def clean(text: Optional[str]) -> str:
    """Take the indentation out of a docstring."""
    if not text:
        return ""
    lines = text.expandtabs().split("\n")
    margins = [len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()]
    margin = min(margins, default=0)
    lines = [lines[0].lstrip(), *(line[margin:] for line in lines[1:])]
    return "\n".join(line.rstrip() for line in lines).strip("\n")


_PLAIN_FACTORIES = (list, tuple, str, int, float, bool)


def describe(registry: Registry, module: Any, main_name: str) -> dict[str, Any]:
    """Describe everything a program declared."""
    objects, enums, interfaces = [], [], []
    for cls in registry.types:
        own = cls.__dict__
        if "__dagger_object__" in own:
            objects.append(_object(cls, own["__dagger_object__"]))
        elif "__dagger_interface__" in own:
            interfaces.append(_interface(cls, *own["__dagger_interface__"]))
        elif "__dagger_enum__" in own:
            enums.append(_enum(cls, *own["__dagger_enum__"]))
    if registry.functions:
        loose = [_function(function, None) for function in registry.functions]
        target = main_object(registry, main_name)
        if target is None:
            made = {"args": [], "returns": _own(main_name), "trivial": True, "description": ""}
            objects.append(
                {"name": main_name, "description": "", "functions": loose, "constructor": made}
            )
        else:
            name = target.__dagger_object__.name  # type: ignore[attr-defined]
            next(o for o in objects if o["name"] == name)["functions"].extend(loose)
    return {
        "description": clean(getattr(module, "__doc__", None)),
        "objects": objects,
        "enums": enums,
        "interfaces": interfaces,
    }


def main_object(registry: Registry, main_name: str) -> Optional[type]:
    """Return the class of the main object: the one named so, or the only one with functions."""
    classes = [cls for cls in registry.types if "__dagger_object__" in cls.__dict__]
    wanted = main_name.lower()
    for cls in classes:
        if cls.__dagger_object__.name.replace("_", "").lower() == wanted:  # type: ignore[attr-defined]
            return cls
    candidates = [cls for cls in classes if functions_of(cls)]
    return candidates[0] if len(candidates) == 1 else None


def functions_of(cls: type) -> dict[str, Callable[..., Any]]:
    """Return an object's functions by attribute, inherited ones first."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        for attribute, value in base.__dict__.items():
            target = getattr(value, "__func__", value)
            if hasattr(target, "__dagger_function__"):
                found[attribute] = target
            elif attribute in found:
                del found[attribute]
    return found


def function_name(function: Any) -> str:
    """Name a function is dispatched by."""
    return function.__dagger_function__.name or function.__name__.rstrip("_")


def parameters_of(function: Any, bound: bool) -> list[tuple[str, Any]]:
    """Return the names and defaults of a function's parameters."""
    code = function.__code__
    count = code.co_argcount + code.co_kwonlyargcount
    names = code.co_varnames[:count]
    defaults = function.__defaults__ or ()
    positional = code.co_argcount
    values: dict[str, Any] = dict(zip(names[positional - len(defaults) : positional], defaults))
    values.update(function.__kwdefaults__ or {})
    skip = 1 if bound or (names and names[0] == "self" and code.co_argcount) else 0
    if code.co_flags & 0x0C:
        name = function.__qualname__
        raise FunctionError(f"`{name}`: *args and **kwargs cannot be part of the API")
    return [(name, values.get(name, MISSING)) for name in names[skip:]]


def unwrap(function: Any) -> Any:
    """Return the function under other decorators."""
    while not isinstance(function, FunctionType) and hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    return function


def constructor_of(cls: type) -> Any:
    """Return a class's alternative constructor, or its own `__init__`; `None` for a made one."""
    for base in cls.__mro__:
        create = base.__dict__.get("create")
        if isinstance(create, classmethod):
            return create.__func__
    meta: ObjectMeta = cls.__dagger_object__  # type: ignore[attr-defined]
    return cls.__init__ if meta.own_init else None  # type: ignore[misc]


def _object(cls: type, meta: ObjectMeta) -> dict[str, Any]:
    hints = hints_of(cls, cls)
    docs = _attribute_docs(cls)
    fields = []
    for field in meta.fields:
        if not field.public:
            continue
        annotation = hints.get(field.attribute, field.annotation)
        where = f"{cls.__qualname__}.{field.attribute}"
        metadata = metadata_of(annotation)
        fields.append(
            {
                "name": field.key,
                "description": _doc(metadata) or docs.get(field.attribute, ""),
                "type": type_ref(annotation, cls, where),
                "deprecated": field.deprecated or _deprecated(metadata),
            }
        )
    return {
        "name": meta.name,
        "description": clean(meta.doc),
        "deprecated": meta.deprecated,
        "fields": fields,
        "functions": [_function(function, cls) for function in functions_of(cls).values()],
        "constructor": _constructor(cls, meta, hints, docs),
    }


def _constructor(
    cls: type, meta: ObjectMeta, hints: dict[str, Any], docs: dict[str, str]
) -> dict[str, Any]:
    own = constructor_of(cls)
    returns = _own(meta.name)
    if own is not None:
        args = _args(unwrap(own), cls, True)
        return {"description": clean(own.__doc__), "args": args, "returns": returns}
    args = []
    trivial = not hasattr(cls, "__post_init__")
    for field in meta.fields:
        if not field.init or field.attribute.startswith("_"):
            # What is not in the state takes its default, but callers see the state only.
            trivial = trivial and not field.public and field.has_default()
            continue
        annotation = hints.get(field.attribute, field.annotation)
        default = field.default
        if field.factory in _PLAIN_FACTORIES:
            default = field.factory()
        arg = _arg(field.attribute, annotation, default, cls, cls.__qualname__)
        # What a function makes is made when the constructor runs; callers need not give it.
        if field.factory is not None and default is MISSING:
            arg["type"]["optional"] = True
        # The state's name is the argument's too.
        if field.public:
            arg["name"] = field.key
        arg["description"] = arg["description"] or docs.get(field.attribute, "")
        arg["deprecated"] = arg["deprecated"] or field.deprecated
        made = arg["type"]["optional"] and field.factory is not None and "default" not in arg
        trivial = trivial and arg["name"] == field.key and not (field.public and made)
        args.append(arg)
    return {"description": "", "args": args, "returns": returns, "trivial": trivial}


def _own(name: str) -> dict[str, Any]:
    return {"kind": "Object", "name": name, "optional": False}


def _function(function: Any, cls: Optional[type]) -> dict[str, Any]:
    meta = function.__dagger_function__
    marks = getattr(function, "__dagger_marks__", ())
    inner = unwrap(function)
    hints = hints_of(inner, cls)
    where = f"{inner.__qualname__}: result"
    return {
        "name": function_name(function),
        "description": clean(meta.doc if meta.doc is not None else inner.__doc__),
        "args": _args(inner, cls, cls is not None, hints),
        "returns": type_ref(hints.get("return"), cls, where),
        "cache": _cache(meta.cache),
        "check": "check" in marks,
        "generate": "generate" in marks,
        "up": "up" in marks,
        "agent": "agent" in marks,
        "deprecated": meta.deprecated,
    }


def _cache(text: Optional[str]) -> Optional[dict[str, Any]]:
    if text is None:
        return None
    if text in ("never", "session"):
        return {"policy": {"never": "Never", "session": "PerSession"}[text]}
    return {"policy": "Default", "ttl": None if text in ("", "default") else text}


def _args(
    function: Any, cls: Optional[type], bound: bool, hints: Optional[dict[str, Any]] = None
) -> list[dict[str, Any]]:
    hints = hints if hints is not None else hints_of(function, cls)
    args = []
    for name, default in parameters_of(function, bound):
        if name not in hints:
            raise FunctionError(f"{function.__qualname__}: argument `{name}` has no type")
        args.append(_arg(name, hints[name], default, cls, function.__qualname__))
    return args


def _arg(
    name: str, annotation: Any, default: Any, cls: Optional[type], where: str
) -> dict[str, Any]:
    metadata = metadata_of(annotation)
    kind = type_ref(annotation, cls, f"{where}: argument `{name}`")
    if default is None or not is_plain(default):
        kind["optional"] = True
    arg: dict[str, Any] = {
        "name": renamed(name, metadata),
        "description": _doc(metadata),
        "type": kind,
        "default_path": None,
        "default_address": None,
        "ignore": [],
        "deprecated": _deprecated(metadata),
    }
    if default is not MISSING and default is not None and is_plain(default):
        arg["default"] = plain(default)
    for item in metadata:
        if isinstance(item, DefaultPath):
            arg["default_path"] = item.from_context
        elif isinstance(item, DefaultAddress):
            arg["default_address"] = item.address
        elif isinstance(item, Ignore):
            arg["ignore"] = list(item.patterns)
    return arg


def _doc(metadata: tuple[Any, ...]) -> str:
    for item in metadata:
        text = getattr(item, "documentation", None) or (isinstance(item, Arg) and item.doc)
        if (isinstance(item, (Doc, Arg)) or type(item).__name__ == "Doc") and text:
            return clean(text)
    return ""


def _deprecated(metadata: tuple[Any, ...]) -> Optional[str]:
    return next((item.reason for item in metadata if isinstance(item, Deprecated)), None)


def _interface(cls: type, name: str, doc: Optional[str]) -> dict[str, Any]:
    return {
        "name": name,
        "description": clean(doc if doc is not None else cls.__dict__.get("__doc__")),
        "functions": [_function(function, cls) for function in functions_of(cls).values()],
    }


def _enum(cls: Any, name: str, doc: Optional[str]) -> dict[str, Any]:
    docs = _attribute_docs(cls)
    members = []
    for member_name, member in cls.__members__.items():
        if not isinstance(member, Enum) or member.name != member_name:
            continue  # an alias
        description = getattr(member, "description", None)
        members.append(
            {
                "name": member_name,
                "value": str(member.value),
                "description": clean(description) or docs.get(member_name, ""),
            }
        )
    description = doc if doc is not None else _enum_doc(cls)
    return {"name": name, "description": clean(description), "members": members}


def _enum_doc(cls: type) -> Optional[str]:
    doc = cls.__dict__.get("__doc__")
    return None if doc in ("An enumeration.", "Base class for enumerations.") else doc


def _attribute_docs(cls: type) -> dict[str, str]:
    """Return the texts that stand below a class's attributes."""
    import ast
    import inspect

    try:
        source = inspect.getsource(cls)
    except (OSError, TypeError):
        return {}
    node = ast.parse(clean_source(source)).body[0]
    docs = {}
    body = getattr(node, "body", [])
    for before, after in zip(body, body[1:]):
        if not (isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)):
            continue
        if not isinstance(after.value.value, str):
            continue
        target: Any = None
        if isinstance(before, ast.AnnAssign):
            target = before.target
        elif isinstance(before, ast.Assign):
            target = before.targets[0]
        if isinstance(target, ast.Name):
            docs[target.id] = clean(after.value.value)
    return docs


def clean_source(source: str) -> str:
    """Move a class's source to the left margin."""
    import textwrap

    return textwrap.dedent(source)
