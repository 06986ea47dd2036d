"""Write the Python client for a schema.

usage: generate.py ../schema.json > src/dagger/client/gen.py

Reads the answer of an introspection query, with or without the ``data`` around it. Standard library
only, and the same output for the same input.
"""

from __future__ import annotations

import json
import keyword
import re
import sys
import textwrap

SCALARS = {
    "String": "str",
    "Int": "int",
    "Float": "float",
    "Boolean": "bool",
    "ID": "ID",
    "Void": "None",
}

# Parts of the API that pipelines do not use; reachable by name all the same, see `dynamic.py`.
LEFT_OUT = re.compile(
    r"^(_.*|LLM.*|Agent.*|Engine.*|Workspace.*|Cloud.*|"
    r".*Mirror|HTTPState|Terminal|CurrentModuleAsSDK.*|SDKConfig|Schema|ModuleConfigClient|"
    r"Node|Syncer|Exportable)$"
)
# A method called like a type would stand for it in the annotations after it.
TAKEN = {"bool", "float", "int", "list", "str", "type"}
LEFT_OUT_FIELDS = re.compile(r"^(load\w+FromID|node|currentNode|_.*)$")

HEADER = '''\
"""The API of the engine. Generated from its schema by ``tools/generate.py``; do not edit."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Callable

from .base import ID, Input, Scalar, Type

if TYPE_CHECKING:
    from collections.abc import Generator as Steps
    from collections.abc import Sequence
'''


def snake(name: str) -> str:
    """Spell an API name the Python way, keywords and names of types with an underscore."""
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name).lower()
    return name + "_" if keyword.iskeyword(name) or name in TAKEN else name


def class_name(name: str) -> str:
    """Name of the class for a type of the API."""
    return "Client" if name == "Query" else name


