"""JSON without the ``json`` package, which imports more than a function call otherwise needs.

The two C functions underneath do the work. Where they are missing the package is used after all.
"""

from __future__ import annotations

from typing import Any

try:
    from _json import encode_basestring as quote
    from _json import make_scanner

    class _Settings:
        strict = False
        object_hook = None
        object_pairs_hook = None
        parse_float = float
        parse_int = int
        parse_constant = float
        memo: dict[str, str] = {}

    _settings: Any = _Settings()
    _scan = make_scanner(_settings)

    def loads(text: str) -> Any:
        """Read JSON; `ValueError` if it is none."""
        text = text.strip()
        try:
            value, end = _scan(text, 0)
        except StopIteration as stop:
            raise ValueError(f"not JSON at character {stop.value}") from None
        if end != len(text):
            raise ValueError(f"not JSON at character {end}")
        return value

except ImportError:  # pragma: no cover - not CPython
    from json import dumps as _dumps
    from json import loads as loads  # type: ignore[assignment]

    def quote(text: str) -> str:  # type: ignore[misc]
        """Write a text."""
        return _dumps(text, ensure_ascii=False)


def dumps(value: Any) -> str:
    """Write plain values as JSON."""
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise ValueError(f"{value} is not JSON")
        return float.__repr__(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{quote(key)}:{dumps(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(dumps(item) for item in value) + "]"
    raise TypeError(f"{value!r} is not JSON")
