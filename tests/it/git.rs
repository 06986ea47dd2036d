//! Repositories: over git's own protocol, HTTP with a token and ssh with an agent; branches, tags, commits and trees.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::support::{GitDaemon, IMAGE, Nsci, from, nest, quoted, wait_until};

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn git(at: &Path, args: &[&str]) -> String {
    let identity = [
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@example.org",
        "-c",
        "init.defaultBranch=main",
    ];
    let mut command = Command::new("git");
    command.args(identity).args(args).current_dir(at);
    let output = command.output().expect("git is installed");
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A repository with a branch, a tag and three commits; returns where, and the commits oldest first.
fn repository(nsci: &Nsci) -> (PathBuf, Vec<String>) {
    let at = nsci.home().join("served/repo");
    fs::create_dir_all(at.join("sub")).unwrap();
    git(&at, &["init", "--quiet"]);
    let mut commits = Vec::new();
    for text in ["one", "two", "three"] {
        fs::write(at.join("sub/file"), text).unwrap();
        git(&at, &["add", "."]);
        git(&at, &["commit", "--quiet", "-m", text]);
        commits.push(git(&at, &["rev-parse", "HEAD"]));
        if text == "one" {
            git(&at, &["tag", "-a", "v1.0", "-m", "first"]);
        }
        if text == "two" {
            git(&at, &["branch", "feature/x"]);
        }
    }
    (at, commits)
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// The repository as `git daemon` serves it.
fn daemon(base: &Path) -> (GitDaemon, String) {
    let daemon = GitDaemon::start(base);
    let url = format!("{}/repo", daemon.url);
    (daemon, url)
}

#[test]
fn names_lead_to_commits_and_trees() {
    let nsci = Nsci::new();
    let (at, commits) = repository(&nsci);
    let (_daemon, url) = daemon(at.parent().unwrap());
    let repo = format!("git(url: {})", quoted(&url));
    for (chain, wanted) in [
        ("head commit".to_owned(), json!(commits[2])),
        (
            "branch(name: \"feature/x\") commit".to_owned(),
            json!(commits[1]),
        ),
        (
            "branch(name: \"feature/x\") ref".to_owned(),
            json!("refs/heads/feature/x"),
        ),
        ("tag(name: \"v1.0\") commit".to_owned(), json!(commits[0])),
        ("ref(name: \"v1.0\") commit".to_owned(), json!(commits[0])),
        (
            "ref(name: \"refs/heads/main\") commit".to_owned(),
            json!(commits[2]),
        ),
        (
            format!("commit(id: \"{}\") sha", commits[1]),
            json!(commits[1]),
        ),
        (
            format!(
                "commit(id: \"{}\") tree file(path: \"sub/file\") contents",
                commits[0]
            ),
            json!("one"),
        ),
        ("branches".to_owned(), json!(["feature/x", "main"])),
        (
            "branches(patterns: [\"feature/*\"])".to_owned(),
            json!(["feature/x"]),
        ),
        ("tags".to_owned(), json!(["v1.0"])),
        ("url".to_owned(), json!(url)),
        ("head tree entries".to_owned(), json!([".git/", "sub/"])),
        (
            "head tree(discardGitDir: true) entries".to_owned(),
            json!(["sub/"]),
        ),
        (
            "branch(name: \"feature/x\") tree file(path: \"sub/file\") contents".to_owned(),
            json!("two"),
        ),
        (
            "tag(name: \"v1.0\") tree file(path: \"sub/file\") contents".to_owned(),
            json!("one"),
        ),
    ] {
        assert_eq!(nsci.leaf(&format!("{repo} {chain}")), wanted, "{chain}");
    }
    let old = format!("git(url: {}, keepGitDir: false)", quoted(&url));
    assert_eq!(
        nsci.leaf(&format!("{old} head tree entries")),
        json!(["sub/"])
    );
}

#[test]
fn history_is_as_deep_as_asked_and_branches_move_on() {
    let nsci = Nsci::new();
    let (at, _) = repository(&nsci);
    let (_daemon, url) = daemon(at.parent().unwrap());
    let count = |depth: u32| {
        let target = nsci.home().join(format!("out-{depth}"));
        let chain = format!(
            "git(url: {}) branch(name: \"main\") tree(depth: {depth}) export(path: {})",
            quoted(&url),
            quoted(&target.display().to_string())
        );
        nsci.chain(&chain).ok();
        assert_eq!(git(&target, &["status", "--porcelain"]), "");
        git(&target, &["rev-list", "--count", "HEAD"])
    };
    assert_eq!([count(1), count(2), count(0)], ["1", "2", "3"]);
    let read = || {
        nsci.text(&format!(
            "git(url: {}) branch(name: \"main\") tree file(path: \"sub/file\") contents",
            quoted(&url)
        ))
    };
    assert_eq!(read(), "three");
    fs::write(at.join("sub/file"), "four").unwrap();
    git(&at, &["commit", "--quiet", "-am", "four"]);
    assert_eq!(read(), "four");
}

#[test]
fn commits_say_who_made_them_and_what_they_are_based_on() {
    let nsci = Nsci::new();
    let (at, commits) = repository(&nsci);
    git(&at, &["tag", "v1.1.0-rc.1", &commits[2]]);
    git(&at, &["tag", "v1.0.0", &commits[1]]);
    fs::write(at.join("other"), "x").unwrap();
    git(&at, &["add", "."]);
    git(
        &at,
        &["commit", "--quiet", "-m", "four\n\nbody\nof two lines"],
    );
    let last = git(&at, &["rev-parse", "HEAD"]);
    git(&at, &["checkout", "--quiet", "feature/x"]);
    git(&at, &["commit", "--quiet", "--allow-empty", "-m", "aside"]);
    git(&at, &["checkout", "--quiet", "main"]);
    let (_daemon, url) = daemon(at.parent().unwrap());
    let session = nsci.session();
    let repo = format!("git(url: {})", quoted(&url));
    let main = format!("{repo} branch(name: \"main\")");
    let feature = session.id(&format!("{repo} branch(name: \"feature/x\")"));
    let commit = format!("{main} targetCommit");
    let one = format!("{repo} commit(id: \"{}\")", commits[0]);
    for (chain, wanted) in [
        (format!("{main} commitSHA"), json!(last)),
        (format!("{main} name"), json!("refs/heads/main")),
        (format!("{commit} sha"), json!(last)),
        (format!("{commit} shortSha"), json!(last[..7])),
        (format!("{commit} messageHeadline"), json!("four")),
        (format!("{commit} messageBody"), json!("body\nof two lines")),
        (format!("{commit} parentShas"), json!([commits[2]])),
        (format!("{one} parentShas"), json!([])),
        (format!("{one} authorName"), json!("t")),
        (format!("{one} committerEmail"), json!("t@example.org")),
        (
            format!("{one} tree file(path: \"sub/file\") contents"),
            json!("one"),
        ),
        (
            format!("{main} log(limit: 2) {{sha}}"),
            json!([{"sha": last}, {"sha": commits[2]}]),
        ),
        (
            format!("{main} log(paths: [\"sub/file\"], limit: 1) {{message}}"),
            json!([{"message": "three"}]),
        ),
        (
            format!("{main} log(base: {feature}) {{message}}"),
            json!([{"message": "four\n\nbody\nof two lines"}, {"message": "three"}]),
        ),
        (
            format!("{main} commonAncestor(other: {feature}) commitSHA"),
            json!(commits[1]),
        ),
        (
            format!("{repo} latestVersion name"),
            json!("refs/tags/v1.0.0"),
        ),
        (format!("{one} releaseTag {{name}}"), json!(null)),
        (
            format!("{repo} commit(id: \"{}\") releaseTag name", commits[1]),
            json!("refs/tags/v1.0.0"),
        ),
        (
            format!("{commit} ancestorReleaseTag name"),
            json!("refs/tags/v1.0.0"),
        ),
        (
            format!("{commit} ancestorReleaseTag(includePreRelease: true) name"),
            json!("refs/tags/v1.1.0-rc.1"),
        ),
        (
            format!("address(value: \"{url}#feature/x\") gitRef name"),
            json!("refs/heads/feature/x"),
        ),
        (
            format!("address(value: \"{url}\") gitRepository head commitSHA"),
            json!(last),
        ),
    ] {
        let whole = chain.replace(" {", "{");
        assert_eq!(session.leaf(&whole), wanted, "{chain}");
    }
    // The date is what git says, and a commit of a list can be loaded by itself.
    let date = git(&at, &["log", "-1", "--format=%aI"]);
    assert_eq!(session.leaf(&format!("{commit} authoredDate")), json!(date));
    let ids = session.leaf(&format!("{main} log(limit: 3){{id}}"));
    let third = session.answer(&format!(
        "{{node(id: {}){{... on GitCommit{{message}}}}}}",
        ids[2]["id"]
    ));
    assert_eq!(third["data"]["node"]["message"], json!("two"), "{third}");
    for (chain, text) in [
        (
            format!("{main} log(limit: -1) {{sha}}"),
            "limit is 0 or more",
        ),
        (
            format!("{repo} commit(id: \"{}\") message", "0".repeat(40)),
            "0000000",
        ),
        (
            "address(value: \"--x\") gitRef name".to_owned(),
            "no address",
        ),
    ] {
        let answer = session.answer(&nest(&chain.replace(" {", "{")));
        let message = answer["errors"][0]["message"].to_string();
        assert!(message.contains(text), "{chain}: {answer}");
    }
    session.end();
}

#[test]
fn a_repository_is_read_from_a_service() {
    let nsci = Nsci::new();
    let session = nsci.session();
    // The simplest server there is: files of a repository over HTTP.
    let (at, commits) = repository(&nsci);
    git(&at, &["update-server-info"]);
    let files = session.id(&format!(
        "host directory(path: {})",
        quoted(&at.join(".git").display().to_string())
    ));
    let service = session.id(&format!(
        "container {} withDirectory(path: \"/www/r.git\", source: {files}) withExposedPort(port: 80) \
         asService(args: [\"httpd\", \"-f\", \"-p\", \"80\", \"-h\", \"/www\"]) withHostname(hostname: \"forge\")",
        from(IMAGE)
    ));
    let repo = format!("git(url: \"http://forge/r.git\", experimentalServiceHost: {service})");
    assert_eq!(
        session.leaf(&format!("{repo} head commit")),
        json!(commits[2])
    );
    let config = session.text(&format!(
        "{repo} head tree file(path: \".git/config\") contents"
    ));
    assert!(config.contains("http://forge/r.git"), "{config}");
    let read = format!("{repo} head tree file(path: \"sub/file\") contents");
    assert_eq!(session.text(&read), "three");
    let head = format!(
        "http(url: \"http://forge/r.git/HEAD\", experimentalServiceHost: {service}) contents"
    );
    assert_eq!(session.text(&head), "ref: refs/heads/main\n");
    session.end();
}

#[test]
fn a_directory_is_a_repository() {
    let nsci = Nsci::new();
    let (at, commits) = repository(&nsci);
    let directory = format!(
        "host directory(path: {})",
        quoted(&at.display().to_string())
    );
    assert_eq!(
        nsci.leaf(&format!("{directory} asGit head commit")),
        json!(commits[2])
    );
    assert_eq!(
        nsci.leaf(&format!(
            "{directory} asGit branch(name: \"feature/x\") tree file(path: \"sub/file\") contents"
        )),
        json!("two")
    );
    nsci.chain("directory asGit head commit")
        .failed(1, &["no git repository", ".git"]);
}

#[test]
fn what_is_not_there_is_named() {
    let nsci = Nsci::new();
    let (at, _) = repository(&nsci);
    let (_daemon, url) = daemon(at.parent().unwrap());
    let repo = format!("git(url: {})", quoted(&url));
    for (chain, texts) in [
        (
            "branch(name: \"feature/y\") commit",
            [
                "no branch, tag or commit `feature/y`",
                "did you mean `feature/x`",
            ],
        ),
        (
            "commit(id: \"abc\") sha",
            ["`abc` is no commit", "40 digits"],
        ),
        (
            "ref(name: \"--upload-pack=x\") commit",
            ["--upload-pack=x", "is no name"],
        ),
        ("branches(patterns: [\"[\"])", ["`[` is no pattern", ""]),
    ] {
        nsci.chain(&format!("{repo} {chain}")).failed(1, &texts);
    }
    nsci.chain("git(url: \"--upload-pack=x\") head commit")
        .failed(1, &["no address"]);
    let closed = format!(
        "git(url: \"http://127.0.0.1:{}/r\") head commit",
        free_port()
    );
    nsci.chain(&closed)
        .failed(1, &["git ls-remote failed", "hint:"]);
}

/// `git http-backend` behind a password.
fn http_server(base: PathBuf, authorization: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/repo", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            serve_git(stream, &base, authorization);
        }
    });
    url
}

