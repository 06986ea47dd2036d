//! How a function of a TypeScript module is run.
//!
//! Main function: [`plan`]. The source directory is mounted below the directory that packages are installed
//! in, where Node looks for them.

use std::collections::BTreeMap;

use super::package::Package;
use crate::module::config::ModuleConfig;
use crate::module::python::StaticError;
use crate::module::runtime_plan::{PlanMount, PlanSource, RuntimePlan, SetupStep};
use crate::module::sdk::SdkKind;

/// Directory that packages are installed in.
const ROOT: &str = "/module";

/// Where a module's source is in its container.
const SOURCE: &str = "/module/src";

/// Where packages are.
const PACKAGES: &str = "/module/node_modules";

/// Certificates that Node trusts beside its own list. What it reads at its start takes longer than a call, so the
/// SDK's `trust.ts` reads it, under the second name, when it is needed.
const TRUSTED: (&str, &str) = ("NODE_EXTRA_CA_CERTS", "NSCI_IMAGE_CA_CERTS");

/// Describes the container a module's functions run in.
///
/// What the module needs beside the SDK is installed in a step of its own, keyed by the list and its lock.
///
/// # Errors
/// [`StaticError::Invalid`] if `package.json` cannot be understood.
pub fn plan(
    config: &ModuleConfig,
    files: &BTreeMap<String, String>,
) -> Result<RuntimePlan, StaticError> {
    let package = Package::read(files)?;
    let mut setup = Vec::new();
    if let Some((manifest, lock)) = package.to_install() {
        let write = |name: &str, contents: String| SetupStep::WriteFile {
            path: format!("{ROOT}/{name}"),
            contents,
        };
        let verb = if lock.is_some() { "ci" } else { "install" };
        setup.push(write("package.json", manifest));
        setup.extend(lock.map(|lock| write("package-lock.json", lock)));
        setup.push(SetupStep::Exec {
            args: words(&[
                "npm",
                verb,
                "--omit=dev",
                "--no-audit",
                "--no-fund",
                "--prefix",
                ROOT,
            ]),
            caches: vec![("/root/.npm".into(), "nsci-typescript-npm".into())],
            mounts: vec![],
            env: vec![("NPM_CONFIG_UPDATE_NOTIFIER".into(), "false".into())],
            workdir: None,
            network: true,
        });
    }
    setup.push(SetupStep::CopySdk {
        sdk: SdkKind::TypeScript,
        path: PACKAGES.into(),
    });
    Ok(RuntimePlan {
        base_image: package.image(config),
        setup,
        mounts: vec![PlanMount {
            path: SOURCE.into(),
            source: PlanSource::GeneratedSource,
            writable: false,
        }],
        env: vec![
            ("NSCI_MODULE_ROOT".into(), SOURCE.into()),
            (TRUSTED.0.into(), String::new()),
        ],
        renamed: vec![(TRUSTED.1.into(), TRUSTED.0.into())],
        args: vec![
            "node".into(),
            format!(
                "{PACKAGES}/{}/runtime.js",
                crate::module::sdk_typescript::PACKAGE
            ),
        ],
        workdir: "/scratch".into(),
    })
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan_of(manifest: &str, lock: Option<&str>) -> RuntimePlan {
        let mut files = BTreeMap::from([("package.json".to_owned(), manifest.to_owned())]);
        files.extend(lock.map(|lock| ("package-lock.json".to_owned(), lock.to_owned())));
        plan(&ModuleConfig::default(), &files).expect("valid")
    }

    #[test]
    fn module_without_packages_installs_nothing() {
        let plan = plan_of(r#"{"dependencies": {"typescript": "^5"}}"#, None);
        assert_eq!(plan.setup.len(), 1, "{plan:?}");
    }

    #[test]
    fn packages_are_installed_as_the_lock_says() {
        let manifest = r#"{"dependencies": {"semver": "^7"}}"#;
        let verb = |plan: &RuntimePlan| {
            let args = plan.setup.iter().find_map(|step| match step {
                SetupStep::Exec {
                    args,
                    network: true,
                    ..
                } => Some(args[1].clone()),
                _ => None,
            });
            args.expect("something is installed")
        };
        assert_eq!(verb(&plan_of(manifest, None)), "install");
        let lock = r#"{"lockfileVersion": 3, "packages": {"": {}}}"#;
        let locked = plan_of(manifest, Some(lock));
        assert_eq!(verb(&locked), "ci");
        assert_eq!(locked.setup.len(), 4);
    }
}
