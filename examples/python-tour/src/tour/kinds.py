import enum
from typing import Protocol

import dagger as d
from dagger import enum_type, function, interface


@enum_type
class Level(enum.Enum):
    """How bad it is."""

    LOW = "low"
    """Nothing to worry about."""
    HIGH = "high"


class Color(d.Enum):
    RED = "red", "Like a rose"
    BLUE = "blue"


@interface
class Duck(Protocol):
    """Whatever quacks."""

    @function
    async def quack(self, times: int) -> str: ...
