//! What repositories name, for vertices that stand for one.

use super::{Engine, release::Release};
use crate::{
    error::{Error, Result},
    graph::{GitTree, Op, Tree, Vertex},
    source::{
        git::NamedCommit,
        git_log::{CommitInfo, Range},
    },
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

    /// What the commit says that a vertex names.
    ///
    /// # Errors
    /// If there is no such commit.
    pub async fn git_commit_info(&self, vertex: &Arc<Vertex>) -> Result<CommitInfo> {
        let range = Range {
            from: self.git_commit(vertex).await?.commit,
            limit: Some(1),
            ..Range::default()
        };
        let (ask, source) = self.git_parts(vertex).await?;
        let world = self.world();
        let found = world.git_history(&ask.repository, source.as_ref(), &range);
        let first = found.await?.into_iter().next();
        first.ok_or_else(|| Error::internal(format!("git knows nothing of {}", range.from)))
    }

    /// Commits from what a vertex names on, newest first; `range` says which besides.
    ///
    /// # Errors
    /// If there is no such name.
    pub async fn git_log(
        &self,
        vertex: &Arc<Vertex>,
        base: Option<&Arc<Vertex>>,
        range: Range,
    ) -> Result<Vec<CommitInfo>> {
        let range = Range {
            from: self.git_commit(vertex).await?.commit,
            base: match base {
                Some(base) => Some(self.git_commit(base).await?.commit),
                None => None,
            },
            ..range
        };
        let (ask, source) = self.git_parts(vertex).await?;
        self.world()
            .git_history(&ask.repository, source.as_ref(), &range)
            .await
    }

    /// The newest release that tags of a repository name; those that come before one count if there is no other, or
    /// if `pre` is set. With `at`, only tags of that commit count.
    ///
    /// # Errors
    /// If the repository cannot be reached.
    pub async fn git_release(
        &self,
        vertex: &Arc<Vertex>,
        at: Option<&str>,
        pre: bool,
    ) -> Result<Option<NamedCommit>> {
        let refs = self.git_refs(vertex).await?;
        let tags = refs.into_iter().filter_map(|known| {
            let release = Release::of_tag(known.name.strip_prefix("refs/tags/")?)?;
            at.is_none_or(|at| known.commit == at)
                .then_some((release, known))
        });
        let tags: Vec<(Release, NamedCommit)> = tags.collect();
        let all_pre = at.is_none() && tags.iter().all(|(release, _)| release.is_pre());
        let wanted = tags
            .into_iter()
            .filter(|(release, _)| pre || all_pre || !release.is_pre());
        let newest = wanted.max_by(|(a, _), (b, _)| a.cmp(b));
        Ok(newest.map(|(_, tag)| tag))
    }

    /// The newest release of the nearest commit that has one, the commit itself first.
    ///
    /// # Errors
    /// If the repository cannot be reached.
    pub async fn git_release_below(
        &self,
        vertex: &Arc<Vertex>,
        pre: bool,
    ) -> Result<Option<NamedCommit>> {
        let history = self.git_log(vertex, None, Range::default()).await?;
        for commit in history {
            if let Some(tag) = self.git_release(vertex, Some(&commit.sha), pre).await? {
                return Ok(Some(tag));
            }
        }
        Ok(None)
    }

    /// The newest commit that what two vertices name is based on.
    ///
    /// # Errors
    /// If there is none.
    pub async fn git_merge_base(&self, one: &Arc<Vertex>, other: &Arc<Vertex>) -> Result<String> {
        let (ask, source) = self.git_parts(one).await?;
        let one = self.git_commit(one).await?.commit;
        let other = self.git_commit(other).await?.commit;
        self.world()
            .git_merge_base(&ask.repository, source.as_ref(), &one, &other)
            .await
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
