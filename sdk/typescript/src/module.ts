/**
 * What modules are declared with.
 *
 * The engine reads types and options from the source text, so the decorators only remember the classes:
 * one that is not exported could not be found otherwise.
 */

/** Makes a number a floating point number in the API; a plain `number` is a whole one. */
export type float = number

/** Options of {@link func}. */
export interface FunctionOptions {
  /** Name in the API. */
  alias?: string
  /** How long results may be used again: `"never"`, `"session"`, or a time such as `"10m"`. */
  cache?: string
}

/** Options of {@link argument}. */
export interface ArgumentOptions {
  /** Directory or file of the module's repository that is taken when none is given. */
  defaultPath?: string
  /** Address of a container image that is taken when none is given. */
  defaultAddress?: string
  /** Patterns of files that are left out of a directory. */
  ignore?: string[]
  /** Why it should no longer be used. */
  deprecated?: string
}

/** A class as a decorator sees it. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- constructors take anything
export type Class = abstract new (...args: any[]) => object

type MemberDecorator = (target: object, name: string, descriptor?: PropertyDescriptor) => void

const classes = new Map<string, Class>()

/** The class of this name that has `@object()`. @internal */
export function classNamed(name: string): Class | undefined {
  return classes.get(name)
}

/** Makes a class a type of the API; the one named as the module is what a call starts from. */
export function object(): <T extends Class>(target: T) => T
export function object<T extends Class>(target: T): T
export function object(target?: Class): unknown {
  const remember = (found: Class) => {
    classes.set(found.name, found)
    return found
  }
  return target === undefined ? remember : remember(target)
}

function member(): MemberDecorator {
  return () => undefined
}

/** Makes a method a function of the API, or shows a property in it. */
export function func(options?: string | FunctionOptions): MemberDecorator
export function func(target: object, name: string, descriptor?: PropertyDescriptor): void
export function func(_first?: unknown, name?: string): MemberDecorator | undefined {
  return name === undefined ? member() : undefined
}

/** Shows a property in the API; the same as {@link func}. */
export const field: (options?: string | FunctionOptions) => MemberDecorator = member

/** Says more about an argument. */
export const argument: (
  options?: ArgumentOptions,
) => (target: object, name: string | undefined, at: number) => void = () => () => undefined

/** Makes a class with static members an enum of the API. A native `enum` needs nothing. */
export function enumType(): <T extends Class>(target: T) => T {
  return (target) => target
}

/** Makes a function one of those that `nsci check` runs. */
export const check: () => MemberDecorator = member

/** Makes a function one of those that `nsci generate` runs. */
export const generate: () => MemberDecorator = member

/** Makes a function one of those that `nsci up` starts. */
export const up: () => MemberDecorator = member

/** Makes a function an agent. */
export const agent: () => MemberDecorator = member
