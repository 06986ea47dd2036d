//! Leads datagrams to a service and its answers back, one socket for each sender.

use std::{
    collections::HashMap,
    future::Future,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::net::UdpSocket;

/// How long a sender that nothing is heard of keeps its socket.
const IDLE: Duration = Duration::from_secs(60);
/// Senders at a time; datagrams of further ones are lost, as datagrams may be.
const SENDERS: usize = 1024;
const DATAGRAM: usize = 65_535;

type Senders = Arc<Mutex<HashMap<SocketAddr, Arc<UdpSocket>>>>;

/// Serves `front` until it is dropped; `dial` gives a socket that is connected to the service.
pub async fn relay<F, D>(front: UdpSocket, dial: F)
where
    F: Fn() -> D + Send,
    D: Future<Output = io::Result<UdpSocket>> + Send,
{
    let front = Arc::new(front);
    let senders = Senders::default();
    let mut tasks = tokio::task::JoinSet::new();
    let mut buffer = vec![0; DATAGRAM];
    loop {
        while tasks.try_join_next().is_some() {}
        // Errors here are earlier answers that came back as unreachable.
        let Ok((length, sender)) = front.recv_from(&mut buffer).await else {
            continue;
        };
        let known = lock(&senders).get(&sender).cloned();
        let back = match known {
            Some(back) => back,
            None if lock(&senders).len() >= SENDERS => continue,
            None => {
                let Ok(back) = dial().await.map(Arc::new) else {
                    continue;
                };
                lock(&senders).insert(sender, Arc::clone(&back));
                let (front, senders) = (Arc::clone(&front), Arc::clone(&senders));
                tasks.spawn(answers(Arc::clone(&back), front, sender, senders));
                back
            }
        };
        // A datagram that cannot be sent is lost, as datagrams may be.
        back.send(&buffer[..length]).await.ok();
    }
}

/// Brings back what the service answers to one sender.
async fn answers(
    back: Arc<UdpSocket>,
    front: Arc<UdpSocket>,
    sender: SocketAddr,
    senders: Senders,
) {
    let mut buffer = vec![0; DATAGRAM];
    while let Ok(received) = tokio::time::timeout(IDLE, back.recv(&mut buffer)).await {
        match received {
            Ok(length) => {
                front.send_to(&buffer[..length], sender).await.ok();
            }
            // The service does not listen (yet); the sender asks again or not at all.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(_) => break,
        }
    }
    lock(&senders).remove(&sender);
}

fn lock(senders: &Senders) -> std::sync::MutexGuard<'_, HashMap<SocketAddr, Arc<UdpSocket>>> {
    senders.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_sender_gets_its_own_answers() {
        let service = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let at = service.local_addr().unwrap();
        let echo = tokio::spawn(async move {
            let mut buffer = [0; 64];
            loop {
                let (length, from) = service.recv_from(&mut buffer).await.unwrap();
                service.send_to(&buffer[..length], from).await.unwrap();
            }
        });
        let front = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let door = front.local_addr().unwrap();
        let dial = move || async move {
            let socket = UdpSocket::bind("127.0.0.1:0").await?;
            socket.connect(at).await?;
            Ok(socket)
        };
        let relay = tokio::spawn(relay(front, dial));
        let mut clients = Vec::new();
        for text in ["one", "two", "three"] {
            let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            client.connect(door).await.unwrap();
            client.send(text.as_bytes()).await.unwrap();
            clients.push((client, text));
        }
        for (client, text) in clients {
            let mut buffer = [0; 64];
            let length = client.recv(&mut buffer).await.unwrap();
            assert_eq!(&buffer[..length], text.as_bytes());
        }
        relay.abort();
        echo.abort();
    }
}
