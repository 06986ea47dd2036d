use super::*;

fn json(text: &str) -> ModuleConfig {
    ModuleConfig::parse(Path::new("dagger.json"), text).expect("valid")
}

fn error(name: &str, text: &str) -> String {
    ModuleConfig::parse(Path::new(name), text)
        .expect_err("invalid")
        .to_string()
}

#[test]
fn every_era_of_the_format_is_read() {
    let v0_9 = json(
        r#"{"name":"ci","sdk":"go","root":"..","exclude":["vendor","!keep"],
            "dependencies":["github.com/x/y/z@abc","../dep"]}"#,
    );
    assert_eq!(v0_9.root.as_deref(), Some(".."));
    assert_eq!(v0_9.engine_version_numbers(), Some((0, 9, 11)));
    assert_eq!(v0_9.source, ".");
    assert_eq!(v0_9.include, ["!vendor", "keep"]);
    assert_eq!(v0_9.dependencies[1].source, "../dep");

    let v0_11 = json(
        r#"{"name":"ci","sdk":"python","source":"./dagger/","engineVersion":"v0.11.9",
            "dependencies":[{"name":"go","source":"github.com/x/go","pin":"0123"}],"views":[]}"#,
    );
    assert_eq!(v0_11.source, "dagger");
    assert_eq!(v0_11.engine_version_numbers(), Some((0, 11, 9)));
    assert_eq!(v0_11.dependencies[0].pin.as_deref(), Some("0123"));

    let v0_18 = json(
        r#"{"$schema":"https://example.org/s.json","name":"ci","engineVersion":"0.18.2",
            "sdk":{"source":"python","config":{"useUv":false}},
            "codegen":{"automaticGitignore":false},"disableDefaultFunctionCaching":true,
            "clients":[{"generator":"go","directory":"./sdk"}],
            "toolchains":[{"source":"github.com/x/lint","customizations":[
              {"function":["test"],"argument":"source","defaultPath":"/","ignore":["*.md"]}]}]}"#,
    );
    let sdk = v0_18.sdk.expect("has an SDK");
    assert_eq!(
        (sdk.source.as_str(), &sdk.config["useUv"]),
        ("python", &Json::Bool(false))
    );
    assert_eq!(v0_18.engine_version.as_deref(), Some("v0.18.2"));
    assert_eq!(v0_18.automatic_gitignore, Some(false));
    assert!(v0_18.disable_default_function_caching);
    assert_eq!(v0_18.toolchains[0].source, "github.com/x/lint");
    let customization = Customization {
        function: vec!["test".into()],
        argument: "source".into(),
        default_path: Some("/".into()),
        ignore: vec!["*.md".into()],
        ..Customization::default()
    };
    assert_eq!(v0_18.toolchains[0].customizations, [customization]);
    let v0_18 = json(r#"{"name":"ci","blueprint":{"source":"../b"}}"#);
    assert_eq!(v0_18.blueprint.expect("has a blueprint").source, "../b");

    let v1 = ModuleConfig::parse(
        Path::new("dagger-module.toml"),
        "name = \"ci\"\nengineVersion = \"v1.0.0\"\n[runtime]\nsource = \"go\"\n\
         [[dependencies]]\nsource = \"../dep\"\n",
    )
    .expect("valid");
    assert_eq!(v1.sdk.expect("has an SDK").source, "go");
    let own = ModuleConfig::parse(Path::new("nsci.json"), r#"{"name":"ci","sdk":"go"}"#);
    assert_eq!(own.expect("valid").engine_version, None);
    assert_eq!(v1.dependencies[0].source, "../dep");
}

#[test]
fn engine_version_is_lenient_but_a_newer_one_is_refused() {
    for (text, version) in [
        ("", None),
        ("dev", Some("v0.11.9")),
        ("v0.9.3", Some("v0.9.3")),
    ] {
        let config = json(&format!(
            r#"{{"name":"a","sdk":"go","engineVersion":"{text}"}}"#
        ));
        assert_eq!(config.engine_version.as_deref(), version, "{text}");
    }
    let newer = json(r#"{"name":"a","sdk":"go","engineVersion":"v2.0.0"}"#);
    assert_eq!(
        newer
            .check_engine("v1.0.0-beta.1")
            .expect_err("too new")
            .to_string(),
        "module `a` requires engine v2.0.0, but this is v1.0.0-beta.1"
    );
    newer.check_engine("v2.0.0").expect("the same is enough");
}

#[test]
fn mistakes_are_pointed_at() {
    for (name, text, expected) in [
        (
            "dagger.json",
            "{\n  \"name\": \"a\",,\n}",
            "dagger.json:2:15: key must be a string",
        ),
        ("dagger.json", "[]", "dagger.json:1:1: expected an object"),
        (
            "dagger.json",
            "{\"sdk\":\"go\"}",
            "dagger.json:1:1: the module has no `name`",
        ),
        (
            "dagger.json",
            "{\n \"name\": 3}",
            "dagger.json:2:2: `name` must be text",
        ),
        (
            "dagger.json",
            "{\"name\":\"a\",\n\"source\":\"../x\"}",
            "dagger.json:2:1: `source` must be a relative path inside the module's directory",
        ),
        (
            "nsci.json",
            "{\"name\":\"a\",\n \"dependencies\":[{}]}",
            "nsci.json:2:2: each of `dependencies` must be a reference or an object with `source`",
        ),
        (
            "dagger.json",
            "{\"name\":\"a\",\n \"blueprint\":\"../b\", \"sdk\":\"go\"}",
            "dagger.json:2:2: `blueprint` and `sdk` exclude each other: a module with a blueprint has no code of its own",
        ),
        (
            "dagger.json",
            "{\"name\":\"a\",\"blueprint\":\"../b\", \"dependencies\":[\"../c\"]}",
            "dagger.json:1:13: `blueprint` and `dependencies` exclude each other: a module with a blueprint has no code of its own",
        ),
        (
            "dagger.json",
            "{\"toolchains\":[{\"source\":\"b\",\n\"customizations\":[{\"default\":1}]}]}",
            "dagger.json:2:1: each of `customizations` must name an `argument`",
        ),
    ] {
        assert_eq!(error(name, text), expected);
    }
    assert!(error("dagger-module.toml", "name = \n").starts_with("dagger-module.toml:1:8: "));
}

#[test]
fn nearest_configuration_is_found() {
    let directory = tempfile::tempdir().expect("can create");
    let deep = directory.path().join("a/b");
    std::fs::create_dir_all(&deep).expect("can create");
    std::fs::write(directory.path().join("dagger.json"), "{}").expect("can write");
    assert_eq!(find_up(&deep), Some(directory.path().join("dagger.json")));
    std::fs::write(directory.path().join("a/nsci.json"), "{}").expect("can write");
    assert_eq!(find_up(&deep), Some(directory.path().join("a/nsci.json")));
}

#[test]
fn dependency_is_added_and_replaced_without_touching_the_rest() {
    let path = Path::new("dagger.json");
    let text = r#"{"name":"ci","unknown":1,"sdk":"go"}"#;
    let mut dependency = Dependency {
        name: Some("go".into()),
        source: "github.com/x/go".into(),
        ..Dependency::default()
    };
    let role = Role::Dependency;
    let added = ModuleConfig::with_dependency(path, text, role, &dependency).expect("valid");
    dependency.pin = Some("0123".into());
    let pinned = ModuleConfig::with_dependency(path, &added, role, &dependency).expect("valid");
    assert!(pinned.contains("\"unknown\": 1"), "{pinned}");
    assert_eq!(json(&pinned).dependencies, [dependency]);
}
#[test]
fn toolchain_keeps_its_customizations_when_it_is_pinned() {
    let path = Path::new("dagger.json");
    let text = r#"{"name":"ci","toolchains":[{"name":"lint","source":"github.com/x/lint",
        "pin":"0","customizations":[{"argument":"level","default":"2"}]}]}"#;
    let moved = Dependency {
        pin: Some("1".into()),
        customizations: vec![],
        ..json(text).toolchains[0].clone()
    };
    let role = Role::Toolchain;
    let pinned = ModuleConfig::with_dependency(path, text, role, &moved).expect("valid");
    let toolchain = &json(&pinned).toolchains[0];
    assert_eq!(toolchain.pin.as_deref(), Some("1"));
    assert_eq!(toolchain.customizations[0].argument, "level");
    let gone = ModuleConfig::without_dependency(path, &pinned, role, "lint").expect("valid");
    assert!(json(&gone.expect("was there")).toolchains.is_empty());
    let other = Role::Dependency;
    let gone = ModuleConfig::without_dependency(path, &pinned, other, "lint").expect("valid");
    assert_eq!(gone, None, "it is no dependency");
}

