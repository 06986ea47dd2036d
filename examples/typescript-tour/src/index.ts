/** What a module written in TypeScript can do, a function for each. */

import {
  argument,
  CacheSharingMode,
  type Container,
  dag,
  type Directory,
  ExecError,
  type float,
  func,
  object,
  type Secret,
} from "@dagger.io/dagger"

import { Level, Notes, type Summary } from "./kinds"

@object()
export class Tour {
  /** Image that commands run in. */
  @func() image: string
  private runs = 0

  constructor(image = "alpine:3.20") {
    this.image = image
  }

  /**
   * Greet somebody.
   *
   * @param name Who
   * @param times How often
   */
  @func()
  greet(name: string, times = 1): string {
    return Array<string>(times).fill(`hello, ${name}`).join("\n")
  }

  /** Half of a number. */
  @func()
  half(value: float): float {
    return value / 2
  }

  /** Count the characters of a secret. */
  @func()
  async length(token: Secret): Promise<number> {
    return (await token.plaintext()).length
  }

  /** List the sources that this module is made of. */
  @func()
  async sources(
    @argument({ defaultPath: ".", ignore: ["**/*.json"] }) source: Directory,
  ): Promise<string[]> {
    return source.entries()
  }

  /** Run commands one after another, or only the first. */
  @func()
  async run(commands: string[], level: Level = Level.Full): Promise<Summary> {
    const chosen = level === Level.Quick ? commands.slice(0, 1) : commands
    let ok = true
    for (const command of chosen) {
      try {
        await this.base().withExec(["sh", "-c", command]).sync()
      } catch (error) {
        if (!(error instanceof ExecError)) {
          throw error
        }
        console.log(`${command}: exit code ${error.exitCode}`)
        ok = false
      }
    }
    return { commands: chosen, ok }
  }

  /** Run commands at the same time; what each of them wrote. */
  @func()
  async together(...commands: string[]): Promise<string[]> {
    return Promise.all(
      commands.map((command) => this.base().withExec(["sh", "-c", command]).stdout()),
    )
  }

  /** A container with a cache. */
  @func()
  cached(key = "tour"): Container {
    return this.base().withMountedCache("/cache", dag.cacheVolume(key), {
      sharing: CacheSharingMode.Locked,
    })
  }

  /** Count calls of this object. */
  @func()
  again(): this {
    this.runs += 1
    return this
  }

  /** How often `again` was called. */
  @func()
  count(): number {
    return this.runs
  }

  /** Begin notes. */
  @func()
  notes(first?: string): Notes {
    const notes = new Notes()
    return first === undefined ? notes : notes.add(first)
  }

  /** Look at the time, every time. */
  @func({ alias: "now", cache: "never" })
  currentTime(): string {
    return new Date().toISOString()
  }

  private base(): Container {
    return dag.container().from(this.image)
  }
}