fn serve_git(mut stream: TcpStream, base: &Path, authorization: &str) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let header = |name: &str| {
        head.lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value)
            .to_owned()
    };
    if header("authorization") != authorization {
        let refused = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        drop(stream.write_all(refused.as_bytes()));
        return;
    }
    let mut request = head.split_whitespace();
    let (method, target) = (
        request.next().unwrap_or_default(),
        request.next().unwrap_or_default(),
    );
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
    stream.read_exact(&mut body).unwrap();
    let mut backend = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", base)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("REQUEST_METHOD", method)
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    backend.stdin.take().unwrap().write_all(&body).unwrap();
    let answer = backend.wait_with_output().unwrap().stdout;
    drop(stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n"));
    drop(stream.write_all(&answer));
}

#[test]
fn a_token_opens_a_private_repository_and_is_seen_nowhere() {
    let nsci = Nsci::new();
    let (at, commits) = repository(&nsci);
    // x-access-token:s3cr3t-t0ken
    let basic = "Basic eC1hY2Nlc3MtdG9rZW46czNjcjN0LXQwa2Vu";
    let url = http_server(at.parent().unwrap().to_owned(), basic);
    nsci.chain(&format!("git(url: {}) head commit", quoted(&url)))
        .failed(1, &["git ls-remote failed", "credentials"]);
    let session = nsci.session();
    let token = session.id("setSecret(name: \"t\", plaintext: \"s3cr3t-t0ken\")");
    let header = session.id(&format!("setSecret(name: \"h\", plaintext: \"{basic}\")"));
    for login in [
        format!("httpAuthToken: {token}"),
        format!("httpAuthHeader: {header}"),
    ] {
        let repo = format!("git(url: {}, {login})", quoted(&url));
        assert_eq!(
            session.leaf(&format!("{repo} head commit")),
            json!(commits[2])
        );
        let read = format!("{repo} head tree file(path: \"sub/file\") contents");
        assert_eq!(session.text(&read), "three");
        let config = format!("{repo} head tree file(path: \".git/config\") contents");
        let config = session.text(&config);
        assert!(
            !config.contains("s3cr3t") && !config.contains("eC1hY2"),
            "{config}"
        );
    }
}

