//! How a Go module is compiled and run.

use std::collections::BTreeMap;

use super::requirements::requirements;
use crate::module::config::ModuleConfig;
use crate::module::runtime_plan::{PlanMount, PlanSource, RuntimePlan, SetupStep};
use crate::module::sdk::SdkKind;

/// Where the SDK is in the image that compiles modules.
pub const MODULE_SDK: &str = "/opt/nsci/sdk/go";

/// Where a module's source is while it is compiled.
pub const SOURCE: &str = "/src";

/// The program that a module becomes.
const PROGRAM: &str = "/opt/nsci/module";

/// Version of Go that modules are compiled with, unless theirs is newer.
const GO: (u32, u32) = (1, 25);

/// Plan for a Go module.
///
/// The module is compiled in a step of its own, which sees the source and what was generated for it; a
/// call only starts the program that came of it.
pub(in crate::module) fn plan(
    config: &ModuleConfig,
    files: &BTreeMap<String, String>,
) -> RuntimePlan {
    let requirements = requirements(&config.name, files, MODULE_SDK);
    let setting = |name: &str| {
        let sdk = config.sdk.as_ref()?;
        sdk.config.get(name)?.as_str().map(str::to_owned)
    };
    let (major, minor) = requirements.go.max(GO);
    let mode = if requirements.modules_txt.is_some() {
        "-mod=vendor"
    } else {
        "-mod=mod"
    };
    let mut env = vec![
        ("CGO_ENABLED".to_owned(), "0".to_owned()),
        ("GOFLAGS".to_owned(), mode.to_owned()),
        ("GOTOOLCHAIN".to_owned(), "local".to_owned()),
        ("GOWORK".to_owned(), "off".to_owned()),
    ];
    env.extend(setting("goprivate").map(|value| ("GOPRIVATE".to_owned(), value)));
    let args = [
        "go",
        "build",
        "-trimpath",
        "-buildvcs=false",
        "-ldflags=-s -w",
        "-o",
        PROGRAM,
        ".",
    ];
    RuntimePlan {
        base_image: setting("baseImage")
            .unwrap_or_else(|| format!("golang:{major}.{minor}-alpine")),
        setup: vec![
            SetupStep::CopySdk {
                sdk: SdkKind::Go,
                path: MODULE_SDK.into(),
            },
            SetupStep::Exec {
                args: args.map(str::to_owned).to_vec(),
                caches: vec![
                    ("/go/pkg/mod".into(), "nsci-go-mod".into()),
                    ("/root/.cache/go-build".into(), "nsci-go-build".into()),
                ],
                mounts: vec![PlanMount {
                    path: SOURCE.into(),
                    source: PlanSource::GeneratedSource,
                    writable: true,
                }],
                env,
                workdir: Some(SOURCE.into()),
                network: true,
            },
        ],
        mounts: vec![],
        env: vec![("DAGGER_MODULE".into(), config.name.clone())],
        renamed: vec![],
        args: vec![PROGRAM.into()],
        workdir: "/scratch".into(),
    }
}
