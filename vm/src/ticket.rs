//! What a command in the machine is started with: a shell script that becomes it.
//!
//! The script travels on a standard input, into a file in memory that only the user can read, and is gone once it runs: what
//! the environment holds, secrets among it, is in no command line of either side.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

/// Variables that describe the host's system, user or session, and would be wrong inside.
const OUTSIDE: [&str; 25] = [
    "COMMAND_MODE",
    "DISPLAY",
    "HOME",
    "LANG",
    "LOGNAME",
    "MAIL",
    "NSCI_CACHE_DIR",
    "NSCI_DATA_DIR",
    "NSCI_LIMACTL",
    "NSCI_LINUX_BINARY",
    "NSCI_VM",
    "OLDPWD",
    "PATH",
    "PWD",
    "SECURITYSESSIONID",
    "SHELL",
    "SHLVL",
    "TMPDIR",
    "USER",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_SESSION_ID",
    "XDG_STATE_HOME",
    "_",
];

/// Beginnings of more of them.
const OUTSIDE_PREFIXES: [&str; 9] = [
    "DBUS_",
    "DYLD_",
    "HOMEBREW_",
    "LC_",
    "LD_",
    "LIMA_",
    "SSH_",
    "XPC_",
    "__CF",
];

/// Proxies. Lima hands the host's to the machine when it starts, with the host's loopback by the name it has inside.
const PROXIES: [&str; 5] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "FTP_PROXY",
];

/// Files of certificates; those that the machine cannot see would make every request fail.
const CERTIFICATES: [&str; 4] = [
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
];

/// A command in the machine.
#[derive(Debug)]
pub struct Ticket {
    /// Where it runs, as a path inside.
    pub directory: PathBuf,
    /// The user's home directory as a path inside, if the machine sees it. It is the command's home too, so that
    /// the user's configuration and credentials are found.
    pub home: Option<PathBuf>,
    /// Environment, without what describes the host.
    pub environment: Vec<(OsString, OsString)>,
    /// Which of the executables in the machine.
    pub key: String,
    /// Its arguments.
    pub args: Vec<OsString>,
}

impl Ticket {
    /// The script. It is asked to stop by removing it before it ran, or by a signal to the process whose number it leaves
    /// beside itself.
    #[must_use]
    pub fn script(&self) -> Vec<u8> {
        let mut script = b"echo $$ >\"$0.pid\"\nrm -- \"$0\" || exit\ncd -- ".to_vec();
        script.extend(quoted(self.directory.as_os_str()));
        script.extend(b" || exit 2\nown=$HOME\n");
        for (name, value) in &self.environment {
            script.extend(assignment(name, value));
        }
        if let Some(home) = &self.home {
            script.extend(assignment("HOME".as_ref(), home.as_os_str()));
        }
        // Overlays do not work on directories that a host shares.
        script.extend(b"export NSCI_DATA_DIR=\"$own/.local/share/nsci\"\n");
        script.extend(b"exec \"$own/.local/lib/nsci/nsci-");
        script.extend(self.key.as_bytes());
        script.push(b'"');
        for arg in &self.args {
            script.push(b' ');
            script.extend(quoted(arg));
        }
        script.push(b'\n');
        script
    }
}

/// Whether a variable of the host means the same inside; `is_seen` tells whether the machine sees a path.
pub(crate) fn goes_inside(name: &OsStr, value: &OsStr, is_seen: impl Fn(&OsStr) -> bool) -> bool {
    let Some(name) = name.to_str().filter(|name| is_identifier(name)) else {
        return false;
    };
    let is_proxy = PROXIES.iter().any(|proxy| proxy.eq_ignore_ascii_case(name));
    let is_outside =
        OUTSIDE.contains(&name) || OUTSIDE_PREFIXES.iter().any(|p| name.starts_with(p));
    let is_lost = CERTIFICATES.contains(&name) && !is_seen(value);
    !is_proxy && !is_outside && !is_lost
}

fn is_identifier(name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && name.chars().all(is_word) && !name.starts_with(|c: char| c.is_ascii_digit())
}

fn assignment(name: &OsStr, value: &OsStr) -> Vec<u8> {
    [b"export ", name.as_bytes(), b"=", &quoted(value), b"\n"].concat()
}

/// As a shell reads it back.
fn quoted(text: &OsStr) -> Vec<u8> {
    let mut quoted = vec![b'\''];
    for byte in text.as_bytes() {
        match byte {
            b'\'' => quoted.extend(b"'\\''"),
            byte => quoted.push(*byte),
        }
    }
    quoted.push(b'\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_a_script() {
        let ticket = Ticket {
            directory: "/Users/ann/it's".into(),
            home: Some("/Users/ann".into()),
            environment: vec![("TOKEN".into(), "a\nb $c".into())],
            key: "0123".to_owned(),
            args: vec!["call".into(), "".into(), "--x=a b".into()],
        };
        let script = String::from_utf8(ticket.script()).unwrap();
        let wanted = "\
            echo $$ >\"$0.pid\"\n\
            rm -- \"$0\" || exit\n\
            cd -- '/Users/ann/it'\\''s' || exit 2\n\
            own=$HOME\n\
            export TOKEN='a\nb $c'\n\
            export HOME='/Users/ann'\n\
            export NSCI_DATA_DIR=\"$own/.local/share/nsci\"\n\
            exec \"$own/.local/lib/nsci/nsci-0123\" 'call' '' '--x=a b'\n";
        assert_eq!(script, wanted);
    }

    #[test]
    fn a_home_that_is_not_seen_is_the_machines_own() {
        let ticket = Ticket {
            directory: "/".into(),
            home: None,
            environment: Vec::new(),
            key: "0".to_owned(),
            args: Vec::new(),
        };
        let script = String::from_utf8(ticket.script()).unwrap();
        assert!(!script.contains("export HOME"), "{script}");
    }

    #[test]
    fn what_describes_the_host_stays_outside() {
        let is_seen = |path: &OsStr| path.as_bytes().starts_with(b"/Users/ann/");
        for (name, value, wanted) in [
            ("TOKEN", "x", true),
            ("NSCI_MODULE", "x", true),
            ("DAGGER_PROGRESS", "plain", true),
            ("_NSCI_SYSTEMENV_X", "x", true),
            ("TERM", "xterm", true),
            ("SOURCE_DATE_EPOCH", "0", true),
            ("PATH", "/opt/homebrew/bin", false),
            ("NSCI_DATA_DIR", "/Users/ann/store", false),
            ("SSH_AUTH_SOCK", "/private/tmp/x", false),
            ("DYLD_INSERT_LIBRARIES", "x", false),
            ("LC_ALL", "de_DE.UTF-8", false),
            ("https_proxy", "http://127.0.0.1:3128", false),
            ("HTTPS_PROXY", "http://127.0.0.1:3128", false),
            ("SSL_CERT_FILE", "/etc/ssl/cert.pem", false),
            ("SSL_CERT_FILE", "/Users/ann/ca.pem", true),
            ("BASH_FUNC_x%%", "() { :; }", false),
            ("1X", "x", false),
            ("", "x", false),
        ] {
            let found = goes_inside(name.as_ref(), value.as_ref(), is_seen);
            assert_eq!(found, wanted, "{name}={value}");
        }
    }
}
