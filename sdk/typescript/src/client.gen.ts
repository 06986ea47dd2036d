/** The API of the engine. Generated from its schema; do not edit. */

import { BaseObject, load } from "./base.js"

/** Options of `directory`. */
export interface AddressDirectoryOpts {
  /** Patterns of what to leave out. */
  exclude?: string[]
  /** Patterns of what to take; everything by default. */
  include?: string[]
  /** Leave out what `.gitignore` files name. */
  gitignore?: boolean
  /** Read it again even if it was read in this session. */
  noCache?: boolean
}

/** Options of `file`. */
export interface AddressFileOpts {
  /** Patterns of what to leave out. */
  exclude?: string[]
  /** Patterns of what to take; everything by default. */
  include?: string[]
  /** Leave out what `.gitignore` files name. */
  gitignore?: boolean
  /** Read it again even if it was read in this session. */
  noCache?: boolean
}

/** Names a Address in requests. */
export type AddressID = string

/** A text that names something; the field that is asked says what. */
export class Address extends BaseObject {
  static override readonly apiName: string = "Address"

  /** What names this object in requests. */
  id(): Promise<AddressID> {
    return this._id()
  }

  /** The address as it was given. */
  value(): Promise<string> {
    return this._value("value")
  }

  /** The container of an image reference. */
  container(): Container {
    return new Container(this, "container")
  }

  /** A directory of the host. */
  directory(opts?: AddressDirectoryOpts): Directory {
    return new Directory(this, "directory", { ...opts })
  }

  /** A file of the host. */
  file(opts?: AddressFileOpts): File {
    return new File(this, "file", { ...opts })
  }

  /** A git repository. */
  gitRepository(): GitRepository {
    return new GitRepository(this, "gitRepository")
  }

  /** A branch, tag or commit of a git repository: `ADDRESS#NAME`; without a name what the repository is at. */
  gitRef(): GitRef {
    return new GitRef(this, "gitRef")
  }

  /** A service of the host: `tcp://HOST:PORT` or `udp://HOST:PORT`. */
  service(): Service {
    return new Service(this, "service")
  }

  /** A secret by where it is, such as `env://NAME` or `file://path`. */
  secret(): Secret {
    return new Secret(this, "secret")
  }

  /** A Unix socket of the host, by path. */
  socket(): Socket {
    return new Socket(this, "socket")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Address) => T): T {
    return work(this)
  }
}

/** A value for an `ARG` of a Dockerfile. */
export interface BuildArg {
  /** Name. */
  name: string
  /** Value. */
  value: string
}

/** Who may use a cache volume at the same time. */
export enum CacheSharingMode {
  /** Any number of commands. */
  Shared = "SHARED",
  /** One command; others get a copy of their own. */
  Private = "PRIVATE",
  /** One command; others wait. */
  Locked = "LOCKED",
}

/** Names a CacheVolume in requests. */
export type CacheVolumeID = string

/** A directory that outlives runs. */
export class CacheVolume extends BaseObject {
  static override readonly apiName: string = "CacheVolume"

  /** What names this object in requests. */
  id(): Promise<CacheVolumeID> {
    return this._id()
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: CacheVolume) => T): T {
    return work(this)
  }
}

/** Options of `withChangeset`. */
export interface ChangesetWithChangesetOpts {
  /** What to do where they conflict. */
  onConflict?: ChangesetMergeConflict
}

/** Options of `withChangesets`. */
export interface ChangesetWithChangesetsOpts {
  /** What to do where they conflict. */
  onConflict?: ChangesetsMergeConflict
}

/** Names a Changeset in requests. */
export type ChangesetID = string

/** What changed between two directories. */
export class Changeset extends BaseObject {
  static override readonly apiName: string = "Changeset"

  /** What names this object in requests. */
  id(): Promise<ChangesetID> {
    return this._id()
  }

  /** The older directory. */
  before(): Directory {
    return new Directory(this, "before")
  }

  /** The newer directory. */
  after(): Directory {
    return new Directory(this, "after")
  }

  /** What was added and modified, alone. */
  layer(): Directory {
    return new Directory(this, "layer")
  }

  /** Files and directories that are new; those of directories end in `/`. */
  addedPaths(): Promise<string[]> {
    return this._value("addedPaths")
  }

  /** Files that are not what they were. */
  modifiedPaths(): Promise<string[]> {
    return this._value("modifiedPaths")
  }

  /** Files and directories that are gone, not what was in those directories. */
  removedPaths(): Promise<string[]> {
    return this._value("removedPaths")
  }

  /** Whether nothing changed. */
  isEmpty(): Promise<boolean> {
    return this._value("isEmpty")
  }

  /** The change as a patch in git's format. */
  asPatch(): File {
    return new File(this, "asPatch")
  }

  /** What became of each file. */
  diffStats(): Promise<DiffStat[]> {
    return this._objects(DiffStat, "diffStats")
  }

  /**
   * Applies the change to a directory of the client's host; returns its absolute path.
   *
   * @param path The directory; relative to the client's working directory.
   */
  export(path: string): Promise<string> {
    return this._value("export", { path })
  }

  /** Makes everything so far happen now. */
  sync(): Promise<Changeset> {
    return this._loaded(Changeset, "sync")
  }

  /**
   * Adds another change to this one.
   *
   * @param changes The other change.
   */
  withChangeset(changes: Changeset, opts?: ChangesetWithChangesetOpts): Changeset {
    return new Changeset(this, "withChangeset", { changes, ...opts }, ["onConflict"])
  }

  /**
   * Adds other changes to this one, in order.
   *
   * @param changes The other changes.
   */
  withChangesets(changes: Changeset[], opts?: ChangesetWithChangesetsOpts): Changeset {
    return new Changeset(this, "withChangesets", { changes, ...opts }, ["onConflict"])
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Changeset) => T): T {
    return work(this)
  }
}

/** What to do where two changes conflict. */
export enum ChangesetMergeConflict {
  /** Fail if both changed a file, even in different places. */
  FailEarly = "FAIL_EARLY",
  /** Fail if both changed the same lines. */
  Fail = "FAIL",
  /** Leave both sides between conflict markers. */
  LeaveConflictMarkers = "LEAVE_CONFLICT_MARKERS",
  /** Take the side that is added to. */
  PreferOurs = "PREFER_OURS",
  /** Take the side that is added. */
  PreferTheirs = "PREFER_THEIRS",
}

/** What to do where several changes conflict. */
export enum ChangesetsMergeConflict {
  /** Fail if both changed a file, even in different places. */
  FailEarly = "FAIL_EARLY",
  /** Fail if both changed the same lines. */
  Fail = "FAIL",
}

/** Names a Check in requests. */
export type CheckID = string

/** A function of a module that says by failing that something is wrong. */
export class Check extends BaseObject {
  static override readonly apiName: string = "Check"

  /** What names this object in requests. */
  id(): Promise<CheckID> {
    return this._id()
  }

  /** Its name in the module; names of what leads to it come first, with `:` between them. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** The fields that lead to it. */
  path(): Promise<string[]> {
    return this._value("path")
  }

  /** What it is for. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** `check`, or `generate` if it runs a generator, which must have nothing to change. */
  checkType(): Promise<string> {
    return this._value("checkType")
  }

  /** The module that has it: the one that was asked, or a toolchain. */
  originalModule(): Module_ {
    return new Module_(this, "originalModule")
  }

  /** Runs it. That it fails is no error here: `passed` and `error` of the result say it. */
  run(): Check {
    return new Check(this, "run")
  }

  /** Whether it was run to its end. */
  completed(): Promise<boolean> {
    return this._value("completed")
  }

  /** Whether it was run and nothing is wrong. */
  passed(): Promise<boolean> {
    return this._value("passed")
  }

  /** Why it failed; none if it passed or was not run. */
  error(): Error {
    return new Error(this, "error")
  }

  /** 🟢 if it passed, 🔴 if it failed; empty if it was not run. */
  resultEmoji(): Promise<string> {
    return this._value("resultEmoji")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Check) => T): T {
    return work(this)
  }
}

/** Options of `run`. */
export interface CheckGroupRunOpts {
  /** Stop when the first fails; what still ran then is not completed. */
  failFast?: boolean
}

/** Names a CheckGroup in requests. */
export type CheckGroupID = string

/** Checks of a module. */
export class CheckGroup extends BaseObject {
  static override readonly apiName: string = "CheckGroup"

  /** What names this object in requests. */
  id(): Promise<CheckGroupID> {
    return this._id()
  }

  /** Each of them. */
  list(): Promise<Check[]> {
    return this._objects(Check, "list")
  }

  /** Runs them at the same time. That some fail is no error here: the results say it. */
  run(opts?: CheckGroupRunOpts): CheckGroup {
    return new CheckGroup(this, "run", { ...opts })
  }

  /** What became of them, as Markdown. */
  report(): File {
    return new File(this, "report")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: CheckGroup) => T): T {
    return work(this)
  }
}

/** Options of `from`. */
export interface ContainerFromOpts {
  /** The service that the registry is; the session reaches it so from then on, in plain HTTP unless told otherwise. */
  registryService?: Service
  /** How to speak to the registry. */
  protocol?: RegistryProtocol
  /** Do not check the registry's certificate. */
  insecureSkipTLSVerify?: boolean
}

/** Options of `exists`. */
export interface ContainerExistsOpts {
  /** What it has to be. */
  expectedType?: ExistsType
  /** Look at a link itself. */
  doNotFollowSymlinks?: boolean
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
}

/** Options of `withExec`. */
export interface ContainerWithExecOpts {
  /** Put the entrypoint in front; off by default. */
  useEntrypoint?: boolean
  /** Text for standard input. */
  stdin?: string
  /** File of the container for standard input. */
  redirectStdin?: string
  /** File that gets standard output too. */
  redirectStdout?: string
  /** File that gets standard error too. */
  redirectStderr?: string
  /** Exit codes that count as success. */
  expect?: ReturnType
  /** Let the command call this API. */
  experimentalPrivilegedNesting?: boolean
  /** All capabilities, inside nsci's user namespace. */
  insecureRootCapabilities?: boolean
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
  /** Run the command as process 1, without an init that reaps. */
  noInit?: boolean
}

/** Options of `withEnvVariable`. */
export interface ContainerWithEnvVariableOpts {
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
}

/** Options of `withWorkdir`. */
export interface ContainerWithWorkdirOpts {
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
}

/** Options of `withEntrypoint`. */
export interface ContainerWithEntrypointOpts {
  /** Leave the default arguments as they are. */
  keepDefaultArgs?: boolean
}

/** Options of `withoutEntrypoint`. */
export interface ContainerWithoutEntrypointOpts {
  /** Leave the default arguments as they are. */
  keepDefaultArgs?: boolean
}

/** Options of `withDefaultTerminalCmd`. */
export interface ContainerWithDefaultTerminalCmdOpts {
  /** Let the command call this API. */
  experimentalPrivilegedNesting?: boolean
  /** All capabilities, inside nsci's user namespace. */
  insecureRootCapabilities?: boolean
}

/** Options of `withExposedPort`. */
export interface ContainerWithExposedPortOpts {
  /** Transport. */
  protocol?: NetworkProtocol
  /** What it is for. */
  description?: string
  /** Do not wait for it when the service starts. */
  experimentalSkipHealthcheck?: boolean
}

/** Options of `withoutExposedPort`. */
export interface ContainerWithoutExposedPortOpts {
  /** Transport. */
  protocol?: NetworkProtocol
}

/** Options of `withDockerHealthcheck`. */
export interface ContainerWithDockerHealthcheckOpts {
  /** Run it by the container's shell, as one text. */
  shell?: boolean
  /** Time between two checks, such as `30s`. */
  interval?: string
  /** Time that one check may take. */
  timeout?: string
  /** Time at the start in which failures do not count. */
  startPeriod?: string
  /** Time between two checks in that time; by default they follow each other quickly. */
  startInterval?: string
  /** Failures in a row that make it unhealthy. */
  retries?: number
}

/** Options of `withMountedDirectory`. */
export interface ContainerWithMountedDirectoryOpts {
  /** Owner as `user[:group]`, by name or number; names are looked up in the target's own /etc/passwd and /etc/group. */
  owner?: string
  /** Give it to the container's user. */
  inheritOwner?: boolean
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
  /** Let commands only read it. */
  readOnly?: boolean
}

/** Options of `withMountedFile`. */
export interface ContainerWithMountedFileOpts {
  /** Owner as `user[:group]`, by name or number; names are looked up in the target's own /etc/passwd and /etc/group. */
  owner?: string
  /** Give it to the container's user. */
  inheritOwner?: boolean
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
}

/** Options of `withMountedCache`. */
export interface ContainerWithMountedCacheOpts {
  /** What seeds the volume when it is empty. */
  source?: Directory
  /** Who may use it at the same time; what the volume says if SHARED. */
  sharing?: CacheSharingMode
  /** Owner as `user[:group]`, by name or number; names are looked up in the target's own /etc/passwd and /etc/group. */
  owner?: string
  /** Give it to the container's user. */
  inheritOwner?: boolean
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
}

/** Options of `withMountedTemp`. */
export interface ContainerWithMountedTempOpts {
  /** Limit in bytes. */
  size?: number
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
}

/** Options of `withMountedSecret`. */
export interface ContainerWithMountedSecretOpts {
  /** Owner as `user[:group]`, by name or number; names are looked up in the target's own /etc/passwd and /etc/group. */
  owner?: string
  /** Give it to the container's user. */
  inheritOwner?: boolean
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
  /** Permission bits, such as 256 for 0400. */
  mode?: number
}

/** Options of `withUnixSocket`. */
export interface ContainerWithUnixSocketOpts {
  /** Owner as `user[:group]`, by name or number; names are looked up in the target's own /etc/passwd and /etc/group. */
  owner?: string
  /** Give it to the container's user. */
  inheritOwner?: boolean
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
}

/** Options of `withoutMount`. */
export interface ContainerWithoutMountOpts {
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
}

/** Options of `withoutUnixSocket`. */
export interface ContainerWithoutUnixSocketOpts {
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
}

/** Options of `publish`. */
export interface ContainerPublishOpts {
  /** Containers for other platforms, to be part of the same image. */
  platformVariants?: Container[]
  /** Pack every layer so; otherwise those of images stay as they are and others are gzip. */
  forcedCompression?: ImageLayerCompression
  /** Whose names the parts of the image have. */
  mediaTypes?: ImageMediaTypes
  /** The service that the registry is; the session reaches it so from then on, in plain HTTP unless told otherwise. */
  registryService?: Service
  /** How to speak to the registry. */
  protocol?: RegistryProtocol
  /** Do not check the registry's certificate. */
  insecureSkipTLSVerify?: boolean
}

/** Options of `export`. */
export interface ContainerExportOpts {
  /** Containers for other platforms, to be part of the same image. */
  platformVariants?: Container[]
  /** Pack every layer so; otherwise those of images stay as they are and others are gzip. */
  forcedCompression?: ImageLayerCompression
  /** Whose names the parts of the image have. */
  mediaTypes?: ImageMediaTypes
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
}

/** Options of `exportImage`. */
export interface ContainerExportImageOpts {
  /** Containers for other platforms, to be part of the same image. */
  platformVariants?: Container[]
  /** Pack every layer so; otherwise those of images stay as they are and others are gzip. */
  forcedCompression?: ImageLayerCompression
  /** Whose names the parts of the image have. */
  mediaTypes?: ImageMediaTypes
}

/** Options of `asTarball`. */
export interface ContainerAsTarballOpts {
  /** Containers for other platforms, to be part of the same image. */
  platformVariants?: Container[]
  /** Pack every layer so; otherwise those of images stay as they are and others are gzip. */
  forcedCompression?: ImageLayerCompression
  /** Whose names the parts of the image have. */
  mediaTypes?: ImageMediaTypes
}

/** Options of `manifest`. */
export interface ContainerManifestOpts {
  /** Pack every layer so; otherwise those of images stay as they are and others are gzip. */
  forcedCompression?: ImageLayerCompression
  /** Whose names the parts of the image have. */
  mediaTypes?: ImageMediaTypes
}

/** Options of `layer`. */
export interface ContainerLayerOpts {
  /** Pack every layer so; otherwise those of images stay as they are and others are gzip. */
  forcedCompression?: ImageLayerCompression
  /** Whose names the parts of the image have. */
  mediaTypes?: ImageMediaTypes
}

/** Options of `import_`. */
export interface ContainerImportOpts {
  /** Name or tag of the image, if the archive holds several. */
  tag?: string
}

/** Options of `pipeline`. */
export interface ContainerPipelineOpts {
  /** Ignored. */
  description?: string
  /** Ignored. */
  labels?: PipelineLabel[]
}

/** Options of `withDirectory`. */
export interface ContainerWithDirectoryOpts {
  /** Patterns of what to leave out. */
  exclude?: string[]
  /** Patterns of what to take; everything by default. */
  include?: string[]
  /** Leave out what `.gitignore` files name. */
  gitignore?: boolean
  /** Owner as `user[:group]`, by name or number; names are looked up in the target's own /etc/passwd and /etc/group. */
  owner?: string
  /** Give it to the container's user. */
  inheritOwner?: boolean
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
  /** Permission bits of the files. */
  permissions?: number
}

/** Options of `withFile`. */
export interface ContainerWithFileOpts {
  /** Permission bits; those of the file by default. */
  permissions?: number
  /** Owner as `user[:group]`, by name or number; names are looked up in the target's own /etc/passwd and /etc/group. */
  owner?: string
  /** Give it to the container's user. */
  inheritOwner?: boolean
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
}

/** Options of `withFiles`. */
export interface ContainerWithFilesOpts {
  /** Permission bits; those of each file by default. */
  permissions?: number
  /** Owner as `user[:group]`, by name or number; names are looked up in the target's own /etc/passwd and /etc/group. */
  owner?: string
  /** Give it to the container's user. */
  inheritOwner?: boolean
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
}

