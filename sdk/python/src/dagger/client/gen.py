"""The API of the engine. Generated from its schema by ``tools/generate.py``; do not edit."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Callable

from .base import ID, Input, Scalar, Type

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence


class JSON(Scalar):
    """A text of its own format."""

    __slots__ = ()


class Platform(Scalar):
    """A text of its own format."""

    __slots__ = ()


class CacheSharingMode(Enum):
    """One of a few values."""

    SHARED = "SHARED"
    PRIVATE = "PRIVATE"
    LOCKED = "LOCKED"


class ChangesetMergeConflict(Enum):
    """One of a few values."""

    FAIL_EARLY = "FAIL_EARLY"
    FAIL = "FAIL"
    LEAVE_CONFLICT_MARKERS = "LEAVE_CONFLICT_MARKERS"
    PREFER_OURS = "PREFER_OURS"
    PREFER_THEIRS = "PREFER_THEIRS"


class ChangesetsMergeConflict(Enum):
    """One of a few values."""

    FAIL_EARLY = "FAIL_EARLY"
    FAIL = "FAIL"


class DiffStatKind(Enum):
    """One of a few values."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    REMOVED = "REMOVED"
    RENAMED = "RENAMED"


class ExistsType(Enum):
    """One of a few values."""

    REGULAR_TYPE = "REGULAR_TYPE"
    DIRECTORY_TYPE = "DIRECTORY_TYPE"
    SYMLINK_TYPE = "SYMLINK_TYPE"


class FileType(Enum):
    """One of a few values."""

    UNKNOWN = "UNKNOWN"
    REGULAR = "REGULAR"
    DIRECTORY = "DIRECTORY"
    SYMLINK = "SYMLINK"
    REGULAR_TYPE = "REGULAR_TYPE"
    DIRECTORY_TYPE = "DIRECTORY_TYPE"
    SYMLINK_TYPE = "SYMLINK_TYPE"


class FunctionCachePolicy(Enum):
    """One of a few values."""

    Default = "Default"
    PerSession = "PerSession"
    Never = "Never"


class ImageLayerCompression(Enum):
    """One of a few values."""

    Gzip = "Gzip"
    Zstd = "Zstd"
    EStarGZ = "EStarGZ"
    Uncompressed = "Uncompressed"
    GZIP = "GZIP"
    ZSTD = "ZSTD"
    ESTARGZ = "ESTARGZ"
    UNCOMPRESSED = "UNCOMPRESSED"


class ImageMediaTypes(Enum):
    """One of a few values."""

    OCIMediaTypes = "OCIMediaTypes"
    DockerMediaTypes = "DockerMediaTypes"
    OCI = "OCI"
    DOCKER = "DOCKER"


class ModuleSourceExperimentalFeature(Enum):
    """One of a few values."""

    SELF_CALLS = "SELF_CALLS"


class ModuleSourceKind(Enum):
    """One of a few values."""

    LOCAL_SOURCE = "LOCAL_SOURCE"
    GIT_SOURCE = "GIT_SOURCE"
    DIR_SOURCE = "DIR_SOURCE"
    LOCAL = "LOCAL"
    GIT = "GIT"
    DIR = "DIR"


class NetworkProtocol(Enum):
    """One of a few values."""

    TCP = "TCP"
    UDP = "UDP"


class PatchConflict(Enum):
    """One of a few values."""

    FAIL = "FAIL"
    LEAVE_CONFLICT_MARKERS = "LEAVE_CONFLICT_MARKERS"


class RegistryProtocol(Enum):
    """One of a few values."""

    HTTPS = "HTTPS"
    HTTP = "HTTP"


class ReturnType(Enum):
    """One of a few values."""

    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    ANY = "ANY"


class TypeDefKind(Enum):
    """One of a few values."""

    STRING_KIND = "STRING_KIND"
    INTEGER_KIND = "INTEGER_KIND"
    FLOAT_KIND = "FLOAT_KIND"
    BOOLEAN_KIND = "BOOLEAN_KIND"
    SCALAR_KIND = "SCALAR_KIND"
    LIST_KIND = "LIST_KIND"
    OBJECT_KIND = "OBJECT_KIND"
    INTERFACE_KIND = "INTERFACE_KIND"
    INPUT_KIND = "INPUT_KIND"
    VOID_KIND = "VOID_KIND"
    ENUM_KIND = "ENUM_KIND"
    STRING = "STRING"
    INTEGER = "INTEGER"
    FLOAT = "FLOAT"
    BOOLEAN = "BOOLEAN"
    SCALAR = "SCALAR"
    LIST = "LIST"
    OBJECT = "OBJECT"
    INTERFACE = "INTERFACE"
    INPUT = "INPUT"
    VOID = "VOID"
    ENUM = "ENUM"


class BuildArg(Input):
    """Values given together."""

    _fields = (
        ("name", "name"),
        ("value", "value"),
    )

    def __init__(
        self,
        name: str,
        value: str,
    ) -> None:
        self.name = name
        self.value = value


class PipelineLabel(Input):
    """Values given together."""

    _fields = (
        ("name", "name"),
        ("value", "value"),
    )

    def __init__(
        self,
        name: str,
        value: str,
    ) -> None:
        self.name = name
        self.value = value


class PortForward(Input):
    """Values given together."""

    _fields = (
        ("backend", "backend"),
        ("frontend", "frontend"),
        ("protocol", "protocol"),
    )

    def __init__(
        self,
        backend: int,
        frontend: int | None = None,
        protocol: NetworkProtocol | None = NetworkProtocol.TCP,
    ) -> None:
        self.backend = backend
        self.frontend = frontend
        self.protocol = protocol


