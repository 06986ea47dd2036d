//! Containers that keep running: started when somebody needs them, shared, stopped when nobody does.
//!
//! [`Services`] keeps at most one instance for each service digest of a session and counts who uses it. How an
//! instance is started is a [`Launcher`]'s business, so the tests here start none. [`NameTable`] holds the names by
//! which steps find instances; [`health`] decides when one is ready.

pub mod health;
mod names;
pub mod signals;
pub mod udp;

pub use names::{DOMAIN, NameTable};

use crate::{
    error::{Error, Kind, Result},
    graph::{Key, Service},
};
use futures_util::future::{BoxFuture, join_all};
use std::{
    any::Any,
    collections::HashMap,
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};
use tokio::sync::watch;

/// How long an instance that nobody uses waits for the next user.
pub const IDLE_GRACE: Duration = Duration::from_secs(10);
/// How long an instance that was asked to stop may take.
pub const STOP_GRACE: Duration = Duration::from_secs(10);

/// Starts services.
pub trait Launcher: Send + Sync + 'static {
    /// Starts a service and waits until it can be used. Dropping the future stops what was started.
    fn launch<'a>(&'a self, service: &'a Service) -> BoxFuture<'a, Result<Running>>;
}

/// What a launcher started.
pub struct Running {
    /// Where containers reach it; empty for a tunnel, which only the host does.
    pub addresses: Vec<IpAddr>,
    /// Name and ports by which who started it reaches it.
    pub endpoint: Endpoint,
    /// Told when it ends.
    pub ended: watch::Receiver<Option<Ended>>,
    /// Asks it to stop.
    pub stop: Box<dyn Fn(Stop) + Send + Sync>,
    /// What must live as long as it does, such as its uses of other services.
    pub keep: Box<dyn Any + Send + Sync>,
    /// The launcher's way into it, if there is one.
    pub inside: Option<Box<dyn Any + Send + Sync>>,
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// Where a service is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// Host name or address.
    pub host: String,
    /// Ports, the first being the one meant when none is named.
    pub ports: Vec<u16>,
}

/// How to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// By its stop signal, and harder after [`STOP_GRACE`].
    Gently,
    /// At once.
    Kill,
}

/// How an instance ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Exit code; none if it was stopped or never ran.
    pub exit_code: Option<i32>,
    /// Why it could not even run.
    pub fault: Option<String>,
    /// End of what it wrote.
    pub stdout: String,
    /// End of what it wrote to standard error.
    pub stderr: String,
    /// The command.
    pub cmd: Vec<String>,
}

impl Ended {
    /// What it wrote last, for an error message.
    pub fn last_words(&self) -> String {
        let both = [self.stdout.as_str(), self.stderr.as_str()];
        let lines: Vec<&str> = both
            .iter()
            .flat_map(|text| {
                let lines: Vec<&str> = text.lines().collect();
                lines[lines.len().saturating_sub(LAST_LINES)..].to_vec()
            })
            .collect();
        lines.join("\n")
    }

    /// `ended with exit code 1`, or why it did not run.
    pub fn how(&self) -> String {
        match (&self.fault, self.exit_code) {
            (Some(fault), _) => format!("could not run: {fault}"),
            (None, Some(code)) => format!("ended with exit code {code}"),
            (None, None) => "was stopped".into(),
        }
    }
}

/// Lines of each stream that an error message repeats.
const LAST_LINES: usize = 20;

/// A running instance.
pub struct Instance {
    service: Service,
    running: Running,
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance")
            .field("service", &self.service.title())
            .finish_non_exhaustive()
    }
}

impl Instance {
    /// Where containers reach it.
    pub fn addresses(&self) -> &[IpAddr] {
        &self.running.addresses
    }

    /// Where it is reached by who started it.
    pub fn endpoint(&self) -> &Endpoint {
        &self.running.endpoint
    }

    /// The launcher's way into it, if it is of this kind.
    pub fn inside<T: 'static>(&self) -> Option<&T> {
        self.running.inside.as_ref()?.downcast_ref()
    }

    /// What it is.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// How it ended, if it did.
    pub fn ended(&self) -> Option<Ended> {
        let ended = self.running.ended.borrow().clone();
        // A launcher that went away without a word ended it too.
        ended.or_else(|| {
            self.running
                .ended
                .has_changed()
                .err()
                .map(|_| Ended::default())
        })
    }

    /// Waits for its end.
    pub async fn wait(&self) -> Ended {
        let mut ended = self.running.ended.clone();
        let end = ended.wait_for(Option::is_some).await;
        end.ok().and_then(|end| end.clone()).unwrap_or_default()
    }

    async fn stop(&self, how: Stop) {
        (self.running.stop)(how);
        self.wait().await;
    }
}

/// The services of one session.
pub struct Services<L> {
    launcher: L,
    entries: Mutex<HashMap<Key, Arc<Entry>>>,
    runtime: tokio::runtime::Handle,
    pins: Mutex<HashMap<Key, Use>>,
    idle: Duration,
}

/// What is known of one digest.
#[derive(Default)]
struct Entry {
    /// Held while the instance starts, so that all who want it wait for one start.
    instance: tokio::sync::Mutex<Option<Arc<Instance>>>,
    users: Mutex<Users>,
}

#[derive(Default)]
struct Users {
    count: usize,
    /// Grows with every use, so that an idle timer sees whether it is still about the same pause.
    uses: u64,
}

