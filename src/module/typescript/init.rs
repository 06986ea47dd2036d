//! Files of a new TypeScript module.

use serde_json::json;

use crate::module::init::NewFile;
use crate::module::names;

/// A new TypeScript module; `source` is the directory of its code, relative to the configuration.
///
/// A module needs no more than the code. The other files are there for editors.
pub fn init(name: &str, source: &str, engine_version: &str) -> Vec<NewFile> {
    let source = source.trim_start_matches("./").trim_end_matches('/');
    let source = if source.is_empty() { "." } else { source };
    let config = json!({
        "name": name,
        "engineVersion": engine_version,
        "sdk": { "source": "typescript" },
        "source": source,
    });
    let config = serde_json::to_string_pretty(&config).expect("a JSON value can be written");
    let file = |path: &str, contents: String| NewFile {
        path: if source == "." {
            path.to_owned()
        } else {
            format!("{source}/{path}")
        },
        contents,
    };
    vec![
        NewFile {
            path: "dagger.json".into(),
            contents: config + "\n",
        },
        file(
            "package.json",
            TYPESCRIPT_PACKAGE.replace("@name@", &names::kebab(name)),
        ),
        file("tsconfig.json", TYPESCRIPT_CONFIG.to_owned()),
        file(
            "src/index.ts",
            TYPESCRIPT_MAIN.replace("@class@", &names::pascal(name)),
        ),
    ]
}

const TYPESCRIPT_PACKAGE: &str = r#"{
  "name": "@name@",
  "private": true,
  "type": "module",
  "dependencies": {},
  "devDependencies": {
    "@types/node": "^20",
    "typescript": "^5"
  }
}
"#;

const TYPESCRIPT_CONFIG: &str = r#"{
  "compilerOptions": {
    "target": "ES2022",
    "module": "ESNext",
    "moduleResolution": "bundler",
    "strict": true,
    "skipLibCheck": true,
    "noEmit": true,
    "experimentalDecorators": true,
    "paths": {
      "@dagger.io/dagger": ["./sdk/index.ts"],
      "nsci": ["./sdk/index.ts"]
    }
  },
  "include": ["src"]
}
"#;

const TYPESCRIPT_MAIN: &str = r#"/** Pipelines of this project. */

import { Container, dag, Directory, func, object } from "@dagger.io/dagger"

@object()
export class @class@ {
  /** Return a container that has printed the text. */
  @func()
  echo(text: string): Container {
    return dag.container().from("alpine:latest").withExec(["echo", text])
  }

  /** List the lines in a directory that match a pattern. */
  @func()
  async find(source: Directory, pattern: string): Promise<string> {
    return dag
      .container()
      .from("alpine:latest")
      .withMountedDirectory("/mnt", source)
      .withWorkdir("/mnt")
      .withExec(["grep", "-rn", pattern, "."])
      .stdout()
  }
}
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module::config::ModuleConfig;
    use std::path::Path;

    #[test]
    fn new_typescript_module_is_one() {
        for (source, prefix) in [(".", ""), ("./ci/", "ci/")] {
            let files = init("my-project", source, "v0.18.0");
            let config = ModuleConfig::parse(Path::new("dagger.json"), &files[0].contents)
                .expect("its configuration is valid");
            let sources = files[1..]
                .iter()
                .map(|file| {
                    let path = file
                        .path
                        .strip_prefix(prefix)
                        .expect("is in the source directory");
                    (path.to_owned(), file.contents.clone())
                })
                .collect();
            let read = super::super::read(&config.name, &sources).expect("its code can be read");
            let types = read.types;
            assert_eq!(types.description, "Pipelines of this project.");
            let functions: Vec<_> = types.objects[0]
                .functions
                .iter()
                .map(|f| f.api_name.as_str())
                .collect();
            assert_eq!(functions, ["echo", "find"]);
        }
    }
}
