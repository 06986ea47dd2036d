//! Preparing: the directories, mounts and files a command runs on, and what the sandbox is told.

use super::{
    super::{
        configure::DEFAULT_PATH,
        files,
        host::{Seed, open_volume},
        sandbox::Live,
    },
    Job,
    plan::PlannedMount,
    socket::Lead,
};
use crate::{error::Result, graph::CacheSharing, service::NameTable};
use nsci_runtime::{
    Place, RootFs, StepMount, StepSpec, network,
    spec::{Capabilities, Network, Seccomp},
};
use nsci_snapshotter::{
    keeper::{
        Active, Ensure, EnsureKind, Furnish, Mount as KeeperMount, Mounted, Prepare, TempFile,
    },
    volume::{Sharing, VolumeDir},
};
use std::{net::IpAddr, path::PathBuf, sync::Arc};

/// Port of the API inside a step.
const API_PORT: u16 = 37_501;
/// Where steps find the certificates that the host trusts.
const CA_TARGET: &str = "/run/nsci/ca-certificates.crt";
/// Variables that programs read to find certificates.
const CA_VARIABLES: [&str; 6] = [
    "SSL_CERT_FILE",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO",
];

impl Job {
    pub(super) fn prepare(&self, volumes: &mut Vec<Box<dyn std::any::Any>>) -> Result<Prepared> {
        let keeper = &self.live.keeper;
        let mut mounts = Mounts {
            live: &self.live,
            list: Vec::new(),
        };
        let mut binds = Vec::new();
        let mut ensure = vec![Ensure {
            path: self.plan.container.workdir().to_owned(),
            kind: EnsureKind::Dir,
            uid: 0,
            gid: 0,
            mode: 0o755,
        }];
        let mut temp = Vec::new();
        for planned in &self.plan.mounts {
            let (bind, kind) = self.attach(planned, &mut mounts, &mut temp, volumes)?;
            binds.push(bind);
            ensure.push(stub(planned.target(), kind));
        }
        let place = self.live.session.place();
        let index = place.index();
        let address = network::step_ip(index).into();
        let named = (self.live.network() == Network::Isolated).then_some(address);
        let hostname = &self.plan.hostname;
        let aliases = self.services.hosts();
        for (path, text) in [
            (
                "/etc/resolv.conf",
                network::resolv_conf(&[self.names.zone()]),
            ),
            ("/etc/hosts", network::hosts_file(hostname, named, &aliases)),
            ("/etc/hostname", format!("{hostname}\n")),
        ] {
            binds.push(Bind::Temp {
                at: temp.len(),
                readonly: false,
            });
            temp.push(TempFile {
                data: text.into_bytes(),
                mode: 0o644,
                uid: 0,
                gid: 0,
            });
            ensure.push(stub(path, EnsureKind::File));
        }
        if let Some(bundle) = &self.facts.ca_bundle {
            binds.push(Bind::Path {
                source: bundle.clone(),
                readonly: true,
            });
            ensure.push(stub(CA_TARGET, EnsureKind::File));
        }
        let prepare = Prepare {
            layers: self.plan.rootfs.clone(),
            ensure,
            files: temp,
        };
        let active = keeper.prepare(prepare).map_err(files::keeper_error)?;
        let spec = self.spec(&active, &binds, index);
        let mounted = mounts.keep();
        Ok(Prepared {
            active,
            mounted,
            spec,
            _aliases: Aliases::of(&self.names, address, &aliases),
            _place: place,
        })
    }

