/** Values of a module's functions: to JSON and back, by what the engine read from the source. */

import { type Arguments, BaseObject, load, type ObjectClass } from "./base.js"
import * as core from "./client.gen.js"
import { DaggerSDKError } from "./errors.js"
import { classNamed } from "./module.js"

/** A type of the API. */
export interface TypeRef {
  kind:
    | "String"
    | "Integer"
    | "Float"
    | "Boolean"
    | "Void"
    | "Object"
    | "Enum"
    | "Interface"
    | "Scalar"
    | "List"
  name?: string
  of?: TypeRef
  optional?: boolean
}

/** A parameter of a function. */
export interface Parameter {
  name: string
  type: TypeRef
  rest: boolean
}

/** A function of an object or interface. */
export interface Method {
  property: string
  getter: boolean
  args: Parameter[]
  returns: TypeRef
}

/** A type with state. */
export interface ObjectInfo {
  class: string | null
  hasConstructor: boolean
  constructor: Parameter[] | null
  functions: Record<string, Method>
  fields: { key: string; property: string; type: TypeRef | null }[]
}

/** What the engine says about a module. */
export interface Description {
  files: string[]
  dependencies: string | null
  objects: Record<string, ObjectInfo>
  enums: Record<string, Record<string, string | number>>
  interfaces: Record<string, { apiName: string; functions: Record<string, Method> }>
}

/** How an object of the API is kept in state whose type is not known. */
const KEPT = "$nsci.object"

type Plain = Record<string, unknown>

/** Knows how the values of a module are written. */
export class Values {
  private readonly interfaces = new Map<string, ObjectClass<BaseObject>>()

  constructor(private readonly module: Description) {}

  /** Writes a value of a type. */
  async encode(given: unknown, type: TypeRef | null): Promise<unknown> {
    const value = isPromise(given) ? await given : given
    if (value === null || value === undefined || type?.kind === "Void") {
      return null
    }
    if (type === null) {
      return this.encodeAny(value)
    }
    if (type.kind === "List") {
      if (!isIterable(value)) {
        throw new DaggerSDKError(`a list was expected, not ${describe(value)}`)
      }
      const of = type.of ?? null
      return Promise.all([...value].map((element) => this.encode(element, of)))
    }
    if (value instanceof BaseObject) {
      return value._id()
    }
    if (type.kind === "Object" || type.kind === "Interface") {
      const info = this.objectOf(value, type)
      if (info !== undefined && typeof value === "object") {
        return this.encodeState(value as Plain, info)
      }
      if (typeof value === "object") {
        throw new DaggerSDKError(`a ${type.name} was expected, not ${describe(value)}`)
      }
      return value
    }
    if (type.kind === "Enum") {
      const members = Object.entries(this.module.enums[type.name ?? ""] ?? {})
      return members.find(([, known]) => known === value)?.[0] ?? value
    }
    return typeof value === "bigint" ? Number(value) : value
  }

  /** Reads a value of a type. */
  decode(value: unknown, type: TypeRef | null): unknown {
    if (value === null || value === undefined) {
      return undefined
    }
    if (type === null) {
      return this.decodeAny(value)
    }
    const name = type.name ?? ""
    switch (type.kind) {
      case "List":
        return (value as unknown[]).map((element) => this.decode(element, type.of ?? null))
      case "Enum":
        return this.module.enums[name]?.[value as string] ?? value
      case "Interface":
        return load(this.interfaceNamed(name), value as string, core.dag)
      case "Object": {
        const info = this.module.objects[name]
        if (info !== undefined && typeof value === "object") {
          return this.decodeState(value as Plain, info)
        }
        const kind = classOf(name)
        // What a dependency calls an enum is not known where the source is read.
        return kind === undefined ? value : load(kind, value as string, core.dag)
      }
      default:
        return value
    }
  }

  /** Writes the state of an object. */
  async encodeState(value: Plain, info: ObjectInfo): Promise<Plain> {
    const state: Plain = {}
    const known = new Set<string>()
    for (const { key, property, type } of info.fields) {
      known.add(property)
      state[key] = await this.encode(value[property], type)
    }
    for (const [property, content] of Object.entries(value)) {
      if (!known.has(property) && typeof content !== "function" && content !== undefined) {
        state[property] = await this.encodeAny(content)
      }
    }
    return state
  }

  /** Makes an object again from its state. */
  decodeState(state: Plain, info: ObjectInfo): object {
    const made: Plain = {}
    if (info.class !== null) {
      const found = classNamed(info.class)
      if (found === undefined) {
        throw new DaggerSDKError(`class \`${info.class}\` was not declared when its file was loaded`)
      }
      const simple = found as unknown as new () => Plain
      // A constructor that takes arguments has run already; what it did is in the state.
      const instance = info.hasConstructor
        ? (Object.create(found.prototype as object) as Plain)
        : new simple()
      return this.fill(instance, state, info)
    }
    return this.fill(made, state, info)
  }

