"""Pipeline of a small Python service."""

import dagger
from dagger import dag, function, object_type

PYTHON = "python:3.11-slim"


@object_type
class MyApp:
    @function
    async def build(self, source: dagger.Directory) -> dagger.Container:
        """Install what the service needs and compile it."""
        return self.base(source).with_exec(["python", "-m", "compileall", "-q", "app.py"])

    @function
    async def test(self, source: dagger.Directory) -> str:
        """Run the unit tests."""
        return await (
            self.base(source)
            .with_exec(["python", "-m", "unittest", "-v"], redirect_stderr="/tmp/report")
            .file("/tmp/report")
            .contents()
        )

    @function
    async def lint(self, source: dagger.Directory, image: str = PYTHON) -> str:
        """Check that every file is valid Python."""
        return await (
            dag.container()
            .from_(image)
            .with_directory("/app", source)
            .with_workdir("/app")
            .with_exec(["python", "-m", "py_compile", "app.py"])
            .stdout()
        )

    @function
    async def build_with_uv(self, source: dagger.Directory) -> dagger.Container:
        """Install requirements with uv, which is faster than pip."""
        return (
            dag.container()
            .from_(PYTHON)
            .with_exec(["pip", "install", "uv"])
            .with_directory("/app", source)
            .with_workdir("/app")
            .with_exec(["uv", "pip", "install", "--system", "-r", "requirements.txt"])
        )

    def base(self, source: dagger.Directory) -> dagger.Container:
        """Python with the service's code in it; not part of the API."""
        return dag.container().from_(PYTHON).with_directory("/app", source).with_workdir("/app")
