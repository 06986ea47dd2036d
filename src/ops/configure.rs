//! Changes of a container's configuration. Pure.

use super::paths::{absolute, expand_vars};
use crate::graph::{Annotation, Configure, Container, EnvVar, ImageConfig, Key, SecretVariable};

/// `PATH` of a container whose image sets none.
pub(super) const DEFAULT_PATH: &str =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Applies one change. `identity` stands for the secret's value where the change names one.
pub(super) fn apply(container: &mut Container, change: &Configure, identity: Option<&Key>) {
    match change {
        Configure::Env {
            name,
            value,
            expand,
        } => {
            let value = if *expand {
                expand_vars(value, container)
            } else {
                value.clone()
            };
            container.secret_env.retain(|secret| secret.name != *name);
            set_env(&mut container.config.env, name, value);
        }
        Configure::WithoutEnv { name } => container.config.env.retain(|var| var.name != *name),
        Configure::SecretEnv { name, secret } => {
            let identity = identity
                .cloned()
                .unwrap_or_else(|| Key::of("secret", [name]));
            container.secret_env.retain(|known| known.name != *name);
            container.secret_env.push(SecretVariable {
                name: name.clone(),
                secret: secret.clone(),
                identity,
            });
        }
        Configure::WithoutSecretEnv { name } => {
            container.secret_env.retain(|known| known.name != *name);
        }
        Configure::Volatile { name, value } => {
            set_env(&mut container.volatile_env, name, value.clone());
        }
        Configure::WithoutVolatile { name } => {
            container.volatile_env.retain(|var| var.name != *name);
        }
        Configure::Workdir { path, expand } => {
            container.config.workdir = match path {
                Some(path) if *expand => {
                    absolute(container.workdir(), &expand_vars(path, container))
                }
                Some(path) => absolute(container.workdir(), path),
                None => String::new(),
            };
        }
        Configure::User { name } => container.config.user = name.clone().unwrap_or_default(),
        Configure::Entrypoint {
            args,
            keep_default_args,
        } => {
            container.config.entrypoint = args.clone();
            if !keep_default_args {
                container.config.cmd = None;
            }
        }
        Configure::DefaultArgs { args } => container.config.cmd = args.clone(),
        Configure::Label { name, value } => {
            set_annotation(&mut container.config.labels, name, value.as_deref());
        }
        Configure::Annotation { name, value } => {
            set_annotation(&mut container.annotations, name, value.as_deref());
        }
        Configure::ExposedPort(port) => {
            container
                .config
                .ports
                .retain(|known| (known.port, known.protocol) != (port.port, port.protocol));
            container.config.ports.push(port.clone());
        }
        Configure::WithoutExposedPort(port) => container
            .config
            .ports
            .retain(|known| (known.port, known.protocol) != (port.port, port.protocol)),
        Configure::Healthcheck(check) => container.config.healthcheck.clone_from(check),
        Configure::Shell(args) => container.config.shell = Some(args.clone()),
        Configure::StopSignal(signal) => container.config.stop_signal = Some(signal.clone()),
        Configure::Volume(path) => {
            if !container.config.volumes.contains(path) {
                container.config.volumes.push(path.clone());
            }
        }
        Configure::OnBuild(triggers) => container.config.on_build.clone_from(triggers),
        Configure::DefaultTerminal { args } => container.default_terminal = Some(args.clone()),
    }
}

/// Sets a variable where it stands, or behind the others.
pub(super) fn set_env(env: &mut Vec<EnvVar>, name: &str, value: String) {
    match env.iter_mut().find(|var| var.name == name) {
        Some(var) => var.value = value,
        None => env.push(EnvVar {
            name: name.to_owned(),
            value,
        }),
    }
}

fn set_annotation(list: &mut Vec<Annotation>, name: &str, value: Option<&str>) {
    let known = list.iter().position(|item| item.name == name);
    match (known, value) {
        (Some(at), Some(value)) => value.clone_into(&mut list[at].value),
        (Some(at), None) => drop(list.remove(at)),
        (None, Some(value)) => {
            list.push(Annotation {
                name: name.to_owned(),
                value: value.to_owned(),
            });
        }
        (None, None) => {}
    }
}

/// The configuration after `from`: the image's, with what merges from the chain so far.
///
/// Entrypoint, command, user, working directory, volumes, health check and stop signal are the image's alone;
/// variables, labels and ports are merged and the image wins; triggers are appended; the shell
/// is kept when the image has none.
pub(super) fn merge_image(before: ImageConfig, image: ImageConfig) -> ImageConfig {
    let mut merged = ImageConfig {
        env: before.env,
        labels: before.labels,
        ..image
    };
    for var in image.env {
        set_env(&mut merged.env, &var.name, var.value);
    }
    for label in image.labels {
        set_annotation(&mut merged.labels, &label.name, Some(&label.value));
    }
    let own = merged.ports.clone();
    let kept = before.ports.into_iter().filter(|port| {
        own.iter()
            .all(|o| (o.port, o.protocol) != (port.port, port.protocol))
    });
    merged.ports.splice(0..0, kept.collect::<Vec<_>>());
    merged.on_build.splice(0..0, before.on_build);
    merged.shell = merged.shell.or(before.shell);
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container() -> Container {
        Container::scratch("linux/amd64".into())
    }

    fn env(name: &str, value: &str) -> EnvVar {
        EnvVar {
            name: name.into(),
            value: value.into(),
        }
    }

    #[test]
    fn variables_keep_their_place() {
        let mut c = container();
        for (name, value) in [("A", "1"), ("B", "2"), ("A", "3")] {
            let change = Configure::Env {
                name: name.into(),
                value: value.into(),
                expand: false,
            };
            apply(&mut c, &change, None);
        }
        assert_eq!(c.config.env, [env("A", "3"), env("B", "2")]);
    }

    #[test]
    fn workdir_is_relative_to_the_one_before() {
        let mut c = container();
        for (path, want) in [
            (Some("/src"), "/src"),
            (Some("sub/x"), "/src/sub/x"),
            (Some("../.."), "/src"),
            (None, "/"),
        ] {
            let change = Configure::Workdir {
                path: path.map(Into::into),
                expand: false,
            };
            apply(&mut c, &change, None);
            assert_eq!(c.workdir(), want);
        }
    }

    #[test]
    fn entrypoint_clears_default_args_unless_kept() {
        for (keep, want) in [(false, None), (true, Some(vec!["x".to_owned()]))] {
            let mut c = container();
            c.config.cmd = Some(vec!["x".into()]);
            let change = Configure::Entrypoint {
                args: Some(vec!["/bin/app".into()]),
                keep_default_args: keep,
            };
            apply(&mut c, &change, None);
            assert_eq!(c.config.cmd, want);
        }
    }

    #[test]
    fn from_merges_with_what_was_there() {
        let before = ImageConfig {
            env: vec![env("A", "before"), env("B", "before")],
            user: "me".into(),
            shell: Some(vec!["sh".into()]),
            ..ImageConfig::default()
        };
        let image = ImageConfig {
            env: vec![env("A", "image"), env("C", "image")],
            cmd: Some(vec!["run".into()]),
            ..ImageConfig::default()
        };
        let merged = merge_image(before, image);
        assert_eq!(
            merged.env,
            [env("A", "image"), env("B", "before"), env("C", "image")]
        );
        assert_eq!(
            (merged.user.as_str(), merged.cmd),
            ("", Some(vec!["run".to_owned()]))
        );
        assert_eq!(merged.shell, Some(vec!["sh".to_owned()]));
    }
}
