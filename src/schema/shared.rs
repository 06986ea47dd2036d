//! What fields of several types have in common: sets of arguments, how they are read, and chains.
//!
//! Containers, directories and files are all [`Made`] by a vertex; a field that changes one adds a
//! vertex on top. [`CommonArgs`] declares the arguments that repeat, once.

use super::{
    Ctx,
    api::Api,
    gql::{Args, FieldBuilder, FieldError, FromObject, Registry, Resolved},
    object::{
        ContainerRef, DirectoryRef, FileRef, GitCommitRef, GitRefRef, GitRepositoryRef, Object,
        ServiceRef,
    },
    query::required,
};
use crate::graph::{Copy, Op, Ownership, Vertex};
use std::sync::Arc;

/// Describes one field of the type `T`.
pub(super) type Field<T> = FieldBuilder<Api, T>;

/// An object that a vertex makes.
pub(super) trait Made:
    Clone + Send + FromObject<Object> + Into<Resolved<Object>> + 'static
{
    /// Name of the GraphQL type.
    const NAME: &'static str;
    /// Whether it has variables and a user, so that paths expand and owners are inherited.
    const CONFIGURED: bool = false;

    /// The object that a vertex makes.
    fn made(vertex: Arc<Vertex>) -> Self;

    /// The vertex that makes it.
    fn vertex(&self) -> &Arc<Vertex>;

    /// The next of a chain: an operation on this object and others.
    fn then(&self, op: Op, more: impl IntoIterator<Item = Arc<Vertex>>) -> Self {
        let inputs = std::iter::once(Arc::clone(self.vertex())).chain(more);
        Self::made(Vertex::new(op, inputs.collect()))
    }

    /// Something of another type that an operation makes of this object.
    fn part<T: Made>(&self, op: Op) -> T {
        T::made(Vertex::new(op, vec![Arc::clone(self.vertex())]))
    }

    /// `Name!`, as a field's type.
    fn promised() -> String {
        format!("{}!", Self::NAME)
    }
}

macro_rules! made {
    ($ty:ident, $name:literal $(, $constant:ident = $value:expr)?) => {
        impl Made for $ty {
            const NAME: &'static str = $name;
            $(const $constant: bool = $value;)?

            fn made(vertex: Arc<Vertex>) -> Self {
                Self(vertex)
            }

            fn vertex(&self) -> &Arc<Vertex> {
                &self.0
            }
        }
    };
}
made!(ContainerRef, "Container", CONFIGURED = true);
made!(DirectoryRef, "Directory");
made!(FileRef, "File");
made!(ServiceRef, "Service");
made!(GitRepositoryRef, "GitRepository");
made!(GitRefRef, "GitRef");
made!(GitCommitRef, "GitCommit");

