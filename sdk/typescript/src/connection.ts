/** Finding, starting and ending a session. */

import type { Client } from "./client.gen.js"
import {
  EngineSessionConnectParamsParseError,
  EngineSessionError,
  InitEngineSessionBinaryError,
} from "./errors.js"
import { Session } from "./transport.js"

/** Settings of a connection. */
export interface ConnectOpts {
  /** Directory the engine takes relative paths of the host from. */
  Workdir?: string
  /** Where the engine's progress is written, such as `process.stderr`. */
  LogOutput?: NodeJS.WritableStream
}

/** The same, under another name. */
export type ConnectConfig = ConnectOpts

/** A function that is given a client. */
export type CallbackFct = (client: Client) => Promise<unknown>

let current: Session | undefined

/** The session of `dag`: the one of the environment, or the one a {@link connection} began. */
export function defaultSession(): Session {
  current ??= fromEnvironment()
  if (current === undefined) {
    throw new EngineSessionError(
      "there is no session: run this program with `nsci run`, or put the code into " +
        "`connection(async () => { … })`",
    )
  }
  return current
}

/**
 * Runs a function with a client of its own session.
 *
 * Joins the session of the environment (`nsci run`), or starts an engine for the length of the call.
 */
export async function connect(work: CallbackFct, opts: ConnectOpts = {}): Promise<void> {
  const [session, { Client }] = await Promise.all([open(opts), import("./client.gen.js")])
  try {
    await work(new Client(session))
  } finally {
    await session.close()
  }
}

/** Runs a function during which `dag` has a session. */
export async function connection(
  work: () => Promise<unknown>,
  opts: ConnectOpts = {},
): Promise<void> {
  const before = current
  const session = await open(opts)
  current = session
  try {
    await work()
  } finally {
    current = before
    await session.close()
  }
}

/** Ends the session of `dag`. */
export async function close(): Promise<void> {
  const session = current
  current = undefined
  await session?.close()
}

async function open(opts: ConnectOpts): Promise<Session> {
  return fromEnvironment(opts) ?? (await spawned(opts))
}

function fromEnvironment(opts: ConnectOpts = {}): Session | undefined {
  const env = process.env
  const port = env["NSCI_SESSION_PORT"] ?? env["DAGGER_SESSION_PORT"]
  if (port === undefined || port === "") {
    return undefined
  }
  const token = env["NSCI_SESSION_TOKEN"] ?? env["DAGGER_SESSION_TOKEN"]
  if (token === undefined || token === "") {
    throw new EngineSessionError("DAGGER_SESSION_PORT is set but DAGGER_SESSION_TOKEN is not")
  }
  if (!/^\d+$/.test(port)) {
    throw new EngineSessionError(`DAGGER_SESSION_PORT is not a port: ${port}`)
  }
  if (opts.Workdir !== undefined && ![".", "", process.cwd()].includes(opts.Workdir)) {
    throw new EngineSessionError("the working directory of a running session cannot be changed")
  }
  return new Session(Number(port), token)
}

async function spawned(opts: ConnectOpts): Promise<Session> {
  // Modules never start an engine, so these are only loaded here.
  const [{ spawn }, path, { createInterface }] = await Promise.all([
    import("node:child_process"),
    import("node:path"),
    import("node:readline"),
  ])
  const program =
    process.env["NSCI_CLI_BIN"] ?? process.env["_EXPERIMENTAL_DAGGER_CLI_BIN"] ?? "nsci"
  const args = ["session", "--label", "dagger.io/sdk.name:typescript"]
  if (opts.Workdir !== undefined && opts.Workdir !== "") {
    args.push("--workdir", path.resolve(opts.Workdir))
  }
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] })
  if (opts.LogOutput === undefined) {
    child.stderr.resume()
  } else {
    child.stderr.pipe(opts.LogOutput, { end: false })
  }
  const ended = new Promise<number | string>((resolve) => {
    child.once("exit", (code, signal) => {
      resolve(code ?? signal ?? 1)
    })
  })
  const line = await new Promise<string>((resolve, reject) => {
    const lines = createInterface({ input: child.stdout })
    child.once("error", (error) => {
      reject(
        new InitEngineSessionBinaryError(
          `cannot start \`${program}\`: ${error.message}; install nsci or set NSCI_CLI_BIN to it`,
          error,
        ),
      )
    })
    lines.once("line", (line) => {
      resolve(line)
    })
    lines.once("close", () => {
      void ended.then((code) => {
        reject(new EngineSessionError(`\`${program}\` did not start a session (${code})`))
      })
    })
  })
  const { port, token } = parameters(line, program)
  return new Session(port, token, async () => {
    child.stdin.end()
    child.stdout.destroy()
    const code = await ended
    if (code !== 0) {
      throw new EngineSessionError(`the engine ended with ${code}`)
    }
  })
}

function parameters(line: string, program: string): { port: number; token: string } {
  try {
    const said = JSON.parse(line) as { port?: unknown; session_token?: unknown }
    if (typeof said.port === "number" && typeof said.session_token === "string") {
      return { port: said.port, token: said.session_token }
    }
  } catch {
    // Said below.
  }
  throw new EngineSessionConnectParamsParseError(
    `\`${program}\` did not say how to connect to it: ${line}`,
  )
}
