//! Commands for other processors: whether the kernel knows an emulator for them.
//!
//! An image for `linux/arm64` runs on amd64 if binfmt_misc has a handler for its programs, opened beforehand (flag F), so
//! that it need not be in the image. Without one the kernel says `Exec format error`, which helps nobody.
//!
//! # References
//! - [binfmt_misc](https://docs.kernel.org/admin-guide/binfmt-misc.html)

use crate::{
    error::{Error, Kind, Result},
    event::Events,
    source::Platform,
};
use std::{fs, path::Path};

const HANDLERS: &str = "/proc/sys/fs/binfmt_misc";

/// A processor as ELF files and qemu name it.
struct Machine {
    arch: &'static str,
    /// `e_machine`.
    number: u16,
    /// Name of qemu's program.
    qemu: &'static str,
    wide: bool,
    big_endian: bool,
}

const fn machine(arch: &'static str, number: u16, qemu: &'static str) -> Machine {
    Machine {
        arch,
        number,
        qemu,
        wide: true,
        big_endian: false,
    }
}

const MACHINES: [Machine; 9] = [
    machine("amd64", 62, "qemu-x86_64"),
    machine("arm64", 183, "qemu-aarch64"),
    machine("riscv64", 243, "qemu-riscv64"),
    machine("ppc64le", 21, "qemu-ppc64le"),
    machine("loong64", 258, "qemu-loongarch64"),
    machine("mips64le", 8, "qemu-mips64el"),
    Machine {
        wide: false,
        ..machine("386", 3, "qemu-i386")
    },
    Machine {
        wide: false,
        ..machine("arm", 40, "qemu-arm")
    },
    Machine {
        big_endian: true,
        ..machine("s390x", 22, "qemu-s390x")
    },
];

impl Machine {
    /// The start of a program for it.
    fn program(&self) -> [u8; 20] {
        let mut start = [0; 20];
        start[..4].copy_from_slice(b"\x7fELF");
        start[4] = if self.wide { 2 } else { 1 };
        start[5] = if self.big_endian { 2 } else { 1 };
        start[6] = 1;
        let put = |number: u16| match self.big_endian {
            true => number.to_be_bytes(),
            false => number.to_le_bytes(),
        };
        start[16..18].copy_from_slice(&put(2));
        start[18..20].copy_from_slice(&put(self.number));
        start
    }
}

/// A registered handler, as the kernel describes it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Handler {
    enabled: bool,
    interpreter: String,
    /// Whether the interpreter was opened when it was registered.
    fixed: bool,
    offset: usize,
    magic: Vec<u8>,
    mask: Vec<u8>,
}

impl Handler {
    fn parse(text: &str) -> Option<Self> {
        let mut handler = Self::default();
        for line in text.lines() {
            match line.split_once(' ') {
                None if line == "enabled" => handler.enabled = true,
                Some(("interpreter", path)) => handler.interpreter = path.to_owned(),
                Some(("flags:", flags)) => handler.fixed = flags.contains('F'),
                Some(("offset", number)) => handler.offset = number.parse().ok()?,
                Some(("magic", digits)) => handler.magic = hex::decode(digits).ok()?,
                Some(("mask", digits)) => handler.mask = hex::decode(digits).ok()?,
                _ => {}
            }
        }
        (!handler.magic.is_empty()).then_some(handler)
    }

    fn takes(&self, program: &[u8]) -> bool {
        let byte = |at: usize| program.get(self.offset + at).copied();
        let equal = |(at, magic): (usize, &u8)| {
            let mask = self.mask.get(at).copied().unwrap_or(0xff);
            byte(at).is_some_and(|byte| byte & mask == magic & mask)
        };
        self.enabled && self.magic.iter().enumerate().all(equal)
    }
}

