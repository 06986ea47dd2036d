"""A service so small that it fits on a page."""

import sys


def greet(name: str) -> str:
    return f"hello, {name}"


def main() -> None:
    print(greet(sys.argv[1] if len(sys.argv) > 1 else "you"))
