"""Pipeline of a small Python service."""

import asyncio

import dagger
from dagger import dag, function, object_type

PYTHON = "python:3.11-slim"


@object_type
class MyApp:
    @function
    async def build(self, source: dagger.Directory) -> dagger.Container:
        """Install what the service needs and compile it."""
        return (
            self.base(source)
            .with_exec(["pip", "install", "-r", "requirements.txt"])
            .with_exec(["python", "-m", "compileall", "-q", "app.py"])
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
    async def scan(self, source: dagger.Directory) -> str:
        """Fail if the code holds a password."""
        look = "! grep -rniE 'password *= *\"' . && echo nothing found"
        return await (
            dag.container()
            .from_("alpine:3.20")
            .with_mounted_directory("/src", source)
            .with_workdir("/src")
            .with_exec(["sh", "-c", look])
            .stdout()
        )

    @function
    async def ci(self, source: dagger.Directory) -> None:
        """Check everything at the same time."""
        await asyncio.gather(self.lint(source), self.test(source), self.scan(source))

    @function
    def build_image(self, source: dagger.Directory) -> dagger.Container:
        """Put the service alone into an image."""
        packed = ["python", "-m", "zipapp", "/pack", "-m", "app:main", "-o", "/app.pyz"]
        built = (
            dag.container()
            .from_(PYTHON)
            .with_file("/pack/app.py", source.file("app.py"))
            .with_exec(packed)
        )
        return (
            dag.container()
            .from_(PYTHON)
            .with_file("/app.pyz", built.file("/app.pyz"))
            .with_entrypoint(["python", "/app.pyz"])
        )

    @function
    async def publish(
        self,
        source: dagger.Directory,
        registry: str,
        tag: str,
        username: str,
        password: dagger.Secret,
    ) -> str:
        """Push the image and return its address."""
        return await (
            self.build_image(source)
            .with_registry_auth(registry, username, password)
            .publish(f"{registry}:{tag}")
        )

    @function
    async def test_with_database(
        self, source: dagger.Directory, query: str = "SELECT count(*) FROM words"
    ) -> str:
        """Run a query against PostgreSQL, which is there as "db" meanwhile."""
        database = (
            dag.container()
            .from_("postgres:16-alpine")
            .with_env_variable("POSTGRES_PASSWORD", "test")
            .with_env_variable("POSTGRES_DB", "words")
            .with_exposed_port(5432)
            .as_service()
        )
        psql = ["psql", "-h", "db", "-U", "postgres", "-d", "words", "-qAt"]
        return await (
            dag.container()
            .from_("postgres:16-alpine")
            .with_service_binding("db", database)
            .with_env_variable("PGPASSWORD", "test")
            .with_mounted_directory("/src", source)
            .with_workdir("/src")
            .with_exec([*psql, "-f", "schema.sql", "-c", query])
            .stdout()
        )

    @function
    async def deploy(self, source: dagger.Directory, kubeconfig: dagger.Secret) -> str:
        """Apply the manifest in the directory k8s."""
        kubectl = dag.kubectl().with_kubeconfig(kubeconfig)
        return await kubectl.apply("deployment.yaml", source.directory("k8s"))

    @function
    async def release(
        self,
        source: dagger.Directory,
        registry: str,
        tag: str,
        username: str,
        password: dagger.Secret,
        kubeconfig: dagger.Secret,
    ) -> str:
        """Go through all stages: check, publish, deploy."""
        for stage in (self.lint, self.test, self.scan):
            print("stage:", stage.__name__)
            await stage(source)
        print("stage: publish")
        published = await self.publish(source, registry, tag, username, password)
        print("stage: deploy")
        return published + "\n" + await self.deploy(source, kubeconfig)

    def base(self, source: dagger.Directory) -> dagger.Container:
        """Python with the service's code in it, and what pip remembers; not part of the API."""
        return (
            dag.container()
            .from_(PYTHON)
            .with_directory("/app", source)
            .with_workdir("/app")
            .with_mounted_cache("/root/.cache/pip", dag.cache_volume("pip"))
        )
