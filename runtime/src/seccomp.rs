//! System call filters as compiled BPF.
//!
//! The default profile refuses what container runtimes refuse to a process without `CAP_SYS_ADMIN`. It is a search tree
//! over ranges of call numbers, since the kernel runs a filter once per number when it is installed: a linear list of
//! the same rules costs a step half a millisecond, this one some microseconds.
//!
//! # References
//! - [seccomp(2)](https://man7.org/linux/man-pages/man2/seccomp.2.html)
//! - moby's default profile, `profiles/seccomp/default.json`

/// One instruction of classic BPF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// Operation.
    pub code: u16,
    /// Distance to jump when true.
    pub jt: u8,
    /// Distance to jump when false.
    pub jf: u8,
    /// Operand.
    pub k: u32,
}

/// Which filter to build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// What container runtimes allow by default.
    Default,
    /// The same, and changes of ownership and identity succeed without effect.
    FakeRoot,
}

/// A call's number on each of [`Abi`], or [`NONE`].
type Row = (&'static str, [u32; 3]);

/// The call does not exist there.
const NONE: u32 = u32::MAX;

/// The ways to call the kernel that a filter may meet; the order of the columns of [`Row`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Abi {
    X86_64,
    I386,
    Aarch64,
}

impl Abi {
    /// The architecture's audit number.
    fn audit_arch(self) -> u32 {
        match self {
            Self::X86_64 => 0xc000_003e,
            Self::I386 => 0x4000_0003,
            Self::Aarch64 => 0xc000_00b7,
        }
    }

    fn number(self, row: &Row) -> Option<u32> {
        Some(row.1[self as usize]).filter(|number| *number != NONE)
    }

    /// All ways to call the kernel this program is compiled for. Other ones are refused as unknown calls; among them
    /// 32-bit ARM programs on a 64-bit ARM kernel.
    fn native() -> &'static [Self] {
        if cfg!(target_arch = "x86_64") {
            &[Self::X86_64, Self::I386]
        } else {
            &[Self::Aarch64]
        }
    }
}

/// The last call number this filter knows to be harmless; later ones do not exist for a step.
const LAST_KNOWN: u32 = 469;

/// Calls that fail with EPERM.
const DENIED: &[Row] = &[
    ("acct", [163, 51, 89]),
    ("add_key", [248, 286, 217]),
    ("afs_syscall", [183, 137, NONE]),
    ("bpf", [321, 357, 280]),
    ("clock_settime", [227, 264, 112]),
    ("clock_settime64", [NONE, 404, NONE]),
    ("create_module", [174, 127, NONE]),
    ("delete_module", [176, 129, 106]),
    ("fanotify_init", [300, 338, 262]),
    ("finit_module", [313, 350, 273]),
    ("fsconfig", [431, 431, 431]),
    ("fsmount", [432, 432, 432]),
    ("fsopen", [430, 430, 430]),
    ("fspick", [433, 433, 433]),
    ("get_kernel_syms", [177, 130, NONE]),
    ("get_mempolicy", [239, 275, 236]),
    ("init_module", [175, 128, 105]),
    ("io_uring_enter", [426, 426, 426]),
    ("io_uring_register", [427, 427, 427]),
    ("io_uring_setup", [425, 425, 425]),
    ("ioperm", [173, 101, NONE]),
    ("iopl", [172, 110, NONE]),
    ("kcmp", [312, 349, 272]),
    ("kexec_file_load", [320, NONE, 294]),
    ("kexec_load", [246, 283, 104]),
    ("keyctl", [250, 288, 219]),
    ("lookup_dcookie", [212, 253, 18]),
    ("mbind", [237, 274, 235]),
    ("migrate_pages", [256, 294, 238]),
    ("mount", [165, 21, 40]),
    ("mount_setattr", [442, 442, 442]),
    ("move_mount", [429, 429, 429]),
    ("move_pages", [279, 317, 239]),
    ("nfsservctl", [180, 169, 42]),
    ("open_by_handle_at", [304, 342, 265]),
    ("open_tree", [428, 428, 428]),
    ("open_tree_attr", [467, 467, 467]),
    ("perf_event_open", [298, 336, 241]),
    ("pidfd_getfd", [438, 438, 438]),
    ("pivot_root", [155, 217, 41]),
    ("process_madvise", [440, 440, 440]),
    ("query_module", [178, 167, NONE]),
    ("quotactl", [179, 131, 60]),
    ("quotactl_fd", [443, 443, 443]),
    ("reboot", [169, 88, 142]),
    ("request_key", [249, 287, 218]),
    ("set_mempolicy", [238, 276, 237]),
    ("set_mempolicy_home_node", [450, 450, 450]),
    ("setdomainname", [171, 121, 162]),
    ("sethostname", [170, 74, 161]),
    ("setns", [308, 346, 268]),
    ("settimeofday", [164, 79, 170]),
    ("stime", [NONE, 25, NONE]),
    ("swapoff", [168, 115, 225]),
    ("swapon", [167, 87, 224]),
    ("sysctl", [156, 149, NONE]),
    ("sysfs", [139, 135, NONE]),
    ("syslog", [103, 103, 116]),
    ("umount", [NONE, 22, NONE]),
    ("umount2", [166, 52, 39]),
    ("unshare", [272, 310, 97]),
    ("uselib", [134, 86, NONE]),
    ("userfaultfd", [323, 374, 282]),
    ("ustat", [136, 62, NONE]),
    ("vhangup", [153, 111, 58]),
    ("vm86", [NONE, 166, NONE]),
    ("vm86old", [NONE, 113, NONE]),
];

