"""Functions without a class, as early modules have them, calling another module."""

import dagger
from dagger.mod import function


@function
def build() -> dagger.Container:
    """Build the service of the neighbouring module."""
    return dagger.my_app().build(source=dagger.dag.current_module().source().directory("."))


@function
async def report(self, lines: int = 3) -> list[str]:
    """Return a few lines."""
    return [f"line {number}" for number in range(lines)]