/** Options of `withNewFile`. */
export interface ContainerWithNewFileOpts {
  /** Permission bits, such as 420 for 0644. */
  permissions?: number
  /** Owner as `user[:group]`, by name or number; names are looked up in the target's own /etc/passwd and /etc/group. */
  owner?: string
  /** Give it to the container's user. */
  inheritOwner?: boolean
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
}

/** Options of `withSymlink`. */
export interface ContainerWithSymlinkOpts {
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
}

/** Options of `withoutFile`. */
export interface ContainerWithoutFileOpts {
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
}

/** Options of `withoutDirectory`. */
export interface ContainerWithoutDirectoryOpts {
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
}

/** Options of `withoutFiles`. */
export interface ContainerWithoutFilesOpts {
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
}

/** Options of `directory`. */
export interface ContainerDirectoryOpts {
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
}

/** Options of `file`. */
export interface ContainerFileOpts {
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
}

/** Options of `build`. */
export interface ContainerBuildOpts {
  /** Path of the Dockerfile in the context. */
  dockerfile?: string
  /** Values of `ARG`s. */
  buildArgs?: BuildArg[]
  /** The stage to build; the last by default. */
  target?: string
  /** Secrets for `RUN --mount=type=secret`; a secret's name is its id there. */
  secrets?: Secret[]
  /** Whether commands are process 1 themselves. */
  noInit?: boolean
}

/** Options of `asService`. */
export interface ContainerAsServiceOpts {
  /** Command instead of the default one, which is the entrypoint with the default arguments. */
  args?: string[]
  /** Put the entrypoint in front of `args`. */
  useEntrypoint?: boolean
  /** Let the command call this API. */
  experimentalPrivilegedNesting?: boolean
  /** All capabilities, inside nsci's user namespace. */
  insecureRootCapabilities?: boolean
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
  /** Run the command as process 1, without an init that reaps. */
  noInit?: boolean
}

/** Options of `up`. */
export interface ContainerUpOpts {
  /** Ports to open; by default all that are declared, by their numbers. */
  ports?: PortForward[]
  /** Open free ports of the host's choice instead. */
  random?: boolean
  /** Command instead of the default one, which is the entrypoint with the default arguments. */
  args?: string[]
  /** Put the entrypoint in front of `args`. */
  useEntrypoint?: boolean
  /** Let the command call this API. */
  experimentalPrivilegedNesting?: boolean
  /** All capabilities, inside nsci's user namespace. */
  insecureRootCapabilities?: boolean
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
  /** Run the command as process 1, without an init that reaps. */
  noInit?: boolean
}

/** Options of `endpoint`. */
export interface ContainerEndpointOpts {
  /** Port; the first that is declared if absent. */
  port?: number
  /** Scheme of a URL, such as `http`; without one it is `host:port`. */
  scheme?: string
}

/** Options of `stat`. */
export interface ContainerStatOpts {
  /** Look at a link itself. */
  doNotFollowSymlinks?: boolean
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
}

/** Options of `terminal`. */
export interface ContainerTerminalOpts {
  /** The shell; by default withDefaultTerminalCmd's, or `sh`. */
  cmd?: string[]
  /** Let it call this API. */
  experimentalPrivilegedNesting?: boolean
  /** All capabilities, inside nsci's user namespace. */
  insecureRootCapabilities?: boolean
}

/** Names a Container in requests. */
export type ContainerID = string

/** A file system with the configuration that commands run with. */
export class Container extends BaseObject {
  static override readonly apiName: string = "Container"

  /** What names this object in requests. */
  id(): Promise<ContainerID> {
    return this._id()
  }

  /**
   * The container with an image's files and configuration.
   *
   * @param address Image reference, such as `alpine` or `ghcr.io/org/app:1.2`.
   */
  from(address: string, opts?: ContainerFromOpts): Container {
    return new Container(this, "from", { address, ...opts }, ["protocol"])
  }

  /** The image that the root file system came from, with its digest. */
  imageRef(): Promise<string> {
    return this._value("imageRef")
  }

  /** The platform of its image and commands. */
  platform(): Promise<Platform> {
    return this._value("platform")
  }

  /**
   * Credentials for a registry, or for repositories of it. They count for no cache key.
   *
   * @param address Registry host, with or without a path.
   * @param username User.
   * @param secret Password or token.
   */
  withRegistryAuth(address: string, username: string, secret: Secret): Container {
    return new Container(this, "withRegistryAuth", { address, username, secret })
  }

  /**
   * Forgets credentials for an address.
   *
   * @param address As it was given.
   */
  withoutRegistryAuth(address: string): Container {
    return new Container(this, "withoutRegistryAuth", { address })
  }

  /**
   * Replaces the root file system and keeps the configuration.
   *
   * @param directory The new root.
   */
  withRootfs(directory: Directory): Container {
    return new Container(this, "withRootfs", { directory })
  }

  /** The root file system, without mounts. */
  rootfs(): Directory {
    return new Directory(this, "rootfs")
  }

  /**
   * Whether something is at a path.
   *
   * @param path Path.
   */
  exists(path: string, opts?: ContainerExistsOpts): Promise<boolean> {
    return this._value("exists", { path, ...opts }, ["expectedType"])
  }

  /** Makes everything so far happen now. */
  sync(): Promise<Container> {
    return this._loaded(Container, "sync")
  }

  /**
   * The container after a command. Nothing runs until a result is asked for.
   *
   * @param args The command; no shell is involved. Empty runs the default arguments.
   */
  withExec(args: string[], opts?: ContainerWithExecOpts): Container {
    return new Container(this, "withExec", { args, ...opts }, ["expect"])
  }

  /** What the last command wrote to standard output. */
  stdout(): Promise<string> {
    return this._value("stdout")
  }

  /** What the last command wrote to standard error. */
  stderr(): Promise<string> {
    return this._value("stderr")
  }

  /** What the last command wrote to both, in order. */
  combinedOutput(): Promise<string> {
    return this._value("combinedOutput")
  }

  /** The last command's exit code. */
  exitCode(): Promise<number> {
    return this._value("exitCode")
  }

  /**
   * Sets an environment variable.
   *
   * @param name Name.
   * @param value Value.
   */
  withEnvVariable(name: string, value: string, opts?: ContainerWithEnvVariableOpts): Container {
    return new Container(this, "withEnvVariable", { name, value, ...opts })
  }

  /**
   * Removes an environment variable.
   *
   * @param name Name.
   */
  withoutEnvVariable(name: string): Container {
    return new Container(this, "withoutEnvVariable", { name })
  }

  /**
   * Sets an environment variable to a secret's value while commands run.
   *
   * @param name Name.
   * @param secret The secret.
   */
  withSecretVariable(name: string, secret: Secret): Container {
    return new Container(this, "withSecretVariable", { name, secret })
  }

  /**
   * Removes a secret variable.
   *
   * @param name Name.
   */
  withoutSecretVariable(name: string): Container {
    return new Container(this, "withoutSecretVariable", { name })
  }

  /**
   * Sets an environment variable that decides nothing: commands see it, but a change of it runs none of them again, and no image has it.
   *
   * @param name Name.
   * @param value Value.
   */
  withVolatileVariable(name: string, value: string): Container {
    return new Container(this, "withVolatileVariable", { name, value })
  }

  /**
   * Removes a variable that `withVolatileVariable` set.
   *
   * @param name Name.
   */
  withoutVolatileVariable(name: string): Container {
    return new Container(this, "withoutVolatileVariable", { name })
  }

  /**
   * Value of an environment variable.
   *
   * @param name Name.
   */
  envVariable(name: string): Promise<string> {
    return this._value("envVariable", { name })
  }

  /** All environment variables. */
  envVariables(): Promise<EnvVariable[]> {
    return this._objects(EnvVariable, "envVariables")
  }

  /**
   * Sets the working directory. It is made when a command needs it.
   *
   * @param path Path; relative to the working directory so far.
   */
  withWorkdir(path: string, opts?: ContainerWithWorkdirOpts): Container {
    return new Container(this, "withWorkdir", { path, ...opts })
  }

  /** Sets the working directory back to `/`. */
  withoutWorkdir(): Container {
    return new Container(this, "withoutWorkdir")
  }

  /** The working directory. */
  workdir(): Promise<string> {
    return this._value("workdir")
  }

  /**
   * Sets the user that commands run as.
   *
   * @param name `user[:group]`, by name or number.
   */
  withUser(name: string): Container {
    return new Container(this, "withUser", { name })
  }

  /** Runs commands as root again. */
  withoutUser(): Container {
    return new Container(this, "withoutUser")
  }

  /** The user that commands run as; empty means root. */
  user(): Promise<string> {
    return this._value("user")
  }

  /**
   * Sets the entrypoint and, unless kept, removes the default arguments.
   *
   * @param args Arguments.
   */
  withEntrypoint(args: string[], opts?: ContainerWithEntrypointOpts): Container {
    return new Container(this, "withEntrypoint", { args, ...opts })
  }

  /** Removes the entrypoint and, unless kept, the default arguments. */
  withoutEntrypoint(opts?: ContainerWithoutEntrypointOpts): Container {
    return new Container(this, "withoutEntrypoint", { ...opts })
  }

  /** The entrypoint. */
  entrypoint(): Promise<string[]> {
    return this._value("entrypoint")
  }

  /**
   * Sets the arguments of a command that is given none.
   *
   * @param args Arguments.
   */
  withDefaultArgs(args: string[]): Container {
    return new Container(this, "withDefaultArgs", { args })
  }

  /** Removes the default arguments. */
  withoutDefaultArgs(): Container {
    return new Container(this, "withoutDefaultArgs")
  }

  /** The default arguments. */
  defaultArgs(): Promise<string[]> {
    return this._value("defaultArgs")
  }

  /**
   * Sets the command that `terminal` starts.
   *
   * @param args The command.
   */
  withDefaultTerminalCmd(args: string[], opts?: ContainerWithDefaultTerminalCmdOpts): Container {
    return new Container(this, "withDefaultTerminalCmd", { args, ...opts })
  }

  /**
   * Sets a label.
   *
   * @param name Name.
   * @param value Value.
   */
  withLabel(name: string, value: string): Container {
    return new Container(this, "withLabel", { name, value })
  }

  /**
   * Removes a label.
   *
   * @param name Name.
   */
  withoutLabel(name: string): Container {
    return new Container(this, "withoutLabel", { name })
  }

  /**
   * Value of a label.
   *
   * @param name Name.
   */
  label(name: string): Promise<string> {
    return this._value("label", { name })
  }

  /** All labels. */
  labels(): Promise<Label[]> {
    return this._objects(Label, "labels")
  }

  /**
   * Sets an annotation of the published manifest.
   *
   * @param name Name.
   * @param value Value.
   */
  withAnnotation(name: string, value: string): Container {
    return new Container(this, "withAnnotation", { name, value })
  }

  /**
   * Removes an annotation.
   *
   * @param name Name.
   */
  withoutAnnotation(name: string): Container {
    return new Container(this, "withoutAnnotation", { name })
  }

  /**
   * Declares a port that the container listens on.
   *
   * @param port Number.
   */
  withExposedPort(port: number, opts?: ContainerWithExposedPortOpts): Container {
    return new Container(this, "withExposedPort", { port, ...opts }, ["protocol"])
  }

  /**
   * Takes a declared port back.
   *
   * @param port Number.
   */
  withoutExposedPort(port: number, opts?: ContainerWithoutExposedPortOpts): Container {
    return new Container(this, "withoutExposedPort", { port, ...opts }, ["protocol"])
  }

  /** All declared ports. */
  exposedPorts(): Promise<Port[]> {
    return this._objects(Port, "exposedPorts")
  }

  /**
   * Sets the command that tells whether the container is healthy when it runs as a service.
   *
   * @param args The command.
   */
  withDockerHealthcheck(args: string[], opts?: ContainerWithDockerHealthcheckOpts): Container {
    return new Container(this, "withDockerHealthcheck", { args, ...opts })
  }

  /** Removes the health check. */
  withoutDockerHealthcheck(): Container {
    return new Container(this, "withoutDockerHealthcheck")
  }

  /** The health check; null if there is none. */
  dockerHealthcheck(): HealthcheckConfig {
    return new HealthcheckConfig(this, "dockerHealthcheck")
  }

  /**
   * Mounts a directory. What commands write to it stays for later commands of the chain.
   *
   * @param path Mount point.
   * @param source The directory.
   */
  withMountedDirectory(path: string, source: Directory, opts?: ContainerWithMountedDirectoryOpts): Container {
    return new Container(this, "withMountedDirectory", { path, source, ...opts })
  }

  /**
   * Mounts a file. What commands write to it stays for later commands of the chain.
   *
   * @param path Mount point.
   * @param source The file.
   */
  withMountedFile(path: string, source: File, opts?: ContainerWithMountedFileOpts): Container {
    return new Container(this, "withMountedFile", { path, source, ...opts })
  }

  /**
   * Mounts a cache volume. Its contents are no part of the container.
   *
   * @param path Mount point.
   * @param cache The volume.
   */
  withMountedCache(path: string, cache: CacheVolume, opts?: ContainerWithMountedCacheOpts): Container {
    return new Container(this, "withMountedCache", { path, cache, ...opts }, ["sharing"])
  }

  /**
   * Mounts memory that is dropped after each command.
   *
   * @param path Mount point.
   */
  withMountedTemp(path: string, opts?: ContainerWithMountedTempOpts): Container {
    return new Container(this, "withMountedTemp", { path, ...opts })
  }

  /**
   * Mounts a secret as a file in memory.
   *
   * @param path Mount point.
   * @param source The secret.
   */
  withMountedSecret(path: string, source: Secret, opts?: ContainerWithMountedSecretOpts): Container {
    return new Container(this, "withMountedSecret", { path, source, ...opts })
  }

  /**
   * Mounts a Unix socket of the host; with an owner, a socket of that user that leads to it.
   *
   * @param path Mount point.
   * @param source The socket.
   */
  withUnixSocket(path: string, source: Socket, opts?: ContainerWithUnixSocketOpts): Container {
    return new Container(this, "withUnixSocket", { path, source, ...opts })
  }

  /**
   * Takes away what is mounted at a path.
   *
   * @param path Mount point.
   */
  withoutMount(path: string, opts?: ContainerWithoutMountOpts): Container {
    return new Container(this, "withoutMount", { path, ...opts })
  }

  /**
   * Takes away a socket mounted at a path.
   *
   * @param path Mount point.
   */
  withoutUnixSocket(path: string, opts?: ContainerWithoutUnixSocketOpts): Container {
    return new Container(this, "withoutUnixSocket", { path, ...opts })
  }

  /** The paths that something is mounted at. */
  mounts(): Promise<string[]> {
    return this._value("mounts")
  }

  /**
   * Puts the container's image into a registry; returns its name with the digest.
   *
   * @param address Name to publish under, such as `ghcr.io/org/app:1.2`.
   */
  publish(address: string, opts?: ContainerPublishOpts): Promise<string> {
    return this._value("publish", { address, ...opts }, ["forcedCompression", "mediaTypes", "protocol"])
  }

  /**
   * Writes the container's image to the client's host as an archive; returns the absolute path.
   *
   * @param path Destination; relative to the client's working directory.
   */
  export(path: string, opts?: ContainerExportOpts): Promise<string> {
    return this._value("export", { path, ...opts }, ["forcedCompression", "mediaTypes"])
  }

  /**
   * Loads the container's image into the docker, podman, nerdctl or finch of the client's host.
   *
   * @param name Name of the image there.
   */
  exportImage(name: string, opts?: ContainerExportImageOpts): Promise<void> {
    return this._value("exportImage", { name, ...opts }, ["forcedCompression", "mediaTypes"])
  }

  /** The container's image as an archive. */
  asTarball(opts?: ContainerAsTarballOpts): File {
    return new File(this, "asTarball", { ...opts }, ["forcedCompression", "mediaTypes"])
  }

  /** The manifest that the container's image would be published with. */
  manifest(opts?: ContainerManifestOpts): File {
    return new File(this, "manifest", { ...opts }, ["forcedCompression", "mediaTypes"])
  }

  /**
   * The blob of one layer of the container's image, as it would be published.
   *
   * @param id Digest of the blob, or of the layer before it was packed.
   */
  layer(id: string, opts?: ContainerLayerOpts): File {
    return new File(this, "layer", { id, ...opts }, ["forcedCompression", "mediaTypes"])
  }

  /**
   * The container with the files and configuration of an image in an archive.
   *
   * @param source The archive: an OCI layout, or what `docker save` writes.
   */
  import_(source: File, opts?: ContainerImportOpts): Container {
    return new Container(this, "import", { source, ...opts })
  }

  /**
   * Does nothing (older clients).
   *
   * @param name Ignored.
   * @deprecated Spans show what belongs together.
   */
  pipeline(name: string, opts?: ContainerPipelineOpts): Container {
    return new Container(this, "pipeline", { name, ...opts })
  }

  /**
   * Merges a directory into this one: files are replaced, directories merged.
   *
   * @param path Destination.
   * @param source The directory.
   */
  withDirectory(path: string, source: Directory, opts?: ContainerWithDirectoryOpts): Container {
    return new Container(this, "withDirectory", { path, source, ...opts })
  }

  /**
   * Copies a file.
   *
   * @param path Destination; a directory if it ends in `/`.
   * @param source The file.
   */
  withFile(path: string, source: File, opts?: ContainerWithFileOpts): Container {
    return new Container(this, "withFile", { path, source, ...opts })
  }

  /**
   * Copies files into a directory, under their names.
   *
   * @param path Destination directory.
   * @param sources The files.
   */
  withFiles(path: string, sources: File[], opts?: ContainerWithFilesOpts): Container {
    return new Container(this, "withFiles", { path, sources, ...opts })
  }

