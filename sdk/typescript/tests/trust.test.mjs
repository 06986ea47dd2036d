import assert from "node:assert/strict"
import { execFile, execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:https"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, test } from "node:test"
import { fileURLToPath } from "node:url"

const TRUST = fileURLToPath(new URL("../dist/trust.js", import.meta.url))

// What a module's code may do, with the names it knew when it was loaded.
const SCRIPT = `
import { get } from "node:https"
import { execFileSync } from "node:child_process"
import { trustExtra } from "${TRUST}"
await trustExtra()
const url = process.argv[2]
const asked = new Promise((resolve, reject) => get(url, (answer) => resolve(answer.statusCode)).on("error", reject))
const program = "console.log(process.env.NODE_EXTRA_CA_CERTS)"
const child = execFileSync(process.execPath, ["-e", program], { encoding: "utf8" }).trim()
const results = await Promise.allSettled([asked, fetch(url).then((answer) => answer.status)])
console.log(JSON.stringify({ child, results: results.map((r) => r.value ?? r.reason.cause?.code ?? r.reason.code) }))
process.exit(0)
`

let root, server, url, certificate
before(async () => {
  root = mkdtempSync(join(tmpdir(), "trust-"))
  certificate = join(root, "ca.pem")
  const key = join(root, "key.pem")
  execFileSync(
    "openssl",
    ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2"].concat([
      "-subj",
      "/CN=localhost",
      "-addext",
      "subjectAltName=DNS:localhost",
    ]),
    { stdio: "ignore" },
  )
  writeFileSync(join(root, "script.mjs"), SCRIPT)
  server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (_, answer) => answer.end("ok"))
  await new Promise((resolve) => server.listen(0, "localhost", resolve))
  url = `https://localhost:${server.address().port}/`
})
after(() => {
  server.close()
  rmSync(root, { recursive: true })
})

/** Runs the script with these variables beside the usual ones. */
function run(variables) {
  const env = { PATH: process.env.PATH, ...variables }
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [join(root, "script.mjs"), url], { env }, (error, out, err) => {
      error === null ? resolve({ ...JSON.parse(out), err }) : reject(error)
    })
  })
}

test("what the image trusts is trusted, here and in processes that are started", async () => {
  const { child, results } = await run({ NODE_EXTRA_CA_CERTS: "", NSCI_IMAGE_CA_CERTS: certificate })
  assert.deepEqual(results, [200, 200])
  assert.equal(child, certificate)
})

test("nothing else is trusted", async () => {
  const { child, results } = await run({ NODE_EXTRA_CA_CERTS: "" })
  assert.deepEqual(results, ["DEPTH_ZERO_SELF_SIGNED_CERT", "DEPTH_ZERO_SELF_SIGNED_CERT"])
  assert.equal(child, "undefined")
})

test("a file that is not there is named, and nothing fails for it", async () => {
  const missing = join(root, "missing.pem")
  const { results, err } = await run({ NODE_EXTRA_CA_CERTS: "", NSCI_IMAGE_CA_CERTS: missing })
  assert.deepEqual(results, ["DEPTH_ZERO_SELF_SIGNED_CERT", "DEPTH_ZERO_SELF_SIGNED_CERT"])
  assert.match(err, /NODE_EXTRA_CA_CERTS is ignored: .*missing\.pem/)
})

test("without the engine's variable all is as Node has it", async () => {
  const { child, results } = await run({ NODE_EXTRA_CA_CERTS: certificate })
  assert.deepEqual(results, [200, 200])
  assert.equal(child, certificate)
})
