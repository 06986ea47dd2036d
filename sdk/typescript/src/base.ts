/**
 * What every object of the API can do.
 *
 * An object is a path of calls from the root that has not been asked for yet. A call that returns an object
 * makes the path longer; a call that returns a value sends it, as one request. Objects given as arguments
 * are sent as their ids, which are asked for first. Objects are no promises: `await` leaves them alone.
 */

import { defaultSession } from "./connection.js"
import { InvalidArgumentError, NotAwaitedRequestError } from "./errors.js"
import { Session } from "./transport.js"

/** Arguments of a call by name. */
export type Arguments = Record<string, unknown>

/** Class of an object of the API. */
export type ObjectClass<T extends BaseObject> = (new (
  parent?: BaseObject | Session,
  field?: string,
  args?: Arguments,
  enums?: readonly string[],
) => T) & { readonly apiName?: string }

/** An object of the API. */
export class BaseObject {
  /** Name of the type in the API, where it is not that of the class. */
  static readonly apiName?: string

  readonly #parent: BaseObject | Session | undefined
  readonly #field: string
  readonly #args: Arguments | undefined
  readonly #enums: readonly string[]
  #known: Promise<string> | undefined

  /**
   * Objects are made by calls of other objects; only a client is made by itself.
   *
   * `enums` names the arguments, at any depth, that are members of enums.
   */
  constructor(
    parent?: BaseObject | Session,
    field = "",
    args?: Arguments,
    enums: readonly string[] = [],
  ) {
    this.#parent = parent
    this.#field = field
    this.#args = args
    this.#enums = enums
  }

  /** Asks for the value of a field. @internal */
  async _value<T>(
    field: string,
    args?: Arguments,
    enums?: readonly string[],
  ): Promise<T> {
    return (await this.#fetch(field, args, enums)) as T
  }

  /** Asks for a list of objects. @internal */
  async _objects<T extends BaseObject>(
    kind: ObjectClass<T>,
    field: string,
    args?: Arguments,
    enums?: readonly string[],
  ): Promise<T[]> {
    const found = (await this.#fetch(field, args, enums, "{id}")) as { id: string }[] | null
    return (found ?? []).map(({ id }) => load(kind, id, this._root()))
  }

  /** Asks for an object by its id. @internal */
  async _loaded<T extends BaseObject>(
    kind: ObjectClass<T>,
    field: string,
    args?: Arguments,
    enums?: readonly string[],
  ): Promise<T> {
    return load(kind, (await this.#fetch(field, args, enums)) as string, this._root())
  }

  /** What names this object in requests. @internal */
  _id(): Promise<string> {
    this.#known ??= this.#fetch("id") as Promise<string>
    return this.#known
  }

  /** Notes what names this object. @internal */
  _setId(id: string): void {
    this.#known = Promise.resolve(id)
  }

  /** The client that this object comes from. @internal */
  _root(): BaseObject {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- it walks up from here
    let node: BaseObject = this
    while (node.#field !== "" && node.#parent instanceof BaseObject) {
      node = node.#parent
    }
    return node
  }

  /** How this object is made, for people. */
  toString(): string {
    const names = this.#path().map((node) => node.#field)
    return `[${this.constructor.name}${names.length > 0 ? ` ${names.join(".")}` : ""}]`
  }

  /** The calls that lead here, the first one first. */
  #path(): BaseObject[] {
    const path: BaseObject[] = []
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- it walks up from here
    let node: BaseObject = this
    while (node.#field !== "" && node.#parent instanceof BaseObject) {
      path.push(node)
      node = node.#parent
    }
    return path.reverse()
  }

  async #fetch(
    field: string,
    args?: Arguments,
    enums: readonly string[] = [],
    below = "",
  ): Promise<unknown> {
    const path = this.#path()
    const ids = await known([...path.map((node) => node.#args), args])
    const calls = path.map((node) => call(node.#field, node.#args, node.#enums, ids))
    calls.push(call(field, args, enums, ids))
    const query = `query{${calls.join("{")}${below}${"}".repeat(calls.length)}`
    const root = this._root().#parent
    const session = root instanceof Session ? root : defaultSession()
    let value: unknown = await session.request(query)
    for (const name of [...path.map((node) => node.#field), field]) {
      if (value === null || value === undefined) {
        return null
      }
      value = (value as Record<string, unknown>)[name]
    }
    return value
  }
}

/** The object of a type that an id names. */
export function load<T extends BaseObject>(kind: ObjectClass<T>, id: string, root: BaseObject): T {
  const name = kind.apiName ?? kind.name
  const loaded = new kind(root, `load${name}FromID`, { id })
  loaded._setId(id)
  return loaded
}

/** Asks for the ids of all objects in arguments, at once. */
async function known(args: (Arguments | undefined)[]): Promise<Map<BaseObject, string>> {
  const objects = new Set<BaseObject>()
  for (const given of args) {
    if (given !== undefined) {
      collect(given, objects)
    }
  }
  const pairs = [...objects].map(async (object) => [object, await object._id()] as const)
  return objects.size === 0 ? new Map() : new Map(await Promise.all(pairs))
}

function collect(value: unknown, found: Set<BaseObject>): void {
  if (value instanceof BaseObject) {
    found.add(value)
  } else if (Array.isArray(value)) {
    for (const element of value) {
      collect(element, found)
    }
  } else if (typeof value === "object" && value !== null) {
    if (typeof (value as { then?: unknown }).then === "function") {
      throw new NotAwaitedRequestError("an argument is a promise: write `await` before it")
    }
    for (const element of Object.values(value)) {
      collect(element, found)
    }
  }
}

function call(
  field: string,
  args: Arguments | undefined,
  enums: readonly string[],
  ids: Map<BaseObject, string>,
): string {
  const written = fields(args ?? {}, enums, ids)
  return written === "" ? field : `${field}(${written})`
}

function fields(values: Arguments, enums: readonly string[], ids: Map<BaseObject, string>): string {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}:${literal(value, enums.includes(name), enums, ids)}`)
    .join(",")
}

/** Writes a value in the API's notation. */
function literal(
  value: unknown,
  isEnum: boolean,
  enums: readonly string[],
  ids: Map<BaseObject, string>,
): string {
  if (value instanceof BaseObject) {
    return JSON.stringify(ids.get(value))
  }
  if (Array.isArray(value)) {
    return `[${value.map((element) => literal(element, isEnum, enums, ids)).join(",")}]`
  }
  switch (typeof value) {
    case "string":
      return isEnum ? value : JSON.stringify(value)
    case "number":
      if (!Number.isFinite(value)) {
        throw new InvalidArgumentError(`${value} cannot be sent`)
      }
      return String(value)
    case "boolean":
    case "bigint":
      return String(value)
    case "object":
      return value === null ? "null" : `{${fields(value as Arguments, enums, ids)}}`
    default:
      throw new InvalidArgumentError(`a ${typeof value} cannot be sent`)
  }
}