  /**
   * Writes a file.
   *
   * @param path Destination.
   * @param contents Contents.
   */
  withNewFile(path: string, contents: string, opts?: ContainerWithNewFileOpts): Container {
    return new Container(this, "withNewFile", { path, contents, ...opts })
  }

  /**
   * Makes a symbolic link.
   *
   * @param target What the link says.
   * @param linkName Where the link is.
   */
  withSymlink(target: string, linkName: string, opts?: ContainerWithSymlinkOpts): Container {
    return new Container(this, "withSymlink", { target, linkName, ...opts })
  }

  /**
   * Removes a file; nothing there is fine.
   *
   * @param path Path or pattern.
   */
  withoutFile(path: string, opts?: ContainerWithoutFileOpts): Container {
    return new Container(this, "withoutFile", { path, ...opts })
  }

  /**
   * Removes a directory with all that is in it; nothing there is fine.
   *
   * @param path Path or pattern.
   */
  withoutDirectory(path: string, opts?: ContainerWithoutDirectoryOpts): Container {
    return new Container(this, "withoutDirectory", { path, ...opts })
  }

  /**
   * Removes files; nothing there is fine.
   *
   * @param paths Paths or patterns.
   */
  withoutFiles(paths: string[], opts?: ContainerWithoutFilesOpts): Container {
    return new Container(this, "withoutFiles", { paths, ...opts })
  }

  /**
   * A directory below; in a container, mounted ones included.
   *
   * @param path Path.
   */
  directory(path: string, opts?: ContainerDirectoryOpts): Directory {
    return new Directory(this, "directory", { path, ...opts })
  }

  /**
   * A file below; in a container, mounted ones included.
   *
   * @param path Path.
   */
  file(path: string, opts?: ContainerFileOpts): File {
    return new File(this, "file", { path, ...opts })
  }

  /**
   * Fails with a message when something is asked of it; an empty message changes nothing.
   *
   * @param err The message.
   */
  withError(err: string): Container {
    return new Container(this, "withError", { err })
  }

  /**
   * Builds a Dockerfile in place of this container.
   *
   * @param context The build context.
   * @deprecated Use `Directory.dockerBuild`.
   */
  build(context: Directory, opts?: ContainerBuildOpts): Container {
    return new Container(this, "build", { context, ...opts })
  }

  /** The container's command as a service. It starts when somebody needs it, once for all who do. */
  asService(opts?: ContainerAsServiceOpts): Service {
    return new Service(this, "asService", { ...opts })
  }

  /**
   * Lets commands reach a service by a name. It runs while they do.
   *
   * @param alias The name.
   * @param service The service.
   */
  withServiceBinding(alias: string, service: Service): Container {
    return new Container(this, "withServiceBinding", { alias, service })
  }

  /** Runs the container's command as a service and opens its ports on the host until it ends. */
  up(opts?: ContainerUpOpts): Promise<void> {
    return this._value("up", { ...opts }, ["protocol"])
  }

  /**
   * Host name of the container as a service (older clients).
   *
   * @deprecated Use `asService.hostname`.
   */
  hostname(): Promise<string> {
    return this._value("hostname")
  }

  /**
   * Address of the container as a service (older clients).
   *
   * @deprecated Use `asService.endpoint`.
   */
  endpoint(opts?: ContainerEndpointOpts): Promise<string> {
    return this._value("endpoint", { ...opts })
  }

  /**
   * What is at a path; null if nothing is.
   *
   * @param path Path.
   */
  stat(path: string, opts?: ContainerStatOpts): Stat {
    return new Stat(this, "stat", { path, ...opts })
  }

  /**
   * Sets all variables of a file.
   *
   * @param source The file.
   */
  withEnvFileVariables(source: EnvFile): Container {
    return new Container(this, "withEnvFileVariables", { source })
  }

  /** Opens a shell in the container and waits for its end. Gives the container as it was. */
  terminal(opts?: ContainerTerminalOpts): Container {
    return new Container(this, "terminal", { ...opts })
  }

  /**
   * Does nothing (older clients).
   *
   * @deprecated Progress shows every step.
   */
  withFocus(): Container {
    return new Container(this, "withFocus")
  }

  /**
   * Does nothing (older clients).
   *
   * @deprecated Progress shows every step.
   */
  withoutFocus(): Container {
    return new Container(this, "withoutFocus")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Container) => T): T {
    return work(this)
  }
}

/** Options of `workdir`. */
export interface CurrentModuleWorkdirOpts {
  /** Patterns of what to leave out. */
  exclude?: string[]
  /** Patterns of what to take; everything by default. */
  include?: string[]
  /** Leave out what `.gitignore` files name. */
  gitignore?: boolean
}

/** Options of `generators`. */
export interface CurrentModuleGeneratorsOpts {
  /** Names of generators, or of what has them; `*` stands for anything. */
  include?: string[]
}

/** Names a CurrentModule in requests. */
export type CurrentModuleID = string

/** The module that asks. */
export class CurrentModule extends BaseObject {
  static override readonly apiName: string = "CurrentModule"

  /** What names this object in requests. */
  id(): Promise<CurrentModuleID> {
    return this._id()
  }

  /** Its name. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** Its sources. */
  source(): Directory {
    return new Directory(this, "source")
  }

  /** Its context with what is generated for it. */
  generatedContextDirectory(): Directory {
    return new Directory(this, "generatedContextDirectory")
  }

  /**
   * A directory of the running function's working directory, as it is now.
   *
   * @param path Path, relative to the working directory.
   */
  workdir(path: string, opts?: CurrentModuleWorkdirOpts): Directory {
    return new Directory(this, "workdir", { path, ...opts })
  }

  /**
   * A file of the running function's working directory, as it is now.
   *
   * @param path Path, relative to the working directory.
   */
  workdirFile(path: string): File {
    return new File(this, "workdirFile", { path })
  }

  /** The modules that it uses. */
  dependencies(): Promise<Module_[]> {
    return this._objects(Module_, "dependencies")
  }

  /** Its functions that make files. */
  generators(opts?: CurrentModuleGeneratorsOpts): GeneratorGroup {
    return new GeneratorGroup(this, "generators", { ...opts })
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: CurrentModule) => T): T {
    return work(this)
  }
}

/** Names a DiffStat in requests. */
export type DiffStatID = string

/** What became of a file. */
export class DiffStat extends BaseObject {
  static override readonly apiName: string = "DiffStat"

  /** What names this object in requests. */
  id(): Promise<DiffStatID> {
    return this._id()
  }

  /** Where it is, or was. */
  path(): Promise<string> {
    return this._value("path")
  }

  /** Where it was, if it was moved. */
  oldPath(): Promise<string> {
    return this._value("oldPath")
  }

  /** What became of it. */
  kind(): Promise<DiffStatKind> {
    return this._value("kind")
  }

  /** Lines that are new; none for what is no text. */
  addedLines(): Promise<number> {
    return this._value("addedLines")
  }

  /** Lines that are gone; none for what is no text. */
  removedLines(): Promise<number> {
    return this._value("removedLines")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: DiffStat) => T): T {
    return work(this)
  }
}

/** What became of a file. */
export enum DiffStatKind {
  /** It is new. */
  Added = "ADDED",
  /** It is not what it was. */
  Modified = "MODIFIED",
  /** It is gone. */
  Removed = "REMOVED",
  /** It is elsewhere. */
  Renamed = "RENAMED",
}

/** Options of `withDirectory`. */
export interface DirectoryWithDirectoryOpts {
  /** Patterns of what to leave out. */
  exclude?: string[]
  /** Patterns of what to take; everything by default. */
  include?: string[]
  /** Leave out what `.gitignore` files name. */
  gitignore?: boolean
  /** Owner as `user[:group]`, by name or number; names are looked up in the target's own /etc/passwd and /etc/group. */
  owner?: string
  /** Permission bits of the files. */
  permissions?: number
}

/** Options of `withFile`. */
export interface DirectoryWithFileOpts {
  /** Permission bits; those of the file by default. */
  permissions?: number
  /** Owner as `user[:group]`, by name or number; names are looked up in the target's own /etc/passwd and /etc/group. */
  owner?: string
}

/** Options of `withFiles`. */
export interface DirectoryWithFilesOpts {
  /** Permission bits; those of each file by default. */
  permissions?: number
  /** Owner as `user[:group]`, by name or number; names are looked up in the target's own /etc/passwd and /etc/group. */
  owner?: string
}

/** Options of `withNewFile`. */
export interface DirectoryWithNewFileOpts {
  /** Permission bits, such as 420 for 0644. */
  permissions?: number
  /** Owner as `user[:group]`, by name or number; names are looked up in the target's own /etc/passwd and /etc/group. */
  owner?: string
}

/** Options of `withNewDirectory`. */
export interface DirectoryWithNewDirectoryOpts {
  /** Permission bits; 493 (0755) by default. */
  permissions?: number
}

/** Options of `filter`. */
export interface DirectoryFilterOpts {
  /** Patterns of what to leave out. */
  exclude?: string[]
  /** Patterns of what to take; everything by default. */
  include?: string[]
  /** Leave out what `.gitignore` files name. */
  gitignore?: boolean
}

/** Options of `entries`. */
export interface DirectoryEntriesOpts {
  /** A directory below. */
  path?: string
}

/** Options of `exists`. */
export interface DirectoryExistsOpts {
  /** What it has to be. */
  expectedType?: ExistsType
  /** Look at a link itself. */
  doNotFollowSymlinks?: boolean
}

/** Options of `export`. */
export interface DirectoryExportOpts {
  /** Remove what is there and not in the directory. */
  wipe?: boolean
}

/** Options of `pipeline`. */
export interface DirectoryPipelineOpts {
  /** Ignored. */
  description?: string
  /** Ignored. */
  labels?: PipelineLabel[]
}

/** Options of `dockerBuild`. */
export interface DirectoryDockerBuildOpts {
  /** Path of the Dockerfile in the context. */
  dockerfile?: string
  /** Values of `ARG`s. */
  buildArgs?: BuildArg[]
  /** The stage to build; the last by default. */
  target?: string
  /** Secrets for `RUN --mount=type=secret`; a secret's name is its id there. */
  secrets?: Secret[]
  /** Whether commands are process 1 themselves. */
  noInit?: boolean
  /** Platform of the result; the host's by default. */
  platform?: Platform
  /** Socket for `RUN --mount=type=ssh`. */
  ssh?: Socket
}

/** Options of `stat`. */
export interface DirectoryStatOpts {
  /** Look at a link itself. */
  doNotFollowSymlinks?: boolean
}

/** Options of `search`. */
export interface DirectorySearchOpts {
  /** Files and directories to search; all by default. */
  paths?: string[]
  /** Patterns of the files to search; `!` in front leaves out. */
  globs?: string[]
  /** The pattern is a text. */
  literal?: boolean
  /** A match may span lines. */
  multiline?: boolean
  /** `.` matches ends of lines too, if a match may span lines. */
  dotall?: boolean
  /** Case does not count. */
  insensitive?: boolean
  /** Leave out what `.gitignore` files name. */
  skipIgnored?: boolean
  /** Leave out names that begin with a dot. */
  skipHidden?: boolean
  /** One result for each file, without lines. */
  filesOnly?: boolean
  /** Most results; 10,000 by default. */
  limit?: number
}

/** Options of `withPatch`. */
export interface DirectoryWithPatchOpts {
  /** What to do where the patch does not fit. */
  onConflict?: PatchConflict
}

/** Options of `withPatchFile`. */
export interface DirectoryWithPatchFileOpts {
  /** What to do where the patch does not fit. */
  onConflict?: PatchConflict
}

/** Options of `terminal`. */
export interface DirectoryTerminalOpts {
  /** Container for the shell; a small one with `sh` by default. */
  container?: Container
  /** The shell; by default withDefaultTerminalCmd's, or `sh`. */
  cmd?: string[]
  /** Let it call this API. */
  experimentalPrivilegedNesting?: boolean
  /** All capabilities, inside nsci's user namespace. */
  insecureRootCapabilities?: boolean
}

/** Names a Directory in requests. */
export type DirectoryID = string

/** A directory with all that is below it. */
export class Directory extends BaseObject {
  static override readonly apiName: string = "Directory"

  /** What names this object in requests. */
  id(): Promise<DirectoryID> {
    return this._id()
  }

  /**
   * Merges a directory into this one: files are replaced, directories merged.
   *
   * @param path Destination.
   * @param source The directory.
   */
  withDirectory(path: string, source: Directory, opts?: DirectoryWithDirectoryOpts): Directory {
    return new Directory(this, "withDirectory", { path, source, ...opts })
  }

  /**
   * Copies a file.
   *
   * @param path Destination; a directory if it ends in `/`.
   * @param source The file.
   */
  withFile(path: string, source: File, opts?: DirectoryWithFileOpts): Directory {
    return new Directory(this, "withFile", { path, source, ...opts })
  }

  /**
   * Copies files into a directory, under their names.
   *
   * @param path Destination directory.
   * @param sources The files.
   */
  withFiles(path: string, sources: File[], opts?: DirectoryWithFilesOpts): Directory {
    return new Directory(this, "withFiles", { path, sources, ...opts })
  }

  /**
   * Writes a file.
   *
   * @param path Destination.
   * @param contents Contents.
   */
  withNewFile(path: string, contents: string, opts?: DirectoryWithNewFileOpts): Directory {
    return new Directory(this, "withNewFile", { path, contents, ...opts })
  }

  /**
   * Makes a symbolic link.
   *
   * @param target What the link says.
   * @param linkName Where the link is.
   */
  withSymlink(target: string, linkName: string): Directory {
    return new Directory(this, "withSymlink", { target, linkName })
  }

  /**
   * Removes a file; nothing there is fine.
   *
   * @param path Path or pattern.
   */
  withoutFile(path: string): Directory {
    return new Directory(this, "withoutFile", { path })
  }

  /**
   * Removes a directory with all that is in it; nothing there is fine.
   *
   * @param path Path or pattern.
   */
  withoutDirectory(path: string): Directory {
    return new Directory(this, "withoutDirectory", { path })
  }

  /**
   * Removes files; nothing there is fine.
   *
   * @param paths Paths or patterns.
   */
  withoutFiles(paths: string[]): Directory {
    return new Directory(this, "withoutFiles", { paths })
  }

  /**
   * A directory below; in a container, mounted ones included.
   *
   * @param path Path.
   */
  directory(path: string): Directory {
    return new Directory(this, "directory", { path })
  }

  /**
   * A file below; in a container, mounted ones included.
   *
   * @param path Path.
   */
  file(path: string): File {
    return new File(this, "file", { path })
  }

  /**
   * Fails with a message when something is asked of it; an empty message changes nothing.
   *
   * @param err The message.
   */
  withError(err: string): Directory {
    return new Directory(this, "withError", { err })
  }

  /**
   * Makes a directory with its parents.
   *
   * @param path Path.
   */
  withNewDirectory(path: string, opts?: DirectoryWithNewDirectoryOpts): Directory {
    return new Directory(this, "withNewDirectory", { path, ...opts })
  }

  /**
   * Sets all modification times.
   *
   * @param timestamp Seconds since 1970.
   */
  withTimestamps(timestamp: number): Directory {
    return new Directory(this, "withTimestamps", { timestamp })
  }

  /**
   * Changes the owner of a path and all below it.
   *
   * @param path Path.
   * @param owner `user[:group]`; names are looked up in the directory's own /etc/passwd.
   */
  chown(path: string, owner: string): Directory {
    return new Directory(this, "chown", { path, owner })
  }

  /** The part of the directory that patterns let through. */
  filter(opts?: DirectoryFilterOpts): Directory {
    return new Directory(this, "filter", { ...opts })
  }

  /**
   * The other directory without what is the same in this one.
   *
   * @param other The other directory.
   */
  diff(other: Directory): Directory {
    return new Directory(this, "diff", { other })
  }

  /** The names in the directory, sorted; those of directories end in `/`. */
  entries(opts?: DirectoryEntriesOpts): Promise<string[]> {
    return this._value("entries", { ...opts })
  }

  /**
   * The paths that match a pattern, sorted; those of directories end in `/`.
   *
   * @param pattern `*` matches within a name, `**` across names.
   */
  glob(pattern: string): Promise<string[]> {
    return this._value("glob", { pattern })
  }

  /** The directory's own name. */
  name(): Promise<string> {
    return this._value("name")
  }

  /**
   * The path of the nearest file or directory of a name in a directory or above it; null if there is none.
   *
   * @param name The name.
   * @param start Path of the directory to begin in.
   */
  findUp(name: string, start: string): Promise<string> {
    return this._value("findUp", { name, start })
  }

  /** A hash of all that is in the directory, modification times apart. */
  digest(): Promise<string> {
    return this._value("digest")
  }

  /**
   * Whether something is at a path.
   *
   * @param path Path.
   */
  exists(path: string, opts?: DirectoryExistsOpts): Promise<boolean> {
    return this._value("exists", { path, ...opts }, ["expectedType"])
  }

  /**
   * Writes the directory to the client's host; returns the absolute path.
   *
   * @param path Destination; relative to the client's working directory.
   */
  export(path: string, opts?: DirectoryExportOpts): Promise<string> {
    return this._value("export", { path, ...opts })
  }

  /** Makes everything so far happen now. */
  sync(): Promise<Directory> {
    return this._loaded(Directory, "sync")
  }

  /**
   * Does nothing (older clients).
   *
   * @param name Ignored.
   * @deprecated Spans show what belongs together.
   */
  pipeline(name: string, opts?: DirectoryPipelineOpts): Directory {
    return new Directory(this, "pipeline", { name, ...opts })
  }

  /** Builds the directory's Dockerfile. */
  dockerBuild(opts?: DirectoryDockerBuildOpts): Container {
    return new Container(this, "dockerBuild", { ...opts })
  }

