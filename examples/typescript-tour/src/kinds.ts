import { func, object } from "@dagger.io/dagger"

/** How much is done. */
export enum Level {
  /** Only what is quick. */
  Quick = "quick",
  /** Everything. */
  Full = "full",
}

/** What a run came to. */
export type Summary = {
  /** Commands that ran. */
  commands: string[]
  /** Whether all went well. */
  ok: boolean
}

/** Notes that are added to. */
@object()
export class Notes {
  /** The notes, in order. */
  @func() lines: string[] = []

  /** Add a note. */
  @func()
  add(line: string): Notes {
    this.lines.push(line)
    return this
  }

  /** The notes as one text. */
  @func()
  text(): string {
    return this.lines.join("\n")
  }
}
