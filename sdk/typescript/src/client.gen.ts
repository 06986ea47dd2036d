/** The API of the engine. Generated from its schema; do not edit. */

import { BaseObject, load } from "./base.js"

/** Options of `directory`. */
export interface AddressDirectoryOpts {
  /** The value `exclude`. */
  exclude?: string[]
  /** The value `include`. */
  include?: string[]
  /** The value `gitignore`. */
  gitignore?: boolean
  /** The value `noCache`. */
  noCache?: boolean
}

/** Options of `file`. */
export interface AddressFileOpts {
  /** The value `exclude`. */
  exclude?: string[]
  /** The value `include`. */
  include?: string[]
  /** The value `gitignore`. */
  gitignore?: boolean
  /** The value `noCache`. */
  noCache?: boolean
}

/** Names a Address in requests. */
export type AddressID = string

/** An object of the API. */
export class Address extends BaseObject {
  static override readonly apiName: string = "Address"

  /** What names this object in requests. */
  id(): Promise<AddressID> {
    return this._id()
  }

  /** The field `container`. */
  container(): Container {
    return new Container(this, "container")
  }

  /** The field `directory`. */
  directory(opts?: AddressDirectoryOpts): Directory {
    return new Directory(this, "directory", { ...opts })
  }

  /** The field `file`. */
  file(opts?: AddressFileOpts): File {
    return new File(this, "file", { ...opts })
  }

  /** The field `gitRef`. */
  gitRef(): GitRef {
    return new GitRef(this, "gitRef")
  }

  /** The field `gitRepository`. */
  gitRepository(): GitRepository {
    return new GitRepository(this, "gitRepository")
  }

  /** The field `secret`. */
  secret(): Secret {
    return new Secret(this, "secret")
  }

  /** The field `service`. */
  service(): Service {
    return new Service(this, "service")
  }

  /** The field `socket`. */
  socket(): Socket {
    return new Socket(this, "socket")
  }

  /** The field `value`. */
  value(): Promise<string> {
    return this._value("value")
  }

  /** The field `volume`. */
  volume(): Volume {
    return new Volume(this, "volume")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Address) => T): T {
    return work(this)
  }
}

/** Names a Agent in requests. */
export type AgentID = string

/** An object of the API. */
export class Agent extends BaseObject {
  static override readonly apiName: string = "Agent"

  /** What names this object in requests. */
  id(): Promise<AgentID> {
    return this._id()
  }

  /** The field `description`. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** The field `name`. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** The field `originalModule`. */
  originalModule(): Module_ {
    return new Module_(this, "originalModule")
  }

  /** The field `path`. */
  path(): Promise<string[]> {
    return this._value("path")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Agent) => T): T {
    return work(this)
  }
}

/** Options of `compose`. */
export interface AgentGroupComposeOpts {
  /** The value `base`. */
  base?: LLM
}

/** Names a AgentGroup in requests. */
export type AgentGroupID = string

/** An object of the API. */
export class AgentGroup extends BaseObject {
  static override readonly apiName: string = "AgentGroup"

  /** What names this object in requests. */
  id(): Promise<AgentGroupID> {
    return this._id()
  }

  /** The field `compose`. */
  compose(opts?: AgentGroupComposeOpts): LLM {
    return new LLM(this, "compose", { ...opts })
  }

  /** The field `list`. */
  list(): Promise<Agent[]> {
    return this._objects(Agent, "list")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: AgentGroup) => T): T {
    return work(this)
  }
}

/** Values given together. */
export interface BuildArg {
  /** The value `name`. */
  name: string
  /** The value `value`. */
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
  /** The value `onConflict`. */
  onConflict?: ChangesetMergeConflict
}

/** Options of `withChangesets`. */
export interface ChangesetWithChangesetsOpts {
  /** The value `onConflict`. */
  onConflict?: ChangesetsMergeConflict
}

/** Names a Changeset in requests. */
export type ChangesetID = string

/** An object of the API. */
export class Changeset extends BaseObject {
  static override readonly apiName: string = "Changeset"

  /** What names this object in requests. */
  id(): Promise<ChangesetID> {
    return this._id()
  }

  /** The field `addedPaths`. */
  addedPaths(): Promise<string[]> {
    return this._value("addedPaths")
  }

  /** The field `after`. */
  after(): Directory {
    return new Directory(this, "after")
  }

  /** The field `asPatch`. */
  asPatch(): File {
    return new File(this, "asPatch")
  }

  /** The field `before`. */
  before(): Directory {
    return new Directory(this, "before")
  }

  /** The field `diffStats`. */
  diffStats(): Promise<DiffStat[]> {
    return this._objects(DiffStat, "diffStats")
  }

  /** The field `export`. */
  export(path: string): Promise<string> {
    return this._value("export", { path })
  }

  /** The field `isEmpty`. */
  isEmpty(): Promise<boolean> {
    return this._value("isEmpty")
  }

  /** The field `layer`. */
  layer(): Directory {
    return new Directory(this, "layer")
  }

  /** The field `modifiedPaths`. */
  modifiedPaths(): Promise<string[]> {
    return this._value("modifiedPaths")
  }

  /** The field `removedPaths`. */
  removedPaths(): Promise<string[]> {
    return this._value("removedPaths")
  }

  /** The field `sync`. */
  sync(): Promise<Changeset> {
    return this._loaded(Changeset, "sync")
  }

  /** The field `withChangeset`. */
  withChangeset(changes: Changeset, opts?: ChangesetWithChangesetOpts): Changeset {
    return new Changeset(this, "withChangeset", { changes, ...opts }, ["onConflict"])
  }

  /** The field `withChangesets`. */
  withChangesets(changes: Changeset[], opts?: ChangesetWithChangesetsOpts): Changeset {
    return new Changeset(this, "withChangesets", { changes, ...opts }, ["onConflict"])
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Changeset) => T): T {
    return work(this)
  }
}

/** One of a few values. */
export enum ChangesetMergeConflict {
  /** The value `FAIL_EARLY`. */
  FailEarly = "FAIL_EARLY",
  /** The value `FAIL`. */
  Fail = "FAIL",
  /** The value `LEAVE_CONFLICT_MARKERS`. */
  LeaveConflictMarkers = "LEAVE_CONFLICT_MARKERS",
  /** The value `PREFER_OURS`. */
  PreferOurs = "PREFER_OURS",
  /** The value `PREFER_THEIRS`. */
  PreferTheirs = "PREFER_THEIRS",
}

/** One of a few values. */
export enum ChangesetsMergeConflict {
  /** The value `FAIL_EARLY`. */
  FailEarly = "FAIL_EARLY",
  /** The value `FAIL`. */
  Fail = "FAIL",
}

/** Names a Check in requests. */
export type CheckID = string

/** An object of the API. */
export class Check extends BaseObject {
  static override readonly apiName: string = "Check"

  /** What names this object in requests. */
  id(): Promise<CheckID> {
    return this._id()
  }

  /** The field `checkType`. */
  checkType(): Promise<string> {
    return this._value("checkType")
  }

  /** The field `completed`. */
  completed(): Promise<boolean> {
    return this._value("completed")
  }

  /** The field `description`. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** The field `error`. */
  error(): Error {
    return new Error(this, "error")
  }

  /** The field `name`. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** The field `originalModule`. */
  originalModule(): Module_ {
    return new Module_(this, "originalModule")
  }

  /** The field `passed`. */
  passed(): Promise<boolean> {
    return this._value("passed")
  }

  /** The field `path`. */
  path(): Promise<string[]> {
    return this._value("path")
  }

  /** The field `resultEmoji`. */
  resultEmoji(): Promise<string> {
    return this._value("resultEmoji")
  }

  /** The field `run`. */
  run(): Check {
    return new Check(this, "run")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Check) => T): T {
    return work(this)
  }
}

/** Options of `run`. */
export interface CheckGroupRunOpts {
  /** The value `failFast`. */
  failFast?: boolean
}

/** Names a CheckGroup in requests. */
export type CheckGroupID = string

/** An object of the API. */
export class CheckGroup extends BaseObject {
  static override readonly apiName: string = "CheckGroup"

  /** What names this object in requests. */
  id(): Promise<CheckGroupID> {
    return this._id()
  }

  /** The field `list`. */
  list(): Promise<Check[]> {
    return this._objects(Check, "list")
  }

  /** The field `report`. */
  report(): File {
    return new File(this, "report")
  }

  /** The field `run`. */
  run(opts?: CheckGroupRunOpts): CheckGroup {
    return new CheckGroup(this, "run", { ...opts })
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: CheckGroup) => T): T {
    return work(this)
  }
}

/** Names a Cloud in requests. */
export type CloudID = string

/** An object of the API. */
export class Cloud extends BaseObject {
  static override readonly apiName: string = "Cloud"

  /** What names this object in requests. */
  id(): Promise<CloudID> {
    return this._id()
  }

  /** The field `traceURL`. */
  traceURL(): Promise<string> {
    return this._value("traceURL")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Cloud) => T): T {
    return work(this)
  }
}

/** Options of `asService`. */
export interface ContainerAsServiceOpts {
  /** The value `args`. */
  args?: string[]
  /** The value `useEntrypoint`. */
  useEntrypoint?: boolean
  /** The value `experimentalPrivilegedNesting`. */
  experimentalPrivilegedNesting?: boolean
  /** The value `insecureRootCapabilities`. */
  insecureRootCapabilities?: boolean
  /** The value `expand`. */
  expand?: boolean
  /** The value `noInit`. */
  noInit?: boolean
}

/** Options of `asTarball`. */
export interface ContainerAsTarballOpts {
  /** The value `platformVariants`. */
  platformVariants?: Container[]
  /** The value `forcedCompression`. */
  forcedCompression?: ImageLayerCompression
  /** The value `mediaTypes`. */
  mediaTypes?: ImageMediaTypes
}

/** Options of `directory`. */
export interface ContainerDirectoryOpts {
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
}

/** Options of `exists`. */
export interface ContainerExistsOpts {
  /** What it has to be. */
  expectedType?: ExistsType
  /** Look at a link itself. */
  doNotFollowSymlinks?: boolean
  /** The value `expand`. */
  expand?: boolean
}

/** Options of `export`. */
export interface ContainerExportOpts {
  /** The value `platformVariants`. */
  platformVariants?: Container[]
  /** The value `forcedCompression`. */
  forcedCompression?: ImageLayerCompression
  /** The value `mediaTypes`. */
  mediaTypes?: ImageMediaTypes
  /** The value `expand`. */
  expand?: boolean
}

/** Options of `exportImage`. */
export interface ContainerExportImageOpts {
  /** The value `platformVariants`. */
  platformVariants?: Container[]
  /** The value `forcedCompression`. */
  forcedCompression?: ImageLayerCompression
  /** The value `mediaTypes`. */
  mediaTypes?: ImageMediaTypes
}

/** Options of `file`. */
export interface ContainerFileOpts {
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
}

/** Options of `from`. */
export interface ContainerFromOpts {
  /** The value `registryService`. */
  registryService?: Service
  /** The value `protocol`. */
  protocol?: RegistryProtocol
  /** The value `insecureSkipTLSVerify`. */
  insecureSkipTLSVerify?: boolean
}

/** Options of `import_`. */
export interface ContainerImportOpts {
  /** The value `tag`. */
  tag?: string
}

/** Options of `layer`. */
export interface ContainerLayerOpts {
  /** The value `forcedCompression`. */
  forcedCompression?: ImageLayerCompression
  /** The value `mediaTypes`. */
  mediaTypes?: ImageMediaTypes
}

/** Options of `manifest`. */
export interface ContainerManifestOpts {
  /** The value `forcedCompression`. */
  forcedCompression?: ImageLayerCompression
  /** The value `mediaTypes`. */
  mediaTypes?: ImageMediaTypes
}

/** Options of `publish`. */
export interface ContainerPublishOpts {
  /** The value `platformVariants`. */
  platformVariants?: Container[]
  /** The value `forcedCompression`. */
  forcedCompression?: ImageLayerCompression
  /** The value `mediaTypes`. */
  mediaTypes?: ImageMediaTypes
  /** The value `registryService`. */
  registryService?: Service
  /** The value `protocol`. */
  protocol?: RegistryProtocol
  /** The value `insecureSkipTLSVerify`. */
  insecureSkipTLSVerify?: boolean
}

/** Options of `stat`. */
export interface ContainerStatOpts {
  /** The value `doNotFollowSymlinks`. */
  doNotFollowSymlinks?: boolean
}

/** Options of `terminal`. */
export interface ContainerTerminalOpts {
  /** The value `cmd`. */
  cmd?: string[]
  /** The value `experimentalPrivilegedNesting`. */
  experimentalPrivilegedNesting?: boolean
  /** The value `insecureRootCapabilities`. */
  insecureRootCapabilities?: boolean
}

/** Options of `up`. */
export interface ContainerUpOpts {
  /** The value `random`. */
  random?: boolean
  /** The value `ports`. */
  ports?: PortForward[]
  /** The value `args`. */
  args?: string[]
  /** The value `useEntrypoint`. */
  useEntrypoint?: boolean
  /** The value `experimentalPrivilegedNesting`. */
  experimentalPrivilegedNesting?: boolean
  /** The value `insecureRootCapabilities`. */
  insecureRootCapabilities?: boolean
  /** The value `expand`. */
  expand?: boolean
  /** The value `noInit`. */
  noInit?: boolean
}

/** Options of `withDefaultTerminalCmd`. */
export interface ContainerWithDefaultTerminalCmdOpts {
  /** Let the command call this API. */
  experimentalPrivilegedNesting?: boolean
  /** All capabilities, inside nsci's user namespace. */
  insecureRootCapabilities?: boolean
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

/** Options of `withDockerHealthcheck`. */
export interface ContainerWithDockerHealthcheckOpts {
  /** The value `shell`. */
  shell?: boolean
  /** The value `interval`. */
  interval?: string
  /** The value `timeout`. */
  timeout?: string
  /** The value `startPeriod`. */
  startPeriod?: string
  /** The value `startInterval`. */
  startInterval?: string
  /** The value `retries`. */
  retries?: number
}

/** Options of `withEntrypoint`. */
export interface ContainerWithEntrypointOpts {
  /** Leave the default arguments as they are. */
  keepDefaultArgs?: boolean
}

/** Options of `withEnvVariable`. */
export interface ContainerWithEnvVariableOpts {
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

/** Options of `withExposedPort`. */
export interface ContainerWithExposedPortOpts {
  /** Transport. */
  protocol?: NetworkProtocol
  /** What it is for. */
  description?: string
  /** Do not wait for it when the service starts. */
  experimentalSkipHealthcheck?: boolean
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

/** Options of `withMountedCache`. */
export interface ContainerWithMountedCacheOpts {
  /** What seeds the volume when it is empty. */
  source?: Directory
  /** Who may use it at the same time. */
  sharing?: CacheSharingMode
  /** Owner as `user[:group]`, by name or number; names are looked up in the target's own /etc/passwd and /etc/group. */
  owner?: string
  /** Give it to the container's user. */
  inheritOwner?: boolean
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
}

/** Options of `withMountedDirectory`. */
export interface ContainerWithMountedDirectoryOpts {
  /** Owner as `user[:group]`, by name or number; names are looked up in the target's own /etc/passwd and /etc/group. */
  owner?: string
  /** Give it to the container's user. */
  inheritOwner?: boolean
  /** Let commands only read it. */
  readOnly?: boolean
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
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

/** Options of `withMountedSecret`. */
export interface ContainerWithMountedSecretOpts {
  /** Owner as `user[:group]`, by name or number; names are looked up in the target's own /etc/passwd and /etc/group. */
  owner?: string
  /** Give it to the container's user. */
  inheritOwner?: boolean
  /** Permission bits, such as 256 for 0400. */
  mode?: number
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

/** Options of `withMountedVolume`. */
export interface ContainerWithMountedVolumeOpts {
  /** The value `readOnly`. */
  readOnly?: boolean
  /** The value `expand`. */
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

/** Options of `withUnixSocket`. */
export interface ContainerWithUnixSocketOpts {
  /** Owner as `user[:group]`, by name or number; names are looked up in the target's own /etc/passwd and /etc/group. */
  owner?: string
  /** Give it to the container's user. */
  inheritOwner?: boolean
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
}

/** Options of `withWorkdir`. */
export interface ContainerWithWorkdirOpts {
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
}

/** Options of `withoutDirectory`. */
export interface ContainerWithoutDirectoryOpts {
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
}

/** Options of `withoutEntrypoint`. */
export interface ContainerWithoutEntrypointOpts {
  /** Leave the default arguments as they are. */
  keepDefaultArgs?: boolean
}

/** Options of `withoutExposedPort`. */
export interface ContainerWithoutExposedPortOpts {
  /** Transport. */
  protocol?: NetworkProtocol
}

/** Options of `withoutFile`. */
export interface ContainerWithoutFileOpts {
  /** Replace `$VAR` and `${VAR}` by the container's variables. */
  expand?: boolean
}

/** Options of `withoutFiles`. */
export interface ContainerWithoutFilesOpts {
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

/** Names a Container in requests. */
export type ContainerID = string

/** A file system with the configuration that commands run with. */
export class Container extends BaseObject {
  static override readonly apiName: string = "Container"

  /** What names this object in requests. */
  id(): Promise<ContainerID> {
    return this._id()
  }

  /** The field `asService`. */
  asService(opts?: ContainerAsServiceOpts): Service {
    return new Service(this, "asService", { ...opts })
  }

  /** The field `asTarball`. */
  asTarball(opts?: ContainerAsTarballOpts): File {
    return new File(this, "asTarball", { ...opts }, ["forcedCompression", "mediaTypes"])
  }

  /** What the last command wrote to both, in order. */
  combinedOutput(): Promise<string> {
    return this._value("combinedOutput")
  }

  /** The default arguments. */
  defaultArgs(): Promise<string[]> {
    return this._value("defaultArgs")
  }

  /**
   * A directory below; in a container, mounted ones included.
   *
   * @param path Path.
   */
  directory(path: string, opts?: ContainerDirectoryOpts): Directory {
    return new Directory(this, "directory", { path, ...opts })
  }

