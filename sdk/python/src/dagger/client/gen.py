"""The API of the engine. Generated from its schema by ``tools/generate.py``; do not edit."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Callable

from .base import ID, Input, Scalar, Type

if TYPE_CHECKING:
    from collections.abc import Generator as Steps
    from collections.abc import Sequence


class JSON(Scalar):
    """Any JSON value, written as JSON text."""

    __slots__ = ()


class Platform(Scalar):
    """Operating system and architecture, such as `linux/amd64`."""

    __slots__ = ()


class CacheSharingMode(Enum):
    """Who may use a cache volume at the same time."""

    SHARED = "SHARED"
    """Any number of commands."""
    PRIVATE = "PRIVATE"
    """One command; others get a copy of their own."""
    LOCKED = "LOCKED"
    """One command; others wait."""


class ChangesetMergeConflict(Enum):
    """What to do where two changes conflict."""

    FAIL_EARLY = "FAIL_EARLY"
    """Fail if both changed a file, even in different places."""
    FAIL = "FAIL"
    """Fail if both changed the same lines."""
    LEAVE_CONFLICT_MARKERS = "LEAVE_CONFLICT_MARKERS"
    """Leave both sides between conflict markers."""
    PREFER_OURS = "PREFER_OURS"
    """Take the side that is added to."""
    PREFER_THEIRS = "PREFER_THEIRS"
    """Take the side that is added."""


class ChangesetsMergeConflict(Enum):
    """What to do where several changes conflict."""

    FAIL_EARLY = "FAIL_EARLY"
    """Fail if both changed a file, even in different places."""
    FAIL = "FAIL"
    """Fail if both changed the same lines."""


class DiffStatKind(Enum):
    """What became of a file."""

    ADDED = "ADDED"
    """It is new."""
    MODIFIED = "MODIFIED"
    """It is not what it was."""
    REMOVED = "REMOVED"
    """It is gone."""
    RENAMED = "RENAMED"
    """It is elsewhere."""


class ExistsType(Enum):
    """What something at a path has to be."""

    REGULAR_TYPE = "REGULAR_TYPE"
    """A regular file."""
    DIRECTORY_TYPE = "DIRECTORY_TYPE"
    """A directory."""
    SYMLINK_TYPE = "SYMLINK_TYPE"
    """A symbolic link."""


class FileType(Enum):
    """What something in a file system is."""

    UNKNOWN = "UNKNOWN"
    """A device, pipe or socket."""
    REGULAR = "REGULAR"
    """A regular file."""
    DIRECTORY = "DIRECTORY"
    """A directory."""
    SYMLINK = "SYMLINK"
    """A symbolic link."""


class FunctionCachePolicy(Enum):
    """How long a function's answers are used again."""

    Default = "Default"
    """As long as nothing that it depends on changes, and no longer than its time to live."""
    PerSession = "PerSession"
    """While the session lasts."""
    Never = "Never"
    """Not at all."""


class ImageLayerCompression(Enum):
    """How layers of an image are packed."""

    Gzip = "Gzip"
    """gzip."""
    Zstd = "Zstd"
    """Zstandard."""
    EStarGZ = "EStarGZ"
    """eStargz; not supported."""
    Uncompressed = "Uncompressed"
    """Not packed."""
    GZIP = "GZIP"
    """gzip."""
    ZSTD = "ZSTD"
    """Zstandard."""
    ESTARGZ = "ESTARGZ"
    """eStargz; not supported."""
    UNCOMPRESSED = "UNCOMPRESSED"
    """Not packed."""


class ImageMediaTypes(Enum):
    """Whose names the parts of an image have."""

    OCIMediaTypes = "OCIMediaTypes"
    """Those of the Open Container Initiative."""
    DockerMediaTypes = "DockerMediaTypes"
    """Docker's."""
    OCI = "OCI"
    """Those of the Open Container Initiative."""
    DOCKER = "DOCKER"
    """Docker's."""


class ModuleSourceExperimentalFeature(Enum):
    """What a module's SDK may be asked to try."""

    SELF_CALLS = "SELF_CALLS"
    """The module's code calls its own functions through the API; here it always may."""


class ModuleSourceKind(Enum):
    """Where a module's source is."""

    LOCAL_SOURCE = "LOCAL_SOURCE"
    """A directory of the host."""
    LOCAL = "LOCAL"
    """A directory of the host."""
    GIT_SOURCE = "GIT_SOURCE"
    """A repository."""
    GIT = "GIT"
    """A repository."""
    DIR_SOURCE = "DIR_SOURCE"
    """A directory of a pipeline."""
    DIR = "DIR"
    """A directory of a pipeline."""


class NetworkProtocol(Enum):
    """Transport of a port."""

    TCP = "TCP"
    """TCP."""
    UDP = "UDP"
    """UDP."""


class PatchConflict(Enum):
    """What to do where a patch does not fit."""

    FAIL = "FAIL"
    """Fail."""
    LEAVE_CONFLICT_MARKERS = "LEAVE_CONFLICT_MARKERS"
    """Leave both sides between conflict markers."""


class RegistryProtocol(Enum):
    """How to speak to a registry."""

    HTTPS = "HTTPS"
    """With TLS."""
    HTTP = "HTTP"
    """Without."""


class ReturnType(Enum):
    """Exit codes that count as success."""

    SUCCESS = "SUCCESS"
    """0."""
    FAILURE = "FAILURE"
    """1 to 127 and 192 to 255."""
    ANY = "ANY"
    """0 to 127 and 192 to 255."""


class TypeDefKind(Enum):
    """What kind of type a definition is of."""

    STRING_KIND = "STRING_KIND"
    """Text."""
    STRING = "STRING"
    """Text."""
    INTEGER_KIND = "INTEGER_KIND"
    """A whole number."""
    INTEGER = "INTEGER"
    """A whole number."""
    FLOAT_KIND = "FLOAT_KIND"
    """A number."""
    FLOAT = "FLOAT"
    """A number."""
    BOOLEAN_KIND = "BOOLEAN_KIND"
    """True or false."""
    BOOLEAN = "BOOLEAN"
    """True or false."""
    SCALAR_KIND = "SCALAR_KIND"
    """Text with a meaning."""
    SCALAR = "SCALAR"
    """Text with a meaning."""
    LIST_KIND = "LIST_KIND"
    """A list."""
    LIST = "LIST"
    """A list."""
    OBJECT_KIND = "OBJECT_KIND"
    """An object."""
    OBJECT = "OBJECT"
    """An object."""
    INTERFACE_KIND = "INTERFACE_KIND"
    """What several objects have in common."""
    INTERFACE = "INTERFACE"
    """What several objects have in common."""
    INPUT_KIND = "INPUT_KIND"
    """A structured argument."""
    INPUT = "INPUT"
    """A structured argument."""
    VOID_KIND = "VOID_KIND"
    """Nothing."""
    VOID = "VOID"
    """Nothing."""
    ENUM_KIND = "ENUM_KIND"
    """A closed set of values."""
    ENUM = "ENUM"
    """A closed set of values."""


