"""A pipeline as users write it with the official Python SDK: `python pipeline.py DIR`.

Prints one JSON object that says what came back. Works with the SDK's releases from 0.9 on, so it
keeps to what all of them have.
"""

import asyncio
import json
import pathlib
import sys

import dagger

IMAGE = "alpine:3.20"


async def main(work: pathlib.Path) -> None:
    (work / "src").mkdir(exist_ok=True)
    (work / "src" / "in.txt").write_text("in\n")
    (work / "src" / "skip.log").write_text("skip\n")
    found = {}
    async with dagger.Connection(dagger.Config(log_output=sys.stderr)) as client:
        source = client.host().directory(str(work / "src"), exclude=["*.log"])
        secret = client.set_secret("token", "s3cr3t-value")
        cache = client.cache_volume("pipeline")
        container = (
            client.container()
            .from_(IMAGE)
            .with_directory("/src", source)
            .with_workdir("/src")
            .with_env_variable("NAME", "you")
            .with_mounted_cache("/cache", cache)
            .with_secret_variable("TOKEN", secret)
            .with_exec(
                ["sh", "-c", "ls; echo hello $NAME; echo $TOKEN; mkdir /d; cp in.txt /d/out.txt"]
            )
        )
        found["stdout"] = await container.stdout()
        found["file"] = await container.file("/d/out.txt").contents()
        found["entries"] = await container.directory("/d").with_new_directory("sub").entries()
        found["exported"] = await container.directory("/src").export(str(work / "tree"))
        built = await container.with_new_file("/new", contents="new\n").sync()
        found["synced"] = await built.file("/new").contents()
        found["variables"] = [
            await variable.name() for variable in await container.env_variables()
        ]
        one, two = await asyncio.gather(
            *(container.with_exec(["echo", name]).stdout() for name in ("one", "two"))
        )
        found["parallel"] = one + two
        exposed = container.with_exposed_port(80, protocol=dagger.NetworkProtocol.UDP)
        found["ports"] = [(await port.protocol()).name for port in await exposed.exposed_ports()]
        entered = container.with_entrypoint(["echo", "entry"]).with_exec(["echo", "x"])
        found["entrypoint"] = await entered.stdout()
        try:
            await container.with_exec(["sh", "-c", "echo no >&2; exit 6"]).sync()
        except dagger.ExecError as error:
            found["failure"] = [True, error.exit_code, error.stderr, error.command[:2]]
        try:
            await client.container().from_("127.0.0.1:1/none").sync()
        except dagger.QueryError as error:
            found["refused"] = "127.0.0.1:1" in str(error)
    found["tree"] = (work / "tree" / "in.txt").read_text()
    print(json.dumps(found))


asyncio.run(main(pathlib.Path(sys.argv[1])))
