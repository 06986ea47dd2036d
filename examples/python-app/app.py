"""A service so small that it fits on a page."""


def greet(name: str) -> str:
    return f"hello, {name}"