#[test]
fn blueprint_is_set_replaced_and_removed() {
    let path = Path::new("dagger.json");
    let blueprint = |source: &str| Dependency {
        source: source.into(),
        ..Dependency::default()
    };
    let role = Role::Blueprint;
    let with =
        |text: &str, source| ModuleConfig::with_dependency(path, text, role, &blueprint(source));
    let set = with(r#"{"name":"ci"}"#, "../a").expect("valid");
    let replaced = with(&set, "../b").expect("valid");
    assert_eq!(json(&replaced).blueprint, Some(blueprint("../b")));
    let gone = ModuleConfig::without_dependency(path, &replaced, role, "../b").expect("valid");
    assert_eq!(gone.as_deref(), Some("{\n  \"name\": \"ci\"\n}\n"));
    with(r#"{"name":"ci","sdk":"go"}"#, "../a").expect_err("a module with code");
}
#[test]
fn configuration_is_rewritten_where_it_changed() {
    let path = Path::new("dagger.json");
    let text = r#"{"name":"ci","unknown":1,"sdk":{"source":"go","debug":true},
        "dependencies":["../a",{"name":"b","source":"../b","note":"kept"}],
        "toolchains":[{"name":"lint","source":"../lint","customizations":[{"argument":"level"}]}]}"#;
    let same = json(text).rewritten(path, text).expect("valid");
    assert_eq!(json(&same), json(text));
    let mut changed = json(text);
    changed.name = "other".into();
    let sdk = changed.sdk.as_mut().expect("has an SDK");
    sdk.experimental.insert("SELF_CALLS".into(), true.into());
    changed.remove_used(Role::Dependency, &["../a".to_owned()]);
    let moved = |name: &str| Dependency {
        name: Some(name.into()),
        source: format!("github.com/x/{name}"),
        pin: Some("1".into()),
        ..Dependency::default()
    };
    changed.add_used(Role::Dependency, moved("b"));
    changed.add_used(Role::Dependency, moved("c"));
    changed.add_used(Role::Toolchain, moved("lint"));
    assert_eq!(changed.toolchains[0].customizations.len(), 1);
    let written = changed.rewritten(path, text).expect("valid");
    assert_eq!(json(&written), changed);
    for kept in ["\"unknown\": 1", "\"debug\": true", "\"note\": \"kept\""] {
        assert!(written.contains(kept), "{kept}: {written}");
    }
    changed.remove_used(Role::Toolchain, &["lint".to_owned()]);
    let written = changed.rewritten(path, &written).expect("valid");
    assert!(!written.contains("toolchains"), "{written}");
    let mut bare = json(r#"{"name":"ci"}"#);
    bare.add_used(Role::Blueprint, moved("b"));
    let written = bare.rewritten(path, r#"{"name":"ci"}"#).expect("valid");
    assert_eq!(json(&written).blueprint, Some(moved("b")));
    bare.sdk = changed.sdk;
    bare.rewritten(path, r#"{"name":"ci"}"#)
        .expect_err("code and a blueprint");
}
#[test]
fn paths_are_relative_to_the_configuration() {
    for (from, to, wanted) in [
        ("/a/b", "/a/b/c", "c"),
        ("/a/b", "/a/c/d", "../c/d"),
        ("/a", "/a", "."),
        ("/a/b", "/a", ".."),
    ] {
        assert_eq!(relative(Path::new(from), Path::new(to)), wanted);
    }
}
