/** What can go wrong between a program and the engine. */

/** An error as the engine writes it. */
export interface EngineError {
  /** What went wrong. */
  message: string
  /** Which field of the query it belongs to. */
  path?: (string | number)[]
  /** Values the engine attached to it. */
  extensions?: Record<string, unknown>
}

/** Base of every error of this package. */
export class DaggerSDKError extends Error {
  /** The error that led to this one. */
  override readonly cause?: unknown

  constructor(message: string, cause?: unknown) {
    super(message)
    this.name = new.target.name
    if (cause !== undefined) {
      this.cause = cause
    }
  }
}

/** Something that fits no other class. */
export class UnknownDaggerError extends DaggerSDKError {}

/** No engine could be started. */
export class InitEngineSessionBinaryError extends DaggerSDKError {}

/** The engine ended, or the connection to it broke. */
export class EngineSessionError extends DaggerSDKError {}

/** The engine did not say how to connect to it. */
export class EngineSessionConnectParamsParseError extends EngineSessionError {}

/** A value that is a promise was given as an argument. */
export class NotAwaitedRequestError extends DaggerSDKError {}

/** A value cannot be sent to the engine. */
export class InvalidArgumentError extends DaggerSDKError {}

/** A module was asked for a function it does not have. */
export class FunctionNotFound extends DaggerSDKError {}

/** The engine refused a request or failed to carry it out. */
export class GraphQLRequestError extends DaggerSDKError {
  /** Every error of the answer, as the engine sent it. */
  readonly errors: EngineError[]
  /** What was asked. */
  readonly requestQuery: string

  constructor(errors: EngineError[], query: string) {
    super(errors[0]?.message ?? "unknown error")
    this.errors = errors
    this.requestQuery = query
  }

  /** Values the engine attached to the first error. */
  get extensions(): Record<string, unknown> {
    return this.errors[0]?.extensions ?? {}
  }
}

/** A command in a container failed. */
export class ExecError extends GraphQLRequestError {
  /** The command. */
  readonly cmd: string[]
  /** Its exit code. */
  readonly exitCode: number
  /** What it wrote to standard output. */
  readonly stdout: string
  /** What it wrote to standard error. */
  readonly stderr: string

  constructor(errors: EngineError[], query: string) {
    super(errors, query)
    const said = this.extensions
    this.cmd = Array.isArray(said["cmd"]) ? said["cmd"].map(String) : []
    this.exitCode = typeof said["exitCode"] === "number" ? said["exitCode"] : -1
    this.stdout = typeof said["stdout"] === "string" ? said["stdout"] : ""
    this.stderr = typeof said["stderr"] === "string" ? said["stderr"] : ""
  }

  /** The message with what the command wrote. */
  override toString(): string {
    const parts = [`${this.name}: ${this.message}`]
    if (this.stdout !== "") {
      parts.push(`Stdout:\n${this.stdout}`)
    }
    if (this.stderr !== "") {
      parts.push(`Stderr:\n${this.stderr}`)
    }
    return parts.join("\n")
  }
}

/** The error that fits what the engine said. */
export function requestError(errors: EngineError[], query: string): GraphQLRequestError {
  const isExec = errors[0]?.extensions?.["_type"] === "EXEC_ERROR"
  return isExec ? new ExecError(errors, query) : new GraphQLRequestError(errors, query)
}
