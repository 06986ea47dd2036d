use super::*;
use crate::source::testing::noise;
use tar::{Builder, Header};

/// Files of a layout with one image: a configuration and an uncompressed layer.
fn layout(arch: &str, layer: &[u8]) -> (Vec<(String, Vec<u8>)>, serde_json::Value) {
    let diff_id = sha256(layer).to_string();
    let config = json!({
        "architecture": arch, "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [diff_id]}, "config": {},
    });
    let config = config.to_string().into_bytes();
    let manifest = json!({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": sha256(&config).to_string(), "size": config.len(),
        },
        "layers": [{
            "mediaType": "application/vnd.oci.image.layer.v1.tar",
            "digest": diff_id, "size": layer.len(),
        }],
    });
    let manifest = manifest.to_string().into_bytes();
    let entry = json!({
        "mediaType": OCI_MANIFEST, "digest": sha256(&manifest).to_string(),
        "size": manifest.len(),
        "platform": {"os": "linux", "architecture": arch},
    });
    let file = |bytes: &[u8]| (blob_path(&sha256(bytes)), bytes.to_vec());
    (vec![file(&config), file(&manifest), file(layer)], entry)
}

type Files = Vec<(String, Vec<u8>)>;
type Change<'a> = &'a dyn Fn(&mut Files);

fn archive(files: &[(String, Vec<u8>)]) -> LocalImages {
    let mut tar = Builder::new(tempfile::tempfile().unwrap());
    for (path, bytes) in files {
        let mut header = Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, path, bytes.as_slice())
            .unwrap();
    }
    let mut file = tar.into_inner().unwrap();
    io::Seek::rewind(&mut file).unwrap();
    LocalImages::archive(file, "x.tar").unwrap()
}

fn index(entries: &[serde_json::Value]) -> (String, Vec<u8>) {
    let index = json!({"schemaVersion": 2, "manifests": entries});
    ("index.json".into(), index.to_string().into_bytes())
}

fn amd64() -> Platform {
    Platform::new("linux", "amd64", None)
}

async fn all(blobs: &LocalBlobs, layer: &Descriptor, offset: u64) -> Vec<u8> {
    let mut body = blobs.open(layer, offset).await.unwrap();
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await.unwrap() {
        bytes.extend_from_slice(chunk);
    }
    bytes
}

#[tokio::test]
async fn layers_of_an_archive_are_read() {
    let layer = noise(1, 700_000);
    let (mut files, entry) = layout("amd64", &layer);
    files.push(index(&[entry]));
    let (resolved, blobs) = archive(&files).resolve("", &amd64()).unwrap();
    assert_eq!(resolved.platform, amd64());
    let descriptor = &resolved.layers[0].descriptor;
    assert_eq!(all(&blobs, descriptor, 0).await, layer);
    assert_eq!(all(&blobs, descriptor, 699_990).await, layer[699_990..]);
}

#[tokio::test]
async fn directory_is_read_like_an_archive() {
    let dir = tempfile::tempdir().unwrap();
    let (mut files, entry) = layout("amd64", b"layer");
    files.push(index(&[entry]));
    for (path, bytes) in &files {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let images = LocalImages::layout(dir.path().to_owned());
    let (resolved, blobs) = images.resolve("", &amd64()).unwrap();
    assert_eq!(
        all(&blobs, &resolved.layers[0].descriptor, 0).await,
        b"layer"
    );
}

#[test]
fn image_is_chosen_by_name_and_platform() {
    let (mut files, mut one) = layout("amd64", b"one");
    let (more, mut other) = layout("arm64", b"other");
    files.extend(more);
    files.push(index(&[one.clone(), other.clone()]));
    let arm = Platform::new("linux", "arm64", None);
    let (resolved, _) = archive(&files).resolve("", &arm).unwrap();
    assert_eq!(resolved.platform, arm);

    one["annotations"] = json!({"org.opencontainers.image.ref.name": "docker.io/a/b:1"});
    other["annotations"] = json!({"org.opencontainers.image.ref.name": "2"});
    other.as_object_mut().unwrap().remove("platform");
    files.pop();
    files.push(index(&[one, other]));
    let images = archive(&files);
    for (wanted, platform) in [("1", &amd64()), ("docker.io/a/b:1", &amd64()), ("2", &arm)] {
        let (resolved, _) = images.resolve(wanted, &amd64()).unwrap();
        assert_eq!(resolved.platform, *platform, "{wanted}");
    }
    let error = images.resolve("3", &amd64()).unwrap_err().to_string();
    assert!(error.contains("docker.io/a/b:1, 2"), "{error}");
    let error = images.resolve("", &amd64()).unwrap_err().to_string();
    assert!(error.contains("several images"), "{error}");
}

#[tokio::test]
async fn what_docker_save_wrote_is_read() {
    let layer = b"layer".to_vec();
    let (files, _) = layout("amd64", &layer);
    let config = files[0].1.clone();
    let list = json!([{
        "Config": "abc.json", "RepoTags": ["app:1"], "Layers": ["l1/layer.tar"],
    }]);
    let images = archive(&[
        ("abc.json".into(), config),
        ("l1/layer.tar".into(), layer.clone()),
        ("manifest.json".into(), list.to_string().into_bytes()),
    ]);
    assert_eq!(images.names().unwrap(), ["app:1"]);
    let (resolved, blobs) = images.resolve("1", &amd64()).unwrap();
    assert_eq!(resolved.layers[0].digest(), &sha256(&layer));
    assert_eq!(all(&blobs, &resolved.layers[0].descriptor, 0).await, layer);
}

#[test]
fn damaged_archives_are_refused() {
    let (files, entry) = layout("amd64", b"layer");
    let wrong = |change: Change<'_>| {
        let mut files = files.clone();
        files.push(index(std::slice::from_ref(&entry)));
        change(&mut files);
        archive(&files)
            .resolve("", &amd64())
            .unwrap_err()
            .to_string()
    };
    for (change, text) in [
        (
            &(|files: &mut Vec<_>| drop(files.pop())) as Change<'_>,
            "neither index.json nor manifest.json",
        ),
        (&|files| drop(files.remove(1)), "is missing"),
        (&|files| files[1].1.push(b' '), "should be sha256:"),
        (
            &|files| files.last_mut().unwrap().1.truncate(9),
            "index.json:",
        ),
    ] {
        let error = wrong(change);
        assert!(error.contains(text), "{error}");
    }
    let file = tempfile::tempfile().unwrap();
    file.write_all_at(&noise(1, 4096), 0).unwrap();
    assert!(LocalImages::archive(file, "x").is_err());
}
