//! `nsci cache`: what the store holds, and making it smaller.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use nsci::config::{Amount, parse_duration};
use nsci_runtime::{IdMap, Session, SessionConfig};
use nsci_snapshotter::gc::{Entry, Kind, PruneOptions, Usage};
use nsci_snapshotter::{Store, keeper};
use serde_json::{Value, json};

use crate::args::{COMMANDS, CacheVerb, command_help};
use crate::output::{Output, pretty};
use crate::report::Failure;
use crate::roles::KEEPER;
use crate::settings::Settings;
use crate::ui::text::bytes;

/// Shows or shrinks the cache.
///
/// # Errors
/// If the store cannot be used.
pub(super) fn cache(
    program: &str,
    settings: &Settings,
    verb: CacheVerb,
) -> Result<Output, Failure> {
    if verb == CacheVerb::Help {
        let command = COMMANDS.iter().find(|command| command.name == "cache");
        return Ok(Output::text(
            command.map_or_else(String::new, |c| command_help(program, c)),
        ));
    }
    let id_map = IdMap::detect().unwrap_or_else(|_| IdMap::single());
    let store = Store::open(&settings.store_dir()?, &id_map.fingerprint()).map_err(failed)?;
    match verb {
        CacheVerb::Help => Ok(Output::default()),
        CacheVerb::List { json } => {
            let entries = store.list().map_err(failed)?;
            let now = SystemTime::now();
            let text = if json {
                pretty(&entries_json(&entries, now))
            } else {
                table(&entries, now)
            };
            Ok(Output::text(text))
        }
        CacheVerb::Usage { json } => {
            let usage = store.usage().map_err(failed)?;
            let text = if json {
                pretty(&usage_json(&usage))
            } else {
                sums(&usage)
            };
            Ok(Output::text(text))
        }
        CacheVerb::Prune {
            all,
            kinds,
            unused_for,
            keep,
            id,
        } => {
            let options = PruneOptions {
                all,
                kinds: kinds
                    .iter()
                    .map(|name| kind(name))
                    .collect::<Result<_, _>>()?,
                id,
                unused_for: unused_for.as_deref().map(age).transpose()?,
                keep_bytes: keep.as_deref().map(size).transpose()?,
            };
            prune(settings, &store, id_map, &options)
        }
    }
}

fn failed(error: nsci_snapshotter::Error) -> Failure {
    Failure::failed("cannot use the cache").because(&error)
}

fn kind(name: &str) -> Result<Kind, Failure> {
    Kind::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        Failure::usage(format!("`{name}` is no kind of cache entry"))
            .hint(format!("there are {}", known.join(", ")))
    })
}

fn age(text: &str) -> Result<Duration, Failure> {
    parse_duration(text).map_err(|error| Failure::usage(format!("--unused-for: {error}")))
}

fn size(text: &str) -> Result<u64, Failure> {
    match text.parse() {
        Ok(Amount::Bytes(bytes)) => Ok(bytes),
        Ok(Amount::Percent(_)) => Err(Failure::usage("--keep takes a size, such as 20GB")),
        Err(error) => Err(Failure::usage(format!("--keep: {error}"))),
    }
}

fn prune(
    settings: &Settings,
    store: &Store,
    id_map: IdMap,
    options: &PruneOptions,
) -> Result<Output, Failure> {
    let report = store.prune(options).map_err(failed)?;
    let mut remark = String::new();
    if report.trash_waiting
        && let Err(error) = empty_trash(settings, store, id_map)
    {
        remark = format!("warning: disk space is given back later: {error}");
    }
    let text = format!(
        "removed {} entries, {}; {} left\n",
        report.removed.len(),
        bytes(report.freed),
        bytes(report.left)
    );
    Ok(Output { text, remark })
}