  /** The directory as a git repository; it must have a `.git` directory. */
  asGit(): GitRepository {
    return new GitRepository(this, "asGit")
  }

  /**
   * What is at a path; null if nothing is.
   *
   * @param path Path.
   */
  stat(path: string, opts?: DirectoryStatOpts): Stat {
    return new Stat(this, "stat", { path, ...opts })
  }

  /**
   * The lines of files that match a pattern, in the order of their paths.
   *
   * @param pattern Regular expression.
   */
  search(pattern: string, opts?: DirectorySearchOpts): Promise<SearchResult[]> {
    return this._objects(SearchResult, "search", { pattern, ...opts })
  }

  /**
   * What makes this directory of an older one.
   *
   * @param from The older one.
   */
  changes(from: Directory): Changeset {
    return new Changeset(this, "changes", { from })
  }

  /**
   * Applies a change: what it removed goes, what it added or modified becomes what it is there.
   *
   * @param changes The change.
   */
  withChanges(changes: Changeset): Directory {
    return new Directory(this, "withChanges", { changes })
  }

  /**
   * Applies a patch as `git diff` or `diff -u` write it.
   *
   * @param patch The patch.
   */
  withPatch(patch: string, opts?: DirectoryWithPatchOpts): Directory {
    return new Directory(this, "withPatch", { patch, ...opts }, ["onConflict"])
  }

  /**
   * Applies a patch from a file.
   *
   * @param patch The file.
   */
  withPatchFile(patch: File, opts?: DirectoryWithPatchFileOpts): Directory {
    return new Directory(this, "withPatchFile", { patch, ...opts }, ["onConflict"])
  }

  /** Opens a shell beside the directory and waits for its end. Gives the directory as it was. */
  terminal(opts?: DirectoryTerminalOpts): Directory {
    return new Directory(this, "terminal", { ...opts })
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Directory) => T): T {
    return work(this)
  }
}

/** Names a EnumTypeDef in requests. */
export type EnumTypeDefID = string

/** The definition of an enum. */
export class EnumTypeDef extends BaseObject {
  static override readonly apiName: string = "EnumTypeDef"

  /** What names this object in requests. */
  id(): Promise<EnumTypeDefID> {
    return this._id()
  }

  /** Its name. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** What it is. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** Its members. */
  members(): Promise<EnumValueTypeDef[]> {
    return this._objects(EnumValueTypeDef, "members")
  }

  /**
   * Its members.
   *
   * @deprecated Use `members`.
   */
  values(): Promise<EnumValueTypeDef[]> {
    return this._objects(EnumValueTypeDef, "values")
  }

  /** Where it is declared. */
  sourceMap(): SourceMap {
    return new SourceMap(this, "sourceMap")
  }

  /** The module it is of; empty for the core. */
  sourceModuleName(): Promise<string> {
    return this._value("sourceModuleName")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: EnumTypeDef) => T): T {
    return work(this)
  }
}

/** Names a EnumValueTypeDef in requests. */
export type EnumValueTypeDefID = string

/** A member of an enum. */
export class EnumValueTypeDef extends BaseObject {
  static override readonly apiName: string = "EnumValueTypeDef"

  /** What names this object in requests. */
  id(): Promise<EnumValueTypeDefID> {
    return this._id()
  }

  /** Its name. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** The value behind it. */
  value(): Promise<string> {
    return this._value("value")
  }

  /** What it is. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** Why not to use it. */
  deprecated(): Promise<string> {
    return this._value("deprecated")
  }

  /** Where it is declared. */
  sourceMap(): SourceMap {
    return new SourceMap(this, "sourceMap")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: EnumValueTypeDef) => T): T {
    return work(this)
  }
}

/** Options of `get`. */
export interface EnvFileGetOpts {
  /** The value as it is written: with quotes, variables not replaced. */
  raw?: boolean
}

/** Options of `variables`. */
export interface EnvFileVariablesOpts {
  /** The value as it is written: with quotes, variables not replaced. */
  raw?: boolean
}

/** Names a EnvFile in requests. */
export type EnvFileID = string

/** Variables as `.env` files have them. */
export class EnvFile extends BaseObject {
  static override readonly apiName: string = "EnvFile"

  /** What names this object in requests. */
  id(): Promise<EnvFileID> {
    return this._id()
  }

  /**
   * Whether a variable is there.
   *
   * @param name Name.
   */
  exists(name: string): Promise<boolean> {
    return this._value("exists", { name })
  }

  /**
   * Value of a variable.
   *
   * @param name Name.
   */
  get(name: string, opts?: EnvFileGetOpts): Promise<string> {
    return this._value("get", { name, ...opts })
  }

  /** All variables. */
  variables(opts?: EnvFileVariablesOpts): Promise<EnvVariable[]> {
    return this._objects(EnvVariable, "variables", { ...opts })
  }

  /** The variables as a file named `.env`. */
  asFile(): File {
    return new File(this, "asFile")
  }

  /**
   * Sets a variable; `$NAME` in the value stands for another.
   *
   * @param name Name.
   * @param value Value.
   */
  withVariable(name: string, value: string): EnvFile {
    return new EnvFile(this, "withVariable", { name, value })
  }

  /**
   * Removes a variable; none of that name is fine.
   *
   * @param name Name.
   */
  withoutVariable(name: string): EnvFile {
    return new EnvFile(this, "withoutVariable", { name })
  }

  /**
   * The variables that begin with a prefix, without it.
   *
   * @param prefix The prefix.
   */
  namespace(prefix: string): EnvFile {
    return new EnvFile(this, "namespace", { prefix })
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: EnvFile) => T): T {
    return work(this)
  }
}

/** Names a EnvVariable in requests. */
export type EnvVariableID = string

/** An environment variable. */
export class EnvVariable extends BaseObject {
  static override readonly apiName: string = "EnvVariable"

  /** What names this object in requests. */
  id(): Promise<EnvVariableID> {
    return this._id()
  }

  /** Its name. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** Its value. */
  value(): Promise<string> {
    return this._value("value")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: EnvVariable) => T): T {
    return work(this)
  }
}

/** Names a Error in requests. */
export type ErrorID = string

/** An error that a function returns. */
export class Error extends BaseObject {
  static override readonly apiName: string = "Error"

  /** What names this object in requests. */
  id(): Promise<ErrorID> {
    return this._id()
  }

  /** What went wrong. */
  message(): Promise<string> {
    return this._value("message")
  }

  /** What a program may read of it. */
  values(): Promise<ErrorValue[]> {
    return this._objects(ErrorValue, "values")
  }

  /**
   * Adds a value.
   *
   * @param name Name.
   * @param value Value.
   */
  withValue(name: string, value: JSON): Error {
    return new Error(this, "withValue", { name, value })
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Error) => T): T {
    return work(this)
  }
}

/** Names a ErrorValue in requests. */
export type ErrorValueID = string

/** A value of an error. */
export class ErrorValue extends BaseObject {
  static override readonly apiName: string = "ErrorValue"

  /** What names this object in requests. */
  id(): Promise<ErrorValueID> {
    return this._id()
  }

  /** Its name. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** Its value. */
  value(): Promise<JSON> {
    return this._value("value")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: ErrorValue) => T): T {
    return work(this)
  }
}

/** What something at a path has to be. */
export enum ExistsType {
  /** A regular file. */
  RegularType = "REGULAR_TYPE",
  /** A directory. */
  DirectoryType = "DIRECTORY_TYPE",
  /** A symbolic link. */
  SymlinkType = "SYMLINK_TYPE",
}

/** Names a Exportable in requests. */
export type ExportableID = string

/** What can be written to the client's host. */
export class Exportable extends BaseObject {
  static override readonly apiName: string = "Exportable"

  /** What names this object in requests. */
  id(): Promise<ExportableID> {
    return this._id()
  }

  /**
   * Writes the object to a path of the host and gives that path.
   *
   * @param path Where to; relative to the client's working directory.
   */
  export(path: string): Promise<string> {
    return this._value("export", { path })
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Exportable) => T): T {
    return work(this)
  }
}

/** Names a FieldTypeDef in requests. */
export type FieldTypeDefID = string

/** A field of an object. */
export class FieldTypeDef extends BaseObject {
  static override readonly apiName: string = "FieldTypeDef"

  /** What names this object in requests. */
  id(): Promise<FieldTypeDefID> {
    return this._id()
  }

  /** Its name. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** What it is. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** Why not to use it. */
  deprecated(): Promise<string> {
    return this._value("deprecated")
  }

  /** Its type. */
  typeDef(): TypeDef {
    return new TypeDef(this, "typeDef")
  }

  /** Where it is declared. */
  sourceMap(): SourceMap {
    return new SourceMap(this, "sourceMap")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: FieldTypeDef) => T): T {
    return work(this)
  }
}

/** Options of `contents`. */
export interface FileContentsOpts {
  /** Lines to pass over. */
  offsetLines?: number
  /** Most lines to return. */
  limitLines?: number
}

/** Options of `digest`. */
export interface FileDigestOpts {
  /** Hash the contents alone. */
  excludeMetadata?: boolean
}

/** Options of `export`. */
export interface FileExportOpts {
  /** Write into the path if it is a directory. */
  allowParentDirPath?: boolean
}

/** Options of `withReplaced`. */
export interface FileWithReplacedOpts {
  /** Replace every match. */
  all?: boolean
  /** Replace the first match from this line on. */
  firstFrom?: number
}

/** Options of `asEnvFile`. */
export interface FileAsEnvFileOpts {
  /**
   * Variables in values are always replaced.
   *
   * @deprecated Use `get(raw: …)` and `variables(raw: …)`.
   */
  expand?: boolean
}

/** Options of `search`. */
export interface FileSearchOpts {
  /** Files and directories to search; all by default. */
  paths?: string[]
  /** Patterns of the files to search; `!` in front leaves out. */
  globs?: string[]
  /** The pattern is a text. */
  literal?: boolean
  /** A match may span lines. */
  multiline?: boolean
  /** `.` matches ends of lines too, if a match may span lines. */
  dotall?: boolean
  /** Case does not count. */
  insensitive?: boolean
  /** Leave out what `.gitignore` files name. */
  skipIgnored?: boolean
  /** Leave out names that begin with a dot. */
  skipHidden?: boolean
  /** One result for each file, without lines. */
  filesOnly?: boolean
  /** Most results; 10,000 by default. */
  limit?: number
}

/** Names a File in requests. */
export type FileID = string

/** A file. */
export class File extends BaseObject {
  static override readonly apiName: string = "File"

  /** What names this object in requests. */
  id(): Promise<FileID> {
    return this._id()
  }

  /** The text of the file, or some of its lines. */
  contents(opts?: FileContentsOpts): Promise<string> {
    return this._value("contents", { ...opts })
  }

  /** Its size in bytes. */
  size(): Promise<number> {
    return this._value("size")
  }

  /** Its name. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** A hash of the file. */
  digest(opts?: FileDigestOpts): Promise<string> {
    return this._value("digest", { ...opts })
  }

  /**
   * Writes the file to the client's host; returns the absolute path.
   *
   * @param path Destination; relative to the client's working directory.
   */
  export(path: string, opts?: FileExportOpts): Promise<string> {
    return this._value("export", { path, ...opts })
  }

  /**
   * The file under another name.
   *
   * @param name Name.
   */
  withName(name: string): File {
    return new File(this, "withName", { name })
  }

  /**
   * The file with a text in it replaced; by default there has to be exactly one match.
   *
   * @param search What is replaced.
   * @param replacement By what.
   */
  withReplaced(search: string, replacement: string, opts?: FileWithReplacedOpts): File {
    return new File(this, "withReplaced", { search, replacement, ...opts })
  }

  /**
   * Sets the modification time.
   *
   * @param timestamp Seconds since 1970.
   */
  withTimestamps(timestamp: number): File {
    return new File(this, "withTimestamps", { timestamp })
  }

  /**
   * Changes the owner.
   *
   * @param owner `uid[:gid]`, by number.
   */
  chown(owner: string): File {
    return new File(this, "chown", { owner })
  }

  /** Makes everything so far happen now. */
  sync(): Promise<File> {
    return this._loaded(File, "sync")
  }

  /** What is known of the file. */
  stat(): Stat {
    return new Stat(this, "stat")
  }

  /** The file's lines as variables. */
  asEnvFile(opts?: FileAsEnvFileOpts): EnvFile {
    return new EnvFile(this, "asEnvFile", { ...opts })
  }

  /** The file's contents as JSON. */
  asJSON(): JSONValue {
    return new JSONValue(this, "asJSON")
  }

  /**
   * The lines of the file that match a pattern.
   *
   * @param pattern Regular expression.
   */
  search(pattern: string, opts?: FileSearchOpts): Promise<SearchResult[]> {
    return this._objects(SearchResult, "search", { pattern, ...opts })
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: File) => T): T {
    return work(this)
  }
}

/** What something in a file system is. */
export enum FileType {
  /** A device, pipe or socket. */
  Unknown = "UNKNOWN",
  /** A regular file. */
  Regular = "REGULAR",
  /** A directory. */
  Directory = "DIRECTORY",
  /** A symbolic link. */
  Symlink = "SYMLINK",
}

/** Options of `withArg`. */
export interface Function_WithArgOpts {
  /** What it is. */
  description?: string
  /** Its value when none is given. */
  defaultValue?: JSON
  /** Path of the module's context to take when none is given. */
  defaultPath?: string
  /** Patterns of what to leave out of a directory. */
  ignore?: string[]
  /** Where it is declared. */
  sourceMap?: SourceMap
  /** Why not to use it. */
  deprecated?: string
  /** Address to take when none is given. */
  defaultAddress?: string
}

/** Options of `withCachePolicy`. */
export interface Function_WithCachePolicyOpts {
  /** No longer than this, such as 10m. */
  timeToLive?: string
}

/** Options of `withDeprecated`. */
export interface Function_WithDeprecatedOpts {
  /** Why. */
  reason?: string
}

/** Names a Function in requests. */
export type FunctionID = string

/** A function of an object or interface. */
export class Function_ extends BaseObject {
  static override readonly apiName: string = "Function"

  /** What names this object in requests. */
  id(): Promise<FunctionID> {
    return this._id()
  }

  /** Its name. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** What it does. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** Why not to use it. */
  deprecated(): Promise<string> {
    return this._value("deprecated")
  }

  /** What it returns. */
  returnType(): TypeDef {
    return new TypeDef(this, "returnType")
  }

  /** Its arguments. */
  args(): Promise<FunctionArg[]> {
    return this._objects(FunctionArg, "args")
  }

  /** Where it is declared. */
  sourceMap(): SourceMap {
    return new SourceMap(this, "sourceMap")
  }

  /** The module it is of; empty if it is none's. */
  sourceModuleName(): Promise<string> {
    return this._value("sourceModuleName")
  }

  /**
   * Says what it does.
   *
   * @param description What it does.
   */
  withDescription(description: string): Function_ {
    return new Function_(this, "withDescription", { description })
  }

  /**
   * Adds an argument.
   *
   * @param name Its name in the source.
   * @param typeDef Its type.
   */
  withArg(name: string, typeDef: TypeDef, opts?: Function_WithArgOpts): Function_ {
    return new Function_(this, "withArg", { name, typeDef, ...opts })
  }

  /**
   * Says how long its answers are used again.
   *
   * @param policy How long.
   */
  withCachePolicy(policy: FunctionCachePolicy, opts?: Function_WithCachePolicyOpts): Function_ {
    return new Function_(this, "withCachePolicy", { policy, ...opts }, ["policy"])
  }

  /** Says why not to use it. */
  withDeprecated(opts?: Function_WithDeprecatedOpts): Function_ {
    return new Function_(this, "withDeprecated", { ...opts })
  }

  /**
   * Says where it is declared.
   *
   * @param sourceMap Where.
   */
  withSourceMap(sourceMap: SourceMap): Function_ {
    return new Function_(this, "withSourceMap", { sourceMap })
  }

  /** Makes it a check. */
  withCheck(): Function_ {
    return new Function_(this, "withCheck")
  }

  /** Makes it a generator. */
  withGenerator(): Function_ {
    return new Function_(this, "withGenerator")
  }

  /** Makes it one that starts a service. */
  withUp(): Function_ {
    return new Function_(this, "withUp")
  }

  /** Makes it an agent. */
  withAgent(): Function_ {
    return new Function_(this, "withAgent")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Function_) => T): T {
    return work(this)
  }
}

/** Names a FunctionArg in requests. */
export type FunctionArgID = string

/** An argument of a function. */
export class FunctionArg extends BaseObject {
  static override readonly apiName: string = "FunctionArg"

  /** What names this object in requests. */
  id(): Promise<FunctionArgID> {
    return this._id()
  }

  /** Its name. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** What it is. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** Why not to use it. */
  deprecated(): Promise<string> {
    return this._value("deprecated")
  }

  /** Its type. */
  typeDef(): TypeDef {
    return new TypeDef(this, "typeDef")
  }

  /** Its value when none is given; empty if there is none. */
  defaultValue(): Promise<JSON> {
    return this._value("defaultValue")
  }

  /** Path of the module's context that is taken when none is given. */
  defaultPath(): Promise<string> {
    return this._value("defaultPath")
  }

  /** Address that is taken when none is given. */
  defaultAddress(): Promise<string> {
    return this._value("defaultAddress")
  }

  /** Patterns of what is left out of a directory. */
  ignore(): Promise<string[]> {
    return this._value("ignore")
  }

  /** Where it is declared. */
  sourceMap(): SourceMap {
    return new SourceMap(this, "sourceMap")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: FunctionArg) => T): T {
    return work(this)
  }
}

/** How long a function's answers are used again. */
export enum FunctionCachePolicy {
  /** As long as nothing that it depends on changes, and no longer than its time to live. */
  Default = "Default",
  /** While the session lasts. */
  PerSession = "PerSession",
  /** Not at all. */
  Never = "Never",
}

