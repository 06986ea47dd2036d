//! An image's configuration: what the container says, what the image below said, and how it came to be.
//!
//! Keys stand in one order, those of maps are sorted, and what nsci does not know is carried over from the image below.
//!
//! # References
//! - OCI image-spec 1.1, [image configuration](https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md)
//! - [Docker's additions](https://github.com/moby/docker-image-spec/blob/v1.3.1/spec.md)

use serde_json::{Map, Value, json};

use super::image::{ImageSpec, LayerBlob};
use super::rfc3339;
use crate::graph::{ImageConfig, Protocol};

/// What a layer of an image was made by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// What a reader of the history sees.
    pub created_by: String,
    /// The newest thing in the layer, in seconds since 1970.
    pub created: i64,
}

/// The configuration of the image that a container began with.
#[derive(Debug, Clone, Default)]
pub struct Base {
    /// As it was stored.
    pub config: Value,
    /// How many of the layers are its.
    pub layers: usize,
}

impl Base {
    fn created(&self) -> Option<&str> {
        self.config.get("created").and_then(Value::as_str)
    }

    /// Its history, if that tells of as many layers as there are.
    fn history(&self) -> Option<&Vec<Value>> {
        let history = self.config.get("history").and_then(Value::as_array)?;
        let real = |entry: &&Value| entry.get("empty_layer") != Some(&Value::Bool(true));
        (history.iter().filter(real).count() == self.layers).then_some(history)
    }
}

/// Fields of `config` that are written here; the base's are dropped, others are kept.
const OWN_FIELDS: [&str; 12] = [
    "Healthcheck",
    "User",
    "ExposedPorts",
    "Env",
    "Entrypoint",
    "Cmd",
    "Volumes",
    "WorkingDir",
    "Labels",
    "StopSignal",
    "Shell",
    "OnBuild",
];
/// Fields of the whole that are written here.
const OWN_PARTS: [&str; 7] = [
    "created",
    "architecture",
    "os",
    "variant",
    "config",
    "rootfs",
    "history",
];
/// What Docker's builder once wrote of the container it built in; it means nothing any more.
const STALE_PARTS: [&str; 6] = [
    "container",
    "container_config",
    "docker_version",
    "id",
    "parent",
    "moby.buildkit.buildinfo.v1",
];

/// The configuration as bytes.
pub(super) fn write(spec: &ImageSpec<'_>) -> Vec<u8> {
    let mut whole = Map::new();
    if let Some(created) = created(spec) {
        whole.insert("created".into(), created.into());
    }
    let mut platform = spec.platform.split('/');
    let os = platform.next().unwrap_or("linux");
    whole.insert(
        "architecture".into(),
        platform.next().unwrap_or_default().into(),
    );
    whole.insert("os".into(), os.into());
    if let Some(variant) = platform.next() {
        whole.insert("variant".into(), variant.into());
    }
    let below = spec.base.as_ref().map(|base| &base.config);
    let below_config = below.and_then(|below| below.get("config"));
    whole.insert("config".into(), fields(spec.config, below_config));
    let diff_ids: Vec<String> = spec.layers.iter().map(|l| l.diff_id.to_string()).collect();
    whole.insert(
        "rootfs".into(),
        json!({"type": "layers", "diff_ids": diff_ids}),
    );
    whole.insert("history".into(), history(spec));
    let known = |key: &str| OWN_PARTS.contains(&key) || STALE_PARTS.contains(&key);
    for (key, value) in below.and_then(Value::as_object).into_iter().flatten() {
        if !known(key) {
            whole.insert(key.clone(), value.clone());
        }
    }
    serde_json::to_vec(&Value::Object(whole)).expect("JSON with text keys can be written")
}

/// When the image came to be: the epoch if one is set, else its newest part. Never "now": the same image would be another
/// one each time it is published.
fn created(spec: &ImageSpec<'_>) -> Option<String> {
    if let Some(epoch) = spec.epoch {
        return Some(rfc3339(epoch));
    }
    let own = spec
        .layers
        .iter()
        .filter_map(|layer| layer.history.as_ref());
    let newest = own.map(|history| history.created).max().map(rfc3339);
    let below = spec.base.as_ref().and_then(Base::created);
    // Both begin with the same number of digits for each part, so text compares as time does.
    match (below, newest) {
        (Some(below), Some(newest)) if below > newest.as_str() => Some(below.to_owned()),
        (Some(below), None) => Some(below.to_owned()),
        (_, newest) => newest,
    }
}

