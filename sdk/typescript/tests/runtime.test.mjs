import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, test } from "node:test"
import { fileURLToPath } from "node:url"

import { fakeSession, nested } from "./fake.mjs"

const SDK = fileURLToPath(new URL("../dist/", import.meta.url))

// What the transpiler makes of a module.
const SCRIPT = `
import { dag, func, object } from "${SDK}index.js"
let App = class App {
  kind = "a"
  constructor(name, source) {
    this.name = name
    this.source = source
    this.hidden = { list: [1, { c: dag.container() }], call() {} }
  }
  greet(greeting = "hello", ...rest) { return [greeting, this.name, this.kind, ...rest].join(" ") }
  async level(level) { console.log("level", level); return "high" }
  inside() { return this.hidden.list[1].c.stdout() }
  files() { return Promise.resolve([this.source, dag.directory()]) }
  again() { this.name += "!"; return this }
  fails() { throw new TypeError("this went wrong") }
  get size() { return 4 }
}
babelHelpers.decorate([func()], App.prototype, "greet", null)
App = babelHelpers.decorate([object()], App)
`

const string = { kind: "String" }
const method = (property, args, returns, getter = false) => ({ property, getter, args, returns })
const arg = (name, type, rest = false) => ({ name, type, rest })
const directory = { kind: "Object", name: "Directory" }
const level = { kind: "Enum", name: "Level" }

const MODULE = {
  files: ["index.ts.mjs"],
  dependencies: null,
  objects: {
    App: {
      class: "App",
      hasConstructor: true,
      constructor: [arg("name", string), arg("source", directory)],
      functions: {
        greet: method(
          "greet",
          [arg("greeting", string), arg("rest", { kind: "List", of: string }, true)],
          string,
        ),
        level: method("level", [arg("level", level)], level),
        inside: method("inside", [], string),
        files: method("files", [], { kind: "List", of: directory }),
        more: method("again", [], { kind: "Object", name: "App" }),
        fails: method("fails", [], string),
        size: method("size", [], { kind: "Integer" }, true),
      },
      fields: [
        { key: "name", property: "name", type: string },
        { key: "source", property: "source", type: directory },
      ],
    },
  },
  enums: { Level: { LOW: "low", HIGH: "high" } },
  interfaces: {},
}

let root
before(() => {
  root = mkdtempSync(join(tmpdir(), "runtime-"))
  writeFileSync(join(root, "index.ts.mjs"), SCRIPT)
  writeFileSync(join(root, ".nsci-module.json"), JSON.stringify(MODULE))
})
after(() => rmSync(root, { recursive: true }))

/** Runs a call; what came back, and how it ended. */
async function run(name, args = {}, parent = undefined, parentName = "App") {
  const returned = {}
  const inputArgs = Object.entries(args).map(([name, value]) => ({
    name,
    value: JSON.stringify(value),
  }))
  const session = await fakeSession((query) => {
    if (query.includes("inputArgs")) {
      const state = JSON.stringify(parent ?? null)
      return { currentFunctionCall: { parentName, name, parent: state, inputArgs } }
    }
    const value = /returnValue\(value:(".*")\)/.exec(query)
    if (value !== null) {
      returned.value = JSON.parse(JSON.parse(value[1]))
    } else if (query.includes("error(message")) {
      returned.error = JSON.parse(/message:("(?:[^"\\]|\\.)*")/.exec(query)[1])
      return { error: { id: "error" } }
    } else if (query.includes("stdout")) {
      return nested(["loadContainerFromID", "stdout"], "inside")
    } else if (query.includes("{id}")) {
      return { [/query\{(\w+)/.exec(query)[1]]: { id: "made" } }
    }
    return {}
  })
  const env = { PATH: process.env.PATH, NSCI_MODULE_ROOT: root, ...session.env }
  const ended = await new Promise((resolve) => {
    execFile(process.execPath, [join(SDK, "runtime.js")], { env }, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, stdout, stderr })
    })
  })
  session.stop()
  return { ...ended, ...returned }
}

const STATE = {
  name: "me",
  source: "dir",
  kind: "b",
  hidden: { list: [1, { c: { "$nsci.object": ["Container", "made"] } }] },
}

test("a constructor makes the state", async () => {
  const { value, stderr } = await run("", { name: "me", source: "dir" })
  assert.deepEqual(value, { ...STATE, kind: "a" }, stderr)
})

test("arguments take their defaults and state comes back", async () => {
  assert.equal((await run("greet", {}, STATE)).value, "hello me b")
  const given = await run("greet", { greeting: "hi", rest: ["x", "y"] }, STATE)
  assert.equal(given.value, "hi me b x y")
})

test("enums have values inside and names outside", async () => {
  const { value, stdout } = await run("level", { level: "LOW" }, STATE)
  assert.equal(value, "HIGH")
  assert.equal(stdout, "level low\n")
})

test("objects are ids outside", async () => {
  assert.deepEqual((await run("files", {}, STATE)).value, ["dir", "made"])
  assert.equal((await run("inside", {}, STATE)).value, "inside")
})

test("an object of the module is its state", async () => {
  assert.deepEqual((await run("more", {}, STATE)).value, { ...STATE, name: "me!" })
  assert.equal((await run("size", {}, STATE)).value, 4)
})

test("errors are handed to the engine and shown with their place", async () => {
  const { code, error, stderr } = await run("fails", {}, STATE)
  assert.deepEqual([code, error], [2, "TypeError: this went wrong"])
  assert.match(stderr, /TypeError: this went wrong\n {4}at App.fails \(.*index\.ts\.mjs:\d+:/)
  assert.doesNotMatch(stderr, /runtime\.js/)
})

test("what is not there is said", async () => {
  assert.match((await run("nope", {}, STATE)).error, /`App` has no function `nope`/)
  assert.match((await run("", {}, undefined, "Other")).error, /no object `Other`/)
})