class BuildArg(Input):
    """A value for an `ARG` of a Dockerfile."""

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
    """A label of a pipeline (older clients)."""

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
    """Where a port leads."""

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
    """A text that names something; the field that is asked says what."""

    __slots__ = ()
    _api_name = "Address"

    async def value(self) -> str:
        """The address as it was given."""
        return await self._value(None, "value")

    def container(self) -> Container:
        """The container of an image reference."""
        return self._select(Container, "container")

    def directory(
        self,
        *,
        exclude: Sequence[str] | None = None,
        include: Sequence[str] | None = None,
        gitignore: bool | None = False,
        no_cache: bool | None = False,
    ) -> Directory:
        """A directory of the host.

        Args:
            exclude: Patterns of what to leave out.
            include: Patterns of what to take; everything by default.
            gitignore: Leave out what `.gitignore` files name.
            no_cache: Read it again even if it was read in this session.
        """
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
        """A file of the host.

        Args:
            exclude: Patterns of what to leave out.
            include: Patterns of what to take; everything by default.
            gitignore: Leave out what `.gitignore` files name.
            no_cache: Read it again even if it was read in this session.
        """
        return self._select(
            File,
            "file",
            ("exclude", exclude, None),
            ("include", include, None),
            ("gitignore", gitignore, False),
            ("noCache", no_cache, False),
        )

    def git_repository(self) -> GitRepository:
        """A git repository."""
        return self._select(GitRepository, "gitRepository")

    def git_ref(self) -> GitRef:
        """A branch, tag or commit of a git repository: `ADDRESS#NAME`; without a name what the
        repository is at.
        """
        return self._select(GitRef, "gitRef")

    def service(self) -> Service:
        """A service of the host: `tcp://HOST:PORT` or `udp://HOST:PORT`."""
        return self._select(Service, "service")

    def secret(self) -> Secret:
        """A secret by where it is, such as `env://NAME` or `file://path`."""
        return self._select(Secret, "secret")

    def socket(self) -> Socket:
        """A Unix socket of the host, by path."""
        return self._select(Socket, "socket")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[Address], Address]) -> Address:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class CacheVolume(Type):
    """A directory that outlives runs."""

    __slots__ = ()
    _api_name = "CacheVolume"

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[CacheVolume], CacheVolume]) -> CacheVolume:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Changeset(Type):
    """What changed between two directories."""

    __slots__ = ()
    _api_name = "Changeset"

    def before(self) -> Directory:
        """The older directory."""
        return self._select(Directory, "before")

    def after(self) -> Directory:
        """The newer directory."""
        return self._select(Directory, "after")

    def layer(self) -> Directory:
        """What was added and modified, alone."""
        return self._select(Directory, "layer")

    async def added_paths(self) -> list[str]:
        """Files and directories that are new; those of directories end in `/`."""
        return await self._value(None, "addedPaths")

    async def modified_paths(self) -> list[str]:
        """Files that are not what they were."""
        return await self._value(None, "modifiedPaths")

    async def removed_paths(self) -> list[str]:
        """Files and directories that are gone, not what was in those directories."""
        return await self._value(None, "removedPaths")

    async def is_empty(self) -> bool:
        """Whether nothing changed."""
        return await self._value(None, "isEmpty")

    def as_patch(self) -> File:
        """The change as a patch in git's format."""
        return self._select(File, "asPatch")

    async def diff_stats(self) -> list[DiffStat]:
        """What became of each file."""
        return await self._objects(DiffStat, "diffStats")

    async def export(self, path: str) -> str:
        """Applies the change to a directory of the client's host; returns its absolute path.

        Args:
            path: The directory; relative to the client's working directory.
        """
        return await self._value(None, "export", ("path", path))

    async def sync(self) -> Changeset:
        """Makes everything so far happen now."""
        return await self._same("sync")

    def with_changeset(
        self,
        changes: Changeset,
        *,
        on_conflict: ChangesetMergeConflict | None = ChangesetMergeConflict.FAIL,
    ) -> Changeset:
        """Adds another change to this one.

        Args:
            changes: The other change.
            on_conflict: What to do where they conflict.
        """
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
        """Adds other changes to this one, in order.

        Args:
            changes: The other changes.
            on_conflict: What to do where they conflict.
        """
        return self._select(
            Changeset,
            "withChangesets",
            ("changes", changes),
            ("onConflict", on_conflict, ChangesetsMergeConflict.FAIL),
        )

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def __await__(self) -> Steps[Any, None, Changeset]:
        return self.sync().__await__()

    def with_(self, cb: Callable[[Changeset], Changeset]) -> Changeset:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Check(Type):
    """A function of a module that says by failing that something is wrong."""

    __slots__ = ()
    _api_name = "Check"

    async def name(self) -> str:
        """Its name in the module; names of what leads to it come first, with `:` between them."""
        return await self._value(None, "name")

    async def path(self) -> list[str]:
        """The fields that lead to it."""
        return await self._value(None, "path")

    async def description(self) -> str:
        """What it is for."""
        return await self._value(None, "description")

    async def check_type(self) -> str:
        """`check`, or `generate` if it runs a generator, which must have nothing to change."""
        return await self._value(None, "checkType")

    def original_module(self) -> Module:
        """The module that has it: the one that was asked, or a toolchain."""
        return self._select(Module, "originalModule")

    def run(self) -> Check:
        """Runs it. That it fails is no error here: `passed` and `error` of the result say it."""
        return self._select(Check, "run")

    async def completed(self) -> bool:
        """Whether it was run to its end."""
        return await self._value(None, "completed")

    async def passed(self) -> bool:
        """Whether it was run and nothing is wrong."""
        return await self._value(None, "passed")

    def error(self) -> Error:
        """Why it failed; none if it passed or was not run."""
        return self._select(Error, "error")

    async def result_emoji(self) -> str:
        """🟢 if it passed, 🔴 if it failed; empty if it was not run."""
        return await self._value(None, "resultEmoji")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[Check], Check]) -> Check:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class CheckGroup(Type):
    """Checks of a module."""

    __slots__ = ()
    _api_name = "CheckGroup"

    async def list_(self) -> list[Check]:
        """Each of them."""
        return await self._objects(Check, "list")

    def run(self, *, fail_fast: bool | None = None) -> CheckGroup:
        """Runs them at the same time. That some fail is no error here: the results say it.

        Args:
            fail_fast: Stop when the first fails; what still ran then is not completed.
        """
        return self._select(CheckGroup, "run", ("failFast", fail_fast, None))

    def report(self) -> File:
        """What became of them, as Markdown."""
        return self._select(File, "report")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[CheckGroup], CheckGroup]) -> CheckGroup:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Container(Type):
    """A file system with the configuration that commands run with."""

    __slots__ = ()
    _api_name = "Container"

    def from_(
        self,
        address: str,
        *,
        registry_service: Service | None = None,
        protocol: RegistryProtocol | None = None,
        insecure_skip_tls_verify: bool | None = False,
    ) -> Container:
        """The container with an image's files and configuration.

        Args:
            address: Image reference, such as `alpine` or `ghcr.io/org/app:1.2`.
            registry_service: The service that the registry is; the session reaches it so from
                then on, in plain HTTP unless told otherwise.
            protocol: How to speak to the registry.
            insecure_skip_tls_verify: Do not check the registry's certificate.
        """
        return self._select(
            Container,
            "from",
            ("address", address),
            ("registryService", registry_service, None),
            ("protocol", protocol, None),
            ("insecureSkipTLSVerify", insecure_skip_tls_verify, False),
        )

    async def image_ref(self) -> str:
        """The image that the root file system came from, with its digest."""
        return await self._value(None, "imageRef")

    async def platform(self) -> Platform:
        """The platform of its image and commands."""
        return await self._value(Platform, "platform")

    def with_registry_auth(self, address: str, username: str, secret: Secret) -> Container:
        """Credentials for a registry, or for repositories of it. They count for no cache key.

        Args:
            address: Registry host, with or without a path.
            username: User.
            secret: Password or token.
        """
        return self._select(
            Container,
            "withRegistryAuth",
            ("address", address),
            ("username", username),
            ("secret", secret),
        )

    def without_registry_auth(self, address: str) -> Container:
        """Forgets credentials for an address.

        Args:
            address: As it was given.
        """
        return self._select(Container, "withoutRegistryAuth", ("address", address))

    def with_rootfs(self, directory: Directory) -> Container:
        """Replaces the root file system and keeps the configuration.

        Args:
            directory: The new root.
        """
        return self._select(Container, "withRootfs", ("directory", directory))

    def rootfs(self) -> Directory:
        """The root file system, without mounts."""
        return self._select(Directory, "rootfs")

    async def exists(
        self,
        path: str,
        *,
        expected_type: ExistsType | None = None,
        do_not_follow_symlinks: bool | None = False,
        expand: bool | None = False,
    ) -> bool:
        """Whether something is at a path.

        Args:
            path: Path.
            expected_type: What it has to be.
            do_not_follow_symlinks: Look at a link itself.
            expand: Replace `$VAR` and `${VAR}` by the container's variables.
        """
        return await self._value(
            None,
            "exists",
            ("path", path),
            ("expectedType", expected_type, None),
            ("doNotFollowSymlinks", do_not_follow_symlinks, False),
            ("expand", expand, False),
        )

    async def sync(self) -> Container:
        """Makes everything so far happen now."""
        return await self._same("sync")

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
        """The container after a command. Nothing runs until a result is asked for.

        Args:
            args: The command; no shell is involved. Empty runs the default arguments.
            use_entrypoint: Put the entrypoint in front; off by default.
            stdin: Text for standard input.
            redirect_stdin: File of the container for standard input.
            redirect_stdout: File that gets standard output too.
            redirect_stderr: File that gets standard error too.
            expect: Exit codes that count as success.
            experimental_privileged_nesting: Let the command call this API.
            insecure_root_capabilities: All capabilities, inside nsci's user namespace.
            expand: Replace `$VAR` and `${VAR}` by the container's variables.
            no_init: Run the command as process 1, without an init that reaps.
        """
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

    async def stdout(self) -> str:
        """What the last command wrote to standard output."""
        return await self._value(None, "stdout")

    async def stderr(self) -> str:
        """What the last command wrote to standard error."""
        return await self._value(None, "stderr")

    async def combined_output(self) -> str:
        """What the last command wrote to both, in order."""
        return await self._value(None, "combinedOutput")

    async def exit_code(self) -> int:
        """The last command's exit code."""
        return await self._value(None, "exitCode")

    def with_env_variable(self, name: str, value: str, *, expand: bool | None = False) -> Container:
        """Sets an environment variable.

        Args:
            name: Name.
            value: Value.
            expand: Replace `$VAR` and `${VAR}` by the container's variables.
        """
        return self._select(
            Container,
            "withEnvVariable",
            ("name", name),
            ("value", value),
            ("expand", expand, False),
        )

    def without_env_variable(self, name: str) -> Container:
        """Removes an environment variable.

        Args:
            name: Name.
        """
        return self._select(Container, "withoutEnvVariable", ("name", name))

    def with_secret_variable(self, name: str, secret: Secret) -> Container:
        """Sets an environment variable to a secret's value while commands run.

        Args:
            name: Name.
            secret: The secret.
        """
        return self._select(Container, "withSecretVariable", ("name", name), ("secret", secret))

    def without_secret_variable(self, name: str) -> Container:
        """Removes a secret variable.

        Args:
            name: Name.
        """
        return self._select(Container, "withoutSecretVariable", ("name", name))

    def with_volatile_variable(self, name: str, value: str) -> Container:
        """Sets an environment variable that decides nothing: commands see it, but a change of it
        runs none of them again, and no image has it.

        Args:
            name: Name.
            value: Value.
        """
        return self._select(Container, "withVolatileVariable", ("name", name), ("value", value))

    def without_volatile_variable(self, name: str) -> Container:
        """Removes a variable that `withVolatileVariable` set.

        Args:
            name: Name.
        """
        return self._select(Container, "withoutVolatileVariable", ("name", name))

    async def env_variable(self, name: str) -> str | None:
        """Value of an environment variable.

        Args:
            name: Name.
        """
        return await self._value(None, "envVariable", ("name", name))

    async def env_variables(self) -> list[EnvVariable]:
        """All environment variables."""
        return await self._objects(EnvVariable, "envVariables")

    def with_workdir(self, path: str, *, expand: bool | None = False) -> Container:
        """Sets the working directory. It is made when a command needs it.

        Args:
            path: Path; relative to the working directory so far.
            expand: Replace `$VAR` and `${VAR}` by the container's variables.
        """
        return self._select(Container, "withWorkdir", ("path", path), ("expand", expand, False))

    def without_workdir(self) -> Container:
        """Sets the working directory back to `/`."""
        return self._select(Container, "withoutWorkdir")

    async def workdir(self) -> str:
        """The working directory."""
        return await self._value(None, "workdir")

    def with_user(self, name: str) -> Container:
        """Sets the user that commands run as.

        Args:
            name: `user[:group]`, by name or number.
        """
        return self._select(Container, "withUser", ("name", name))

    def without_user(self) -> Container:
        """Runs commands as root again."""
        return self._select(Container, "withoutUser")

    async def user(self) -> str:
        """The user that commands run as; empty means root."""
        return await self._value(None, "user")

    def with_entrypoint(
        self,
        args: Sequence[str],
        *,
        keep_default_args: bool | None = False,
    ) -> Container:
        """Sets the entrypoint and, unless kept, removes the default arguments.

        Args:
            args: Arguments.
            keep_default_args: Leave the default arguments as they are.
        """
        return self._select(
            Container,
            "withEntrypoint",
            ("args", args),
            ("keepDefaultArgs", keep_default_args, False),
        )

    def without_entrypoint(self, *, keep_default_args: bool | None = False) -> Container:
        """Removes the entrypoint and, unless kept, the default arguments.

        Args:
            keep_default_args: Leave the default arguments as they are.
        """
        return self._select(
            Container,
            "withoutEntrypoint",
            ("keepDefaultArgs", keep_default_args, False),
        )

    async def entrypoint(self) -> list[str]:
        """The entrypoint."""
        return await self._value(None, "entrypoint")

    def with_default_args(self, args: Sequence[str]) -> Container:
        """Sets the arguments of a command that is given none.

        Args:
            args: Arguments.
        """
        return self._select(Container, "withDefaultArgs", ("args", args))

    def without_default_args(self) -> Container:
        """Removes the default arguments."""
        return self._select(Container, "withoutDefaultArgs")

    async def default_args(self) -> list[str]:
        """The default arguments."""
        return await self._value(None, "defaultArgs")

    def with_default_terminal_cmd(
        self,
        args: Sequence[str],
        *,
        experimental_privileged_nesting: bool | None = False,
        insecure_root_capabilities: bool | None = False,
    ) -> Container:
        """Sets the command that `terminal` starts.

        Args:
            args: The command.
            experimental_privileged_nesting: Let the command call this API.
            insecure_root_capabilities: All capabilities, inside nsci's user namespace.
        """
        return self._select(
            Container,
            "withDefaultTerminalCmd",
            ("args", args),
            ("experimentalPrivilegedNesting", experimental_privileged_nesting, False),
            ("insecureRootCapabilities", insecure_root_capabilities, False),
        )

    def with_label(self, name: str, value: str) -> Container:
        """Sets a label.

        Args:
            name: Name.
            value: Value.
        """
        return self._select(Container, "withLabel", ("name", name), ("value", value))

    def without_label(self, name: str) -> Container:
        """Removes a label.

        Args:
            name: Name.
        """
        return self._select(Container, "withoutLabel", ("name", name))

    async def label(self, name: str) -> str | None:
        """Value of a label.

        Args:
            name: Name.
        """
        return await self._value(None, "label", ("name", name))

    async def labels(self) -> list[Label]:
        """All labels."""
        return await self._objects(Label, "labels")

    def with_annotation(self, name: str, value: str) -> Container:
        """Sets an annotation of the published manifest.

        Args:
            name: Name.
            value: Value.
        """
        return self._select(Container, "withAnnotation", ("name", name), ("value", value))

    def without_annotation(self, name: str) -> Container:
        """Removes an annotation.

        Args:
            name: Name.
        """
        return self._select(Container, "withoutAnnotation", ("name", name))

    def with_exposed_port(
        self,
        port: int,
        *,
        protocol: NetworkProtocol | None = NetworkProtocol.TCP,
        description: str | None = None,
        experimental_skip_healthcheck: bool | None = False,
    ) -> Container:
        """Declares a port that the container listens on.

        Args:
            port: Number.
            protocol: Transport.
            description: What it is for.
            experimental_skip_healthcheck: Do not wait for it when the service starts.
        """
        return self._select(
            Container,
            "withExposedPort",
            ("port", port),
            ("protocol", protocol, NetworkProtocol.TCP),
            ("description", description, None),
            ("experimentalSkipHealthcheck", experimental_skip_healthcheck, False),
        )

    def without_exposed_port(
        self,
        port: int,
        *,
        protocol: NetworkProtocol | None = NetworkProtocol.TCP,
    ) -> Container:
        """Takes a declared port back.

        Args:
            port: Number.
            protocol: Transport.
        """
        return self._select(
            Container,
            "withoutExposedPort",
            ("port", port),
            ("protocol", protocol, NetworkProtocol.TCP),
        )

    async def exposed_ports(self) -> list[Port]:
        """All declared ports."""
        return await self._objects(Port, "exposedPorts")

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
        """Sets the command that tells whether the container is healthy when it runs as a service.

        Args:
            args: The command.
            shell: Run it by the container's shell, as one text.
            interval: Time between two checks, such as `30s`.
            timeout: Time that one check may take.
            start_period: Time at the start in which failures do not count.
            start_interval: Time between two checks in that time; by default they follow each
                other quickly.
            retries: Failures in a row that make it unhealthy.
        """
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

    def without_docker_healthcheck(self) -> Container:
        """Removes the health check."""
        return self._select(Container, "withoutDockerHealthcheck")

    def docker_healthcheck(self) -> HealthcheckConfig:
        """The health check; null if there is none."""
        return self._select(HealthcheckConfig, "dockerHealthcheck")

    def with_mounted_directory(
        self,
        path: str,
        source: Directory,
        *,
        owner: str | None = "",
        inherit_owner: bool | None = False,
        expand: bool | None = False,
        read_only: bool | None = False,
    ) -> Container:
        """Mounts a directory. What commands write to it stays for later commands of the chain.

        Args:
            path: Mount point.
            source: The directory.
            owner: Owner as `user[:group]`, by name or number; names are looked up in the
                target's own /etc/passwd and /etc/group.
            inherit_owner: Give it to the container's user.
            expand: Replace `$VAR` and `${VAR}` by the container's variables.
            read_only: Let commands only read it.
        """
        return self._select(
            Container,
            "withMountedDirectory",
            ("path", path),
            ("source", source),
            ("owner", owner, ""),
            ("inheritOwner", inherit_owner, False),
            ("expand", expand, False),
            ("readOnly", read_only, False),
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
        """Mounts a file. What commands write to it stays for later commands of the chain.

        Args:
            path: Mount point.
            source: The file.
            owner: Owner as `user[:group]`, by name or number; names are looked up in the
                target's own /etc/passwd and /etc/group.
            inherit_owner: Give it to the container's user.
            expand: Replace `$VAR` and `${VAR}` by the container's variables.
        """
        return self._select(
            Container,
            "withMountedFile",
            ("path", path),
            ("source", source),
            ("owner", owner, ""),
            ("inheritOwner", inherit_owner, False),
            ("expand", expand, False),
        )

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
        """Mounts a cache volume. Its contents are no part of the container.

        Args:
            path: Mount point.
            cache: The volume.
            source: What seeds the volume when it is empty.
            sharing: Who may use it at the same time; what the volume says if SHARED.
            owner: Owner as `user[:group]`, by name or number; names are looked up in the
                target's own /etc/passwd and /etc/group.
            inherit_owner: Give it to the container's user.
            expand: Replace `$VAR` and `${VAR}` by the container's variables.
        """
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

    def with_mounted_temp(
        self,
        path: str,
        *,
        size: int | None = None,
        expand: bool | None = False,
    ) -> Container:
        """Mounts memory that is dropped after each command.

        Args:
            path: Mount point.
            size: Limit in bytes.
            expand: Replace `$VAR` and `${VAR}` by the container's variables.
        """
        return self._select(
            Container,
            "withMountedTemp",
            ("path", path),
            ("size", size, None),
            ("expand", expand, False),
        )

    def with_mounted_secret(
        self,
        path: str,
        source: Secret,
        *,
        owner: str | None = "",
        inherit_owner: bool | None = False,
        expand: bool | None = False,
        mode: int | None = 256,
    ) -> Container:
        """Mounts a secret as a file in memory.

        Args:
            path: Mount point.
            source: The secret.
            owner: Owner as `user[:group]`, by name or number; names are looked up in the
                target's own /etc/passwd and /etc/group.
            inherit_owner: Give it to the container's user.
            expand: Replace `$VAR` and `${VAR}` by the container's variables.
            mode: Permission bits, such as 256 for 0400.
        """
        return self._select(
            Container,
            "withMountedSecret",
            ("path", path),
            ("source", source),
            ("owner", owner, ""),
            ("inheritOwner", inherit_owner, False),
            ("expand", expand, False),
            ("mode", mode, 256),
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
        """Mounts a Unix socket of the host; with an owner, a socket of that user that leads to it.

        Args:
            path: Mount point.
            source: The socket.
            owner: Owner as `user[:group]`, by name or number; names are looked up in the
                target's own /etc/passwd and /etc/group.
            inherit_owner: Give it to the container's user.
            expand: Replace `$VAR` and `${VAR}` by the container's variables.
        """
        return self._select(
            Container,
            "withUnixSocket",
            ("path", path),
            ("source", source),
            ("owner", owner, ""),
            ("inheritOwner", inherit_owner, False),
            ("expand", expand, False),
        )

    def without_mount(self, path: str, *, expand: bool | None = False) -> Container:
        """Takes away what is mounted at a path.

        Args:
            path: Mount point.
            expand: Replace `$VAR` and `${VAR}` by the container's variables.
        """
        return self._select(Container, "withoutMount", ("path", path), ("expand", expand, False))

    def without_unix_socket(self, path: str, *, expand: bool | None = False) -> Container:
        """Takes away a socket mounted at a path.

        Args:
            path: Mount point.
            expand: Replace `$VAR` and `${VAR}` by the container's variables.
        """
        return self._select(
            Container,
            "withoutUnixSocket",
            ("path", path),
            ("expand", expand, False),
        )

    async def mounts(self) -> list[str]:
        """The paths that something is mounted at."""
        return await self._value(None, "mounts")

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
        """Puts the container's image into a registry; returns its name with the digest.

        Args:
            address: Name to publish under, such as `ghcr.io/org/app:1.2`.
            platform_variants: Containers for other platforms, to be part of the same image.
            forced_compression: Pack every layer so; otherwise those of images stay as they are
                and others are gzip.
            media_types: Whose names the parts of the image have.
            registry_service: The service that the registry is; the session reaches it so from
                then on, in plain HTTP unless told otherwise.
            protocol: How to speak to the registry.
            insecure_skip_tls_verify: Do not check the registry's certificate.
        """
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

    async def export(
        self,
        path: str,
        *,
        platform_variants: Sequence[Container] | None = None,
        forced_compression: ImageLayerCompression | None = None,
        media_types: ImageMediaTypes | None = ImageMediaTypes.OCIMediaTypes,
        expand: bool | None = False,
    ) -> str:
        """Writes the container's image to the client's host as an archive; returns the absolute
        path.

        Args:
            path: Destination; relative to the client's working directory.
            platform_variants: Containers for other platforms, to be part of the same image.
            forced_compression: Pack every layer so; otherwise those of images stay as they are
                and others are gzip.
            media_types: Whose names the parts of the image have.
            expand: Replace `$VAR` and `${VAR}` by the container's variables.
        """
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
        """Loads the container's image into the docker, podman, nerdctl or finch of the client's
        host.

        Args:
            name: Name of the image there.
            platform_variants: Containers for other platforms, to be part of the same image.
            forced_compression: Pack every layer so; otherwise those of images stay as they are
                and others are gzip.
            media_types: Whose names the parts of the image have.
        """
        await self._value(
            None,
            "exportImage",
            ("name", name),
            ("platformVariants", platform_variants, None),
            ("forcedCompression", forced_compression, None),
            ("mediaTypes", media_types, ImageMediaTypes.OCIMediaTypes),
        )

    def as_tarball(
        self,
        *,
        platform_variants: Sequence[Container] | None = None,
        forced_compression: ImageLayerCompression | None = None,
        media_types: ImageMediaTypes | None = ImageMediaTypes.OCIMediaTypes,
    ) -> File:
        """The container's image as an archive.

        Args:
            platform_variants: Containers for other platforms, to be part of the same image.
            forced_compression: Pack every layer so; otherwise those of images stay as they are
                and others are gzip.
            media_types: Whose names the parts of the image have.
        """
        return self._select(
            File,
            "asTarball",
            ("platformVariants", platform_variants, None),
            ("forcedCompression", forced_compression, None),
            ("mediaTypes", media_types, ImageMediaTypes.OCIMediaTypes),
        )

    def manifest(
        self,
        *,
        forced_compression: ImageLayerCompression | None = None,
        media_types: ImageMediaTypes | None = ImageMediaTypes.OCIMediaTypes,
    ) -> File:
        """The manifest that the container's image would be published with.

        Args:
            forced_compression: Pack every layer so; otherwise those of images stay as they are
                and others are gzip.
            media_types: Whose names the parts of the image have.
        """
        return self._select(
            File,
            "manifest",
            ("forcedCompression", forced_compression, None),
            ("mediaTypes", media_types, ImageMediaTypes.OCIMediaTypes),
        )

    def layer(
        self,
        id: str,
        *,
        forced_compression: ImageLayerCompression | None = None,
        media_types: ImageMediaTypes | None = ImageMediaTypes.OCIMediaTypes,
    ) -> File:
        """The blob of one layer of the container's image, as it would be published.

        Args:
            id: Digest of the blob, or of the layer before it was packed.
            forced_compression: Pack every layer so; otherwise those of images stay as they are
                and others are gzip.
            media_types: Whose names the parts of the image have.
        """
        return self._select(
            File,
            "layer",
            ("id", id),
            ("forcedCompression", forced_compression, None),
            ("mediaTypes", media_types, ImageMediaTypes.OCIMediaTypes),
        )

    def import_(self, source: File, *, tag: str | None = "") -> Container:
        """The container with the files and configuration of an image in an archive.

        Args:
            source: The archive: an OCI layout, or what `docker save` writes.
            tag: Name or tag of the image, if the archive holds several.
        """
        return self._select(Container, "import", ("source", source), ("tag", tag, ""))

    def pipeline(
        self,
        name: str,
        *,
        description: str | None = None,
        labels: Sequence[PipelineLabel] | None = None,
    ) -> Container:
        """Does nothing (older clients).

        Args:
            name: Ignored.
            description: Ignored.
            labels: Ignored.
        """
        return self._select(
            Container,
            "pipeline",
            ("name", name),
            ("description", description, None),
            ("labels", labels, None),
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
        """Merges a directory into this one: files are replaced, directories merged.

        Args:
            path: Destination.
            source: The directory.
            exclude: Patterns of what to leave out.
            include: Patterns of what to take; everything by default.
            gitignore: Leave out what `.gitignore` files name.
            owner: Owner as `user[:group]`, by name or number; names are looked up in the
                target's own /etc/passwd and /etc/group.
            inherit_owner: Give it to the container's user.
            expand: Replace `$VAR` and `${VAR}` by the container's variables.
            permissions: Permission bits of the files.
        """
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
        """Copies a file.

        Args:
            path: Destination; a directory if it ends in `/`.
            source: The file.
            permissions: Permission bits; those of the file by default.
            owner: Owner as `user[:group]`, by name or number; names are looked up in the
                target's own /etc/passwd and /etc/group.
            inherit_owner: Give it to the container's user.
            expand: Replace `$VAR` and `${VAR}` by the container's variables.
        """
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
        """Copies files into a directory, under their names.

        Args:
            path: Destination directory.
            sources: The files.
            permissions: Permission bits; those of each file by default.
            owner: Owner as `user[:group]`, by name or number; names are looked up in the
                target's own /etc/passwd and /etc/group.
            inherit_owner: Give it to the container's user.
            expand: Replace `$VAR` and `${VAR}` by the container's variables.
        """
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
        """Writes a file.

        Args:
            path: Destination.
            contents: Contents.
            permissions: Permission bits, such as 420 for 0644.
            owner: Owner as `user[:group]`, by name or number; names are looked up in the
                target's own /etc/passwd and /etc/group.
            inherit_owner: Give it to the container's user.
            expand: Replace `$VAR` and `${VAR}` by the container's variables.
        """
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

    def with_symlink(
        self,
        target: str,
        link_name: str,
        *,
        expand: bool | None = False,
    ) -> Container:
        """Makes a symbolic link.

        Args:
            target: What the link says.
            link_name: Where the link is.
            expand: Replace `$VAR` and `${VAR}` by the container's variables.
        """
        return self._select(
            Container,
            "withSymlink",
            ("target", target),
            ("linkName", link_name),
            ("expand", expand, False),
        )

    def without_file(self, path: str, *, expand: bool | None = False) -> Container:
        """Removes a file; nothing there is fine.

        Args:
            path: Path or pattern.
            expand: Replace `$VAR` and `${VAR}` by the container's variables.
        """
        return self._select(Container, "withoutFile", ("path", path), ("expand", expand, False))

    def without_directory(self, path: str, *, expand: bool | None = False) -> Container:
        """Removes a directory with all that is in it; nothing there is fine.

        Args:
            path: Path or pattern.
            expand: Replace `$VAR` and `${VAR}` by the container's variables.
        """
        return self._select(
            Container,
            "withoutDirectory",
            ("path", path),
            ("expand", expand, False),
        )

    def without_files(self, paths: Sequence[str], *, expand: bool | None = False) -> Container:
        """Removes files; nothing there is fine.

        Args:
            paths: Paths or patterns.
            expand: Replace `$VAR` and `${VAR}` by the container's variables.
        """
        return self._select(Container, "withoutFiles", ("paths", paths), ("expand", expand, False))

    def directory(self, path: str, *, expand: bool | None = False) -> Directory:
        """A directory below; in a container, mounted ones included.

        Args:
            path: Path.
            expand: Replace `$VAR` and `${VAR}` by the container's variables.
        """
        return self._select(Directory, "directory", ("path", path), ("expand", expand, False))

    def file(self, path: str, *, expand: bool | None = False) -> File:
        """A file below; in a container, mounted ones included.

        Args:
            path: Path.
            expand: Replace `$VAR` and `${VAR}` by the container's variables.
        """
        return self._select(File, "file", ("path", path), ("expand", expand, False))

    def with_error(self, err: str) -> Container:
        """Fails with a message when something is asked of it; an empty message changes nothing.

        Args:
            err: The message.
        """
        return self._select(Container, "withError", ("err", err))

    def build(
        self,
        context: Directory,
        *,
        dockerfile: str | None = "Dockerfile",
        build_args: Sequence[BuildArg] | None = None,
        target: str | None = "",
        secrets: Sequence[Secret] | None = None,
        no_init: bool | None = False,
    ) -> Container:
        """Builds a Dockerfile in place of this container.

        Args:
            dockerfile: Path of the Dockerfile in the context.
            build_args: Values of `ARG`s.
            target: The stage to build; the last by default.
            secrets: Secrets for `RUN --mount=type=secret`; a secret's name is its id there.
            no_init: Whether commands are process 1 themselves.
            context: The build context.
        """
        return self._select(
            Container,
            "build",
            ("dockerfile", dockerfile, "Dockerfile"),
            ("buildArgs", build_args, None),
            ("target", target, ""),
            ("secrets", secrets, None),
            ("noInit", no_init, False),
            ("context", context),
        )

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
        """The container's command as a service. It starts when somebody needs it, once for all who
        do.

        Args:
            args: Command instead of the default one, which is the entrypoint with the default
                arguments.
            use_entrypoint: Put the entrypoint in front of `args`.
            experimental_privileged_nesting: Let the command call this API.
            insecure_root_capabilities: All capabilities, inside nsci's user namespace.
            expand: Replace `$VAR` and `${VAR}` by the container's variables.
            no_init: Run the command as process 1, without an init that reaps.
        """
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

    def with_service_binding(self, alias: str, service: Service) -> Container:
        """Lets commands reach a service by a name. It runs while they do.

        Args:
            alias: The name.
            service: The service.
        """
        return self._select(Container, "withServiceBinding", ("alias", alias), ("service", service))

    async def up(
        self,
        *,
        ports: Sequence[PortForward] | None = None,
        random: bool | None = False,
        args: Sequence[str] | None = None,
        use_entrypoint: bool | None = False,
        experimental_privileged_nesting: bool | None = False,
        insecure_root_capabilities: bool | None = False,
        expand: bool | None = False,
        no_init: bool | None = False,
    ) -> None:
        """Runs the container's command as a service and opens its ports on the host until it ends.

        Args:
            ports: Ports to open; by default all that are declared, by their numbers.
            random: Open free ports of the host's choice instead.
            args: Command instead of the default one, which is the entrypoint with the default
                arguments.
            use_entrypoint: Put the entrypoint in front of `args`.
            experimental_privileged_nesting: Let the command call this API.
            insecure_root_capabilities: All capabilities, inside nsci's user namespace.
            expand: Replace `$VAR` and `${VAR}` by the container's variables.
            no_init: Run the command as process 1, without an init that reaps.
        """
        await self._value(
            None,
            "up",
            ("ports", ports, None),
            ("random", random, False),
            ("args", args, None),
            ("useEntrypoint", use_entrypoint, False),
            ("experimentalPrivilegedNesting", experimental_privileged_nesting, False),
            ("insecureRootCapabilities", insecure_root_capabilities, False),
            ("expand", expand, False),
            ("noInit", no_init, False),
        )

    async def hostname(self) -> str:
        """Host name of the container as a service (older clients)."""
        return await self._value(None, "hostname")

    async def endpoint(self, *, port: int | None = None, scheme: str | None = "") -> str:
        """Address of the container as a service (older clients).

        Args:
            port: Port; the first that is declared if absent.
            scheme: Scheme of a URL, such as `http`; without one it is `host:port`.
        """
        return await self._value(None, "endpoint", ("port", port, None), ("scheme", scheme, ""))

    def stat(
        self,
        path: str,
        *,
        do_not_follow_symlinks: bool | None = False,
        expand: bool | None = False,
    ) -> Stat:
        """What is at a path; null if nothing is.

        Args:
            path: Path.
            do_not_follow_symlinks: Look at a link itself.
            expand: Replace `$VAR` and `${VAR}` by the container's variables.
        """
        return self._select(
            Stat,
            "stat",
            ("path", path),
            ("doNotFollowSymlinks", do_not_follow_symlinks, False),
            ("expand", expand, False),
        )

    def with_env_file_variables(self, source: EnvFile) -> Container:
        """Sets all variables of a file.

        Args:
            source: The file.
        """
        return self._select(Container, "withEnvFileVariables", ("source", source))

    def terminal(
        self,
        *,
        cmd: Sequence[str] | None = None,
        experimental_privileged_nesting: bool | None = False,
        insecure_root_capabilities: bool | None = False,
    ) -> Container:
        """Opens a shell in the container and waits for its end. Gives the container as it was.

        Args:
            cmd: The shell; by default withDefaultTerminalCmd's, or `sh`.
            experimental_privileged_nesting: Let it call this API.
            insecure_root_capabilities: All capabilities, inside nsci's user namespace.
        """
        return self._select(
            Container,
            "terminal",
            ("cmd", cmd, None),
            ("experimentalPrivilegedNesting", experimental_privileged_nesting, False),
            ("insecureRootCapabilities", insecure_root_capabilities, False),
        )

    def with_focus(self) -> Container:
        """Does nothing (older clients)."""
        return self._select(Container, "withFocus")

    def without_focus(self) -> Container:
        """Does nothing (older clients)."""
        return self._select(Container, "withoutFocus")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def __await__(self) -> Steps[Any, None, Container]:
        return self.sync().__await__()

    def with_(self, cb: Callable[[Container], Container]) -> Container:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class CurrentModule(Type):
    """The module that asks."""

    __slots__ = ()
    _api_name = "CurrentModule"

    async def name(self) -> str:
        """Its name."""
        return await self._value(None, "name")

    def source(self) -> Directory:
        """Its sources."""
        return self._select(Directory, "source")

    def generated_context_directory(self) -> Directory:
        """Its context with what is generated for it."""
        return self._select(Directory, "generatedContextDirectory")

    def workdir(
        self,
        path: str,
        *,
        exclude: Sequence[str] | None = None,
        include: Sequence[str] | None = None,
        gitignore: bool | None = False,
    ) -> Directory:
        """A directory of the running function's working directory, as it is now.

        Args:
            path: Path, relative to the working directory.
            exclude: Patterns of what to leave out.
            include: Patterns of what to take; everything by default.
            gitignore: Leave out what `.gitignore` files name.
        """
        return self._select(
            Directory,
            "workdir",
            ("path", path),
            ("exclude", exclude, None),
            ("include", include, None),
            ("gitignore", gitignore, False),
        )

    def workdir_file(self, path: str) -> File:
        """A file of the running function's working directory, as it is now.

        Args:
            path: Path, relative to the working directory.
        """
        return self._select(File, "workdirFile", ("path", path))

    async def dependencies(self) -> list[Module]:
        """The modules that it uses."""
        return await self._objects(Module, "dependencies")

    def generators(self, *, include: Sequence[str] | None = None) -> GeneratorGroup:
        """Its functions that make files.

        Args:
            include: Names of generators, or of what has them; `*` stands for anything.
        """
        return self._select(GeneratorGroup, "generators", ("include", include, None))

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[CurrentModule], CurrentModule]) -> CurrentModule:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class DiffStat(Type):
    """What became of a file."""

    __slots__ = ()
    _api_name = "DiffStat"

    async def path(self) -> str:
        """Where it is, or was."""
        return await self._value(None, "path")

    async def old_path(self) -> str | None:
        """Where it was, if it was moved."""
        return await self._value(None, "oldPath")

    async def kind(self) -> DiffStatKind:
        """What became of it."""
        return await self._value(DiffStatKind, "kind")

    async def added_lines(self) -> int:
        """Lines that are new; none for what is no text."""
        return await self._value(None, "addedLines")

    async def removed_lines(self) -> int:
        """Lines that are gone; none for what is no text."""
        return await self._value(None, "removedLines")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[DiffStat], DiffStat]) -> DiffStat:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Directory(Type):
    """A directory with all that is below it."""

    __slots__ = ()
    _api_name = "Directory"

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
        """Merges a directory into this one: files are replaced, directories merged.

        Args:
            path: Destination.
            source: The directory.
            exclude: Patterns of what to leave out.
            include: Patterns of what to take; everything by default.
            gitignore: Leave out what `.gitignore` files name.
            owner: Owner as `user[:group]`, by name or number; names are looked up in the
                target's own /etc/passwd and /etc/group.
            permissions: Permission bits of the files.
        """
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

    def with_file(
        self,
        path: str,
        source: File,
        *,
        permissions: int | None = None,
        owner: str | None = "",
    ) -> Directory:
        """Copies a file.

        Args:
            path: Destination; a directory if it ends in `/`.
            source: The file.
            permissions: Permission bits; those of the file by default.
            owner: Owner as `user[:group]`, by name or number; names are looked up in the
                target's own /etc/passwd and /etc/group.
        """
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
        owner: str | None = "",
    ) -> Directory:
        """Copies files into a directory, under their names.

        Args:
            path: Destination directory.
            sources: The files.
            permissions: Permission bits; those of each file by default.
            owner: Owner as `user[:group]`, by name or number; names are looked up in the
                target's own /etc/passwd and /etc/group.
        """
        return self._select(
            Directory,
            "withFiles",
            ("path", path),
            ("sources", sources),
            ("permissions", permissions, None),
            ("owner", owner, ""),
        )

    def with_new_file(
        self,
        path: str,
        contents: str,
        *,
        permissions: int | None = 420,
        owner: str | None = "",
    ) -> Directory:
        """Writes a file.

        Args:
            path: Destination.
            contents: Contents.
            permissions: Permission bits, such as 420 for 0644.
            owner: Owner as `user[:group]`, by name or number; names are looked up in the
                target's own /etc/passwd and /etc/group.
        """
        return self._select(
            Directory,
            "withNewFile",
            ("path", path),
            ("contents", contents),
            ("permissions", permissions, 420),
            ("owner", owner, ""),
        )

    def with_symlink(self, target: str, link_name: str) -> Directory:
        """Makes a symbolic link.

        Args:
            target: What the link says.
            link_name: Where the link is.
        """
        return self._select(Directory, "withSymlink", ("target", target), ("linkName", link_name))

    def without_file(self, path: str) -> Directory:
        """Removes a file; nothing there is fine.

        Args:
            path: Path or pattern.
        """
        return self._select(Directory, "withoutFile", ("path", path))

    def without_directory(self, path: str) -> Directory:
        """Removes a directory with all that is in it; nothing there is fine.

        Args:
            path: Path or pattern.
        """
        return self._select(Directory, "withoutDirectory", ("path", path))

    def without_files(self, paths: Sequence[str]) -> Directory:
        """Removes files; nothing there is fine.

        Args:
            paths: Paths or patterns.
        """
        return self._select(Directory, "withoutFiles", ("paths", paths))

    def directory(self, path: str) -> Directory:
        """A directory below; in a container, mounted ones included.

        Args:
            path: Path.
        """
        return self._select(Directory, "directory", ("path", path))

    def file(self, path: str) -> File:
        """A file below; in a container, mounted ones included.

        Args:
            path: Path.
        """
        return self._select(File, "file", ("path", path))

    def with_error(self, err: str) -> Directory:
        """Fails with a message when something is asked of it; an empty message changes nothing.

        Args:
            err: The message.
        """
        return self._select(Directory, "withError", ("err", err))

    def with_new_directory(self, path: str, *, permissions: int | None = None) -> Directory:
        """Makes a directory with its parents.

        Args:
            path: Path.
            permissions: Permission bits; 493 (0755) by default.
        """
        return self._select(
            Directory,
            "withNewDirectory",
            ("path", path),
            ("permissions", permissions, None),
        )

    def with_timestamps(self, timestamp: int) -> Directory:
        """Sets all modification times.

        Args:
            timestamp: Seconds since 1970.
        """
        return self._select(Directory, "withTimestamps", ("timestamp", timestamp))

    def chown(self, path: str, owner: str) -> Directory:
        """Changes the owner of a path and all below it.

        Args:
            path: Path.
            owner: `user[:group]`; names are looked up in the directory's own /etc/passwd.
        """
        return self._select(Directory, "chown", ("path", path), ("owner", owner))

    def filter(
        self,
        *,
        exclude: Sequence[str] | None = None,
        include: Sequence[str] | None = None,
        gitignore: bool | None = False,
    ) -> Directory:
        """The part of the directory that patterns let through.

        Args:
            exclude: Patterns of what to leave out.
            include: Patterns of what to take; everything by default.
            gitignore: Leave out what `.gitignore` files name.
        """
        return self._select(
            Directory,
            "filter",
            ("exclude", exclude, None),
            ("include", include, None),
            ("gitignore", gitignore, False),
        )

    def diff(self, other: Directory) -> Directory:
        """The other directory without what is the same in this one.

        Args:
            other: The other directory.
        """
        return self._select(Directory, "diff", ("other", other))

    async def entries(self, *, path: str | None = None) -> list[str]:
        """The names in the directory, sorted; those of directories end in `/`.

        Args:
            path: A directory below.
        """
        return await self._value(None, "entries", ("path", path, None))

    async def glob(self, pattern: str) -> list[str]:
        """The paths that match a pattern, sorted; those of directories end in `/`.

        Args:
            pattern: `*` matches within a name, `**` across names.
        """
        return await self._value(None, "glob", ("pattern", pattern))

    async def name(self) -> str:
        """The directory's own name."""
        return await self._value(None, "name")

    async def find_up(self, name: str, start: str) -> str | None:
        """The path of the nearest file or directory of a name in a directory or above it; null if
        there is none.

        Args:
            name: The name.
            start: Path of the directory to begin in.
        """
        return await self._value(None, "findUp", ("name", name), ("start", start))

    async def digest(self) -> str:
        """A hash of all that is in the directory, modification times apart."""
        return await self._value(None, "digest")

    async def exists(
        self,
        path: str,
        *,
        expected_type: ExistsType | None = None,
        do_not_follow_symlinks: bool | None = False,
    ) -> bool:
        """Whether something is at a path.

        Args:
            path: Path.
            expected_type: What it has to be.
            do_not_follow_symlinks: Look at a link itself.
        """
        return await self._value(
            None,
            "exists",
            ("path", path),
            ("expectedType", expected_type, None),
            ("doNotFollowSymlinks", do_not_follow_symlinks, False),
        )

    async def export(self, path: str, *, wipe: bool | None = False) -> str:
        """Writes the directory to the client's host; returns the absolute path.

        Args:
            path: Destination; relative to the client's working directory.
            wipe: Remove what is there and not in the directory.
        """
        return await self._value(None, "export", ("path", path), ("wipe", wipe, False))

    async def sync(self) -> Directory:
        """Makes everything so far happen now."""
        return await self._same("sync")

    def pipeline(
        self,
        name: str,
        *,
        description: str | None = None,
        labels: Sequence[PipelineLabel] | None = None,
    ) -> Directory:
        """Does nothing (older clients).

        Args:
            name: Ignored.
            description: Ignored.
            labels: Ignored.
        """
        return self._select(
            Directory,
            "pipeline",
            ("name", name),
            ("description", description, None),
            ("labels", labels, None),
        )

    def docker_build(
        self,
        *,
        dockerfile: str | None = "Dockerfile",
        build_args: Sequence[BuildArg] | None = None,
        target: str | None = "",
        secrets: Sequence[Secret] | None = None,
        no_init: bool | None = False,
        platform: Platform | None = None,
        ssh: Socket | None = None,
    ) -> Container:
        """Builds the directory's Dockerfile.

        Args:
            dockerfile: Path of the Dockerfile in the context.
            build_args: Values of `ARG`s.
            target: The stage to build; the last by default.
            secrets: Secrets for `RUN --mount=type=secret`; a secret's name is its id there.
            no_init: Whether commands are process 1 themselves.
            platform: Platform of the result; the host's by default.
            ssh: Socket for `RUN --mount=type=ssh`.
        """
        return self._select(
            Container,
            "dockerBuild",
            ("dockerfile", dockerfile, "Dockerfile"),
            ("buildArgs", build_args, None),
            ("target", target, ""),
            ("secrets", secrets, None),
            ("noInit", no_init, False),
            ("platform", platform, None),
            ("ssh", ssh, None),
        )

    def as_git(self) -> GitRepository:
        """The directory as a git repository; it must have a `.git` directory."""
        return self._select(GitRepository, "asGit")

    def stat(self, path: str, *, do_not_follow_symlinks: bool | None = False) -> Stat:
        """What is at a path; null if nothing is.

        Args:
            path: Path.
            do_not_follow_symlinks: Look at a link itself.
        """
        return self._select(
            Stat,
            "stat",
            ("path", path),
            ("doNotFollowSymlinks", do_not_follow_symlinks, False),
        )

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
        """The lines of files that match a pattern, in the order of their paths.

        Args:
            paths: Files and directories to search; all by default.
            globs: Patterns of the files to search; `!` in front leaves out.
            pattern: Regular expression.
            literal: The pattern is a text.
            multiline: A match may span lines.
            dotall: `.` matches ends of lines too, if a match may span lines.
            insensitive: Case does not count.
            skip_ignored: Leave out what `.gitignore` files name.
            skip_hidden: Leave out names that begin with a dot.
            files_only: One result for each file, without lines.
            limit: Most results; 10,000 by default.
        """
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

    def changes(self, from_: Directory) -> Changeset:
        """What makes this directory of an older one.

        Args:
            from_: The older one.
        """
        return self._select(Changeset, "changes", ("from", from_))

    def with_changes(self, changes: Changeset) -> Directory:
        """Applies a change: what it removed goes, what it added or modified becomes what it is
        there.

        Args:
            changes: The change.
        """
        return self._select(Directory, "withChanges", ("changes", changes))

    def with_patch(
        self,
        patch: str,
        *,
        on_conflict: PatchConflict | None = PatchConflict.FAIL,
    ) -> Directory:
        """Applies a patch as `git diff` or `diff -u` write it.

        Args:
            patch: The patch.
            on_conflict: What to do where the patch does not fit.
        """
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
        """Applies a patch from a file.

        Args:
            patch: The file.
            on_conflict: What to do where the patch does not fit.
        """
        return self._select(
            Directory,
            "withPatchFile",
            ("patch", patch),
            ("onConflict", on_conflict, PatchConflict.FAIL),
        )

    def terminal(
        self,
        *,
        container: Container | None = None,
        cmd: Sequence[str] | None = None,
        experimental_privileged_nesting: bool | None = False,
        insecure_root_capabilities: bool | None = False,
    ) -> Directory:
        """Opens a shell beside the directory and waits for its end. Gives the directory as it was.

        Args:
            container: Container for the shell; a small one with `sh` by default.
            cmd: The shell; by default withDefaultTerminalCmd's, or `sh`.
            experimental_privileged_nesting: Let it call this API.
            insecure_root_capabilities: All capabilities, inside nsci's user namespace.
        """
        return self._select(
            Directory,
            "terminal",
            ("container", container, None),
            ("cmd", cmd, None),
            ("experimentalPrivilegedNesting", experimental_privileged_nesting, False),
            ("insecureRootCapabilities", insecure_root_capabilities, False),
        )

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def __await__(self) -> Steps[Any, None, Directory]:
        return self.sync().__await__()

    def with_(self, cb: Callable[[Directory], Directory]) -> Directory:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class EnumTypeDef(Type):
    """The definition of an enum."""

    __slots__ = ()
    _api_name = "EnumTypeDef"

    async def name(self) -> str:
        """Its name."""
        return await self._value(None, "name")

    async def description(self) -> str:
        """What it is."""
        return await self._value(None, "description")

    async def members(self) -> list[EnumValueTypeDef]:
        """Its members."""
        return await self._objects(EnumValueTypeDef, "members")

    async def values(self) -> list[EnumValueTypeDef]:
        """Its members."""
        return await self._objects(EnumValueTypeDef, "values")

    def source_map(self) -> SourceMap:
        """Where it is declared."""
        return self._select(SourceMap, "sourceMap")

    async def source_module_name(self) -> str:
        """The module it is of; empty for the core."""
        return await self._value(None, "sourceModuleName")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[EnumTypeDef], EnumTypeDef]) -> EnumTypeDef:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class EnumValueTypeDef(Type):
    """A member of an enum."""

    __slots__ = ()
    _api_name = "EnumValueTypeDef"

    async def name(self) -> str:
        """Its name."""
        return await self._value(None, "name")

    async def value(self) -> str:
        """The value behind it."""
        return await self._value(None, "value")

    async def description(self) -> str:
        """What it is."""
        return await self._value(None, "description")

    async def deprecated(self) -> str | None:
        """Why not to use it."""
        return await self._value(None, "deprecated")

    def source_map(self) -> SourceMap:
        """Where it is declared."""
        return self._select(SourceMap, "sourceMap")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[EnumValueTypeDef], EnumValueTypeDef]) -> EnumValueTypeDef:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class EnvFile(Type):
    """Variables as `.env` files have them."""

    __slots__ = ()
    _api_name = "EnvFile"

    async def exists(self, name: str) -> bool:
        """Whether a variable is there.

        Args:
            name: Name.
        """
        return await self._value(None, "exists", ("name", name))

    async def get(self, name: str, *, raw: bool | None = None) -> str:
        """Value of a variable.

        Args:
            name: Name.
            raw: The value as it is written: with quotes, variables not replaced.
        """
        return await self._value(None, "get", ("name", name), ("raw", raw, None))

    async def variables(self, *, raw: bool | None = None) -> list[EnvVariable]:
        """All variables.

        Args:
            raw: The value as it is written: with quotes, variables not replaced.
        """
        return await self._objects(EnvVariable, "variables", ("raw", raw, None))

    def as_file(self) -> File:
        """The variables as a file named `.env`."""
        return self._select(File, "asFile")

    def with_variable(self, name: str, value: str) -> EnvFile:
        """Sets a variable; `$NAME` in the value stands for another.

        Args:
            name: Name.
            value: Value.
        """
        return self._select(EnvFile, "withVariable", ("name", name), ("value", value))

    def without_variable(self, name: str) -> EnvFile:
        """Removes a variable; none of that name is fine.

        Args:
            name: Name.
        """
        return self._select(EnvFile, "withoutVariable", ("name", name))

    def namespace(self, prefix: str) -> EnvFile:
        """The variables that begin with a prefix, without it.

        Args:
            prefix: The prefix.
        """
        return self._select(EnvFile, "namespace", ("prefix", prefix))

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[EnvFile], EnvFile]) -> EnvFile:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class EnvVariable(Type):
    """An environment variable."""

    __slots__ = ()
    _api_name = "EnvVariable"

    async def name(self) -> str:
        """Its name."""
        return await self._value(None, "name")

    async def value(self) -> str:
        """Its value."""
        return await self._value(None, "value")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[EnvVariable], EnvVariable]) -> EnvVariable:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Error(Type):
    """An error that a function returns."""

    __slots__ = ()
    _api_name = "Error"

    async def message(self) -> str:
        """What went wrong."""
        return await self._value(None, "message")

    async def values(self) -> list[ErrorValue]:
        """What a program may read of it."""
        return await self._objects(ErrorValue, "values")

    def with_value(self, name: str, value: JSON) -> Error:
        """Adds a value.

        Args:
            name: Name.
            value: Value.
        """
        return self._select(Error, "withValue", ("name", name), ("value", value))

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[Error], Error]) -> Error:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class ErrorValue(Type):
    """A value of an error."""

    __slots__ = ()
    _api_name = "ErrorValue"

    async def name(self) -> str:
        """Its name."""
        return await self._value(None, "name")

    async def value(self) -> JSON:
        """Its value."""
        return await self._value(JSON, "value")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[ErrorValue], ErrorValue]) -> ErrorValue:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class FieldTypeDef(Type):
    """A field of an object."""

    __slots__ = ()
    _api_name = "FieldTypeDef"

    async def name(self) -> str:
        """Its name."""
        return await self._value(None, "name")

    async def description(self) -> str:
        """What it is."""
        return await self._value(None, "description")

    async def deprecated(self) -> str | None:
        """Why not to use it."""
        return await self._value(None, "deprecated")

    def type_def(self) -> TypeDef:
        """Its type."""
        return self._select(TypeDef, "typeDef")

    def source_map(self) -> SourceMap:
        """Where it is declared."""
        return self._select(SourceMap, "sourceMap")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[FieldTypeDef], FieldTypeDef]) -> FieldTypeDef:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class File(Type):
    """A file."""

    __slots__ = ()
    _api_name = "File"

    async def contents(
        self,
        *,
        offset_lines: int | None = None,
        limit_lines: int | None = None,
    ) -> str:
        """The text of the file, or some of its lines.

        Args:
            offset_lines: Lines to pass over.
            limit_lines: Most lines to return.
        """
        return await self._value(
            None,
            "contents",
            ("offsetLines", offset_lines, None),
            ("limitLines", limit_lines, None),
        )

    async def size(self) -> int:
        """Its size in bytes."""
        return await self._value(None, "size")

    async def name(self) -> str:
        """Its name."""
        return await self._value(None, "name")

    async def digest(self, *, exclude_metadata: bool | None = False) -> str:
        """A hash of the file.

        Args:
            exclude_metadata: Hash the contents alone.
        """
        return await self._value(None, "digest", ("excludeMetadata", exclude_metadata, False))

    async def export(self, path: str, *, allow_parent_dir_path: bool | None = False) -> str:
        """Writes the file to the client's host; returns the absolute path.

        Args:
            path: Destination; relative to the client's working directory.
            allow_parent_dir_path: Write into the path if it is a directory.
        """
        return await self._value(
            None,
            "export",
            ("path", path),
            ("allowParentDirPath", allow_parent_dir_path, False),
        )

    def with_name(self, name: str) -> File:
        """The file under another name.

        Args:
            name: Name.
        """
        return self._select(File, "withName", ("name", name))

    def with_replaced(
        self,
        search: str,
        replacement: str,
        *,
        all: bool | None = False,
        first_from: int | None = None,
    ) -> File:
        """The file with a text in it replaced; by default there has to be exactly one match.

        Args:
            search: What is replaced.
            replacement: By what.
            all: Replace every match.
            first_from: Replace the first match from this line on.
        """
        return self._select(
            File,
            "withReplaced",
            ("search", search),
            ("replacement", replacement),
            ("all", all, False),
            ("firstFrom", first_from, None),
        )

    def with_timestamps(self, timestamp: int) -> File:
        """Sets the modification time.

        Args:
            timestamp: Seconds since 1970.
        """
        return self._select(File, "withTimestamps", ("timestamp", timestamp))

    def chown(self, owner: str) -> File:
        """Changes the owner.

        Args:
            owner: `uid[:gid]`, by number.
        """
        return self._select(File, "chown", ("owner", owner))

    async def sync(self) -> File:
        """Makes everything so far happen now."""
        return await self._same("sync")

    def stat(self) -> Stat:
        """What is known of the file."""
        return self._select(Stat, "stat")

    def as_env_file(self, *, expand: bool | None = None) -> EnvFile:
        """The file's lines as variables.

        Args:
            expand: Variables in values are always replaced.
        """
        return self._select(EnvFile, "asEnvFile", ("expand", expand, None))

    def as_json(self) -> JSONValue:
        """The file's contents as JSON."""
        return self._select(JSONValue, "asJSON")

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
        """The lines of the file that match a pattern.

        Args:
            paths: Files and directories to search; all by default.
            globs: Patterns of the files to search; `!` in front leaves out.
            pattern: Regular expression.
            literal: The pattern is a text.
            multiline: A match may span lines.
            dotall: `.` matches ends of lines too, if a match may span lines.
            insensitive: Case does not count.
            skip_ignored: Leave out what `.gitignore` files name.
            skip_hidden: Leave out names that begin with a dot.
            files_only: One result for each file, without lines.
            limit: Most results; 10,000 by default.
        """
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

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def __await__(self) -> Steps[Any, None, File]:
        return self.sync().__await__()

    def with_(self, cb: Callable[[File], File]) -> File:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Function(Type):
    """A function of an object or interface."""

    __slots__ = ()
    _api_name = "Function"

    async def name(self) -> str:
        """Its name."""
        return await self._value(None, "name")

    async def description(self) -> str:
        """What it does."""
        return await self._value(None, "description")

    async def deprecated(self) -> str | None:
        """Why not to use it."""
        return await self._value(None, "deprecated")

    def return_type(self) -> TypeDef:
        """What it returns."""
        return self._select(TypeDef, "returnType")

    async def args(self) -> list[FunctionArg]:
        """Its arguments."""
        return await self._objects(FunctionArg, "args")

    def source_map(self) -> SourceMap:
        """Where it is declared."""
        return self._select(SourceMap, "sourceMap")

    async def source_module_name(self) -> str:
        """The module it is of; empty if it is none's."""
        return await self._value(None, "sourceModuleName")

    def with_description(self, description: str) -> Function:
        """Says what it does.

        Args:
            description: What it does.
        """
        return self._select(Function, "withDescription", ("description", description))

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
        """Adds an argument.

        Args:
            name: Its name in the source.
            type_def: Its type.
            description: What it is.
            default_value: Its value when none is given.
            default_path: Path of the module's context to take when none is given.
            ignore: Patterns of what to leave out of a directory.
            source_map: Where it is declared.
            deprecated: Why not to use it.
            default_address: Address to take when none is given.
        """
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
        """Says how long its answers are used again.

        Args:
            policy: How long.
            time_to_live: No longer than this, such as 10m.
        """
        return self._select(
            Function,
            "withCachePolicy",
            ("policy", policy),
            ("timeToLive", time_to_live, None),
        )

    def with_deprecated(self, *, reason: str | None = None) -> Function:
        """Says why not to use it.

        Args:
            reason: Why.
        """
        return self._select(Function, "withDeprecated", ("reason", reason, None))

    def with_source_map(self, source_map: SourceMap) -> Function:
        """Says where it is declared.

        Args:
            source_map: Where.
        """
        return self._select(Function, "withSourceMap", ("sourceMap", source_map))

    def with_check(self) -> Function:
        """Makes it a check."""
        return self._select(Function, "withCheck")

    def with_generator(self) -> Function:
        """Makes it a generator."""
        return self._select(Function, "withGenerator")

    def with_up(self) -> Function:
        """Makes it one that starts a service."""
        return self._select(Function, "withUp")

    def with_agent(self) -> Function:
        """Makes it an agent."""
        return self._select(Function, "withAgent")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[Function], Function]) -> Function:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class FunctionArg(Type):
    """An argument of a function."""

    __slots__ = ()
    _api_name = "FunctionArg"

    async def name(self) -> str:
        """Its name."""
        return await self._value(None, "name")

    async def description(self) -> str:
        """What it is."""
        return await self._value(None, "description")

    async def deprecated(self) -> str | None:
        """Why not to use it."""
        return await self._value(None, "deprecated")

    def type_def(self) -> TypeDef:
        """Its type."""
        return self._select(TypeDef, "typeDef")

    async def default_value(self) -> JSON:
        """Its value when none is given; empty if there is none."""
        return await self._value(JSON, "defaultValue")

    async def default_path(self) -> str:
        """Path of the module's context that is taken when none is given."""
        return await self._value(None, "defaultPath")

    async def default_address(self) -> str:
        """Address that is taken when none is given."""
        return await self._value(None, "defaultAddress")

    async def ignore(self) -> list[str]:
        """Patterns of what is left out of a directory."""
        return await self._value(None, "ignore")

    def source_map(self) -> SourceMap:
        """Where it is declared."""
        return self._select(SourceMap, "sourceMap")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[FunctionArg], FunctionArg]) -> FunctionArg:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class FunctionCall(Type):
    """A call of a module's function."""

    __slots__ = ()
    _api_name = "FunctionCall"

    async def name(self) -> str:
        """The function; empty for the constructor."""
        return await self._value(None, "name")

    async def parent_name(self) -> str:
        """The object's type."""
        return await self._value(None, "parentName")

    async def parent(self) -> JSON:
        """The object's state."""
        return await self._value(JSON, "parent")

    async def input_args(self) -> list[FunctionCallArgValue]:
        """The arguments."""
        return await self._objects(FunctionCallArgValue, "inputArgs")

    async def return_value(self, value: JSON) -> None:
        """Answers the call.

        Args:
            value: The result.
        """
        await self._value(None, "returnValue", ("value", value))

    async def return_error(self, error: Error) -> None:
        """Answers the call with an error.

        Args:
            error: The error.
        """
        await self._value(None, "returnError", ("error", error))

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[FunctionCall], FunctionCall]) -> FunctionCall:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class FunctionCallArgValue(Type):
    """An argument of a call."""

    __slots__ = ()
    _api_name = "FunctionCallArgValue"

    async def name(self) -> str:
        """Its name."""
        return await self._value(None, "name")

    async def value(self) -> JSON:
        """Its value."""
        return await self._value(JSON, "value")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(
        self, cb: Callable[[FunctionCallArgValue], FunctionCallArgValue]
    ) -> FunctionCallArgValue:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class GeneratedCode(Type):
    """What an SDK generated for a module."""

    __slots__ = ()
    _api_name = "GeneratedCode"

    def code(self) -> Directory:
        """The module's source with it."""
        return self._select(Directory, "code")

    async def vcs_generated_paths(self) -> list[str]:
        """Paths that are generated."""
        return await self._value(None, "vcsGeneratedPaths")

    async def vcs_ignored_paths(self) -> list[str]:
        """Paths that are not to be committed."""
        return await self._value(None, "vcsIgnoredPaths")

    def with_vcs_generated_paths(self, paths: Sequence[str]) -> GeneratedCode:
        """Says which paths are generated.

        Args:
            paths: The paths.
        """
        return self._select(GeneratedCode, "withVCSGeneratedPaths", ("paths", paths))

    def with_vcs_ignored_paths(self, paths: Sequence[str]) -> GeneratedCode:
        """Says which paths are not to be committed.

        Args:
            paths: The paths.
        """
        return self._select(GeneratedCode, "withVCSIgnoredPaths", ("paths", paths))

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[GeneratedCode], GeneratedCode]) -> GeneratedCode:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Generator(Type):
    """A function of a module that makes files."""

    __slots__ = ()
    _api_name = "Generator"

    async def name(self) -> str:
        """Its name in the module; names of what leads to it come first, with `:` between them."""
        return await self._value(None, "name")

    async def path(self) -> list[str]:
        """The fields that lead to it."""
        return await self._value(None, "path")

    async def description(self) -> str:
        """What it is for."""
        return await self._value(None, "description")

    def original_module(self) -> Module:
        """The module that has it: the one that was asked, or a toolchain."""
        return self._select(Module, "originalModule")

    def run(self) -> Generator:
        """Runs it; nothing is written to the host."""
        return self._select(Generator, "run")

    async def completed(self) -> bool:
        """Whether it was run."""
        return await self._value(None, "completed")

    def changes(self) -> Changeset:
        """What it made when it was run; what makes a directory adds all that is in it."""
        return self._select(Changeset, "changes")

    async def is_empty(self) -> bool:
        """Whether there was nothing to change when it was run."""
        return await self._value(None, "isEmpty")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[Generator], Generator]) -> Generator:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class GeneratorGroup(Type):
    """Generators of a module."""

    __slots__ = ()
    _api_name = "GeneratorGroup"

    async def list_(self) -> list[Generator]:
        """Each of them."""
        return await self._objects(Generator, "list")

    def run(self) -> GeneratorGroup:
        """Runs them at the same time; nothing is written to the host."""
        return self._select(GeneratorGroup, "run")

    def changes(
        self,
        *,
        on_conflict: ChangesetsMergeConflict | None = ChangesetsMergeConflict.FAIL_EARLY,
    ) -> Changeset:
        """What they made when they were run, in one.

        Args:
            on_conflict: What to do where they conflict.
        """
        return self._select(
            Changeset,
            "changes",
            ("onConflict", on_conflict, ChangesetsMergeConflict.FAIL_EARLY),
        )

    async def is_empty(self) -> bool:
        """Whether there was nothing to change when they were run."""
        return await self._value(None, "isEmpty")

    async def load_failures(self) -> list[str]:
        """Why generators are missing: nothing, as a module of which a part cannot be loaded is not
        loaded.
        """
        return await self._value(None, "loadFailures")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[GeneratorGroup], GeneratorGroup]) -> GeneratorGroup:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class GitCommit(Type):
    """A commit of a repository."""

    __slots__ = ()
    _api_name = "GitCommit"

    async def sha(self) -> str:
        """All digits of it."""
        return await self._value(None, "sha")

    async def short_sha(self) -> str:
        """Its first seven digits."""
        return await self._value(None, "shortSha")

    async def message(self) -> str:
        """All of its message."""
        return await self._value(None, "message")

    async def message_headline(self) -> str:
        """The first line of its message."""
        return await self._value(None, "messageHeadline")

    async def message_body(self) -> str:
        """Its message without the first line."""
        return await self._value(None, "messageBody")

    async def parent_shas(self) -> list[str]:
        """The commits that it is based on."""
        return await self._value(None, "parentShas")

    def tree(
        self,
        *,
        discard_git_dir: bool | None = False,
        depth: int | None = 1,
        include_tags: bool | None = False,
    ) -> Directory:
        """The files of the commit.

        Args:
            discard_git_dir: Leave out the `.git` directory.
            depth: Commits of history in `.git`; 0 for all.
            include_tags: Have all tags in `.git`.
        """
        return self._select(
            Directory,
            "tree",
            ("discardGitDir", discard_git_dir, False),
            ("depth", depth, 1),
            ("includeTags", include_tags, False),
        )

    async def author_name(self) -> str:
        """Who made the change."""
        return await self._value(None, "authorName")

    async def author_email(self) -> str:
        """Mail address of who made the change."""
        return await self._value(None, "authorEmail")

    async def authored_date(self) -> str:
        """When the change was made, as ISO 8601 writes it."""
        return await self._value(None, "authoredDate")

    async def committer_name(self) -> str:
        """Who made the commit."""
        return await self._value(None, "committerName")

    async def committer_email(self) -> str:
        """Mail address of who made the commit."""
        return await self._value(None, "committerEmail")

    async def committed_date(self) -> str:
        """When the commit was made, as ISO 8601 writes it."""
        return await self._value(None, "committedDate")

    def release_tag(self, *, include_pre_release: bool | None = False) -> GitRef:
        """The tag that makes it a release, such as `v1.2.3`; null if it is none.

        Args:
            include_pre_release: Count versions such as `v1.0.0-rc.1` as well.
        """
        return self._select(GitRef, "releaseTag", ("includePreRelease", include_pre_release, False))

    def ancestor_release_tag(self, *, include_pre_release: bool | None = False) -> GitRef:
        """The tag of the nearest release that it is or is based on; null if there is none.

        Args:
            include_pre_release: Count versions such as `v1.0.0-rc.1` as well.
        """
        return self._select(
            GitRef,
            "ancestorReleaseTag",
            ("includePreRelease", include_pre_release, False),
        )

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[GitCommit], GitCommit]) -> GitCommit:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class GitRef(Type):
    """A name of a repository: a branch, a tag or a commit."""

    __slots__ = ()
    _api_name = "GitRef"

    def tree(
        self,
        *,
        discard_git_dir: bool | None = False,
        depth: int | None = 1,
        include_tags: bool | None = False,
    ) -> Directory:
        """The files of the commit.

        Args:
            discard_git_dir: Leave out the `.git` directory.
            depth: Commits of history in `.git`; 0 for all.
            include_tags: Have all tags in `.git`.
        """
        return self._select(
            Directory,
            "tree",
            ("discardGitDir", discard_git_dir, False),
            ("depth", depth, 1),
            ("includeTags", include_tags, False),
        )

    async def commit(self) -> str:
        """The commit."""
        return await self._value(None, "commit")

    async def ref(self) -> str:
        """The full name, such as `refs/heads/main`; the commit where there is none."""
        return await self._value(None, "ref")

    async def name(self) -> str:
        """The full name, such as `refs/heads/main`; the commit where there is none."""
        return await self._value(None, "name")

    async def commit_sha(self) -> str:
        """All digits of the commit."""
        return await self._value(None, "commitSHA")

    def target_commit(self) -> GitCommit:
        """The commit."""
        return self._select(GitCommit, "targetCommit")

    async def log(
        self,
        *,
        limit: int | None = 10,
        paths: Sequence[str] | None = None,
        base: GitRef | None = None,
    ) -> list[GitCommit]:
        """Commits, newest first.

        Args:
            limit: How many.
            paths: Only those that changed one of these paths.
            base: Leave out this one and what it is based on.
        """
        return await self._objects(
            GitCommit,
            "log",
            ("limit", limit, 10),
            ("paths", paths, None),
            ("base", base, None),
        )

    def common_ancestor(self, other: GitRef) -> GitRef:
        """The newest commit that this and another are based on.

        Args:
            other: The other.
        """
        return self._select(GitRef, "commonAncestor", ("other", other))

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[GitRef], GitRef]) -> GitRef:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class GitRepository(Type):
    """A git repository."""

    __slots__ = ()
    _api_name = "GitRepository"

    def head(self) -> GitRef:
        """What the repository is at: for a remote one its default branch."""
        return self._select(GitRef, "head")

    def ref(self, name: str) -> GitRef:
        """A branch, tag, commit or full name of a reference.

        Args:
            name: The name.
        """
        return self._select(GitRef, "ref", ("name", name))

    def branch(self, name: str) -> GitRef:
        """A branch.

        Args:
            name: Its name.
        """
        return self._select(GitRef, "branch", ("name", name))

    def tag(self, name: str) -> GitRef:
        """A tag.

        Args:
            name: Its name.
        """
        return self._select(GitRef, "tag", ("name", name))

    def commit(self, id: str) -> GitCommit:
        """A commit.

        Args:
            id: All digits of it.
        """
        return self._select(GitCommit, "commit", ("id", id))

    async def branches(self, *, patterns: Sequence[str] | None = None) -> list[str]:
        """The names of the branches.

        Args:
            patterns: Only those that match one of these patterns.
        """
        return await self._value(None, "branches", ("patterns", patterns, None))

    async def tags(self, *, patterns: Sequence[str] | None = None) -> list[str]:
        """The names of the tags.

        Args:
            patterns: Only those that match one of these patterns.
        """
        return await self._value(None, "tags", ("patterns", patterns, None))

    async def url(self) -> str | None:
        """The address; null for a directory."""
        return await self._value(None, "url")

    def with_auth_token(self, token: Secret) -> GitRepository:
        """The repository with a token.

        Args:
            token: The token.
        """
        return self._select(GitRepository, "withAuthToken", ("token", token))

    def with_auth_header(self, header: Secret) -> GitRepository:
        """The repository with a header.

        Args:
            header: Value of the `Authorization` header.
        """
        return self._select(GitRepository, "withAuthHeader", ("header", header))

    def latest_version(self) -> GitRef:
        """The tag of the newest release, such as `v1.2.3`."""
        return self._select(GitRef, "latestVersion")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[GitRepository], GitRepository]) -> GitRepository:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class HealthcheckConfig(Type):
    """How to find out whether a container is healthy."""

    __slots__ = ()
    _api_name = "HealthcheckConfig"

    async def args(self) -> list[str]:
        """The command."""
        return await self._value(None, "args")

    async def shell(self) -> bool:
        """Whether the container's shell runs it."""
        return await self._value(None, "shell")

    async def retries(self) -> int:
        """Failures in a row that make it unhealthy; 0 means Docker's default."""
        return await self._value(None, "retries")

    async def interval(self) -> str:
        """Time between two checks; `0s` means Docker's default."""
        return await self._value(None, "interval")

    async def timeout(self) -> str:
        """Time that one check may take; `0s` means Docker's default."""
        return await self._value(None, "timeout")

    async def start_period(self) -> str:
        """Time at the start in which failures do not count."""
        return await self._value(None, "startPeriod")

    async def start_interval(self) -> str:
        """Time between two checks at the start; `0s` means Docker's default."""
        return await self._value(None, "startInterval")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[HealthcheckConfig], HealthcheckConfig]) -> HealthcheckConfig:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Host(Type):
    """The host that the client runs on. Functions and nested commands have none."""

    __slots__ = ()
    _api_name = "Host"

    def directory(
        self,
        path: str,
        *,
        exclude: Sequence[str] | None = None,
        include: Sequence[str] | None = None,
        gitignore: bool | None = False,
        no_cache: bool | None = False,
    ) -> Directory:
        """A directory of the host, as it is now.

        Args:
            path: Path; relative to the client's working directory.
            exclude: Patterns of what to leave out.
            include: Patterns of what to take; everything by default.
            gitignore: Leave out what `.gitignore` files name.
            no_cache: Read it again even if it was read in this session.
        """
        return self._select(
            Directory,
            "directory",
            ("path", path),
            ("exclude", exclude, None),
            ("include", include, None),
            ("gitignore", gitignore, False),
            ("noCache", no_cache, False),
        )

    def file(self, path: str, *, no_cache: bool | None = False) -> File:
        """A file of the host, as it is now.

        Args:
            path: Path; relative to the client's working directory.
            no_cache: Read it again even if it was read in this session.
        """
        return self._select(File, "file", ("path", path), ("noCache", no_cache, False))

    async def find_up(self, name: str, *, no_cache: bool | None = False) -> str | None:
        """The nearest file or directory of a name in the client's working directory or above it,
        relative to the working directory; null if there is none.

        Args:
            name: The name.
            no_cache: Read it again even if it was read in this session.
        """
        return await self._value(None, "findUp", ("name", name), ("noCache", no_cache, False))

    def container_image(self, name: str) -> Container:
        """An image of the client's host: one that nsci imported or pulled, or one of its container
        tools.

        Args:
            name: Its name there.
        """
        return self._select(Container, "containerImage", ("name", name))

    def unix_socket(self, path: str) -> Socket:
        """A Unix socket of the host.

        Args:
            path: Path.
        """
        return self._select(Socket, "unixSocket", ("path", path))

    def set_secret_file(self, name: str, path: str) -> Secret:
        """A secret from a file of the host (older clients).

        Args:
            name: Name.
            path: Path.
        """
        return self._select(Secret, "setSecretFile", ("name", name), ("path", path))

    def tunnel(
        self,
        service: Service,
        *,
        native: bool | None = False,
        ports: Sequence[PortForward] | None = None,
    ) -> Service:
        """Ports of the host's loopback that lead to a service while the tunnel runs.

        Args:
            service: The service.
            native: Open every declared port by its own number.
            ports: Ports to open; by default all that are declared, as free ports of the host.
        """
        return self._select(
            Service,
            "tunnel",
            ("service", service),
            ("native", native, False),
            ("ports", ports, None),
        )

    def service(self, ports: Sequence[PortForward], *, host: str | None = "localhost") -> Service:
        """A service of the host, for containers to be bound to.

        Args:
            ports: Its ports; containers use the front ones.
            host: Name or address by which the host reaches it.
        """
        return self._select(Service, "service", ("ports", ports), ("host", host, "localhost"))

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[Host], Host]) -> Host:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class InputTypeDef(Type):
    """The definition of a structured argument."""

    __slots__ = ()
    _api_name = "InputTypeDef"

    async def name(self) -> str:
        """Its name."""
        return await self._value(None, "name")

    async def fields(self) -> list[FieldTypeDef]:
        """Its fields."""
        return await self._objects(FieldTypeDef, "fields")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[InputTypeDef], InputTypeDef]) -> InputTypeDef:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class InterfaceTypeDef(Type):
    """The definition of an interface."""

    __slots__ = ()
    _api_name = "InterfaceTypeDef"

    async def name(self) -> str:
        """Its name."""
        return await self._value(None, "name")

    async def description(self) -> str:
        """What it is."""
        return await self._value(None, "description")

    async def functions(self) -> list[Function]:
        """Its functions."""
        return await self._objects(Function, "functions")

    def source_map(self) -> SourceMap:
        """Where it is declared."""
        return self._select(SourceMap, "sourceMap")

    async def source_module_name(self) -> str:
        """The module it is of; empty for the core."""
        return await self._value(None, "sourceModuleName")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[InterfaceTypeDef], InterfaceTypeDef]) -> InterfaceTypeDef:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class JSONValue(Type):
    """A JSON value."""

    __slots__ = ()
    _api_name = "JSONValue"

    async def contents(self, *, pretty: bool | None = False, indent: str | None = "  ") -> JSON:
        """The value as JSON text.

        Args:
            pretty: Break and indent lines.
            indent: What one level is indented by.
        """
        return await self._value(
            JSON,
            "contents",
            ("pretty", pretty, False),
            ("indent", indent, "  "),
        )

    async def as_string(self) -> str:
        """The value, which must be a string."""
        return await self._value(None, "asString")

    async def as_integer(self) -> int:
        """The value, which must be a whole number."""
        return await self._value(None, "asInteger")

    async def as_boolean(self) -> bool:
        """The value, which must be true or false."""
        return await self._value(None, "asBoolean")

    async def as_array(self) -> list[JSONValue]:
        """The elements of the value, which must be an array."""
        return await self._objects(JSONValue, "asArray")

    async def fields(self) -> list[str]:
        """The names in the value, which must be an object."""
        return await self._value(None, "fields")

    def field(self, path: Sequence[str]) -> JSONValue:
        """What is at a path of names.

        Args:
            path: Names, outermost first.
        """
        return self._select(JSONValue, "field", ("path", path))

    def new_string(self, value: str) -> JSONValue:
        """A string.

        Args:
            value: The string.
        """
        return self._select(JSONValue, "newString", ("value", value))

    def new_integer(self, value: int) -> JSONValue:
        """A whole number.

        Args:
            value: The number.
        """
        return self._select(JSONValue, "newInteger", ("value", value))

    def new_boolean(self, value: bool) -> JSONValue:
        """True or false.

        Args:
            value: Which.
        """
        return self._select(JSONValue, "newBoolean", ("value", value))

    def with_contents(self, contents: JSON) -> JSONValue:
        """The value of a JSON text.

        Args:
            contents: The text.
        """
        return self._select(JSONValue, "withContents", ("contents", contents))

    def with_field(self, path: Sequence[str], value: JSONValue) -> JSONValue:
        """Sets what is at a path; objects on the way are made.

        Args:
            path: Names, outermost first.
            value: The value.
        """
        return self._select(JSONValue, "withField", ("path", path), ("value", value))

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[JSONValue], JSONValue]) -> JSONValue:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Label(Type):
    """A label."""

    __slots__ = ()
    _api_name = "Label"

    async def name(self) -> str:
        """Its name."""
        return await self._value(None, "name")

    async def value(self) -> str:
        """Its value."""
        return await self._value(None, "value")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[Label], Label]) -> Label:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class ListTypeDef(Type):
    """The definition of a list."""

    __slots__ = ()
    _api_name = "ListTypeDef"

    def element_type_def(self) -> TypeDef:
        """Type of its elements."""
        return self._select(TypeDef, "elementTypeDef")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[ListTypeDef], ListTypeDef]) -> ListTypeDef:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Module(Type):
    """A module."""

    __slots__ = ()
    _api_name = "Module"

    async def name(self) -> str:
        """Its name."""
        return await self._value(None, "name")

    async def description(self) -> str:
        """What it is for."""
        return await self._value(None, "description")

    def with_description(self, description: str) -> Module:
        """Says what it is for.

        Args:
            description: What it is for.
        """
        return self._select(Module, "withDescription", ("description", description))

    def with_object(self, object: TypeDef) -> Module:
        """Adds an object.

        Args:
            object: Its definition.
        """
        return self._select(Module, "withObject", ("object", object))

    def with_interface(self, iface: TypeDef) -> Module:
        """Adds an interface.

        Args:
            iface: Its definition.
        """
        return self._select(Module, "withInterface", ("iface", iface))

    def with_enum(self, enum: TypeDef) -> Module:
        """Adds an enum.

        Args:
            enum: Its definition.
        """
        return self._select(Module, "withEnum", ("enum", enum))

    async def sync(self) -> Module:
        """Makes sure that it is loaded."""
        return await self._same("sync")

    async def serve(
        self,
        *,
        include_dependencies: bool | None = None,
        entrypoint: bool | None = None,
    ) -> None:
        """Lets the client call it.

        Args:
            include_dependencies: And the modules that it uses.
            entrypoint: Ignored.
        """
        await self._value(
            None,
            "serve",
            ("includeDependencies", include_dependencies, None),
            ("entrypoint", entrypoint, None),
        )

    async def objects(self) -> list[TypeDef]:
        """Its objects."""
        return await self._objects(TypeDef, "objects")

    async def interfaces(self) -> list[TypeDef]:
        """Its interfaces."""
        return await self._objects(TypeDef, "interfaces")

    async def enums(self) -> list[TypeDef]:
        """Its enums."""
        return await self._objects(TypeDef, "enums")

    async def dependencies(self) -> list[Module]:
        """The modules that it uses."""
        return await self._objects(Module, "dependencies")

    def source(self) -> ModuleSource:
        """Its source; none while it is being built."""
        return self._select(ModuleSource, "source")

    def introspection_schema_json(self) -> File:
        """The API as its code sees it, as an answer to an introspection query."""
        return self._select(File, "introspectionSchemaJSON")

    def checks(
        self,
        *,
        include: Sequence[str] | None = None,
        no_generate: bool | None = None,
    ) -> CheckGroup:
        """Its checks, and its generators as checks that there is nothing to change.

        Args:
            include: Names of checks, or of what has them; `*` stands for anything.
            no_generate: Leave the generators out.
        """
        return self._select(
            CheckGroup,
            "checks",
            ("include", include, None),
            ("noGenerate", no_generate, None),
        )

    def check(self, name: str) -> Check:
        """One of its checks.

        Args:
            name: A name or pattern that chooses no other.
        """
        return self._select(Check, "check", ("name", name))

    def generators(self, *, include: Sequence[str] | None = None) -> GeneratorGroup:
        """Its functions that make files.

        Args:
            include: Names of generators, or of what has them; `*` stands for anything.
        """
        return self._select(GeneratorGroup, "generators", ("include", include, None))

    def generator(self, name: str) -> Generator:
        """One of its generators.

        Args:
            name: A name or pattern that chooses no other.
        """
        return self._select(Generator, "generator", ("name", name))

    def services(self, *, include: Sequence[str] | None = None) -> UpGroup:
        """Its services to work with.

        Args:
            include: Names of services, or of what has them; `*` stands for anything.
        """
        return self._select(UpGroup, "services", ("include", include, None))

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def __await__(self) -> Steps[Any, None, Module]:
        return self.sync().__await__()

    def with_(self, cb: Callable[[Module], Module]) -> Module:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class ModuleSource(Type):
    """The source of a module."""

    __slots__ = ()
    _api_name = "ModuleSource"

    def as_module(self) -> Module:
        """The module, loaded."""
        return self._select(Module, "asModule")

    async def sync(self) -> ModuleSource:
        """Makes sure that it can be read."""
        return await self._same("sync")

    async def module_name(self) -> str:
        """The module's name."""
        return await self._value(None, "moduleName")

    async def module_original_name(self) -> str:
        """The name in its configuration."""
        return await self._value(None, "moduleOriginalName")

    async def engine_version(self) -> str:
        """Version of the API that it is written for."""
        return await self._value(None, "engineVersion")

    async def config_exists(self) -> bool:
        """Whether there is a configuration."""
        return await self._value(None, "configExists")

    async def kind(self) -> ModuleSourceKind:
        """Where it is."""
        return await self._value(ModuleSourceKind, "kind")

    async def dependencies(self) -> list[ModuleSource]:
        """The sources of modules that it uses."""
        return await self._objects(ModuleSource, "dependencies")

    async def toolchains(self) -> list[ModuleSource]:
        """The sources of modules that it offers beside its own functions."""
        return await self._objects(ModuleSource, "toolchains")

    def blueprint(self) -> ModuleSource:
        """The source of the module that it takes its functions from."""
        return self._select(ModuleSource, "blueprint")

    async def digest(self) -> str:
        """What tells its contents from others."""
        return await self._value(None, "digest")

    def introspection_schema_json(self) -> File:
        """The API as the module's code sees it, as an answer to an introspection query."""
        return self._select(File, "introspectionSchemaJSON")

    async def as_string(self) -> str:
        """Its reference."""
        return await self._value(None, "asString")

    def context_directory(self) -> Directory:
        """The directory that the module may read from."""
        return self._select(Directory, "contextDirectory")

    def directory(self, path: str) -> Directory:
        """A directory of the module's source.

        Args:
            path: Path, relative to the source.
        """
        return self._select(Directory, "directory", ("path", path))

    def generated_context_directory(self) -> Directory:
        """The context with what is generated for the module: its configuration, if that was
        changed here.
        """
        return self._select(Directory, "generatedContextDirectory")

    def generated_context_changeset(self) -> Changeset:
        """What is generated for the module, as a change of its context."""
        return self._select(Changeset, "generatedContextChangeset")

    async def local_context_directory_path(self) -> str:
        """Path of the context on the host."""
        return await self._value(None, "localContextDirectoryPath")

    async def source_root_subpath(self) -> str:
        """Path of the configuration's directory in the context."""
        return await self._value(None, "sourceRootSubpath")

    async def original_subpath(self) -> str:
        """Path of the reference in the context."""
        return await self._value(None, "originalSubpath")

    async def source_subpath(self) -> str:
        """Path of the code in the context."""
        return await self._value(None, "sourceSubpath")

    async def repo_root_path(self) -> str:
        """Root of the repository, without scheme."""
        return await self._value(None, "repoRootPath")

    async def clone_ref(self) -> str:
        """What is cloned."""
        return await self._value(None, "cloneRef")

    async def commit(self) -> str:
        """The commit."""
        return await self._value(None, "commit")

    async def pin(self) -> str:
        """The commit that it is pinned to."""
        return await self._value(None, "pin")

    async def version(self) -> str:
        """The branch, tag or commit that was asked for."""
        return await self._value(None, "version")

    async def html_repo_url(self) -> str:
        """Where the repository can be seen."""
        return await self._value(None, "htmlRepoURL")

    async def html_url(self) -> str:
        """Where the source can be seen."""
        return await self._value(None, "htmlURL")

    def with_name(self, name: str) -> ModuleSource:
        """Gives the module another name.

        Args:
            name: The name.
        """
        return self._select(ModuleSource, "withName", ("name", name))

    def with_sdk(self, source: str) -> ModuleSource:
        """Says what the module is written with.

        Args:
            source: Name or reference of the SDK.
        """
        return self._select(ModuleSource, "withSDK", ("source", source))

    def with_engine_version(self, version: str) -> ModuleSource:
        """Says which version of the API the module is written for.

        Args:
            version: The version.
        """
        return self._select(ModuleSource, "withEngineVersion", ("version", version))

    def with_source_subpath(self, path: str) -> ModuleSource:
        """Says where the code is.

        Args:
            path: Path, relative to the configuration.
        """
        return self._select(ModuleSource, "withSourceSubpath", ("path", path))

    def with_includes(self, patterns: Sequence[str]) -> ModuleSource:
        """Adds patterns of what is loaded with the source.

        Args:
            patterns: The patterns.
        """
        return self._select(ModuleSource, "withIncludes", ("patterns", patterns))

    def with_dependencies(self, dependencies: Sequence[ModuleSource]) -> ModuleSource:
        """Adds modules that it uses.

        Args:
            dependencies: Their sources.
        """
        return self._select(ModuleSource, "withDependencies", ("dependencies", dependencies))

    def with_update_dependencies(self, dependencies: Sequence[str]) -> ModuleSource:
        """Pins modules from git that it uses to where they are now.

        Args:
            dependencies: Names or references; all if there are none.
        """
        return self._select(ModuleSource, "withUpdateDependencies", ("dependencies", dependencies))

    def without_dependencies(self, dependencies: Sequence[str]) -> ModuleSource:
        """Removes modules that it uses.

        Args:
            dependencies: Names or references.
        """
        return self._select(ModuleSource, "withoutDependencies", ("dependencies", dependencies))

    def with_toolchains(self, toolchains: Sequence[ModuleSource]) -> ModuleSource:
        """Adds modules that are offered beside its own functions.

        Args:
            toolchains: Their sources.
        """
        return self._select(ModuleSource, "withToolchains", ("toolchains", toolchains))

    def with_update_toolchains(self, toolchains: Sequence[str]) -> ModuleSource:
        """Pins toolchains from git to where they are now.

        Args:
            toolchains: Names or references; all if there are none.
        """
        return self._select(ModuleSource, "withUpdateToolchains", ("toolchains", toolchains))

    def without_toolchains(self, toolchains: Sequence[str]) -> ModuleSource:
        """Removes toolchains.

        Args:
            toolchains: Names or references.
        """
        return self._select(ModuleSource, "withoutToolchains", ("toolchains", toolchains))

    def with_blueprint(self, blueprint: ModuleSource) -> ModuleSource:
        """Takes the functions from another module.

        Args:
            blueprint: Its source.
        """
        return self._select(ModuleSource, "withBlueprint", ("blueprint", blueprint))

    def with_update_blueprint(self) -> ModuleSource:
        """Pins a blueprint from git to where it is now; without one nothing happens."""
        return self._select(ModuleSource, "withUpdateBlueprint")

    def without_blueprint(self) -> ModuleSource:
        """Takes the functions from no other module."""
        return self._select(ModuleSource, "withoutBlueprint")

    def with_experimental_features(
        self,
        features: Sequence[ModuleSourceExperimentalFeature],
    ) -> ModuleSource:
        """Switches features of the module's SDK on.

        Args:
            features: The features.
        """
        return self._select(ModuleSource, "withExperimentalFeatures", ("features", features))

    def without_experimental_features(
        self,
        features: Sequence[ModuleSourceExperimentalFeature],
    ) -> ModuleSource:
        """Switches features of the module's SDK off.

        Args:
            features: The features; all if there are none.
        """
        return self._select(ModuleSource, "withoutExperimentalFeatures", ("features", features))

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def __await__(self) -> Steps[Any, None, ModuleSource]:
        return self.sync().__await__()

    def with_(self, cb: Callable[[ModuleSource], ModuleSource]) -> ModuleSource:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class ObjectTypeDef(Type):
    """The definition of an object."""

    __slots__ = ()
    _api_name = "ObjectTypeDef"

    async def name(self) -> str:
        """Its name."""
        return await self._value(None, "name")

    async def description(self) -> str:
        """What it is."""
        return await self._value(None, "description")

    async def deprecated(self) -> str | None:
        """Why not to use it."""
        return await self._value(None, "deprecated")

    async def fields(self) -> list[FieldTypeDef]:
        """Its fields."""
        return await self._objects(FieldTypeDef, "fields")

    async def functions(self) -> list[Function]:
        """Its functions."""
        return await self._objects(Function, "functions")

    def constructor(self) -> Function:
        """How it is made."""
        return self._select(Function, "constructor")

    def source_map(self) -> SourceMap:
        """Where it is declared."""
        return self._select(SourceMap, "sourceMap")

    async def source_module_name(self) -> str:
        """The module it is of; empty for the core."""
        return await self._value(None, "sourceModuleName")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[ObjectTypeDef], ObjectTypeDef]) -> ObjectTypeDef:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Port(Type):
    """A port that a container listens on."""

    __slots__ = ()
    _api_name = "Port"

    async def port(self) -> int:
        """Its number."""
        return await self._value(None, "port")

    async def protocol(self) -> NetworkProtocol:
        """Its transport."""
        return await self._value(NetworkProtocol, "protocol")

    async def description(self) -> str | None:
        """What it is for."""
        return await self._value(None, "description")

    async def experimental_skip_healthcheck(self) -> bool:
        """Whether starting the service does not wait for it."""
        return await self._value(None, "experimentalSkipHealthcheck")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[Port], Port]) -> Port:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Client(Type):
    """The root of the API."""

    __slots__ = ()
    _api_name = "Query"

    def container(self, *, platform: Platform | None = None) -> Container:
        """An empty container, to be filled with `from`, `withRootfs` or `import`.

        Args:
            platform: Platform of its image and commands; the host's by default.
        """
        return self._select(Container, "container", ("platform", platform, None))

    def directory(self) -> Directory:
        """An empty directory."""
        return self._select(Directory, "directory")

    def file(self, name: str, contents: str, *, permissions: int | None = 420) -> File:
        """A file with the given contents.

        Args:
            name: Name of the file.
            contents: Its contents.
            permissions: Permission bits, such as 420 for 0644.
        """
        return self._select(
            File,
            "file",
            ("name", name),
            ("contents", contents),
            ("permissions", permissions, 420),
        )

    def host(self) -> Host:
        """The host that the client runs on."""
        return self._select(Host, "host")

    def set_secret(self, name: str, plaintext: str) -> Secret:
        """Gives a secret a name. The name counts for caching, the value does not.

        Args:
            name: The name.
            plaintext: The value, at most 128,000 bytes.
        """
        return self._select(Secret, "setSecret", ("name", name), ("plaintext", plaintext))

    def secret(self, uri: str, *, cache_key: str | None = None) -> Secret:
        """A secret that the client fetches when a command needs it.

        Args:
            uri: Where it is: `env://NAME`, `file://path` or `cmd://command`.
            cache_key: Stands for the value in cache keys.
        """
        return self._select(Secret, "secret", ("uri", uri), ("cacheKey", cache_key, None))

    async def default_platform(self) -> Platform:
        """The platform of containers that ask for none."""
        return await self._value(Platform, "defaultPlatform")

    async def version(self) -> str:
        """The version of the API."""
        return await self._value(None, "version")

    async def check_version_compatibility(self, version: str) -> bool:
        """Whether a client of this version is served; it always is.

        Args:
            version: The client's version.
        """
        return await self._value(None, "checkVersionCompatibility", ("version", version))

    def error(self, message: str) -> Error:
        """An error for a function to return.

        Args:
            message: What went wrong.
        """
        return self._select(Error, "error", ("message", message))

    def pipeline(
        self,
        name: str,
        *,
        description: str | None = None,
        labels: Sequence[PipelineLabel] | None = None,
    ) -> Client:
        """Does nothing (older clients).

        Args:
            name: Ignored.
            description: Ignored.
            labels: Ignored.
        """
        return self._select(
            Client,
            "pipeline",
            ("name", name),
            ("description", description, None),
            ("labels", labels, None),
        )

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
        """A file that is fetched over HTTP. It is fetched again when the server says that it
        changed.

        Args:
            url: Its address.
            name: Its name; by default the server's, or the last part of the address.
            permissions: Permission bits; 384 (0600) by default.
            checksum: Digest that it must have, `sha256:` and 64 digits.
            auth_header: Value of the `Authorization` header.
            experimental_service_host: The service that its host is.
        """
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
        """A git repository. The client's own git asks for it, with the credentials, agents and
        rules it has.

        Args:
            url: Its address: `https://…`, `ssh://…`, `git@host:…`, or a path of the client's
                host.
            keep_git_dir: Whether trees have their `.git` directory.
            ssh_known_hosts: Contents of a known-hosts file; hosts that it does not list are
                refused.
            ssh_auth_socket: Socket of an ssh agent.
            http_auth_username: User name that goes with the token.
            http_auth_token: Password or token.
            http_auth_header: Value of the `Authorization` header.
            experimental_service_host: The service that its host is.
        """
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

    def cache_volume(
        self,
        key: str,
        *,
        source: Directory | None = None,
        sharing: CacheSharingMode | None = CacheSharingMode.SHARED,
        owner: str | None = "",
        namespace: str | None = "",
    ) -> CacheVolume:
        """A directory that outlives runs, found by name. Modules have names of their own; volumes
        with another source, sharing or owner are others.

        Args:
            key: The name.
            source: What seeds it when it is empty.
            sharing: Who may use it at the same time.
            owner: Owner of its root, as `user[:group]`.
            namespace: Whose name it is, instead of the caller's.
        """
        return self._select(
            CacheVolume,
            "cacheVolume",
            ("key", key),
            ("source", source, None),
            ("sharing", sharing, CacheSharingMode.SHARED),
            ("owner", owner, ""),
            ("namespace", namespace, ""),
        )

    def address(self, value: str) -> Address:
        """A text that names a container, directory, file, repository, service, secret or socket.

        Args:
            value: The address.
        """
        return self._select(Address, "address", ("value", value))

    def env_file(self, *, expand: bool | None = None) -> EnvFile:
        """A file of variables, empty at first.

        Args:
            expand: Variables in values are always replaced.
        """
        return self._select(EnvFile, "envFile", ("expand", expand, None))

    def json(self) -> JSONValue:
        """The JSON value `null`, to be filled."""
        return self._select(JSONValue, "json")

    def changeset(self) -> Changeset:
        """No change, to add others to."""
        return self._select(Changeset, "changeset")

    def current_function_call(self) -> FunctionCall:
        """The call that this client serves."""
        return self._select(FunctionCall, "currentFunctionCall")

    def current_module(self) -> CurrentModule:
        """The module that this client belongs to."""
        return self._select(CurrentModule, "currentModule")

    def socket(self, id: Socket) -> Socket:
        """Loads a socket by its id.

        Args:
            id: The id.
        """
        return self._select(Socket, "socket", ("id", id))

    def load_secret_from_name(self, name: str, *, accessor: str | None = None) -> Secret:
        """A secret that this client set by name.

        Args:
            name: The name.
            accessor: Ignored: a client sees its own secrets only.
        """
        return self._select(
            Secret,
            "loadSecretFromName",
            ("name", name),
            ("accessor", accessor, None),
        )

    def type_def(self) -> TypeDef:
        """A type definition, to be filled."""
        return self._select(TypeDef, "typeDef")

    def function(self, name: str, return_type: TypeDef) -> Function:
        """A function definition.

        Args:
            name: Its name in the source.
            return_type: What it returns.
        """
        return self._select(Function, "function", ("name", name), ("returnType", return_type))

    def source_map(self, filename: str, line: int, column: int) -> SourceMap:
        """A place in a module's source.

        Args:
            filename: File, relative to the module's source.
            line: Line, from 1.
            column: Column, from 1.
        """
        return self._select(
            SourceMap,
            "sourceMap",
            ("filename", filename),
            ("line", line),
            ("column", column),
        )

    async def current_type_defs(
        self,
        *,
        return_all_types: bool | None = False,
        hide_core: bool | None = None,
    ) -> list[TypeDef]:
        """Every type of the API as this client sees it.

        Args:
            return_all_types: Scalars too.
            hide_core: Only types of modules.
        """
        return await self._objects(
            TypeDef,
            "currentTypeDefs",
            ("returnAllTypes", return_all_types, False),
            ("hideCore", hide_core, None),
        )

    def module(self) -> Module:
        """A module without types, to be filled by its SDK."""
        return self._select(Module, "module")

    def module_source(
        self,
        ref_string: str,
        *,
        ref_pin: str | None = "",
        disable_find_up: bool | None = False,
        allow_not_exists: bool | None = False,
        require_kind: ModuleSourceKind | None = None,
        stable: bool | None = False,
    ) -> ModuleSource:
        """The source of a module, by reference.

        Args:
            ref_string: A path of the host, or a directory of a repository.
            ref_pin: Commit to use.
            disable_find_up: Do not look in directories above.
            allow_not_exists: Do not mind if there is no configuration.
            require_kind: Refuse sources of another kind.
            stable: Ignored (older clients).
        """
        return self._select(
            ModuleSource,
            "moduleSource",
            ("refString", ref_string),
            ("refPin", ref_pin, ""),
            ("disableFindUp", disable_find_up, False),
            ("allowNotExists", allow_not_exists, False),
            ("requireKind", require_kind, None),
            ("stable", stable, False),
        )

    def generated_code(self, code: Directory) -> GeneratedCode:
        """What an SDK generated for a module.

        Args:
            code: The module's source with it.
        """
        return self._select(GeneratedCode, "generatedCode", ("code", code))

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[Client], Client]) -> Client:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class ScalarTypeDef(Type):
    """The definition of a scalar."""

    __slots__ = ()
    _api_name = "ScalarTypeDef"

    async def name(self) -> str:
        """Its name."""
        return await self._value(None, "name")

    async def description(self) -> str:
        """What it is."""
        return await self._value(None, "description")

    async def source_module_name(self) -> str:
        """The module it is of; empty for the core."""
        return await self._value(None, "sourceModuleName")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[ScalarTypeDef], ScalarTypeDef]) -> ScalarTypeDef:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class SearchResult(Type):
    """Lines that match."""

    __slots__ = ()
    _api_name = "SearchResult"

    async def file_path(self) -> str:
        """Path of the file in the directory."""
        return await self._value(None, "filePath")

    async def line_number(self) -> int:
        """Number of the first line, from 1."""
        return await self._value(None, "lineNumber")

    async def absolute_offset(self) -> int:
        """Bytes before the first line."""
        return await self._value(None, "absoluteOffset")

    async def matched_lines(self) -> str:
        """The lines."""
        return await self._value(None, "matchedLines")

    async def submatches(self) -> list[SearchSubmatch]:
        """The matches in the lines."""
        return await self._objects(SearchSubmatch, "submatches")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[SearchResult], SearchResult]) -> SearchResult:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class SearchSubmatch(Type):
    """A match in lines."""

    __slots__ = ()
    _api_name = "SearchSubmatch"

    async def text(self) -> str:
        """What matched."""
        return await self._value(None, "text")

    async def start(self) -> int:
        """Where it begins in the lines, in bytes."""
        return await self._value(None, "start")

    async def end(self) -> int:
        """Where it ends in the lines, in bytes."""
        return await self._value(None, "end")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[SearchSubmatch], SearchSubmatch]) -> SearchSubmatch:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Secret(Type):
    """A value that is never shown, stored or part of a cache key."""

    __slots__ = ()
    _api_name = "Secret"

    async def name(self) -> str:
        """The name it was set under, or its address."""
        return await self._value(None, "name")

    async def uri(self) -> str:
        """Its address; empty for a secret set by name."""
        return await self._value(None, "uri")

    async def plaintext(self) -> str:
        """Its value."""
        return await self._value(None, "plaintext")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[Secret], Secret]) -> Secret:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Service(Type):
    """Something that can be reached over the network while it runs."""

    __slots__ = ()
    _api_name = "Service"

    async def hostname(self) -> str:
        """The name by which all containers of the session reach it."""
        return await self._value(None, "hostname")

    async def endpoint(self, *, port: int | None = None, scheme: str | None = "") -> str:
        """Where it is reached: `host:port`, or a URL.

        Args:
            port: Port; the first that is declared if absent.
            scheme: Scheme of a URL, such as `http`; without one it is `host:port`.
        """
        return await self._value(None, "endpoint", ("port", port, None), ("scheme", scheme, ""))

    async def ports(self) -> list[Port]:
        """The ports it declares."""
        return await self._objects(Port, "ports")

    def with_hostname(self, hostname: str) -> Service:
        """The service under a name that all containers of the session can use.

        Args:
            hostname: The name.
        """
        return self._select(Service, "withHostname", ("hostname", hostname))

    async def start(self) -> Service:
        """Starts it and waits until it is ready. It runs until it is stopped or the session ends.
        """
        return await self._same("start")

    async def stop(self, *, kill: bool | None = False) -> Service:
        """Stops it, whoever uses it.

        Args:
            kill: Kill it instead of asking.
        """
        return await self._same("stop", ("kill", kill, False))

    async def sync(self) -> Service:
        """Makes everything it is built from happen now, without starting it."""
        return await self._same("sync")

    def terminal(self, *, cmd: Sequence[str] | None = None) -> Service:
        """Opens a shell in the running service, beside its command, and waits for the shell's end.

        Args:
            cmd: The shell; by default the container's withDefaultTerminalCmd, or `sh`.
        """
        return self._select(Service, "terminal", ("cmd", cmd, None))

    async def up(
        self,
        *,
        ports: Sequence[PortForward] | None = None,
        random: bool | None = False,
    ) -> None:
        """Runs it and opens its ports on the host until it ends.

        Args:
            ports: Ports to open; by default all that are declared, by their numbers.
            random: Open free ports of the host's choice instead.
        """
        await self._value(None, "up", ("ports", ports, None), ("random", random, False))

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def __await__(self) -> Steps[Any, None, Service]:
        return self.sync().__await__()

    def with_(self, cb: Callable[[Service], Service]) -> Service:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Socket(Type):
    """A Unix socket of the host."""

    __slots__ = ()
    _api_name = "Socket"

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[Socket], Socket]) -> Socket:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class SourceMap(Type):
    """A place in a module's source."""

    __slots__ = ()
    _api_name = "SourceMap"

    async def filename(self) -> str:
        """File, relative to the module's source."""
        return await self._value(None, "filename")

    async def line(self) -> int:
        """Line, from 1."""
        return await self._value(None, "line")

    async def column(self) -> int:
        """Column, from 1."""
        return await self._value(None, "column")

    async def module(self) -> str:
        """The module it is of."""
        return await self._value(None, "module")

    async def url(self) -> str:
        """Where it can be seen; empty for local files."""
        return await self._value(None, "url")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[SourceMap], SourceMap]) -> SourceMap:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Stat(Type):
    """What is known of a file without opening it."""

    __slots__ = ()
    _api_name = "Stat"

    async def name(self) -> str:
        """Its name."""
        return await self._value(None, "name")

    async def size(self) -> int:
        """Its size in bytes."""
        return await self._value(None, "size")

    async def permissions(self) -> int:
        """Its permission bits, such as 420 for 0644."""
        return await self._value(None, "permissions")

    async def file_type(self) -> FileType | None:
        """What it is."""
        return await self._value(FileType, "fileType")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[Stat], Stat]) -> Stat:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class TypeDef(Type):
    """The definition of a type."""

    __slots__ = ()
    _api_name = "TypeDef"

    async def kind(self) -> TypeDefKind:
        """What it is."""
        return await self._value(TypeDefKind, "kind")

    async def name(self) -> str:
        """Its name; empty for built-in types and lists."""
        return await self._value(None, "name")

    async def optional(self) -> bool:
        """Whether null is a value of it."""
        return await self._value(None, "optional")

    def as_object(self) -> ObjectTypeDef:
        """The object, if it is one."""
        return self._select(ObjectTypeDef, "asObject")

    def as_interface(self) -> InterfaceTypeDef:
        """The interface, if it is one."""
        return self._select(InterfaceTypeDef, "asInterface")

    def as_enum(self) -> EnumTypeDef:
        """The enum, if it is one."""
        return self._select(EnumTypeDef, "asEnum")

    def as_list(self) -> ListTypeDef:
        """The list, if it is one."""
        return self._select(ListTypeDef, "asList")

    def as_scalar(self) -> ScalarTypeDef:
        """The scalar, if it is one."""
        return self._select(ScalarTypeDef, "asScalar")

    def as_input(self) -> InputTypeDef:
        """The input object, if it is one."""
        return self._select(InputTypeDef, "asInput")

    def with_kind(self, kind: TypeDefKind) -> TypeDef:
        """A built-in type.

        Args:
            kind: Which.
        """
        return self._select(TypeDef, "withKind", ("kind", kind))

    def with_optional(self, optional: bool) -> TypeDef:
        """Makes null a value of it, or not.

        Args:
            optional: Whether.
        """
        return self._select(TypeDef, "withOptional", ("optional", optional))

    def with_list_of(self, element_type: TypeDef) -> TypeDef:
        """A list.

        Args:
            element_type: Type of its elements.
        """
        return self._select(TypeDef, "withListOf", ("elementType", element_type))

    def with_scalar(self, name: str, *, description: str | None = "") -> TypeDef:
        """A scalar.

        Args:
            name: Its name.
            description: What it is.
        """
        return self._select(TypeDef, "withScalar", ("name", name), ("description", description, ""))

    def with_object(
        self,
        name: str,
        *,
        description: str | None = "",
        source_map: SourceMap | None = None,
        deprecated: str | None = None,
    ) -> TypeDef:
        """An object.

        Args:
            name: Its name in the source.
            description: What it is.
            source_map: Where it is declared.
            deprecated: Why not to use it.
        """
        return self._select(
            TypeDef,
            "withObject",
            ("name", name),
            ("description", description, ""),
            ("sourceMap", source_map, None),
            ("deprecated", deprecated, None),
        )

    def with_interface(
        self,
        name: str,
        *,
        description: str | None = "",
        source_map: SourceMap | None = None,
    ) -> TypeDef:
        """An interface.

        Args:
            name: Its name in the source.
            description: What it is.
            source_map: Where it is declared.
        """
        return self._select(
            TypeDef,
            "withInterface",
            ("name", name),
            ("description", description, ""),
            ("sourceMap", source_map, None),
        )

    def with_enum(
        self,
        name: str,
        *,
        description: str | None = "",
        source_map: SourceMap | None = None,
    ) -> TypeDef:
        """An enum.

        Args:
            name: Its name in the source.
            description: What it is.
            source_map: Where it is declared.
        """
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
        """Adds a member to an enum.

        Args:
            name: Its name.
            value: The value behind it.
            description: What it is.
            source_map: Where it is declared.
            deprecated: Why not to use it.
        """
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
        """Adds a member to an enum (older SDKs).

        Args:
            value: Its name.
            description: What it is.
            source_map: Where it is declared.
            deprecated: Why not to use it.
        """
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
        """Adds a field to an object.

        Args:
            name: Its name in the source.
            type_def: Its type.
            description: What it is.
            source_map: Where it is declared.
            deprecated: Why not to use it.
        """
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
        """Adds a function to an object or interface.

        Args:
            function: The function.
        """
        return self._select(TypeDef, "withFunction", ("function", function))

    def with_constructor(self, function: Function) -> TypeDef:
        """Says how an object is made.

        Args:
            function: The constructor.
        """
        return self._select(TypeDef, "withConstructor", ("function", function))

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[TypeDef], TypeDef]) -> TypeDef:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class Up(Type):
    """A function of a module that gives a service to work with."""

    __slots__ = ()
    _api_name = "Up"

    async def name(self) -> str:
        """Its name in the module; names of what leads to it come first, with `:` between them."""
        return await self._value(None, "name")

    async def path(self) -> list[str]:
        """The fields that lead to it."""
        return await self._value(None, "path")

    async def description(self) -> str:
        """What it is for."""
        return await self._value(None, "description")

    def original_module(self) -> Module:
        """The module that has it: the one that was asked, or a toolchain."""
        return self._select(Module, "originalModule")

    def run(self) -> Up:
        """Runs it and opens its ports on the host until it ends."""
        return self._select(Up, "run")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[Up], Up]) -> Up:
        """Apply a function, keeping the chain in one piece."""
        return cb(self)


class UpGroup(Type):
    """Services of a module."""

    __slots__ = ()
    _api_name = "UpGroup"

    async def list_(self) -> list[Up]:
        """Each of them."""
        return await self._objects(Up, "list")

    def run(self) -> UpGroup:
        """Runs them and opens their ports on the host until all have ended or one fails."""
        return self._select(UpGroup, "run")

    async def id(self) -> ID:
        """Names this object in later requests."""
        return ID(await self._get_id())

    def with_(self, cb: Callable[[UpGroup], UpGroup]) -> UpGroup:
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
    "Check",
    "CheckGroup",
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
    "Generator",
    "GeneratorGroup",
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
    "Up",
    "UpGroup",
    "dag",
]
