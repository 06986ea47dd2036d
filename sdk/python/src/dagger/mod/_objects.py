"""State of a module's objects: its fields, its constructor, and its way to JSON and back."""

from __future__ import annotations

import sys
from typing import Any, Callable, Optional

from . import MISSING, Field


class StateField:
    """An annotated attribute of an object."""

    def __init__(self, attribute: str, annotation: Any, value: Any) -> None:
        self.attribute = attribute
        self.annotation = annotation
        self.public = isinstance(value, Field)
        self.default: Any = MISSING
        self.factory: Optional[Callable[[], Any]] = None
        self.init = True
        self.deprecated: Optional[str] = None
        name: Optional[str] = None
        if isinstance(value, Field):
            name, self.init, self.deprecated = value.name, value.init, value.deprecated
            if callable(value.default) and value.default is not MISSING:
                self.factory = value.default
            else:
                self.default = value.default
        elif type(value).__module__ == "dataclasses" and type(value).__name__ == "Field":
            dataclasses = sys.modules["dataclasses"]
            self.init = value.init
            if value.default is not dataclasses.MISSING:
                self.default = value.default
            elif value.default_factory is not dataclasses.MISSING:
                self.factory = value.default_factory
        else:
            self.default = value
        # Public fields are known by their name in the API, private ones only to us.
        self.key = (name or attribute.rstrip("_")) if self.public else attribute

    def has_default(self) -> bool:
        """Tell whether the attribute has a value when none is given."""
        return self.default is not MISSING or self.factory is not None

    def make_default(self) -> Any:
        """Return the value when none is given."""
        return self.factory() if self.factory is not None else self.default


class ObjectMeta:
    """What is known about a class that is an object of the API."""

    def __init__(
        self,
        cls: type,
        name: Optional[str],
        doc: Optional[str],
        deprecated: Optional[str],
        fields: list[StateField],
        own_init: bool,
    ) -> None:
        self.cls = cls
        self.name = name or cls.__name__
        self.doc, self.deprecated = doc, deprecated
        self.fields = fields
        self.own_init = own_init


def make_object(
    cls: type, name: Optional[str], doc: Optional[str], deprecated: Optional[str]
) -> ObjectMeta:
    """Find a class's fields and give it a constructor if it has none."""
    doc = doc if doc is not None else cls.__dict__.get("__doc__")
    made = "__dataclass_fields__" in cls.__dict__
    if made and doc is not None and doc.startswith(f"{cls.__name__}("):
        doc = None  # what `dataclass` writes by itself
    fields: dict[str, StateField] = {}
    for base in reversed(cls.__mro__[1:]):
        meta = base.__dict__.get("__dagger_object__")
        inherited = meta.fields if meta else _own_fields(base) if base is not object else []
        fields.update({field.attribute: field for field in inherited})
    fields.update({field.attribute: field for field in _own_fields(cls)})
    listed = list(fields.values())
    own_init = "__init__" in cls.__dict__ and not made
    if not own_init and not made:
        own_init = any(
            "__init__" in base.__dict__ and _keeps_init(base) for base in cls.__mro__[1:-1]
        )
    meta = ObjectMeta(cls, name, doc, deprecated, listed, own_init)
    if made:
        return meta
    _make_dataclass(cls, listed)
    if not own_init:
        cls.__init__ = _constructor(listed)  # type: ignore[misc]
    if "__repr__" not in cls.__dict__:
        cls.__repr__ = _represent  # type: ignore[assignment]
    return meta


def _keeps_init(base: type) -> bool:
    meta = base.__dict__.get("__dagger_object__")
    return meta.own_init if meta else True


def annotations_of(cls: type) -> dict[str, Any]:
    """Return a class's own annotations, unevaluated if they can only be so."""
    if sys.version_info >= (3, 14):
        import annotationlib

        return annotationlib.get_annotations(cls, format=annotationlib.Format.FORWARDREF)
    return cls.__dict__.get("__annotations__", {})


def _own_fields(cls: type) -> list[StateField]:
    made = cls.__dict__.get("__dataclass_fields__", {})
    found = []
    for attribute, annotation in annotations_of(cls).items():
        if _is_class_variable(annotation):
            continue
        value = made.get(attribute, cls.__dict__.get(attribute, MISSING))
        if made and isinstance(getattr(value, "default", None), Field):
            value = value.default
        found.append(StateField(attribute, annotation, value))
    return found


def _is_class_variable(annotation: Any) -> bool:
    text = annotation if isinstance(annotation, str) else str(annotation)
    return text.startswith(("ClassVar", "typing.ClassVar", "t.ClassVar", "KW_ONLY"))


def _make_dataclass(cls: type, fields: list[StateField]) -> None:
    """Let `dataclasses` know the class if the program uses it, and take the markers away."""
    dataclasses = sys.modules.get("dataclasses")
    if dataclasses is not None:
        own = annotations_of(cls)
        for field in fields:
            if field.attribute in own and (field.public or field.default is MISSING):
                options: dict[str, Any] = {"init": field.init}
                if field.factory is not None:
                    options["default_factory"] = field.factory
                elif field.default is not MISSING:
                    options["default"] = field.default
                if field.public or field.factory is not None:
                    setattr(cls, field.attribute, dataclasses.field(**options))
        document = cls.__doc__
        try:
            dataclasses.dataclass(init=False, repr=False)(cls)
            cls.__doc__ = document
            return
        except (TypeError, ValueError):
            cls.__doc__ = document
    for field in fields:
        if isinstance(cls.__dict__.get(field.attribute), Field):
            if field.default is MISSING:
                delattr(cls, field.attribute)
            else:
                setattr(cls, field.attribute, field.default)


def _constructor(fields: list[StateField]) -> Callable[..., None]:
    accepted = [field for field in fields if field.init]

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        name = type(self).__name__
        if len(args) > len(accepted):
            raise TypeError(f"{name}() takes {len(accepted)} arguments but {len(args)} were given")
        given = {field.attribute: value for field, value in zip(accepted, args)}
        for key, value in kwargs.items():
            if key in given or all(field.attribute != key for field in accepted):
                problem = "got twice" if key in given else "has no argument"
                raise TypeError(f"{name}() {problem} {key!r}")
            given[key] = value
        for field in fields:
            if field.attribute in given:
                setattr(self, field.attribute, given[field.attribute])
            elif field.has_default():
                setattr(self, field.attribute, field.make_default())
            elif field.init:
                raise TypeError(f"{name}() misses {field.attribute!r}")
        finish = getattr(self, "__post_init__", None)
        if finish is not None:
            finish()

    return __init__


def _represent(self: Any) -> str:
    fields = type(self).__dagger_object__.fields
    values = (f"{f.attribute}={getattr(self, f.attribute, None)!r}" for f in fields)
    return f"{type(self).__name__}({', '.join(values)})"
