//! Cache volumes: what is shared with whom, for how long, and what is in them at first.

use serde_json::json;

use super::Table;
use crate::support::{IMAGE, Nsci, from, sh};

#[test]
fn volumes_are_found_by_name() {
    let mut table = Table::new();
    let seed = table.id("directory withNewFile(path: \"seed\", contents: \"S\")");
    let run = |volume: &str, args: &str, script: &str| {
        format!(
            "ALPINE withMountedCache(path: \"/c\", cache: {volume}{args}) {} stdout",
            sh(script)
        )
    };
    let plain = table.id("cacheVolume(key: \"a\")");
    let other = table.id("cacheVolume(key: \"b\")");
    let foreign = table.id("cacheVolume(key: \"a\", namespace: \"mod(other)\")");
    let owned = table.id("cacheVolume(key: \"a\", owner: \"12:34\")");
    let seeded = table.id(&format!("cacheVolume(key: \"s\", source: {seed})"));
    let fresh = table.id("cacheVolume(key: \"m\")");
    table
        .is("it is empty at first", &run(&plain, "", "ls -A /c; echo 1 > /c/f"), "")
        .is("what one command wrote the next sees", &run(&plain, "", "cat /c/f # again"), "1\n")
        .is("another name is another volume", &run(&other, "", "ls -A /c"), "")
        .is("so is another owner of the name", &run(&foreign, "", "ls -A /c"), "")
        .is("an owner has the root", &run(&owned, "", "stat -c %u:%g /c"), "12:34\n")
        .is(
            "or is said where it is mounted",
            &run(&other, ", owner: \"nobody\"", "stat -c %U /c"),
            "nobody\n",
        )
        .is("a source seeds it", &run(&seeded, "", "cat /c/seed; rm /c/seed; echo x > /c/x"), "S")
        .is("once, while it is empty", &run(&seeded, "", "ls /c"), "x\n")
        .is(
            "a source of the mount seeds an empty one",
            &run(&fresh, &format!(", source: {seed}"), "cat /c/seed"),
            "S",
        )
        .fails(
            "it is no part of the container",
            &format!("ALPINE withMountedCache(path: \"/c\", cache: {plain}) directory(path: \"/c\") entries"),
            &["cannot retrieve path from cache"],
        )
        .is(
            "nor of the root file system",
            &format!("ALPINE withMountedCache(path: \"/c\", cache: {plain}) {} rootfs exists(path: \"c\")", sh("echo 2 > /c/g")),
            false,
        )
        .is(
            "its contents do not make a command run again",
            &run(&plain, "", "cat /c/f # again"),
            "1\n",
        )
        .is("mounts", &format!("ALPINE withMountedCache(path: \"/c\", cache: {plain}) mounts"), json!(["/c"]))
        .hold();
}

/// A step that takes a second turn only if it is alone: it fails if another is inside.
fn alone(tag: &str) -> String {
    sh(&format!(
        "# {tag}\nmkdir /c/lock || exit 9; sleep 0.3; rmdir /c/lock; echo {tag} >> /c/log"
    ))
}

#[test]
fn locked_and_private_volumes_have_one_user() {
    let nsci = Nsci::new();
    let mount = |mode: &str, step: &str| {
        format!(
            "container {} withMountedCache(path: \"/c\", cache: ID, sharing: {mode}) {step} stdout",
            from(IMAGE)
        )
    };
    // Two processes on one store, at the same time.
    let (one, two) = (nsci.session(), nsci.session());
    let volume = "cacheVolume(key: \"locked\")";
    let ids = (one.id(volume), two.id(volume));
    std::thread::scope(|scope| {
        let first = mount("LOCKED", &alone("first")).replace("ID", &ids.0);
        let second = mount("LOCKED", &alone("second")).replace("ID", &ids.1);
        let (one, two) = (&one, &two);
        let a = scope.spawn(move || one.text(&first));
        let b = scope.spawn(move || two.text(&second));
        a.join().unwrap();
        b.join().unwrap();
    });
    let count = mount("SHARED", &sh("wc -l < /c/log")).replace("ID", &ids.0);
    assert_eq!(one.text(&count), "2\n");
    // Commands that share do meet: each waits for the other's file.
    let meet = |own: &str, other: &str| {
        sh(&format!(
            "touch /c/{own}; n=0; until [ -e /c/{other} ]; do n=$((n+1)); [ $n -lt 200 ] || exit 8; sleep 0.05; done"
        ))
    };
    std::thread::scope(|scope| {
        let first = mount("SHARED", &meet("x", "y")).replace("ID", &ids.0);
        let second = mount("SHARED", &meet("y", "x")).replace("ID", &ids.1);
        let (one, two) = (&one, &two);
        let a = scope.spawn(move || one.text(&first));
        let b = scope.spawn(move || two.text(&second));
        a.join().unwrap();
        b.join().unwrap();
    });
    // Private ones never meet.
    std::thread::scope(|scope| {
        let first = mount("PRIVATE", &alone("p")).replace("ID", &ids.0);
        let second = mount("PRIVATE", &alone("q")).replace("ID", &ids.1);
        let (one, two) = (&one, &two);
        let a = scope.spawn(move || one.text(&first));
        let b = scope.spawn(move || two.text(&second));
        a.join().unwrap();
        b.join().unwrap();
    });
    drop((one, two));
}

#[test]
fn volumes_last_until_all_is_pruned() {
    let nsci = Nsci::new();
    let run = |script: &str| {
        let session = nsci.session();
        let volume = session.id("cacheVolume(key: \"lasting\")");
        session.text(&format!(
            "container {} withMountedCache(path: \"/c\", cache: {volume}) {} stdout",
            from(IMAGE),
            sh(script)
        ))
    };
    run("echo kept > /c/f");
    nsci.run(&["cache", "prune"]).ok();
    assert_eq!(run("cat /c/f # 1"), "kept\n");
    nsci.run(&["cache", "prune", "--all"]).ok();
    assert_eq!(run("cat /c/f 2>/dev/null || echo gone"), "gone\n");
}
