//! Searching the lines of files.

use super::{
    api::Api,
    gql::{Args, FieldBuilder, FieldError, FromObject, Registry},
    object::{DirectoryRef, FileRef, Object, SearchHit, Submatch},
    shared::Made,
};
use crate::{
    graph::Op,
    ops::{Hit, Query},
};

pub(super) fn declare(registry: &mut Registry<Api>) {
    registry
        .object::<DirectoryRef>("Directory")
        .field("search", "[SearchResult!]!", |f| {
            flags(f.doc("The lines of files that match a pattern, in the order of their paths."))
                .resolve_async(|ctx, this, args| async move {
                    let engine = ctx.backend().engine();
                    let mut from = this;
                    if args.flag("skipIgnored") {
                        let filter = Op::Filter {
                            include: Vec::new(),
                            exclude: Vec::new(),
                            gitignore: true,
                        };
                        from = from.then(filter, None);
                    }
                    let tree = engine.directory(&from.0).await?;
                    let hits = engine.world().search(&tree, query(&args)?).await?;
                    Ok(hits.into_iter().map(result).collect::<Vec<_>>())
                })
        });
    registry
        .object::<FileRef>("File")
        .field("search", "[SearchResult!]!", |f| {
            flags(f.doc("The lines of the file that match a pattern.")).resolve_async(
                |ctx, this, args| async move {
                    let engine = ctx.backend().engine();
                    let file = engine.file(&this.0).await?;
                    let hits = engine.world().search_file(&file, query(&args)?).await?;
                    Ok(hits.into_iter().map(result).collect::<Vec<_>>())
                },
            )
        });
    results(registry);
}

fn flags<T: FromObject<Object> + 'static>(field: FieldBuilder<Api, T>) -> FieldBuilder<Api, T> {
    field
        .arg(
            "paths: [String!] = []",
            "Files and directories to search; all by default.",
        )
        .arg(
            "globs: [String!] = []",
            "Patterns of the files to search; `!` in front leaves out.",
        )
        .arg("pattern: String!", "Regular expression.")
        .arg("literal: Boolean = false", "The pattern is a text.")
        .arg("multiline: Boolean = false", "A match may span lines.")
        .arg(
            "dotall: Boolean = false",
            "`.` matches ends of lines too, if a match may span lines.",
        )
        .arg("insensitive: Boolean = false", "Case does not count.")
        .arg(
            "skipIgnored: Boolean = false",
            "Leave out what `.gitignore` files name.",
        )
        .arg(
            "skipHidden: Boolean = false",
            "Leave out names that begin with a dot.",
        )
        .arg(
            "filesOnly: Boolean = false",
            "One result for each file, without lines.",
        )
        .arg("limit: Int", "Most results; 10,000 by default.")
}

fn query(args: &Args) -> Result<Query, FieldError> {
    Ok(Query {
        pattern: args.get("pattern")?,
        literal: args.flag("literal"),
        multiline: args.flag("multiline"),
        dotall: args.flag("dotall"),
        insensitive: args.flag("insensitive"),
        skip_hidden: args.flag("skipHidden"),
        files_only: args.flag("filesOnly"),
        limit: args.get("limit")?,
        paths: args.get_or_default("paths")?,
        globs: args.get_or_default("globs")?,
    })
}

fn result(hit: Hit) -> SearchHit {
    let part = |&(start, end): &(usize, usize)| Submatch {
        text: hit.text.get(start..end).unwrap_or_default().to_owned(),
        start,
        end,
    };
    SearchHit {
        submatches: hit.matches.iter().map(part).collect(),
        path: hit.path,
        line: hit.line,
        offset: hit.offset,
        text: hit.text,
    }
}

fn results(registry: &mut Registry<Api>) {
    let mut found = registry.object::<SearchHit>("SearchResult");
    found
        .doc("Lines that match.")
        .field("filePath", "String!", |f| {
            f.doc("Path of the file in the directory.")
                .resolve(|_, this, _| Ok(this.path.clone()))
        })
        .field("lineNumber", "Int!", |f| {
            f.doc("Number of the first line, from 1.")
                .resolve(|_, this, _| Ok(this.line))
        })
        .field("absoluteOffset", "Int!", |f| {
            f.doc("Bytes before the first line.")
                .resolve(|_, this, _| Ok(this.offset))
        })
        .field("matchedLines", "String!", |f| {
            f.doc("The lines.")
                .resolve(|_, this, _| Ok(this.text.clone()))
        })
        .field("submatches", "[SearchSubmatch!]!", |f| {
            f.doc("The matches in the lines.")
                .resolve(|_, this, _| Ok(this.submatches.clone()))
        });
    let mut part = registry.object::<Submatch>("SearchSubmatch");
    part.doc("A match in lines.")
        .field("text", "String!", |f| {
            f.doc("What matched.")
                .resolve(|_, this, _| Ok(this.text.clone()))
        })
        .field("start", "Int!", |f| {
            f.doc("Where it begins in the lines, in bytes.")
                .resolve(|_, this, _| Ok(this.start))
        })
        .field("end", "Int!", |f| {
            f.doc("Where it ends in the lines, in bytes.")
                .resolve(|_, this, _| Ok(this.end))
        });
}
