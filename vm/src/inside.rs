//! One command in a machine that runs: the executable is put there if it is not, the ticket is handed in, and the command
//! gets what the front was given.

use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

use crate::{Binary, Failure, Limactl, Signals, Ticket};

/// Takes a ticket on standard input. Says where it is, and whether the executable with the key `$1` is there. Sweeps away
/// what commands left that were killed.
const HAND_IN: &str = r#"umask 077
cd "${XDG_RUNTIME_DIR:?the machine gives its user no runtime directory}" || exit 1
for old in nsci-ticket.*.pid; do
    [ ! -e "$old" ] || kill -0 "$(cat "$old")" 2>/dev/null || rm -f "$old"
done
find . -maxdepth 1 -name 'nsci-ticket.????????' -mmin +60 -exec rm -f {} +
ticket=$(mktemp nsci-ticket.XXXXXXXX) && cat >"$ticket" || exit 1
binary=$HOME/.local/lib/nsci/nsci-$1
state=missing
[ ! -x "$binary" ] || { touch "$binary"; state=present; }
echo "nsci-vm: $state $PWD/$ticket""#;

/// Takes an executable with the key `$1` and `$2` bytes on standard input. Those that nobody used for a week go.
const PUT: &str = r#"umask 022
dir=$HOME/.local/lib/nsci
mkdir -p "$dir" && new=$(mktemp "$dir/new-XXXXXXXX") && cat >"$new" || exit 1
[ "$(wc -c <"$new")" -eq "$2" ] || { rm -f "$new"; echo "it did not arrive whole" >&2; exit 1; }
chmod 755 "$new" && mv -f "$new" "$dir/nsci-$1" || exit 1
find "$dir" -name 'nsci-*' ! -name "nsci-$1" -mtime +7 -exec rm -f {} +
find "$dir" -name 'new-*' -mmin +60 -exec rm -f {} +"#;

/// Asks the command of the ticket `$1` to stop, with the signal `$2`.
const SIGNAL: &str = r#"rm -- "$1" 2>/dev/null && echo "never ran"
[ ! -e "$1.pid" ] || kill -s "$2" "$(cat "$1.pid")""#;

/// What handed-in tickets are answered with, before state and path. Shells may greet before it.
const ANSWER: &str = "nsci-vm: ";

/// A machine that runs.
#[derive(Debug)]
pub(crate) struct Inside<'a> {
    pub(crate) limactl: &'a Limactl,
    pub(crate) name: &'a str,
    pub(crate) signals: &'a Signals,
    /// Which of standard input, output and error are terminals.
    pub(crate) terminals: [bool; 3],
}

