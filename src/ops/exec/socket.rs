//! Sockets of the host that belong to a user of the step: a socket of their own, whose connections are carried over.
//!
//! The host's socket itself cannot be given to another user. What mounts without an owner get is that socket.

use super::super::{files, sandbox::Live};
use crate::{
    error::{Error, Kind, Result},
    event::Events,
};
use std::{
    io,
    os::unix::fs::FileTypeExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::{
    net::{UnixListener, UnixStream},
    task::{AbortHandle, JoinSet},
};

/// Permission bits: for its owner alone.
const MODE: u32 = 0o600;

/// A socket in a step that leads to one of the host, for as long as it lives.
pub(super) struct Lead {
    /// Where the socket is that the step is to see.
    pub(super) path: PathBuf,
    id: String,
    live: Arc<Live>,
    task: AbortHandle,
}

impl Lead {
    /// Makes a socket for `owner` that leads to `target`. Called on a thread that may block.
    pub(super) fn open(
        live: &Arc<Live>,
        target: &Path,
        owner: (u32, u32),
        events: &Events,
    ) -> Result<Self> {
        check(target)?;
        let (made, listener) = live
            .keeper
            .listen(owner.0, owner.1, MODE)
            .map_err(files::keeper_error)?;
        let listener = std::os::unix::net::UnixListener::from(listener);
        let (to, events) = (target.to_owned(), events.clone());
        let task = tokio::runtime::Handle::current().spawn(async move {
            let served = serve(listener, &to, &events).await;
            if let Err(error) = served {
                events.warn(format!("cannot serve socket {}: {error}", to.display()));
            }
        });
        Ok(Self {
            path: made.path,
            id: made.id,
            live: Arc::clone(live),
            task: task.abort_handle(),
        })
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        self.task.abort();
        // What cannot be removed goes with the session.
        drop(self.live.keeper.discard(&self.id));
    }
}

/// Refuses what is no socket before a step waits for it.
fn check(target: &Path) -> Result<()> {
    let named = target.display();
    let found = std::fs::metadata(target).map_err(|error| {
        let what = format!("cannot use socket {named} of the host");
        Error::caused(Kind::Host, what, error)
    })?;
    if !found.file_type().is_socket() {
        return Err(Error::invalid(format!("{named} of the host is no socket")));
    }
    Ok(())
}

/// Carries connections over until it is dropped.
async fn serve(
    listener: std::os::unix::net::UnixListener,
    target: &Path,
    events: &Events,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = UnixListener::from_std(listener)?;
    let mut open = JoinSet::new();
    loop {
        let (mut inside, _) = listener.accept().await?;
        while open.try_join_next().is_some() {}
        match UnixStream::connect(target).await {
            Ok(mut outside) => {
                open.spawn(async move {
                    // Whoever connected sees the connection close; there is nobody else to tell.
                    tokio::io::copy_bidirectional(&mut inside, &mut outside)
                        .await
                        .ok();
                });
            }
            Err(error) => events.warn(format!(
                "cannot connect to socket {}: {error}",
                target.display()
            )),
        }
    }
}
