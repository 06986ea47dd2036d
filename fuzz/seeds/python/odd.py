import dagger
from dagger import *
from typing import Annotated, Optional as O
@object_type
class A:
    x: O[list[int]] = field(default=lambda: [1])
    @function(cache="never")
    async def f(self, a: Annotated[dagger.Directory, DefaultPath("/"), Ignore(["*"])], b: "str | None" = None) -> "A": ...
