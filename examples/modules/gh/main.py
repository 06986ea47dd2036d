"""The GitHub command line, with its token as a secret."""

import shlex
from typing import Annotated

import dagger
from dagger import Doc, dag, function, object_type


@object_type
class Gh:
    """Runs gh."""

    image: Annotated[str, Doc("Image that has gh")] = "maniator/gh:latest"
    repo: Annotated[str, Doc("OWNER/REPO that commands are about")] = ""

    @function
    def container(self, token: dagger.Secret) -> dagger.Container:
        """A container in which gh is logged in."""
        made = dag.container().from_(self.image).with_secret_variable("GH_TOKEN", token)
        return made.with_env_variable("GH_REPO", self.repo) if self.repo else made

    @function
    async def run(
        self,
        token: dagger.Secret,
        cmd: Annotated[str, Doc("Words after gh, quoted as for a shell")],
    ) -> str:
        """Run a command and return what it prints."""
        return await self.container(token).with_exec(["gh", *shlex.split(cmd)]).stdout()

    @function
    async def comment(self, token: dagger.Secret, pull_request: int, body: str) -> str:
        """Comment on a pull request; returns where the comment is."""
        words = ["gh", "pr", "comment", str(pull_request), "--body", body]
        printed = await self.container(token).with_exec(words).stdout()
        return printed.split("\n", 1)[0]