/** Names a FunctionCall in requests. */
export type FunctionCallID = string

/** A call of a module's function. */
export class FunctionCall extends BaseObject {
  static override readonly apiName: string = "FunctionCall"

  /** What names this object in requests. */
  id(): Promise<FunctionCallID> {
    return this._id()
  }

  /** The function; empty for the constructor. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** The object's type. */
  parentName(): Promise<string> {
    return this._value("parentName")
  }

  /** The object's state. */
  parent(): Promise<JSON> {
    return this._value("parent")
  }

  /** The arguments. */
  inputArgs(): Promise<FunctionCallArgValue[]> {
    return this._objects(FunctionCallArgValue, "inputArgs")
  }

  /**
   * Answers the call.
   *
   * @param value The result.
   */
  returnValue(value: JSON): Promise<void> {
    return this._value("returnValue", { value })
  }

  /**
   * Answers the call with an error.
   *
   * @param error The error.
   */
  returnError(error: Error): Promise<void> {
    return this._value("returnError", { error })
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: FunctionCall) => T): T {
    return work(this)
  }
}

/** Names a FunctionCallArgValue in requests. */
export type FunctionCallArgValueID = string

/** An argument of a call. */
export class FunctionCallArgValue extends BaseObject {
  static override readonly apiName: string = "FunctionCallArgValue"

  /** What names this object in requests. */
  id(): Promise<FunctionCallArgValueID> {
    return this._id()
  }

  /** Its name. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** Its value. */
  value(): Promise<JSON> {
    return this._value("value")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: FunctionCallArgValue) => T): T {
    return work(this)
  }
}

/** Names a GeneratedCode in requests. */
export type GeneratedCodeID = string

/** What an SDK generated for a module. */
export class GeneratedCode extends BaseObject {
  static override readonly apiName: string = "GeneratedCode"

  /** What names this object in requests. */
  id(): Promise<GeneratedCodeID> {
    return this._id()
  }

  /** The module's source with it. */
  code(): Directory {
    return new Directory(this, "code")
  }

  /** Paths that are generated. */
  vcsGeneratedPaths(): Promise<string[]> {
    return this._value("vcsGeneratedPaths")
  }

  /** Paths that are not to be committed. */
  vcsIgnoredPaths(): Promise<string[]> {
    return this._value("vcsIgnoredPaths")
  }

  /**
   * Says which paths are generated.
   *
   * @param paths The paths.
   */
  withVCSGeneratedPaths(paths: string[]): GeneratedCode {
    return new GeneratedCode(this, "withVCSGeneratedPaths", { paths })
  }

  /**
   * Says which paths are not to be committed.
   *
   * @param paths The paths.
   */
  withVCSIgnoredPaths(paths: string[]): GeneratedCode {
    return new GeneratedCode(this, "withVCSIgnoredPaths", { paths })
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: GeneratedCode) => T): T {
    return work(this)
  }
}

/** Names a Generator in requests. */
export type GeneratorID = string

/** A function of a module that makes files. */
export class Generator extends BaseObject {
  static override readonly apiName: string = "Generator"

  /** What names this object in requests. */
  id(): Promise<GeneratorID> {
    return this._id()
  }

  /** Its name in the module; names of what leads to it come first, with `:` between them. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** The fields that lead to it. */
  path(): Promise<string[]> {
    return this._value("path")
  }

  /** What it is for. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** The module that has it: the one that was asked, or a toolchain. */
  originalModule(): Module_ {
    return new Module_(this, "originalModule")
  }

  /** Runs it; nothing is written to the host. */
  run(): Generator {
    return new Generator(this, "run")
  }

  /** Whether it was run. */
  completed(): Promise<boolean> {
    return this._value("completed")
  }

  /** What it made when it was run; what makes a directory adds all that is in it. */
  changes(): Changeset {
    return new Changeset(this, "changes")
  }

  /** Whether there was nothing to change when it was run. */
  isEmpty(): Promise<boolean> {
    return this._value("isEmpty")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Generator) => T): T {
    return work(this)
  }
}

/** Options of `changes`. */
export interface GeneratorGroupChangesOpts {
  /** What to do where they conflict. */
  onConflict?: ChangesetsMergeConflict
}

/** Names a GeneratorGroup in requests. */
export type GeneratorGroupID = string

/** Generators of a module. */
export class GeneratorGroup extends BaseObject {
  static override readonly apiName: string = "GeneratorGroup"

  /** What names this object in requests. */
  id(): Promise<GeneratorGroupID> {
    return this._id()
  }

  /** Each of them. */
  list(): Promise<Generator[]> {
    return this._objects(Generator, "list")
  }

  /** Runs them at the same time; nothing is written to the host. */
  run(): GeneratorGroup {
    return new GeneratorGroup(this, "run")
  }

  /** What they made when they were run, in one. */
  changes(opts?: GeneratorGroupChangesOpts): Changeset {
    return new Changeset(this, "changes", { ...opts }, ["onConflict"])
  }

  /** Whether there was nothing to change when they were run. */
  isEmpty(): Promise<boolean> {
    return this._value("isEmpty")
  }

  /** Why generators are missing: nothing, as a module of which a part cannot be loaded is not loaded. */
  loadFailures(): Promise<string[]> {
    return this._value("loadFailures")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: GeneratorGroup) => T): T {
    return work(this)
  }
}

/** Options of `tree`. */
export interface GitCommitTreeOpts {
  /** Leave out the `.git` directory. */
  discardGitDir?: boolean
  /** Commits of history in `.git`; 0 for all. */
  depth?: number
  /** Have all tags in `.git`. */
  includeTags?: boolean
}

/** Options of `releaseTag`. */
export interface GitCommitReleaseTagOpts {
  /** Count versions such as `v1.0.0-rc.1` as well. */
  includePreRelease?: boolean
}

/** Options of `ancestorReleaseTag`. */
export interface GitCommitAncestorReleaseTagOpts {
  /** Count versions such as `v1.0.0-rc.1` as well. */
  includePreRelease?: boolean
}

/** Names a GitCommit in requests. */
export type GitCommitID = string

/** A commit of a repository. */
export class GitCommit extends BaseObject {
  static override readonly apiName: string = "GitCommit"

  /** What names this object in requests. */
  id(): Promise<GitCommitID> {
    return this._id()
  }

  /** All digits of it. */
  sha(): Promise<string> {
    return this._value("sha")
  }

  /** Its first seven digits. */
  shortSha(): Promise<string> {
    return this._value("shortSha")
  }

  /** All of its message. */
  message(): Promise<string> {
    return this._value("message")
  }

  /** The first line of its message. */
  messageHeadline(): Promise<string> {
    return this._value("messageHeadline")
  }

  /** Its message without the first line. */
  messageBody(): Promise<string> {
    return this._value("messageBody")
  }

  /** The commits that it is based on. */
  parentShas(): Promise<string[]> {
    return this._value("parentShas")
  }

  /** The files of the commit. */
  tree(opts?: GitCommitTreeOpts): Directory {
    return new Directory(this, "tree", { ...opts })
  }

  /** Who made the change. */
  authorName(): Promise<string> {
    return this._value("authorName")
  }

  /** Mail address of who made the change. */
  authorEmail(): Promise<string> {
    return this._value("authorEmail")
  }

  /** When the change was made, as ISO 8601 writes it. */
  authoredDate(): Promise<string> {
    return this._value("authoredDate")
  }

  /** Who made the commit. */
  committerName(): Promise<string> {
    return this._value("committerName")
  }

  /** Mail address of who made the commit. */
  committerEmail(): Promise<string> {
    return this._value("committerEmail")
  }

  /** When the commit was made, as ISO 8601 writes it. */
  committedDate(): Promise<string> {
    return this._value("committedDate")
  }

  /** The tag that makes it a release, such as `v1.2.3`; null if it is none. */
  releaseTag(opts?: GitCommitReleaseTagOpts): GitRef {
    return new GitRef(this, "releaseTag", { ...opts })
  }

  /** The tag of the nearest release that it is or is based on; null if there is none. */
  ancestorReleaseTag(opts?: GitCommitAncestorReleaseTagOpts): GitRef {
    return new GitRef(this, "ancestorReleaseTag", { ...opts })
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: GitCommit) => T): T {
    return work(this)
  }
}

/** Options of `tree`. */
export interface GitRefTreeOpts {
  /** Leave out the `.git` directory. */
  discardGitDir?: boolean
  /** Commits of history in `.git`; 0 for all. */
  depth?: number
  /** Have all tags in `.git`. */
  includeTags?: boolean
}

/** Options of `log`. */
export interface GitRefLogOpts {
  /** How many. */
  limit?: number
  /** Only those that changed one of these paths. */
  paths?: string[]
  /** Leave out this one and what it is based on. */
  base?: GitRef
}

/** Names a GitRef in requests. */
export type GitRefID = string

/** A name of a repository: a branch, a tag or a commit. */
export class GitRef extends BaseObject {
  static override readonly apiName: string = "GitRef"

  /** What names this object in requests. */
  id(): Promise<GitRefID> {
    return this._id()
  }

  /** The files of the commit. */
  tree(opts?: GitRefTreeOpts): Directory {
    return new Directory(this, "tree", { ...opts })
  }

  /**
   * The commit.
   *
   * @deprecated Use `commitSHA`.
   */
  commit(): Promise<string> {
    return this._value("commit")
  }

  /**
   * The full name, such as `refs/heads/main`; the commit where there is none.
   *
   * @deprecated Use `name`.
   */
  ref(): Promise<string> {
    return this._value("ref")
  }

  /** The full name, such as `refs/heads/main`; the commit where there is none. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** All digits of the commit. */
  commitSHA(): Promise<string> {
    return this._value("commitSHA")
  }

  /** The commit. */
  targetCommit(): GitCommit {
    return new GitCommit(this, "targetCommit")
  }

  /** Commits, newest first. */
  log(opts?: GitRefLogOpts): Promise<GitCommit[]> {
    return this._objects(GitCommit, "log", { ...opts })
  }

  /**
   * The newest commit that this and another are based on.
   *
   * @param other The other.
   */
  commonAncestor(other: GitRef): GitRef {
    return new GitRef(this, "commonAncestor", { other })
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: GitRef) => T): T {
    return work(this)
  }
}

/** Options of `branches`. */
export interface GitRepositoryBranchesOpts {
  /** Only those that match one of these patterns. */
  patterns?: string[]
}

/** Options of `tags`. */
export interface GitRepositoryTagsOpts {
  /** Only those that match one of these patterns. */
  patterns?: string[]
}

/** Names a GitRepository in requests. */
export type GitRepositoryID = string

/** A git repository. */
export class GitRepository extends BaseObject {
  static override readonly apiName: string = "GitRepository"

  /** What names this object in requests. */
  id(): Promise<GitRepositoryID> {
    return this._id()
  }

  /** What the repository is at: for a remote one its default branch. */
  head(): GitRef {
    return new GitRef(this, "head")
  }

  /**
   * A branch, tag, commit or full name of a reference.
   *
   * @param name The name.
   */
  ref(name: string): GitRef {
    return new GitRef(this, "ref", { name })
  }

  /**
   * A branch.
   *
   * @param name Its name.
   */
  branch(name: string): GitRef {
    return new GitRef(this, "branch", { name })
  }

  /**
   * A tag.
   *
   * @param name Its name.
   */
  tag(name: string): GitRef {
    return new GitRef(this, "tag", { name })
  }

  /**
   * A commit.
   *
   * @param id All digits of it.
   */
  commit(id: string): GitCommit {
    return new GitCommit(this, "commit", { id })
  }

  /** The names of the branches. */
  branches(opts?: GitRepositoryBranchesOpts): Promise<string[]> {
    return this._value("branches", { ...opts })
  }

  /** The names of the tags. */
  tags(opts?: GitRepositoryTagsOpts): Promise<string[]> {
    return this._value("tags", { ...opts })
  }

  /** The address; null for a directory. */
  url(): Promise<string> {
    return this._value("url")
  }

  /**
   * The repository with a token.
   *
   * @param token The token.
   * @deprecated Use `httpAuthToken` of `git`.
   */
  withAuthToken(token: Secret): GitRepository {
    return new GitRepository(this, "withAuthToken", { token })
  }

  /**
   * The repository with a header.
   *
   * @param header Value of the `Authorization` header.
   * @deprecated Use `httpAuthHeader` of `git`.
   */
  withAuthHeader(header: Secret): GitRepository {
    return new GitRepository(this, "withAuthHeader", { header })
  }

  /** The tag of the newest release, such as `v1.2.3`. */
  latestVersion(): GitRef {
    return new GitRef(this, "latestVersion")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: GitRepository) => T): T {
    return work(this)
  }
}

/** Names a HealthcheckConfig in requests. */
export type HealthcheckConfigID = string

/** How to find out whether a container is healthy. */
export class HealthcheckConfig extends BaseObject {
  static override readonly apiName: string = "HealthcheckConfig"

  /** What names this object in requests. */
  id(): Promise<HealthcheckConfigID> {
    return this._id()
  }

  /** The command. */
  args(): Promise<string[]> {
    return this._value("args")
  }

  /** Whether the container's shell runs it. */
  shell(): Promise<boolean> {
    return this._value("shell")
  }

  /** Failures in a row that make it unhealthy; 0 means Docker's default. */
  retries(): Promise<number> {
    return this._value("retries")
  }

  /** Time between two checks; `0s` means Docker's default. */
  interval(): Promise<string> {
    return this._value("interval")
  }

  /** Time that one check may take; `0s` means Docker's default. */
  timeout(): Promise<string> {
    return this._value("timeout")
  }

  /** Time at the start in which failures do not count. */
  startPeriod(): Promise<string> {
    return this._value("startPeriod")
  }

  /** Time between two checks at the start; `0s` means Docker's default. */
  startInterval(): Promise<string> {
    return this._value("startInterval")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: HealthcheckConfig) => T): T {
    return work(this)
  }
}

/** Options of `directory`. */
export interface HostDirectoryOpts {
  /** Patterns of what to leave out. */
  exclude?: string[]
  /** Patterns of what to take; everything by default. */
  include?: string[]
  /** Leave out what `.gitignore` files name. */
  gitignore?: boolean
  /** Read it again even if it was read in this session. */
  noCache?: boolean
}

/** Options of `file`. */
export interface HostFileOpts {
  /** Read it again even if it was read in this session. */
  noCache?: boolean
}

/** Options of `findUp`. */
export interface HostFindUpOpts {
  /** Read it again even if it was read in this session. */
  noCache?: boolean
}

/** Options of `tunnel`. */
export interface HostTunnelOpts {
  /** Open every declared port by its own number. */
  native?: boolean
  /** Ports to open; by default all that are declared, as free ports of the host. */
  ports?: PortForward[]
}

/** Options of `service`. */
export interface HostServiceOpts {
  /** Name or address by which the host reaches it. */
  host?: string
}

/** Names a Host in requests. */
export type HostID = string

/** The host that the client runs on. Functions and nested commands have none. */
export class Host extends BaseObject {
  static override readonly apiName: string = "Host"

  /** What names this object in requests. */
  id(): Promise<HostID> {
    return this._id()
  }

  /**
   * A directory of the host, as it is now.
   *
   * @param path Path; relative to the client's working directory.
   */
  directory(path: string, opts?: HostDirectoryOpts): Directory {
    return new Directory(this, "directory", { path, ...opts })
  }

  /**
   * A file of the host, as it is now.
   *
   * @param path Path; relative to the client's working directory.
   */
  file(path: string, opts?: HostFileOpts): File {
    return new File(this, "file", { path, ...opts })
  }

  /**
   * The nearest file or directory of a name in the client's working directory or above it, relative to the working directory; null if there is none.
   *
   * @param name The name.
   */
  findUp(name: string, opts?: HostFindUpOpts): Promise<string> {
    return this._value("findUp", { name, ...opts })
  }

  /**
   * An image of the client's host: one that nsci imported or pulled, or one of its container tools.
   *
   * @param name Its name there.
   */
  containerImage(name: string): Container {
    return new Container(this, "containerImage", { name })
  }

  /**
   * A Unix socket of the host.
   *
   * @param path Path.
   */
  unixSocket(path: string): Socket {
    return new Socket(this, "unixSocket", { path })
  }

  /**
   * A secret from a file of the host (older clients).
   *
   * @param name Name.
   * @param path Path.
   * @deprecated Use `secret(uri: "file://…")`.
   */
  setSecretFile(name: string, path: string): Secret {
    return new Secret(this, "setSecretFile", { name, path })
  }

  /**
   * Ports of the host's loopback that lead to a service while the tunnel runs.
   *
   * @param service The service.
   */
  tunnel(service: Service, opts?: HostTunnelOpts): Service {
    return new Service(this, "tunnel", { service, ...opts }, ["protocol"])
  }

  /**
   * A service of the host, for containers to be bound to.
   *
   * @param ports Its ports; containers use the front ones.
   */
  service(ports: PortForward[], opts?: HostServiceOpts): Service {
    return new Service(this, "service", { ports, ...opts }, ["protocol"])
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Host) => T): T {
    return work(this)
  }
}

/** How layers of an image are packed. */
export enum ImageLayerCompression {
  /** gzip. */
  Gzip = "Gzip",
  /** Zstandard. */
  Zstd = "Zstd",
  /** eStargz; not supported. */
  EStarGZ = "EStarGZ",
  /** Not packed. */
  Uncompressed = "Uncompressed",
  /** eStargz; not supported. */
  Estargz = "ESTARGZ",
}

/** Whose names the parts of an image have. */
export enum ImageMediaTypes {
  /** Those of the Open Container Initiative. */
  OCIMediaTypes = "OCIMediaTypes",
  /** Docker's. */
  DockerMediaTypes = "DockerMediaTypes",
  /** Those of the Open Container Initiative. */
  Oci = "OCI",
  /** Docker's. */
  Docker = "DOCKER",
}