/// Arguments that many fields take.
pub(super) trait CommonArgs: Sized {
    /// Where something is or goes.
    fn path(self, doc: &'static str) -> Self;
    /// Whether variables in other arguments are replaced.
    fn expand(self) -> Self;
    /// Who owns what is written.
    fn owner(self) -> Self;
    /// `permissions`, by default those of the source.
    fn permissions(self, doc: &'static str) -> Self;
    /// Patterns that say what a directory is reduced to.
    fn patterns(self) -> Self;
    /// A name and a value.
    fn name_and_value(self) -> Self;
    /// Privileges of a command.
    fn privileges(self) -> Self;
    /// Whether the last link of a path is followed.
    fn follow(self) -> Self;
    /// Whether what was read before in this session is read again.
    fn no_cache(self) -> Self;
}

impl<T: FromObject<Object> + 'static> CommonArgs for Field<T> {
    fn path(self, doc: &'static str) -> Self {
        self.arg("path: String!", doc)
    }

    fn expand(self) -> Self {
        self.arg(
            "expand: Boolean = false",
            "Replace `$VAR` and `${VAR}` by the container's variables.",
        )
    }

    fn owner(self) -> Self {
        self.arg(
            "owner: String = \"\"",
            "Owner as `user[:group]`, by name or number; names are looked up in the target's own \
             /etc/passwd and /etc/group.",
        )
    }

    fn permissions(self, doc: &'static str) -> Self {
        self.arg("permissions: Int", doc)
    }

    fn patterns(self) -> Self {
        self.arg("exclude: [String!] = []", "Patterns of what to leave out.")
            .arg(
                "include: [String!] = []",
                "Patterns of what to take; everything by default.",
            )
            .arg(
                "gitignore: Boolean = false",
                "Leave out what `.gitignore` files name.",
            )
    }

    fn name_and_value(self) -> Self {
        self.arg("name: String!", "Name.")
            .arg("value: String!", "Value.")
    }

    fn privileges(self) -> Self {
        self.arg(
            "experimentalPrivilegedNesting: Boolean = false",
            "Let the command call this API.",
        )
        .arg(
            "insecureRootCapabilities: Boolean = false",
            "All capabilities, inside nsci's user namespace.",
        )
    }

    fn follow(self) -> Self {
        self.arg(
            "doNotFollowSymlinks: Boolean = false",
            "Look at a link itself.",
        )
    }

    fn no_cache(self) -> Self {
        self.arg(
            "noCache: Boolean = false",
            "Read it again even if it was read in this session.",
        )
    }
}

/// Arguments of whatever writes to an object: who owns it, and `expand` where there are variables.
pub(super) trait WriteArgs {
    /// `owner`, and for containers `inheritOwner` and `expand`.
    #[must_use]
    fn written(self) -> Self;
    /// `expand`, for containers.
    #[must_use]
    fn expanded(self) -> Self;
}

impl<T: Made> WriteArgs for Field<T> {
    fn written(self) -> Self {
        let field = self.owner();
        if T::CONFIGURED {
            field
                .arg(
                    "inheritOwner: Boolean = false",
                    "Give it to the container's user.",
                )
                .expand()
        } else {
            field
        }
    }

    fn expanded(self) -> Self {
        if T::CONFIGURED { self.expand() } else { self }
    }
}

/// Who owns what a field writes, from the arguments of [`WriteArgs::written`].
pub(super) fn ownership(args: &Args) -> Ownership {
    match args.str("owner") {
        Some(owner) if !owner.is_empty() => Ownership::Named(owner.to_owned()),
        _ if args.flag("inheritOwner") => Ownership::ContainerUser,
        _ => Ownership::Unchanged,
    }
}

/// Where to and how a field writes.
pub(super) fn copy(args: &Args) -> Result<Copy, FieldError> {
    Ok(Copy {
        path: args.get("path")?,
        owner: ownership(args),
        permissions: args.get("permissions")?,
        expand: args.flag("expand"),
    })
}

/// The directory in `source`, or in `directory` as older clients write it.
pub(super) fn source_directory(ctx: &Ctx, args: &Args) -> Result<DirectoryRef, FieldError> {
    let source: Option<DirectoryRef> = ctx.optional_object(args, "source")?;
    let older: Option<DirectoryRef> = ctx.optional_object(args, "directory")?;
    required(source.or(older), "source")
}

/// The part of a directory that [`CommonArgs::patterns`] let through.
pub(super) fn filtered(source: DirectoryRef, args: &Args) -> Result<DirectoryRef, FieldError> {
    let include: Vec<String> = args.get_or_default("include")?;
    let exclude: Vec<String> = args.get_or_default("exclude")?;
    let gitignore = args.flag("gitignore");
    if include.is_empty() && exclude.is_empty() && !gitignore {
        return Ok(source);
    }
    let filter = Op::Filter {
        include,
        exclude,
        gitignore,
    };
    Ok(source.then(filter, None))
}

/// Declares `pipeline`, which older clients call and which does nothing.
pub(super) fn pipeline<T>(registry: &mut Registry<Api>, name: &'static str)
where
    T: Clone + FromObject<Object> + Into<Resolved<Object>> + 'static,
{
    registry
        .object::<T>(name)
        .field("pipeline", &format!("{name}!"), |f| {
            f.doc("Does nothing (older clients).")
                .arg("name: String!", "Ignored.")
                .arg("description: String", "Ignored.")
                .arg("labels: [PipelineLabel!]", "Ignored.")
                .deprecated("Spans show what belongs together.")
                .resolve(|_, this: &T, _| Ok(this.clone()))
        });
}
