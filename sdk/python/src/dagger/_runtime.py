"""Runs one function of a module: what the engine starts in a container for each call.

usage: python -m dagger._runtime [--describe]

Asks the session which function to run, imports the program, runs it and hands back the result.
``--describe`` prints the module's types as JSON instead, without a session.

Exit codes: 0 done, 2 the function failed and the engine knows why, 1 anything else.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from . import _json
from .errors import DaggerError, ExecError, FunctionError, QueryError

_ASK = "query{currentFunctionCall{parentName name parent inputArgs{name value}}}"
_EVENT_LOOPS = ("asyncio", "anyio", "trio", "curio", "aiohttp", "httpx", "uvloop")
_SDK = os.path.dirname(os.path.abspath(__file__))


class Failed(Exception):
    """The user's program failed; the cause is in ``__cause__``."""


def main() -> int:
    """Run what the engine asks for."""
    if sys.argv[1:] == ["--describe"]:
        return describe()
    from ._connection import default_session

    session = default_session()
    call = session.request(_ASK)["currentFunctionCall"]
    try:
        result = _run(_answer(call))
    except Exception as error:
        sys.stdout.flush()
        cause = error.__cause__ if isinstance(error, Failed) and error.__cause__ else error
        _report(session, cause)
        return 2
    sys.stdout.flush()
    value = _json.dumps(_json.dumps(result))
    session.request("query{currentFunctionCall{returnValue(value:%s)}}" % value)
    return 0


def describe() -> int:
    """Print the module's types."""
    # What the program prints while it is imported is no part of the answer.
    answer, sys.stdout = sys.stdout, sys.stderr
    try:
        program = _load()
        from .mod import registry
        from .mod._describe import describe as describe_program

        types = describe_program(registry, program, _main_name())
    except Exception as error:
        _print_traceback(error)
        return 2
    answer.write(_json.dumps(types))
    answer.flush()
    return 0


async def _answer(call: dict[str, Any]) -> Any:
    program = _load()
    from .mod import registry
    from .mod._types import encode

    if not call["parentName"]:
        from .mod._describe import describe as describe_program
        from .mod._register import register

        return await register(describe_program(registry, program, _main_name()))
    given = {arg["name"]: _json.loads(arg["value"]) for arg in call["inputArgs"]}
    return await encode(await _invoke(registry, call, given))


async def _invoke(registry: Any, call: dict[str, Any], given: dict[str, Any]) -> Any:
    from .mod._describe import function_name, functions_of, main_object

    parent_name, name = call["parentName"], call["name"]
    cls = next(
        (
            cls
            for cls in registry.types
            if "__dagger_object__" in cls.__dict__ and cls.__dagger_object__.name == parent_name
        ),
        None,
    )
    is_main = cls is None or cls is main_object(registry, _main_name())
    if cls is None and not registry.functions:
        raise FunctionError(f"there is no object `{parent_name}`")
    if not name:
        return await _construct(cls, given) if cls is not None else {}
    if cls is not None:
        for attribute, function in functions_of(cls).items():
            if function_name(function) == name:
                instance = _instance(cls, call["parent"])
                return await _call(getattr(instance, attribute), function, given, True, cls)
    for function in registry.functions if is_main else ():
        if function_name(function) == name:
            bound = _takes_self(function)
            if bound:
                instance = _instance(cls, call["parent"]) if cls is not None else _Nothing()
                method = function.__get__(instance)
                return await _call(method, function, given, True, cls)
            return await _call(function, function, given, False, None)
    raise FunctionError(f"`{parent_name}` has no function `{name}`")


class _Nothing:
    """The `self` of a function that has no class."""


def _takes_self(function: Any) -> bool:
    code = function.__code__
    return code.co_argcount > 0 and code.co_varnames[0] == "self"


def _instance(cls: type, state: str) -> Any:
    from .mod._types import decode_state

    return decode_state(_json.loads(state) or {}, cls)


async def _construct(cls: type, given: dict[str, Any]) -> Any:
    from .mod._describe import constructor_of
    from .mod._types import decode, hints_of

    own = constructor_of(cls)
    if own is not None:
        target = getattr(cls, "create") if own.__name__ == "create" else cls  # noqa: B009
        made = await _call(target, own, given, True, cls)
        if not isinstance(made, cls):
            raise FunctionError(f"`{cls.__name__}.create` returned something else")
        return made
    hints = hints_of(cls, cls)
    keys = {field.key: field.attribute for field in cls.__dagger_object__.fields}  # type: ignore[attr-defined]
    plain = {field.attribute.rstrip("_"): field.attribute for field in cls.__dagger_object__.fields}  # type: ignore[attr-defined]
    values = {}
    for name, value in given.items():
        attribute = keys.get(name) or plain.get(name) or _attribute_named(hints, name)
        values[attribute] = decode(value, hints.get(attribute), cls)
    try:
        return cls(**values)
    except Exception as error:
        raise Failed from error


def _attribute_named(hints: dict[str, Any], name: str) -> str:
    from .mod._types import metadata_of, renamed

    return next((a for a, hint in hints.items() if renamed(a, metadata_of(hint)) == name), name)