/// Calls that do nothing and succeed under [`Profile::FakeRoot`].
///
/// `capset` is not among them: giving capabilities up works with any map, and the step's init has to.
const FAKED: &[Row] = &[
    ("chown", [92, 182, NONE]),
    ("chown32", [NONE, 212, NONE]),
    ("fchown", [93, 95, 55]),
    ("fchown32", [NONE, 207, NONE]),
    ("fchownat", [260, 298, 54]),
    ("lchown", [94, 16, NONE]),
    ("lchown32", [NONE, 198, NONE]),
    ("setfsgid", [123, 139, 152]),
    ("setfsgid32", [NONE, 216, NONE]),
    ("setfsuid", [122, 138, 151]),
    ("setfsuid32", [NONE, 215, NONE]),
    ("setgid", [106, 46, 144]),
    ("setgid32", [NONE, 214, NONE]),
    ("setgroups", [116, 81, 159]),
    ("setgroups32", [NONE, 206, NONE]),
    ("setregid", [114, 71, 143]),
    ("setregid32", [NONE, 204, NONE]),
    ("setresgid", [119, 170, 149]),
    ("setresgid32", [NONE, 210, NONE]),
    ("setresuid", [117, 164, 147]),
    ("setresuid32", [NONE, 208, NONE]),
    ("setreuid", [113, 70, 145]),
    ("setreuid32", [NONE, 203, NONE]),
    ("setuid", [105, 23, 146]),
    ("setuid32", [NONE, 213, NONE]),
];

/// Allowed without flags that make namespaces.
const CLONE: Row = ("clone", [56, 120, 220]);

/// Refused as unknown: its flags lie in memory, where a filter cannot look. C libraries fall back to `clone`.
const CLONE3: Row = ("clone3", [435, 435, 435]);

/// Allowed for the values that change nothing dangerous.
const PERSONALITY: Row = ("personality", [135, 136, 92]);

/// Allowed except for families that reach outside a namespace.
const SOCKET: Row = ("socket", [41, 359, 198]);

/// Faked for devices.
const MKNOD: Row = ("mknod", [133, 14, NONE]);

/// Faked for devices.
const MKNODAT: Row = ("mknodat", [259, 297, 33]);

/// `CLONE_NEWNS`, `NEWCGROUP`, `NEWUTS`, `NEWIPC`, `NEWUSER`, `NEWPID`, `NEWNET`.
const NAMESPACE_FLAGS: u32 = 0x7e02_0000;

/// `AF_ALG` and `AF_VSOCK`.
const DENIED_FAMILIES: [u32; 2] = [38, 40];

