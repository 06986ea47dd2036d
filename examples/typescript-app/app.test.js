import assert from "node:assert/strict"
import { test } from "node:test"

import { greeting } from "./app.js"

test("greets by name", () => {
  assert.equal(greeting("you"), "hello, you")
})
