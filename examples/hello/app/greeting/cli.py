"""The program: greets whom it is told to."""

import sys


def greeting(names: list[str]) -> str:
    """A greeting for these people, or for everybody."""
    return f"Hello, {' and '.join(names) or 'world'}!"


def main() -> None:
    """Greet the people on the command line."""
    print(greeting(sys.argv[1:]))