/// Deletes what was put aside. Its files belong to ids of the sandbox, so that is where it is done.
fn empty_trash(settings: &Settings, store: &Store, id_map: IdMap) -> Result<(), String> {
    let text = |error: nsci_runtime::Error| error.to_string();
    let state_dir = settings.state_base().join(settings.around.pid.to_string());
    let mounts = state_dir.join("keeper").to_string_lossy().into_owned();
    let session = Session::start(SessionConfig {
        state_dir,
        id_map,
        network: false,
        executor: nsci_runtime::ExecutorKind::default(),
        limits: nsci_runtime::Limits::default(),
    })
    .map_err(text)?;
    let root = store.layout().root().to_string_lossy().into_owned();
    let control = session.spawn_child(KEEPER, &[root, mounts]).map_err(text)?;
    let keeper = keeper::Client::new(control);
    keeper.empty_trash().map_err(|error| error.to_string())?;
    Ok(())
}

fn table(entries: &[Entry], now: SystemTime) -> String {
    let mut out = format!(
        "{:9}  {:>9}  {:>8}  {:6}  ID\n",
        "KIND", "SIZE", "USED", "STATE"
    );
    for entry in entries {
        let state = if entry.in_use { "in use" } else { "" };
        let id: String = entry.id.chars().take(19).collect();
        let line = format!(
            "{:9}  {:>9}  {:>8}  {state:6}  {id}  {}",
            entry.kind.name(),
            bytes(entry.size),
            ago(entry.last_used, now),
            crate::ui::plain_text(&entry.description),
        );
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// How long ago, in the largest unit that fits.
fn ago(then: SystemTime, now: SystemTime) -> String {
    let seconds = now.duration_since(then).unwrap_or_default().as_secs();
    match seconds {
        0..60 => format!("{seconds}s ago"),
        60..3600 => format!("{}m ago", seconds / 60),
        3600..86_400 => format!("{}h ago", seconds / 3600),
        _ => format!("{}d ago", seconds / 86_400),
    }
}

fn sums(usage: &Usage) -> String {
    let mut out = String::new();
    for (kind, count, size) in &usage.by_kind {
        _ = writeln!(out, "{:11}  {count:>6}  {:>9}", kind.name(), bytes(*size));
    }
    _ = writeln!(out, "{:11}  {:>6}  {:>9}", "total", "", bytes(usage.total));
    _ = writeln!(
        out,
        "{:11}  {:>6}  {:>9}",
        "reclaimable",
        "",
        bytes(usage.reclaimable)
    );
    out
}

fn entries_json(entries: &[Entry], now: SystemTime) -> Value {
    let seconds = |then| now.duration_since(then).unwrap_or_default().as_secs();
    let entry = |entry: &Entry| {
        json!({
            "kind": entry.kind.name(),
            "id": entry.id,
            "size": entry.size,
            "created_seconds_ago": seconds(entry.created),
            "used_seconds_ago": seconds(entry.last_used),
            "in_use": entry.in_use,
            "needed_by": entry.needed_by,
            "description": entry.description,
        })
    };
    entries.iter().map(entry).collect()
}

fn usage_json(usage: &Usage) -> Value {
    let kind = |(kind, count, size): &(Kind, usize, u64)| {
        (
            kind.name().to_owned(),
            json!({"count": count, "size": size}),
        )
    };
    let kinds: serde_json::Map<String, Value> = usage.by_kind.iter().map(kind).collect();
    json!({"kinds": kinds, "total": usage.total, "reclaimable": usage.reclaimable})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_listed() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let entry = Entry {
            kind: Kind::Layer,
            id: "sha256:0123456789abcdef0123".into(),
            size: 3_400_000,
            created: now,
            last_used: now - Duration::from_secs(7200),
            in_use: true,
            cost: Duration::ZERO,
            needed_by: 1,
            description: "withExec make".into(),
        };
        insta::assert_snapshot!(table(&[entry], now), @r"
        KIND            SIZE      USED  STATE   ID
        layer         3.4 MB    2h ago  in use  sha256:0123456789ab  withExec make
        ");
    }

    #[test]
    fn limits_are_read() {
        assert_eq!(size("20GB").ok(), Some(20_000_000_000));
        assert_eq!(age("7d").ok(), Some(Duration::from_secs(7 * 86_400)));
        assert!(size("50%").is_err() && size("x").is_err() && age("x").is_err());
        assert!(
            kind("cheese")
                .unwrap_err()
                .text(false)
                .contains("there are layer, blob")
        );
    }
}