#[test]
fn an_agent_opens_a_repository_over_ssh() {
    let nsci = Nsci::new();
    let (at, commits) = repository(&nsci);
    let dir = nsci.home().join("ssh");
    fs::create_dir_all(&dir).unwrap();
    let path = |name: &str| dir.join(name).display().to_string();
    for key in ["host", "user"] {
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-f", &path(key)]);
        assert!(keygen.status().unwrap().success());
    }
    fs::copy(path("user.pub"), path("authorized_keys")).unwrap();
    let port = free_port();
    let config = format!(
        "ListenAddress 127.0.0.1\nPort {port}\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\n\
         PidFile none\nPasswordAuthentication no\nPermitRootLogin yes\n",
        path("host"),
        path("authorized_keys")
    );
    fs::write(path("sshd_config"), config).unwrap();
    if is_root() {
        fs::create_dir_all("/run/sshd").unwrap();
    }
    let server = Command::new("/usr/sbin/sshd")
        .args(["-D", "-e", "-f", &path("sshd_config")])
        .stderr(fs::File::create(path("log")).unwrap())
        .spawn()
        .expect("openssh-server is installed");
    let _server = Running(server);
    wait_until("sshd", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    let agent = Command::new("ssh-agent")
        .args(["-D", "-a", &path("agent")])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let _agent = Running(agent);
    wait_until("the agent", || dir.join("agent").exists());
    let mut add = Command::new("ssh-add");
    add.args(["-q", &path("user")])
        .env("SSH_AUTH_SOCK", dir.join("agent"))
        .stderr(Stdio::null());
    assert!(add.status().unwrap().success());
    let user = String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
    let url = format!("ssh://{}@127.0.0.1:{port}{}", user.trim(), at.display());
    let host_key = fs::read_to_string(path("host.pub")).unwrap();
    let known = format!("[127.0.0.1]:{port} {host_key}");
    let session = nsci.session();
    let socket = session.id(&format!(
        "host unixSocket(path: {})",
        quoted(&path("agent"))
    ));
    let repo = |known: &str| {
        format!(
            "git(url: {}, sshAuthSocket: {socket}, sshKnownHosts: {})",
            quoted(&url),
            quoted(known)
        )
    };
    let log = || fs::read_to_string(path("log")).unwrap();
    assert_eq!(
        session.leaf(&format!("{} head commit", repo(&known))),
        json!(commits[2]),
        "{}",
        log()
    );
    let read = format!(
        "{} branch(name: \"feature/x\") tree file(path: \"sub/file\") contents",
        repo(&known)
    );
    assert_eq!(session.text(&read), "two");
    let stranger = format!(
        "[127.0.0.1]:{port} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3lCD0Oa2jHlUPo0p3yqFWpQ8H3aZJ0F6qZ0gE1mB0u\n"
    );
    let refused = session.answer(&format!("{{{}{{head{{commit}}}}}}", repo(&stranger)));
    assert!(
        refused["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("Host key verification failed"),
        "{refused}"
    );
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap().stdout;
    id.trim_ascii() == b"0"
}
