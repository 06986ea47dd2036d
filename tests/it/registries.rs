//! Registries inside of a session, and digests that are the same for everybody.

use serde_json::Value;

use crate::support::registry::{Access, Registry};
use crate::support::{IMAGE, Nsci, Ran, from, nest, sh};

#[test]
fn a_registry_can_be_a_service() {
    let (nsci, registry) = (Nsci::new(), Registry::start(Access::Open));
    let port = registry.address.rsplit(':').next().unwrap().to_owned();
    let session = nsci.session();
    let ports = format!("[{{frontend: {port}, backend: {port}}}]");
    let service = session.id(&format!("host service(ports: {ports})"));
    let at = format!("address: \"forge:{port}/team/app:1\", registryService: {service}");
    let published = session.text(&format!(
        "container {} withNewFile(path: \"/f\", contents: \"x\") publish({at})",
        from(IMAGE)
    ));
    assert!(
        published.starts_with(&format!("forge:{port}/team/app:1@sha256:")),
        "{published}"
    );
    let read = format!("container from({at}) file(path: \"/f\") contents");
    assert_eq!(session.text(&read), "x");
    // It really went there, and nothing answers by that name without the service.
    assert!(!registry.writes().is_empty());
    let alone =
        format!("container from(address: \"forge:{port}/team/app:1\") file(path: \"/f\") contents");
    let other = Nsci::new();
    other.chain(&alone).failed(1, &[&format!("forge:{port}")]);
    session.end();
}

/// The digest of the uncompressed layer that the script makes; times are those of `SOURCE_DATE_EPOCH`.
const DIGEST: &str = "sha256:05f5e4af0e22d26a8b527274c049bfc766364a9b539fc7929b250e32e2cb9d12";

#[test]
fn a_layer_is_the_same_for_every_user_and_store() {
    let nsci = Nsci::new();
    let script = "mkdir -p /d/e; echo text > /d/f; chown 12:34 /d/f; chmod 4755 /d/f; ln -s f /d/s; ln /d/f /d/h; \
                  chown 65534:65534 /d/e; chmod 1777 /d/e; rm -r /etc/ssl; mkfifo /d/p";
    let chain = format!(
        "container {} {} manifest(forcedCompression: Uncompressed) contents",
        from(IMAGE),
        sh(script)
    );
    let output = nsci
        .command(&["query", &nest(&chain)])
        .env("SOURCE_DATE_EPOCH", "1000000000")
        .output();
    let ran = Ran::from(output.unwrap()).ok();
    let manifest = crate::support::text(crate::support::leaf(&ran.json()));
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let last = manifest["layers"].as_array().unwrap().last().unwrap();
    // Users with other subordinate ids, other stores and other machines run this test too.
    assert_eq!(last["digest"], DIGEST, "{manifest}");
}
