"""kubectl, with the configuration of the cluster as a secret."""

from typing import Annotated, Optional, Self

import dagger
from dagger import Doc, dag, function, object_type


@object_type
class Kubectl:
    """Talks to a cluster."""

    image: Annotated[str, Doc("Image that has kubectl")] = "bitnami/kubectl:latest"
    kubeconfig: Optional[dagger.Secret] = None
    namespace: str = "default"

    @function
    def with_kubeconfig(self, kubeconfig: dagger.Secret) -> Self:
        """Use this configuration."""
        self.kubeconfig = kubeconfig
        return self

    @function
    def with_namespace(self, namespace: str) -> Self:
        """Work in this namespace."""
        self.namespace = namespace
        return self

    @function
    async def apply(
        self,
        manifest: Annotated[str, Doc("Path of the manifest in the directory")],
        source: Annotated[dagger.Directory, Doc("Directory with manifests")],
    ) -> str:
        """Apply a manifest."""
        return await self._run(["apply", "-f", manifest], source)

    @function
    async def rollout_status(self, deployment: str) -> str:
        """Wait until a deployment is rolled out."""
        return await self._run(["rollout", "status", f"deployment/{deployment}"], dag.directory())

    async def _run(self, words: list[str], source: dagger.Directory) -> str:
        if self.kubeconfig is None:
            raise ValueError("no cluster: call with-kubeconfig first")
        return await (
            dag.container()
            .from_(self.image)
            .with_mounted_directory("/work", source)
            .with_workdir("/work")
            .with_mounted_secret("/run/kubeconfig", self.kubeconfig)
            .with_env_variable("KUBECONFIG", "/run/kubeconfig")
            .with_exec(["kubectl", *words, "--namespace", self.namespace])
            .stdout()
        )
