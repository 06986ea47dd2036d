/**
 * Runs one function of a module: what the engine starts in a container for each call.
 *
 * Asks the session which function to run, loads the module's scripts meanwhile, runs it and hands back the
 * result. Exit codes: 0 done, 2 the function failed and the engine knows why, 1 anything else.
 */

import { readFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"

import { defaultSession } from "./connection.js"
import { FunctionNotFound, GraphQLRequestError } from "./errors.js"
import { classNamed } from "./module.js"
import { trustExtra } from "./trust.js"
import {
  type Description,
  type Method,
  type ObjectInfo,
  type Parameter,
  useDependencies,
  Values,
} from "./values.js"

/** What the engine wants to be run. */
interface Call {
  parentName: string
  name: string
  parent: string
  inputArgs: { name: string; value: string }[]
}

type Decorator = (target: unknown, name?: string, descriptor?: PropertyDescriptor) => unknown

const ASK = "query{currentFunctionCall{parentName name parent inputArgs{name value}}}"

/** The functions that transpiled decorators call. */
const helpers = {
  decorate(
    decorators: Decorator[],
    target: object,
    name?: string,
    descriptor?: PropertyDescriptor | null,
  ): unknown {
    const reversed = [...decorators].reverse()
    if (name === undefined) {
      return reversed.reduce<unknown>((made, decorator) => decorator(made) ?? made, target)
    }
    const own = descriptor === null ? Object.getOwnPropertyDescriptor(target, name) : descriptor
    const made = reversed.reduce<unknown>(
      (made, decorator) => decorator(target, name, made as PropertyDescriptor) ?? made,
      own,
    )
    if (made !== undefined && typeof made === "object" && made !== null) {
      Object.defineProperty(target, name, made)
    }
    return made
  },
  decorateParam(
    at: number,
    decorator: (target: unknown, name: string | undefined, at: number) => void,
  ): Decorator {
    return (target, name) => {
      decorator(target, name, at)
    }
  },
}

async function main(): Promise<number> {
  const session = defaultSession()
  const asked = session.request(ASK)
  // It is waited for below.
  asked.catch(() => undefined)
  Object.assign(globalThis, { babelHelpers: helpers })
  // Errors name the lines of the source, not of what was made of it.
  process.setSourceMapsEnabled(true)
  Error.stackTraceLimit = 50
  try {
    await trustExtra()
    const root = process.env["NSCI_MODULE_ROOT"] ?? "."
    const text = readFileSync(join(root, ".nsci-module.json"), "utf8")
    const module = JSON.parse(text) as Description
    const script = (file: string) =>
      import(pathToFileURL(join(root, file)).href) as Promise<Record<string, unknown>>
    const types = module.dependencies === null ? Promise.resolve({}) : script(module.dependencies)
    const loaded = Promise.all([types, ...module.files.map(script)])
    // Whichever fails first is waited for below.
    loaded.catch(() => undefined)
    const { currentFunctionCall } = (await asked) as unknown as { currentFunctionCall: Call }
    const [dependencies] = await loaded
    useDependencies(dependencies)
    const result = JSON.stringify(await answer(module, currentFunctionCall))
    await session.request(
      `query{currentFunctionCall{returnValue(value:${JSON.stringify(result)})}}`,
    )
    return 0
  } catch (error) {
    await report(error)
    return 2
  }
}

async function answer(module: Description, call: Call): Promise<unknown> {
  const info = module.objects[call.parentName]
  if (info?.class === null || info === undefined) {
    throw new FunctionNotFound(`there is no object \`${call.parentName}\` with functions`)
  }
  const values = new Values(module)
  const given = new Map(call.inputArgs.map(({ name, value }) => [name, JSON.parse(value) as unknown]))
  if (call.name === "") {
    const made = construct(info.class, info, given, values)
    return values.encodeState(made as Record<string, unknown>, info)
  }
  const method = info.functions[call.name]
  if (method === undefined) {
    throw new FunctionNotFound(`\`${call.parentName}\` has no function \`${call.name}\``)
  }
  const state = (JSON.parse(call.parent) ?? {}) as Record<string, unknown>
  const instance = values.decodeState(state, info) as Record<string, unknown>
  return values.encode(await run(instance, method, given, values), method.returns)
}

function construct(
  name: string,
  info: ObjectInfo,
  given: Map<string, unknown>,
  values: Values,
): object {
  const found = classNamed(name)
  if (found === undefined) {
    throw new FunctionNotFound(`class \`${name}\` was not declared when its file was loaded`)
  }
  const made = found as new (...args: unknown[]) => object
  return new made(...parameters(info.constructor ?? [], given, values))
}

async function run(
  instance: Record<string, unknown>,
  method: Method,
  given: Map<string, unknown>,
  values: Values,
): Promise<unknown> {
  const member = instance[method.property]
  if (method.getter || typeof member !== "function") {
    return member
  }
  const args = parameters(method.args, given, values)
  return (await Reflect.apply(member, instance, args)) as unknown
}

/** Arguments in order; one that was not given is undefined, so that its default applies. */
function parameters(
  declared: Parameter[],
  given: Map<string, unknown>,
  values: Values,
): unknown[] {
  return declared.flatMap(({ name, type, rest }) => {
    const value = values.decode(given.get(name), type)
    return rest ? (value ?? []) : [value]
  })
}

async function report(error: unknown): Promise<void> {
  const session = defaultSession()
  let extensions: Record<string, unknown> = {}
  if (error instanceof GraphQLRequestError) {
    extensions = error.extensions
  }
  if (!(error instanceof GraphQLRequestError || error instanceof FunctionNotFound)) {
    console.error(error instanceof Error ? trace(error) : error)
  }
  const named = Object.entries(extensions)
  const calls = [
    `error(message:${JSON.stringify(message(error))})`,
    ...named.map(([name, value]) => {
      const text = JSON.stringify(JSON.stringify(value))
      return `withValue(name:${JSON.stringify(name)},value:${text})`
    }),
  ]
  const answer = await session.request(`query{${calls.join("{")}{id${"}".repeat(calls.length + 1)}`)
  let made = answer["error"] as Record<string, unknown>
  while (typeof made["id"] !== "string") {
    made = made["withValue"] as Record<string, unknown>
  }
  const id = JSON.stringify(made["id"])
  await session.request(`query{currentFunctionCall{returnError(error:${id})}}`)
}

function message(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error)
  }
  if (error instanceof GraphQLRequestError || error instanceof FunctionNotFound) {
    return error.message
  }
  if (error.message === "") {
    return error.name
  }
  // Whoever shows it says that it is an error.
  return error.name === "Error" ? error.message : `${error.name}: ${error.message}`
}

/** Where the module's code failed, without the frames that led there. */
function trace(error: Error): string {
  const lines = (error.stack ?? String(error)).split("\n")
  const own = new URL(".", import.meta.url).pathname
  return lines.filter((line) => !line.includes(own) && !line.includes("(node:")).join("\n")
}

process.exit(
  await main().catch((error: unknown) => {
    console.error(error)
    return 1
  }),
)