impl Entry {
    fn users(&self) -> std::sync::MutexGuard<'_, Users> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops what runs; whoever starts it meanwhile waits.
    async fn stop(&self, how: Stop) {
        let mut slot = self.instance.lock().await;
        if let Some(instance) = slot.take() {
            instance.stop(how).await;
        }
    }
}

/// Keeps an instance from being stopped for lack of users.
pub struct Use {
    instance: Arc<Instance>,
    _count: Count,
}

impl fmt::Debug for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.instance.fmt(f)
    }
}

impl Use {
    /// The instance.
    pub fn instance(&self) -> &Arc<Instance> {
        &self.instance
    }
}

/// One user of an entry; the last that goes starts the timer.
struct Count {
    entry: Arc<Entry>,
    runtime: tokio::runtime::Handle,
    idle: Duration,
}

impl Drop for Count {
    fn drop(&mut self) {
        let uses = {
            let mut users = self.entry.users();
            users.count -= 1;
            if users.count > 0 {
                return;
            }
            users.uses
        };
        let (entry, idle): (Weak<Entry>, _) = (Arc::downgrade(&self.entry), self.idle);
        self.runtime.spawn(async move {
            tokio::time::sleep(idle).await;
            let Some(entry) = entry.upgrade() else {
                return;
            };
            let mut slot = entry.instance.lock().await;
            let idle = {
                let users = entry.users();
                users.count == 0 && users.uses == uses
            };
            if let (true, Some(instance)) = (idle, slot.take()) {
                instance.stop(Stop::Gently).await;
            }
        });
    }
}

impl<L: Launcher> Services<L> {
    /// No service runs yet. Timers run on `runtime`; an instance without users stops after `idle`.
    pub fn new(launcher: L, runtime: tokio::runtime::Handle, idle: Duration) -> Self {
        Self {
            launcher,
            entries: Mutex::default(),
            runtime,
            pins: Mutex::default(),
            idle,
        }
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Arc<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn entry(&self, key: &Key) -> Arc<Entry> {
        Arc::clone(self.entries().entry(key.clone()).or_default())
    }

    /// A running instance of the service, started if there is none.
    ///
    /// # Errors
    /// If it cannot be started or ends before it is ready.
    pub async fn acquire(&self, service: &Service) -> Result<Use> {
        let entry = self.entry(&service.digest);
        let count = self.count(&entry);
        let mut slot = entry.instance.lock().await;
        let alive = slot.take().filter(|instance| instance.ended().is_none());
        let instance = match alive {
            Some(instance) => instance,
            None => Arc::new(Instance {
                running: self.launcher.launch(service).await?,
                service: service.clone(),
            }),
        };
        *slot = Some(Arc::clone(&instance));
        Ok(Use {
            instance,
            _count: count,
        })
    }

    fn count(&self, entry: &Arc<Entry>) -> Count {
        let mut users = entry.users();
        users.count += 1;
        users.uses += 1;
        Count {
            entry: Arc::clone(entry),
            runtime: self.runtime.clone(),
            idle: self.idle,
        }
    }

    /// Starts a service that then runs until it is stopped or the session ends.
    ///
    /// # Errors
    /// As [`Self::acquire`].
    pub async fn start(&self, service: &Service) -> Result<Arc<Instance>> {
        let used = self.acquire(service).await?;
        let instance = Arc::clone(&used.instance);
        let before = self.pins().insert(service.digest.clone(), used);
        drop(before);
        Ok(instance)
    }

    /// Stops a service, whoever uses it. One that does not run is stopped already.
    pub async fn stop(&self, service: &Service, how: Stop) {
        let pin = self.pins().remove(&service.digest);
        let entry = self.entries().get(&service.digest).cloned();
        if let Some(entry) = entry {
            entry.stop(how).await;
        }
        drop(pin);
    }

    /// The running instance of a service, if there is one.
    pub async fn running(&self, service: &Service) -> Option<Arc<Instance>> {
        let entry = self.entries().get(&service.digest).cloned()?;
        let slot = entry.instance.lock().await;
        slot.clone().filter(|instance| instance.ended().is_none())
    }

    /// Stops everything: first what nothing else builds on, the rest after it.
    pub async fn stop_all(&self) {
        self.pins().clear();
        loop {
            let mut running = Vec::new();
            let entries: Vec<Arc<Entry>> = self.entries().values().cloned().collect();
            for entry in entries {
                let is_up = entry.instance.lock().await.is_some();
                if is_up {
                    running.push(entry);
                }
            }
            if running.is_empty() {
                return;
            }
            let (unused, used): (Vec<_>, Vec<_>) = running
                .into_iter()
                .partition(|entry| entry.users().count == 0);
            let now = if unused.is_empty() { used } else { unused };
            join_all(now.iter().map(|entry| entry.stop(Stop::Gently))).await;
        }
    }

    fn pins(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Use>> {
        self.pins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<L> fmt::Debug for Services<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Services").finish_non_exhaustive()
    }
}

/// The error of who needed a service that ended before it was ready.
pub fn died_early(service: &Service, ended: &Ended, waited_for: &str) -> Error {
    let message = format!(
        "service `{}` {} before {waited_for}",
        service.title(),
        ended.how()
    );
    match ended.exit_code {
        Some(exit_code) => Error::new(
            Kind::Exec(crate::error::ExecFailure {
                cmd: ended.cmd.clone(),
                exit_code,
                stdout: ended.stdout.clone(),
                stderr: ended.stderr.clone(),
            }),
            message,
        ),
        None => Error::invalid(message),
    }
}

#[cfg(test)]
mod tests;
