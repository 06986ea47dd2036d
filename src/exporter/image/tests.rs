use super::*;
use crate::graph::{EnvVar, Healthcheck, Port, Protocol};

fn layer(name: &str, history: Option<History>) -> LayerBlob {
    LayerBlob {
        digest: Blob::new(name.into(), "").digest,
        size: 7,
        diff_id: Blob::new(format!("{name}.tar").into_bytes(), "").digest,
        compression: Compression::Gzip,
        history,
    }
}

fn own(created: i64) -> Option<History> {
    let created_by = "nsci".into();
    Some(History {
        created_by,
        created,
    })
}

fn note(name: &str, value: &str) -> Annotation {
    Annotation {
        name: name.into(),
        value: value.into(),
    }
}

fn config() -> ImageConfig {
    ImageConfig {
        env: vec![EnvVar {
            name: "B".into(),
            value: "1".into(),
        }],
        workdir: "/src".into(),
        entrypoint: Some(vec!["/app".into()]),
        cmd: Some(Vec::new()),
        labels: vec![note("z", "1"), note("a", "2")],
        ports: vec![Port {
            port: 53,
            protocol: Protocol::Udp,
            description: None,
            skip_healthcheck: false,
        }],
        healthcheck: Some(Healthcheck {
            test: vec!["CMD".into(), "true".into()],
            retries: 2,
            ..Healthcheck::default()
        }),
        ..ImageConfig::default()
    }
}

fn base() -> Base {
    Base {
        config: json!({
            "architecture": "other", "created": "2020-01-01T00:00:00.5Z", "author": "them",
            "container_config": {"Hostname": "x"},
            "config": {"Env": ["A=0"], "Hostname": "h", "ArgsEscaped": true},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:0"]},
            "history": [{"created_by": "FROM"}, {"created_by": "ENV", "empty_layer": true}],
        }),
        layers: 1,
    }
}

fn spec<'a>(config: &'a ImageConfig, layers: &'a [LayerBlob]) -> ImageSpec<'a> {
    ImageSpec {
        platform: "linux/arm/v7",
        config,
        layers,
        base: None,
        annotations: &[],
        media_types: MediaTypes::Oci,
        epoch: None,
    }
}

fn json_of(blob: &Blob) -> Value {
    serde_json::from_slice(&blob.bytes).unwrap()
}

#[test]
fn configuration_is_the_containers_on_the_bases() {
    let config = config();
    let layers = [layer("below", None), layer("own", own(1_600_000_000))];
    let image = assemble(&ImageSpec {
        base: Some(base()),
        ..spec(&config, &layers)
    });
    assert_eq!(
        json_of(&image.config),
        json!({
            "created": "2020-09-13T12:26:40Z",
            "architecture": "arm", "os": "linux", "variant": "v7",
            "config": {
                "ExposedPorts": {"53/udp": {}}, "Env": ["B=1"], "Entrypoint": ["/app"],
                "WorkingDir": "/src", "Labels": {"a": "2", "z": "1"},
                "Healthcheck": {"Test": ["CMD", "true"], "Retries": 2}, "ArgsEscaped": true,
            },
            "rootfs": {"type": "layers", "diff_ids": [
                layers[0].diff_id.to_string(), layers[1].diff_id.to_string(),
            ]},
            "history": [
                {"created_by": "FROM"}, {"created_by": "ENV", "empty_layer": true},
                {"created": "2020-09-13T12:26:40Z", "created_by": "nsci"},
            ],
            "author": "them",
        })
    );
    let text = String::from_utf8(image.config.bytes.to_vec()).unwrap();
    assert!(text.find("\"a\":\"2\"") < text.find("\"z\":\"1\""));
}

#[test]
fn creation_time_never_depends_on_the_clock() {
    let config = config();
    let created = |layers: &[LayerBlob], base: Option<Base>, epoch: Option<i64>| {
        let image = assemble(&ImageSpec {
            base,
            epoch,
            ..spec(&config, layers)
        });
        json_of(&image.config).get("created").cloned()
    };
    let old = [layer("below", None), layer("own", own(1000))];
    let base_time = Some(json!("2020-01-01T00:00:00.5Z"));
    assert_eq!(created(&old, Some(base()), None), base_time);
    assert_eq!(created(&old[..1], Some(base()), None), base_time);
    assert_eq!(
        created(&old[1..], None, None),
        Some(json!("1970-01-01T00:16:40Z"))
    );
    assert_eq!(
        created(&old, Some(base()), Some(60)),
        Some(json!("1970-01-01T00:01:00Z"))
    );
    assert_eq!(created(&[], None, None), None);
}

#[test]
fn history_that_does_not_fit_the_layers_is_replaced() {
    let config = config();
    let layers = [layer("one", None), layer("two", None)];
    let image = assemble(&ImageSpec {
        base: Some(Base {
            layers: 2,
            ..base()
        }),
        ..spec(&config, &layers)
    });
    assert_eq!(
        json_of(&image.config)["history"],
        json!([{"created_by": "nsci"}, {"created_by": "nsci"}])
    );
}

#[test]
fn manifest_has_the_media_types_asked_for() {
    let config = config();
    let mut layers = [layer("a", None), layer("b", None), layer("c", None)];
    layers[1].compression = Compression::Zstd;
    layers[2].compression = Compression::None;
    let notes = [note("org.x", "2"), note("org.a", "1")];
    let made = |media_types| {
        let image = assemble(&ImageSpec {
            media_types,
            annotations: &notes,
            ..spec(&config, &layers)
        });
        let manifest = json_of(&image.manifest);
        let types: Vec<String> = [&manifest, &manifest["config"]]
            .into_iter()
            .chain(manifest["layers"].as_array().unwrap())
            .map(|part| part["mediaType"].as_str().unwrap().to_owned())
            .collect();
        (types, manifest.get("annotations").map(Value::to_string))
    };
    let (oci, annotations) = made(MediaTypes::Oci);
    assert_eq!(
        oci,
        [
            "application/vnd.oci.image.manifest.v1+json",
            "application/vnd.oci.image.config.v1+json",
            "application/vnd.oci.image.layer.v1.tar+gzip",
            "application/vnd.oci.image.layer.v1.tar+zstd",
            "application/vnd.oci.image.layer.v1.tar",
        ]
    );
    assert_eq!(annotations.unwrap(), r#"{"org.a":"1","org.x":"2"}"#);
    let (docker, annotations) = made(MediaTypes::Docker);
    assert!(
        docker.iter().all(|t| t.contains("vnd.docker.")),
        "{docker:?}"
    );
    assert_eq!(annotations, None);
}

#[test]
fn only_several_images_need_a_list() {
    let config = config();
    let image = assemble(&spec(&config, &[]));
    let one = index(vec![image.clone()], MediaTypes::Oci);
    assert_eq!(one.top(), &image.manifest);
    let two = index(vec![image.clone(), image.clone()], MediaTypes::Docker);
    let list = json_of(two.top());
    assert_eq!(list["mediaType"], MediaTypes::Docker.index());
    assert_eq!(
        list["manifests"][1]["platform"],
        json!({"architecture": "arm", "os": "linux", "variant": "v7"})
    );
    assert_eq!(
        list["manifests"][0]["digest"],
        image.manifest.digest.to_string()
    );
}