  private fill(made: Plain, state: Plain, info: ObjectInfo): object {
    const known = new Set<string>()
    for (const { key, property, type } of info.fields) {
      known.add(key)
      const value = this.decode(state[key], type)
      if (value !== undefined) {
        made[property] = value
      }
    }
    for (const [key, value] of Object.entries(state)) {
      if (!known.has(key)) {
        made[key] = this.decodeAny(value)
      }
    }
    return made
  }

  private objectOf(value: unknown, type: TypeRef): ObjectInfo | undefined {
    const declared = this.module.objects[type.name ?? ""]
    if (declared !== undefined || typeof value !== "object" || value === null) {
      return declared
    }
    return this.module.objects[value.constructor.name]
  }

  private async encodeAny(value: unknown): Promise<unknown> {
    if (isPromise(value)) {
      return this.encodeAny(await value)
    }
    if (value instanceof BaseObject) {
      const kind = value.constructor as ObjectClass<BaseObject>
      return { [KEPT]: [kind.apiName ?? kind.name, await value._id()] }
    }
    if (Array.isArray(value)) {
      return Promise.all(value.map((element) => this.encodeAny(element)))
    }
    if (value instanceof Map || value instanceof Set || typeof value === "symbol") {
      throw new DaggerSDKError(`${describe(value)} cannot be kept between calls: use an object or list`)
    }
    if (typeof value === "object" && value !== null) {
      const entries = Object.entries(value).filter(([, content]) => typeof content !== "function")
      const written = entries.map(async ([key, content]) => [key, await this.encodeAny(content)])
      return Object.fromEntries(await Promise.all(written)) as Plain
    }
    return typeof value === "bigint" ? Number(value) : value
  }

  private decodeAny(value: unknown): unknown {
    if (Array.isArray(value)) {
      return value.map((element) => this.decodeAny(element))
    }
    if (typeof value !== "object" || value === null) {
      return value
    }
    const kept = (value as Plain)[KEPT] as [string, string] | undefined
    if (kept !== undefined) {
      return load(classOf(kept[0]) ?? unknownClass(kept[0]), kept[1], core.dag)
    }
    const entries = Object.entries(value).map(([key, content]) => [key, this.decodeAny(content)])
    return Object.fromEntries(entries) as Plain
  }

  /** The class of objects that are known by an interface of the module. */
  private interfaceNamed(name: string): ObjectClass<BaseObject> {
    const made = this.interfaces.get(name)
    if (made !== undefined) {
      return made
    }
    const info = this.module.interfaces[name]
    const kind = unknownClass(info?.apiName ?? name)
    this.interfaces.set(name, kind)
    for (const [method, { args, returns }] of Object.entries(info?.functions ?? {})) {
      const call = this.interfaceMethod(method, args, returns)
      Object.defineProperty(kind.prototype, method, { value: call })
    }
    return kind
  }

  private interfaceMethod(
    name: string,
    args: Parameter[],
    returns: TypeRef,
  ): (this: BaseObject, ...given: unknown[]) => unknown {
    const isObject = (type: TypeRef | undefined) =>
      type?.kind === "Object" || type?.kind === "Interface"
    const kindOf = (type: TypeRef) =>
      type.kind === "Interface"
        ? this.interfaceNamed(type.name ?? "")
        : (classOf(type.name ?? "") ?? unknownClass(type.name ?? ""))
    return function (this: BaseObject, ...given: unknown[]) {
      const named: Arguments = {}
      args.forEach((arg, at) => {
        named[arg.name] = arg.rest ? given.slice(at) : given[at]
      })
      if (isObject(returns)) {
        return new (kindOf(returns))(this, name, named)
      }
      return returns.of !== undefined && isObject(returns.of)
        ? this._objects(kindOf(returns.of), name, named)
        : this._value(name, named)
    }
  }
}

let dependencies: Record<string, unknown> = {}

/** Makes the types of other modules known. */
export function useDependencies(types: Record<string, unknown>): void {
  dependencies = types
}

/** The class of the SDK for a type of the API. */
function classOf(name: string): ObjectClass<BaseObject> | undefined {
  const known = core as Record<string, unknown>
  const found = known[name] ?? known[`${name}_`] ?? dependencies[name] ?? dependencies[`${name}_`]
  return typeof found === "function" ? (found as ObjectClass<BaseObject>) : undefined
}

/** A class for objects that are only handed on. */
function unknownClass(name: string): ObjectClass<BaseObject> {
  return class extends BaseObject {
    static override readonly apiName = name
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  const then = (value as { then?: unknown } | null | undefined)?.then
  return typeof value === "object" && typeof then === "function"
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.iterator in value
}

function describe(value: unknown): string {
  if (typeof value === "object" && value !== null) {
    return `an object of class \`${value.constructor.name}\``
  }
  return `the ${typeof value} \`${String(value)}\``
}
