"""Telling the engine a module's types through its API, where it does not read them itself."""

from __future__ import annotations

import json
from typing import Any, Optional

from ..client.gen import (
    Function,
    FunctionCachePolicy,
    Module,
    TypeDef,
    TypeDefKind,
    dag,
)

_KINDS = {
    "String": TypeDefKind.STRING_KIND,
    "Integer": TypeDefKind.INTEGER_KIND,
    "Float": TypeDefKind.FLOAT_KIND,
    "Boolean": TypeDefKind.BOOLEAN_KIND,
    "Void": TypeDefKind.VOID_KIND,
}


async def register(types: dict[str, Any]) -> str:
    """Build the module and return its id."""
    module: Module = dag.module()
    if types["description"]:
        module = module.with_description(types["description"])
    for info in types["objects"]:
        module = module.with_object(_object(info))
    for info in types["interfaces"]:
        kind = dag.type_def().with_interface(info["name"], description=info["description"])
        for function in info["functions"]:
            kind = kind.with_function(_function(function))
        module = module.with_interface(kind)
    for info in types["enums"]:
        kind = dag.type_def().with_enum(info["name"], description=info["description"])
        for member in info["members"]:
            kind = kind.with_enum_member(
                member["name"], value=member["value"], description=member["description"]
            )
        module = module.with_enum(kind)
    return await module.id()


def _object(info: dict[str, Any]) -> TypeDef:
    kind = dag.type_def().with_object(
        info["name"], description=info["description"], deprecated=info.get("deprecated")
    )
    for field in info.get("fields", ()):
        kind = kind.with_field(
            field["name"],
            _type(field["type"]),
            description=field["description"],
            deprecated=field["deprecated"],
        )
    for function in info["functions"]:
        kind = kind.with_function(_function(function))
    constructor: Optional[dict[str, Any]] = info.get("constructor")
    if constructor is not None:
        kind = kind.with_constructor(_function({"name": "", **constructor}))
    return kind


def _function(info: dict[str, Any]) -> Function:
    function = dag.function(info["name"], _type(info["returns"]))
    if info["description"]:
        function = function.with_description(info["description"])
    for arg in info["args"]:
        default = json.dumps(arg["default"]) if "default" in arg else None
        function = function.with_arg(
            arg["name"],
            _type(arg["type"]),
            description=arg["description"],
            default_value=default,  # type: ignore[arg-type]
            default_path=arg["default_path"] or "",
            default_address=arg["default_address"] or "",
            ignore=arg["ignore"] or None,
            deprecated=arg["deprecated"],
        )
    cache = info.get("cache")
    if cache is not None:
        policy = FunctionCachePolicy[cache["policy"]]
        function = function.with_cache_policy(policy, time_to_live=cache.get("ttl"))
    if info.get("check"):
        function = function.with_check()
    if info.get("generate"):
        function = function.with_generator()
    if info.get("up"):
        function = function.with_up()
    if info.get("agent"):
        function = function.with_agent()
    if info.get("deprecated") is not None:
        function = function.with_deprecated(reason=info["deprecated"])
    return function


def _type(ref: dict[str, Any]) -> TypeDef:
    kind, made = ref["kind"], dag.type_def()
    if kind in _KINDS:
        made = made.with_kind(_KINDS[kind])
    elif kind == "List":
        made = made.with_list_of(_type(ref["of"]))
    elif kind == "Object":
        made = made.with_object(ref["name"])
    elif kind == "Interface":
        made = made.with_interface(ref["name"])
    elif kind == "Enum":
        made = made.with_enum(ref["name"])
    else:
        made = made.with_scalar(ref["name"])
    return made.with_optional(True) if ref["optional"] or kind == "Void" else made