async def _call(target: Any, function: Any, given: dict[str, Any], bound: bool, cls: Any) -> Any:
    from .mod._describe import parameters_of, unwrap
    from .mod._types import decode, hints_of, metadata_of, renamed

    inner = unwrap(function)
    values = {}
    if given:
        hints = hints_of(inner, cls)
        for parameter, _ in parameters_of(inner, bound):
            annotation = hints.get(parameter)
            name = renamed(parameter, metadata_of(annotation))
            if name in given:
                values[parameter] = decode(given[name], annotation, cls)
    # An optional argument without a default of its own is nothing when it is not given.
    for parameter, default in parameters_of(inner, bound):
        if parameter not in values and repr(default) == "MISSING":
            values[parameter] = None
    try:
        result = target(**values)
        if hasattr(result, "__await__") and not _is_object(result):
            result = await result
        return result
    except Exception as error:
        raise Failed from error


def _is_object(value: Any) -> bool:
    from .client.base import Type

    return isinstance(value, Type)


def _main_name() -> str:
    return os.environ.get("DAGGER_MAIN_OBJECT") or "Main"


def _load() -> Any:
    root = os.environ.get("NSCI_MODULE_ROOT") or "."
    if root not in sys.path:
        sys.path.insert(0, root)
    name = os.environ.get("DAGGER_DEFAULT_PYTHON_PACKAGE") or "main"
    try:
        __import__(name)
    except Exception as error:
        raise Failed from error
    program = sys.modules[name]
    from .mod import registry

    # A package may leave the import of its code to us.
    if not registry.types and not registry.functions and hasattr(program, "__path__"):
        try:
            __import__(f"{name}.main")
        except ModuleNotFoundError as error:
            if error.name != f"{name}.main":
                raise Failed from error
        except Exception as error:
            raise Failed from error
    return program


# Running.


def _run(work: Any) -> Any:
    """Run to the end, without an event loop if nothing can need one.

    Importing asyncio takes longer than everything else a call does. Requests block when there is no
    loop, so a program that never mentions one gets by without it.
    """
    if _mentions_event_loop():
        import asyncio

        return asyncio.run(work)
    from ._connection import drive

    return drive(work)


def _mentions_event_loop() -> bool:
    root = os.environ.get("NSCI_MODULE_ROOT") or "."
    count = 0
    for directory, directories, files in os.walk(root):
        directories[:] = [d for d in directories if not d.startswith(".") and d != "__pycache__"]
        for file in files:
            if not file.endswith(".py"):
                continue
            count += 1
            if count > 200:
                return True
            with open(os.path.join(directory, file), "rb") as source:
                text = source.read().decode("utf-8", "replace")
            if any(name in text for name in _EVENT_LOOPS) or _imports_packages(text):
                return True
    return False


def _imports_packages(text: str) -> bool:
    """Tell whether a file imports anything installed, which may want a loop of its own."""
    standard = getattr(sys, "stdlib_module_names", None)
    if standard is None:
        return True
    root = os.environ.get("NSCI_MODULE_ROOT") or "."
    for line in text.split("\n"):
        words = line.replace(",", " ").replace(";", " ").split()
        if len(words) < 2 or words[0] not in ("import", "from"):
            continue
        names = words[1:2] if words[0] == "from" else words[1:]
        for name in names:
            top = name.split(".")[0]
            if name == "as" or not top or top in ("dagger", "nsci") or top in standard:
                continue
            if os.path.exists(os.path.join(root, top)) or os.path.exists(
                os.path.join(root, f"{top}.py")
            ):
                continue
            return True
    return False


# Failing.


def _report(session: Any, error: BaseException) -> None:
    if not isinstance(error, DaggerError):
        _print_traceback(error)
    message = _message(error)
    values: dict[str, Any] = {}
    if isinstance(error, QueryError):
        values = dict(error.extensions)
    made = f"error(message:{_json.dumps(message)})" + "{"
    for name, value in values.items():
        text = _json.dumps(_json.dumps(value))
        made += f"withValue(name:{_json.dumps(name)},value:{text})" + "{"
    query = "query{" + made + "id" + "}" * (len(values) + 2)
    answer: Any = session.request(query)["error"]
    while "id" not in answer:
        answer = answer["withValue"]
    session.request("query{currentFunctionCall{returnError(error:%s)}}" % _json.dumps(answer["id"]))


def _message(error: BaseException) -> str:
    if isinstance(error, ExecError):
        return error.message
    if isinstance(error, SyntaxError):
        file = os.path.basename(error.filename or "")
        return f"{file}:{error.lineno}: {error.msg}"
    text = str(error)
    if isinstance(error, DaggerError) and text:
        return text
    name = type(error).__name__
    return f"{name}: {text}" if text else name


def _print_traceback(error: BaseException) -> None:
    """Show where the user's program failed, without the frames that led there."""
    import traceback

    seen: set[int] = set()
    current: Any = error.__cause__ if isinstance(error, Failed) and error.__cause__ else error
    error = current
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        current.__traceback__ = _users_part(current.__traceback__)
        if isinstance(current.__cause__, Failed) or isinstance(current.__context__, Failed):
            current.__context__ = None
        current = current.__cause__ or current.__context__
    traceback.print_exception(type(error), error, error.__traceback__)


def _users_part(trace: Any) -> Any:
    kept = []
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith((_SDK, "<frozen importlib")) and "/asyncio/" not in file:
            kept.append(trace)
        trace = trace.tb_next
    for before, after in zip(kept, [*kept[1:], None]):
        before.tb_next = after
    return kept[0] if kept else None


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(code)
