//! What repositories name, for vertices that stand for one.

use super::Engine;
use crate::{
    error::{Error, Result},
    graph::{GitTree, Op, Tree, Vertex},
    source::git::NamedCommit,
};
use std::sync::Arc;

impl Engine {
    /// Everything that a repository names.
    ///
    /// # Errors
    /// If it cannot be reached.
    pub async fn git_refs(&self, vertex: &Arc<Vertex>) -> Result<Vec<NamedCommit>> {
        let (ask, source) = self.git_parts(vertex).await?;
        self.world()
            .git_refs(&ask.repository, source.as_ref())
            .await
    }

    /// What the name that a vertex stands for means now.
    ///
    /// # Errors
    /// If there is no such name.
    pub async fn git_commit(&self, vertex: &Arc<Vertex>) -> Result<NamedCommit> {
        let (ask, source) = self.git_parts(vertex).await?;
        self.world().git_commit(&ask, source.as_ref()).await
    }

    /// What a vertex asks of a repository, and the directory that the repository is.
    async fn git_parts(&self, vertex: &Arc<Vertex>) -> Result<(GitTree, Option<Tree>)> {
        let Op::GitTree(ask) = vertex.op() else {
            return Err(Error::internal(format!("{vertex:?} is no repository")));
        };
        let source = match vertex.inputs().first() {
            Some(directory) => Some(self.directory(directory).await?),
            None => None,
        };
        Ok((ask.clone(), source))
    }
}
