//! [`Registry`]: Debian's docker-registry on a port of its own, with whatever access is to be tested.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::wait_until;

/// `nsci` with the password `secret`.
const HTPASSWD: &str = "nsci:$2y$05$4WnxkUgv2GpMCfwjd3AN/OPSwxjR1vkbUFvo.HdQfEYuSSXoqeCPK\n";

/// Who is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody, without encryption.
    Open,
    /// `nsci` with the password `secret`, without encryption.
    Password,
    /// Everybody, with a certificate of a private authority.
    Tls,
}

/// A registry that is gone when dropped.
#[derive(Debug)]
pub(crate) struct Registry {
    dir: tempfile::TempDir,
    process: Child,
    /// `127.0.0.1:port`.
    pub(crate) address: String,
}

impl Registry {
    /// Starts one and waits until it answers.
    pub(crate) fn start(access: Access) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let address = format!("127.0.0.1:{port}");
        let at = |name: &str| dir.path().join(name).display().to_string();
        let mut config = format!(
            "version: 0.1\nlog: {{level: error, accesslog: {{disabled: false}}}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}}}\nhttp:\n  addr: {address}\n",
            at("storage")
        );
        match access {
            Access::Open => {}
            Access::Password => {
                fs::write(at("htpasswd"), HTPASSWD).unwrap();
                config += &format!(
                    "auth: {{htpasswd: {{realm: x, path: {}}}}}\n",
                    at("htpasswd")
                );
            }
            Access::Tls => {
                certify(dir.path());
                config += &format!(
                    "  tls: {{certificate: {}, key: {}}}\n",
                    at("server.pem"),
                    at("server.key")
                );
            }
        }
        fs::write(at("config.yml"), config).unwrap();
        let process = Command::new("docker-registry")
            .args(["serve", &at("config.yml")])
            .stdin(Stdio::null())
            .stdout(fs::File::create(at("log")).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry is installed");
        wait_until("the registry", || TcpStream::connect(&address).is_ok());
        Self {
            dir,
            process,
            address,
        }
    }

    /// Certificate of the authority, where there is one.
    pub(crate) fn authority(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// Requests with one of these methods so far, as `METHOD path`.
    pub(crate) fn requests(&self, methods: &[&str]) -> Vec<String> {
        let log = fs::read_to_string(self.dir.path().join("log")).unwrap();
        // address - - [time] "METHOD path HTTP/1.1" status …
        let request = |line: &str| Some(line.split('"').nth(1)?.rsplit_once(' ')?.0.to_owned());
        let wanted = |request: &String| {
            methods
                .iter()
                .any(|method| request.starts_with(&format!("{method} ")))
        };
        log.lines().filter_map(request).filter(wanted).collect()
    }

    /// Requests that write.
    pub(crate) fn writes(&self) -> Vec<String> {
        self.requests(&["PUT", "PATCH", "POST"])
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Makes an authority and a certificate for the loopback.
fn certify(dir: &Path) {
    let openssl = |args: &str| {
        let done = Command::new("openssl")
            .args(args.split(' '))
            .current_dir(dir)
            .output()
            .expect("openssl is installed");
        assert!(done.status.success(), "{args}: {done:?}");
    };
    fs::write(dir.join("names"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    openssl(
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=nsci-test-ca",
    );
    openssl("req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=127.0.0.1");
    openssl(
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile names",
    );
}