class Address(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "Address"

    def container(self) -> Container:
        return self._select(Container, "container")

    def directory(
        self,
        *,
        exclude: Sequence[str] | None = None,
        include: Sequence[str] | None = None,
        gitignore: bool | None = False,
        no_cache: bool | None = False,
    ) -> Directory:
        return self._select(
            Directory,
            "directory",
            ("exclude", exclude, None),
            ("include", include, None),
            ("gitignore", gitignore, False),
            ("noCache", no_cache, False),
        )

    def file(
        self,
        *,
        exclude: Sequence[str] | None = None,
        include: Sequence[str] | None = None,
        gitignore: bool | None = False,
        no_cache: bool | None = False,
    ) -> File:
        return self._select(
            File,
            "file",
            ("exclude", exclude, None),
            ("include", include, None),
            ("gitignore", gitignore, False),
            ("noCache", no_cache, False),
        )

    def git_ref(self) -> GitRef:
        return self._select(GitRef, "gitRef")

    def git_repository(self) -> GitRepository:
        return self._select(GitRepository, "gitRepository")

    async def id(self) -> ID:
        return ID(await self._get_id())

    def secret(self) -> Secret:
        return self._select(Secret, "secret")

    def service(self) -> Service:
        return self._select(Service, "service")

    def socket(self) -> Socket:
        return self._select(Socket, "socket")

    async def value(self) -> str:
        return await self._value(None, "value")

    def volume(self) -> Volume:
        return self._select(Volume, "volume")

    def with_(self, cb: Callable[[Address], Address]) -> Address:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class CacheVolume(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "CacheVolume"

    async def id(self) -> ID:
        return ID(await self._get_id())

    def with_(self, cb: Callable[[CacheVolume], CacheVolume]) -> CacheVolume:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Changeset(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "Changeset"

    async def added_paths(self) -> list[str]:
        return await self._value(None, "addedPaths")

    def after(self) -> Directory:
        return self._select(Directory, "after")

    def as_patch(self) -> File:
        return self._select(File, "asPatch")

    def before(self) -> Directory:
        return self._select(Directory, "before")

    async def diff_stats(self) -> list[DiffStat]:
        return await self._objects(DiffStat, "diffStats")

    async def export(self, path: str) -> str:
        return await self._value(None, "export", ("path", path))

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def is_empty(self) -> bool:
        return await self._value(None, "isEmpty")

    def layer(self) -> Directory:
        return self._select(Directory, "layer")

    async def modified_paths(self) -> list[str]:
        return await self._value(None, "modifiedPaths")

    async def removed_paths(self) -> list[str]:
        return await self._value(None, "removedPaths")

    async def sync(self) -> Changeset:
        return await self._same("sync")

    def with_changeset(
        self,
        changes: Changeset,
        *,
        on_conflict: ChangesetMergeConflict | None = ChangesetMergeConflict.FAIL,
    ) -> Changeset:
        return self._select(
            Changeset,
            "withChangeset",
            ("changes", changes),
            ("onConflict", on_conflict, ChangesetMergeConflict.FAIL),
        )

    def with_changesets(
        self,
        changes: Sequence[Changeset],
        *,
        on_conflict: ChangesetsMergeConflict | None = ChangesetsMergeConflict.FAIL,
    ) -> Changeset:
        return self._select(
            Changeset,
            "withChangesets",
            ("changes", changes),
            ("onConflict", on_conflict, ChangesetsMergeConflict.FAIL),
        )

    def __await__(self) -> Generator[Any, None, Changeset]:
        return self.sync().__await__()

    def with_(self, cb: Callable[[Changeset], Changeset]) -> Changeset:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Container(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "Container"

    def as_service(
        self,
        *,
        args: Sequence[str] | None = None,
        use_entrypoint: bool | None = False,
        experimental_privileged_nesting: bool | None = False,
        insecure_root_capabilities: bool | None = False,
        expand: bool | None = False,
        no_init: bool | None = False,
    ) -> Service:
        return self._select(
            Service,
            "asService",
            ("args", args, None),
            ("useEntrypoint", use_entrypoint, False),
            ("experimentalPrivilegedNesting", experimental_privileged_nesting, False),
            ("insecureRootCapabilities", insecure_root_capabilities, False),
            ("expand", expand, False),
            ("noInit", no_init, False),
        )

    def as_tarball(
        self,
        *,
        platform_variants: Sequence[Container] | None = None,
        forced_compression: ImageLayerCompression | None = None,
        media_types: ImageMediaTypes | None = ImageMediaTypes.OCIMediaTypes,
    ) -> File:
        return self._select(
            File,
            "asTarball",
            ("platformVariants", platform_variants, None),
            ("forcedCompression", forced_compression, None),
            ("mediaTypes", media_types, ImageMediaTypes.OCIMediaTypes),
        )

    async def combined_output(self) -> str:
        return await self._value(None, "combinedOutput")

    async def default_args(self) -> list[str]:
        return await self._value(None, "defaultArgs")

    def directory(self, path: str, *, expand: bool | None = False) -> Directory:
        return self._select(Directory, "directory", ("path", path), ("expand", expand, False))

    def docker_healthcheck(self) -> HealthcheckConfig:
        return self._select(HealthcheckConfig, "dockerHealthcheck")

    async def entrypoint(self) -> list[str]:
        return await self._value(None, "entrypoint")

    async def env_variable(self, name: str) -> str | None:
        return await self._value(None, "envVariable", ("name", name))

    async def env_variables(self) -> list[EnvVariable]:
        return await self._objects(EnvVariable, "envVariables")

    async def exists(
        self,
        path: str,
        *,
        expected_type: ExistsType | None = None,
        do_not_follow_symlinks: bool | None = False,
        expand: bool | None = False,
    ) -> bool:
        return await self._value(
            None,
            "exists",
            ("path", path),
            ("expectedType", expected_type, None),
            ("doNotFollowSymlinks", do_not_follow_symlinks, False),
            ("expand", expand, False),
        )

    async def exit_code(self) -> int:
        return await self._value(None, "exitCode")

    def experimental_with_all_gp_us(self) -> Container:
        return self._select(Container, "experimentalWithAllGPUs")

    def experimental_with_gpu(self, devices: Sequence[str]) -> Container:
        return self._select(Container, "experimentalWithGPU", ("devices", devices))

    async def export(
        self,
        path: str,
        *,
        platform_variants: Sequence[Container] | None = None,
        forced_compression: ImageLayerCompression | None = None,
        media_types: ImageMediaTypes | None = ImageMediaTypes.OCIMediaTypes,
        expand: bool | None = False,
    ) -> str:
        return await self._value(
            None,
            "export",
            ("path", path),
            ("platformVariants", platform_variants, None),
            ("forcedCompression", forced_compression, None),
            ("mediaTypes", media_types, ImageMediaTypes.OCIMediaTypes),
            ("expand", expand, False),
        )

    async def export_image(
        self,
        name: str,
        *,
        platform_variants: Sequence[Container] | None = None,
        forced_compression: ImageLayerCompression | None = None,
        media_types: ImageMediaTypes | None = ImageMediaTypes.OCIMediaTypes,
    ) -> None:
        await self._value(
            None,
            "exportImage",
            ("name", name),
            ("platformVariants", platform_variants, None),
            ("forcedCompression", forced_compression, None),
            ("mediaTypes", media_types, ImageMediaTypes.OCIMediaTypes),
        )

    async def exposed_ports(self) -> list[Port]:
        return await self._objects(Port, "exposedPorts")

    def file(self, path: str, *, expand: bool | None = False) -> File:
        return self._select(File, "file", ("path", path), ("expand", expand, False))

    def from_(
        self,
        address: str,
        *,
        registry_service: Service | None = None,
        protocol: RegistryProtocol | None = None,
        insecure_skip_tls_verify: bool | None = False,
    ) -> Container:
        return self._select(
            Container,
            "from",
            ("address", address),
            ("registryService", registry_service, None),
            ("protocol", protocol, None),
            ("insecureSkipTLSVerify", insecure_skip_tls_verify, False),
        )

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def image_ref(self) -> str:
        return await self._value(None, "imageRef")

    def import_(self, source: File, *, tag: str | None = "") -> Container:
        return self._select(Container, "import", ("source", source), ("tag", tag, ""))

    async def label(self, name: str) -> str | None:
        return await self._value(None, "label", ("name", name))

    async def labels(self) -> list[Label]:
        return await self._objects(Label, "labels")

    def layer(
        self,
        id: str,
        *,
        forced_compression: ImageLayerCompression | None = None,
        media_types: ImageMediaTypes | None = ImageMediaTypes.OCIMediaTypes,
    ) -> File:
        return self._select(
            File,
            "layer",
            ("id", id),
            ("forcedCompression", forced_compression, None),
            ("mediaTypes", media_types, ImageMediaTypes.OCIMediaTypes),
        )

    def manifest(
        self,
        *,
        forced_compression: ImageLayerCompression | None = None,
        media_types: ImageMediaTypes | None = ImageMediaTypes.OCIMediaTypes,
    ) -> File:
        return self._select(
            File,
            "manifest",
            ("forcedCompression", forced_compression, None),
            ("mediaTypes", media_types, ImageMediaTypes.OCIMediaTypes),
        )

    async def mounts(self) -> list[str]:
        return await self._value(None, "mounts")

    async def platform(self) -> Platform:
        return await self._value(Platform, "platform")

    async def publish(
        self,
        address: str,
        *,
        platform_variants: Sequence[Container] | None = None,
        forced_compression: ImageLayerCompression | None = None,
        media_types: ImageMediaTypes | None = ImageMediaTypes.OCIMediaTypes,
        registry_service: Service | None = None,
        protocol: RegistryProtocol | None = None,
        insecure_skip_tls_verify: bool | None = False,
    ) -> str:
        return await self._value(
            None,
            "publish",
            ("address", address),
            ("platformVariants", platform_variants, None),
            ("forcedCompression", forced_compression, None),
            ("mediaTypes", media_types, ImageMediaTypes.OCIMediaTypes),
            ("registryService", registry_service, None),
            ("protocol", protocol, None),
            ("insecureSkipTLSVerify", insecure_skip_tls_verify, False),
        )

    def rootfs(self) -> Directory:
        return self._select(Directory, "rootfs")

    def stat(self, path: str, *, do_not_follow_symlinks: bool | None = False) -> Stat:
        return self._select(
            Stat,
            "stat",
            ("path", path),
            ("doNotFollowSymlinks", do_not_follow_symlinks, False),
        )

    async def stderr(self) -> str:
        return await self._value(None, "stderr")

    async def stdout(self) -> str:
        return await self._value(None, "stdout")

    async def sync(self) -> Container:
        return await self._same("sync")

    def terminal(
        self,
        *,
        cmd: Sequence[str] | None = None,
        experimental_privileged_nesting: bool | None = False,
        insecure_root_capabilities: bool | None = False,
    ) -> Container:
        return self._select(
            Container,
            "terminal",
            ("cmd", cmd, None),
            ("experimentalPrivilegedNesting", experimental_privileged_nesting, False),
            ("insecureRootCapabilities", insecure_root_capabilities, False),
        )

    async def up(
        self,
        *,
        random: bool | None = False,
        ports: Sequence[PortForward] | None = None,
        args: Sequence[str] | None = None,
        use_entrypoint: bool | None = False,
        experimental_privileged_nesting: bool | None = False,
        insecure_root_capabilities: bool | None = False,
        expand: bool | None = False,
        no_init: bool | None = False,
    ) -> None:
        await self._value(
            None,
            "up",
            ("random", random, False),
            ("ports", ports, None),
            ("args", args, None),
            ("useEntrypoint", use_entrypoint, False),
            ("experimentalPrivilegedNesting", experimental_privileged_nesting, False),
            ("insecureRootCapabilities", insecure_root_capabilities, False),
            ("expand", expand, False),
            ("noInit", no_init, False),
        )

    async def user(self) -> str:
        return await self._value(None, "user")

    def with_annotation(self, name: str, value: str) -> Container:
        return self._select(Container, "withAnnotation", ("name", name), ("value", value))

    def with_default_args(self, args: Sequence[str]) -> Container:
        return self._select(Container, "withDefaultArgs", ("args", args))

    def with_default_terminal_cmd(
        self,
        args: Sequence[str],
        *,
        experimental_privileged_nesting: bool | None = False,
        insecure_root_capabilities: bool | None = False,
    ) -> Container:
        return self._select(
            Container,
            "withDefaultTerminalCmd",
            ("args", args),
            ("experimentalPrivilegedNesting", experimental_privileged_nesting, False),
            ("insecureRootCapabilities", insecure_root_capabilities, False),
        )

    def with_directory(
        self,
        path: str,
        source: Directory,
        *,
        exclude: Sequence[str] | None = None,
        include: Sequence[str] | None = None,
        gitignore: bool | None = False,
        owner: str | None = "",
        inherit_owner: bool | None = False,
        expand: bool | None = False,
        permissions: int | None = None,
    ) -> Container:
        return self._select(
            Container,
            "withDirectory",
            ("path", path),
            ("source", source),
            ("exclude", exclude, None),
            ("include", include, None),
            ("gitignore", gitignore, False),
            ("owner", owner, ""),
            ("inheritOwner", inherit_owner, False),
            ("expand", expand, False),
            ("permissions", permissions, None),
        )

    def with_docker_healthcheck(
        self,
        args: Sequence[str],
        *,
        shell: bool | None = None,
        interval: str | None = None,
        timeout: str | None = None,
        start_period: str | None = None,
        start_interval: str | None = None,
        retries: int | None = None,
    ) -> Container:
        return self._select(
            Container,
            "withDockerHealthcheck",
            ("args", args),
            ("shell", shell, None),
            ("interval", interval, None),
            ("timeout", timeout, None),
            ("startPeriod", start_period, None),
            ("startInterval", start_interval, None),
            ("retries", retries, None),
        )

    def with_entrypoint(
        self,
        args: Sequence[str],
        *,
        keep_default_args: bool | None = False,
    ) -> Container:
        return self._select(
            Container,
            "withEntrypoint",
            ("args", args),
            ("keepDefaultArgs", keep_default_args, False),
        )

    def with_env_file_variables(self, source: EnvFile) -> Container:
        return self._select(Container, "withEnvFileVariables", ("source", source))

    def with_env_variable(self, name: str, value: str, *, expand: bool | None = False) -> Container:
        return self._select(
            Container,
            "withEnvVariable",
            ("name", name),
            ("value", value),
            ("expand", expand, False),
        )

    def with_error(self, err: str) -> Container:
        return self._select(Container, "withError", ("err", err))

    def with_exec(
        self,
        args: Sequence[str],
        *,
        use_entrypoint: bool | None = False,
        stdin: str | None = "",
        redirect_stdin: str | None = "",
        redirect_stdout: str | None = "",
        redirect_stderr: str | None = "",
        expect: ReturnType | None = ReturnType.SUCCESS,
        experimental_privileged_nesting: bool | None = False,
        insecure_root_capabilities: bool | None = False,
        expand: bool | None = False,
        no_init: bool | None = False,
    ) -> Container:
        return self._select(
            Container,
            "withExec",
            ("args", args),
            ("useEntrypoint", use_entrypoint, False),
            ("stdin", stdin, ""),
            ("redirectStdin", redirect_stdin, ""),
            ("redirectStdout", redirect_stdout, ""),
            ("redirectStderr", redirect_stderr, ""),
            ("expect", expect, ReturnType.SUCCESS),
            ("experimentalPrivilegedNesting", experimental_privileged_nesting, False),
            ("insecureRootCapabilities", insecure_root_capabilities, False),
            ("expand", expand, False),
            ("noInit", no_init, False),
        )

    def with_exposed_port(
        self,
        port: int,
        *,
        protocol: NetworkProtocol | None = NetworkProtocol.TCP,
        description: str | None = None,
        experimental_skip_healthcheck: bool | None = False,
    ) -> Container:
        return self._select(
            Container,
            "withExposedPort",
            ("port", port),
            ("protocol", protocol, NetworkProtocol.TCP),
            ("description", description, None),
            ("experimentalSkipHealthcheck", experimental_skip_healthcheck, False),
        )

    def with_file(
        self,
        path: str,
        source: File,
        *,
        permissions: int | None = None,
        owner: str | None = "",
        inherit_owner: bool | None = False,
        expand: bool | None = False,
    ) -> Container:
        return self._select(
            Container,
            "withFile",
            ("path", path),
            ("source", source),
            ("permissions", permissions, None),
            ("owner", owner, ""),
            ("inheritOwner", inherit_owner, False),
            ("expand", expand, False),
        )

    def with_files(
        self,
        path: str,
        sources: Sequence[File],
        *,
        permissions: int | None = None,
        owner: str | None = "",
        inherit_owner: bool | None = False,
        expand: bool | None = False,
    ) -> Container:
        return self._select(
            Container,
            "withFiles",
            ("path", path),
            ("sources", sources),
            ("permissions", permissions, None),
            ("owner", owner, ""),
            ("inheritOwner", inherit_owner, False),
            ("expand", expand, False),
        )

    def with_label(self, name: str, value: str) -> Container:
        return self._select(Container, "withLabel", ("name", name), ("value", value))

    def with_mounted_cache(
        self,
        path: str,
        cache: CacheVolume,
        *,
        source: Directory | None = None,
        sharing: CacheSharingMode | None = CacheSharingMode.SHARED,
        owner: str | None = "",
        inherit_owner: bool | None = False,
        expand: bool | None = False,
    ) -> Container:
        return self._select(
            Container,
            "withMountedCache",
            ("path", path),
            ("cache", cache),
            ("source", source, None),
            ("sharing", sharing, CacheSharingMode.SHARED),
            ("owner", owner, ""),
            ("inheritOwner", inherit_owner, False),
            ("expand", expand, False),
        )

    def with_mounted_directory(
        self,
        path: str,
        source: Directory,
        *,
        owner: str | None = "",
        inherit_owner: bool | None = False,
        read_only: bool | None = False,
        expand: bool | None = False,
    ) -> Container:
        return self._select(
            Container,
            "withMountedDirectory",
            ("path", path),
            ("source", source),
            ("owner", owner, ""),
            ("inheritOwner", inherit_owner, False),
            ("readOnly", read_only, False),
            ("expand", expand, False),
        )

    def with_mounted_file(
        self,
        path: str,
        source: File,
        *,
        owner: str | None = "",
        inherit_owner: bool | None = False,
        expand: bool | None = False,
    ) -> Container:
        return self._select(
            Container,
            "withMountedFile",
            ("path", path),
            ("source", source),
            ("owner", owner, ""),
            ("inheritOwner", inherit_owner, False),
            ("expand", expand, False),
        )

    def with_mounted_secret(
        self,
        path: str,
        source: Secret,
        *,
        owner: str | None = "",
        inherit_owner: bool | None = False,
        mode: int | None = 256,
        expand: bool | None = False,
    ) -> Container:
        return self._select(
            Container,
            "withMountedSecret",
            ("path", path),
            ("source", source),
            ("owner", owner, ""),
            ("inheritOwner", inherit_owner, False),
            ("mode", mode, 256),
            ("expand", expand, False),
        )

    def with_mounted_temp(
        self,
        path: str,
        *,
        size: int | None = None,
        expand: bool | None = False,
    ) -> Container:
        return self._select(
            Container,
            "withMountedTemp",
            ("path", path),
            ("size", size, None),
            ("expand", expand, False),
        )

    def with_mounted_volume(
        self,
        path: str,
        volume: Volume,
        *,
        read_only: bool | None = False,
        expand: bool | None = False,
    ) -> Container:
        return self._select(
            Container,
            "withMountedVolume",
            ("path", path),
            ("volume", volume),
            ("readOnly", read_only, False),
            ("expand", expand, False),
        )

    def with_new_file(
        self,
        path: str,
        contents: str,
        *,
        permissions: int | None = 420,
        owner: str | None = "",
        inherit_owner: bool | None = False,
        expand: bool | None = False,
    ) -> Container:
        return self._select(
            Container,
            "withNewFile",
            ("path", path),
            ("contents", contents),
            ("permissions", permissions, 420),
            ("owner", owner, ""),
            ("inheritOwner", inherit_owner, False),
            ("expand", expand, False),
        )

    def with_registry_auth(self, address: str, username: str, secret: Secret) -> Container:
        return self._select(
            Container,
            "withRegistryAuth",
            ("address", address),
            ("username", username),
            ("secret", secret),
        )

    def with_rootfs(self, directory: Directory) -> Container:
        return self._select(Container, "withRootfs", ("directory", directory))

    def with_secret_variable(self, name: str, secret: Secret) -> Container:
        return self._select(Container, "withSecretVariable", ("name", name), ("secret", secret))

    def with_service_binding(self, alias: str, service: Service) -> Container:
        return self._select(Container, "withServiceBinding", ("alias", alias), ("service", service))

    def with_symlink(
        self,
        target: str,
        link_name: str,
        *,
        expand: bool | None = False,
    ) -> Container:
        return self._select(
            Container,
            "withSymlink",
            ("target", target),
            ("linkName", link_name),
            ("expand", expand, False),
        )

    def with_unix_socket(
        self,
        path: str,
        source: Socket,
        *,
        owner: str | None = "",
        inherit_owner: bool | None = False,
        expand: bool | None = False,
    ) -> Container:
        return self._select(
            Container,
            "withUnixSocket",
            ("path", path),
            ("source", source),
            ("owner", owner, ""),
            ("inheritOwner", inherit_owner, False),
            ("expand", expand, False),
        )

    def with_user(self, name: str) -> Container:
        return self._select(Container, "withUser", ("name", name))

    def with_volatile_variable(self, name: str, value: str) -> Container:
        return self._select(Container, "withVolatileVariable", ("name", name), ("value", value))

    def with_workdir(self, path: str, *, expand: bool | None = False) -> Container:
        return self._select(Container, "withWorkdir", ("path", path), ("expand", expand, False))

    def without_annotation(self, name: str) -> Container:
        return self._select(Container, "withoutAnnotation", ("name", name))

    def without_default_args(self) -> Container:
        return self._select(Container, "withoutDefaultArgs")

    def without_directory(self, path: str, *, expand: bool | None = False) -> Container:
        return self._select(
            Container,
            "withoutDirectory",
            ("path", path),
            ("expand", expand, False),
        )

    def without_docker_healthcheck(self) -> Container:
        return self._select(Container, "withoutDockerHealthcheck")

    def without_entrypoint(self, *, keep_default_args: bool | None = False) -> Container:
        return self._select(
            Container,
            "withoutEntrypoint",
            ("keepDefaultArgs", keep_default_args, False),
        )

    def without_env_variable(self, name: str) -> Container:
        return self._select(Container, "withoutEnvVariable", ("name", name))

    def without_exposed_port(
        self,
        port: int,
        *,
        protocol: NetworkProtocol | None = NetworkProtocol.TCP,
    ) -> Container:
        return self._select(
            Container,
            "withoutExposedPort",
            ("port", port),
            ("protocol", protocol, NetworkProtocol.TCP),
        )

    def without_file(self, path: str, *, expand: bool | None = False) -> Container:
        return self._select(Container, "withoutFile", ("path", path), ("expand", expand, False))

    def without_files(self, paths: Sequence[str], *, expand: bool | None = False) -> Container:
        return self._select(Container, "withoutFiles", ("paths", paths), ("expand", expand, False))

    def without_label(self, name: str) -> Container:
        return self._select(Container, "withoutLabel", ("name", name))

    def without_mount(self, path: str, *, expand: bool | None = False) -> Container:
        return self._select(Container, "withoutMount", ("path", path), ("expand", expand, False))

    def without_registry_auth(self, address: str) -> Container:
        return self._select(Container, "withoutRegistryAuth", ("address", address))

    def without_secret_variable(self, name: str) -> Container:
        return self._select(Container, "withoutSecretVariable", ("name", name))

    def without_unix_socket(self, path: str, *, expand: bool | None = False) -> Container:
        return self._select(
            Container,
            "withoutUnixSocket",
            ("path", path),
            ("expand", expand, False),
        )

    def without_user(self) -> Container:
        return self._select(Container, "withoutUser")

    def without_volatile_variable(self, name: str) -> Container:
        return self._select(Container, "withoutVolatileVariable", ("name", name))

    def without_workdir(self) -> Container:
        return self._select(Container, "withoutWorkdir")

    async def workdir(self) -> str:
        return await self._value(None, "workdir")

    def __await__(self) -> Generator[Any, None, Container]:
        return self.sync().__await__()

    def with_(self, cb: Callable[[Container], Container]) -> Container:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class CurrentModule(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "CurrentModule"

    async def dependencies(self) -> list[Module]:
        return await self._objects(Module, "dependencies")

    def generated_context_directory(self) -> Directory:
        return self._select(Directory, "generatedContextDirectory")

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def name(self) -> str:
        return await self._value(None, "name")

    def source(self) -> Directory:
        return self._select(Directory, "source")

    def workdir(
        self,
        path: str,
        *,
        exclude: Sequence[str] | None = None,
        include: Sequence[str] | None = None,
        gitignore: bool | None = False,
    ) -> Directory:
        return self._select(
            Directory,
            "workdir",
            ("path", path),
            ("exclude", exclude, None),
            ("include", include, None),
            ("gitignore", gitignore, False),
        )

    def workdir_file(self, path: str) -> File:
        return self._select(File, "workdirFile", ("path", path))

    def with_(self, cb: Callable[[CurrentModule], CurrentModule]) -> CurrentModule:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class DiffStat(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "DiffStat"

    async def added_lines(self) -> int:
        return await self._value(None, "addedLines")

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def kind(self) -> DiffStatKind:
        return await self._value(DiffStatKind, "kind")

    async def old_path(self) -> str | None:
        return await self._value(None, "oldPath")

    async def path(self) -> str:
        return await self._value(None, "path")

    async def removed_lines(self) -> int:
        return await self._value(None, "removedLines")

    def with_(self, cb: Callable[[DiffStat], DiffStat]) -> DiffStat:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Directory(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "Directory"

    def as_git(self) -> GitRepository:
        return self._select(GitRepository, "asGit")

    def as_module(self, *, source_root_path: str | None = ".") -> Module:
        return self._select(Module, "asModule", ("sourceRootPath", source_root_path, "."))

    def as_module_source(self, *, source_root_path: str | None = ".") -> ModuleSource:
        return self._select(
            ModuleSource,
            "asModuleSource",
            ("sourceRootPath", source_root_path, "."),
        )

    def changes(self, from_: Directory) -> Changeset:
        return self._select(Changeset, "changes", ("from", from_))

    def chown(self, path: str, owner: str) -> Directory:
        return self._select(Directory, "chown", ("path", path), ("owner", owner))

    def diff(self, other: Directory) -> Directory:
        return self._select(Directory, "diff", ("other", other))

    async def digest(self) -> str:
        return await self._value(None, "digest")

    def directory(self, path: str) -> Directory:
        return self._select(Directory, "directory", ("path", path))

    def docker_build(
        self,
        *,
        dockerfile: str | None = "Dockerfile",
        platform: Platform | None = None,
        build_args: Sequence[BuildArg] | None = None,
        target: str | None = "",
        secrets: Sequence[Secret] | None = None,
        no_init: bool | None = False,
        ssh: Socket | None = None,
    ) -> Container:
        return self._select(
            Container,
            "dockerBuild",
            ("dockerfile", dockerfile, "Dockerfile"),
            ("platform", platform, None),
            ("buildArgs", build_args, None),
            ("target", target, ""),
            ("secrets", secrets, None),
            ("noInit", no_init, False),
            ("ssh", ssh, None),
        )

    async def entries(self, *, path: str | None = None) -> list[str]:
        return await self._value(None, "entries", ("path", path, None))

    async def exists(
        self,
        path: str,
        *,
        expected_type: ExistsType | None = None,
        do_not_follow_symlinks: bool | None = False,
    ) -> bool:
        return await self._value(
            None,
            "exists",
            ("path", path),
            ("expectedType", expected_type, None),
            ("doNotFollowSymlinks", do_not_follow_symlinks, False),
        )

    async def export(self, path: str, *, wipe: bool | None = False) -> str:
        return await self._value(None, "export", ("path", path), ("wipe", wipe, False))

    def file(self, path: str) -> File:
        return self._select(File, "file", ("path", path))

    def filter(
        self,
        *,
        exclude: Sequence[str] | None = None,
        include: Sequence[str] | None = None,
        gitignore: bool | None = False,
    ) -> Directory:
        return self._select(
            Directory,
            "filter",
            ("exclude", exclude, None),
            ("include", include, None),
            ("gitignore", gitignore, False),
        )

    async def find_up(self, name: str, start: str) -> str | None:
        return await self._value(None, "findUp", ("name", name), ("start", start))

    async def glob(self, pattern: str) -> list[str]:
        return await self._value(None, "glob", ("pattern", pattern))

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def name(self) -> str:
        return await self._value(None, "name")

    async def search(
        self,
        pattern: str,
        *,
        paths: Sequence[str] | None = None,
        globs: Sequence[str] | None = None,
        literal: bool | None = False,
        multiline: bool | None = False,
        dotall: bool | None = False,
        insensitive: bool | None = False,
        skip_ignored: bool | None = False,
        skip_hidden: bool | None = False,
        files_only: bool | None = False,
        limit: int | None = None,
    ) -> list[SearchResult]:
        return await self._objects(
            SearchResult,
            "search",
            ("paths", paths, None),
            ("globs", globs, None),
            ("pattern", pattern),
            ("literal", literal, False),
            ("multiline", multiline, False),
            ("dotall", dotall, False),
            ("insensitive", insensitive, False),
            ("skipIgnored", skip_ignored, False),
            ("skipHidden", skip_hidden, False),
            ("filesOnly", files_only, False),
            ("limit", limit, None),
        )

    def stat(self, path: str, *, do_not_follow_symlinks: bool | None = False) -> Stat:
        return self._select(
            Stat,
            "stat",
            ("path", path),
            ("doNotFollowSymlinks", do_not_follow_symlinks, False),
        )

    async def sync(self) -> Directory:
        return await self._same("sync")

    def terminal(
        self,
        *,
        container: Container | None = None,
        cmd: Sequence[str] | None = None,
        experimental_privileged_nesting: bool | None = False,
        insecure_root_capabilities: bool | None = False,
    ) -> Directory:
        return self._select(
            Directory,
            "terminal",
            ("container", container, None),
            ("cmd", cmd, None),
            ("experimentalPrivilegedNesting", experimental_privileged_nesting, False),
            ("insecureRootCapabilities", insecure_root_capabilities, False),
        )

    def with_changes(self, changes: Changeset) -> Directory:
        return self._select(Directory, "withChanges", ("changes", changes))

    def with_directory(
        self,
        path: str,
        source: Directory,
        *,
        exclude: Sequence[str] | None = None,
        include: Sequence[str] | None = None,
        gitignore: bool | None = False,
        owner: str | None = "",
        permissions: int | None = None,
    ) -> Directory:
        return self._select(
            Directory,
            "withDirectory",
            ("path", path),
            ("source", source),
            ("exclude", exclude, None),
            ("include", include, None),
            ("gitignore", gitignore, False),
            ("owner", owner, ""),
            ("permissions", permissions, None),
        )

    def with_error(self, err: str) -> Directory:
        return self._select(Directory, "withError", ("err", err))

    def with_file(
        self,
        path: str,
        source: File,
        *,
        permissions: int | None = None,
        owner: str | None = "",
    ) -> Directory:
        return self._select(
            Directory,
            "withFile",
            ("path", path),
            ("source", source),
            ("permissions", permissions, None),
            ("owner", owner, ""),
        )

    def with_files(
        self,
        path: str,
        sources: Sequence[File],
        *,
        permissions: int | None = None,
    ) -> Directory:
        return self._select(
            Directory,
            "withFiles",
            ("path", path),
            ("sources", sources),
            ("permissions", permissions, None),
        )

    def with_new_directory(self, path: str, *, permissions: int | None = 420) -> Directory:
        return self._select(
            Directory,
            "withNewDirectory",
            ("path", path),
            ("permissions", permissions, 420),
        )

    def with_new_file(
        self,
        path: str,
        contents: str,
        *,
        permissions: int | None = 420,
    ) -> Directory:
        return self._select(
            Directory,
            "withNewFile",
            ("path", path),
            ("contents", contents),
            ("permissions", permissions, 420),
        )

    def with_patch(
        self,
        patch: str,
        *,
        on_conflict: PatchConflict | None = PatchConflict.FAIL,
    ) -> Directory:
        return self._select(
            Directory,
            "withPatch",
            ("patch", patch),
            ("onConflict", on_conflict, PatchConflict.FAIL),
        )

    def with_patch_file(
        self,
        patch: File,
        *,
        on_conflict: PatchConflict | None = PatchConflict.FAIL,
    ) -> Directory:
        return self._select(
            Directory,
            "withPatchFile",
            ("patch", patch),
            ("onConflict", on_conflict, PatchConflict.FAIL),
        )

    def with_symlink(self, target: str, link_name: str) -> Directory:
        return self._select(Directory, "withSymlink", ("target", target), ("linkName", link_name))

    def with_timestamps(self, timestamp: int) -> Directory:
        return self._select(Directory, "withTimestamps", ("timestamp", timestamp))

    def without_directory(self, path: str) -> Directory:
        return self._select(Directory, "withoutDirectory", ("path", path))

    def without_file(self, path: str) -> Directory:
        return self._select(Directory, "withoutFile", ("path", path))

    def without_files(self, paths: Sequence[str]) -> Directory:
        return self._select(Directory, "withoutFiles", ("paths", paths))

    def __await__(self) -> Generator[Any, None, Directory]:
        return self.sync().__await__()

    def with_(self, cb: Callable[[Directory], Directory]) -> Directory:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class EnumTypeDef(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "EnumTypeDef"

    async def description(self) -> str:
        return await self._value(None, "description")

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def members(self) -> list[EnumValueTypeDef]:
        return await self._objects(EnumValueTypeDef, "members")

    async def name(self) -> str:
        return await self._value(None, "name")

    def source_map(self) -> SourceMap:
        return self._select(SourceMap, "sourceMap")

    async def source_module_name(self) -> str:
        return await self._value(None, "sourceModuleName")

    async def values(self) -> list[EnumValueTypeDef]:
        return await self._objects(EnumValueTypeDef, "values")

    def with_(self, cb: Callable[[EnumTypeDef], EnumTypeDef]) -> EnumTypeDef:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class EnumValueTypeDef(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "EnumValueTypeDef"

    async def deprecated(self) -> str | None:
        return await self._value(None, "deprecated")

    async def description(self) -> str:
        return await self._value(None, "description")

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def name(self) -> str:
        return await self._value(None, "name")

    def source_map(self) -> SourceMap:
        return self._select(SourceMap, "sourceMap")

    async def value(self) -> str:
        return await self._value(None, "value")

    def with_(self, cb: Callable[[EnumValueTypeDef], EnumValueTypeDef]) -> EnumValueTypeDef:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class EnvFile(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "EnvFile"

    def as_file(self) -> File:
        return self._select(File, "asFile")

    async def exists(self, name: str) -> bool:
        return await self._value(None, "exists", ("name", name))

    async def get(self, name: str, *, raw: bool | None = None) -> str:
        return await self._value(None, "get", ("name", name), ("raw", raw, None))

    async def id(self) -> ID:
        return ID(await self._get_id())

    def namespace(self, prefix: str) -> EnvFile:
        return self._select(EnvFile, "namespace", ("prefix", prefix))

    async def variables(self, *, raw: bool | None = None) -> list[EnvVariable]:
        return await self._objects(EnvVariable, "variables", ("raw", raw, None))

    def with_variable(self, name: str, value: str) -> EnvFile:
        return self._select(EnvFile, "withVariable", ("name", name), ("value", value))

    def without_variable(self, name: str) -> EnvFile:
        return self._select(EnvFile, "withoutVariable", ("name", name))

    def with_(self, cb: Callable[[EnvFile], EnvFile]) -> EnvFile:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class EnvVariable(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "EnvVariable"

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def name(self) -> str:
        return await self._value(None, "name")

    async def value(self) -> str:
        return await self._value(None, "value")

    def with_(self, cb: Callable[[EnvVariable], EnvVariable]) -> EnvVariable:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Error(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "Error"

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def message(self) -> str:
        return await self._value(None, "message")

    async def values(self) -> list[ErrorValue]:
        return await self._objects(ErrorValue, "values")

    def with_value(self, name: str, value: JSON) -> Error:
        return self._select(Error, "withValue", ("name", name), ("value", value))

    def with_(self, cb: Callable[[Error], Error]) -> Error:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class ErrorValue(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "ErrorValue"

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def name(self) -> str:
        return await self._value(None, "name")

    async def value(self) -> JSON:
        return await self._value(JSON, "value")

    def with_(self, cb: Callable[[ErrorValue], ErrorValue]) -> ErrorValue:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class FieldTypeDef(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "FieldTypeDef"

    async def deprecated(self) -> str | None:
        return await self._value(None, "deprecated")

    async def description(self) -> str:
        return await self._value(None, "description")

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def name(self) -> str:
        return await self._value(None, "name")

    def source_map(self) -> SourceMap:
        return self._select(SourceMap, "sourceMap")

    def type_def(self) -> TypeDef:
        return self._select(TypeDef, "typeDef")

    def with_(self, cb: Callable[[FieldTypeDef], FieldTypeDef]) -> FieldTypeDef:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class File(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "File"

    def as_env_file(self, *, expand: bool | None = None) -> EnvFile:
        return self._select(EnvFile, "asEnvFile", ("expand", expand, None))

    def as_json(self) -> JSONValue:
        return self._select(JSONValue, "asJSON")

    def chown(self, owner: str) -> File:
        return self._select(File, "chown", ("owner", owner))

    async def contents(
        self,
        *,
        offset_lines: int | None = None,
        limit_lines: int | None = None,
    ) -> str:
        return await self._value(
            None,
            "contents",
            ("offsetLines", offset_lines, None),
            ("limitLines", limit_lines, None),
        )

    async def digest(self, *, exclude_metadata: bool | None = False) -> str:
        return await self._value(None, "digest", ("excludeMetadata", exclude_metadata, False))

    async def export(self, path: str, *, allow_parent_dir_path: bool | None = False) -> str:
        return await self._value(
            None,
            "export",
            ("path", path),
            ("allowParentDirPath", allow_parent_dir_path, False),
        )

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def name(self) -> str:
        return await self._value(None, "name")

    async def search(
        self,
        pattern: str,
        *,
        literal: bool | None = False,
        multiline: bool | None = False,
        dotall: bool | None = False,
        insensitive: bool | None = False,
        skip_ignored: bool | None = False,
        skip_hidden: bool | None = False,
        files_only: bool | None = False,
        limit: int | None = None,
        paths: Sequence[str] | None = None,
        globs: Sequence[str] | None = None,
    ) -> list[SearchResult]:
        return await self._objects(
            SearchResult,
            "search",
            ("pattern", pattern),
            ("literal", literal, False),
            ("multiline", multiline, False),
            ("dotall", dotall, False),
            ("insensitive", insensitive, False),
            ("skipIgnored", skip_ignored, False),
            ("skipHidden", skip_hidden, False),
            ("filesOnly", files_only, False),
            ("limit", limit, None),
            ("paths", paths, None),
            ("globs", globs, None),
        )

    async def size(self) -> int:
        return await self._value(None, "size")

    def stat(self) -> Stat:
        return self._select(Stat, "stat")

    async def sync(self) -> File:
        return await self._same("sync")

    def with_name(self, name: str) -> File:
        return self._select(File, "withName", ("name", name))

    def with_replaced(
        self,
        search: str,
        replacement: str,
        *,
        all: bool | None = False,
        first_from: int | None = None,
    ) -> File:
        return self._select(
            File,
            "withReplaced",
            ("search", search),
            ("replacement", replacement),
            ("all", all, False),
            ("firstFrom", first_from, None),
        )

    def with_timestamps(self, timestamp: int) -> File:
        return self._select(File, "withTimestamps", ("timestamp", timestamp))

    def __await__(self) -> Generator[Any, None, File]:
        return self.sync().__await__()

    def with_(self, cb: Callable[[File], File]) -> File:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Function(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "Function"

    async def args(self) -> list[FunctionArg]:
        return await self._objects(FunctionArg, "args")

    async def deprecated(self) -> str | None:
        return await self._value(None, "deprecated")

    async def description(self) -> str:
        return await self._value(None, "description")

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def name(self) -> str:
        return await self._value(None, "name")

    def return_type(self) -> TypeDef:
        return self._select(TypeDef, "returnType")

    def source_map(self) -> SourceMap:
        return self._select(SourceMap, "sourceMap")

    async def source_module_name(self) -> str:
        return await self._value(None, "sourceModuleName")

    def with_agent(self) -> Function:
        return self._select(Function, "withAgent")

    def with_arg(
        self,
        name: str,
        type_def: TypeDef,
        *,
        description: str | None = "",
        default_value: JSON | None = None,
        default_path: str | None = "",
        ignore: Sequence[str] | None = None,
        source_map: SourceMap | None = None,
        deprecated: str | None = None,
        default_address: str | None = "",
    ) -> Function:
        return self._select(
            Function,
            "withArg",
            ("name", name),
            ("typeDef", type_def),
            ("description", description, ""),
            ("defaultValue", default_value, None),
            ("defaultPath", default_path, ""),
            ("ignore", ignore, None),
            ("sourceMap", source_map, None),
            ("deprecated", deprecated, None),
            ("defaultAddress", default_address, ""),
        )

    def with_cache_policy(
        self,
        policy: FunctionCachePolicy,
        *,
        time_to_live: str | None = None,
    ) -> Function:
        return self._select(
            Function,
            "withCachePolicy",
            ("policy", policy),
            ("timeToLive", time_to_live, None),
        )

    def with_check(self) -> Function:
        return self._select(Function, "withCheck")

    def with_deprecated(self, *, reason: str | None = None) -> Function:
        return self._select(Function, "withDeprecated", ("reason", reason, None))

    def with_description(self, description: str) -> Function:
        return self._select(Function, "withDescription", ("description", description))

    def with_generator(self) -> Function:
        return self._select(Function, "withGenerator")

    def with_source_map(self, source_map: SourceMap) -> Function:
        return self._select(Function, "withSourceMap", ("sourceMap", source_map))

    def with_up(self) -> Function:
        return self._select(Function, "withUp")

    def with_(self, cb: Callable[[Function], Function]) -> Function:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class FunctionArg(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "FunctionArg"

    async def default_address(self) -> str:
        return await self._value(None, "defaultAddress")

    async def default_path(self) -> str:
        return await self._value(None, "defaultPath")

    async def default_value(self) -> JSON:
        return await self._value(JSON, "defaultValue")

    async def deprecated(self) -> str | None:
        return await self._value(None, "deprecated")

    async def description(self) -> str:
        return await self._value(None, "description")

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def ignore(self) -> list[str]:
        return await self._value(None, "ignore")

    async def name(self) -> str:
        return await self._value(None, "name")

    def source_map(self) -> SourceMap:
        return self._select(SourceMap, "sourceMap")

    def type_def(self) -> TypeDef:
        return self._select(TypeDef, "typeDef")

    def with_(self, cb: Callable[[FunctionArg], FunctionArg]) -> FunctionArg:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class FunctionCall(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "FunctionCall"

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def input_args(self) -> list[FunctionCallArgValue]:
        return await self._objects(FunctionCallArgValue, "inputArgs")

    async def name(self) -> str:
        return await self._value(None, "name")

    async def parent(self) -> JSON:
        return await self._value(JSON, "parent")

    async def parent_name(self) -> str:
        return await self._value(None, "parentName")

    async def return_error(self, error: Error) -> None:
        await self._value(None, "returnError", ("error", error))

    async def return_value(self, value: JSON) -> None:
        await self._value(None, "returnValue", ("value", value))

    def with_(self, cb: Callable[[FunctionCall], FunctionCall]) -> FunctionCall:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class FunctionCallArgValue(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "FunctionCallArgValue"

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def name(self) -> str:
        return await self._value(None, "name")

    async def value(self) -> JSON:
        return await self._value(JSON, "value")

    def with_(
        self, cb: Callable[[FunctionCallArgValue], FunctionCallArgValue]
    ) -> FunctionCallArgValue:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class GeneratedCode(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "GeneratedCode"

    def code(self) -> Directory:
        return self._select(Directory, "code")

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def vcs_generated_paths(self) -> list[str]:
        return await self._value(None, "vcsGeneratedPaths")

    async def vcs_ignored_paths(self) -> list[str]:
        return await self._value(None, "vcsIgnoredPaths")

    def with_vcs_generated_paths(self, paths: Sequence[str]) -> GeneratedCode:
        return self._select(GeneratedCode, "withVCSGeneratedPaths", ("paths", paths))

    def with_vcs_ignored_paths(self, paths: Sequence[str]) -> GeneratedCode:
        return self._select(GeneratedCode, "withVCSIgnoredPaths", ("paths", paths))

    def with_(self, cb: Callable[[GeneratedCode], GeneratedCode]) -> GeneratedCode:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class GitCommit(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "GitCommit"

    def ancestor_release_tag(self, *, include_pre_release: bool | None = False) -> GitRef:
        return self._select(
            GitRef,
            "ancestorReleaseTag",
            ("includePreRelease", include_pre_release, False),
        )

    async def author_email(self) -> str:
        return await self._value(None, "authorEmail")

    async def author_name(self) -> str:
        return await self._value(None, "authorName")

    async def authored_date(self) -> str:
        return await self._value(None, "authoredDate")

    async def committed_date(self) -> str:
        return await self._value(None, "committedDate")

    async def committer_email(self) -> str:
        return await self._value(None, "committerEmail")

    async def committer_name(self) -> str:
        return await self._value(None, "committerName")

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def message(self) -> str:
        return await self._value(None, "message")

    async def message_body(self) -> str:
        return await self._value(None, "messageBody")

    async def message_headline(self) -> str:
        return await self._value(None, "messageHeadline")

    async def parent_shas(self) -> list[str]:
        return await self._value(None, "parentShas")

    def release_tag(self, *, include_pre_release: bool | None = False) -> GitRef:
        return self._select(GitRef, "releaseTag", ("includePreRelease", include_pre_release, False))

    async def sha(self) -> str:
        return await self._value(None, "sha")

    async def short_sha(self) -> str:
        return await self._value(None, "shortSha")

    def tree(
        self,
        *,
        discard_git_dir: bool | None = False,
        depth: int | None = 1,
        include_tags: bool | None = False,
    ) -> Directory:
        return self._select(
            Directory,
            "tree",
            ("discardGitDir", discard_git_dir, False),
            ("depth", depth, 1),
            ("includeTags", include_tags, False),
        )

    def with_(self, cb: Callable[[GitCommit], GitCommit]) -> GitCommit:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class GitRef(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "GitRef"

    async def commit(self) -> str:
        return await self._value(None, "commit")

    async def commit_sha(self) -> str:
        return await self._value(None, "commitSHA")

    def common_ancestor(self, other: GitRef) -> GitRef:
        return self._select(GitRef, "commonAncestor", ("other", other))

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def log(
        self,
        *,
        limit: int | None = 10,
        paths: Sequence[str] | None = None,
        base: GitRef | None = None,
    ) -> list[GitCommit]:
        return await self._objects(
            GitCommit,
            "log",
            ("limit", limit, 10),
            ("paths", paths, None),
            ("base", base, None),
        )

    async def name(self) -> str:
        return await self._value(None, "name")

    async def ref(self) -> str:
        return await self._value(None, "ref")

    def target_commit(self) -> GitCommit:
        return self._select(GitCommit, "targetCommit")

    def tree(
        self,
        *,
        discard_git_dir: bool | None = False,
        depth: int | None = 1,
        include_tags: bool | None = False,
    ) -> Directory:
        return self._select(
            Directory,
            "tree",
            ("discardGitDir", discard_git_dir, False),
            ("depth", depth, 1),
            ("includeTags", include_tags, False),
        )

    def with_(self, cb: Callable[[GitRef], GitRef]) -> GitRef:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class GitRepository(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "GitRepository"

    def branch(self, name: str) -> GitRef:
        return self._select(GitRef, "branch", ("name", name))

    async def branches(self, *, patterns: Sequence[str] | None = None) -> list[str]:
        return await self._value(None, "branches", ("patterns", patterns, None))

    def commit(self, id: str) -> GitCommit:
        return self._select(GitCommit, "commit", ("id", id))

    def head(self) -> GitRef:
        return self._select(GitRef, "head")

    async def id(self) -> ID:
        return ID(await self._get_id())

    def latest_version(self) -> GitRef:
        return self._select(GitRef, "latestVersion")

    def ref(self, name: str) -> GitRef:
        return self._select(GitRef, "ref", ("name", name))

    def tag(self, name: str) -> GitRef:
        return self._select(GitRef, "tag", ("name", name))

    async def tags(self, *, patterns: Sequence[str] | None = None) -> list[str]:
        return await self._value(None, "tags", ("patterns", patterns, None))

    def uncommitted(self) -> Changeset:
        return self._select(Changeset, "uncommitted")

    async def url(self) -> str | None:
        return await self._value(None, "url")

    def with_(self, cb: Callable[[GitRepository], GitRepository]) -> GitRepository:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class HealthcheckConfig(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "HealthcheckConfig"

    async def args(self) -> list[str]:
        return await self._value(None, "args")

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def interval(self) -> str:
        return await self._value(None, "interval")

    async def retries(self) -> int:
        return await self._value(None, "retries")

    async def shell(self) -> bool:
        return await self._value(None, "shell")

    async def start_interval(self) -> str:
        return await self._value(None, "startInterval")

    async def start_period(self) -> str:
        return await self._value(None, "startPeriod")

    async def timeout(self) -> str:
        return await self._value(None, "timeout")

    def with_(self, cb: Callable[[HealthcheckConfig], HealthcheckConfig]) -> HealthcheckConfig:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Host(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "Host"

    def container_image(self, name: str) -> Container:
        return self._select(Container, "containerImage", ("name", name))

    def directory(
        self,
        path: str,
        *,
        exclude: Sequence[str] | None = None,
        include: Sequence[str] | None = None,
        no_cache: bool | None = False,
        gitignore: bool | None = False,
    ) -> Directory:
        return self._select(
            Directory,
            "directory",
            ("path", path),
            ("exclude", exclude, None),
            ("include", include, None),
            ("noCache", no_cache, False),
            ("gitignore", gitignore, False),
        )

    def file(self, path: str, *, no_cache: bool | None = False) -> File:
        return self._select(File, "file", ("path", path), ("noCache", no_cache, False))

    async def find_up(self, name: str, *, no_cache: bool | None = False) -> str | None:
        return await self._value(None, "findUp", ("name", name), ("noCache", no_cache, False))

    async def id(self) -> ID:
        return ID(await self._get_id())

    def service(self, ports: Sequence[PortForward], *, host: str | None = "localhost") -> Service:
        return self._select(Service, "service", ("ports", ports), ("host", host, "localhost"))

    def tunnel(
        self,
        service: Service,
        *,
        native: bool | None = False,
        ports: Sequence[PortForward] | None = None,
    ) -> Service:
        return self._select(
            Service,
            "tunnel",
            ("service", service),
            ("native", native, False),
            ("ports", ports, None),
        )

    def unix_socket(self, path: str) -> Socket:
        return self._select(Socket, "unixSocket", ("path", path))

    def with_(self, cb: Callable[[Host], Host]) -> Host:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class InputTypeDef(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "InputTypeDef"

    async def fields(self) -> list[FieldTypeDef]:
        return await self._objects(FieldTypeDef, "fields")

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def name(self) -> str:
        return await self._value(None, "name")

    def with_(self, cb: Callable[[InputTypeDef], InputTypeDef]) -> InputTypeDef:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class InterfaceTypeDef(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "InterfaceTypeDef"

    async def description(self) -> str:
        return await self._value(None, "description")

    async def functions(self) -> list[Function]:
        return await self._objects(Function, "functions")

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def name(self) -> str:
        return await self._value(None, "name")

    def source_map(self) -> SourceMap:
        return self._select(SourceMap, "sourceMap")

    async def source_module_name(self) -> str:
        return await self._value(None, "sourceModuleName")

    def with_(self, cb: Callable[[InterfaceTypeDef], InterfaceTypeDef]) -> InterfaceTypeDef:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class JSONValue(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "JSONValue"

    async def as_array(self) -> list[JSONValue]:
        return await self._objects(JSONValue, "asArray")

    async def as_boolean(self) -> bool:
        return await self._value(None, "asBoolean")

    async def as_integer(self) -> int:
        return await self._value(None, "asInteger")

    async def as_string(self) -> str:
        return await self._value(None, "asString")

    async def contents(self, *, pretty: bool | None = False, indent: str | None = "  ") -> JSON:
        return await self._value(
            JSON,
            "contents",
            ("pretty", pretty, False),
            ("indent", indent, "  "),
        )

    def field(self, path: Sequence[str]) -> JSONValue:
        return self._select(JSONValue, "field", ("path", path))

    async def fields(self) -> list[str]:
        return await self._value(None, "fields")

    async def id(self) -> ID:
        return ID(await self._get_id())

    def new_boolean(self, value: bool) -> JSONValue:
        return self._select(JSONValue, "newBoolean", ("value", value))

    def new_integer(self, value: int) -> JSONValue:
        return self._select(JSONValue, "newInteger", ("value", value))

    def new_string(self, value: str) -> JSONValue:
        return self._select(JSONValue, "newString", ("value", value))

    def with_contents(self, contents: JSON) -> JSONValue:
        return self._select(JSONValue, "withContents", ("contents", contents))

    def with_field(self, path: Sequence[str], value: JSONValue) -> JSONValue:
        return self._select(JSONValue, "withField", ("path", path), ("value", value))

    def with_(self, cb: Callable[[JSONValue], JSONValue]) -> JSONValue:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Label(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "Label"

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def name(self) -> str:
        return await self._value(None, "name")

    async def value(self) -> str:
        return await self._value(None, "value")

    def with_(self, cb: Callable[[Label], Label]) -> Label:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class ListTypeDef(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "ListTypeDef"

    def element_type_def(self) -> TypeDef:
        return self._select(TypeDef, "elementTypeDef")

    async def id(self) -> ID:
        return ID(await self._get_id())

    def with_(self, cb: Callable[[ListTypeDef], ListTypeDef]) -> ListTypeDef:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Module(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "Module"

    async def dependencies(self) -> list[Module]:
        return await self._objects(Module, "dependencies")

    async def description(self) -> str:
        return await self._value(None, "description")

    async def enums(self) -> list[TypeDef]:
        return await self._objects(TypeDef, "enums")

    def generated_context_directory(self) -> Directory:
        return self._select(Directory, "generatedContextDirectory")

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def interfaces(self) -> list[TypeDef]:
        return await self._objects(TypeDef, "interfaces")

    def introspection_schema_json(self) -> File:
        return self._select(File, "introspectionSchemaJSON")

    async def name(self) -> str:
        return await self._value(None, "name")

    async def objects(self) -> list[TypeDef]:
        return await self._objects(TypeDef, "objects")

    def runtime(self) -> Container:
        return self._select(Container, "runtime")

    async def serve(
        self,
        *,
        include_dependencies: bool | None = None,
        entrypoint: bool | None = None,
    ) -> None:
        await self._value(
            None,
            "serve",
            ("includeDependencies", include_dependencies, None),
            ("entrypoint", entrypoint, None),
        )

    def source(self) -> ModuleSource:
        return self._select(ModuleSource, "source")

    async def sync(self) -> Module:
        return await self._same("sync")

    def user_defaults(self) -> EnvFile:
        return self._select(EnvFile, "userDefaults")

    def with_description(self, description: str) -> Module:
        return self._select(Module, "withDescription", ("description", description))

    def with_enum(self, enum: TypeDef) -> Module:
        return self._select(Module, "withEnum", ("enum", enum))

    def with_interface(self, iface: TypeDef) -> Module:
        return self._select(Module, "withInterface", ("iface", iface))

    def with_object(self, object: TypeDef) -> Module:
        return self._select(Module, "withObject", ("object", object))

    def __await__(self) -> Generator[Any, None, Module]:
        return self.sync().__await__()

    def with_(self, cb: Callable[[Module], Module]) -> Module:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class ModuleSource(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "ModuleSource"

    def as_module(self) -> Module:
        return self._select(Module, "asModule")

    async def as_string(self) -> str:
        return await self._value(None, "asString")

    def blueprint(self) -> ModuleSource:
        return self._select(ModuleSource, "blueprint")

    def client_schema_introspection_json(self) -> File:
        return self._select(File, "clientSchemaIntrospectionJSON")

    async def clone_ref(self) -> str:
        return await self._value(None, "cloneRef")

    async def commit(self) -> str:
        return await self._value(None, "commit")

    async def config_exists(self) -> bool:
        return await self._value(None, "configExists")

    def context_directory(self) -> Directory:
        return self._select(Directory, "contextDirectory")

    async def dependencies(self) -> list[ModuleSource]:
        return await self._objects(ModuleSource, "dependencies")

    async def digest(self) -> str:
        return await self._value(None, "digest")

    def directory(self, path: str) -> Directory:
        return self._select(Directory, "directory", ("path", path))

    async def engine_version(self) -> str:
        return await self._value(None, "engineVersion")

    def generated_context_changeset(self) -> Changeset:
        return self._select(Changeset, "generatedContextChangeset")

    def generated_context_directory(self) -> Directory:
        return self._select(Directory, "generatedContextDirectory")

    async def html_repo_url(self) -> str:
        return await self._value(None, "htmlRepoURL")

    async def html_url(self) -> str:
        return await self._value(None, "htmlURL")

    async def id(self) -> ID:
        return ID(await self._get_id())

    def introspection_schema_json(self) -> File:
        return self._select(File, "introspectionSchemaJSON")

    async def kind(self) -> ModuleSourceKind:
        return await self._value(ModuleSourceKind, "kind")

    async def local_context_directory_path(self) -> str:
        return await self._value(None, "localContextDirectoryPath")

    async def module_name(self) -> str:
        return await self._value(None, "moduleName")

    async def module_original_name(self) -> str:
        return await self._value(None, "moduleOriginalName")

    async def original_subpath(self) -> str:
        return await self._value(None, "originalSubpath")

    async def pin(self) -> str:
        return await self._value(None, "pin")

    async def repo_root_path(self) -> str:
        return await self._value(None, "repoRootPath")

    async def source_root_subpath(self) -> str:
        return await self._value(None, "sourceRootSubpath")

    async def source_subpath(self) -> str:
        return await self._value(None, "sourceSubpath")

    async def sync(self) -> ModuleSource:
        return await self._same("sync")

    async def toolchains(self) -> list[ModuleSource]:
        return await self._objects(ModuleSource, "toolchains")

    def updated_config_directory(self) -> Directory:
        return self._select(Directory, "updatedConfigDirectory")

    def user_defaults(self) -> EnvFile:
        return self._select(EnvFile, "userDefaults")

    async def version(self) -> str:
        return await self._value(None, "version")

    def with_blueprint(self, blueprint: ModuleSource) -> ModuleSource:
        return self._select(ModuleSource, "withBlueprint", ("blueprint", blueprint))

    def with_client(self, generator: str, output_dir: str) -> ModuleSource:
        return self._select(
            ModuleSource,
            "withClient",
            ("generator", generator),
            ("outputDir", output_dir),
        )

    def with_dependencies(self, dependencies: Sequence[ModuleSource]) -> ModuleSource:
        return self._select(ModuleSource, "withDependencies", ("dependencies", dependencies))

    def with_engine_version(self, version: str) -> ModuleSource:
        return self._select(ModuleSource, "withEngineVersion", ("version", version))

    def with_experimental_features(
        self,
        features: Sequence[ModuleSourceExperimentalFeature],
    ) -> ModuleSource:
        return self._select(ModuleSource, "withExperimentalFeatures", ("features", features))

    def with_includes(self, patterns: Sequence[str]) -> ModuleSource:
        return self._select(ModuleSource, "withIncludes", ("patterns", patterns))

    def with_name(self, name: str) -> ModuleSource:
        return self._select(ModuleSource, "withName", ("name", name))

    def with_sdk(self, source: str) -> ModuleSource:
        return self._select(ModuleSource, "withSDK", ("source", source))

    def with_source_subpath(self, path: str) -> ModuleSource:
        return self._select(ModuleSource, "withSourceSubpath", ("path", path))

    def with_toolchains(self, toolchains: Sequence[ModuleSource]) -> ModuleSource:
        return self._select(ModuleSource, "withToolchains", ("toolchains", toolchains))

    def with_update_blueprint(self) -> ModuleSource:
        return self._select(ModuleSource, "withUpdateBlueprint")

    def with_update_dependencies(self, dependencies: Sequence[str]) -> ModuleSource:
        return self._select(ModuleSource, "withUpdateDependencies", ("dependencies", dependencies))

    def with_update_toolchains(self, toolchains: Sequence[str]) -> ModuleSource:
        return self._select(ModuleSource, "withUpdateToolchains", ("toolchains", toolchains))

    def with_updated_clients(self, clients: Sequence[str]) -> ModuleSource:
        return self._select(ModuleSource, "withUpdatedClients", ("clients", clients))

    def without_blueprint(self) -> ModuleSource:
        return self._select(ModuleSource, "withoutBlueprint")

    def without_client(self, path: str) -> ModuleSource:
        return self._select(ModuleSource, "withoutClient", ("path", path))

    def without_dependencies(self, dependencies: Sequence[str]) -> ModuleSource:
        return self._select(ModuleSource, "withoutDependencies", ("dependencies", dependencies))

    def without_experimental_features(
        self,
        features: Sequence[ModuleSourceExperimentalFeature],
    ) -> ModuleSource:
        return self._select(ModuleSource, "withoutExperimentalFeatures", ("features", features))

    def without_toolchains(self, toolchains: Sequence[str]) -> ModuleSource:
        return self._select(ModuleSource, "withoutToolchains", ("toolchains", toolchains))

    def __await__(self) -> Generator[Any, None, ModuleSource]:
        return self.sync().__await__()

    def with_(self, cb: Callable[[ModuleSource], ModuleSource]) -> ModuleSource:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class ObjectTypeDef(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "ObjectTypeDef"

    def constructor(self) -> Function:
        return self._select(Function, "constructor")

    async def deprecated(self) -> str | None:
        return await self._value(None, "deprecated")

    async def description(self) -> str:
        return await self._value(None, "description")

    async def fields(self) -> list[FieldTypeDef]:
        return await self._objects(FieldTypeDef, "fields")

    async def functions(self) -> list[Function]:
        return await self._objects(Function, "functions")

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def name(self) -> str:
        return await self._value(None, "name")

    def source_map(self) -> SourceMap:
        return self._select(SourceMap, "sourceMap")

    async def source_module_name(self) -> str:
        return await self._value(None, "sourceModuleName")

    def with_(self, cb: Callable[[ObjectTypeDef], ObjectTypeDef]) -> ObjectTypeDef:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Port(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "Port"

    async def description(self) -> str | None:
        return await self._value(None, "description")

    async def experimental_skip_healthcheck(self) -> bool:
        return await self._value(None, "experimentalSkipHealthcheck")

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def port(self) -> int:
        return await self._value(None, "port")

    async def protocol(self) -> NetworkProtocol:
        return await self._value(NetworkProtocol, "protocol")

    def with_(self, cb: Callable[[Port], Port]) -> Port:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Client(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "Query"

    def address(self, value: str) -> Address:
        return self._select(Address, "address", ("value", value))

    def cache_volume(
        self,
        key: str,
        *,
        source: Directory | None = None,
        sharing: CacheSharingMode | None = CacheSharingMode.SHARED,
        owner: str | None = "",
    ) -> CacheVolume:
        return self._select(
            CacheVolume,
            "cacheVolume",
            ("key", key),
            ("source", source, None),
            ("sharing", sharing, CacheSharingMode.SHARED),
            ("owner", owner, ""),
        )

    def changeset(self) -> Changeset:
        return self._select(Changeset, "changeset")

    def container(self, *, platform: Platform | None = None) -> Container:
        return self._select(Container, "container", ("platform", platform, None))

    def current_function_call(self) -> FunctionCall:
        return self._select(FunctionCall, "currentFunctionCall")

    def current_module(self) -> CurrentModule:
        return self._select(CurrentModule, "currentModule")

    async def current_type_defs(
        self,
        *,
        return_all_types: bool | None = False,
        hide_core: bool | None = None,
    ) -> list[TypeDef]:
        return await self._objects(
            TypeDef,
            "currentTypeDefs",
            ("returnAllTypes", return_all_types, False),
            ("hideCore", hide_core, None),
        )

    async def default_platform(self) -> Platform:
        return await self._value(Platform, "defaultPlatform")

    def directory(self) -> Directory:
        return self._select(Directory, "directory")

    def engine_volume(self, name: str, *, subdir: str | None = None) -> Volume:
        return self._select(Volume, "engineVolume", ("name", name), ("subdir", subdir, None))

    def env_file(self, *, expand: bool | None = None) -> EnvFile:
        return self._select(EnvFile, "envFile", ("expand", expand, None))

    def error(self, message: str) -> Error:
        return self._select(Error, "error", ("message", message))

    def file(self, name: str, contents: str, *, permissions: int | None = 420) -> File:
        return self._select(
            File,
            "file",
            ("name", name),
            ("contents", contents),
            ("permissions", permissions, 420),
        )

    def function(self, name: str, return_type: TypeDef) -> Function:
        return self._select(Function, "function", ("name", name), ("returnType", return_type))

    def generated_code(self, code: Directory) -> GeneratedCode:
        return self._select(GeneratedCode, "generatedCode", ("code", code))

    def git(
        self,
        url: str,
        *,
        keep_git_dir: bool | None = True,
        ssh_known_hosts: str | None = "",
        ssh_auth_socket: Socket | None = None,
        http_auth_username: str | None = "",
        http_auth_token: Secret | None = None,
        http_auth_header: Secret | None = None,
        experimental_service_host: Service | None = None,
    ) -> GitRepository:
        return self._select(
            GitRepository,
            "git",
            ("url", url),
            ("keepGitDir", keep_git_dir, True),
            ("sshKnownHosts", ssh_known_hosts, ""),
            ("sshAuthSocket", ssh_auth_socket, None),
            ("httpAuthUsername", http_auth_username, ""),
            ("httpAuthToken", http_auth_token, None),
            ("httpAuthHeader", http_auth_header, None),
            ("experimentalServiceHost", experimental_service_host, None),
        )

    def host(self) -> Host:
        return self._select(Host, "host")

    def http(
        self,
        url: str,
        *,
        name: str | None = None,
        permissions: int | None = None,
        checksum: str | None = None,
        auth_header: Secret | None = None,
        experimental_service_host: Service | None = None,
    ) -> File:
        return self._select(
            File,
            "http",
            ("url", url),
            ("name", name, None),
            ("permissions", permissions, None),
            ("checksum", checksum, None),
            ("authHeader", auth_header, None),
            ("experimentalServiceHost", experimental_service_host, None),
        )

    async def id(self) -> ID:
        return ID(await self._get_id())

    def json(self) -> JSONValue:
        return self._select(JSONValue, "json")

    def module(self) -> Module:
        return self._select(Module, "module")

    def module_source(
        self,
        ref_string: str,
        *,
        ref_pin: str | None = "",
        disable_find_up: bool | None = False,
        allow_not_exists: bool | None = False,
        require_kind: ModuleSourceKind | None = None,
    ) -> ModuleSource:
        return self._select(
            ModuleSource,
            "moduleSource",
            ("refString", ref_string),
            ("refPin", ref_pin, ""),
            ("disableFindUp", disable_find_up, False),
            ("allowNotExists", allow_not_exists, False),
            ("requireKind", require_kind, None),
        )

    def secret(self, uri: str, *, cache_key: str | None = None) -> Secret:
        return self._select(Secret, "secret", ("uri", uri), ("cacheKey", cache_key, None))

    def set_secret(self, name: str, plaintext: str) -> Secret:
        return self._select(Secret, "setSecret", ("name", name), ("plaintext", plaintext))

    def source_map(self, filename: str, line: int, column: int) -> SourceMap:
        return self._select(
            SourceMap,
            "sourceMap",
            ("filename", filename),
            ("line", line),
            ("column", column),
        )

    def sshfs_volume(
        self,
        endpoint: str,
        private_key: Secret,
        *,
        known_hosts: Secret | None = None,
        cache_key: str | None = None,
        insecure_skip_host_key_check: bool | None = False,
        experimental_service_host: Service | None = None,
    ) -> Volume:
        return self._select(
            Volume,
            "sshfsVolume",
            ("endpoint", endpoint),
            ("privateKey", private_key),
            ("knownHosts", known_hosts, None),
            ("cacheKey", cache_key, None),
            ("insecureSkipHostKeyCheck", insecure_skip_host_key_check, False),
            ("experimentalServiceHost", experimental_service_host, None),
        )

    def type_def(self) -> TypeDef:
        return self._select(TypeDef, "typeDef")

    async def version(self) -> str:
        return await self._value(None, "version")

    def with_(self, cb: Callable[[Client], Client]) -> Client:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class ScalarTypeDef(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "ScalarTypeDef"

    async def description(self) -> str:
        return await self._value(None, "description")

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def name(self) -> str:
        return await self._value(None, "name")

    async def source_module_name(self) -> str:
        return await self._value(None, "sourceModuleName")

    def with_(self, cb: Callable[[ScalarTypeDef], ScalarTypeDef]) -> ScalarTypeDef:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class SearchResult(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "SearchResult"

    async def absolute_offset(self) -> int:
        return await self._value(None, "absoluteOffset")

    async def file_path(self) -> str:
        return await self._value(None, "filePath")

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def line_number(self) -> int:
        return await self._value(None, "lineNumber")

    async def matched_lines(self) -> str:
        return await self._value(None, "matchedLines")

    async def submatches(self) -> list[SearchSubmatch]:
        return await self._objects(SearchSubmatch, "submatches")

    def with_(self, cb: Callable[[SearchResult], SearchResult]) -> SearchResult:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class SearchSubmatch(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "SearchSubmatch"

    async def end(self) -> int:
        return await self._value(None, "end")

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def start(self) -> int:
        return await self._value(None, "start")

    async def text(self) -> str:
        return await self._value(None, "text")

    def with_(self, cb: Callable[[SearchSubmatch], SearchSubmatch]) -> SearchSubmatch:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Secret(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "Secret"

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def name(self) -> str:
        return await self._value(None, "name")

    async def plaintext(self) -> str:
        return await self._value(None, "plaintext")

    async def uri(self) -> str:
        return await self._value(None, "uri")

    def with_(self, cb: Callable[[Secret], Secret]) -> Secret:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Service(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "Service"

    async def endpoint(self, *, port: int | None = None, scheme: str | None = "") -> str:
        return await self._value(None, "endpoint", ("port", port, None), ("scheme", scheme, ""))

    async def hostname(self) -> str:
        return await self._value(None, "hostname")

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def ports(self) -> list[Port]:
        return await self._objects(Port, "ports")

    async def start(self) -> Service:
        return await self._same("start")

    async def stop(self, *, kill: bool | None = False) -> Service:
        return await self._same("stop", ("kill", kill, False))

    async def sync(self) -> Service:
        return await self._same("sync")

    def terminal(self, *, cmd: Sequence[str] | None = None) -> Service:
        return self._select(Service, "terminal", ("cmd", cmd, None))

    async def up(
        self,
        *,
        ports: Sequence[PortForward] | None = None,
        random: bool | None = False,
    ) -> None:
        await self._value(None, "up", ("ports", ports, None), ("random", random, False))

    def with_hostname(self, hostname: str) -> Service:
        return self._select(Service, "withHostname", ("hostname", hostname))

    def __await__(self) -> Generator[Any, None, Service]:
        return self.sync().__await__()

    def with_(self, cb: Callable[[Service], Service]) -> Service:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Socket(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "Socket"

    async def id(self) -> ID:
        return ID(await self._get_id())

    def with_(self, cb: Callable[[Socket], Socket]) -> Socket:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class SourceMap(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "SourceMap"

    async def column(self) -> int:
        return await self._value(None, "column")

    async def filename(self) -> str:
        return await self._value(None, "filename")

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def line(self) -> int:
        return await self._value(None, "line")

    async def module(self) -> str:
        return await self._value(None, "module")

    async def url(self) -> str:
        return await self._value(None, "url")

    def with_(self, cb: Callable[[SourceMap], SourceMap]) -> SourceMap:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Stat(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "Stat"

    async def file_type(self) -> FileType | None:
        return await self._value(FileType, "fileType")

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def name(self) -> str:
        return await self._value(None, "name")

    async def permissions(self) -> int:
        return await self._value(None, "permissions")

    async def size(self) -> int:
        return await self._value(None, "size")

    def with_(self, cb: Callable[[Stat], Stat]) -> Stat:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class TypeDef(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "TypeDef"

    def as_enum(self) -> EnumTypeDef:
        return self._select(EnumTypeDef, "asEnum")

    def as_input(self) -> InputTypeDef:
        return self._select(InputTypeDef, "asInput")

    def as_interface(self) -> InterfaceTypeDef:
        return self._select(InterfaceTypeDef, "asInterface")

    def as_list(self) -> ListTypeDef:
        return self._select(ListTypeDef, "asList")

    def as_object(self) -> ObjectTypeDef:
        return self._select(ObjectTypeDef, "asObject")

    def as_scalar(self) -> ScalarTypeDef:
        return self._select(ScalarTypeDef, "asScalar")

    async def id(self) -> ID:
        return ID(await self._get_id())

    async def kind(self) -> TypeDefKind:
        return await self._value(TypeDefKind, "kind")

    async def name(self) -> str:
        return await self._value(None, "name")

    async def optional(self) -> bool:
        return await self._value(None, "optional")

    def with_constructor(self, function: Function) -> TypeDef:
        return self._select(TypeDef, "withConstructor", ("function", function))

    def with_enum(
        self,
        name: str,
        *,
        description: str | None = "",
        source_map: SourceMap | None = None,
    ) -> TypeDef:
        return self._select(
            TypeDef,
            "withEnum",
            ("name", name),
            ("description", description, ""),
            ("sourceMap", source_map, None),
        )

    def with_enum_member(
        self,
        name: str,
        *,
        value: str | None = "",
        description: str | None = "",
        source_map: SourceMap | None = None,
        deprecated: str | None = None,
    ) -> TypeDef:
        return self._select(
            TypeDef,
            "withEnumMember",
            ("name", name),
            ("value", value, ""),
            ("description", description, ""),
            ("sourceMap", source_map, None),
            ("deprecated", deprecated, None),
        )

    def with_enum_value(
        self,
        value: str,
        *,
        description: str | None = "",
        source_map: SourceMap | None = None,
        deprecated: str | None = None,
    ) -> TypeDef:
        return self._select(
            TypeDef,
            "withEnumValue",
            ("value", value),
            ("description", description, ""),
            ("sourceMap", source_map, None),
            ("deprecated", deprecated, None),
        )

    def with_field(
        self,
        name: str,
        type_def: TypeDef,
        *,
        description: str | None = "",
        source_map: SourceMap | None = None,
        deprecated: str | None = None,
    ) -> TypeDef:
        return self._select(
            TypeDef,
            "withField",
            ("name", name),
            ("typeDef", type_def),
            ("description", description, ""),
            ("sourceMap", source_map, None),
            ("deprecated", deprecated, None),
        )

    def with_function(self, function: Function) -> TypeDef:
        return self._select(TypeDef, "withFunction", ("function", function))

    def with_interface(
        self,
        name: str,
        *,
        description: str | None = "",
        source_map: SourceMap | None = None,
    ) -> TypeDef:
        return self._select(
            TypeDef,
            "withInterface",
            ("name", name),
            ("description", description, ""),
            ("sourceMap", source_map, None),
        )

    def with_kind(self, kind: TypeDefKind) -> TypeDef:
        return self._select(TypeDef, "withKind", ("kind", kind))

    def with_list_of(self, element_type: TypeDef) -> TypeDef:
        return self._select(TypeDef, "withListOf", ("elementType", element_type))

    def with_object(
        self,
        name: str,
        *,
        description: str | None = "",
        source_map: SourceMap | None = None,
        deprecated: str | None = None,
    ) -> TypeDef:
        return self._select(
            TypeDef,
            "withObject",
            ("name", name),
            ("description", description, ""),
            ("sourceMap", source_map, None),
            ("deprecated", deprecated, None),
        )

    def with_optional(self, optional: bool) -> TypeDef:
        return self._select(TypeDef, "withOptional", ("optional", optional))

    def with_scalar(self, name: str, *, description: str | None = "") -> TypeDef:
        return self._select(TypeDef, "withScalar", ("name", name), ("description", description, ""))

    def with_(self, cb: Callable[[TypeDef], TypeDef]) -> TypeDef:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Volume(Type):
    """An object of the API."""

    __slots__ = ()
    _api_name = "Volume"

    async def id(self) -> ID:
        return ID(await self._get_id())

    def with_(self, cb: Callable[[Volume], Volume]) -> Volume:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


dag = Client(None)


__all__ = [
    "Address",
    "BuildArg",
    "CacheSharingMode",
    "CacheVolume",
    "Changeset",
    "ChangesetMergeConflict",
    "ChangesetsMergeConflict",
    "Client",
    "Container",
    "CurrentModule",
    "DiffStat",
    "DiffStatKind",
    "Directory",
    "EnumTypeDef",
    "EnumValueTypeDef",
    "EnvFile",
    "EnvVariable",
    "Error",
    "ErrorValue",
    "ExistsType",
    "FieldTypeDef",
    "File",
    "FileType",
    "Function",
    "FunctionArg",
    "FunctionCachePolicy",
    "FunctionCall",
    "FunctionCallArgValue",
    "GeneratedCode",
    "GitCommit",
    "GitRef",
    "GitRepository",
    "HealthcheckConfig",
    "Host",
    "ImageLayerCompression",
    "ImageMediaTypes",
    "InputTypeDef",
    "InterfaceTypeDef",
    "JSON",
    "JSONValue",
    "Label",
    "ListTypeDef",
    "Module",
    "ModuleSource",
    "ModuleSourceExperimentalFeature",
    "ModuleSourceKind",
    "NetworkProtocol",
    "ObjectTypeDef",
    "PatchConflict",
    "PipelineLabel",
    "Platform",
    "Port",
    "PortForward",
    "RegistryProtocol",
    "ReturnType",
    "ScalarTypeDef",
    "SearchResult",
    "SearchSubmatch",
    "Secret",
    "Service",
    "Socket",
    "SourceMap",
    "Stat",
    "TypeDef",
    "TypeDefKind",
    "Volume",
    "dag",
]