/// `PER_LINUX`, `PER_LINUX32`, with and without `UNAME26`, and the query.
const PERSONALITIES: [u32; 5] = [0, 8, 0x2_0000, 0x2_0008, 0xffff_ffff];

const EPERM: u16 = 1;
const ENOSYS: u16 = 38;

const LOAD: u16 = 0x20;
const JUMP: u16 = 0x05;
const JUMP_EQUAL: u16 = 0x15;
const JUMP_AT_LEAST: u16 = 0x35;
const JUMP_ANY_BIT: u16 = 0x45;
const AND: u16 = 0x54;
const RETURN: u16 = 0x06;

const ALLOW: u32 = 0x7fff_0000;
const ERRNO: u32 = 0x0005_0000;

/// Offset of the call's number in what a filter sees.
const NUMBER: u32 = 0;
/// Offset of the architecture.
const ARCH: u32 = 4;

/// Offset of the low half of an argument, on little-endian machines.
fn argument(index: u32) -> u32 {
    16 + 8 * index
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Allow,
    Fail(u16),
    Clone,
    Socket,
    Personality,
    /// The argument with this index is the mode of a file to make.
    Mknod(u32),
}

/// Builds a filter for this machine.
#[must_use]
pub fn program(profile: Profile) -> Vec<Instruction> {
    assemble(Abi::native(), profile)
}

fn assemble(abis: &[Abi], profile: Profile) -> Vec<Instruction> {
    let mut code = vec![load(ARCH)];
    for &abi in abis {
        let mut body = vec![load(NUMBER)];
        search(&segments(abi, profile), &mut body);
        let over = u32::try_from(body.len()).expect("filters are short");
        code.push(Instruction {
            code: JUMP_EQUAL,
            jt: 1,
            jf: 0,
            k: abi.audit_arch(),
        });
        code.push(Instruction {
            code: JUMP,
            jt: 0,
            jf: 0,
            k: over,
        });
        code.extend(body);
    }
    code.push(give(Verdict::Fail(ENOSYS)));
    code
}

/// Cuts all call numbers into runs with one verdict each: (first number, verdict).
fn segments(abi: Abi, profile: Profile) -> Vec<(u32, Verdict)> {
    let mut special: Vec<(u32, Verdict)> = Vec::new();
    let mut add = |row: &Row, verdict: Verdict| {
        special.extend(abi.number(row).map(|number| (number, verdict)));
    };
    for row in DENIED {
        add(row, Verdict::Fail(EPERM));
    }
    add(&CLONE, Verdict::Clone);
    add(&CLONE3, Verdict::Fail(ENOSYS));
    add(&PERSONALITY, Verdict::Personality);
    add(&SOCKET, Verdict::Socket);
    if profile == Profile::FakeRoot {
        for row in FAKED {
            add(row, Verdict::Fail(0));
        }
        add(&MKNOD, Verdict::Mknod(1));
        add(&MKNODAT, Verdict::Mknod(2));
    }
    special.sort_by_key(|(number, _)| *number);
    let mut runs = Vec::new();
    let mut push = |first: u32, verdict: Verdict| match runs.last_mut() {
        Some((_, last)) if *last == verdict => {}
        Some((start, last)) if *start == first => *last = verdict,
        _ => runs.push((first, verdict)),
    };
    push(0, Verdict::Allow);
    for (number, verdict) in special {
        push(number, verdict);
        push(number + 1, Verdict::Allow);
    }
    // Also catches the x32 interface, whose numbers start at 2^30.
    push(LAST_KNOWN + 1, Verdict::Fail(ENOSYS));
    runs
}

