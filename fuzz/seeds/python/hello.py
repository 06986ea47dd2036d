"""Pipeline of a small command line program: test it, then pack it into one executable file."""

import dagger
from dagger import dag, function, object_type

PYTHON = "python:3.11-slim"


@object_type
class Hello:
    @function
    async def test(self, source: dagger.Directory) -> str:
        """Run the unit tests and return their report."""
        return await self.tested(source).stderr()

    @function
    def build(self, source: dagger.Directory) -> dagger.File:
        """Pack the program into one file that any Python runs, if its tests pass."""
        pack = ["python", "-m", "zipapp", "/src", "-m", "greeting.cli:main"]
        pack += ["-p", "/usr/bin/env python3", "-o", "/hello.pyz"]
        return self.tested(source).with_exec(pack).file("/hello.pyz")

    def tested(self, source: dagger.Directory) -> dagger.Container:
        """The program's source after its tests passed; not part of the API."""
        return (
            dag.container()
            .from_(PYTHON)
            .with_env_variable("PYTHONDONTWRITEBYTECODE", "1")
            .with_directory("/src", source)
            .with_workdir("/src")
            .with_exec(["python", "-m", "unittest", "-v"])
        )
