//! The life of services on a launcher that starts nothing.

use super::*;
use crate::graph::ServiceKind;
use futures_util::FutureExt;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(3600);

/// What all instances of a [`Fake`] tell.
#[derive(Default)]
struct Told {
    launched: AtomicUsize,
    stops: Mutex<Vec<(String, Stop)>>,
    endings: Mutex<Vec<(String, watch::Sender<Option<Ended>>)>>,
}

#[derive(Clone, Default)]
struct Fake {
    told: Arc<Told>,
    fails: bool,
}

impl Launcher for Fake {
    fn launch<'a>(&'a self, service: &'a Service) -> BoxFuture<'a, Result<Running>> {
        async move {
            // Others get their turn while it starts.
            tokio::task::yield_now().await;
            self.told.launched.fetch_add(1, Ordering::Relaxed);
            if self.fails {
                return Err(Error::invalid("no"));
            }
            let (sender, ended) = watch::channel(None);
            let name = service.host_name();
            let own = (name.clone(), sender.clone());
            self.told.endings.lock().unwrap().push(own);
            let told = Arc::clone(&self.told);
            Ok(Running {
                addresses: Vec::new(),
                endpoint: Endpoint::default(),
                ended,
                stop: Box::new(move |how| {
                    told.stops.lock().unwrap().push((name.clone(), how));
                    sender.send(Some(Ended::default())).ok();
                }),
                keep: Box::new(()),
                inside: None,
            })
        }
        .boxed()
    }
}

fn service(name: &str) -> Service {
    Service {
        kind: ServiceKind::Host {
            host: "localhost".into(),
            ports: Vec::new(),
        },
        hostname: Some(name.into()),
        digest: Key::of("test", [name]),
    }
}

fn services(idle: Duration) -> (Arc<Services<Fake>>, Arc<Told>) {
    let fake = Fake::default();
    let told = Arc::clone(&fake.told);
    let services = Services::new(fake, tokio::runtime::Handle::current(), idle);
    (Arc::new(services), told)
}

fn count(told: &Told) -> usize {
    told.launched.load(Ordering::Relaxed)
}

#[tokio::test]
async fn users_at_the_same_time_share_one_instance() {
    let (services, told) = services(LONG);
    let db = service("db");
    let (a, b) = futures_util::join!(services.acquire(&db), services.acquire(&db));
    assert!(Arc::ptr_eq(a.unwrap().instance(), b.unwrap().instance()));
    assert_eq!(count(&told), 1);
}

#[tokio::test]
async fn an_unused_instance_waits_for_the_next_user() {
    let (services, told) = services(LONG);
    let db = service("db");
    let first = services.acquire(&db).await.unwrap();
    let instance = Arc::clone(first.instance());
    drop(first);
    let second = services.acquire(&db).await.unwrap();
    assert!(Arc::ptr_eq(&instance, second.instance()));
    assert!(told.stops.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_instance_that_nobody_uses_any_more_is_stopped_gently() {
    let (services, told) = services(Duration::from_millis(1));
    let db = service("db");
    let first = services.acquire(&db).await.unwrap();
    let instance = Arc::clone(first.instance());
    drop(first);
    instance.wait().await;
    assert_eq!(
        *told.stops.lock().unwrap(),
        [("db".to_owned(), Stop::Gently)]
    );
    services.acquire(&db).await.unwrap();
    assert_eq!(count(&told), 2);
}

#[tokio::test]
async fn a_started_service_runs_until_it_is_stopped() {
    let (services, told) = services(Duration::ZERO);
    let db = service("db");
    services.start(&db).await.unwrap();
    // One that nobody uses is stopped at once here; this one is used by having been started.
    let other = services.acquire(&service("other")).await.unwrap();
    let idle = Arc::clone(other.instance());
    drop(other);
    idle.wait().await;
    told.stops.lock().unwrap().clear();
    assert!(services.running(&db).await.is_some());
    services.stop(&db, Stop::Kill).await;
    assert_eq!(*told.stops.lock().unwrap(), [("db".to_owned(), Stop::Kill)]);
    assert!(services.running(&db).await.is_none());
    services.stop(&db, Stop::Kill).await;
    assert_eq!(told.stops.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn one_that_ended_by_itself_is_started_again() {
    let (services, told) = services(LONG);
    let db = service("db");
    let first = services.acquire(&db).await.unwrap();
    let ending = told.endings.lock().unwrap()[0].1.clone();
    let ended = Ended {
        exit_code: Some(3),
        ..Ended::default()
    };
    ending.send(Some(ended.clone())).unwrap();
    assert_eq!(first.instance().ended(), Some(ended));
    services.acquire(&db).await.unwrap();
    assert_eq!(count(&told), 2);
}

#[tokio::test]
async fn a_failed_start_is_tried_again() {
    let fake = Fake {
        fails: true,
        ..Fake::default()
    };
    let told = Arc::clone(&fake.told);
    let services = Services::new(fake, tokio::runtime::Handle::current(), LONG);
    for _ in 0..2 {
        services.acquire(&service("db")).await.unwrap_err();
    }
    assert_eq!(count(&told), 2);
}

#[tokio::test]
async fn a_start_that_nobody_waits_for_makes_way_for_the_next() {
    let (services, told) = services(LONG);
    let db = service("db");
    assert!(
        services.acquire(&db).now_or_never().is_none(),
        "it takes a while"
    );
    services.acquire(&db).await.unwrap();
    assert_eq!(count(&told), 1);
}

#[tokio::test]
async fn the_end_stops_users_of_services_before_the_services() {
    let (services, told) = services(LONG);
    services.start(&service("web")).await.unwrap();
    let used = services.acquire(&service("db")).await.unwrap();
    let mut web = services
        .running(&service("web"))
        .await
        .unwrap()
        .running
        .ended
        .clone();
    // What a launcher keeps for an instance goes when the instance does.
    let keeper = tokio::spawn(async move {
        web.wait_for(Option::is_some).await.unwrap();
        drop(used);
    });
    services.stop_all().await;
    keeper.await.unwrap();
    let names: Vec<String> = told
        .stops
        .lock()
        .unwrap()
        .iter()
        .map(|(n, _)| n.clone())
        .collect();
    assert_eq!(names, ["web", "db"]);
}

#[test]
fn endings_are_told_in_words() {
    let code = Ended {
        exit_code: Some(2),
        stderr: "a\nb".into(),
        ..Ended::default()
    };
    assert_eq!(code.how(), "ended with exit code 2");
    assert_eq!(code.last_words(), "a\nb");
    assert_eq!(Ended::default().how(), "was stopped");
}