/// Emits a binary search; the accumulator holds the call's number.
fn search(runs: &[(u32, Verdict)], code: &mut Vec<Instruction>) {
    match runs {
        [] => {}
        [(_, verdict)] => judge(*verdict, code),
        _ => {
            let (left, right) = runs.split_at(runs.len() / 2);
            let mut below = Vec::new();
            search(left, &mut below);
            let first = right[0].0;
            match u8::try_from(below.len()) {
                Ok(over) => {
                    code.push(Instruction {
                        code: JUMP_AT_LEAST,
                        jt: over,
                        jf: 0,
                        k: first,
                    });
                }
                Err(_) => {
                    let over = u32::try_from(below.len()).expect("filters are short");
                    code.push(Instruction {
                        code: JUMP_AT_LEAST,
                        jt: 0,
                        jf: 1,
                        k: first,
                    });
                    code.push(Instruction {
                        code: JUMP,
                        jt: 0,
                        jf: 0,
                        k: over,
                    });
                }
            }
            code.extend(below);
            search(right, code);
        }
    }
}

fn judge(verdict: Verdict, code: &mut Vec<Instruction>) {
    match verdict {
        Verdict::Allow | Verdict::Fail(_) => code.push(give(verdict)),
        Verdict::Clone => {
            code.push(load(argument(0)));
            code.push(Instruction {
                code: JUMP_ANY_BIT,
                jt: 0,
                jf: 1,
                k: NAMESPACE_FLAGS,
            });
            code.push(give(Verdict::Fail(EPERM)));
            code.push(give(Verdict::Allow));
        }
        Verdict::Socket => {
            one_of(
                argument(0),
                &DENIED_FAMILIES,
                Verdict::Fail(EPERM),
                Verdict::Allow,
                code,
            );
        }
        Verdict::Personality => {
            one_of(
                argument(0),
                &PERSONALITIES,
                Verdict::Allow,
                Verdict::Fail(EPERM),
                code,
            );
        }
        Verdict::Mknod(index) => {
            code.push(load(argument(index)));
            code.push(Instruction {
                code: AND,
                jt: 0,
                jf: 0,
                k: 0o170_000,
            });
            code.push(Instruction {
                code: JUMP_EQUAL,
                jt: 1,
                jf: 0,
                k: 0o020_000,
            });
            code.push(Instruction {
                code: JUMP_EQUAL,
                jt: 0,
                jf: 1,
                k: 0o060_000,
            });
            code.push(give(Verdict::Fail(0)));
            code.push(give(Verdict::Allow));
        }
    }
}

/// Emits a comparison of a word with some values.
fn one_of(
    offset: u32,
    values: &[u32],
    found: Verdict,
    otherwise: Verdict,
    code: &mut Vec<Instruction>,
) {
    code.push(load(offset));
    for (value, left) in values.iter().zip((0..values.len()).rev()) {
        let over = u8::try_from(left + 1).expect("short lists");
        code.push(Instruction {
            code: JUMP_EQUAL,
            jt: over,
            jf: 0,
            k: *value,
        });
    }
    code.push(give(otherwise));
    code.push(give(found));
}

fn load(offset: u32) -> Instruction {
    Instruction {
        code: LOAD,
        jt: 0,
        jf: 0,
        k: offset,
    }
}