/** Names a InputTypeDef in requests. */
export type InputTypeDefID = string

/** The definition of a structured argument. */
export class InputTypeDef extends BaseObject {
  static override readonly apiName: string = "InputTypeDef"

  /** What names this object in requests. */
  id(): Promise<InputTypeDefID> {
    return this._id()
  }

  /** Its name. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** Its fields. */
  fields(): Promise<FieldTypeDef[]> {
    return this._objects(FieldTypeDef, "fields")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: InputTypeDef) => T): T {
    return work(this)
  }
}

/** Names a InterfaceTypeDef in requests. */
export type InterfaceTypeDefID = string

/** The definition of an interface. */
export class InterfaceTypeDef extends BaseObject {
  static override readonly apiName: string = "InterfaceTypeDef"

  /** What names this object in requests. */
  id(): Promise<InterfaceTypeDefID> {
    return this._id()
  }

  /** Its name. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** What it is. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** Its functions. */
  functions(): Promise<Function_[]> {
    return this._objects(Function_, "functions")
  }

  /** Where it is declared. */
  sourceMap(): SourceMap {
    return new SourceMap(this, "sourceMap")
  }

  /** The module it is of; empty for the core. */
  sourceModuleName(): Promise<string> {
    return this._value("sourceModuleName")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: InterfaceTypeDef) => T): T {
    return work(this)
  }
}

/** Any JSON value, written as JSON text. */
export type JSON = string

/** Options of `contents`. */
export interface JSONValueContentsOpts {
  /** Break and indent lines. */
  pretty?: boolean
  /** What one level is indented by. */
  indent?: string
}

/** Names a JSONValue in requests. */
export type JSONValueID = string

/** A JSON value. */
export class JSONValue extends BaseObject {
  static override readonly apiName: string = "JSONValue"

  /** What names this object in requests. */
  id(): Promise<JSONValueID> {
    return this._id()
  }

  /** The value as JSON text. */
  contents(opts?: JSONValueContentsOpts): Promise<JSON> {
    return this._value("contents", { ...opts })
  }

  /** The value, which must be a string. */
  asString(): Promise<string> {
    return this._value("asString")
  }

  /** The value, which must be a whole number. */
  asInteger(): Promise<number> {
    return this._value("asInteger")
  }

  /** The value, which must be true or false. */
  asBoolean(): Promise<boolean> {
    return this._value("asBoolean")
  }

  /** The elements of the value, which must be an array. */
  asArray(): Promise<JSONValue[]> {
    return this._objects(JSONValue, "asArray")
  }

  /** The names in the value, which must be an object. */
  fields(): Promise<string[]> {
    return this._value("fields")
  }

  /**
   * What is at a path of names.
   *
   * @param path Names, outermost first.
   */
  field(path: string[]): JSONValue {
    return new JSONValue(this, "field", { path })
  }

  /**
   * A string.
   *
   * @param value The string.
   */
  newString(value: string): JSONValue {
    return new JSONValue(this, "newString", { value })
  }

  /**
   * A whole number.
   *
   * @param value The number.
   */
  newInteger(value: number): JSONValue {
    return new JSONValue(this, "newInteger", { value })
  }

  /**
   * True or false.
   *
   * @param value Which.
   */
  newBoolean(value: boolean): JSONValue {
    return new JSONValue(this, "newBoolean", { value })
  }

  /**
   * The value of a JSON text.
   *
   * @param contents The text.
   */
  withContents(contents: JSON): JSONValue {
    return new JSONValue(this, "withContents", { contents })
  }

  /**
   * Sets what is at a path; objects on the way are made.
   *
   * @param path Names, outermost first.
   * @param value The value.
   */
  withField(path: string[], value: JSONValue): JSONValue {
    return new JSONValue(this, "withField", { path, value })
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: JSONValue) => T): T {
    return work(this)
  }
}

/** Names a Label in requests. */
export type LabelID = string

/** A label. */
export class Label extends BaseObject {
  static override readonly apiName: string = "Label"

  /** What names this object in requests. */
  id(): Promise<LabelID> {
    return this._id()
  }

  /** Its name. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** Its value. */
  value(): Promise<string> {
    return this._value("value")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Label) => T): T {
    return work(this)
  }
}

/** Names a ListTypeDef in requests. */
export type ListTypeDefID = string

/** The definition of a list. */
export class ListTypeDef extends BaseObject {
  static override readonly apiName: string = "ListTypeDef"

  /** What names this object in requests. */
  id(): Promise<ListTypeDefID> {
    return this._id()
  }

  /** Type of its elements. */
  elementTypeDef(): TypeDef {
    return new TypeDef(this, "elementTypeDef")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: ListTypeDef) => T): T {
    return work(this)
  }
}

/** Options of `serve`. */
export interface Module_ServeOpts {
  /** And the modules that it uses. */
  includeDependencies?: boolean
  /** Ignored. */
  entrypoint?: boolean
}

/** Options of `checks`. */
export interface Module_ChecksOpts {
  /** Names of checks, or of what has them; `*` stands for anything. */
  include?: string[]
  /** Leave the generators out. */
  noGenerate?: boolean
}

/** Options of `generators`. */
export interface Module_GeneratorsOpts {
  /** Names of generators, or of what has them; `*` stands for anything. */
  include?: string[]
}

/** Options of `services`. */
export interface Module_ServicesOpts {
  /** Names of services, or of what has them; `*` stands for anything. */
  include?: string[]
}

/** Names a Module in requests. */
export type ModuleID = string

/** A module. */
export class Module_ extends BaseObject {
  static override readonly apiName: string = "Module"

  /** What names this object in requests. */
  id(): Promise<ModuleID> {
    return this._id()
  }

  /** Its name. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** What it is for. */
  description(): Promise<string> {
    return this._value("description")
  }

  /**
   * Says what it is for.
   *
   * @param description What it is for.
   */
  withDescription(description: string): Module_ {
    return new Module_(this, "withDescription", { description })
  }

  /**
   * Adds an object.
   *
   * @param object Its definition.
   */
  withObject(object: TypeDef): Module_ {
    return new Module_(this, "withObject", { object })
  }

  /**
   * Adds an interface.
   *
   * @param iface Its definition.
   */
  withInterface(iface: TypeDef): Module_ {
    return new Module_(this, "withInterface", { iface })
  }

  /**
   * Adds an enum.
   *
   * @param enum_ Its definition.
   */
  withEnum(enum_: TypeDef): Module_ {
    return new Module_(this, "withEnum", { enum: enum_ })
  }

  /** Makes sure that it is loaded. */
  sync(): Promise<Module_> {
    return this._loaded(Module_, "sync")
  }

  /** Lets the client call it. */
  serve(opts?: Module_ServeOpts): Promise<void> {
    return this._value("serve", { ...opts })
  }

  /** Its objects. */
  objects(): Promise<TypeDef[]> {
    return this._objects(TypeDef, "objects")
  }

  /** Its interfaces. */
  interfaces(): Promise<TypeDef[]> {
    return this._objects(TypeDef, "interfaces")
  }

  /** Its enums. */
  enums(): Promise<TypeDef[]> {
    return this._objects(TypeDef, "enums")
  }

  /** The modules that it uses. */
  dependencies(): Promise<Module_[]> {
    return this._objects(Module_, "dependencies")
  }

  /** Its source; none while it is being built. */
  source(): ModuleSource {
    return new ModuleSource(this, "source")
  }

  /** What it is written with. */
  sdk(): SDKConfig {
    return new SDKConfig(this, "sdk")
  }

  /** The API as its code sees it, as an answer to an introspection query. */
  introspectionSchemaJSON(): File {
    return new File(this, "introspectionSchemaJSON")
  }

  /** Its checks, and its generators as checks that there is nothing to change. */
  checks(opts?: Module_ChecksOpts): CheckGroup {
    return new CheckGroup(this, "checks", { ...opts })
  }

  /**
   * One of its checks.
   *
   * @param name A name or pattern that chooses no other.
   */
  check(name: string): Check {
    return new Check(this, "check", { name })
  }

  /** Its functions that make files. */
  generators(opts?: Module_GeneratorsOpts): GeneratorGroup {
    return new GeneratorGroup(this, "generators", { ...opts })
  }

  /**
   * One of its generators.
   *
   * @param name A name or pattern that chooses no other.
   */
  generator(name: string): Generator {
    return new Generator(this, "generator", { name })
  }

  /** Its services to work with. */
  services(opts?: Module_ServicesOpts): UpGroup {
    return new UpGroup(this, "services", { ...opts })
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Module_) => T): T {
    return work(this)
  }
}

/** Names a ModuleSource in requests. */
export type ModuleSourceID = string

/** The source of a module. */
export class ModuleSource extends BaseObject {
  static override readonly apiName: string = "ModuleSource"

  /** What names this object in requests. */
  id(): Promise<ModuleSourceID> {
    return this._id()
  }

  /** The module, loaded. */
  asModule(): Module_ {
    return new Module_(this, "asModule")
  }

  /** Makes sure that it can be read. */
  sync(): Promise<ModuleSource> {
    return this._loaded(ModuleSource, "sync")
  }

  /** The module's name. */
  moduleName(): Promise<string> {
    return this._value("moduleName")
  }

  /** The name in its configuration. */
  moduleOriginalName(): Promise<string> {
    return this._value("moduleOriginalName")
  }

  /** Version of the API that it is written for. */
  engineVersion(): Promise<string> {
    return this._value("engineVersion")
  }

  /** Whether there is a configuration. */
  configExists(): Promise<boolean> {
    return this._value("configExists")
  }

  /** Where it is. */
  kind(): Promise<ModuleSourceKind> {
    return this._value("kind")
  }

  /** What the module is written with. */
  sdk(): SDKConfig {
    return new SDKConfig(this, "sdk")
  }

  /** The sources of modules that it uses. */
  dependencies(): Promise<ModuleSource[]> {
    return this._objects(ModuleSource, "dependencies")
  }

  /** The sources of modules that it offers beside its own functions. */
  toolchains(): Promise<ModuleSource[]> {
    return this._objects(ModuleSource, "toolchains")
  }

  /** The source of the module that it takes its functions from. */
  blueprint(): ModuleSource {
    return new ModuleSource(this, "blueprint")
  }

  /** What tells its contents from others. */
  digest(): Promise<string> {
    return this._value("digest")
  }

  /** The API as the module's code sees it, as an answer to an introspection query. */
  introspectionSchemaJSON(): File {
    return new File(this, "introspectionSchemaJSON")
  }

  /** Its reference. */
  asString(): Promise<string> {
    return this._value("asString")
  }

  /** The directory that the module may read from. */
  contextDirectory(): Directory {
    return new Directory(this, "contextDirectory")
  }

  /**
   * A directory of the module's source.
   *
   * @param path Path, relative to the source.
   */
  directory(path: string): Directory {
    return new Directory(this, "directory", { path })
  }

  /** The context with what is generated for the module: its configuration, if that was changed here. */
  generatedContextDirectory(): Directory {
    return new Directory(this, "generatedContextDirectory")
  }

  /** What is generated for the module, as a change of its context. */
  generatedContextChangeset(): Changeset {
    return new Changeset(this, "generatedContextChangeset")
  }

  /** Path of the context on the host. */
  localContextDirectoryPath(): Promise<string> {
    return this._value("localContextDirectoryPath")
  }

  /** Path of the configuration's directory in the context. */
  sourceRootSubpath(): Promise<string> {
    return this._value("sourceRootSubpath")
  }

  /** Path of the reference in the context. */
  originalSubpath(): Promise<string> {
    return this._value("originalSubpath")
  }

  /** Path of the code in the context. */
  sourceSubpath(): Promise<string> {
    return this._value("sourceSubpath")
  }

  /** Root of the repository, without scheme. */
  repoRootPath(): Promise<string> {
    return this._value("repoRootPath")
  }

  /** What is cloned. */
  cloneRef(): Promise<string> {
    return this._value("cloneRef")
  }

  /** The commit. */
  commit(): Promise<string> {
    return this._value("commit")
  }

  /** The commit that it is pinned to. */
  pin(): Promise<string> {
    return this._value("pin")
  }

  /** The branch, tag or commit that was asked for. */
  version(): Promise<string> {
    return this._value("version")
  }

  /** Where the repository can be seen. */
  htmlRepoURL(): Promise<string> {
    return this._value("htmlRepoURL")
  }

  /** Where the source can be seen. */
  htmlURL(): Promise<string> {
    return this._value("htmlURL")
  }

  /**
   * Gives the module another name.
   *
   * @param name The name.
   */
  withName(name: string): ModuleSource {
    return new ModuleSource(this, "withName", { name })
  }

  /**
   * Says what the module is written with.
   *
   * @param source Name or reference of the SDK.
   */
  withSDK(source: string): ModuleSource {
    return new ModuleSource(this, "withSDK", { source })
  }

  /**
   * Says which version of the API the module is written for.
   *
   * @param version The version.
   */
  withEngineVersion(version: string): ModuleSource {
    return new ModuleSource(this, "withEngineVersion", { version })
  }

  /**
   * Says where the code is.
   *
   * @param path Path, relative to the configuration.
   */
  withSourceSubpath(path: string): ModuleSource {
    return new ModuleSource(this, "withSourceSubpath", { path })
  }

  /**
   * Adds patterns of what is loaded with the source.
   *
   * @param patterns The patterns.
   */
  withIncludes(patterns: string[]): ModuleSource {
    return new ModuleSource(this, "withIncludes", { patterns })
  }

  /**
   * Adds modules that it uses.
   *
   * @param dependencies Their sources.
   */
  withDependencies(dependencies: ModuleSource[]): ModuleSource {
    return new ModuleSource(this, "withDependencies", { dependencies })
  }

  /**
   * Pins modules from git that it uses to where they are now.
   *
   * @param dependencies Names or references; all if there are none.
   */
  withUpdateDependencies(dependencies: string[]): ModuleSource {
    return new ModuleSource(this, "withUpdateDependencies", { dependencies })
  }

  /**
   * Removes modules that it uses.
   *
   * @param dependencies Names or references.
   */
  withoutDependencies(dependencies: string[]): ModuleSource {
    return new ModuleSource(this, "withoutDependencies", { dependencies })
  }

  /**
   * Adds modules that are offered beside its own functions.
   *
   * @param toolchains Their sources.
   */
  withToolchains(toolchains: ModuleSource[]): ModuleSource {
    return new ModuleSource(this, "withToolchains", { toolchains })
  }

  /**
   * Pins toolchains from git to where they are now.
   *
   * @param toolchains Names or references; all if there are none.
   */
  withUpdateToolchains(toolchains: string[]): ModuleSource {
    return new ModuleSource(this, "withUpdateToolchains", { toolchains })
  }

  /**
   * Removes toolchains.
   *
   * @param toolchains Names or references.
   */
  withoutToolchains(toolchains: string[]): ModuleSource {
    return new ModuleSource(this, "withoutToolchains", { toolchains })
  }

  /**
   * Takes the functions from another module.
   *
   * @param blueprint Its source.
   */
  withBlueprint(blueprint: ModuleSource): ModuleSource {
    return new ModuleSource(this, "withBlueprint", { blueprint })
  }

  /** Pins a blueprint from git to where it is now; without one nothing happens. */
  withUpdateBlueprint(): ModuleSource {
    return new ModuleSource(this, "withUpdateBlueprint")
  }

  /** Takes the functions from no other module. */
  withoutBlueprint(): ModuleSource {
    return new ModuleSource(this, "withoutBlueprint")
  }

  /**
   * Switches features of the module's SDK on.
   *
   * @param features The features.
   */
  withExperimentalFeatures(features: ModuleSourceExperimentalFeature[]): ModuleSource {
    return new ModuleSource(this, "withExperimentalFeatures", { features }, ["features"])
  }

  /**
   * Switches features of the module's SDK off.
   *
   * @param features The features; all if there are none.
   */
  withoutExperimentalFeatures(features: ModuleSourceExperimentalFeature[]): ModuleSource {
    return new ModuleSource(this, "withoutExperimentalFeatures", { features }, ["features"])
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: ModuleSource) => T): T {
    return work(this)
  }
}

/** What a module's SDK may be asked to try. */
export enum ModuleSourceExperimentalFeature {
  /** The module's code calls its own functions through the API; here it always may. */
  SelfCalls = "SELF_CALLS",
}

/** Where a module's source is. */
export enum ModuleSourceKind {
  /** A directory of the host. */
  LocalSource = "LOCAL_SOURCE",
  /** A directory of the host. */
  Local = "LOCAL",
  /** A repository. */
  GitSource = "GIT_SOURCE",
  /** A repository. */
  Git = "GIT",
  /** A directory of a pipeline. */
  DirSource = "DIR_SOURCE",
  /** A directory of a pipeline. */
  Dir = "DIR",
}

/** Transport of a port. */
export enum NetworkProtocol {
  /** TCP. */
  Tcp = "TCP",
  /** UDP. */
  Udp = "UDP",
}

/** Names a Node in requests. */
export type NodeID = string

/** An object that has an id. */
export class Node extends BaseObject {
  static override readonly apiName: string = "Node"

  /** What names this object in requests. */
  id(): Promise<NodeID> {
    return this._id()
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Node) => T): T {
    return work(this)
  }
}

/** Names a ObjectTypeDef in requests. */
export type ObjectTypeDefID = string

/** The definition of an object. */
export class ObjectTypeDef extends BaseObject {
  static override readonly apiName: string = "ObjectTypeDef"

  /** What names this object in requests. */
  id(): Promise<ObjectTypeDefID> {
    return this._id()
  }

  /** Its name. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** What it is. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** Why not to use it. */
  deprecated(): Promise<string> {
    return this._value("deprecated")
  }