    /// Makes a mount's source; returns what to bind and what its target must be.
    fn attach(
        &self,
        planned: &PlannedMount,
        mounts: &mut Mounts<'_>,
        temp: &mut Vec<TempFile>,
        volumes: &mut Vec<Box<dyn std::any::Any>>,
    ) -> Result<(Bind, EnsureKind)> {
        Ok(match planned {
            PlannedMount::Tree {
                target,
                layers,
                path,
                writable,
                keep,
            } => {
                let mount = KeeperMount {
                    layers: layers.clone(),
                    subpath: path.clone(),
                    writable: *writable,
                };
                let mounted = self.live.keeper.mount(mount).map_err(files::keeper_error)?;
                let is_dir = mounted.kind == nsci_snapshotter::keeper::FileKind::Dir;
                let bind = Bind::Path {
                    source: mounted.source.clone(),
                    readonly: !writable,
                };
                mounts.list.push(AttachedTree {
                    target: target.clone(),
                    mounted,
                    keep: *keep,
                });
                (
                    bind,
                    if is_dir {
                        EnsureKind::Dir
                    } else {
                        EnsureKind::File
                    },
                )
            }
            PlannedMount::Volume {
                name,
                sharing,
                owner,
                seed,
                ..
            } => {
                let sharing = match sharing {
                    CacheSharing::Shared => Sharing::Shared,
                    CacheSharing::Private => Sharing::Private,
                    CacheSharing::Locked => Sharing::Locked,
                };
                let cancelled = || self.cancel.is_cancelled();
                let open = open_volume(&self.store, name, sharing, &cancelled)?;
                let source = open.path().to_owned();
                self.furnish(&open, *owner, seed.as_ref())?;
                volumes.push(Box::new(open));
                (
                    Bind::Path {
                        source,
                        readonly: false,
                    },
                    EnsureKind::Dir,
                )
            }
            PlannedMount::Temp { size, .. } => (Bind::Tmpfs { size: *size }, EnsureKind::Dir),
            PlannedMount::Secret {
                target,
                mode,
                owner,
            } => {
                let data = self.secrets.files.iter().find(|(at, _)| at == target);
                let data = data.map(|(_, data)| data.clone()).unwrap_or_default();
                let bind = Bind::Temp {
                    at: temp.len(),
                    readonly: true,
                };
                temp.push(TempFile {
                    data,
                    mode: *mode,
                    uid: owner.0,
                    gid: owner.1,
                });
                (bind, EnsureKind::File)
            }
            PlannedMount::Socket { path, owner, .. } => {
                let mut source = path.clone();
                if let Some(owner) = *owner {
                    let lead = Lead::open(&self.live, path, owner, &self.events)?;
                    source.clone_from(&lead.path);
                    volumes.push(Box::new(lead));
                }
                let readonly = false;
                (Bind::Path { source, readonly }, EnsureKind::File)
            }
        })
    }

    /// Fills an empty volume and gives its root to its owner.
    fn furnish(
        &self,
        volume: &VolumeDir,
        owner: Option<(u32, u32)>,
        seed: Option<&Seed>,
    ) -> Result<()> {
        if owner.is_none() && seed.is_none() {
            return Ok(());
        }
        let empty = volume.is_empty().map_err(files::store_error)?;
        let fill = Furnish {
            path: volume.path().to_owned(),
            owner,
            seed: seed
                .filter(|_| empty)
                .map(|seed| (seed.layers.clone(), seed.path.clone())),
        };
        self.live.keeper.furnish(fill).map_err(files::keeper_error)
    }

    fn spec(&self, active: &Active, binds: &[Bind], index: u32) -> StepSpec {
        let plan = &self.plan;
        let root = RootFs::Overlay {
            lowers: active.lowers.clone(),
            upper: active.upper.clone(),
            work: active.work.clone(),
        };
        let mut spec = StepSpec::new(root, plan.args.clone());
        spec.env = self.environment();
        spec.hostname.clone_from(&plan.hostname);
        spec.cwd = plan.container.workdir().to_owned();
        spec.uid = plan.user.uid;
        spec.gid = plan.user.gid;
        spec.additional_gids = plan.user.additional_gids.clone();
        // The first thing that had to exist is the working directory, the others are the mounts.
        let targets = active.ensured.iter().skip(1);
        spec.mounts = targets
            .zip(binds)
            .map(|(ensured, bind)| bind.at(PathBuf::from(&ensured.path), &active.files))
            .collect();
        spec.init = !plan.exec.no_init;
        spec.network = match plan.exec.offline {
            true => Network::None,
            false => self.live.network(),
        };
        spec.limits = self.live.limits;
        spec.seccomp = self.live.filter;
        spec.net_index = Some(index);
        // A service's address is known to others, who may still use it after its end.
        spec.leaves_network = plan.keep;
        if plan.exec.insecure {
            spec.capabilities = Capabilities::All;
            spec.seccomp = Seccomp::Off;
            spec.mask_paths = false;
        }
        if plan.nested.is_some() {
            spec.listeners = vec![API_PORT];
        }
        spec
    }