class Generator:
    """Turns the types of one schema into source."""

    def __init__(self, schema: dict) -> None:
        self.types = {
            kind["name"]: kind
            for kind in schema["types"]
            if not kind["name"].startswith("__") and not LEFT_OUT.match(kind["name"])
        }
        self.types.setdefault("ID", {"kind": "SCALAR", "name": "ID"})

    def source(self) -> str:
        """Return the whole module."""
        parts = [HEADER]
        names = []
        for kind, write in (
            ("SCALAR", self.scalar),
            ("ENUM", self.enum),
            ("INPUT_OBJECT", self.input),
            ("OBJECT", self.object),
        ):
            for name in sorted(self.types):
                info = self.types[name]
                if info["kind"] != kind or name in SCALARS:
                    continue
                if kind == "SCALAR" and name.endswith("ID"):
                    continue
                parts.append(write(info))
                names.append(class_name(name))
        parts.append("dag = Client(None)\n")
        exported = "".join(f"    {json.dumps(name)},\n" for name in sorted([*names, "dag"]))
        parts.append(f"__all__ = [\n{exported}]\n")
        return "\n\n".join(parts)

    def scalar(self, info: dict) -> str:
        """Write a scalar."""
        doc = docstring(info, "A text of its own format.", 4)
        return f"class {info['name']}(Scalar):\n{doc}\n\n    __slots__ = ()\n"

    def enum(self, info: dict) -> str:
        """Write an enum."""
        lines = [f"class {info['name']}(Enum):", docstring(info, "One of a few values.", 4), ""]
        for value in info["enumValues"]:
            name = value["name"] + ("_" if keyword.iskeyword(value["name"]) else "")
            lines.append(f"    {name} = {json.dumps(value['name'])}")
            if value.get("description"):
                lines.append(docstring(value, "", 4))
        return "\n".join(lines) + "\n"

    def input(self, info: dict) -> str:
        """Write an input object."""
        fields = [arg for arg in info["inputFields"] if self.usable(arg["type"], arg)]
        fields.sort(key=lambda arg: not required(arg))
        table = "".join(
            f"        ({json.dumps(snake(arg['name']))}, {json.dumps(arg['name'])}),\n"
            for arg in fields
        )
        parameters = "".join(f"        {self.parameter(arg)},\n" for arg in fields)
        body = "".join(f"        self.{snake(a['name'])} = {snake(a['name'])}\n" for a in fields)
        return (
            f"class {info['name']}(Input):\n{docstring(info, 'Values given together.', 4)}\n\n"
            f"    _fields = (\n{table}    )\n\n"
            f"    def __init__(\n        self,\n{parameters}    ) -> None:\n{body}"
        )

    def object(self, info: dict) -> str:
        """Write an object."""
        name = info["name"]
        out = [
            f"class {class_name(name)}(Type):\n{docstring(info, 'An object of the API.', 4)}\n\n"
            f'    __slots__ = ()\n    _api_name = "{name}"\n'
        ]
        for field in info["fields"]:
            if not LEFT_OUT_FIELDS.match(field["name"]) and self.usable(field["type"], field):
                out.append(self.method(name, field))
        if any(field["name"] == "sync" for field in info["fields"]):
            out.append(
                f"    def __await__(self) -> Steps[Any, None, {name}]:\n"
                "        return self.sync().__await__()\n"
            )
        own = class_name(name)
        head = f"    def with_(self, cb: Callable[[{own}], {own}]) -> {own}:"
        if len(head) > 100:
            head = f"    def with_(\n        self, cb: Callable[[{own}], {own}]\n    ) -> {own}:"
        out.append(
            f'{head}\n        """Apply a function, keeping the chain in one piece."""\n'
            "        return cb(self)\n"
        )
        return "\n".join(out)

    def method(self, owner: str, field: dict) -> str:
        """Write the method for a field."""
        args = [arg for arg in field["args"] if required(arg) or self.usable(arg["type"], arg)]
        needed = [arg for arg in args if required(arg)]
        options = [arg for arg in args if not required(arg)]
        name = snake(field["name"])
        parameters = ["self", *(self.parameter(arg) for arg in needed)]
        parameters += ["*"] if options else []
        parameters += [self.parameter(arg) for arg in options]
        kind, many = unwrap(field["type"])
        info = self.types.get(kind, {"kind": "SCALAR"})
        pairs = ", ".join([json.dumps(field["name"]), *(self.pair(arg) for arg in args)])
        returned = self.annotation(field["type"], field, output=True)
        if field["name"] == "id":
            prefix, body, returned = "async def", "return ID(await self._get_id())", "ID"
        elif kind.endswith("ID") and (target := target_of(field, kind)) and not many:
            returned = class_name(target)
            prefix = "async def"
            if target == owner:
                body = f"return await self._same({pairs})"
            else:
                fetched = f"await self._value(None, {pairs})"
                body = f"return {returned}._from_id({fetched}, self._client())"
        elif info["kind"] == "OBJECT" and many:
            prefix = "async def"
            body = f"return await self._objects({class_name(kind)}, {pairs})"
        elif info["kind"] == "OBJECT":
            prefix, body = "def", f"return self._select({class_name(kind)}, {pairs})"
            returned = class_name(kind)
        elif kind == "Void":
            prefix, body, returned = "async def", f"await self._value(None, {pairs})", "None"
        else:
            decode = kind if info["kind"] == "ENUM" or kind not in SCALARS else "None"
            decode = decode if not kind.endswith("ID") else "None"
            prefix, body = "async def", f"return await self._value({decode}, {pairs})"
        indent = ",\n        "
        signature = ", ".join(parameters)
        head = f"    {prefix} {name}({signature}) -> {returned}:"
        if len(head) > 100:
            head = f"    {prefix} {name}(\n        {indent.join(parameters)},\n    ) -> {returned}:"
        doc = self.method_doc(field, args)
        return f"{head}\n{doc}{wrap_call(body)}\n"

    def method_doc(self, field: dict, args: list[dict]) -> str:
        """Write the documentation of a method, with its arguments'."""
        text = (field.get("description") or "").strip()
        described = [arg for arg in args if (arg.get("description") or "").strip()]
        if described:
            text += "\n\nArgs:"
            for arg in described:
                words = " ".join(arg["description"].split())
                line = f"{snake(arg['name'])}: {words}"
                wrapped = textwrap.wrap(line, 84, subsequent_indent="    ")
                text += "".join(f"\n    {part}" for part in wrapped)
        if field.get("isDeprecated") and field.get("deprecationReason"):
            text += f"\n\nDeprecated: {field['deprecationReason']}"
        return docstring({"description": text}, "", 8) + "\n" if text.strip() else ""

    def parameter(self, arg: dict) -> str:
        """Write a parameter with its annotation and default."""
        text = f"{snake(arg['name'])}: {self.annotation(arg['type'], arg)}"
        return text if required(arg) else f"{text} = {self.default(arg)}"

    def pair(self, arg: dict) -> str:
        """Write how an argument is passed on."""
        text = f"{json.dumps(arg['name'])}, {snake(arg['name'])}"
        return f"({text})" if required(arg) else f"({text}, {self.default(arg)})"

    def default(self, arg: dict) -> str:
        """Write a default as Python; a list's is none at all."""
        value = arg.get("defaultValue")
        if value is None or value == "null" or value.startswith(("[", "{")):
            return "None"
        if value in ("true", "false"):
            return value.capitalize()
        kind, _ = unwrap(arg["type"])
        if self.types.get(kind, {}).get("kind") == "ENUM":
            return f"{kind}.{value.strip(chr(34))}"
        return json.dumps(json.loads(value), ensure_ascii=False)

    def annotation(self, kind: dict, holder: dict, output: bool = False) -> str:
        """Write a type as Python."""
        if kind["kind"] == "NON_NULL":
            return self.annotation_inner(kind["ofType"], holder, output)
        inner = self.annotation_inner(kind, holder, output)
        return inner if inner == "None" else f"{inner} | None"

    def annotation_inner(self, kind: dict, holder: dict, output: bool) -> str:
        """Write a type that is not null."""
        if kind["kind"] == "LIST":
            collection = "list" if output else "Sequence"
            return f"{collection}[{self.annotation(kind['ofType'], holder, output)}]"
        name = kind["name"]
        if name.endswith("ID"):
            target = target_of(holder, name)
            return class_name(target) if target else "ID"
        return SCALARS.get(name) or class_name(name)

    def usable(self, kind: dict, holder: dict) -> bool:
        """Tell whether everything a field or argument mentions is there."""
        name, _ = unwrap(kind)
        target = target_of(holder, name) if name.endswith("ID") else None
        if target is not None and target not in self.types:
            return False
        if name.endswith("ID"):
            return True
        args = holder.get("args", [])
        needed = all(self.usable(arg["type"], arg) for arg in args if required(arg))
        return needed and (name in self.types or name in SCALARS)