/// A verdict that needs no look at arguments.
fn give(verdict: Verdict) -> Instruction {
    let k = match verdict {
        Verdict::Fail(errno) => ERRNO | u32::from(errno),
        _ => ALLOW,
    };
    Instruction {
        code: RETURN,
        jt: 0,
        jf: 0,
        k,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a filter as the kernel would.
    fn decide(program: &[Instruction], arch: u32, number: u32, args: [u32; 3]) -> u32 {
        let (mut at, mut accumulator) = (0_usize, 0_u32);
        loop {
            let step = program[at];
            at += 1;
            let mut jump = |yes: bool| at += usize::from(if yes { step.jt } else { step.jf });
            match step.code {
                LOAD => {
                    accumulator = match step.k {
                        NUMBER => number,
                        ARCH => arch,
                        offset => args[(offset as usize - 16) / 8],
                    }
                }
                JUMP => at += step.k as usize,
                JUMP_EQUAL => jump(accumulator == step.k),
                JUMP_AT_LEAST => jump(accumulator >= step.k),
                JUMP_ANY_BIT => jump(accumulator & step.k != 0),
                AND => accumulator &= step.k,
                RETURN => return step.k,
                other => panic!("unknown instruction {other:#x}"),
            }
        }
    }

    const ALL: [Abi; 3] = [Abi::X86_64, Abi::I386, Abi::Aarch64];
    const NO: u32 = ERRNO | 1;
    const UNKNOWN: u32 = ERRNO | 38;

    #[test]
    fn every_denied_call_fails_and_its_neighbours_do_not() {
        for profile in [Profile::Default, Profile::FakeRoot] {
            let program = assemble(&ALL, profile);
            for abi in ALL {
                let numbers: Vec<u32> = DENIED.iter().filter_map(|row| abi.number(row)).collect();
                let allowed = (0..=LAST_KNOWN)
                    .filter(|&n| decide(&program, abi.audit_arch(), n, [0; 3]) == ALLOW)
                    .count();
                for &number in &numbers {
                    let verdict = decide(&program, abi.audit_arch(), number, [0; 3]);
                    assert_eq!(verdict, NO, "{abi:?} {number}");
                }
                let faked = match profile {
                    Profile::Default => 0,
                    Profile::FakeRoot => FAKED.iter().filter_map(|row| abi.number(row)).count(),
                };
                // Everything else but clone3 is allowed with arguments of zero.
                let expected = LAST_KNOWN as usize + 1 - numbers.len() - faked - 1;
                assert_eq!(allowed, expected, "{abi:?} {profile:?}");
            }
        }
    }

    #[test]
    fn arguments_decide() {
        let user = 0x1000_0000;
        let cases = [
            (CLONE, [0x11, 0, 0], ALLOW),
            (CLONE, [0x11 | user, 0, 0], NO),
            (CLONE, [0x0002_0000, 0, 0], NO),
            (CLONE3, [0, 0, 0], UNKNOWN),
            (SOCKET, [2, 1, 0], ALLOW),
            (SOCKET, [38, 5, 0], NO),
            (SOCKET, [40, 1, 0], NO),
            (PERSONALITY, [0xffff_ffff, 0, 0], ALLOW),
            (PERSONALITY, [8, 0, 0], ALLOW),
            (PERSONALITY, [0x0040_0000, 0, 0], NO),
        ];
        let program = assemble(&ALL, Profile::Default);
        for abi in ALL {
            for (row, args, expected) in cases {
                let number = abi.number(&row).expect("exists everywhere");
                let verdict = decide(&program, abi.audit_arch(), number, args);
                assert_eq!(verdict, expected, "{abi:?} {} {args:x?}", row.0);
            }
        }
    }

    #[test]
    fn foreign_numbers_and_architectures_are_unknown() {
        let program = assemble(&ALL, Profile::Default);
        let x32_execve = 0x4000_0000 | 520;
        for number in [x32_execve, LAST_KNOWN + 1, u32::MAX] {
            assert_eq!(
                decide(&program, Abi::X86_64.audit_arch(), number, [0; 3]),
                UNKNOWN
            );
        }
        let mips = 8;
        assert_eq!(decide(&program, mips, 1, [0; 3]), UNKNOWN);
    }

    #[test]
    fn fake_root_pretends() {
        let program = assemble(&ALL, Profile::FakeRoot);
        for abi in ALL {
            for row in FAKED {
                let Some(number) = abi.number(row) else {
                    continue;
                };
                assert_eq!(
                    decide(&program, abi.audit_arch(), number, [0; 3]),
                    ERRNO,
                    "{}",
                    row.0
                );
            }
            let mknodat = abi.number(&MKNODAT).expect("exists everywhere");
            let make = |mode| decide(&program, abi.audit_arch(), mknodat, [0, 0, mode]);
            assert_eq!(make(0o020_644), ERRNO);
            assert_eq!(make(0o060_644), ERRNO);
            assert_eq!(make(0o010_644), ALLOW);
        }
    }

    #[test]
    fn filters_stay_short() {
        for profile in [Profile::Default, Profile::FakeRoot] {
            for abis in [&[Abi::X86_64, Abi::I386][..], &[Abi::Aarch64]] {
                let length = assemble(abis, profile).len();
                assert!(
                    length <= 620,
                    "{length} instructions for {abis:?} {profile:?}"
                );
            }
        }
    }
}