    fn environment(&self) -> Vec<(String, String)> {
        let container = &self.plan.container;
        let mut env: Vec<(String, String)> = container
            .config
            .env
            .iter()
            .map(|var| (var.name.clone(), var.value.clone()))
            .collect();
        for var in &container.volatile_env {
            env.retain(|(name, _)| *name != var.name);
            env.push((var.name.clone(), var.value.clone()));
        }
        env.extend(self.secrets.env.iter().cloned());
        let home = self
            .plan
            .user
            .home
            .clone()
            .unwrap_or_else(|| "/".to_owned());
        let mut defaults = vec![
            ("PATH".to_owned(), DEFAULT_PATH.to_owned()),
            ("HOME".into(), home),
        ];
        if let Some(nested) = &self.plan.nested {
            defaults.push(("DAGGER_SESSION_PORT".into(), API_PORT.to_string()));
            defaults.push(("DAGGER_SESSION_TOKEN".into(), nested.token.clone()));
        }
        for (name, value) in &self.facts.env {
            let is_proxy = name.to_ascii_lowercase().ends_with("_proxy");
            let seen = is_proxy.then(|| reachable(&self.live, value)).flatten();
            defaults.push((name.clone(), seen.unwrap_or_else(|| value.clone())));
        }
        if self.facts.ca_bundle.is_some() {
            defaults.extend(CA_VARIABLES.map(|name| (name.to_owned(), CA_TARGET.to_owned())));
        }
        for (name, value) in defaults {
            if !env.iter().any(|(known, _)| *known == name) {
                env.push((name, value));
            }
        }
        env
    }
}

/// A proxy's URL as steps have to write it: one on the host's loopback answers at the gateway for them.
fn reachable(live: &Live, url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let (user, place) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
    let (host, port) = place.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let ip = match host {
        "localhost" => std::net::Ipv4Addr::LOCALHOST.into(),
        host => host.parse::<std::net::IpAddr>().ok()?,
    };
    if !ip.is_loopback() {
        return None;
    }
    let service = std::net::SocketAddr::new(ip, port.parse().ok()?);
    // Without a way in, the variable says what it says on the host.
    let inside = live.proxy()?.expose(service).ok()?;
    Some(format!("{scheme}://{user}{inside}{path}"))
}

fn stub(path: &str, kind: EnsureKind) -> Ensure {
    let mode = if matches!(kind, EnsureKind::Dir) {
        0o755
    } else {
        0o644
    };
    Ensure {
        path: path.to_owned(),
        kind,
        uid: 0,
        gid: 0,
        mode,
    }
}

/// What a mount binds, before its target is resolved.
enum Bind {
    Path {
        source: PathBuf,
        readonly: bool,
    },
    /// One of the temporary files, by position.
    Temp {
        at: usize,
        readonly: bool,
    },
    Tmpfs {
        size: Option<u64>,
    },
}

impl Bind {
    fn at(&self, target: PathBuf, files: &[PathBuf]) -> StepMount {
        match self {
            Self::Path { source, readonly } => StepMount::Bind {
                source: source.clone(),
                target,
                readonly: *readonly,
            },
            Self::Temp { at, readonly } => StepMount::Bind {
                source: files[*at].clone(),
                target,
                readonly: *readonly,
            },
            Self::Tmpfs { size } => StepMount::Tmpfs {
                target,
                size: *size,
                mode: 0o1777,
            },
        }
    }
}

pub(super) struct AttachedTree {
    pub(super) target: String,
    pub(super) mounted: Mounted,
    pub(super) keep: bool,
}

/// Trees attached so far; detached again unless kept.
struct Mounts<'a> {
    live: &'a Live,
    list: Vec<AttachedTree>,
}

impl Mounts<'_> {
    fn keep(mut self) -> Vec<AttachedTree> {
        std::mem::take(&mut self.list)
    }
}

impl Drop for Mounts<'_> {
    fn drop(&mut self) {
        for tree in &self.list {
            // Only reached when preparing failed; that error is the one to show.
            drop(self.live.keeper.unmount(&tree.mounted.id));
        }
    }
}

pub(super) struct Prepared {
    pub(super) active: Active,
    pub(super) mounted: Vec<AttachedTree>,
    pub(super) spec: StepSpec,
    _aliases: Aliases,
    /// Given back last: what is known of its address is the next step's from then on.
    _place: Place,
}

/// What a step calls its services, known to the name server while it runs.
struct Aliases(Option<(Arc<NameTable>, IpAddr)>);

impl Aliases {
    fn of(names: &Arc<NameTable>, step: IpAddr, aliases: &[(IpAddr, String)]) -> Self {
        if aliases.is_empty() {
            return Self(None);
        }
        names.set_aliases(step, aliases);
        Self(Some((Arc::clone(names), step)))
    }
}

impl Drop for Aliases {
    fn drop(&mut self) {
        if let Some((names, step)) = &self.0 {
            names.remove_aliases(*step);
        }
    }
}

impl Prepared {
    /// Throws away what was written. What cannot be thrown away now is swept later.
    pub(super) fn discard(self, live: &Live) {
        drop(live.keeper.discard(&self.active.id));
        for tree in &self.mounted {
            drop(live.keeper.unmount(&tree.mounted.id));
        }
    }
}