  /** Its fields. */
  fields(): Promise<FieldTypeDef[]> {
    return this._objects(FieldTypeDef, "fields")
  }

  /** Its functions. */
  functions(): Promise<Function_[]> {
    return this._objects(Function_, "functions")
  }

  /** How it is made. */
  constructor_(): Function_ {
    return new Function_(this, "constructor")
  }

  /** Where it is declared. */
  sourceMap(): SourceMap {
    return new SourceMap(this, "sourceMap")
  }

  /** The module it is of; empty for the core. */
  sourceModuleName(): Promise<string> {
    return this._value("sourceModuleName")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: ObjectTypeDef) => T): T {
    return work(this)
  }
}

/** What to do where a patch does not fit. */
export enum PatchConflict {
  /** Fail. */
  Fail = "FAIL",
  /** Leave both sides between conflict markers. */
  LeaveConflictMarkers = "LEAVE_CONFLICT_MARKERS",
}

/** A label of a pipeline (older clients). */
export interface PipelineLabel {
  /** Name. */
  name: string
  /** Value. */
  value: string
}

/** Operating system and architecture, such as `linux/amd64`. */
export type Platform = string

/** Names a Port in requests. */
export type PortID = string

/** A port that a container listens on. */
export class Port extends BaseObject {
  static override readonly apiName: string = "Port"

  /** What names this object in requests. */
  id(): Promise<PortID> {
    return this._id()
  }

  /** Its number. */
  port(): Promise<number> {
    return this._value("port")
  }

  /** Its transport. */
  protocol(): Promise<NetworkProtocol> {
    return this._value("protocol")
  }

  /** What it is for. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** Whether starting the service does not wait for it. */
  experimentalSkipHealthcheck(): Promise<boolean> {
    return this._value("experimentalSkipHealthcheck")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Port) => T): T {
    return work(this)
  }
}

/** Where a port leads. */
export interface PortForward {
  /** Port to listen on; any free one if absent. */
  frontend?: number
  /** Port that connections are led to. */
  backend: number
  /** Transport. */
  protocol?: NetworkProtocol
}

/** Options of `container`. */
export interface ClientContainerOpts {
  /** Platform of its image and commands; the host's by default. */
  platform?: Platform
}

/** Options of `file`. */
export interface ClientFileOpts {
  /** Permission bits, such as 420 for 0644. */
  permissions?: number
}

/** Options of `secret`. */
export interface ClientSecretOpts {
  /** Stands for the value in cache keys. */
  cacheKey?: string
}

/** Options of `pipeline`. */
export interface ClientPipelineOpts {
  /** Ignored. */
  description?: string
  /** Ignored. */
  labels?: PipelineLabel[]
}

/** Options of `http`. */
export interface ClientHttpOpts {
  /** Its name; by default the server's, or the last part of the address. */
  name?: string
  /** Permission bits; 384 (0600) by default. */
  permissions?: number
  /** Digest that it must have, `sha256:` and 64 digits. */
  checksum?: string
  /** Value of the `Authorization` header. */
  authHeader?: Secret
  /** The service that its host is. */
  experimentalServiceHost?: Service
}

/** Options of `git`. */
export interface ClientGitOpts {
  /** Whether trees have their `.git` directory. */
  keepGitDir?: boolean
  /** Contents of a known-hosts file; hosts that it does not list are refused. */
  sshKnownHosts?: string
  /** Socket of an ssh agent. */
  sshAuthSocket?: Socket
  /** User name that goes with the token. */
  httpAuthUsername?: string
  /** Password or token. */
  httpAuthToken?: Secret
  /** Value of the `Authorization` header. */
  httpAuthHeader?: Secret
  /** The service that its host is. */
  experimentalServiceHost?: Service
}

/** Options of `cacheVolume`. */
export interface ClientCacheVolumeOpts {
  /** What seeds it when it is empty. */
  source?: Directory
  /** Who may use it at the same time. */
  sharing?: CacheSharingMode
  /** Owner of its root, as `user[:group]`. */
  owner?: string
  /** Whose name it is, instead of the caller's. */
  namespace?: string
}

/** Options of `envFile`. */
export interface ClientEnvFileOpts {
  /**
   * Variables in values are always replaced.
   *
   * @deprecated Use `get(raw: …)` and `variables(raw: …)`.
   */
  expand?: boolean
}

/** Options of `loadSecretFromName`. */
export interface ClientLoadSecretFromNameOpts {
  /** Ignored: a client sees its own secrets only. */
  accessor?: string
}

/** Options of `currentTypeDefs`. */
export interface ClientCurrentTypeDefsOpts {
  /** Scalars too. */
  returnAllTypes?: boolean
  /** Only types of modules. */
  hideCore?: boolean
}

/** Options of `moduleSource`. */
export interface ClientModuleSourceOpts {
  /** Commit to use. */
  refPin?: string
  /** Do not look in directories above. */
  disableFindUp?: boolean
  /** Do not mind if there is no configuration. */
  allowNotExists?: boolean
  /** Refuse sources of another kind. */
  requireKind?: ModuleSourceKind
  /** Ignored (older clients). */
  stable?: boolean
}

/** The root of the API. */
export class Client extends BaseObject {
  static override readonly apiName: string = "Query"

  /** An empty container, to be filled with `from`, `withRootfs` or `import`. */
  container(opts?: ClientContainerOpts): Container {
    return new Container(this, "container", { ...opts })
  }

  /** An empty directory. */
  directory(): Directory {
    return new Directory(this, "directory")
  }

  /**
   * A file with the given contents.
   *
   * @param name Name of the file.
   * @param contents Its contents.
   */
  file(name: string, contents: string, opts?: ClientFileOpts): File {
    return new File(this, "file", { name, contents, ...opts })
  }

  /** The host that the client runs on. */
  host(): Host {
    return new Host(this, "host")
  }

  /**
   * Gives a secret a name. The name counts for caching, the value does not.
   *
   * @param name The name.
   * @param plaintext The value, at most 128,000 bytes.
   */
  setSecret(name: string, plaintext: string): Secret {
    return new Secret(this, "setSecret", { name, plaintext })
  }

  /**
   * A secret that the client fetches when a command needs it.
   *
   * @param uri Where it is: `env://NAME`, `file://path` or `cmd://command`.
   */
  secret(uri: string, opts?: ClientSecretOpts): Secret {
    return new Secret(this, "secret", { uri, ...opts })
  }

  /** The platform of containers that ask for none. */
  defaultPlatform(): Promise<Platform> {
    return this._value("defaultPlatform")
  }

  /** The version of the API. */
  version(): Promise<string> {
    return this._value("version")
  }

  /**
   * Whether a client of this version is served; it always is.
   *
   * @param version The client's version.
   * @deprecated Clients of any version are served.
   */
  checkVersionCompatibility(version: string): Promise<boolean> {
    return this._value("checkVersionCompatibility", { version })
  }

  /**
   * An error for a function to return.
   *
   * @param message What went wrong.
   */
  error(message: string): Error {
    return new Error(this, "error", { message })
  }

  /**
   * Does nothing (older clients).
   *
   * @param name Ignored.
   * @deprecated Spans show what belongs together.
   */
  pipeline(name: string, opts?: ClientPipelineOpts): Client {
    return new Client(this, "pipeline", { name, ...opts })
  }

  /**
   * A file that is fetched over HTTP. It is fetched again when the server says that it changed.
   *
   * @param url Its address.
   */
  http(url: string, opts?: ClientHttpOpts): File {
    return new File(this, "http", { url, ...opts })
  }

  /**
   * A git repository. The client's own git asks for it, with the credentials, agents and rules it has.
   *
   * @param url Its address: `https://…`, `ssh://…`, `git@host:…`, or a path of the client's host.
   */
  git(url: string, opts?: ClientGitOpts): GitRepository {
    return new GitRepository(this, "git", { url, ...opts })
  }

  /**
   * A directory that outlives runs, found by name. Modules have names of their own; volumes with another source, sharing or owner are others.
   *
   * @param key The name.
   */
  cacheVolume(key: string, opts?: ClientCacheVolumeOpts): CacheVolume {
    return new CacheVolume(this, "cacheVolume", { key, ...opts }, ["sharing"])
  }

  /**
   * A text that names a container, directory, file, repository, service, secret or socket.
   *
   * @param value The address.
   */
  address(value: string): Address {
    return new Address(this, "address", { value })
  }

  /** A file of variables, empty at first. */
  envFile(opts?: ClientEnvFileOpts): EnvFile {
    return new EnvFile(this, "envFile", { ...opts })
  }

  /** The JSON value `null`, to be filled. */
  json(): JSONValue {
    return new JSONValue(this, "json")
  }

  /** No change, to add others to. */
  changeset(): Changeset {
    return new Changeset(this, "changeset")
  }

  /** The call that this client serves. */
  currentFunctionCall(): FunctionCall {
    return new FunctionCall(this, "currentFunctionCall")
  }

  /** The module that this client belongs to. */
  currentModule(): CurrentModule {
    return new CurrentModule(this, "currentModule")
  }

  /**
   * Loads a socket by its id.
   *
   * @param id The id.
   * @deprecated Use `loadSocketFromID`.
   */
  socket(id: Socket): Socket {
    return new Socket(this, "socket", { id })
  }

  /**
   * A secret that this client set by name.
   *
   * @param name The name.
   * @deprecated Keep the secret that `setSecret` gives.
   */
  loadSecretFromName(name: string, opts?: ClientLoadSecretFromNameOpts): Secret {
    return new Secret(this, "loadSecretFromName", { name, ...opts })
  }

  /** A type definition, to be filled. */
  typeDef(): TypeDef {
    return new TypeDef(this, "typeDef")
  }

  /**
   * A function definition.
   *
   * @param name Its name in the source.
   * @param returnType What it returns.
   */
  function(name: string, returnType: TypeDef): Function_ {
    return new Function_(this, "function", { name, returnType })
  }

  /**
   * A place in a module's source.
   *
   * @param filename File, relative to the module's source.
   * @param line Line, from 1.
   * @param column Column, from 1.
   */
  sourceMap(filename: string, line: number, column: number): SourceMap {
    return new SourceMap(this, "sourceMap", { filename, line, column })
  }

  /** Every type of the API as this client sees it. */
  currentTypeDefs(opts?: ClientCurrentTypeDefsOpts): Promise<TypeDef[]> {
    return this._objects(TypeDef, "currentTypeDefs", { ...opts })
  }

  /** A module without types, to be filled by its SDK. */
  module(): Module_ {
    return new Module_(this, "module")
  }

  /**
   * The source of a module, by reference.
   *
   * @param refString A path of the host, or a directory of a repository.
   */
  moduleSource(refString: string, opts?: ClientModuleSourceOpts): ModuleSource {
    return new ModuleSource(this, "moduleSource", { refString, ...opts }, ["requireKind"])
  }

  /**
   * What an SDK generated for a module.
   *
   * @param code The module's source with it.
   */
  generatedCode(code: Directory): GeneratedCode {
    return new GeneratedCode(this, "generatedCode", { code })
  }

  /** The Address that an id names. */
  loadAddressFromID(id: AddressID): Address {
    return load(Address, id, this)
  }

  /** The CacheVolume that an id names. */
  loadCacheVolumeFromID(id: CacheVolumeID): CacheVolume {
    return load(CacheVolume, id, this)
  }

  /** The Changeset that an id names. */
  loadChangesetFromID(id: ChangesetID): Changeset {
    return load(Changeset, id, this)
  }

  /** The Check that an id names. */
  loadCheckFromID(id: CheckID): Check {
    return load(Check, id, this)
  }

  /** The CheckGroup that an id names. */
  loadCheckGroupFromID(id: CheckGroupID): CheckGroup {
    return load(CheckGroup, id, this)
  }

  /** The Container that an id names. */
  loadContainerFromID(id: ContainerID): Container {
    return load(Container, id, this)
  }

  /** The CurrentModule that an id names. */
  loadCurrentModuleFromID(id: CurrentModuleID): CurrentModule {
    return load(CurrentModule, id, this)
  }

  /** The DiffStat that an id names. */
  loadDiffStatFromID(id: DiffStatID): DiffStat {
    return load(DiffStat, id, this)
  }

  /** The Directory that an id names. */
  loadDirectoryFromID(id: DirectoryID): Directory {
    return load(Directory, id, this)
  }

  /** The EnumTypeDef that an id names. */
  loadEnumTypeDefFromID(id: EnumTypeDefID): EnumTypeDef {
    return load(EnumTypeDef, id, this)
  }

  /** The EnumValueTypeDef that an id names. */
  loadEnumValueTypeDefFromID(id: EnumValueTypeDefID): EnumValueTypeDef {
    return load(EnumValueTypeDef, id, this)
  }

  /** The EnvFile that an id names. */
  loadEnvFileFromID(id: EnvFileID): EnvFile {
    return load(EnvFile, id, this)
  }

  /** The EnvVariable that an id names. */
  loadEnvVariableFromID(id: EnvVariableID): EnvVariable {
    return load(EnvVariable, id, this)
  }

  /** The Error that an id names. */
  loadErrorFromID(id: ErrorID): Error {
    return load(Error, id, this)
  }

  /** The ErrorValue that an id names. */
  loadErrorValueFromID(id: ErrorValueID): ErrorValue {
    return load(ErrorValue, id, this)
  }

  /** The FieldTypeDef that an id names. */
  loadFieldTypeDefFromID(id: FieldTypeDefID): FieldTypeDef {
    return load(FieldTypeDef, id, this)
  }

  /** The File that an id names. */
  loadFileFromID(id: FileID): File {
    return load(File, id, this)
  }

  /** The Function that an id names. */
  loadFunctionFromID(id: FunctionID): Function_ {
    return load(Function_, id, this)
  }

  /** The FunctionArg that an id names. */
  loadFunctionArgFromID(id: FunctionArgID): FunctionArg {
    return load(FunctionArg, id, this)
  }

  /** The FunctionCall that an id names. */
  loadFunctionCallFromID(id: FunctionCallID): FunctionCall {
    return load(FunctionCall, id, this)
  }

  /** The FunctionCallArgValue that an id names. */
  loadFunctionCallArgValueFromID(id: FunctionCallArgValueID): FunctionCallArgValue {
    return load(FunctionCallArgValue, id, this)
  }

  /** The GeneratedCode that an id names. */
  loadGeneratedCodeFromID(id: GeneratedCodeID): GeneratedCode {
    return load(GeneratedCode, id, this)
  }

  /** The Generator that an id names. */
  loadGeneratorFromID(id: GeneratorID): Generator {
    return load(Generator, id, this)
  }

  /** The GeneratorGroup that an id names. */
  loadGeneratorGroupFromID(id: GeneratorGroupID): GeneratorGroup {
    return load(GeneratorGroup, id, this)
  }

  /** The GitCommit that an id names. */
  loadGitCommitFromID(id: GitCommitID): GitCommit {
    return load(GitCommit, id, this)
  }

  /** The GitRef that an id names. */
  loadGitRefFromID(id: GitRefID): GitRef {
    return load(GitRef, id, this)
  }

  /** The GitRepository that an id names. */
  loadGitRepositoryFromID(id: GitRepositoryID): GitRepository {
    return load(GitRepository, id, this)
  }

  /** The HealthcheckConfig that an id names. */
  loadHealthcheckConfigFromID(id: HealthcheckConfigID): HealthcheckConfig {
    return load(HealthcheckConfig, id, this)
  }

  /** The Host that an id names. */
  loadHostFromID(id: HostID): Host {
    return load(Host, id, this)
  }

  /** The InputTypeDef that an id names. */
  loadInputTypeDefFromID(id: InputTypeDefID): InputTypeDef {
    return load(InputTypeDef, id, this)
  }

  /** The InterfaceTypeDef that an id names. */
  loadInterfaceTypeDefFromID(id: InterfaceTypeDefID): InterfaceTypeDef {
    return load(InterfaceTypeDef, id, this)
  }

  /** The JSONValue that an id names. */
  loadJSONValueFromID(id: JSONValueID): JSONValue {
    return load(JSONValue, id, this)
  }

  /** The Label that an id names. */
  loadLabelFromID(id: LabelID): Label {
    return load(Label, id, this)
  }

  /** The ListTypeDef that an id names. */
  loadListTypeDefFromID(id: ListTypeDefID): ListTypeDef {
    return load(ListTypeDef, id, this)
  }

  /** The Module that an id names. */
  loadModuleFromID(id: ModuleID): Module_ {
    return load(Module_, id, this)
  }

  /** The ModuleSource that an id names. */
  loadModuleSourceFromID(id: ModuleSourceID): ModuleSource {
    return load(ModuleSource, id, this)
  }

  /** The ObjectTypeDef that an id names. */
  loadObjectTypeDefFromID(id: ObjectTypeDefID): ObjectTypeDef {
    return load(ObjectTypeDef, id, this)
  }

  /** The Port that an id names. */
  loadPortFromID(id: PortID): Port {
    return load(Port, id, this)
  }

  /** The SDKConfig that an id names. */
  loadSDKConfigFromID(id: SDKConfigID): SDKConfig {
    return load(SDKConfig, id, this)
  }

  /** The ScalarTypeDef that an id names. */
  loadScalarTypeDefFromID(id: ScalarTypeDefID): ScalarTypeDef {
    return load(ScalarTypeDef, id, this)
  }

  /** The SearchResult that an id names. */
  loadSearchResultFromID(id: SearchResultID): SearchResult {
    return load(SearchResult, id, this)
  }

  /** The SearchSubmatch that an id names. */
  loadSearchSubmatchFromID(id: SearchSubmatchID): SearchSubmatch {
    return load(SearchSubmatch, id, this)
  }

  /** The Secret that an id names. */
  loadSecretFromID(id: SecretID): Secret {
    return load(Secret, id, this)
  }

  /** The Service that an id names. */
  loadServiceFromID(id: ServiceID): Service {
    return load(Service, id, this)
  }

