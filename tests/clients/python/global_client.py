"""The same SDK by its module-level client: `python global_client.py`."""

import asyncio

import dagger
from dagger import dag


async def main() -> None:
    async with dagger.connection():
        print(await dag.container().from_("alpine:3.20").with_exec(["echo", "hi"]).stdout(), end="")


asyncio.run(main())
