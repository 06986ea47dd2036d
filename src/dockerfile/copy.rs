//! `COPY` and `ADD`.

use super::{Problem, instruction::CopyLine, lower::Lowering, stage::Stage};
use crate::graph::{
    Copy, Edit, FileCopy, GitRepository, GitTree, HttpFile, Op, Ownership, SocketRef, Vertex,
};
use std::sync::Arc;

impl Lowering<'_> {
    pub(super) fn copy(
        &self,
        stage: &mut Stage,
        line: usize,
        copy: &CopyLine,
    ) -> Result<(), Problem> {
        let destination = stage.expand(&copy.destination, line)?;
        let owner = match &copy.chown {
            Some(owner) => Ownership::Named(stage.expand(owner, line)?),
            // What comes from elsewhere belongs to root, what is unpacked keeps its owners.
            None => Ownership::Unchanged,
        };
        let permissions = match &copy.chmod {
            Some(mode) => Some(permissions(&stage.expand(mode, line)?, line)?),
            None => None,
        };
        let several = copy.sources.len() + copy.documents.len() > 1;
        if several && !destination.ends_with('/') && !matches!(destination.as_str(), "." | "..") {
            return Err(Problem::at(
                line,
                "with more than one source, the destination must be a directory",
            )
            .hint(format!("end it with a slash: {destination}/")));
        }
        let to = |path: String| Copy {
            path,
            owner: owner.clone(),
            permissions,
            expand: false,
        };
        let mut paths = Vec::new();
        for source in &copy.sources {
            let source = stage.expand(source, line)?;
            if copy.add && is_remote(&source) {
                self.add_remote(stage, line, copy, &source, to(destination.clone()))?;
            } else {
                paths.push(source);
            }
        }
        if !paths.is_empty() {
            let from = match &copy.from {
                Some(name) => self.rootfs_of(name, line)?,
                None => Arc::clone(&self.build.context),
            };
            let mut exclude = Vec::new();
            for pattern in &copy.exclude {
                exclude.push(stage.expand(pattern, line)?);
            }
            let copy = FileCopy {
                to: to(destination.clone()),
                sources: paths,
                exclude,
                parents: copy.parents,
                unpack: copy.unpack.unwrap_or(copy.add),
            };
            stage.push(Op::Edit(Edit::Copy(Box::new(copy))), [from]);
        }
        for document in &copy.documents {
            let contents = match document.expand {
                true => stage.expand_text(&document.text, line)?,
                false => document.text.clone(),
            };
            let into = destination.ends_with('/') || several;
            let path = match into {
                true => format!("{}/{}", destination.trim_end_matches('/'), document.name),
                false => destination.clone(),
            };
            let edit = Edit::NewFile {
                to: to(path),
                contents,
            };
            stage.push(Op::Edit(edit), []);
        }
        Ok(())
    }

    /// `ADD` of an address: the file itself, or what is in it if that was asked for.
    fn add_remote(
        &self,
        stage: &mut Stage,
        line: usize,
        copy: &CopyLine,
        source: &str,
        to: Copy,
    ) -> Result<(), Problem> {
        if is_repository(source) {
            add_repository(stage, copy, source, to, self.build.ssh.clone());
            return Ok(());
        }
        let checksum = match &copy.checksum {
            Some(checksum) => Some(stage.expand(checksum, line)?),
            None => None,
        };
        let file = Op::Http(HttpFile {
            url: source.to_owned(),
            permissions: Some(copy_mode(copy)),
            checksum,
            ..HttpFile::default()
        });
        let file = Vertex::new(file, vec![]);
        if copy.unpack != Some(true) {
            stage.push(Op::Edit(Edit::File(to)), [file]);
            return Ok(());
        }
        let holder = Vertex::new(Op::EmptyDirectory, vec![]);
        let into = Copy {
            path: "/".into(),
            ..Copy::default()
        };
        let holder = Vertex::new(Op::Edit(Edit::Files(into)), vec![holder, file]);
        let copy = FileCopy {
            to,
            sources: vec!["*".into()],
            unpack: true,
            ..FileCopy::default()
        };
        stage.push(Op::Edit(Edit::Copy(Box::new(copy))), [holder]);
        Ok(())
    }

    /// The root file system of a stage, by name or number, or of an image.
    pub(super) fn rootfs_of(&self, name: &str, line: usize) -> Result<Arc<Vertex>, Problem> {
        let container = match self.stage_named(name) {
            Some(at) => match self.done.get(at).and_then(Option::as_ref) {
                Some(stage) => Arc::clone(&stage.vertex),
                None => {
                    return Err(Problem::at(line, format!("stage `{name}` comes later"))
                        .hint("a stage can use those above it"));
                }
            },
            None => self.image(name, &self.build.platform),
        };
        let rootfs = Op::Select(crate::graph::Select::Rootfs);
        Ok(Vertex::new(rootfs, vec![container]))
    }
}

/// Permission bits of a fetched file.
fn copy_mode(copy: &CopyLine) -> u32 {
    let given = copy
        .chmod
        .as_deref()
        .and_then(|mode| u32::from_str_radix(mode, 8).ok());
    given.unwrap_or(0o600)
}

/// `ADD` of a repository: the files of `ADDRESS[#NAME[:DIRECTORY]]`, of its default branch if no name is given.
fn add_repository(
    stage: &mut Stage,
    copy: &CopyLine,
    source: &str,
    to: Copy,
    ssh: Option<SocketRef>,
) {
    let (url, fragment) = source.split_once('#').unwrap_or((source, ""));
    let (name, directory) = fragment.split_once(':').unwrap_or((fragment, ""));
    let ask = GitTree {
        repository: GitRepository {
            url: url.to_owned(),
            ssh_socket: ssh,
            ..GitRepository::default()
        },
        name: if name.is_empty() { "HEAD" } else { name }.to_owned(),
        discard_git_dir: !copy.keep_git_dir,
        depth: 1,
        tags: false,
    };
    let tree = Vertex::new(Op::GitTree(ask), vec![]);
    let copy = FileCopy {
        to,
        sources: vec![if directory.is_empty() { "." } else { directory }.to_owned()],
        exclude: copy.exclude.clone(),
        ..FileCopy::default()
    };
    stage.push(Op::Edit(Edit::Copy(Box::new(copy))), [tree]);
}

fn is_repository(source: &str) -> bool {
    let path = source.split(['?', '#']).next().unwrap_or_default();
    !source.starts_with("http") || path.ends_with(".git")
}

fn is_remote(source: &str) -> bool {
    ["http://", "https://", "git://", "git@", "ssh://"]
        .iter()
        .any(|scheme| source.starts_with(scheme))
}

fn permissions(text: &str, line: usize) -> Result<u32, Problem> {
    u32::from_str_radix(text, 8)
        .ok()
        .filter(|mode| *mode <= 0o7777)
        .ok_or_else(|| {
            Problem::at(line, format!("--chmod={text} is no mode"))
                .hint("write it in octal, such as --chmod=755")
        })
}