fn fields(config: &ImageConfig, below: Option<&Value>) -> Value {
    let mut fields = Map::new();
    let text = |fields: &mut Map<String, Value>, key: &str, value: &str| {
        if !value.is_empty() {
            fields.insert(key.into(), value.into());
        }
    };
    text(&mut fields, "User", &config.user);
    if !config.ports.is_empty() {
        let mut ports: Vec<String> = config
            .ports
            .iter()
            .map(|port| match port.protocol {
                Protocol::Tcp => format!("{}/tcp", port.port),
                Protocol::Udp => format!("{}/udp", port.port),
            })
            .collect();
        ports.sort();
        fields.insert("ExposedPorts".into(), set(ports));
    }
    if !config.env.is_empty() {
        let env = config
            .env
            .iter()
            .map(|var| format!("{}={}", var.name, var.value));
        fields.insert("Env".into(), env.collect());
    }
    if let Some(entrypoint) = config.entrypoint.as_ref().filter(|e| !e.is_empty()) {
        fields.insert("Entrypoint".into(), json!(entrypoint));
    }
    if let Some(cmd) = config.cmd.as_ref().filter(|c| !c.is_empty()) {
        fields.insert("Cmd".into(), json!(cmd));
    }
    if !config.volumes.is_empty() {
        let mut volumes = config.volumes.clone();
        volumes.sort();
        fields.insert("Volumes".into(), set(volumes));
    }
    text(&mut fields, "WorkingDir", &config.workdir);
    if !config.labels.is_empty() {
        let mut labels: Vec<_> = config.labels.iter().collect();
        labels.sort_by(|a, b| a.name.cmp(&b.name));
        let labels = labels
            .into_iter()
            .map(|label| (label.name.clone(), Value::from(label.value.clone())));
        fields.insert("Labels".into(), Value::Object(labels.collect()));
    }
    text(
        &mut fields,
        "StopSignal",
        config.stop_signal.as_deref().unwrap_or_default(),
    );
    if let Some(shell) = config.shell.as_ref().filter(|s| !s.is_empty()) {
        fields.insert("Shell".into(), json!(shell));
    }
    if !config.on_build.is_empty() {
        fields.insert("OnBuild".into(), json!(config.on_build));
    }
    if let Some(healthcheck) = &config.healthcheck {
        fields.insert("Healthcheck".into(), json!(healthcheck));
    }
    for (key, value) in below.and_then(Value::as_object).into_iter().flatten() {
        let stale = ["Hostname", "Domainname", "Image"].contains(&key.as_str());
        let is_console = key.starts_with("Attach") || key.starts_with("Stdin") || key == "Tty";
        if !OWN_FIELDS.contains(&key.as_str()) && !stale && !is_console {
            fields.insert(key.clone(), value.clone());
        }
    }
    Value::Object(fields)
}

/// Names as the keys of an object whose values say nothing.
fn set(names: Vec<String>) -> Value {
    let entries = names.into_iter().map(|name| (name, json!({})));
    Value::Object(entries.collect())
}

fn history(spec: &ImageSpec<'_>) -> Value {
    let below = spec.base.as_ref().map_or(0, |base| base.layers);
    let known = spec.base.as_ref().and_then(Base::history);
    let mut entries: Vec<Value> = match known {
        Some(history) => history.clone(),
        None => spec.layers[..below].iter().map(entry).collect(),
    };
    entries.extend(spec.layers[below..].iter().map(entry));
    entries.into()
}

fn entry(layer: &LayerBlob) -> Value {
    match &layer.history {
        Some(history) => json!({
            "created": rfc3339(history.created),
            "created_by": history.created_by,
        }),
        None => json!({"created_by": "nsci"}),
    }
}