  /** The field `dockerHealthcheck`. */
  dockerHealthcheck(): HealthcheckConfig {
    return new HealthcheckConfig(this, "dockerHealthcheck")
  }

  /** The entrypoint. */
  entrypoint(): Promise<string[]> {
    return this._value("entrypoint")
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
   * Whether something is at a path.
   *
   * @param path Path.
   */
  exists(path: string, opts?: ContainerExistsOpts): Promise<boolean> {
    return this._value("exists", { path, ...opts }, ["expectedType"])
  }

  /** The last command's exit code. */
  exitCode(): Promise<number> {
    return this._value("exitCode")
  }

  /** The field `experimentalWithAllGPUs`. */
  experimentalWithAllGPUs(): Container {
    return new Container(this, "experimentalWithAllGPUs")
  }

  /** The field `experimentalWithGPU`. */
  experimentalWithGPU(devices: string[]): Container {
    return new Container(this, "experimentalWithGPU", { devices })
  }

  /** The field `export`. */
  export(path: string, opts?: ContainerExportOpts): Promise<string> {
    return this._value("export", { path, ...opts }, ["forcedCompression", "mediaTypes"])
  }

  /** The field `exportImage`. */
  exportImage(name: string, opts?: ContainerExportImageOpts): Promise<void> {
    return this._value("exportImage", { name, ...opts }, ["forcedCompression", "mediaTypes"])
  }

  /** All declared ports. */
  exposedPorts(): Promise<Port[]> {
    return this._objects(Port, "exposedPorts")
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

  /** The field `import`. */
  import_(source: File, opts?: ContainerImportOpts): Container {
    return new Container(this, "import", { source, ...opts })
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

  /** The field `layer`. */
  layer(id: string, opts?: ContainerLayerOpts): File {
    return new File(this, "layer", { id, ...opts }, ["forcedCompression", "mediaTypes"])
  }

  /** The field `manifest`. */
  manifest(opts?: ContainerManifestOpts): File {
    return new File(this, "manifest", { ...opts }, ["forcedCompression", "mediaTypes"])
  }

  /** The paths that something is mounted at. */
  mounts(): Promise<string[]> {
    return this._value("mounts")
  }

  /** The platform of its image and commands. */
  platform(): Promise<Platform> {
    return this._value("platform")
  }

  /** The field `publish`. */
  publish(address: string, opts?: ContainerPublishOpts): Promise<string> {
    return this._value("publish", { address, ...opts }, ["forcedCompression", "mediaTypes", "protocol"])
  }

  /** The root file system, without mounts. */
  rootfs(): Directory {
    return new Directory(this, "rootfs")
  }

  /** The field `stat`. */
  stat(path: string, opts?: ContainerStatOpts): Stat {
    return new Stat(this, "stat", { path, ...opts })
  }

  /** What the last command wrote to standard error. */
  stderr(): Promise<string> {
    return this._value("stderr")
  }

  /** What the last command wrote to standard output. */
  stdout(): Promise<string> {
    return this._value("stdout")
  }

  /** Makes everything so far happen now. */
  sync(): Promise<Container> {
    return this._loaded(Container, "sync")
  }

  /** The field `terminal`. */
  terminal(opts?: ContainerTerminalOpts): Container {
    return new Container(this, "terminal", { ...opts })
  }

  /** The field `up`. */
  up(opts?: ContainerUpOpts): Promise<void> {
    return this._value("up", { ...opts }, ["protocol"])
  }

  /** The user that commands run as; empty means root. */
  user(): Promise<string> {
    return this._value("user")
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
   * Sets the arguments of a command that is given none.
   *
   * @param args Arguments.
   */
  withDefaultArgs(args: string[]): Container {
    return new Container(this, "withDefaultArgs", { args })
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
   * Merges a directory into this one: files are replaced, directories merged.
   *
   * @param path Destination.
   * @param source The directory.
   */
  withDirectory(path: string, source: Directory, opts?: ContainerWithDirectoryOpts): Container {
    return new Container(this, "withDirectory", { path, source, ...opts })
  }

  /** The field `withDockerHealthcheck`. */
  withDockerHealthcheck(args: string[], opts?: ContainerWithDockerHealthcheckOpts): Container {
    return new Container(this, "withDockerHealthcheck", { args, ...opts })
  }

  /**
   * Sets the entrypoint and, unless kept, removes the default arguments.
   *
   * @param args Arguments.
   */
  withEntrypoint(args: string[], opts?: ContainerWithEntrypointOpts): Container {
    return new Container(this, "withEntrypoint", { args, ...opts })
  }

  /** The field `withEnvFileVariables`. */
  withEnvFileVariables(source: EnvFile): Container {
    return new Container(this, "withEnvFileVariables", { source })
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

  /** The field `withError`. */
  withError(err: string): Container {
    return new Container(this, "withError", { err })
  }

  /**
   * The container after a command. Nothing runs until a result is asked for.
   *
   * @param args The command; no shell is involved. Empty runs the default arguments.
   */
  withExec(args: string[], opts?: ContainerWithExecOpts): Container {
    return new Container(this, "withExec", { args, ...opts }, ["expect"])
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
   * Sets a label.
   *
   * @param name Name.
   * @param value Value.
   */
  withLabel(name: string, value: string): Container {
    return new Container(this, "withLabel", { name, value })
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
   * Mounts a secret as a file in memory.
   *
   * @param path Mount point.
   * @param source The secret.
   */
  withMountedSecret(path: string, source: Secret, opts?: ContainerWithMountedSecretOpts): Container {
    return new Container(this, "withMountedSecret", { path, source, ...opts })
  }

  /**
   * Mounts memory that is dropped after each command.
   *
   * @param path Mount point.
   */
  withMountedTemp(path: string, opts?: ContainerWithMountedTempOpts): Container {
    return new Container(this, "withMountedTemp", { path, ...opts })
  }

  /** The field `withMountedVolume`. */
  withMountedVolume(path: string, volume: Volume, opts?: ContainerWithMountedVolumeOpts): Container {
    return new Container(this, "withMountedVolume", { path, volume, ...opts })
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
   * Replaces the root file system and keeps the configuration.
   *
   * @param directory The new root.
   */
  withRootfs(directory: Directory): Container {
    return new Container(this, "withRootfs", { directory })
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

  /** The field `withServiceBinding`. */
  withServiceBinding(alias: string, service: Service): Container {
    return new Container(this, "withServiceBinding", { alias, service })
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
   * Mounts a Unix socket of the host.
   *
   * @param path Mount point.
   * @param source The socket.
   */
  withUnixSocket(path: string, source: Socket, opts?: ContainerWithUnixSocketOpts): Container {
    return new Container(this, "withUnixSocket", { path, source, ...opts })
  }

  /**
   * Sets the user that commands run as.
   *
   * @param name `user[:group]`, by name or number.
   */
  withUser(name: string): Container {
    return new Container(this, "withUser", { name })
  }

  /** The field `withVolatileVariable`. */
  withVolatileVariable(name: string, value: string): Container {
    return new Container(this, "withVolatileVariable", { name, value })
  }

  /**
   * Sets the working directory. It is made when a command needs it.
   *
   * @param path Path; relative to the working directory so far.
   */
  withWorkdir(path: string, opts?: ContainerWithWorkdirOpts): Container {
    return new Container(this, "withWorkdir", { path, ...opts })
  }

  /**
   * Removes an annotation.
   *
   * @param name Name.
   */
  withoutAnnotation(name: string): Container {
    return new Container(this, "withoutAnnotation", { name })
  }

  /** Removes the default arguments. */
  withoutDefaultArgs(): Container {
    return new Container(this, "withoutDefaultArgs")
  }

  /**
   * Removes a directory with all that is in it; nothing there is fine.
   *
   * @param path Path or pattern.
   */
  withoutDirectory(path: string, opts?: ContainerWithoutDirectoryOpts): Container {
    return new Container(this, "withoutDirectory", { path, ...opts })
  }

  /** The field `withoutDockerHealthcheck`. */
  withoutDockerHealthcheck(): Container {
    return new Container(this, "withoutDockerHealthcheck")
  }

  /** Removes the entrypoint and, unless kept, the default arguments. */
  withoutEntrypoint(opts?: ContainerWithoutEntrypointOpts): Container {
    return new Container(this, "withoutEntrypoint", { ...opts })
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
   * Takes a declared port back.
   *
   * @param port Number.
   */
  withoutExposedPort(port: number, opts?: ContainerWithoutExposedPortOpts): Container {
    return new Container(this, "withoutExposedPort", { port, ...opts }, ["protocol"])
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
   * Removes files; nothing there is fine.
   *
   * @param paths Paths or patterns.
   */
  withoutFiles(paths: string[], opts?: ContainerWithoutFilesOpts): Container {
    return new Container(this, "withoutFiles", { paths, ...opts })
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
   * Takes away what is mounted at a path.
   *
   * @param path Mount point.
   */
  withoutMount(path: string, opts?: ContainerWithoutMountOpts): Container {
    return new Container(this, "withoutMount", { path, ...opts })
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
   * Removes a secret variable.
   *
   * @param name Name.
   */
  withoutSecretVariable(name: string): Container {
    return new Container(this, "withoutSecretVariable", { name })
  }

  /**
   * Takes away a socket mounted at a path.
   *
   * @param path Mount point.
   */
  withoutUnixSocket(path: string, opts?: ContainerWithoutUnixSocketOpts): Container {
    return new Container(this, "withoutUnixSocket", { path, ...opts })
  }

  /** Runs commands as root again. */
  withoutUser(): Container {
    return new Container(this, "withoutUser")
  }

  /** The field `withoutVolatileVariable`. */
  withoutVolatileVariable(name: string): Container {
    return new Container(this, "withoutVolatileVariable", { name })
  }

  /** Sets the working directory back to `/`. */
  withoutWorkdir(): Container {
    return new Container(this, "withoutWorkdir")
  }

  /** The working directory. */
  workdir(): Promise<string> {
    return this._value("workdir")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Container) => T): T {
    return work(this)
  }
}

/** Options of `generators`. */
export interface CurrentModuleGeneratorsOpts {
  /** The value `include`. */
  include?: string[]
}

/** Options of `workdir`. */
export interface CurrentModuleWorkdirOpts {
  /** The value `exclude`. */
  exclude?: string[]
  /** The value `include`. */
  include?: string[]
  /** The value `gitignore`. */
  gitignore?: boolean
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

  /** The field `asSDK`. */
  asSDK(workspace: Workspace): CurrentModuleAsSDK {
    return new CurrentModuleAsSDK(this, "asSDK", { workspace })
  }

  /** The field `dependencies`. */
  dependencies(): Promise<Module_[]> {
    return this._objects(Module_, "dependencies")
  }

  /** The field `generatedContextDirectory`. */
  generatedContextDirectory(): Directory {
    return new Directory(this, "generatedContextDirectory")
  }

  /** The field `generators`. */
  generators(opts?: CurrentModuleGeneratorsOpts): GeneratorGroup {
    return new GeneratorGroup(this, "generators", { ...opts })
  }

  /** Its name. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** Its sources. */
  source(): Directory {
    return new Directory(this, "source")
  }

  /** The field `workdir`. */
  workdir(path: string, opts?: CurrentModuleWorkdirOpts): Directory {
    return new Directory(this, "workdir", { path, ...opts })
  }

  /** The field `workdirFile`. */
  workdirFile(path: string): File {
    return new File(this, "workdirFile", { path })
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: CurrentModule) => T): T {
    return work(this)
  }
}

/** Names a CurrentModuleAsSDK in requests. */
export type CurrentModuleAsSDKID = string

/** An object of the API. */
export class CurrentModuleAsSDK extends BaseObject {
  static override readonly apiName: string = "CurrentModuleAsSDK"

  /** What names this object in requests. */
  id(): Promise<CurrentModuleAsSDKID> {
    return this._id()
  }

  /** The field `clients`. */
  clients(): Promise<CurrentModuleAsSDKClient[]> {
    return this._objects(CurrentModuleAsSDKClient, "clients")
  }

  /** The field `modules`. */
  modules(): Promise<CurrentModuleAsSDKModule[]> {
    return this._objects(CurrentModuleAsSDKModule, "modules")
  }

  /** The field `name`. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: CurrentModuleAsSDK) => T): T {
    return work(this)
  }
}

/** Names a CurrentModuleAsSDKClient in requests. */
export type CurrentModuleAsSDKClientID = string

/** An object of the API. */
export class CurrentModuleAsSDKClient extends BaseObject {
  static override readonly apiName: string = "CurrentModuleAsSDKClient"

  /** What names this object in requests. */
  id(): Promise<CurrentModuleAsSDKClientID> {
    return this._id()
  }

  /** The field `module`. */
  module(): Promise<string> {
    return this._value("module")
  }

  /** The field `moduleSource`. */
  moduleSource(): ModuleSource {
    return new ModuleSource(this, "moduleSource")
  }

  /** The field `path`. */
  path(): Promise<string> {
    return this._value("path")
  }

  /** The field `pin`. */
  pin(): Promise<string> {
    return this._value("pin")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: CurrentModuleAsSDKClient) => T): T {
    return work(this)
  }
}

/** Names a CurrentModuleAsSDKModule in requests. */
export type CurrentModuleAsSDKModuleID = string

/** An object of the API. */
export class CurrentModuleAsSDKModule extends BaseObject {
  static override readonly apiName: string = "CurrentModuleAsSDKModule"

  /** What names this object in requests. */
  id(): Promise<CurrentModuleAsSDKModuleID> {
    return this._id()
  }

  /** The field `path`. */
  path(): Promise<string> {
    return this._value("path")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: CurrentModuleAsSDKModule) => T): T {
    return work(this)
  }
}

/** Names a DiffStat in requests. */
export type DiffStatID = string

/** An object of the API. */
export class DiffStat extends BaseObject {
  static override readonly apiName: string = "DiffStat"

  /** What names this object in requests. */
  id(): Promise<DiffStatID> {
    return this._id()
  }

  /** The field `addedLines`. */
  addedLines(): Promise<number> {
    return this._value("addedLines")
  }

  /** The field `kind`. */
  kind(): Promise<DiffStatKind> {
    return this._value("kind")
  }

  /** The field `oldPath`. */
  oldPath(): Promise<string> {
    return this._value("oldPath")
  }

  /** The field `path`. */
  path(): Promise<string> {
    return this._value("path")
  }

  /** The field `removedLines`. */
  removedLines(): Promise<number> {
    return this._value("removedLines")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: DiffStat) => T): T {
    return work(this)
  }
}

/** One of a few values. */
export enum DiffStatKind {
  /** The value `ADDED`. */
  Added = "ADDED",
  /** The value `MODIFIED`. */
  Modified = "MODIFIED",
  /** The value `REMOVED`. */
  Removed = "REMOVED",
  /** The value `RENAMED`. */
  Renamed = "RENAMED",
}

/** Options of `asModule`. */
export interface DirectoryAsModuleOpts {
  /** The value `sourceRootPath`. */
  sourceRootPath?: string
}

/** Options of `asModuleSource`. */
export interface DirectoryAsModuleSourceOpts {
  /** The value `sourceRootPath`. */
  sourceRootPath?: string
}

/** Options of `asWorkspace`. */
export interface DirectoryAsWorkspaceOpts {
  /** The value `cwd`. */
  cwd?: string
}

/** Options of `dockerBuild`. */
export interface DirectoryDockerBuildOpts {
  /** The value `dockerfile`. */
  dockerfile?: string
  /** The value `platform`. */
  platform?: Platform
  /** The value `buildArgs`. */
  buildArgs?: BuildArg[]
  /** The value `target`. */
  target?: string
  /** The value `secrets`. */
  secrets?: Secret[]
  /** The value `noInit`. */
  noInit?: boolean
  /** The value `ssh`. */
  ssh?: Socket
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

/** Options of `filter`. */
export interface DirectoryFilterOpts {
  /** Patterns of what to leave out. */
  exclude?: string[]
  /** Patterns of what to take; everything by default. */
  include?: string[]
  /** Leave out what `.gitignore` files name. */
  gitignore?: boolean
}

/** Options of `search`. */
export interface DirectorySearchOpts {
  /** The value `paths`. */
  paths?: string[]
  /** The value `globs`. */
  globs?: string[]
  /** The value `literal`. */
  literal?: boolean
  /** The value `multiline`. */
  multiline?: boolean
  /** The value `dotall`. */
  dotall?: boolean
  /** The value `insensitive`. */
  insensitive?: boolean
  /** The value `skipIgnored`. */
  skipIgnored?: boolean
  /** The value `skipHidden`. */
  skipHidden?: boolean
  /** The value `filesOnly`. */
  filesOnly?: boolean
  /** The value `limit`. */
  limit?: number
}

/** Options of `stat`. */
export interface DirectoryStatOpts {
  /** The value `doNotFollowSymlinks`. */
  doNotFollowSymlinks?: boolean
}

/** Options of `terminal`. */
export interface DirectoryTerminalOpts {
  /** The value `container`. */
  container?: Container
  /** The value `cmd`. */
  cmd?: string[]
  /** The value `experimentalPrivilegedNesting`. */
  experimentalPrivilegedNesting?: boolean
  /** The value `insecureRootCapabilities`. */
  insecureRootCapabilities?: boolean
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
}

/** Options of `withNewDirectory`. */
export interface DirectoryWithNewDirectoryOpts {
  /** Permission bits; 493 (0755) by default. */
  permissions?: number
}

/** Options of `withNewFile`. */
export interface DirectoryWithNewFileOpts {
  /** Permission bits, such as 420 for 0644. */
  permissions?: number
}

/** Options of `withPatch`. */
export interface DirectoryWithPatchOpts {
  /** The value `onConflict`. */
  onConflict?: PatchConflict
}

/** Options of `withPatchFile`. */
export interface DirectoryWithPatchFileOpts {
  /** The value `onConflict`. */
  onConflict?: PatchConflict
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

  /** The field `asGit`. */
  asGit(): GitRepository {
    return new GitRepository(this, "asGit")
  }

  /** The field `asModule`. */
  asModule(opts?: DirectoryAsModuleOpts): Module_ {
    return new Module_(this, "asModule", { ...opts })
  }

  /** The field `asModuleSource`. */
  asModuleSource(opts?: DirectoryAsModuleSourceOpts): ModuleSource {
    return new ModuleSource(this, "asModuleSource", { ...opts })
  }

  /** The field `asWorkspace`. */
  asWorkspace(opts?: DirectoryAsWorkspaceOpts): Workspace {
    return new Workspace(this, "asWorkspace", { ...opts })
  }

  /** The field `changes`. */
  changes(from: Directory): Changeset {
    return new Changeset(this, "changes", { from })
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

  /**
   * The other directory without what is the same in this one.
   *
   * @param other The other directory.
   */
  diff(other: Directory): Directory {
    return new Directory(this, "diff", { other })
  }

  /** A hash of all that is in the directory, modification times apart. */
  digest(): Promise<string> {
    return this._value("digest")
  }

  /**
   * A directory below; in a container, mounted ones included.
   *
   * @param path Path.
   */
  directory(path: string): Directory {
    return new Directory(this, "directory", { path })
  }

  /** The field `dockerBuild`. */
  dockerBuild(opts?: DirectoryDockerBuildOpts): Container {
    return new Container(this, "dockerBuild", { ...opts })
  }

  /** The names in the directory, sorted; those of directories end in `/`. */
  entries(opts?: DirectoryEntriesOpts): Promise<string[]> {
    return this._value("entries", { ...opts })
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

  /**
   * A file below; in a container, mounted ones included.
   *
   * @param path Path.
   */
  file(path: string): File {
    return new File(this, "file", { path })
  }

  /** The part of the directory that patterns let through. */
  filter(opts?: DirectoryFilterOpts): Directory {
    return new Directory(this, "filter", { ...opts })
  }

  /** The field `findUp`. */
  findUp(name: string, start: string): Promise<string> {
    return this._value("findUp", { name, start })
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

  /** The field `search`. */
  search(pattern: string, opts?: DirectorySearchOpts): Promise<SearchResult[]> {
    return this._objects(SearchResult, "search", { pattern, ...opts })
  }

  /** The field `stat`. */
  stat(path: string, opts?: DirectoryStatOpts): Stat {
    return new Stat(this, "stat", { path, ...opts })
  }

  /** Makes everything so far happen now. */
  sync(): Promise<Directory> {
    return this._loaded(Directory, "sync")
  }

  /** The field `terminal`. */
  terminal(opts?: DirectoryTerminalOpts): Directory {
    return new Directory(this, "terminal", { ...opts })
  }

  /** The field `withChanges`. */
  withChanges(changes: Changeset): Directory {
    return new Directory(this, "withChanges", { changes })
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

  /** The field `withError`. */
  withError(err: string): Directory {
    return new Directory(this, "withError", { err })
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
   * Makes a directory with its parents.
   *
   * @param path Path.
   */
  withNewDirectory(path: string, opts?: DirectoryWithNewDirectoryOpts): Directory {
    return new Directory(this, "withNewDirectory", { path, ...opts })
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

  /** The field `withPatch`. */
  withPatch(patch: string, opts?: DirectoryWithPatchOpts): Directory {
    return new Directory(this, "withPatch", { patch, ...opts }, ["onConflict"])
  }

  /** The field `withPatchFile`. */
  withPatchFile(patch: File, opts?: DirectoryWithPatchFileOpts): Directory {
    return new Directory(this, "withPatchFile", { patch, ...opts }, ["onConflict"])
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
   * Sets all modification times.
   *
   * @param timestamp Seconds since 1970.
   */
  withTimestamps(timestamp: number): Directory {
    return new Directory(this, "withTimestamps", { timestamp })
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
   * Removes a file; nothing there is fine.
   *
   * @param path Path or pattern.
   */
  withoutFile(path: string): Directory {
    return new Directory(this, "withoutFile", { path })
  }

  /**
   * Removes files; nothing there is fine.
   *
   * @param paths Paths or patterns.
   */
  withoutFiles(paths: string[]): Directory {
    return new Directory(this, "withoutFiles", { paths })
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Directory) => T): T {
    return work(this)
  }
}

/** Names a Engine in requests. */
export type EngineID = string

/** An object of the API. */
export class Engine extends BaseObject {
  static override readonly apiName: string = "Engine"

  /** What names this object in requests. */
  id(): Promise<EngineID> {
    return this._id()
  }

  /** The field `clients`. */
  clients(): Promise<string[]> {
    return this._value("clients")
  }

  /** The field `localCache`. */
  localCache(): EngineCache {
    return new EngineCache(this, "localCache")
  }

  /** The field `name`. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Engine) => T): T {
    return work(this)
  }
}

/** Options of `entrySet`. */
export interface EngineCacheEntrySetOpts {
  /** The value `key`. */
  key?: string
}

/** Options of `prune`. */
export interface EngineCachePruneOpts {
  /** The value `useDefaultPolicy`. */
  useDefaultPolicy?: boolean
  /** The value `maxUsedSpace`. */
  maxUsedSpace?: string
  /** The value `reservedSpace`. */
  reservedSpace?: string
  /** The value `minFreeSpace`. */
  minFreeSpace?: string
  /** The value `targetSpace`. */
  targetSpace?: string
  /** The value `maxEstimatedBytes`. */
  maxEstimatedBytes?: number
  /** The value `targetEstimatedBytes`. */
  targetEstimatedBytes?: number
}

/** Names a EngineCache in requests. */
export type EngineCacheID = string

/** An object of the API. */
export class EngineCache extends BaseObject {
  static override readonly apiName: string = "EngineCache"

  /** What names this object in requests. */
  id(): Promise<EngineCacheID> {
    return this._id()
  }

  /** The field `entrySet`. */
  entrySet(opts?: EngineCacheEntrySetOpts): EngineCacheEntrySet {
    return new EngineCacheEntrySet(this, "entrySet", { ...opts })
  }

  /** The field `maxUsedSpace`. */
  maxUsedSpace(): Promise<number> {
    return this._value("maxUsedSpace")
  }

  /** The field `minFreeSpace`. */
  minFreeSpace(): Promise<number> {
    return this._value("minFreeSpace")
  }

  /** The field `prune`. */
  prune(opts?: EngineCachePruneOpts): Promise<void> {
    return this._value("prune", { ...opts })
  }

  /** The field `reservedSpace`. */
  reservedSpace(): Promise<number> {
    return this._value("reservedSpace")
  }

  /** The field `targetSpace`. */
  targetSpace(): Promise<number> {
    return this._value("targetSpace")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: EngineCache) => T): T {
    return work(this)
  }
}

/** Names a EngineCacheEntry in requests. */
export type EngineCacheEntryID = string

/** An object of the API. */
export class EngineCacheEntry extends BaseObject {
  static override readonly apiName: string = "EngineCacheEntry"

  /** What names this object in requests. */
  id(): Promise<EngineCacheEntryID> {
    return this._id()
  }

  /** The field `activelyUsed`. */
  activelyUsed(): Promise<boolean> {
    return this._value("activelyUsed")
  }

  /** The field `createdTimeUnixNano`. */
  createdTimeUnixNano(): Promise<number> {
    return this._value("createdTimeUnixNano")
  }

  /** The field `dagqlCall`. */
  dagqlCall(): Promise<string> {
    return this._value("dagqlCall")
  }

  /** The field `description`. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** The field `diskSpaceBytes`. */
  diskSpaceBytes(): Promise<number> {
    return this._value("diskSpaceBytes")
  }

  /** The field `mostRecentUseTimeUnixNano`. */
  mostRecentUseTimeUnixNano(): Promise<number> {
    return this._value("mostRecentUseTimeUnixNano")
  }

  /** The field `recordType`. */
  recordType(): Promise<string> {
    return this._value("recordType")
  }

  /** The field `recordTypes`. */
  recordTypes(): Promise<string[]> {
    return this._value("recordTypes")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: EngineCacheEntry) => T): T {
    return work(this)
  }
}

/** Names a EngineCacheEntrySet in requests. */
export type EngineCacheEntrySetID = string

/** An object of the API. */
export class EngineCacheEntrySet extends BaseObject {
  static override readonly apiName: string = "EngineCacheEntrySet"

  /** What names this object in requests. */
  id(): Promise<EngineCacheEntrySetID> {
    return this._id()
  }

  /** The field `diskSpaceBytes`. */
  diskSpaceBytes(): Promise<number> {
    return this._value("diskSpaceBytes")
  }

  /** The field `entries`. */
  entries(): Promise<EngineCacheEntry[]> {
    return this._objects(EngineCacheEntry, "entries")
  }

  /** The field `entryCount`. */
  entryCount(): Promise<number> {
    return this._value("entryCount")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: EngineCacheEntrySet) => T): T {
    return work(this)
  }
}

/** Names a EnumTypeDef in requests. */
export type EnumTypeDefID = string

/** An object of the API. */
export class EnumTypeDef extends BaseObject {
  static override readonly apiName: string = "EnumTypeDef"

  /** What names this object in requests. */
  id(): Promise<EnumTypeDefID> {
    return this._id()
  }

  /** The field `description`. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** The field `members`. */
  members(): Promise<EnumValueTypeDef[]> {
    return this._objects(EnumValueTypeDef, "members")
  }

  /** The field `name`. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** The field `sourceMap`. */
  sourceMap(): SourceMap {
    return new SourceMap(this, "sourceMap")
  }

  /** The field `sourceModuleName`. */
  sourceModuleName(): Promise<string> {
    return this._value("sourceModuleName")
  }

  /**
   * The field `values`.
   *
   * @deprecated
   */
  values(): Promise<EnumValueTypeDef[]> {
    return this._objects(EnumValueTypeDef, "values")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: EnumTypeDef) => T): T {
    return work(this)
  }
}

/** Names a EnumValueTypeDef in requests. */
export type EnumValueTypeDefID = string

/** An object of the API. */
export class EnumValueTypeDef extends BaseObject {
  static override readonly apiName: string = "EnumValueTypeDef"

  /** What names this object in requests. */
  id(): Promise<EnumValueTypeDefID> {
    return this._id()
  }

  /** The field `deprecated`. */
  deprecated(): Promise<string> {
    return this._value("deprecated")
  }

  /** The field `description`. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** The field `name`. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** The field `sourceMap`. */
  sourceMap(): SourceMap {
    return new SourceMap(this, "sourceMap")
  }

  /** The field `value`. */
  value(): Promise<string> {
    return this._value("value")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: EnumValueTypeDef) => T): T {
    return work(this)
  }
}

/** Options of `get`. */
export interface EnvFileGetOpts {
  /** The value `raw`. */
  raw?: boolean
}

/** Options of `variables`. */
export interface EnvFileVariablesOpts {
  /** The value `raw`. */
  raw?: boolean
}

/** Names a EnvFile in requests. */
export type EnvFileID = string

/** An object of the API. */
export class EnvFile extends BaseObject {
  static override readonly apiName: string = "EnvFile"

  /** What names this object in requests. */
  id(): Promise<EnvFileID> {
    return this._id()
  }

  /** The field `asFile`. */
  asFile(): File {
    return new File(this, "asFile")
  }

  /** The field `exists`. */
  exists(name: string): Promise<boolean> {
    return this._value("exists", { name })
  }

  /** The field `get`. */
  get(name: string, opts?: EnvFileGetOpts): Promise<string> {
    return this._value("get", { name, ...opts })
  }

  /** The field `namespace`. */
  namespace(prefix: string): EnvFile {
    return new EnvFile(this, "namespace", { prefix })
  }

  /** The field `variables`. */
  variables(opts?: EnvFileVariablesOpts): Promise<EnvVariable[]> {
    return this._objects(EnvVariable, "variables", { ...opts })
  }

  /** The field `withVariable`. */
  withVariable(name: string, value: string): EnvFile {
    return new EnvFile(this, "withVariable", { name, value })
  }

  /** The field `withoutVariable`. */
  withoutVariable(name: string): EnvFile {
    return new EnvFile(this, "withoutVariable", { name })
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

/** An object of the API. */
export class Exportable extends BaseObject {
  static override readonly apiName: string = "Exportable"

  /** What names this object in requests. */
  id(): Promise<ExportableID> {
    return this._id()
  }

  /** The field `export`. */
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

/** An object of the API. */
export class FieldTypeDef extends BaseObject {
  static override readonly apiName: string = "FieldTypeDef"

  /** What names this object in requests. */
  id(): Promise<FieldTypeDefID> {
    return this._id()
  }

  /** The field `deprecated`. */
  deprecated(): Promise<string> {
    return this._value("deprecated")
  }

  /** The field `description`. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** The field `name`. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** The field `sourceMap`. */
  sourceMap(): SourceMap {
    return new SourceMap(this, "sourceMap")
  }

  /** The field `typeDef`. */
  typeDef(): TypeDef {
    return new TypeDef(this, "typeDef")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: FieldTypeDef) => T): T {
    return work(this)
  }
}

/** Options of `asEnvFile`. */
export interface FileAsEnvFileOpts {
  /** The value `expand`. */
  expand?: boolean
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

/** Options of `search`. */
export interface FileSearchOpts {
  /** The value `literal`. */
  literal?: boolean
  /** The value `multiline`. */
  multiline?: boolean
  /** The value `dotall`. */
  dotall?: boolean
  /** The value `insensitive`. */
  insensitive?: boolean
  /** The value `skipIgnored`. */
  skipIgnored?: boolean
  /** The value `skipHidden`. */
  skipHidden?: boolean
  /** The value `filesOnly`. */
  filesOnly?: boolean
  /** The value `limit`. */
  limit?: number
  /** The value `paths`. */
  paths?: string[]
  /** The value `globs`. */
  globs?: string[]
}

/** Options of `withReplaced`. */
export interface FileWithReplacedOpts {
  /** The value `all`. */
  all?: boolean
  /** The value `firstFrom`. */
  firstFrom?: number
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

  /** The field `asEnvFile`. */
  asEnvFile(opts?: FileAsEnvFileOpts): EnvFile {
    return new EnvFile(this, "asEnvFile", { ...opts })
  }

  /** The field `asJSON`. */
  asJSON(): JSONValue {
    return new JSONValue(this, "asJSON")
  }

  /**
   * Changes the owner.
   *
   * @param owner `uid[:gid]`, by number.
   */
  chown(owner: string): File {
    return new File(this, "chown", { owner })
  }

  /** The text of the file, or some of its lines. */
  contents(opts?: FileContentsOpts): Promise<string> {
    return this._value("contents", { ...opts })
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

  /** Its name. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** The field `search`. */
  search(pattern: string, opts?: FileSearchOpts): Promise<SearchResult[]> {
    return this._objects(SearchResult, "search", { pattern, ...opts })
  }

  /** Its size in bytes. */
  size(): Promise<number> {
    return this._value("size")
  }

  /** The field `stat`. */
  stat(): Stat {
    return new Stat(this, "stat")
  }

  /** Makes everything so far happen now. */
  sync(): Promise<File> {
    return this._loaded(File, "sync")
  }

  /**
   * The file under another name.
   *
   * @param name Name.
   */
  withName(name: string): File {
    return new File(this, "withName", { name })
  }

  /** The field `withReplaced`. */
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

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: File) => T): T {
    return work(this)
  }
}

/** One of a few values. */
export enum FileType {
  /** The value `UNKNOWN`. */
  Unknown = "UNKNOWN",
  /** The value `REGULAR`. */
  Regular = "REGULAR",
  /** The value `DIRECTORY`. */
  Directory = "DIRECTORY",
  /** The value `SYMLINK`. */
  Symlink = "SYMLINK",
  /** The value `REGULAR_TYPE`. */
  RegularType = "REGULAR_TYPE",
  /** The value `DIRECTORY_TYPE`. */
  DirectoryType = "DIRECTORY_TYPE",
  /** The value `SYMLINK_TYPE`. */
  SymlinkType = "SYMLINK_TYPE",
}

/** Options of `withArg`. */
export interface Function_WithArgOpts {
  /** The value `description`. */
  description?: string
  /** The value `defaultValue`. */
  defaultValue?: JSON
  /** The value `defaultPath`. */
  defaultPath?: string
  /** The value `ignore`. */
  ignore?: string[]
  /** The value `sourceMap`. */
  sourceMap?: SourceMap
  /** The value `deprecated`. */
  deprecated?: string
  /** The value `defaultAddress`. */
  defaultAddress?: string
}

/** Options of `withCachePolicy`. */
export interface Function_WithCachePolicyOpts {
  /** The value `timeToLive`. */
  timeToLive?: string
}

/** Options of `withDeprecated`. */
export interface Function_WithDeprecatedOpts {
  /** The value `reason`. */
  reason?: string
}

/** Names a Function in requests. */
export type FunctionID = string

/** An object of the API. */
export class Function_ extends BaseObject {
  static override readonly apiName: string = "Function"

  /** What names this object in requests. */
  id(): Promise<FunctionID> {
    return this._id()
  }

  /** The field `args`. */
  args(): Promise<FunctionArg[]> {
    return this._objects(FunctionArg, "args")
  }

  /** The field `deprecated`. */
  deprecated(): Promise<string> {
    return this._value("deprecated")
  }

  /** The field `description`. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** The field `name`. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** The field `returnType`. */
  returnType(): TypeDef {
    return new TypeDef(this, "returnType")
  }

  /** The field `sourceMap`. */
  sourceMap(): SourceMap {
    return new SourceMap(this, "sourceMap")
  }

  /** The field `sourceModuleName`. */
  sourceModuleName(): Promise<string> {
    return this._value("sourceModuleName")
  }

  /** The field `withAgent`. */
  withAgent(): Function_ {
    return new Function_(this, "withAgent")
  }

  /** The field `withArg`. */
  withArg(name: string, typeDef: TypeDef, opts?: Function_WithArgOpts): Function_ {
    return new Function_(this, "withArg", { name, typeDef, ...opts })
  }

  /** The field `withCachePolicy`. */
  withCachePolicy(policy: FunctionCachePolicy, opts?: Function_WithCachePolicyOpts): Function_ {
    return new Function_(this, "withCachePolicy", { policy, ...opts }, ["policy"])
  }

  /** The field `withCheck`. */
  withCheck(): Function_ {
    return new Function_(this, "withCheck")
  }

  /** The field `withDeprecated`. */
  withDeprecated(opts?: Function_WithDeprecatedOpts): Function_ {
    return new Function_(this, "withDeprecated", { ...opts })
  }

  /** The field `withDescription`. */
  withDescription(description: string): Function_ {
    return new Function_(this, "withDescription", { description })
  }

  /** The field `withGenerator`. */
  withGenerator(): Function_ {
    return new Function_(this, "withGenerator")
  }

  /** The field `withSourceMap`. */
  withSourceMap(sourceMap: SourceMap): Function_ {
    return new Function_(this, "withSourceMap", { sourceMap })
  }

  /** The field `withUp`. */
  withUp(): Function_ {
    return new Function_(this, "withUp")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Function_) => T): T {
    return work(this)
  }
}

/** Names a FunctionArg in requests. */
export type FunctionArgID = string

/** An object of the API. */
export class FunctionArg extends BaseObject {
  static override readonly apiName: string = "FunctionArg"

  /** What names this object in requests. */
  id(): Promise<FunctionArgID> {
    return this._id()
  }

  /** The field `defaultAddress`. */
  defaultAddress(): Promise<string> {
    return this._value("defaultAddress")
  }

  /** The field `defaultPath`. */
  defaultPath(): Promise<string> {
    return this._value("defaultPath")
  }

  /** The field `defaultValue`. */
  defaultValue(): Promise<JSON> {
    return this._value("defaultValue")
  }

  /** The field `deprecated`. */
  deprecated(): Promise<string> {
    return this._value("deprecated")
  }

  /** The field `description`. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** The field `ignore`. */
  ignore(): Promise<string[]> {
    return this._value("ignore")
  }

  /** The field `name`. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** The field `sourceMap`. */
  sourceMap(): SourceMap {
    return new SourceMap(this, "sourceMap")
  }

  /** The field `typeDef`. */
  typeDef(): TypeDef {
    return new TypeDef(this, "typeDef")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: FunctionArg) => T): T {
    return work(this)
  }
}

/** One of a few values. */
export enum FunctionCachePolicy {
  /** The value `Default`. */
  Default = "Default",
  /** The value `PerSession`. */
  PerSession = "PerSession",
  /** The value `Never`. */
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

  /** The arguments. */
  inputArgs(): Promise<FunctionCallArgValue[]> {
    return this._objects(FunctionCallArgValue, "inputArgs")
  }

  /** The function; empty for the constructor. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** The object's state. */
  parent(): Promise<JSON> {
    return this._value("parent")
  }

  /** The object's type. */
  parentName(): Promise<string> {
    return this._value("parentName")
  }

  /**
   * Answers the call with an error.
   *
   * @param error The error.
   */
  returnError(error: Error): Promise<void> {
    return this._value("returnError", { error })
  }

  /**
   * Answers the call.
   *
   * @param value The result.
   */
  returnValue(value: JSON): Promise<void> {
    return this._value("returnValue", { value })
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

/** An object of the API. */
export class GeneratedCode extends BaseObject {
  static override readonly apiName: string = "GeneratedCode"

  /** What names this object in requests. */
  id(): Promise<GeneratedCodeID> {
    return this._id()
  }

  /** The field `code`. */
  code(): Directory {
    return new Directory(this, "code")
  }

  /** The field `vcsGeneratedPaths`. */
  vcsGeneratedPaths(): Promise<string[]> {
    return this._value("vcsGeneratedPaths")
  }

  /** The field `vcsIgnoredPaths`. */
  vcsIgnoredPaths(): Promise<string[]> {
    return this._value("vcsIgnoredPaths")
  }

  /** The field `withVCSGeneratedPaths`. */
  withVCSGeneratedPaths(paths: string[]): GeneratedCode {
    return new GeneratedCode(this, "withVCSGeneratedPaths", { paths })
  }

  /** The field `withVCSIgnoredPaths`. */
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

/** An object of the API. */
export class Generator extends BaseObject {
  static override readonly apiName: string = "Generator"

  /** What names this object in requests. */
  id(): Promise<GeneratorID> {
    return this._id()
  }

  /** The field `changes`. */
  changes(): Changeset {
    return new Changeset(this, "changes")
  }

  /** The field `completed`. */
  completed(): Promise<boolean> {
    return this._value("completed")
  }

  /** The field `description`. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** The field `isEmpty`. */
  isEmpty(): Promise<boolean> {
    return this._value("isEmpty")
  }

  /** The field `name`. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** The field `originalModule`. */
  originalModule(): Module_ {
    return new Module_(this, "originalModule")
  }

  /** The field `path`. */
  path(): Promise<string[]> {
    return this._value("path")
  }

  /** The field `run`. */
  run(): Generator {
    return new Generator(this, "run")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Generator) => T): T {
    return work(this)
  }
}

/** Options of `changes`. */
export interface GeneratorGroupChangesOpts {
  /** The value `onConflict`. */
  onConflict?: ChangesetsMergeConflict
}

/** Names a GeneratorGroup in requests. */
export type GeneratorGroupID = string

/** An object of the API. */
export class GeneratorGroup extends BaseObject {
  static override readonly apiName: string = "GeneratorGroup"

  /** What names this object in requests. */
  id(): Promise<GeneratorGroupID> {
    return this._id()
  }

  /** The field `changes`. */
  changes(opts?: GeneratorGroupChangesOpts): Changeset {
    return new Changeset(this, "changes", { ...opts }, ["onConflict"])
  }

  /** The field `isEmpty`. */
  isEmpty(): Promise<boolean> {
    return this._value("isEmpty")
  }

  /** The field `list`. */
  list(): Promise<Generator[]> {
    return this._objects(Generator, "list")
  }

  /** The field `loadFailures`. */
  loadFailures(): Promise<string[]> {
    return this._value("loadFailures")
  }

  /** The field `run`. */
  run(): GeneratorGroup {
    return new GeneratorGroup(this, "run")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: GeneratorGroup) => T): T {
    return work(this)
  }
}

/** Options of `ancestorReleaseTag`. */
export interface GitCommitAncestorReleaseTagOpts {
  /** The value `includePreRelease`. */
  includePreRelease?: boolean
}

/** Options of `releaseTag`. */
export interface GitCommitReleaseTagOpts {
  /** The value `includePreRelease`. */
  includePreRelease?: boolean
}

/** Options of `tree`. */
export interface GitCommitTreeOpts {
  /** The value `discardGitDir`. */
  discardGitDir?: boolean
  /** The value `depth`. */
  depth?: number
  /** The value `includeTags`. */
  includeTags?: boolean
}

/** Names a GitCommit in requests. */
export type GitCommitID = string

/** An object of the API. */
export class GitCommit extends BaseObject {
  static override readonly apiName: string = "GitCommit"

  /** What names this object in requests. */
  id(): Promise<GitCommitID> {
    return this._id()
  }

  /** The field `ancestorReleaseTag`. */
  ancestorReleaseTag(opts?: GitCommitAncestorReleaseTagOpts): GitRef {
    return new GitRef(this, "ancestorReleaseTag", { ...opts })
  }

  /** The field `authorEmail`. */
  authorEmail(): Promise<string> {
    return this._value("authorEmail")
  }

  /** The field `authorName`. */
  authorName(): Promise<string> {
    return this._value("authorName")
  }

  /** The field `authoredDate`. */
  authoredDate(): Promise<string> {
    return this._value("authoredDate")
  }

  /** The field `committedDate`. */
  committedDate(): Promise<string> {
    return this._value("committedDate")
  }

  /** The field `committerEmail`. */
  committerEmail(): Promise<string> {
    return this._value("committerEmail")
  }

  /** The field `committerName`. */
  committerName(): Promise<string> {
    return this._value("committerName")
  }

  /** The field `message`. */
  message(): Promise<string> {
    return this._value("message")
  }

  /** The field `messageBody`. */
  messageBody(): Promise<string> {
    return this._value("messageBody")
  }

  /** The field `messageHeadline`. */
  messageHeadline(): Promise<string> {
    return this._value("messageHeadline")
  }

  /** The field `parentShas`. */
  parentShas(): Promise<string[]> {
    return this._value("parentShas")
  }

  /** The field `releaseTag`. */
  releaseTag(opts?: GitCommitReleaseTagOpts): GitRef {
    return new GitRef(this, "releaseTag", { ...opts })
  }

  /** The field `sha`. */
  sha(): Promise<string> {
    return this._value("sha")
  }

  /** The field `shortSha`. */
  shortSha(): Promise<string> {
    return this._value("shortSha")
  }

  /** The field `tree`. */
  tree(opts?: GitCommitTreeOpts): Directory {
    return new Directory(this, "tree", { ...opts })
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: GitCommit) => T): T {
    return work(this)
  }
}

/** Options of `asWorkspace`. */
export interface GitRefAsWorkspaceOpts {
  /** The value `cwd`. */
  cwd?: string
}

/** Options of `log`. */
export interface GitRefLogOpts {
  /** The value `limit`. */
  limit?: number
  /** The value `paths`. */
  paths?: string[]
  /** The value `base`. */
  base?: GitRef
}

/** Options of `tree`. */
export interface GitRefTreeOpts {
  /** The value `discardGitDir`. */
  discardGitDir?: boolean
  /** The value `depth`. */
  depth?: number
  /** The value `includeTags`. */
  includeTags?: boolean
}

/** Names a GitRef in requests. */
export type GitRefID = string

/** An object of the API. */
export class GitRef extends BaseObject {
  static override readonly apiName: string = "GitRef"

  /** What names this object in requests. */
  id(): Promise<GitRefID> {
    return this._id()
  }

  /** The field `asWorkspace`. */
  asWorkspace(opts?: GitRefAsWorkspaceOpts): Workspace {
    return new Workspace(this, "asWorkspace", { ...opts })
  }

  /**
   * The field `commit`.
   *
   * @deprecated
   */
  commit(): Promise<string> {
    return this._value("commit")
  }

  /** The field `commitSHA`. */
  commitSHA(): Promise<string> {
    return this._value("commitSHA")
  }

  /** The field `commonAncestor`. */
  commonAncestor(other: GitRef): GitRef {
    return new GitRef(this, "commonAncestor", { other })
  }

  /** The field `log`. */
  log(opts?: GitRefLogOpts): Promise<GitCommit[]> {
    return this._objects(GitCommit, "log", { ...opts })
  }

  /** The field `name`. */
  name(): Promise<string> {
    return this._value("name")
  }

  /**
   * The field `ref`.
   *
   * @deprecated
   */
  ref(): Promise<string> {
    return this._value("ref")
  }

  /** The field `targetCommit`. */
  targetCommit(): GitCommit {
    return new GitCommit(this, "targetCommit")
  }

  /** The field `tree`. */
  tree(opts?: GitRefTreeOpts): Directory {
    return new Directory(this, "tree", { ...opts })
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: GitRef) => T): T {
    return work(this)
  }
}

/** Options of `asWorkspace`. */
export interface GitRepositoryAsWorkspaceOpts {
  /** The value `cwd`. */
  cwd?: string
}

/** Options of `branches`. */
export interface GitRepositoryBranchesOpts {
  /** The value `patterns`. */
  patterns?: string[]
}

/** Options of `tags`. */
export interface GitRepositoryTagsOpts {
  /** The value `patterns`. */
  patterns?: string[]
}

/** Names a GitRepository in requests. */
export type GitRepositoryID = string

/** An object of the API. */
export class GitRepository extends BaseObject {
  static override readonly apiName: string = "GitRepository"

  /** What names this object in requests. */
  id(): Promise<GitRepositoryID> {
    return this._id()
  }

  /** The field `asWorkspace`. */
  asWorkspace(opts?: GitRepositoryAsWorkspaceOpts): Workspace {
    return new Workspace(this, "asWorkspace", { ...opts })
  }

  /** The field `branch`. */
  branch(name: string): GitRef {
    return new GitRef(this, "branch", { name })
  }

  /** The field `branches`. */
  branches(opts?: GitRepositoryBranchesOpts): Promise<string[]> {
    return this._value("branches", { ...opts })
  }

  /** The field `commit`. */
  commit(id: string): GitCommit {
    return new GitCommit(this, "commit", { id })
  }

  /** The field `head`. */
  head(): GitRef {
    return new GitRef(this, "head")
  }

  /** The field `latestVersion`. */
  latestVersion(): GitRef {
    return new GitRef(this, "latestVersion")
  }

  /** The field `ref`. */
  ref(name: string): GitRef {
    return new GitRef(this, "ref", { name })
  }

  /** The field `tag`. */
  tag(name: string): GitRef {
    return new GitRef(this, "tag", { name })
  }

  /** The field `tags`. */
  tags(opts?: GitRepositoryTagsOpts): Promise<string[]> {
    return this._value("tags", { ...opts })
  }

  /** The field `uncommitted`. */
  uncommitted(): Changeset {
    return new Changeset(this, "uncommitted")
  }

  /** The field `url`. */
  url(): Promise<string> {
    return this._value("url")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: GitRepository) => T): T {
    return work(this)
  }
}

/** Names a HealthcheckConfig in requests. */
export type HealthcheckConfigID = string

/** An object of the API. */
export class HealthcheckConfig extends BaseObject {
  static override readonly apiName: string = "HealthcheckConfig"

  /** What names this object in requests. */
  id(): Promise<HealthcheckConfigID> {
    return this._id()
  }

  /** The field `args`. */
  args(): Promise<string[]> {
    return this._value("args")
  }

  /** The field `interval`. */
  interval(): Promise<string> {
    return this._value("interval")
  }

  /** The field `retries`. */
  retries(): Promise<number> {
    return this._value("retries")
  }

  /** The field `shell`. */
  shell(): Promise<boolean> {
    return this._value("shell")
  }

  /** The field `startInterval`. */
  startInterval(): Promise<string> {
    return this._value("startInterval")
  }

  /** The field `startPeriod`. */
  startPeriod(): Promise<string> {
    return this._value("startPeriod")
  }

  /** The field `timeout`. */
  timeout(): Promise<string> {
    return this._value("timeout")
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
  /** Read it again even if it was read in this session. */
  noCache?: boolean
  /** Leave out what `.gitignore` files name. */
  gitignore?: boolean
}

/** Options of `file`. */
export interface HostFileOpts {
  /** Read it again even if it was read in this session. */
  noCache?: boolean
}

/** Options of `findUp`. */
export interface HostFindUpOpts {
  /** The value `noCache`. */
  noCache?: boolean
}

/** Options of `service`. */
export interface HostServiceOpts {
  /** The value `host`. */
  host?: string
}

/** Options of `tunnel`. */
export interface HostTunnelOpts {
  /** The value `native`. */
  native?: boolean
  /** The value `ports`. */
  ports?: PortForward[]
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

  /** The field `containerImage`. */
  containerImage(name: string): Container {
    return new Container(this, "containerImage", { name })
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

  /** The field `findUp`. */
  findUp(name: string, opts?: HostFindUpOpts): Promise<string> {
    return this._value("findUp", { name, ...opts })
  }

  /** The field `service`. */
  service(ports: PortForward[], opts?: HostServiceOpts): Service {
    return new Service(this, "service", { ports, ...opts }, ["protocol"])
  }

  /** The field `tunnel`. */
  tunnel(service: Service, opts?: HostTunnelOpts): Service {
    return new Service(this, "tunnel", { service, ...opts }, ["protocol"])
  }

  /**
   * A Unix socket of the host.
   *
   * @param path Path.
   */
  unixSocket(path: string): Socket {
    return new Socket(this, "unixSocket", { path })
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Host) => T): T {
    return work(this)
  }
}

/** One of a few values. */
export enum ImageLayerCompression {
  /** The value `Gzip`. */
  Gzip = "Gzip",
  /** The value `Zstd`. */
  Zstd = "Zstd",
  /** The value `EStarGZ`. */
  EStarGZ = "EStarGZ",
  /** The value `Uncompressed`. */
  Uncompressed = "Uncompressed",
  /** The value `ESTARGZ`. */
  Estargz = "ESTARGZ",
}

/** One of a few values. */
export enum ImageMediaTypes {
  /** The value `OCIMediaTypes`. */
  OCIMediaTypes = "OCIMediaTypes",
  /** The value `DockerMediaTypes`. */
  DockerMediaTypes = "DockerMediaTypes",
  /** The value `OCI`. */
  Oci = "OCI",
  /** The value `DOCKER`. */
  Docker = "DOCKER",
}

/** Names a InputTypeDef in requests. */
export type InputTypeDefID = string

/** An object of the API. */
export class InputTypeDef extends BaseObject {
  static override readonly apiName: string = "InputTypeDef"

  /** What names this object in requests. */
  id(): Promise<InputTypeDefID> {
    return this._id()
  }

  /** The field `fields`. */
  fields(): Promise<FieldTypeDef[]> {
    return this._objects(FieldTypeDef, "fields")
  }

  /** The field `name`. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: InputTypeDef) => T): T {
    return work(this)
  }
}

/** Names a InterfaceTypeDef in requests. */
export type InterfaceTypeDefID = string

/** An object of the API. */
export class InterfaceTypeDef extends BaseObject {
  static override readonly apiName: string = "InterfaceTypeDef"

  /** What names this object in requests. */
  id(): Promise<InterfaceTypeDefID> {
    return this._id()
  }

  /** The field `description`. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** The field `functions`. */
  functions(): Promise<Function_[]> {
    return this._objects(Function_, "functions")
  }

  /** The field `name`. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** The field `sourceMap`. */
  sourceMap(): SourceMap {
    return new SourceMap(this, "sourceMap")
  }

  /** The field `sourceModuleName`. */
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
  /** The value `pretty`. */
  pretty?: boolean
  /** The value `indent`. */
  indent?: string
}

/** Names a JSONValue in requests. */
export type JSONValueID = string

/** An object of the API. */
export class JSONValue extends BaseObject {
  static override readonly apiName: string = "JSONValue"

  /** What names this object in requests. */
  id(): Promise<JSONValueID> {
    return this._id()
  }

  /** The field `asArray`. */
  asArray(): Promise<JSONValue[]> {
    return this._objects(JSONValue, "asArray")
  }

  /** The field `asBoolean`. */
  asBoolean(): Promise<boolean> {
    return this._value("asBoolean")
  }

  /** The field `asInteger`. */
  asInteger(): Promise<number> {
    return this._value("asInteger")
  }

  /** The field `asString`. */
  asString(): Promise<string> {
    return this._value("asString")
  }

  /** The field `contents`. */
  contents(opts?: JSONValueContentsOpts): Promise<JSON> {
    return this._value("contents", { ...opts })
  }

  /** The field `field`. */
  field(path: string[]): JSONValue {
    return new JSONValue(this, "field", { path })
  }

  /** The field `fields`. */
  fields(): Promise<string[]> {
    return this._value("fields")
  }

  /** The field `newBoolean`. */
  newBoolean(value: boolean): JSONValue {
    return new JSONValue(this, "newBoolean", { value })
  }

  /** The field `newInteger`. */
  newInteger(value: number): JSONValue {
    return new JSONValue(this, "newInteger", { value })
  }

  /** The field `newString`. */
  newString(value: string): JSONValue {
    return new JSONValue(this, "newString", { value })
  }

  /** The field `withContents`. */
  withContents(contents: JSON): JSONValue {
    return new JSONValue(this, "withContents", { contents })
  }

  /** The field `withField`. */
  withField(path: string[], value: JSONValue): JSONValue {
    return new JSONValue(this, "withField", { path, value })
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: JSONValue) => T): T {
    return work(this)
  }
}

/** Options of `loop`. */
export interface LLMLoopOpts {
  /** The value `maxSteps`. */
  maxSteps?: number
  /** The value `maxTokens`. */
  maxTokens?: number
}

/** Options of `step`. */
export interface LLMStepOpts {
  /** The value `maxTokens`. */
  maxTokens?: number
}

/** Options of `withModel`. */
export interface LLMWithModelOpts {
  /** The value `provider`. */
  provider?: string
}

/** Options of `withResponse`. */
export interface LLMWithResponseOpts {
  /** The value `inputTokens`. */
  inputTokens?: number
  /** The value `outputTokens`. */
  outputTokens?: number
  /** The value `cachedTokenReads`. */
  cachedTokenReads?: number
  /** The value `cachedTokenWrites`. */
  cachedTokenWrites?: number
  /** The value `totalTokens`. */
  totalTokens?: number
}

/** Options of `withTools`. */
export interface LLMWithToolsOpts {
  /** The value `except`. */
  except?: string[]
}

/** Names a LLM in requests. */
export type LLMID = string

/** An object of the API. */
export class LLM extends BaseObject {
  static override readonly apiName: string = "LLM"

  /** What names this object in requests. */
  id(): Promise<LLMID> {
    return this._id()
  }

  /** The field `contextTokens`. */
  contextTokens(): Promise<number> {
    return this._value("contextTokens")
  }

  /** The field `contextWindow`. */
  contextWindow(): Promise<number> {
    return this._value("contextWindow")
  }

  /** The field `fork`. */
  fork(label: string): LLM {
    return new LLM(this, "fork", { label })
  }

  /** The field `hasPending`. */
  hasPending(): Promise<boolean> {
    return this._value("hasPending")
  }

  /** The field `lastReply`. */
  lastReply(): Promise<string> {
    return this._value("lastReply")
  }

  /** The field `loop`. */
  loop(opts?: LLMLoopOpts): LLM {
    return new LLM(this, "loop", { ...opts })
  }

  /** The field `messages`. */
  messages(): Promise<LLMMessage[]> {
    return this._objects(LLMMessage, "messages")
  }

  /** The field `model`. */
  model(): Promise<string> {
    return this._value("model")
  }

  /** The field `portableID`. */
  portableID(): Promise<string> {
    return this._value("portableID")
  }

  /** The field `provider`. */
  provider(): Promise<string> {
    return this._value("provider")
  }

  /** The field `reasoningEffort`. */
  reasoningEffort(): Promise<string> {
    return this._value("reasoningEffort")
  }

  /** The field `replay`. */
  replay(): Promise<LLM> {
    return this._loaded(LLM, "replay")
  }

  /** The field `skills`. */
  skills(): Promise<LLMSkill[]> {
    return this._objects(LLMSkill, "skills")
  }

  /** The field `step`. */
  step(opts?: LLMStepOpts): LLM {
    return new LLM(this, "step", { ...opts })
  }

  /** The field `sync`. */
  sync(): Promise<LLM> {
    return this._loaded(LLM, "sync")
  }

  /** The field `tokenUsage`. */
  tokenUsage(): LLMTokenUsage {
    return new LLMTokenUsage(this, "tokenUsage")
  }

  /** The field `tools`. */
  tools(): Promise<string> {
    return this._value("tools")
  }

  /** The field `transcript`. */
  transcript(): Promise<string> {
    return this._value("transcript")
  }

  /** The field `withMCPServer`. */
  withMCPServer(name: string, service: Service): LLM {
    return new LLM(this, "withMCPServer", { name, service })
  }

  /** The field `withModel`. */
  withModel(model: string, opts?: LLMWithModelOpts): LLM {
    return new LLM(this, "withModel", { model, ...opts })
  }

  /** The field `withPrompt`. */
  withPrompt(prompt: string): LLM {
    return new LLM(this, "withPrompt", { prompt })
  }

  /** The field `withPromptFile`. */
  withPromptFile(file: File): LLM {
    return new LLM(this, "withPromptFile", { file })
  }

  /** The field `withReasoningEffort`. */
  withReasoningEffort(effort: string): LLM {
    return new LLM(this, "withReasoningEffort", { effort })
  }

  /** The field `withResponse`. */
  withResponse(content: LLMContentBlockInput[], opts?: LLMWithResponseOpts): LLM {
    return new LLM(this, "withResponse", { content, ...opts }, ["kind"])
  }

  /** The field `withSkills`. */
  withSkills(directory: Directory): LLM {
    return new LLM(this, "withSkills", { directory })
  }

  /** The field `withSystemPrompt`. */
  withSystemPrompt(prompt: string): LLM {
    return new LLM(this, "withSystemPrompt", { prompt })
  }

  /** The field `withToolResult`. */
  withToolResult(callId: string, content: string, errored: boolean): LLM {
    return new LLM(this, "withToolResult", { callId, content, errored })
  }

  /** The field `withTools`. */
  withTools(object: Node, opts?: LLMWithToolsOpts): LLM {
    return new LLM(this, "withTools", { object, ...opts })
  }

  /** The field `withWorkspace`. */
  withWorkspace(workspace: Workspace): LLM {
    return new LLM(this, "withWorkspace", { workspace })
  }

  /** The field `withoutDefaultSystemPrompt`. */
  withoutDefaultSystemPrompt(): LLM {
    return new LLM(this, "withoutDefaultSystemPrompt")
  }

  /** The field `withoutMessageHistory`. */
  withoutMessageHistory(): LLM {
    return new LLM(this, "withoutMessageHistory")
  }

  /** The field `withoutSystemPrompts`. */
  withoutSystemPrompts(): LLM {
    return new LLM(this, "withoutSystemPrompts")
  }

  /** The field `workspace`. */
  workspace(): Workspace {
    return new Workspace(this, "workspace")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: LLM) => T): T {
    return work(this)
  }
}

/** Names a LLMContentBlock in requests. */
export type LLMContentBlockID = string

/** An object of the API. */
export class LLMContentBlock extends BaseObject {
  static override readonly apiName: string = "LLMContentBlock"

  /** What names this object in requests. */
  id(): Promise<LLMContentBlockID> {
    return this._id()
  }

  /** The field `arguments`. */
  arguments(): Promise<JSON> {
    return this._value("arguments")
  }

  /** The field `callId`. */
  callId(): Promise<string> {
    return this._value("callId")
  }

  /** The field `errored`. */
  errored(): Promise<boolean> {
    return this._value("errored")
  }

  /** The field `kind`. */
  kind(): Promise<LLMContentBlockKind> {
    return this._value("kind")
  }

  /** The field `signature`. */
  signature(): Promise<string> {
    return this._value("signature")
  }

  /** The field `text`. */
  text(): Promise<string> {
    return this._value("text")
  }

  /** The field `toolName`. */
  toolName(): Promise<string> {
    return this._value("toolName")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: LLMContentBlock) => T): T {
    return work(this)
  }
}

/** Values given together. */
export interface LLMContentBlockInput {
  /** The value `kind`. */
  kind: LLMContentBlockKind
  /** The value `text`. */
  text?: string
  /** The value `callId`. */
  callId?: string
  /** The value `toolName`. */
  toolName?: string
  /** The value `arguments`. */
  arguments?: JSON
  /** The value `errored`. */
  errored?: boolean
  /** The value `signature`. */
  signature?: string
}

/** One of a few values. */
export enum LLMContentBlockKind {
  /** The value `TEXT`. */
  Text = "TEXT",
  /** The value `THINKING`. */
  Thinking = "THINKING",
  /** The value `TOOL_CALL`. */
  ToolCall = "TOOL_CALL",
  /** The value `TOOL_RESULT`. */
  ToolResult = "TOOL_RESULT",
}

/** Names a LLMMessage in requests. */
export type LLMMessageID = string

/** An object of the API. */
export class LLMMessage extends BaseObject {
  static override readonly apiName: string = "LLMMessage"

  /** What names this object in requests. */
  id(): Promise<LLMMessageID> {
    return this._id()
  }

  /** The field `content`. */
  content(): Promise<LLMContentBlock[]> {
    return this._objects(LLMContentBlock, "content")
  }

  /** The field `role`. */
  role(): Promise<LLMMessageRole> {
    return this._value("role")
  }

  /** The field `tokenUsage`. */
  tokenUsage(): LLMTokenUsage {
    return new LLMTokenUsage(this, "tokenUsage")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: LLMMessage) => T): T {
    return work(this)
  }
}

/** One of a few values. */
export enum LLMMessageRole {
  /** The value `USER`. */
  User = "USER",
  /** The value `ASSISTANT`. */
  Assistant = "ASSISTANT",
  /** The value `SYSTEM`. */
  System = "SYSTEM",
}

/** Names a LLMSkill in requests. */
export type LLMSkillID = string

/** An object of the API. */
export class LLMSkill extends BaseObject {
  static override readonly apiName: string = "LLMSkill"

  /** What names this object in requests. */
  id(): Promise<LLMSkillID> {
    return this._id()
  }

  /** The field `description`. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** The field `name`. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: LLMSkill) => T): T {
    return work(this)
  }
}

/** Names a LLMTokenUsage in requests. */
export type LLMTokenUsageID = string

/** An object of the API. */
export class LLMTokenUsage extends BaseObject {
  static override readonly apiName: string = "LLMTokenUsage"

  /** What names this object in requests. */
  id(): Promise<LLMTokenUsageID> {
    return this._id()
  }

  /** The field `cachedTokenReads`. */
  cachedTokenReads(): Promise<number> {
    return this._value("cachedTokenReads")
  }

  /** The field `cachedTokenWrites`. */
  cachedTokenWrites(): Promise<number> {
    return this._value("cachedTokenWrites")
  }

  /** The field `inputTokens`. */
  inputTokens(): Promise<number> {
    return this._value("inputTokens")
  }

  /** The field `outputTokens`. */
  outputTokens(): Promise<number> {
    return this._value("outputTokens")
  }

  /** The field `totalTokens`. */
  totalTokens(): Promise<number> {
    return this._value("totalTokens")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: LLMTokenUsage) => T): T {
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

/** An object of the API. */
export class ListTypeDef extends BaseObject {
  static override readonly apiName: string = "ListTypeDef"

  /** What names this object in requests. */
  id(): Promise<ListTypeDefID> {
    return this._id()
  }

  /** The field `elementTypeDef`. */
  elementTypeDef(): TypeDef {
    return new TypeDef(this, "elementTypeDef")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: ListTypeDef) => T): T {
    return work(this)
  }
}

/** Options of `checks`. */
export interface Module_ChecksOpts {
  /** The value `include`. */
  include?: string[]
  /** The value `noGenerate`. */
  noGenerate?: boolean
}

/** Options of `generators`. */
export interface Module_GeneratorsOpts {
  /** The value `include`. */
  include?: string[]
}

/** Options of `serve`. */
export interface Module_ServeOpts {
  /** The value `includeDependencies`. */
  includeDependencies?: boolean
  /** The value `entrypoint`. */
  entrypoint?: boolean
}

/** Options of `services`. */
export interface Module_ServicesOpts {
  /** The value `include`. */
  include?: string[]
}

/** Names a Module in requests. */
export type ModuleID = string

/** An object of the API. */
export class Module_ extends BaseObject {
  static override readonly apiName: string = "Module"

  /** What names this object in requests. */
  id(): Promise<ModuleID> {
    return this._id()
  }

  /** The field `check`. */
  check(name: string): Check {
    return new Check(this, "check", { name })
  }

  /** The field `checks`. */
  checks(opts?: Module_ChecksOpts): CheckGroup {
    return new CheckGroup(this, "checks", { ...opts })
  }

  /** The field `dependencies`. */
  dependencies(): Promise<Module_[]> {
    return this._objects(Module_, "dependencies")
  }

  /** The field `description`. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** The field `enums`. */
  enums(): Promise<TypeDef[]> {
    return this._objects(TypeDef, "enums")
  }

  /** The field `generatedContextDirectory`. */
  generatedContextDirectory(): Directory {
    return new Directory(this, "generatedContextDirectory")
  }

  /** The field `generator`. */
  generator(name: string): Generator {
    return new Generator(this, "generator", { name })
  }

  /** The field `generators`. */
  generators(opts?: Module_GeneratorsOpts): GeneratorGroup {
    return new GeneratorGroup(this, "generators", { ...opts })
  }

  /** The field `interfaces`. */
  interfaces(): Promise<TypeDef[]> {
    return this._objects(TypeDef, "interfaces")
  }

  /** The field `introspectionSchemaJSON`. */
  introspectionSchemaJSON(): File {
    return new File(this, "introspectionSchemaJSON")
  }

  /** The field `name`. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** The field `objects`. */
  objects(): Promise<TypeDef[]> {
    return this._objects(TypeDef, "objects")
  }

  /** The field `runtime`. */
  runtime(): Container {
    return new Container(this, "runtime")
  }

  /** The field `sdk`. */
  sdk(): SDKConfig {
    return new SDKConfig(this, "sdk")
  }

  /** The field `serve`. */
  serve(opts?: Module_ServeOpts): Promise<void> {
    return this._value("serve", { ...opts })
  }

  /** The field `services`. */
  services(opts?: Module_ServicesOpts): UpGroup {
    return new UpGroup(this, "services", { ...opts })
  }

  /** The field `source`. */
  source(): ModuleSource {
    return new ModuleSource(this, "source")
  }

  /** The field `sync`. */
  sync(): Promise<Module_> {
    return this._loaded(Module_, "sync")
  }

  /** The field `userDefaults`. */
  userDefaults(): EnvFile {
    return new EnvFile(this, "userDefaults")
  }

  /** The field `withDescription`. */
  withDescription(description: string): Module_ {
    return new Module_(this, "withDescription", { description })
  }

  /** The field `withEnum`. */
  withEnum(enum_: TypeDef): Module_ {
    return new Module_(this, "withEnum", { enum: enum_ })
  }

  /** The field `withInterface`. */
  withInterface(iface: TypeDef): Module_ {
    return new Module_(this, "withInterface", { iface })
  }

  /** The field `withObject`. */
  withObject(object: TypeDef): Module_ {
    return new Module_(this, "withObject", { object })
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Module_) => T): T {
    return work(this)
  }
}

/** Names a ModuleConfigClient in requests. */
export type ModuleConfigClientID = string

/** An object of the API. */
export class ModuleConfigClient extends BaseObject {
  static override readonly apiName: string = "ModuleConfigClient"

  /** What names this object in requests. */
  id(): Promise<ModuleConfigClientID> {
    return this._id()
  }

  /** The field `directory`. */
  directory(): Promise<string> {
    return this._value("directory")
  }

  /** The field `generator`. */
  generator(): Promise<string> {
    return this._value("generator")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: ModuleConfigClient) => T): T {
    return work(this)
  }
}

/** Names a ModuleSource in requests. */
export type ModuleSourceID = string

/** An object of the API. */
export class ModuleSource extends BaseObject {
  static override readonly apiName: string = "ModuleSource"

  /** What names this object in requests. */
  id(): Promise<ModuleSourceID> {
    return this._id()
  }

  /** The field `asModule`. */
  asModule(): Module_ {
    return new Module_(this, "asModule")
  }

  /** The field `asString`. */
  asString(): Promise<string> {
    return this._value("asString")
  }

  /**
   * The field `blueprint`.
   *
   * @deprecated
   */
  blueprint(): ModuleSource {
    return new ModuleSource(this, "blueprint")
  }

  /** The field `clientSchemaIntrospectionJSON`. */
  clientSchemaIntrospectionJSON(): File {
    return new File(this, "clientSchemaIntrospectionJSON")
  }

  /** The field `cloneRef`. */
  cloneRef(): Promise<string> {
    return this._value("cloneRef")
  }

  /** The field `commit`. */
  commit(): Promise<string> {
    return this._value("commit")
  }

  /** The field `configClients`. */
  configClients(): Promise<ModuleConfigClient[]> {
    return this._objects(ModuleConfigClient, "configClients")
  }

  /** The field `configExists`. */
  configExists(): Promise<boolean> {
    return this._value("configExists")
  }

  /** The field `contextDirectory`. */
  contextDirectory(): Directory {
    return new Directory(this, "contextDirectory")
  }

  /** The field `dependencies`. */
  dependencies(): Promise<ModuleSource[]> {
    return this._objects(ModuleSource, "dependencies")
  }

  /** The field `digest`. */
  digest(): Promise<string> {
    return this._value("digest")
  }

  /** The field `directory`. */
  directory(path: string): Directory {
    return new Directory(this, "directory", { path })
  }

  /** The field `engineVersion`. */
  engineVersion(): Promise<string> {
    return this._value("engineVersion")
  }

  /** The field `generate`. */
  generate(workspace: Workspace): Workspace {
    return new Workspace(this, "generate", { workspace })
  }

  /** The field `generateLocalDependencies`. */
  generateLocalDependencies(workspace: Workspace): Changeset {
    return new Changeset(this, "generateLocalDependencies", { workspace })
  }

  /** The field `generatedContextChangeset`. */
  generatedContextChangeset(): Changeset {
    return new Changeset(this, "generatedContextChangeset")
  }

  /** The field `generatedContextDirectory`. */
  generatedContextDirectory(): Directory {
    return new Directory(this, "generatedContextDirectory")
  }

  /** The field `htmlRepoURL`. */
  htmlRepoURL(): Promise<string> {
    return this._value("htmlRepoURL")
  }

  /** The field `htmlURL`. */
  htmlURL(): Promise<string> {
    return this._value("htmlURL")
  }

  /** The field `introspectionSchemaJSON`. */
  introspectionSchemaJSON(): File {
    return new File(this, "introspectionSchemaJSON")
  }

  /** The field `kind`. */
  kind(): Promise<ModuleSourceKind> {
    return this._value("kind")
  }

  /** The field `localContextDirectoryPath`. */
  localContextDirectoryPath(): Promise<string> {
    return this._value("localContextDirectoryPath")
  }

  /** The field `moduleName`. */
  moduleName(): Promise<string> {
    return this._value("moduleName")
  }

  /** The field `moduleOriginalName`. */
  moduleOriginalName(): Promise<string> {
    return this._value("moduleOriginalName")
  }

  /** The field `originalSubpath`. */
  originalSubpath(): Promise<string> {
    return this._value("originalSubpath")
  }

  /** The field `pin`. */
  pin(): Promise<string> {
    return this._value("pin")
  }

  /** The field `repoRootPath`. */
  repoRootPath(): Promise<string> {
    return this._value("repoRootPath")
  }

  /** The field `sdk`. */
  sdk(): SDKConfig {
    return new SDKConfig(this, "sdk")
  }

  /** The field `sourceRootSubpath`. */
  sourceRootSubpath(): Promise<string> {
    return this._value("sourceRootSubpath")
  }

  /** The field `sourceSubpath`. */
  sourceSubpath(): Promise<string> {
    return this._value("sourceSubpath")
  }

  /** The field `sync`. */
  sync(): Promise<ModuleSource> {
    return this._loaded(ModuleSource, "sync")
  }

  /**
   * The field `toolchains`.
   *
   * @deprecated
   */
  toolchains(): Promise<ModuleSource[]> {
    return this._objects(ModuleSource, "toolchains")
  }

  /** The field `updatedConfigDirectory`. */
  updatedConfigDirectory(): Directory {
    return new Directory(this, "updatedConfigDirectory")
  }

  /** The field `userDefaults`. */
  userDefaults(): EnvFile {
    return new EnvFile(this, "userDefaults")
  }

  /** The field `version`. */
  version(): Promise<string> {
    return this._value("version")
  }

  /**
   * The field `withBlueprint`.
   *
   * @deprecated
   */
  withBlueprint(blueprint: ModuleSource): ModuleSource {
    return new ModuleSource(this, "withBlueprint", { blueprint })
  }

  /** The field `withClient`. */
  withClient(generator: string, outputDir: string): ModuleSource {
    return new ModuleSource(this, "withClient", { generator, outputDir })
  }

  /** The field `withDependencies`. */
  withDependencies(dependencies: ModuleSource[]): ModuleSource {
    return new ModuleSource(this, "withDependencies", { dependencies })
  }

  /** The field `withEngineVersion`. */
  withEngineVersion(version: string): ModuleSource {
    return new ModuleSource(this, "withEngineVersion", { version })
  }

  /** The field `withExperimentalFeatures`. */
  withExperimentalFeatures(features: ModuleSourceExperimentalFeature[]): ModuleSource {
    return new ModuleSource(this, "withExperimentalFeatures", { features }, ["features"])
  }

  /** The field `withIncludes`. */
  withIncludes(patterns: string[]): ModuleSource {
    return new ModuleSource(this, "withIncludes", { patterns })
  }

  /** The field `withName`. */
  withName(name: string): ModuleSource {
    return new ModuleSource(this, "withName", { name })
  }

  /** The field `withSDK`. */
  withSDK(source: string): ModuleSource {
    return new ModuleSource(this, "withSDK", { source })
  }

  /** The field `withSourceSubpath`. */
  withSourceSubpath(path: string): ModuleSource {
    return new ModuleSource(this, "withSourceSubpath", { path })
  }

  /**
   * The field `withToolchains`.
   *
   * @deprecated
   */
  withToolchains(toolchains: ModuleSource[]): ModuleSource {
    return new ModuleSource(this, "withToolchains", { toolchains })
  }

  /**
   * The field `withUpdateBlueprint`.
   *
   * @deprecated
   */
  withUpdateBlueprint(): ModuleSource {
    return new ModuleSource(this, "withUpdateBlueprint")
  }

  /** The field `withUpdateDependencies`. */
  withUpdateDependencies(dependencies: string[]): ModuleSource {
    return new ModuleSource(this, "withUpdateDependencies", { dependencies })
  }

  /**
   * The field `withUpdateToolchains`.
   *
   * @deprecated
   */
  withUpdateToolchains(toolchains: string[]): ModuleSource {
    return new ModuleSource(this, "withUpdateToolchains", { toolchains })
  }

  /** The field `withUpdatedClients`. */
  withUpdatedClients(clients: string[]): ModuleSource {
    return new ModuleSource(this, "withUpdatedClients", { clients })
  }

  /**
   * The field `withoutBlueprint`.
   *
   * @deprecated
   */
  withoutBlueprint(): ModuleSource {
    return new ModuleSource(this, "withoutBlueprint")
  }

  /** The field `withoutClient`. */
  withoutClient(path: string): ModuleSource {
    return new ModuleSource(this, "withoutClient", { path })
  }

  /** The field `withoutDependencies`. */
  withoutDependencies(dependencies: string[]): ModuleSource {
    return new ModuleSource(this, "withoutDependencies", { dependencies })
  }

  /** The field `withoutExperimentalFeatures`. */
  withoutExperimentalFeatures(features: ModuleSourceExperimentalFeature[]): ModuleSource {
    return new ModuleSource(this, "withoutExperimentalFeatures", { features }, ["features"])
  }

  /**
   * The field `withoutToolchains`.
   *
   * @deprecated
   */
  withoutToolchains(toolchains: string[]): ModuleSource {
    return new ModuleSource(this, "withoutToolchains", { toolchains })
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: ModuleSource) => T): T {
    return work(this)
  }
}

/** One of a few values. */
export enum ModuleSourceExperimentalFeature {
  /** The value `SELF_CALLS`. */
  SelfCalls = "SELF_CALLS",
}

/** One of a few values. */
export enum ModuleSourceKind {
  /** The value `LOCAL_SOURCE`. */
  LocalSource = "LOCAL_SOURCE",
  /** The value `GIT_SOURCE`. */
  GitSource = "GIT_SOURCE",
  /** The value `DIR_SOURCE`. */
  DirSource = "DIR_SOURCE",
  /** The value `LOCAL`. */
  Local = "LOCAL",
  /** The value `GIT`. */
  Git = "GIT",
  /** The value `DIR`. */
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

/** An object of the API. */
export class ObjectTypeDef extends BaseObject {
  static override readonly apiName: string = "ObjectTypeDef"

  /** What names this object in requests. */
  id(): Promise<ObjectTypeDefID> {
    return this._id()
  }

  /** The field `constructor`. */
  constructor_(): Function_ {
    return new Function_(this, "constructor")
  }

  /** The field `deprecated`. */
  deprecated(): Promise<string> {
    return this._value("deprecated")
  }

  /** The field `description`. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** The field `fields`. */
  fields(): Promise<FieldTypeDef[]> {
    return this._objects(FieldTypeDef, "fields")
  }

  /** The field `functions`. */
  functions(): Promise<Function_[]> {
    return this._objects(Function_, "functions")
  }

  /** The field `name`. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** The field `sourceMap`. */
  sourceMap(): SourceMap {
    return new SourceMap(this, "sourceMap")
  }

  /** The field `sourceModuleName`. */
  sourceModuleName(): Promise<string> {
    return this._value("sourceModuleName")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: ObjectTypeDef) => T): T {
    return work(this)
  }
}

/** One of a few values. */
export enum PatchConflict {
  /** The value `FAIL`. */
  Fail = "FAIL",
  /** The value `LEAVE_CONFLICT_MARKERS`. */
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

  /** What it is for. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** Whether starting the service does not wait for it. */
  experimentalSkipHealthcheck(): Promise<boolean> {
    return this._value("experimentalSkipHealthcheck")
  }

  /** Its number. */
  port(): Promise<number> {
    return this._value("port")
  }

  /** Its transport. */
  protocol(): Promise<NetworkProtocol> {
    return this._value("protocol")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Port) => T): T {
    return work(this)
  }
}

/** Values given together. */
export interface PortForward {
  /** The value `frontend`. */
  frontend?: number
  /** The value `backend`. */
  backend: number
  /** The value `protocol`. */
  protocol?: NetworkProtocol
}

/** Options of `cacheVolume`. */
export interface ClientCacheVolumeOpts {
  /** The value `source`. */
  source?: Directory
  /** The value `sharing`. */
  sharing?: CacheSharingMode
  /** The value `owner`. */
  owner?: string
}

/** Options of `container`. */
export interface ClientContainerOpts {
  /** Platform of its image and commands; the host's by default. */
  platform?: Platform
}

/** Options of `currentTypeDefs`. */
export interface ClientCurrentTypeDefsOpts {
  /** The value `returnAllTypes`. */
  returnAllTypes?: boolean
  /** The value `hideCore`. */
  hideCore?: boolean
}

/** Options of `engineVolume`. */
export interface ClientEngineVolumeOpts {
  /** The value `subdir`. */
  subdir?: string
}

/** Options of `envFile`. */
export interface ClientEnvFileOpts {
  /** The value `expand`. */
  expand?: boolean
}

/** Options of `file`. */
export interface ClientFileOpts {
  /** Permission bits, such as 420 for 0644. */
  permissions?: number
}

/** Options of `git`. */
export interface ClientGitOpts {
  /** The value `keepGitDir`. */
  keepGitDir?: boolean
  /** The value `sshKnownHosts`. */
  sshKnownHosts?: string
  /** The value `sshAuthSocket`. */
  sshAuthSocket?: Socket
  /** The value `httpAuthUsername`. */
  httpAuthUsername?: string
  /** The value `httpAuthToken`. */
  httpAuthToken?: Secret
  /** The value `httpAuthHeader`. */
  httpAuthHeader?: Secret
  /** The value `experimentalServiceHost`. */
  experimentalServiceHost?: Service
}

/** Options of `http`. */
export interface ClientHttpOpts {
  /** The value `name`. */
  name?: string
  /** The value `permissions`. */
  permissions?: number
  /** The value `checksum`. */
  checksum?: string
  /** The value `authHeader`. */
  authHeader?: Secret
  /** The value `experimentalServiceHost`. */
  experimentalServiceHost?: Service
}

/** Options of `llm`. */
export interface ClientLlmOpts {
  /** The value `model`. */
  model?: string
  /** The value `provider`. */
  provider?: string
}

/** Options of `moduleSource`. */
export interface ClientModuleSourceOpts {
  /** The value `refPin`. */
  refPin?: string
  /** The value `disableFindUp`. */
  disableFindUp?: boolean
  /** The value `allowNotExists`. */
  allowNotExists?: boolean
  /** The value `requireKind`. */
  requireKind?: ModuleSourceKind
}

/** Options of `secret`. */
export interface ClientSecretOpts {
  /** Stands for the value in cache keys. */
  cacheKey?: string
}

/** Options of `sshfsVolume`. */
export interface ClientSshfsVolumeOpts {
  /** The value `knownHosts`. */
  knownHosts?: Secret
  /** The value `cacheKey`. */
  cacheKey?: string
  /** The value `insecureSkipHostKeyCheck`. */
  insecureSkipHostKeyCheck?: boolean
  /** The value `experimentalServiceHost`. */
  experimentalServiceHost?: Service
}

/** The root of the API. */
export class Client extends BaseObject {
  static override readonly apiName: string = "Query"

  /** The field `address`. */
  address(value: string): Address {
    return new Address(this, "address", { value })
  }

  /**
   * A directory that outlives runs, found by name. Modules have names of their own.
   *
   * @param key The name.
   */
  cacheVolume(key: string, opts?: ClientCacheVolumeOpts): CacheVolume {
    return new CacheVolume(this, "cacheVolume", { key, ...opts }, ["sharing"])
  }

  /** The field `changeset`. */
  changeset(): Changeset {
    return new Changeset(this, "changeset")
  }

  /** The field `cloud`. */
  cloud(): Cloud {
    return new Cloud(this, "cloud")
  }

  /** An empty container, to be filled with `from`, `withRootfs` or `import`. */
  container(opts?: ClientContainerOpts): Container {
    return new Container(this, "container", { ...opts })
  }

  /** The call that this client serves. */
  currentFunctionCall(): FunctionCall {
    return new FunctionCall(this, "currentFunctionCall")
  }

  /** The module that this client belongs to. */
  currentModule(): CurrentModule {
    return new CurrentModule(this, "currentModule")
  }

  /** The field `currentTypeDefs`. */
  currentTypeDefs(opts?: ClientCurrentTypeDefsOpts): Promise<TypeDef[]> {
    return this._objects(TypeDef, "currentTypeDefs", { ...opts })
  }

  /** The field `currentWorkspace`. */
  currentWorkspace(): Workspace {
    return new Workspace(this, "currentWorkspace")
  }

  /** The platform of containers that ask for none. */
  defaultPlatform(): Promise<Platform> {
    return this._value("defaultPlatform")
  }

  /** An empty directory. */
  directory(): Directory {
    return new Directory(this, "directory")
  }

  /** The field `engine`. */
  engine(): Engine {
    return new Engine(this, "engine")
  }

  /** The field `engineVolume`. */
  engineVolume(name: string, opts?: ClientEngineVolumeOpts): Volume {
    return new Volume(this, "engineVolume", { name, ...opts })
  }

  /** The field `envFile`. */
  envFile(opts?: ClientEnvFileOpts): EnvFile {
    return new EnvFile(this, "envFile", { ...opts })
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
   * A file with the given contents.
   *
   * @param name Name of the file.
   * @param contents Its contents.
   */
  file(name: string, contents: string, opts?: ClientFileOpts): File {
    return new File(this, "file", { name, contents, ...opts })
  }

  /** The field `function`. */
  function(name: string, returnType: TypeDef): Function_ {
    return new Function_(this, "function", { name, returnType })
  }

  /** The field `generatedCode`. */
  generatedCode(code: Directory): GeneratedCode {
    return new GeneratedCode(this, "generatedCode", { code })
  }

  /** The field `git`. */
  git(url: string, opts?: ClientGitOpts): GitRepository {
    return new GitRepository(this, "git", { url, ...opts })
  }

  /** The host that the client runs on. */
  host(): Host {
    return new Host(this, "host")
  }

  /** The field `http`. */
  http(url: string, opts?: ClientHttpOpts): File {
    return new File(this, "http", { url, ...opts })
  }

  /** The field `json`. */
  json(): JSONValue {
    return new JSONValue(this, "json")
  }

  /** The field `llm`. */
  llm(opts?: ClientLlmOpts): LLM {
    return new LLM(this, "llm", { ...opts })
  }

  /** The field `module`. */
  module(): Module_ {
    return new Module_(this, "module")
  }

  /** The field `moduleSource`. */
  moduleSource(refString: string, opts?: ClientModuleSourceOpts): ModuleSource {
    return new ModuleSource(this, "moduleSource", { refString, ...opts }, ["requireKind"])
  }

  /** The field `schema`. */
  schema(json: JSON): Schema {
    return new Schema(this, "schema", { json })
  }

  /**
   * A secret that the client fetches when a command needs it.
   *
   * @param uri Where it is: `env://NAME`, `file://path` or `cmd://command`.
   */
  secret(uri: string, opts?: ClientSecretOpts): Secret {
    return new Secret(this, "secret", { uri, ...opts })
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

  /** The field `sourceMap`. */
  sourceMap(filename: string, line: number, column: number): SourceMap {
    return new SourceMap(this, "sourceMap", { filename, line, column })
  }

  /** The field `sshfsVolume`. */
  sshfsVolume(endpoint: string, privateKey: Secret, opts?: ClientSshfsVolumeOpts): Volume {
    return new Volume(this, "sshfsVolume", { endpoint, privateKey, ...opts })
  }

  /** The field `typeDef`. */
  typeDef(): TypeDef {
    return new TypeDef(this, "typeDef")
  }

  /** The version of the API. */
  version(): Promise<string> {
    return this._value("version")
  }

  /** The Address that an id names. */
  loadAddressFromID(id: AddressID): Address {
    return load(Address, id, this)
  }

  /** The Agent that an id names. */
  loadAgentFromID(id: AgentID): Agent {
    return load(Agent, id, this)
  }

  /** The AgentGroup that an id names. */
  loadAgentGroupFromID(id: AgentGroupID): AgentGroup {
    return load(AgentGroup, id, this)
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

  /** The Cloud that an id names. */
  loadCloudFromID(id: CloudID): Cloud {
    return load(Cloud, id, this)
  }

  /** The Container that an id names. */
  loadContainerFromID(id: ContainerID): Container {
    return load(Container, id, this)
  }

  /** The CurrentModule that an id names. */
  loadCurrentModuleFromID(id: CurrentModuleID): CurrentModule {
    return load(CurrentModule, id, this)
  }

  /** The CurrentModuleAsSDK that an id names. */
  loadCurrentModuleAsSDKFromID(id: CurrentModuleAsSDKID): CurrentModuleAsSDK {
    return load(CurrentModuleAsSDK, id, this)
  }

  /** The CurrentModuleAsSDKClient that an id names. */
  loadCurrentModuleAsSDKClientFromID(id: CurrentModuleAsSDKClientID): CurrentModuleAsSDKClient {
    return load(CurrentModuleAsSDKClient, id, this)
  }

  /** The CurrentModuleAsSDKModule that an id names. */
  loadCurrentModuleAsSDKModuleFromID(id: CurrentModuleAsSDKModuleID): CurrentModuleAsSDKModule {
    return load(CurrentModuleAsSDKModule, id, this)
  }

  /** The DiffStat that an id names. */
  loadDiffStatFromID(id: DiffStatID): DiffStat {
    return load(DiffStat, id, this)
  }

  /** The Directory that an id names. */
  loadDirectoryFromID(id: DirectoryID): Directory {
    return load(Directory, id, this)
  }

  /** The Engine that an id names. */
  loadEngineFromID(id: EngineID): Engine {
    return load(Engine, id, this)
  }

  /** The EngineCache that an id names. */
  loadEngineCacheFromID(id: EngineCacheID): EngineCache {
    return load(EngineCache, id, this)
  }

  /** The EngineCacheEntry that an id names. */
  loadEngineCacheEntryFromID(id: EngineCacheEntryID): EngineCacheEntry {
    return load(EngineCacheEntry, id, this)
  }

  /** The EngineCacheEntrySet that an id names. */
  loadEngineCacheEntrySetFromID(id: EngineCacheEntrySetID): EngineCacheEntrySet {
    return load(EngineCacheEntrySet, id, this)
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

  /** The LLM that an id names. */
  loadLLMFromID(id: LLMID): LLM {
    return load(LLM, id, this)
  }

  /** The LLMContentBlock that an id names. */
  loadLLMContentBlockFromID(id: LLMContentBlockID): LLMContentBlock {
    return load(LLMContentBlock, id, this)
  }

  /** The LLMMessage that an id names. */
  loadLLMMessageFromID(id: LLMMessageID): LLMMessage {
    return load(LLMMessage, id, this)
  }

  /** The LLMSkill that an id names. */
  loadLLMSkillFromID(id: LLMSkillID): LLMSkill {
    return load(LLMSkill, id, this)
  }

  /** The LLMTokenUsage that an id names. */
  loadLLMTokenUsageFromID(id: LLMTokenUsageID): LLMTokenUsage {
    return load(LLMTokenUsage, id, this)
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

  /** The ModuleConfigClient that an id names. */
  loadModuleConfigClientFromID(id: ModuleConfigClientID): ModuleConfigClient {
    return load(ModuleConfigClient, id, this)
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

  /** The Schema that an id names. */
  loadSchemaFromID(id: SchemaID): Schema {
    return load(Schema, id, this)
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

  /** The Terminal that an id names. */
  loadTerminalFromID(id: TerminalID): Terminal {
    return load(Terminal, id, this)
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

  /** The Volume that an id names. */
  loadVolumeFromID(id: VolumeID): Volume {
    return load(Volume, id, this)
  }

  /** The Workspace that an id names. */
  loadWorkspaceFromID(id: WorkspaceID): Workspace {
    return load(Workspace, id, this)
  }

  /** The WorkspaceGit that an id names. */
  loadWorkspaceGitFromID(id: WorkspaceGitID): WorkspaceGit {
    return load(WorkspaceGit, id, this)
  }

  /** The WorkspaceMigration that an id names. */
  loadWorkspaceMigrationFromID(id: WorkspaceMigrationID): WorkspaceMigration {
    return load(WorkspaceMigration, id, this)
  }

  /** The WorkspaceMigrationStep that an id names. */
  loadWorkspaceMigrationStepFromID(id: WorkspaceMigrationStepID): WorkspaceMigrationStep {
    return load(WorkspaceMigrationStep, id, this)
  }

  /** The WorkspaceModule that an id names. */
  loadWorkspaceModuleFromID(id: WorkspaceModuleID): WorkspaceModule {
    return load(WorkspaceModule, id, this)
  }

  /** The WorkspaceModuleSetting that an id names. */
  loadWorkspaceModuleSettingFromID(id: WorkspaceModuleSettingID): WorkspaceModuleSetting {
    return load(WorkspaceModuleSetting, id, this)
  }

  /** The WorkspaceSDK that an id names. */
  loadWorkspaceSDKFromID(id: WorkspaceSDKID): WorkspaceSDK {
    return load(WorkspaceSDK, id, this)
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Client) => T): T {
    return work(this)
  }
}

/** One of a few values. */
export enum RegistryProtocol {
  /** The value `HTTPS`. */
  Https = "HTTPS",
  /** The value `HTTP`. */
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

/** An object of the API. */
export class SDKConfig extends BaseObject {
  static override readonly apiName: string = "SDKConfig"

  /** What names this object in requests. */
  id(): Promise<SDKConfigID> {
    return this._id()
  }

  /** The field `debug`. */
  debug(): Promise<boolean> {
    return this._value("debug")
  }

  /** The field `source`. */
  source(): Promise<string> {
    return this._value("source")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: SDKConfig) => T): T {
    return work(this)
  }
}

/** Names a ScalarTypeDef in requests. */
export type ScalarTypeDefID = string

/** An object of the API. */
export class ScalarTypeDef extends BaseObject {
  static override readonly apiName: string = "ScalarTypeDef"

  /** What names this object in requests. */
  id(): Promise<ScalarTypeDefID> {
    return this._id()
  }

  /** The field `description`. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** The field `name`. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** The field `sourceModuleName`. */
  sourceModuleName(): Promise<string> {
    return this._value("sourceModuleName")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: ScalarTypeDef) => T): T {
    return work(this)
  }
}

/** Names a Schema in requests. */
export type SchemaID = string

/** An object of the API. */
export class Schema extends BaseObject {
  static override readonly apiName: string = "Schema"

  /** What names this object in requests. */
  id(): Promise<SchemaID> {
    return this._id()
  }

  /** The field `contents`. */
  contents(): Promise<JSON> {
    return this._value("contents")
  }

  /** The field `merge`. */
  merge(moduleTypes: JSON, moduleName: string): Schema {
    return new Schema(this, "merge", { moduleTypes, moduleName })
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Schema) => T): T {
    return work(this)
  }
}

/** Names a SearchResult in requests. */
export type SearchResultID = string

/** An object of the API. */
export class SearchResult extends BaseObject {
  static override readonly apiName: string = "SearchResult"

  /** What names this object in requests. */
  id(): Promise<SearchResultID> {
    return this._id()
  }

  /** The field `absoluteOffset`. */
  absoluteOffset(): Promise<number> {
    return this._value("absoluteOffset")
  }

  /** The field `filePath`. */
  filePath(): Promise<string> {
    return this._value("filePath")
  }

  /** The field `lineNumber`. */
  lineNumber(): Promise<number> {
    return this._value("lineNumber")
  }

  /** The field `matchedLines`. */
  matchedLines(): Promise<string> {
    return this._value("matchedLines")
  }

  /** The field `submatches`. */
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

/** An object of the API. */
export class SearchSubmatch extends BaseObject {
  static override readonly apiName: string = "SearchSubmatch"

  /** What names this object in requests. */
  id(): Promise<SearchSubmatchID> {
    return this._id()
  }

  /** The field `end`. */
  end(): Promise<number> {
    return this._value("end")
  }

  /** The field `start`. */
  start(): Promise<number> {
    return this._value("start")
  }

  /** The field `text`. */
  text(): Promise<string> {
    return this._value("text")
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

  /** Its value. */
  plaintext(): Promise<string> {
    return this._value("plaintext")
  }

  /** Its address; empty for a secret set by name. */
  uri(): Promise<string> {
    return this._value("uri")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Secret) => T): T {
    return work(this)
  }
}

/** Options of `endpoint`. */
export interface ServiceEndpointOpts {
  /** The value `port`. */
  port?: number
  /** The value `scheme`. */
  scheme?: string
}

/** Options of `stop`. */
export interface ServiceStopOpts {
  /** The value `kill`. */
  kill?: boolean
}

/** Options of `terminal`. */
export interface ServiceTerminalOpts {
  /** The value `cmd`. */
  cmd?: string[]
}

/** Options of `up`. */
export interface ServiceUpOpts {
  /** The value `ports`. */
  ports?: PortForward[]
  /** The value `random`. */
  random?: boolean
}

/** Names a Service in requests. */
export type ServiceID = string

/** An object of the API. */
export class Service extends BaseObject {
  static override readonly apiName: string = "Service"

  /** What names this object in requests. */
  id(): Promise<ServiceID> {
    return this._id()
  }

  /** The field `endpoint`. */
  endpoint(opts?: ServiceEndpointOpts): Promise<string> {
    return this._value("endpoint", { ...opts })
  }

  /** The field `hostname`. */
  hostname(): Promise<string> {
    return this._value("hostname")
  }

  /** The field `ports`. */
  ports(): Promise<Port[]> {
    return this._objects(Port, "ports")
  }

  /** The field `start`. */
  start(): Promise<Service> {
    return this._loaded(Service, "start")
  }

  /** The field `stop`. */
  stop(opts?: ServiceStopOpts): Promise<Service> {
    return this._loaded(Service, "stop", { ...opts })
  }

  /** The field `sync`. */
  sync(): Promise<Service> {
    return this._loaded(Service, "sync")
  }

  /** The field `terminal`. */
  terminal(opts?: ServiceTerminalOpts): Service {
    return new Service(this, "terminal", { ...opts })
  }

  /** The field `up`. */
  up(opts?: ServiceUpOpts): Promise<void> {
    return this._value("up", { ...opts }, ["protocol"])
  }

  /** The field `withHostname`. */
  withHostname(hostname: string): Service {
    return new Service(this, "withHostname", { hostname })
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

/** An object of the API. */
export class SourceMap extends BaseObject {
  static override readonly apiName: string = "SourceMap"

  /** What names this object in requests. */
  id(): Promise<SourceMapID> {
    return this._id()
  }

  /** The field `column`. */
  column(): Promise<number> {
    return this._value("column")
  }

  /** The field `filename`. */
  filename(): Promise<string> {
    return this._value("filename")
  }

  /** The field `line`. */
  line(): Promise<number> {
    return this._value("line")
  }

  /** The field `module`. */
  module(): Promise<string> {
    return this._value("module")
  }

  /** The field `url`. */
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

/** An object of the API. */
export class Stat extends BaseObject {
  static override readonly apiName: string = "Stat"

  /** What names this object in requests. */
  id(): Promise<StatID> {
    return this._id()
  }

  /** The field `fileType`. */
  fileType(): Promise<FileType> {
    return this._value("fileType")
  }

  /** The field `name`. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** The field `permissions`. */
  permissions(): Promise<number> {
    return this._value("permissions")
  }

  /** The field `size`. */
  size(): Promise<number> {
    return this._value("size")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Stat) => T): T {
    return work(this)
  }
}

/** Names a Syncer in requests. */
export type SyncerID = string

/** An object of the API. */
export class Syncer extends BaseObject {
  static override readonly apiName: string = "Syncer"

  /** What names this object in requests. */
  id(): Promise<SyncerID> {
    return this._id()
  }

  /** The field `sync`. */
  sync(): Promise<Syncer> {
    return this._loaded(Syncer, "sync")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Syncer) => T): T {
    return work(this)
  }
}

/** Names a Terminal in requests. */
export type TerminalID = string

/** An object of the API. */
export class Terminal extends BaseObject {
  static override readonly apiName: string = "Terminal"

  /** What names this object in requests. */
  id(): Promise<TerminalID> {
    return this._id()
  }

  /** The field `sync`. */
  sync(): Promise<Terminal> {
    return this._loaded(Terminal, "sync")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Terminal) => T): T {
    return work(this)
  }
}

/** Options of `withEnum`. */
export interface TypeDefWithEnumOpts {
  /** The value `description`. */
  description?: string
  /** The value `sourceMap`. */
  sourceMap?: SourceMap
}

/** Options of `withEnumMember`. */
export interface TypeDefWithEnumMemberOpts {
  /** The value `value`. */
  value?: string
  /** The value `description`. */
  description?: string
  /** The value `sourceMap`. */
  sourceMap?: SourceMap
  /** The value `deprecated`. */
  deprecated?: string
}

/** Options of `withEnumValue`. */
export interface TypeDefWithEnumValueOpts {
  /** The value `description`. */
  description?: string
  /** The value `sourceMap`. */
  sourceMap?: SourceMap
  /** The value `deprecated`. */
  deprecated?: string
}

/** Options of `withField`. */
export interface TypeDefWithFieldOpts {
  /** The value `description`. */
  description?: string
  /** The value `sourceMap`. */
  sourceMap?: SourceMap
  /** The value `deprecated`. */
  deprecated?: string
}

/** Options of `withInterface`. */
export interface TypeDefWithInterfaceOpts {
  /** The value `description`. */
  description?: string
  /** The value `sourceMap`. */
  sourceMap?: SourceMap
}

/** Options of `withObject`. */
export interface TypeDefWithObjectOpts {
  /** The value `description`. */
  description?: string
  /** The value `sourceMap`. */
  sourceMap?: SourceMap
  /** The value `deprecated`. */
  deprecated?: string
}

/** Options of `withScalar`. */
export interface TypeDefWithScalarOpts {
  /** The value `description`. */
  description?: string
}

/** Names a TypeDef in requests. */
export type TypeDefID = string

/** An object of the API. */
export class TypeDef extends BaseObject {
  static override readonly apiName: string = "TypeDef"

  /** What names this object in requests. */
  id(): Promise<TypeDefID> {
    return this._id()
  }

  /** The field `asEnum`. */
  asEnum(): EnumTypeDef {
    return new EnumTypeDef(this, "asEnum")
  }

  /** The field `asInput`. */
  asInput(): InputTypeDef {
    return new InputTypeDef(this, "asInput")
  }

  /** The field `asInterface`. */
  asInterface(): InterfaceTypeDef {
    return new InterfaceTypeDef(this, "asInterface")
  }

  /** The field `asList`. */
  asList(): ListTypeDef {
    return new ListTypeDef(this, "asList")
  }

  /** The field `asObject`. */
  asObject(): ObjectTypeDef {
    return new ObjectTypeDef(this, "asObject")
  }

  /** The field `asScalar`. */
  asScalar(): ScalarTypeDef {
    return new ScalarTypeDef(this, "asScalar")
  }

  /** The field `kind`. */
  kind(): Promise<TypeDefKind> {
    return this._value("kind")
  }

  /** The field `name`. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** The field `optional`. */
  optional(): Promise<boolean> {
    return this._value("optional")
  }

  /** The field `withConstructor`. */
  withConstructor(function_: Function_): TypeDef {
    return new TypeDef(this, "withConstructor", { function: function_ })
  }

  /** The field `withEnum`. */
  withEnum(name: string, opts?: TypeDefWithEnumOpts): TypeDef {
    return new TypeDef(this, "withEnum", { name, ...opts })
  }

  /** The field `withEnumMember`. */
  withEnumMember(name: string, opts?: TypeDefWithEnumMemberOpts): TypeDef {
    return new TypeDef(this, "withEnumMember", { name, ...opts })
  }

  /**
   * The field `withEnumValue`.
   *
   * @deprecated
   */
  withEnumValue(value: string, opts?: TypeDefWithEnumValueOpts): TypeDef {
    return new TypeDef(this, "withEnumValue", { value, ...opts })
  }

  /** The field `withField`. */
  withField(name: string, typeDef: TypeDef, opts?: TypeDefWithFieldOpts): TypeDef {
    return new TypeDef(this, "withField", { name, typeDef, ...opts })
  }

  /** The field `withFunction`. */
  withFunction(function_: Function_): TypeDef {
    return new TypeDef(this, "withFunction", { function: function_ })
  }

  /** The field `withInterface`. */
  withInterface(name: string, opts?: TypeDefWithInterfaceOpts): TypeDef {
    return new TypeDef(this, "withInterface", { name, ...opts })
  }

  /** The field `withKind`. */
  withKind(kind: TypeDefKind): TypeDef {
    return new TypeDef(this, "withKind", { kind }, ["kind"])
  }

  /** The field `withListOf`. */
  withListOf(elementType: TypeDef): TypeDef {
    return new TypeDef(this, "withListOf", { elementType })
  }

  /** The field `withObject`. */
  withObject(name: string, opts?: TypeDefWithObjectOpts): TypeDef {
    return new TypeDef(this, "withObject", { name, ...opts })
  }

  /** The field `withOptional`. */
  withOptional(optional: boolean): TypeDef {
    return new TypeDef(this, "withOptional", { optional })
  }

  /** The field `withScalar`. */
  withScalar(name: string, opts?: TypeDefWithScalarOpts): TypeDef {
    return new TypeDef(this, "withScalar", { name, ...opts })
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: TypeDef) => T): T {
    return work(this)
  }
}

/** One of a few values. */
export enum TypeDefKind {
  /** The value `STRING_KIND`. */
  StringKind = "STRING_KIND",
  /** The value `INTEGER_KIND`. */
  IntegerKind = "INTEGER_KIND",
  /** The value `FLOAT_KIND`. */
  FloatKind = "FLOAT_KIND",
  /** The value `BOOLEAN_KIND`. */
  BooleanKind = "BOOLEAN_KIND",
  /** The value `SCALAR_KIND`. */
  ScalarKind = "SCALAR_KIND",
  /** The value `LIST_KIND`. */
  ListKind = "LIST_KIND",
  /** The value `OBJECT_KIND`. */
  ObjectKind = "OBJECT_KIND",
  /** The value `INTERFACE_KIND`. */
  InterfaceKind = "INTERFACE_KIND",
  /** The value `INPUT_KIND`. */
  InputKind = "INPUT_KIND",
  /** The value `VOID_KIND`. */
  VoidKind = "VOID_KIND",
  /** The value `ENUM_KIND`. */
  EnumKind = "ENUM_KIND",
  /** The value `STRING`. */
  String = "STRING",
  /** The value `INTEGER`. */
  Integer = "INTEGER",
  /** The value `FLOAT`. */
  Float = "FLOAT",
  /** The value `BOOLEAN`. */
  Boolean = "BOOLEAN",
  /** The value `SCALAR`. */
  Scalar = "SCALAR",
  /** The value `LIST`. */
  List = "LIST",
  /** The value `OBJECT`. */
  Object = "OBJECT",
  /** The value `INTERFACE`. */
  Interface = "INTERFACE",
  /** The value `INPUT`. */
  Input = "INPUT",
  /** The value `VOID`. */
  Void = "VOID",
  /** The value `ENUM`. */
  Enum = "ENUM",
}

/** Names a Up in requests. */
export type UpID = string

/** An object of the API. */
export class Up extends BaseObject {
  static override readonly apiName: string = "Up"

  /** What names this object in requests. */
  id(): Promise<UpID> {
    return this._id()
  }

  /** The field `description`. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** The field `name`. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** The field `originalModule`. */
  originalModule(): Module_ {
    return new Module_(this, "originalModule")
  }

  /** The field `path`. */
  path(): Promise<string[]> {
    return this._value("path")
  }

  /** The field `run`. */
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

/** An object of the API. */
export class UpGroup extends BaseObject {
  static override readonly apiName: string = "UpGroup"

  /** What names this object in requests. */
  id(): Promise<UpGroupID> {
    return this._id()
  }

  /** The field `list`. */
  list(): Promise<Up[]> {
    return this._objects(Up, "list")
  }

  /** The field `run`. */
  run(): UpGroup {
    return new UpGroup(this, "run")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: UpGroup) => T): T {
    return work(this)
  }
}

/** Names a Volume in requests. */
export type VolumeID = string

/** An object of the API. */
export class Volume extends BaseObject {
  static override readonly apiName: string = "Volume"

  /** What names this object in requests. */
  id(): Promise<VolumeID> {
    return this._id()
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Volume) => T): T {
    return work(this)
  }
}

/** Options of `agents`. */
export interface WorkspaceAgentsOpts {
  /** The value `include`. */
  include?: string[]
}

/** Options of `changes`. */
export interface WorkspaceChangesOpts {
  /** The value `from`. */
  from?: Workspace
}

/** Options of `checks`. */
export interface WorkspaceChecksOpts {
  /** The value `include`. */
  include?: string[]
  /** The value `skip`. */
  skip?: string[]
  /** The value `noGenerate`. */
  noGenerate?: boolean
  /** The value `onlyGenerate`. */
  onlyGenerate?: boolean
}

/** Options of `configRead`. */
export interface WorkspaceConfigReadOpts {
  /** The value `key`. */
  key?: string
}

/** Options of `directory`. */
export interface WorkspaceDirectoryOpts {
  /** The value `exclude`. */
  exclude?: string[]
  /** The value `include`. */
  include?: string[]
  /** The value `gitignore`. */
  gitignore?: boolean
}

/** Options of `findRoots`. */
export interface WorkspaceFindRootsOpts {
  /** The value `start`. */
  start?: string
  /** The value `exclude`. */
  exclude?: string[]
}

/** Options of `findUp`. */
export interface WorkspaceFindUpOpts {
  /** The value `from`. */
  from?: string
}

/** Options of `generators`. */
export interface WorkspaceGeneratorsOpts {
  /** The value `include`. */
  include?: string[]
}

/** Options of `search`. */
export interface WorkspaceSearchOpts {
  /** The value `paths`. */
  paths?: string[]
  /** The value `globs`. */
  globs?: string[]
  /** The value `literal`. */
  literal?: boolean
  /** The value `multiline`. */
  multiline?: boolean
  /** The value `dotall`. */
  dotall?: boolean
  /** The value `insensitive`. */
  insensitive?: boolean
  /** The value `skipIgnored`. */
  skipIgnored?: boolean
  /** The value `skipHidden`. */
  skipHidden?: boolean
  /** The value `filesOnly`. */
  filesOnly?: boolean
  /** The value `limit`. */
  limit?: number
}

/** Options of `services`. */
export interface WorkspaceServicesOpts {
  /** The value `include`. */
  include?: string[]
}

/** Options of `withConfigEnv`. */
export interface WorkspaceWithConfigEnvOpts {
  /** The value `here`. */
  here?: boolean
}

/** Options of `withConfigValue`. */
export interface WorkspaceWithConfigValueOpts {
  /** The value `values`. */
  values?: string[]
  /** The value `here`. */
  here?: boolean
}

/** Options of `withInitClient`. */
export interface WorkspaceWithInitClientOpts {
  /** The value `args`. */
  args?: JSON
  /** The value `here`. */
  here?: boolean
  /** The value `noGenerate`. */
  noGenerate?: boolean
}

/** Options of `withInitModule`. */
export interface WorkspaceWithInitModuleOpts {
  /** The value `path`. */
  path?: string
  /** The value `source`. */
  source?: string
  /** The value `include`. */
  include?: string[]
  /** The value `args`. */
  args?: JSON
  /** The value `here`. */
  here?: boolean
  /** The value `noGenerate`. */
  noGenerate?: boolean
}

/** Options of `withModule`. */
export interface WorkspaceWithModuleOpts {
  /** The value `name`. */
  name?: string
  /** The value `here`. */
  here?: boolean
}

/** Options of `withNewFile`. */
export interface WorkspaceWithNewFileOpts {
  /** The value `permissions`. */
  permissions?: number
}

/** Options of `withSDK`. */
export interface WorkspaceWithSDKOpts {
  /** The value `name`. */
  name?: string
  /** The value `here`. */
  here?: boolean
  /** The value `asSdkName`. */
  asSdkName?: string
}

/** Options of `withoutConfigEnv`. */
export interface WorkspaceWithoutConfigEnvOpts {
  /** The value `here`. */
  here?: boolean
}

/** Options of `withoutConfigValue`. */
export interface WorkspaceWithoutConfigValueOpts {
  /** The value `here`. */
  here?: boolean
}

/** Options of `withoutModule`. */
export interface WorkspaceWithoutModuleOpts {
  /** The value `here`. */
  here?: boolean
}

/** Options of `withoutSDK`. */
export interface WorkspaceWithoutSDKOpts {
  /** The value `here`. */
  here?: boolean
}

/** Names a Workspace in requests. */
export type WorkspaceID = string

/** An object of the API. */
export class Workspace extends BaseObject {
  static override readonly apiName: string = "Workspace"

  /** What names this object in requests. */
  id(): Promise<WorkspaceID> {
    return this._id()
  }

  /** The field `address`. */
  address(): Promise<string> {
    return this._value("address")
  }

  /** The field `agents`. */
  agents(opts?: WorkspaceAgentsOpts): AgentGroup {
    return new AgentGroup(this, "agents", { ...opts })
  }

  /** The field `changes`. */
  changes(opts?: WorkspaceChangesOpts): Changeset {
    return new Changeset(this, "changes", { ...opts })
  }

  /** The field `checks`. */
  checks(opts?: WorkspaceChecksOpts): CheckGroup {
    return new CheckGroup(this, "checks", { ...opts })
  }

  /** The field `configFile`. */
  configFile(): Promise<string> {
    return this._value("configFile")
  }

  /** The field `configRead`. */
  configRead(opts?: WorkspaceConfigReadOpts): Promise<string> {
    return this._value("configRead", { ...opts })
  }

  /** The field `cwd`. */
  cwd(): Promise<string> {
    return this._value("cwd")
  }

  /** The field `directory`. */
  directory(path: string, opts?: WorkspaceDirectoryOpts): Directory {
    return new Directory(this, "directory", { path, ...opts })
  }

  /** The field `envList`. */
  envList(): Promise<string[]> {
    return this._value("envList")
  }

  /** The field `export`. */
  export(): Promise<void> {
    return this._value("export")
  }

  /** The field `file`. */
  file(path: string): File {
    return new File(this, "file", { path })
  }

  /** The field `findRoots`. */
  findRoots(markers: string[], opts?: WorkspaceFindRootsOpts): Promise<string[]> {
    return this._value("findRoots", { markers, ...opts })
  }

  /** The field `findUp`. */
  findUp(name: string, opts?: WorkspaceFindUpOpts): Promise<string> {
    return this._value("findUp", { name, ...opts })
  }

  /** The field `generators`. */
  generators(opts?: WorkspaceGeneratorsOpts): GeneratorGroup {
    return new GeneratorGroup(this, "generators", { ...opts })
  }

  /** The field `git`. */
  git(): WorkspaceGit {
    return new WorkspaceGit(this, "git")
  }

  /** The field `glob`. */
  glob(pattern: string): Promise<string[]> {
    return this._value("glob", { pattern })
  }

  /** The field `migrate`. */
  migrate(): WorkspaceMigration {
    return new WorkspaceMigration(this, "migrate")
  }

  /** The field `module`. */
  module(name: string): WorkspaceModule {
    return new WorkspaceModule(this, "module", { name })
  }

  /** The field `moduleSource`. */
  moduleSource(path: string): ModuleSource {
    return new ModuleSource(this, "moduleSource", { path })
  }

  /** The field `modules`. */
  modules(): Promise<WorkspaceModule[]> {
    return this._objects(WorkspaceModule, "modules")
  }

  /** The field `reloaded`. */
  reloaded(): Workspace {
    return new Workspace(this, "reloaded")
  }

  /** The field `sdk`. */
  sdk(name: string): WorkspaceSDK {
    return new WorkspaceSDK(this, "sdk", { name })
  }

  /** The field `sdks`. */
  sdks(): Promise<WorkspaceSDK[]> {
    return this._objects(WorkspaceSDK, "sdks")
  }

  /** The field `search`. */
  search(pattern: string, opts?: WorkspaceSearchOpts): Promise<SearchResult[]> {
    return this._objects(SearchResult, "search", { pattern, ...opts })
  }

  /** The field `services`. */
  services(opts?: WorkspaceServicesOpts): UpGroup {
    return new UpGroup(this, "services", { ...opts })
  }

  /** The field `withChanges`. */
  withChanges(changes: Changeset): Workspace {
    return new Workspace(this, "withChanges", { changes })
  }

  /** The field `withConfigEnv`. */
  withConfigEnv(name: string, opts?: WorkspaceWithConfigEnvOpts): Workspace {
    return new Workspace(this, "withConfigEnv", { name, ...opts })
  }

  /** The field `withConfigValue`. */
  withConfigValue(key: string, value: string, opts?: WorkspaceWithConfigValueOpts): Workspace {
    return new Workspace(this, "withConfigValue", { key, value, ...opts })
  }

  /** The field `withInitClient`. */
  withInitClient(path: string, sdk: string, module: string, opts?: WorkspaceWithInitClientOpts): Workspace {
    return new Workspace(this, "withInitClient", { path, sdk, module, ...opts })
  }

  /** The field `withInitModule`. */
  withInitModule(name: string, sdk: string, opts?: WorkspaceWithInitModuleOpts): Workspace {
    return new Workspace(this, "withInitModule", { name, sdk, ...opts })
  }

  /** The field `withModule`. */
  withModule(ref: string, opts?: WorkspaceWithModuleOpts): Workspace {
    return new Workspace(this, "withModule", { ref, ...opts })
  }

  /** The field `withMountedDirectory`. */
  withMountedDirectory(path: string, source: Directory): Workspace {
    return new Workspace(this, "withMountedDirectory", { path, source })
  }

  /** The field `withMountedFile`. */
  withMountedFile(path: string, source: File): Workspace {
    return new Workspace(this, "withMountedFile", { path, source })
  }

  /** The field `withNewDirectory`. */
  withNewDirectory(path: string, source: Directory): Workspace {
    return new Workspace(this, "withNewDirectory", { path, source })
  }

  /** The field `withNewFile`. */
  withNewFile(path: string, contents: string, opts?: WorkspaceWithNewFileOpts): Workspace {
    return new Workspace(this, "withNewFile", { path, contents, ...opts })
  }

  /** The field `withSDK`. */
  withSDK(ref: string, opts?: WorkspaceWithSDKOpts): Workspace {
    return new Workspace(this, "withSDK", { ref, ...opts })
  }

  /** The field `withUpdatedLock`. */
  withUpdatedLock(): Workspace {
    return new Workspace(this, "withUpdatedLock")
  }

  /** The field `withWorkdir`. */
  withWorkdir(path: string): Workspace {
    return new Workspace(this, "withWorkdir", { path })
  }

  /** The field `withoutConfigEnv`. */
  withoutConfigEnv(name: string, opts?: WorkspaceWithoutConfigEnvOpts): Workspace {
    return new Workspace(this, "withoutConfigEnv", { name, ...opts })
  }

  /** The field `withoutConfigValue`. */
  withoutConfigValue(key: string, opts?: WorkspaceWithoutConfigValueOpts): Workspace {
    return new Workspace(this, "withoutConfigValue", { key, ...opts })
  }

  /** The field `withoutDirectory`. */
  withoutDirectory(path: string): Workspace {
    return new Workspace(this, "withoutDirectory", { path })
  }

  /** The field `withoutFile`. */
  withoutFile(path: string): Workspace {
    return new Workspace(this, "withoutFile", { path })
  }

  /** The field `withoutModule`. */
  withoutModule(name: string, opts?: WorkspaceWithoutModuleOpts): Workspace {
    return new Workspace(this, "withoutModule", { name, ...opts })
  }

  /** The field `withoutSDK`. */
  withoutSDK(name: string, opts?: WorkspaceWithoutSDKOpts): Workspace {
    return new Workspace(this, "withoutSDK", { name, ...opts })
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: Workspace) => T): T {
    return work(this)
  }
}

/** Names a WorkspaceGit in requests. */
export type WorkspaceGitID = string

/** An object of the API. */
export class WorkspaceGit extends BaseObject {
  static override readonly apiName: string = "WorkspaceGit"

  /** What names this object in requests. */
  id(): Promise<WorkspaceGitID> {
    return this._id()
  }

  /** The field `head`. */
  head(): GitRef {
    return new GitRef(this, "head")
  }

  /** The field `uncommitted`. */
  uncommitted(): Changeset {
    return new Changeset(this, "uncommitted")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: WorkspaceGit) => T): T {
    return work(this)
  }
}

/** Names a WorkspaceMigration in requests. */
export type WorkspaceMigrationID = string

/** An object of the API. */
export class WorkspaceMigration extends BaseObject {
  static override readonly apiName: string = "WorkspaceMigration"

  /** What names this object in requests. */
  id(): Promise<WorkspaceMigrationID> {
    return this._id()
  }

  /** The field `changes`. */
  changes(): Changeset {
    return new Changeset(this, "changes")
  }

  /** The field `steps`. */
  steps(): Promise<WorkspaceMigrationStep[]> {
    return this._objects(WorkspaceMigrationStep, "steps")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: WorkspaceMigration) => T): T {
    return work(this)
  }
}

/** Names a WorkspaceMigrationStep in requests. */
export type WorkspaceMigrationStepID = string

/** An object of the API. */
export class WorkspaceMigrationStep extends BaseObject {
  static override readonly apiName: string = "WorkspaceMigrationStep"

  /** What names this object in requests. */
  id(): Promise<WorkspaceMigrationStepID> {
    return this._id()
  }

  /** The field `changes`. */
  changes(): Changeset {
    return new Changeset(this, "changes")
  }

  /** The field `code`. */
  code(): Promise<string> {
    return this._value("code")
  }

  /** The field `description`. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** The field `warnings`. */
  warnings(): Promise<string[]> {
    return this._value("warnings")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: WorkspaceMigrationStep) => T): T {
    return work(this)
  }
}

/** Names a WorkspaceModule in requests. */
export type WorkspaceModuleID = string

/** An object of the API. */
export class WorkspaceModule extends BaseObject {
  static override readonly apiName: string = "WorkspaceModule"

  /** What names this object in requests. */
  id(): Promise<WorkspaceModuleID> {
    return this._id()
  }

  /** The field `entrypoint`. */
  entrypoint(): Promise<boolean> {
    return this._value("entrypoint")
  }

  /** The field `name`. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** The field `settings`. */
  settings(): Promise<WorkspaceModuleSetting[]> {
    return this._objects(WorkspaceModuleSetting, "settings")
  }

  /** The field `source`. */
  source(): Promise<string> {
    return this._value("source")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: WorkspaceModule) => T): T {
    return work(this)
  }
}

/** Names a WorkspaceModuleSetting in requests. */
export type WorkspaceModuleSettingID = string

/** An object of the API. */
export class WorkspaceModuleSetting extends BaseObject {
  static override readonly apiName: string = "WorkspaceModuleSetting"

  /** What names this object in requests. */
  id(): Promise<WorkspaceModuleSettingID> {
    return this._id()
  }

  /** The field `description`. */
  description(): Promise<string> {
    return this._value("description")
  }

  /** The field `isList`. */
  isList(): Promise<boolean> {
    return this._value("isList")
  }

  /** The field `key`. */
  key(): Promise<string> {
    return this._value("key")
  }

  /** The field `value`. */
  value(): Promise<string> {
    return this._value("value")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: WorkspaceModuleSetting) => T): T {
    return work(this)
  }
}

/** Names a WorkspaceSDK in requests. */
export type WorkspaceSDKID = string

/** An object of the API. */
export class WorkspaceSDK extends BaseObject {
  static override readonly apiName: string = "WorkspaceSDK"

  /** What names this object in requests. */
  id(): Promise<WorkspaceSDKID> {
    return this._id()
  }

  /** The field `clients`. */
  clients(): Promise<WorkspaceModule[]> {
    return this._objects(WorkspaceModule, "clients")
  }

  /** The field `modules`. */
  modules(): Promise<WorkspaceModule[]> {
    return this._objects(WorkspaceModule, "modules")
  }

  /** The field `name`. */
  name(): Promise<string> {
    return this._value("name")
  }

  /** The field `ref`. */
  ref(): Promise<string> {
    return this._value("ref")
  }

  /** Applies a function, keeping the chain in one piece. */
  with<T>(work: (from: WorkspaceSDK) => T): T {
    return work(this)
  }
}

/** The API, in the session that this program runs in. */
export const dag: Client = new Client()
