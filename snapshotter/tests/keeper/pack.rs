//! Layers as archives again.

use std::io::{Read as _, Seek as _};

use nsci_snapshotter::keeper::PackLayer;
use nsci_snapshotter::{AppliedLayer, Error, LayerId};
use tar::EntryType;

use crate::lab::{Lab, add, dir, file, link, pax, raw};

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("packed_layer_says_the_same", packed_layer_says_the_same),
    (
        "packing_twice_yields_the_same_bytes",
        packing_twice_yields_the_same_bytes,
    ),
    ("epoch_clamps_times", epoch_clamps_times),
    ("unknown_layer_is_not_packed", unknown_layer_is_not_packed),
];

fn pack(lab: &Lab, layer: &AppliedLayer, epoch: Option<i64>) -> Vec<u8> {
    let mut out = std::fs::File::from(file(b""));
    let id = layer.id.clone();
    let to = out.try_clone().unwrap().into();
    lab.keeper.pack_layer(PackLayer { id, epoch }, to).unwrap();
    out.rewind().unwrap();
    let mut bytes = Vec::new();
    out.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Every entry: kind, name, link, mode, owner, time, data.
fn list(bytes: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(bytes);
    let entries = archive.entries().unwrap();
    entries
        .map(|entry| {
            let mut entry = entry.unwrap();
            let mut data = Vec::new();
            entry.read_to_end(&mut data).unwrap();
            let header = entry.header().clone();
            format!(
                "{} {} {} {:o} {}:{} {} {}",
                char::from(header.entry_type().as_byte()),
                String::from_utf8_lossy(&entry.path_bytes()),
                String::from_utf8_lossy(&entry.link_name_bytes().unwrap_or_default()),
                header.mode().unwrap(),
                header.uid().unwrap(),
                header.gid().unwrap(),
                header.mtime().unwrap(),
                if data.len() > 20 {
                    format!("{} bytes", data.len())
                } else {
                    String::from_utf8_lossy(&data).into_owned()
                },
            )
        })
        .collect()
}

fn sample(lab: &Lab) -> AppliedLayer {
    let long = format!("deep/{}", "n".repeat(120));
    lab.layer(|tar| {
        dir(tar, "deep/", 0o1777);
        pax(tar, &[("path", long.as_bytes())]);
        add(tar, "x", "long");
        pax(
            tar,
            &[
                ("SCHILY.xattr.user.note", b"a\nb"),
                ("uid", b"1234"),
                ("gid", b"77"),
            ],
        );
        add(tar, "b", "owned");
        raw(tar, EntryType::Link, "c", "b", 0o644, b"");
        link(tar, "a-link", "deep/nowhere");
        raw(tar, EntryType::Fifo, "fifo", "", 0o600, b"");
        add(tar, ".wh.gone", "");
        dir(tar, "hides/", 0o755);
        add(tar, "hides/.wh..wh..opq", "");
        add(tar, "hides/new", "n");
        dir(tar, "inside/", 0o755);
        add(tar, "inside/.wh.old", "");
        raw(tar, EntryType::Regular, "setuid", "", 0o4755, b"s");
    })
}

fn packed_layer_says_the_same() {
    let lab = Lab::new();
    let bytes = pack(&lab, &sample(&lab), None);
    let long = "n".repeat(120);
    let time = 1_600_000_000;
    let wanted = [
        format!("2 a-link deep/nowhere 777 0:0 {time} "),
        format!("0 b  644 1234:77 {time} owned"),
        format!("1 c b 644 1234:77 {time} "),
        format!("5 deep/  1777 0:0 {time} "),
        format!("0 deep/{long}  644 0:0 {time} long"),
        format!("6 fifo  600 0:0 {time} "),
        "0 .wh.gone  600 0:0 0 ".to_owned(),
        format!("5 hides/  755 0:0 {time} "),
        "0 hides/.wh..wh..opq  600 0:0 0 ".to_owned(),
        format!("0 hides/new  644 0:0 {time} n"),
        format!("5 inside/  755 0:0 {time} "),
        "0 inside/.wh.old  600 0:0 0 ".to_owned(),
        format!("0 setuid  4755 0:0 {time} s"),
    ];
    assert_eq!(list(&bytes), wanted);
    // Unpacked again it is the same layer, attributes included.
    let again = lab.apply(&bytes).unwrap();
    assert_eq!(pack(&lab, &again, None), bytes);
}

fn packing_twice_yields_the_same_bytes() {
    let (one, other) = (Lab::new(), Lab::new());
    assert_eq!(
        pack(&one, &sample(&one), Some(5)),
        pack(&other, &sample(&other), Some(5))
    );
}

fn epoch_clamps_times() {
    let lab = Lab::new();
    let layer = sample(&lab);
    let times = |epoch| -> Vec<u64> {
        let bytes = pack(&lab, &layer, epoch);
        let mut archive = tar::Archive::new(bytes.as_slice());
        let entries = archive.entries().unwrap();
        let mut times: Vec<u64> = entries
            .map(|entry| entry.unwrap().header().mtime().unwrap())
            .filter(|time| *time != 0)
            .collect();
        times.dedup();
        times
    };
    assert_eq!(times(Some(1_500_000_000)), [1_500_000_000]);
    assert_eq!(times(Some(1_700_000_000)), [1_600_000_000]);
    assert_eq!(times(None), [1_600_000_000]);
}

fn unknown_layer_is_not_packed() {
    let lab = Lab::new();
    let (id, epoch) = (LayerId::of("nothing"), None);
    let packed = lab.keeper.pack_layer(PackLayer { id, epoch }, file(b""));
    assert!(matches!(packed, Err(Error::UnknownLayer { .. })));
}
