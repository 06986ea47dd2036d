import assert from "node:assert/strict"
import { after, before, beforeEach, test } from "node:test"

import {
  CacheSharingMode,
  Client,
  close,
  connect,
  connection,
  Container,
  dag,
  ExecError,
  GraphQLRequestError,
  NetworkProtocol,
  NotAwaitedRequestError,
  ReturnType,
} from "../dist/index.js"
import { fakeSession, nested } from "./fake.mjs"

let session
let answer

before(async () => {
  session = await fakeSession((query) => answer(query))
  Object.assign(process.env, session.env)
})
beforeEach(() => {
  session.asked.length = 0
  answer = () => ({})
})
after(async () => {
  await close()
  session.stop()
})

test("a chain is one request", async () => {
  answer = () => nested(["container", "from", "withExec", "stdout"], "hi")
  const container = dag.container().from("alpine").withExec(["echo", 'a "b"\n'])
  assert.equal(session.asked.length, 0)
  assert.equal(await container.stdout(), "hi")
  assert.deepEqual(session.asked, [
    'query{container{from(address:"alpine"){withExec(args:["echo","a \\"b\\"\\n"]){stdout}}}}',
  ])
})

test("objects are no promises", async () => {
  const container = dag.container()
  assert.equal(await container, container)
  assert.equal(session.asked.length, 0)
  assert.equal(String(container.from("x")), "[Container container.from]")
})

test("options and enums are written as the API wants them", async () => {
  answer = () => nested(["container", "withExec", "withExposedPort", "sync"], "id1")
  await dag
    .container()
    .withExec(["x"], { expect: ReturnType.Any, stdin: undefined, insecureRootCapabilities: true })
    .withExposedPort(80, { protocol: NetworkProtocol.Udp })
    .sync()
  assert.match(session.asked[0], /expect:ANY/)
  assert.match(session.asked[0], /protocol:UDP/)
  assert.doesNotMatch(session.asked[0], /stdin/)
})

test("objects in arguments are asked for once, at once", async () => {
  answer = (query) => {
    if (query.includes("cacheVolume")) return { cacheVolume: { id: "cache" } }
    if (query.includes("directory{id}")) return { directory: { id: "dir" } }
    return nested(["container", "withMountedCache", "withDirectory", "stdout"], "")
  }
  const source = dag.directory()
  const container = dag
    .container()
    .withMountedCache("/c", dag.cacheVolume("k"), { source, sharing: CacheSharingMode.Locked })
    .withDirectory("/s", source)
  await container.stdout()
  assert.equal(session.asked.length, 3)
  assert.match(session.asked[2], /cache:"cache",source:"dir",sharing:LOCKED/)
  assert.match(session.asked[2], /withDirectory\(path:"\/s",source:"dir"\)/)
})

test("objects that were asked for are known by their ids", async () => {
  answer = (query) =>
    query.includes("load")
      ? nested(["loadContainerFromID", "stdout"], "out")
      : nested(["container", "sync"], "id1")
  const synced = await dag.container().sync()
  assert.ok(synced instanceof Container)
  assert.equal(await synced.id(), "id1")
  assert.equal(await synced.stdout(), "out")
  assert.equal(session.asked.at(-1), 'query{loadContainerFromID(id:"id1"){stdout}}')
})

test("lists of objects are objects", async () => {
  answer = (query) =>
    query.includes("FromID")
      ? nested(["loadEnvVariableFromID", "name"], "A")
      : nested(["container", "envVariables"], [{ id: "a" }, { id: "b" }])
  const variables = await dag.container().envVariables()
  assert.equal(variables.length, 2)
  assert.equal(await variables[0].name(), "A")
})

test("long chains are no problem", async () => {
  let container = dag.container()
  for (let at = 0; at < 3000; at++) {
    container = container.withEnvVariable("A", String(at))
  }
  answer = () => ({ container: null })
  assert.equal(await container.stdout(), null)
})

test("failed commands tell how", async () => {
  answer = () => {
    throw [
      {
        message: "exit code: 3",
        extensions: { _type: "EXEC_ERROR", cmd: ["x"], exitCode: 3, stdout: "o", stderr: "e" },
      },
    ]
  }
  const failed = await dag.container().stdout().catch((error) => error)
  assert.ok(failed instanceof ExecError && failed instanceof GraphQLRequestError)
  assert.deepEqual([failed.cmd, failed.exitCode, failed.stdout, failed.stderr], [["x"], 3, "o", "e"])
  assert.match(String(failed), /ExecError: exit code: 3\nStdout:\no/)
})

test("a promise as an argument is a mistake", async () => {
  await assert.rejects(
    dag.container().withNewFile("/x", Promise.resolve("y")).stdout(),
    NotAwaitedRequestError,
  )
  await assert.rejects(dag.container().withExposedPort(NaN).sync(), /NaN cannot be sent/)
})

test("connections are kept, and made anew when they were closed", async () => {
  answer = () => nested(["version"], "v1")
  const before = session.connections()
  await dag.version()
  await dag.version()
  assert.ok(session.connections() - before <= 1)
  assert.equal(await new Client().version(), "v1")
})

test("answers may come in pieces", async () => {
  const chunked = await fakeSession(() => nested(["version"], "vé"), true)
  const before = process.env.DAGGER_SESSION_PORT
  process.env.DAGGER_SESSION_PORT = String(chunked.port)
  await connect(async (client) => {
    assert.equal(await client.version(), "vé")
  })
  process.env.DAGGER_SESSION_PORT = before
  chunked.stop()
})

test("a connection gives dag its session and takes it away", async () => {
  answer = () => nested(["version"], "v1")
  await connection(async () => {
    assert.equal(await dag.version(), "v1")
  })
  await assert.rejects(
    connection(async () => {
      throw new Error("mine")
    }),
    /mine/,
  )
})

test("no engine is said plainly", async () => {
  const { DAGGER_SESSION_PORT } = process.env
  delete process.env.DAGGER_SESSION_PORT
  process.env.NSCI_CLI_BIN = "/nowhere/nsci"
  await assert.rejects(
    connect(async () => {}),
    /cannot start `\/nowhere\/nsci`.*install nsci/,
  )
  process.env.NSCI_CLI_BIN = "/bin/false"
  await assert.rejects(
    connect(async () => {}),
    /did not start a session \(1\)/,
  )
  process.env.DAGGER_SESSION_PORT = "x"
  await assert.rejects(
    connect(async () => {}),
    /DAGGER_SESSION_PORT is not a port/,
  )
  process.env.DAGGER_SESSION_PORT = DAGGER_SESSION_PORT
  delete process.env.NSCI_CLI_BIN
})
