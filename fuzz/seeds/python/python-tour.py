from __future__ import annotations

import asyncio
import typing as t
from collections.abc import Sequence
from typing import Annotated, Optional, Self

import dagger
from dagger import DefaultPath, Doc, Ignore, Name, dag, field, function, object_type

from .kinds import Color, Duck, Level

Tags = list[str]
IMAGE = "alpine:3.20"


@object_type
class Report:
    """What a check found."""

    level: Level = field(default=Level.LOW)
    lines: list[str] = field(default=list)
    """Lines that were looked at."""
    file: Optional[dagger.File] = field(default=None)
    _count: int = 0

    @function
    def summary(self) -> str:
        """Say it in a line."""
        return f"{self.level.value}: {len(self.lines)} lines"

    @function
    def louder(self) -> Self:
        """Raise the level."""
        self.level = Level.HIGH
        return self


@object_type
class Common:
    @function
    def where(self) -> str:
        """Name the image in use."""
        return getattr(self, "image", IMAGE)


@object_type
class Tour(Common):
    """A tour of the SDK.

    It has two paragraphs:
        and an indented line.
    """

    image: Annotated[str, Doc("Image everything runs in")] = field(default=IMAGE)
    from_: str = field(default="x", name="origin")
    made: int = field(default=1, init=False)
    token: dagger.Secret | None = None
    limit: t.ClassVar[int] = 3

    @function
    async def build(
        self,
        source: Annotated[
            dagger.Directory, Doc("Code to build"), DefaultPath("/"), Ignore([".git", "**/*.pyc"])
        ],
        *,
        args: Sequence[str] = ("a", "b"),
        platform: dagger.Platform | None = None,
        from_: Annotated[str, Name("from")] = IMAGE,
        color: Color = Color.BLUE,
        protocol: dagger.NetworkProtocol = dagger.NetworkProtocol.TCP,
    ) -> dagger.Container:
        """Build the code.

        Slowly.
        """
        return dag.container(platform=platform).from_(from_).with_directory("/src", source)

    @function(name="inspect", doc="Look at it.", cache="10m", deprecated="look elsewhere")
    async def look(self, tags: Tags, ratio: float = -0.5, deep: bool = False) -> Report:
        async def line(tag: str) -> str:
            await asyncio.sleep(0)
            return f"{tag} {ratio}"

        lines = await asyncio.gather(*(line(tag) for tag in tags))
        return Report(lines=list(lines), level=Level.HIGH if deep else Level.LOW)

    @function
    @dagger.check
    async def passes(self) -> None:
        """Check nothing."""

    @function
    async def talk(self, ducks: list[Duck], times: "int | None" = None) -> list[str]:
        """Let them quack."""
        return [await duck.quack(times=times or 1) for duck in ducks]

    @function
    def reports(self, first: Report, matrix: list[list[int]]) -> list[Report]:
        """Return a report per row."""
        return [first, *(Report(lines=[str(row)]) for row in matrix)]

    @function
    async def files(self) -> dict_alias:
        """List files."""
        return ["a"]

    def hidden(self) -> int:
        return 1


dict_alias = tuple[str, ...]