def required(arg: dict) -> bool:
    """Tell whether an argument must be given."""
    return arg["type"]["kind"] == "NON_NULL" and arg.get("defaultValue") is None


def unwrap(kind: dict) -> tuple[str, bool]:
    """Return the name inside a type, and whether it is in a list."""
    many = False
    while kind.get("ofType"):
        many = many or kind["kind"] == "LIST"
        kind = kind["ofType"]
    return kind["name"], many


def target_of(holder: dict, name: str) -> str | None:
    """Return the type of the object an id stands for."""
    for directive in holder.get("directives") or ():
        if directive["name"] == "expectedType":
            return directive["args"][0]["value"].strip('"')
    return name[:-2] or None


def docstring(info: dict, fallback: str, indent: int) -> str:
    """Write a docstring."""
    text = (info.get("description") or "").strip() or fallback
    text = text.replace("\\", "\\\\").replace('"""', "'''")
    lines = []
    for paragraph in text.split("\n"):
        keep = len(paragraph) + indent <= 96 or paragraph.startswith(" ")
        lines += [paragraph] if keep else textwrap.wrap(paragraph, 96 - indent)
    pad = " " * indent
    if lines[-1].endswith('"'):
        lines[-1] += " "
    if len(lines) == 1 and len(lines[0]) + indent <= 94:
        return f'{pad}"""{lines[0]}"""'
    body = "\n".join(f"{pad}{line}".rstrip() for line in lines[1:])
    return f'{pad}"""{lines[0]}' + (f"\n{body}" if body else "") + f'\n{pad}"""'


def wrap_call(body: str) -> str:
    """Break a call that is too long for a line after its parentheses."""
    if len(body) + 8 <= 100 or not body.endswith(")"):
        return f"        {body}"
    opening = body.index("(")
    parts = re.findall(r"\((?:[^()\"]|\"[^\"]*\")*\)|[^,()]+", body[opening + 1 : -1])
    parts = [part.strip() for part in parts if part.strip()]
    lines = "".join(f"            {part},\n" for part in parts)
    return f"        {body[: opening + 1]}\n{lines}        )"


def main() -> None:
    """Read the schema named on the command line and print the client."""
    with open(sys.argv[1], encoding="utf-8") as file:
        answer = json.load(file)
    schema = answer.get("data", answer)["__schema"]
    sys.stdout.write(Generator(schema).source())


if __name__ == "__main__":
    main()