impl Inside<'_> {
    /// Runs the command of a ticket and returns its exit code.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(crate) fn run(&self, ticket: &Ticket, binary: &Binary) -> Result<u8, Failure> {
        let path = self.hand_in(ticket, binary)?;
        let stop = self.limactl.script(self.name, SIGNAL, &[&path]);
        let handing = self.signals.to_inside(stop);
        let args = ["shell", "--workdir", "/", self.name, "sh", &path];
        let mut child = self.start(self.limactl.command(&args))?;
        let status = finish(&mut child)?;
        drop(handing);
        match self.signals.stopped_early() {
            Some(code) => Ok(code.number()),
            None => Ok(exit_code(status)),
        }
    }

    /// Hands a ticket in and returns its path inside.
    fn hand_in(&self, ticket: &Ticket, binary: &Binary) -> Result<String, Failure> {
        let command = self.limactl.script(self.name, HAND_IN, &[&ticket.key]);
        let output = self.limactl.feed(command, &ticket.script())?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let answer = answer(&said).filter(|_| output.status.success());
        let Some((is_present, path)) = answer else {
            return Err(self
                .limactl
                .failed("shell", &output)
                .hint("`nsci vm stop` and the next command start the machine anew"));
        };
        if !is_present {
            self.put(&ticket.key, binary)?;
        }
        Ok(path)
    }

    /// Puts the executable there.
    fn put(&self, key: &str, binary: &Binary) -> Result<(), Failure> {
        let size = binary.bytes.len().to_string();
        let command = self.limactl.script(self.name, PUT, &[key, &size]);
        let output = self.limactl.feed(command, &binary.bytes)?;
        match output.status.success() {
            true => Ok(()),
            false => Err(self.limactl.failed("shell", &output).hint(format!(
                "{} could not be put into the virtual machine",
                binary.path.display()
            ))),
        }
    }

    /// Runs a shell, or a command of a shell, and returns its exit code.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(crate) fn shell(&self, command: Command) -> Result<u8, Failure> {
        let mut child = self.start(command)?;
        let handing = match self.is_interactive() {
            true => self.signals.to_child(child.id()),
            false => self.signals.to_group(child.id()),
        };
        let status = finish(&mut child)?;
        drop(handing);
        Ok(exit_code(status))
    }

    fn is_interactive(&self) -> bool {
        self.terminals == [true; 3]
    }

    /// Starts `limactl shell` with the front's input and outputs.
    ///
    /// Where all three are a terminal, the command gets one of its own, into which keys go unchanged. Else it
    /// gets none, or its output and its errors would be one. Then the terminal's signals must not reach `ssh`, which would
    /// end before what it runs: it is put into the background, where it cannot have the terminal either.
    fn start(&self, mut command: Command) -> Result<Child, Failure> {
        let [input, output, _] = self.terminals;
        if !self.is_interactive() {
            command.process_group(0);
            if input {
                command.stdin(Stdio::piped());
            }
            if output {
                command.stdout(Stdio::piped());
            }
        }
        self.limactl.spawn(command)
    }
}

/// Waits for what was started, and for all of its output.
fn finish(child: &mut Child) -> Result<ExitStatus, Failure> {
    let printer = pump(child);
    let status = child.wait();
    if let Some(printer) = printer {
        // What it could not print, nobody reads.
        printer.join().ok();
    }
    status.map_err(|error| Failure::failed(format!("cannot wait for limactl: {error}")))
}

/// Copies between the terminal and a process that must not have it; the one for output is to be waited for.
fn pump(child: &mut Child) -> Option<thread::JoinHandle<io::Result<u64>>> {
    if let Some(mut stdin) = child.stdin.take() {
        // Reads until the user says that there is no more, or the front ends.
        thread::spawn(move || io::copy(&mut io::stdin(), &mut stdin));
    }
    let mut stdout = child.stdout.take()?;
    Some(thread::spawn(move || {
        io::copy(&mut stdout, &mut io::stdout())
    }))
}

/// Whether the executable is there, and where the ticket is.
fn answer(said: &str) -> Option<(bool, String)> {
    let line = said
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix(ANSWER))?;
    let (state, path) = line.split_once(' ')?;
    Some((state == "present", path.to_owned()))
}

fn exit_code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signals::NEVER_RAN;

    #[test]
    fn answers_are_found_after_greetings() {
        let path = "/run/user/501/nsci-ticket.abcdefgh".to_owned();
        for (said, wanted) in [
            (
                "nsci-vm: present /run/user/501/nsci-ticket.abcdefgh\n",
                Some((true, path.clone())),
            ),
            (
                "Welcome!\nnsci-vm: missing /run/user/501/nsci-ticket.abcdefgh\n",
                Some((false, path.clone())),
            ),
            ("Welcome!\n", None),
            ("", None),
        ] {
            assert_eq!(answer(said), wanted, "{said}");
        }
    }

    #[test]
    fn ends_by_signals_have_the_shells_codes() {
        for (raw, wanted) in [(0, 0), (3 << 8, 3), (255 << 8, 255), (2, 130), (15, 143)] {
            assert_eq!(exit_code(ExitStatus::from_raw(raw)), wanted, "{raw}");
        }
    }

    #[test]
    fn scripts_say_what_is_looked_for() {
        assert!(HAND_IN.contains(ANSWER));
        assert!(SIGNAL.contains(NEVER_RAN));
    }
}
