import { dag, Container, Directory, object, func } from "@dagger.io/dagger"

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

  private installed(source: Directory): Container {
    return dag
      .container()
      .from("node:20-slim")
      .withDirectory("/app", source)
      .withWorkdir("/app")
      .withExec(["npm", "install", "--no-audit", "--no-fund"])
  }
}