  /** The Socket that an id names. */
  loadSocketFromID(id: SocketID): Socket {
    return load(Socket, id, this)
  }

  /** The SourceMap that an id names. */
  loadSourceMapFromID(id: SourceMapID): SourceMap {
    return load(SourceMap, id, this)
  }

  /** The Stat that an id names. */
  loadStatFromID(id: StatID): Stat {
    return load(Stat, id, this)
  }

  /** The TypeDef that an id names. */
  loadTypeDefFromID(id: TypeDefID): TypeDef {
    return load(TypeDef, id, this)
  }

  /** The Up that an id names. */
  loadUpFromID(id: UpID): Up {
    return load(Up, id, this)
  }

  /** The UpGroup that an id names. */
  loadUpGroupFromID(id: UpGroupID): UpGroup {
    return load(UpGroup, id, this)
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Client) => T): T {
    return work(this)
  }
}

/** How to speak to a registry. */
export enum RegistryProtocol {
  /** With TLS. */
  Https = "HTTPS",
  /** Without. */
  Http = "HTTP",
}

/** Exit codes that count as success. */
export enum ReturnType {
  /** 0. */
  Success = "SUCCESS",
  /** 1 to 127 and 192 to 255. */
  Failure = "FAILURE",
  /** 0 to 127 and 192 to 255. */
  Any = "ANY",
}

/** Names a SDKConfig in requests. */
export type SDKConfigID = string

/** What a module is written with. */
export class SDKConfig extends BaseObject {
  static override readonly apiName: string = "SDKConfig"

  /** What names this object in requests. */
  id(): Promise<SDKConfigID> {
    return this._id()
  }

  /** Name or reference of the SDK. */
  source(): Promise<string> {
    return this._value("source")
  }

  /** Whether the SDK stops to be looked at. */
  debug(): Promise<boolean> {
    return this._value("debug")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: SDKConfig) => T): T {
    return work(this)
  }
}

/** Names a ScalarTypeDef in requests. */
export type ScalarTypeDefID = string

/** The definition of a scalar. */
export class ScalarTypeDef extends BaseObject {
  static override readonly apiName: string = "ScalarTypeDef"

  /** What names this object in requests. */
  id(): Promise<ScalarTypeDefID> {
    return this._id()
  }

  /** Its name. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** What it is. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** The module it is of; empty for the core. */
  sourceModuleName(): Promise<string> {
    return this._value("sourceModuleName")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: ScalarTypeDef) => T): T {
    return work(this)
  }
}

/** Names a SearchResult in requests. */
export type SearchResultID = string

/** Lines that match. */
export class SearchResult extends BaseObject {
  static override readonly apiName: string = "SearchResult"

  /** What names this object in requests. */
  id(): Promise<SearchResultID> {
    return this._id()
  }

  /** Path of the file in the directory. */
  filePath(): Promise<string> {
    return this._value("filePath")
  }

  /** Number of the first line, from 1. */
  lineNumber(): Promise<number> {
    return this._value("lineNumber")
  }

  /** Bytes before the first line. */
  absoluteOffset(): Promise<number> {
    return this._value("absoluteOffset")
  }

  /** The lines. */
  matchedLines(): Promise<string> {
    return this._value("matchedLines")
  }

  /** The matches in the lines. */
  submatches(): Promise<SearchSubmatch[]> {
    return this._objects(SearchSubmatch, "submatches")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: SearchResult) => T): T {
    return work(this)
  }
}

/** Names a SearchSubmatch in requests. */
export type SearchSubmatchID = string

/** A match in lines. */
export class SearchSubmatch extends BaseObject {
  static override readonly apiName: string = "SearchSubmatch"

  /** What names this object in requests. */
  id(): Promise<SearchSubmatchID> {
    return this._id()
  }

  /** What matched. */
  text(): Promise<string> {
    return this._value("text")
  }

  /** Where it begins in the lines, in bytes. */
  start(): Promise<number> {
    return this._value("start")
  }

  /** Where it ends in the lines, in bytes. */
  end(): Promise<number> {
    return this._value("end")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: SearchSubmatch) => T): T {
    return work(this)
  }
}

/** Names a Secret in requests. */
export type SecretID = string

/** A value that is never shown, stored or part of a cache key. */
export class Secret extends BaseObject {
  static override readonly apiName: string = "Secret"

  /** What names this object in requests. */
  id(): Promise<SecretID> {
    return this._id()
  }

  /** The name it was set under, or its address. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** Its address; empty for a secret set by name. */
  uri(): Promise<string> {
    return this._value("uri")
  }

  /** Its value. */
  plaintext(): Promise<string> {
    return this._value("plaintext")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Secret) => T): T {
    return work(this)
  }
}

/** Options of `endpoint`. */
export interface ServiceEndpointOpts {
  /** Port; the first that is declared if absent. */
  port?: number
  /** Scheme of a URL, such as `http`; without one it is `host:port`. */
  scheme?: string
}

/** Options of `stop`. */
export interface ServiceStopOpts {
  /** Kill it instead of asking. */
  kill?: boolean
}

/** Options of `terminal`. */
export interface ServiceTerminalOpts {
  /** The shell; by default the container's withDefaultTerminalCmd, or `sh`. */
  cmd?: string[]
}

/** Options of `up`. */
export interface ServiceUpOpts {
  /** Ports to open; by default all that are declared, by their numbers. */
  ports?: PortForward[]
  /** Open free ports of the host's choice instead. */
  random?: boolean
}

/** Names a Service in requests. */
export type ServiceID = string

/** Something that can be reached over the network while it runs. */
export class Service extends BaseObject {
  static override readonly apiName: string = "Service"

  /** What names this object in requests. */
  id(): Promise<ServiceID> {
    return this._id()
  }

  /** The name by which all containers of the session reach it. */
  hostname(): Promise<string> {
    return this._value("hostname")
  }

  /** Where it is reached: `host:port`, or a URL. */
  endpoint(opts?: ServiceEndpointOpts): Promise<string> {
    return this._value("endpoint", { ...opts })
  }

  /** The ports it declares. */
  ports(): Promise<Port[]> {
    return this._objects(Port, "ports")
  }

  /**
   * The service under a name that all containers of the session can use.
   *
   * @param hostname The name.
   */
  withHostname(hostname: string): Service {
    return new Service(this, "withHostname", { hostname })
  }

  /** Starts it and waits until it is ready. It runs until it is stopped or the session ends. */
  start(): Promise<Service> {
    return this._loaded(Service, "start")
  }

  /** Stops it, whoever uses it. */
  stop(opts?: ServiceStopOpts): Promise<Service> {
    return this._loaded(Service, "stop", { ...opts })
  }

  /** Makes everything it is built from happen now, without starting it. */
  sync(): Promise<Service> {
    return this._loaded(Service, "sync")
  }

  /** Opens a shell in the running service, beside its command, and waits for the shell's end. */
  terminal(opts?: ServiceTerminalOpts): Service {
    return new Service(this, "terminal", { ...opts })
  }

  /** Runs it and opens its ports on the host until it ends. */
  up(opts?: ServiceUpOpts): Promise<void> {
    return this._value("up", { ...opts }, ["protocol"])
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Service) => T): T {
    return work(this)
  }
}

/** Names a Socket in requests. */
export type SocketID = string

/** A Unix socket of the host. */
export class Socket extends BaseObject {
  static override readonly apiName: string = "Socket"

  /** What names this object in requests. */
  id(): Promise<SocketID> {
    return this._id()
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Socket) => T): T {
    return work(this)
  }
}

/** Names a SourceMap in requests. */
export type SourceMapID = string

/** A place in a module's source. */
export class SourceMap extends BaseObject {
  static override readonly apiName: string = "SourceMap"

  /** What names this object in requests. */
  id(): Promise<SourceMapID> {
    return this._id()
  }

  /** File, relative to the module's source. */
  filename(): Promise<string> {
    return this._value("filename")
  }

  /** Line, from 1. */
  line(): Promise<number> {
    return this._value("line")
  }

  /** Column, from 1. */
  column(): Promise<number> {
    return this._value("column")
  }

  /** The module it is of. */
  module(): Promise<string> {
    return this._value("module")
  }

  /** Where it can be seen; empty for local files. */
  url(): Promise<string> {
    return this._value("url")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: SourceMap) => T): T {
    return work(this)
  }
}

/** Names a Stat in requests. */
export type StatID = string

/** What is known of a file without opening it. */
export class Stat extends BaseObject {
  static override readonly apiName: string = "Stat"

  /** What names this object in requests. */
  id(): Promise<StatID> {
    return this._id()
  }

  /** Its name. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** Its size in bytes. */
  size(): Promise<number> {
    return this._value("size")
  }

  /** Its permission bits, such as 420 for 0644. */
  permissions(): Promise<number> {
    return this._value("permissions")
  }

  /** What it is. */
  fileType(): Promise<FileType> {
    return this._value("fileType")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Stat) => T): T {
    return work(this)
  }
}

/** Names a Syncer in requests. */
export type SyncerID = string

/** What can be made now rather than when a result is asked for. */
export class Syncer extends BaseObject {
  static override readonly apiName: string = "Syncer"

  /** What names this object in requests. */
  id(): Promise<SyncerID> {
    return this._id()
  }

  /** Makes the object and gives its id. */
  sync(): Promise<string> {
    return this._value("sync")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Syncer) => T): T {
    return work(this)
  }
}

/** Options of `withScalar`. */
export interface TypeDefWithScalarOpts {
  /** What it is. */
  description?: string
}

/** Options of `withObject`. */
export interface TypeDefWithObjectOpts {
  /** What it is. */
  description?: string
  /** Where it is declared. */
  sourceMap?: SourceMap
  /** Why not to use it. */
  deprecated?: string
}

/** Options of `withInterface`. */
export interface TypeDefWithInterfaceOpts {
  /** What it is. */
  description?: string
  /** Where it is declared. */
  sourceMap?: SourceMap
}

/** Options of `withEnum`. */
export interface TypeDefWithEnumOpts {
  /** What it is. */
  description?: string
  /** Where it is declared. */
  sourceMap?: SourceMap
}

/** Options of `withEnumMember`. */
export interface TypeDefWithEnumMemberOpts {
  /** The value behind it. */
  value?: string
  /** What it is. */
  description?: string
  /** Where it is declared. */
  sourceMap?: SourceMap
  /** Why not to use it. */
  deprecated?: string
}

/** Options of `withEnumValue`. */
export interface TypeDefWithEnumValueOpts {
  /** What it is. */
  description?: string
  /** Where it is declared. */
  sourceMap?: SourceMap
  /** Why not to use it. */
  deprecated?: string
}

/** Options of `withField`. */
export interface TypeDefWithFieldOpts {
  /** What it is. */
  description?: string
  /** Where it is declared. */
  sourceMap?: SourceMap
  /** Why not to use it. */
  deprecated?: string
}

/** Names a TypeDef in requests. */
export type TypeDefID = string

/** The definition of a type. */
export class TypeDef extends BaseObject {
  static override readonly apiName: string = "TypeDef"

  /** What names this object in requests. */
  id(): Promise<TypeDefID> {
    return this._id()
  }

  /** What it is. */
  kind(): Promise<TypeDefKind> {
    return this._value("kind")
  }

  /** Its name; empty for built-in types and lists. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** Whether null is a value of it. */
  optional(): Promise<boolean> {
    return this._value("optional")
  }

  /** The object, if it is one. */
  asObject(): ObjectTypeDef {
    return new ObjectTypeDef(this, "asObject")
  }

  /** The interface, if it is one. */
  asInterface(): InterfaceTypeDef {
    return new InterfaceTypeDef(this, "asInterface")
  }

  /** The enum, if it is one. */
  asEnum(): EnumTypeDef {
    return new EnumTypeDef(this, "asEnum")
  }

  /** The list, if it is one. */
  asList(): ListTypeDef {
    return new ListTypeDef(this, "asList")
  }

  /** The scalar, if it is one. */
  asScalar(): ScalarTypeDef {
    return new ScalarTypeDef(this, "asScalar")
  }

  /** The input object, if it is one. */
  asInput(): InputTypeDef {
    return new InputTypeDef(this, "asInput")
  }

  /**
   * A built-in type.
   *
   * @param kind Which.
   */
  withKind(kind: TypeDefKind): TypeDef {
    return new TypeDef(this, "withKind", { kind }, ["kind"])
  }

  /**
   * Makes null a value of it, or not.
   *
   * @param optional Whether.
   */
  withOptional(optional: boolean): TypeDef {
    return new TypeDef(this, "withOptional", { optional })
  }

  /**
   * A list.
   *
   * @param elementType Type of its elements.
   */
  withListOf(elementType: TypeDef): TypeDef {
    return new TypeDef(this, "withListOf", { elementType })
  }

  /**
   * A scalar.
   *
   * @param name Its name.
   */
  withScalar(name: string, opts?: TypeDefWithScalarOpts): TypeDef {
    return new TypeDef(this, "withScalar", { name, ...opts })
  }

  /**
   * An object.
   *
   * @param name Its name in the source.
   */
  withObject(name: string, opts?: TypeDefWithObjectOpts): TypeDef {
    return new TypeDef(this, "withObject", { name, ...opts })
  }

  /**
   * An interface.
   *
   * @param name Its name in the source.
   */
  withInterface(name: string, opts?: TypeDefWithInterfaceOpts): TypeDef {
    return new TypeDef(this, "withInterface", { name, ...opts })
  }

  /**
   * An enum.
   *
   * @param name Its name in the source.
   */
  withEnum(name: string, opts?: TypeDefWithEnumOpts): TypeDef {
    return new TypeDef(this, "withEnum", { name, ...opts })
  }

  /**
   * Adds a member to an enum.
   *
   * @param name Its name.
   */
  withEnumMember(name: string, opts?: TypeDefWithEnumMemberOpts): TypeDef {
    return new TypeDef(this, "withEnumMember", { name, ...opts })
  }

  /**
   * Adds a member to an enum (older SDKs).
   *
   * @param value Its name.
   * @deprecated Use `withEnumMember`.
   */
  withEnumValue(value: string, opts?: TypeDefWithEnumValueOpts): TypeDef {
    return new TypeDef(this, "withEnumValue", { value, ...opts })
  }

  /**
   * Adds a field to an object.
   *
   * @param name Its name in the source.
   * @param typeDef Its type.
   */
  withField(name: string, typeDef: TypeDef, opts?: TypeDefWithFieldOpts): TypeDef {
    return new TypeDef(this, "withField", { name, typeDef, ...opts })
  }

  /**
   * Adds a function to an object or interface.
   *
   * @param function_ The function.
   */
  withFunction(function_: Function_): TypeDef {
    return new TypeDef(this, "withFunction", { function: function_ })
  }

  /**
   * Says how an object is made.
   *
   * @param function_ The constructor.
   */
  withConstructor(function_: Function_): TypeDef {
    return new TypeDef(this, "withConstructor", { function: function_ })
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: TypeDef) => T): T {
    return work(this)
  }
}

/** What kind of type a definition is of. */
export enum TypeDefKind {
  /** Text. */
  StringKind = "STRING_KIND",
  /** Text. */
  String = "STRING",
  /** A whole number. */
  IntegerKind = "INTEGER_KIND",
  /** A whole number. */
  Integer = "INTEGER",
  /** A number. */
  FloatKind = "FLOAT_KIND",
  /** A number. */
  Float = "FLOAT",
  /** True or false. */
  BooleanKind = "BOOLEAN_KIND",
  /** True or false. */
  Boolean = "BOOLEAN",
  /** Text with a meaning. */
  ScalarKind = "SCALAR_KIND",
  /** Text with a meaning. */
  Scalar = "SCALAR",
  /** A list. */
  ListKind = "LIST_KIND",
  /** A list. */
  List = "LIST",
  /** An object. */
  ObjectKind = "OBJECT_KIND",
  /** An object. */
  Object = "OBJECT",
  /** What several objects have in common. */
  InterfaceKind = "INTERFACE_KIND",
  /** What several objects have in common. */
  Interface = "INTERFACE",
  /** A structured argument. */
  InputKind = "INPUT_KIND",
  /** A structured argument. */
  Input = "INPUT",
  /** Nothing. */
  VoidKind = "VOID_KIND",
  /** Nothing. */
  Void = "VOID",
  /** A closed set of values. */
  EnumKind = "ENUM_KIND",
  /** A closed set of values. */
  Enum = "ENUM",
}

/** Names a Up in requests. */
export type UpID = string

/** A function of a module that gives a service to work with. */
export class Up extends BaseObject {
  static override readonly apiName: string = "Up"

  /** What names this object in requests. */
  id(): Promise<UpID> {
    return this._id()
  }

  /** Its name in the module; names of what leads to it come first, with `:` between them. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** The fields that lead to it. */
  path(): Promise<string[]> {
    return this._value("path")
  }

  /** What it is for. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** The module that has it: the one that was asked, or a toolchain. */
  originalModule(): Module_ {
    return new Module_(this, "originalModule")
  }

  /** Runs it and opens its ports on the host until it ends. */
  run(): Up {
    return new Up(this, "run")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Up) => T): T {
    return work(this)
  }
}

/** Names a UpGroup in requests. */
export type UpGroupID = string

/** Services of a module. */
export class UpGroup extends BaseObject {
  static override readonly apiName: string = "UpGroup"

  /** What names this object in requests. */
  id(): Promise<UpGroupID> {
    return this._id()
  }

  /** Each of them. */
  list(): Promise<Up[]> {
    return this._objects(Up, "list")
  }

  /** Runs them and opens their ports on the host until all have ended or one fails. */
  run(): UpGroup {
    return new UpGroup(this, "run")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: UpGroup) => T): T {
    return work(this)
  }
}

/** The API, in the session that this program runs in. */
export const dag: Client = new Client()
