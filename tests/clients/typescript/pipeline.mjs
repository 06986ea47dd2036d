// A pipeline as users write it with the official TypeScript SDK: `node pipeline.mjs SDK DIR`.
//
// SDK is the file of the package's entry point. Prints one JSON object that says what came back; works with
// the releases from 0.9 on, so it keeps to what all of them have.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [sdk, work] = process.argv.slice(2);
const { connect, ExecError, NetworkProtocol } = await import(pathToFileURL(sdk).href);

const IMAGE = "alpine:3.20";
const found = {};

// Before 0.12 the contents were an option, so that the method took one argument and options.
const withNewFile = (container, path, contents) =>
  container.withNewFile.length < 3
    ? container.withNewFile(path, { contents })
    : container.withNewFile(path, contents);

mkdirSync(join(work, "src"), { recursive: true });
writeFileSync(join(work, "src", "in.txt"), "in\n");
writeFileSync(join(work, "src", "skip.log"), "skip\n");

await connect(
  async (client) => {
    const source = client.host().directory(join(work, "src"), { exclude: ["*.log"] });
    const container = client
      .container()
      .from(IMAGE)
      .withDirectory("/src", source)
      .withWorkdir("/src")
      .withEnvVariable("NAME", "you")
      .withMountedCache("/cache", client.cacheVolume("pipeline"))
      .withSecretVariable("TOKEN", client.setSecret("token", "s3cr3t-value"))
      .withExec(["sh", "-c", "ls; echo hello $NAME; echo $TOKEN; mkdir /d; cp in.txt /d/out.txt"]);
    found.stdout = await container.stdout();
    found.file = await container.file("/d/out.txt").contents();
    found.entries = await container.directory("/d").withNewDirectory("sub").entries();
    found.exported = await container.directory("/src").export(join(work, "tree"));
    const built = await withNewFile(container, "/new", "new\n").sync();
    found.synced = await built.file("/new").contents();
    const variables = await container.envVariables();
    found.variables = await Promise.all(variables.map((variable) => variable.name()));
    const both = ["one", "two"].map((word) => container.withExec(["echo", word]).stdout());
    found.parallel = (await Promise.all(both)).join("");
    const ports = await container
      .withExposedPort(80, { protocol: NetworkProtocol.Udp })
      .exposedPorts();
    found.ports = await Promise.all(ports.map((port) => port.protocol()));
    found.entrypoint = await container.withEntrypoint(["echo", "entry"]).withExec(["echo", "x"]).stdout();
    try {
      await container.withExec(["sh", "-c", "echo no >&2; exit 6"]).sync();
    } catch (error) {
      found.failure = [error instanceof ExecError, error.exitCode, error.stderr, error.cmd?.slice(0, 2)];
    }
    try {
      await client.container().from("127.0.0.1:1/none").sync();
    } catch (error) {
      found.refused = String(error).includes("127.0.0.1:1");
    }
  },
  { LogOutput: process.stderr },
);
found.tree = readFileSync(join(work, "tree", "in.txt"), "utf8");
console.log(JSON.stringify(found));

