import { dag, Container, Directory, Secret, object, func } from "@dagger.io/dagger"

const NODE = "node:20-slim"
const POSTGRES = "postgres:16-alpine"

/** A Node application: its module lies beside it, without a package of its own. */
@object()
class TypescriptApp {
  /** Install what the application needs and build it. */
  @func()
  async build(source: Directory): Promise<Container> {
    return this.installed(source).withExec(["npm", "run", "build"])
  }

  /** Run its tests. */
  @func()
  async test(source: Directory): Promise<string> {
    return this.installed(source).withExec(["npm", "test"]).stdout()
  }

  /** Check its style. */
  @func()
  async lint(source: Directory): Promise<string> {
    return this.installed(source).withExec(["npm", "run", "lint"]).stdout()
  }

  /** Fail if the code holds a password. */
  @func()
  async scan(source: Directory): Promise<string> {
    return dag
      .container()
      .from("alpine:3.20")
      .withMountedDirectory("/src", source)
      .withWorkdir("/src")
      .withExec(["sh", "-c", `! grep -rniE 'password *= *"' . && echo nothing found`])
      .stdout()
  }

  /** Check everything at the same time. */
  @func()
  async ci(source: Directory): Promise<void> {
    await Promise.all([this.lint(source), this.test(source), this.scan(source)])
  }

  /** Put the application alone into an image. */
  @func()
  buildImage(source: Directory): Container {
    const built = this.installed(source).withExec(["npm", "run", "build"]).directory("dist")
    return dag
      .container()
      .from(NODE)
      .withDirectory("/app", built)
      .withEntrypoint(["node", "/app/main.js"])
  }

  /** Push the image and return its address. */
  @func()
  async publish(
    source: Directory,
    registry: string,
    tag: string,
    username: string,
    password: Secret,
  ): Promise<string> {
    return this.buildImage(source)
      .withRegistryAuth(registry, username, password)
      .publish(`${registry}:${tag}`)
  }

  /** Run a query against PostgreSQL, which is there as "db" meanwhile. */
  @func()
  async testWithDatabase(
    source: Directory,
    query = "SELECT count(*) FROM words",
  ): Promise<string> {
    const database = dag
      .container()
      .from(POSTGRES)
      .withEnvVariable("POSTGRES_PASSWORD", "test")
      .withEnvVariable("POSTGRES_DB", "words")
      .withExposedPort(5432)
      .asService()
    const psql = ["psql", "-h", "db", "-U", "postgres", "-d", "words", "-qAt"]
    return dag
      .container()
      .from(POSTGRES)
      .withServiceBinding("db", database)
      .withEnvVariable("PGPASSWORD", "test")
      .withMountedDirectory("/src", source)
      .withWorkdir("/src")
      .withExec([...psql, "-f", "schema.sql", "-c", query])
      .stdout()
  }

  /** Apply the manifest in the directory k8s. */
  @func()
  async deploy(source: Directory, kubeconfig: Secret): Promise<string> {
    return dag
      .container()
      .from("bitnami/kubectl:latest")
      .withMountedDirectory("/work", source.directory("k8s"))
      .withWorkdir("/work")
      .withMountedSecret("/run/kubeconfig", kubeconfig)
      .withEnvVariable("KUBECONFIG", "/run/kubeconfig")
      .withExec(["kubectl", "apply", "-f", "deployment.yaml"])
      .stdout()
  }

  /** Go through all stages: check, publish, deploy. */
  @func()
  async release(
    source: Directory,
    registry: string,
    tag: string,
    username: string,
    password: Secret,
    kubeconfig: Secret,
  ): Promise<string> {
    const checks = { lint: this.lint, test: this.test, scan: this.scan }
    for (const [name, check] of Object.entries(checks)) {
      console.log("stage:", name)
      await check.call(this, source)
    }
    console.log("stage: publish")
    const published = await this.publish(source, registry, tag, username, password)
    console.log("stage: deploy")
    return published + "\n" + (await this.deploy(source, kubeconfig))
  }

  private installed(source: Directory): Container {
    return dag
      .container()
      .from(NODE)
      .withMountedCache("/root/.npm", dag.cacheVolume("npm"))
      .withDirectory("/app", source)
      .withWorkdir("/app")
      .withExec(["npm", "install", "--no-audit", "--no-fund"])
  }
}