/// Refuses a command that this machine cannot run, and says what would let it.
pub(super) fn check(platform: &str, events: &Events) -> Result<()> {
    let (Ok(wanted), own) = (platform.parse::<Platform>(), Platform::host()) else {
        return Ok(());
    };
    if is_native(&own.arch, &wanted.arch) {
        return Ok(());
    }
    let Some(machine) = MACHINES.iter().find(|m| m.arch == wanted.arch) else {
        return Ok(());
    };
    let program = machine.program();
    let handlers = handlers(Path::new(HANDLERS));
    let takes = |handler: &&Handler| handler.takes(&program);
    match handlers.iter().find(takes) {
        Some(handler) if handler.fixed => Ok(()),
        Some(handler) => {
            events.warn(format!(
                "the emulator {} is registered without the flag F, so it has to be in the image",
                handler.interpreter
            ));
            Ok(())
        }
        None => Err(missing(&wanted, &own, machine)),
    }
}

fn missing(wanted: &Platform, own: &Platform, machine: &Machine) -> Error {
    let qemu = machine.qemu;
    Error::new(
        Kind::Host,
        format!(
            "cannot run commands for {wanted} on this {own} machine: no handler for its programs is registered in {HANDLERS}"
        ),
    )
    .hint(format!(
        "install an emulator and register it with the flag F: `apt-get install qemu-user-static binfmt-support` \
         on Debian and Ubuntu registers {qemu}; in a container or virtual machine do so on its host"
    ))
}

/// Whether processors of one kind run programs of another by themselves.
fn is_native(own: &str, wanted: &str) -> bool {
    own == wanted || matches!((own, wanted), ("amd64", "386") | ("arm64", "arm"))
}

/// All handlers; none if binfmt_misc is not mounted or everything is switched off.
fn handlers(dir: &Path) -> Vec<Handler> {
    let off = fs::read_to_string(dir.join("status")).is_ok_and(|text| text.trim() == "disabled");
    if off {
        return Vec::new();
    }
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| Handler::parse(&fs::read_to_string(entry.path()).ok()?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARM64: &str = "enabled\ninterpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P\nflags: POCF\noffset 0\n\
                         magic 7f454c460201010000000000000000000200b700\n\
                         mask ffffffffffffff00fffffffffffffffffeffffff\n";

    fn program(arch: &str) -> [u8; 20] {
        MACHINES.iter().find(|m| m.arch == arch).unwrap().program()
    }

    #[test]
    fn handlers_take_programs_of_their_processor() {
        let handler = Handler::parse(ARM64).unwrap();
        assert!(handler.fixed && handler.enabled);
        for machine in &MACHINES {
            let takes = handler.takes(&machine.program());
            assert_eq!(takes, machine.arch == "arm64", "{}", machine.arch);
        }
        // Position-independent programs are of another type, which the mask lets pass.
        let mut pie = program("arm64");
        pie[16] = 3;
        assert!(handler.takes(&pie));
    }

    #[test]
    fn switched_off_handlers_count_for_nothing() {
        let off = Handler::parse(&ARM64.replace("enabled", "disabled")).unwrap();
        assert!(!off.takes(&program("arm64")));
        assert!(!Handler::parse(&ARM64.replace("POCF", "PO")).unwrap().fixed);
        assert_eq!(Handler::parse("enabled\n"), None);
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("qemu-aarch64"), ARM64).unwrap();
        fs::write(dir.path().join("status"), "enabled\n").unwrap();
        assert_eq!(handlers(dir.path()).len(), 1);
        fs::write(dir.path().join("status"), "disabled\n").unwrap();
        assert_eq!(handlers(dir.path()).len(), 0);
        assert_eq!(handlers(&dir.path().join("none")).len(), 0);
    }

    #[test]
    fn message_names_what_is_missing() {
        let (wanted, own) = (
            Platform::new("linux", "arm64", None),
            Platform::new("linux", "amd64", None),
        );
        let machine = MACHINES.iter().find(|m| m.arch == "arm64").unwrap();
        let error = missing(&wanted, &own, machine);
        assert!(
            error
                .to_string()
                .contains("linux/arm64 on this linux/amd64")
        );
        assert!(error.to_string().contains("/proc/sys/fs/binfmt_misc"));
        let hint = error.hint_text().unwrap();
        assert!(
            hint.contains("qemu-aarch64") && hint.contains("flag F"),
            "{hint}"
        );
    }

    #[test]
    fn related_processors_need_no_emulator() {
        assert!(is_native("amd64", "386") && is_native("arm64", "arm"));
        assert!(!is_native("386", "amd64") && !is_native("amd64", "arm64"));
    }
}
