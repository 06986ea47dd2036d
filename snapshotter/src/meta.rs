//! The index: what the other files say about themselves, so that listing them need not read them all.
//!
//! It is a memory aid and never the truth. A row counts only while its stamp matches the file's, a missing row costs one
//! read, a broken database is put aside and made anew, and when it cannot be written (a full disk) everything works without.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, params};

use crate::error::{Error, Result};
use crate::gc::Kind;

/// What the index remembers of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// Changes when the file does: see [`crate::gc`] for what it is made of.
    pub(crate) stamp: i64,
    pub(crate) size: u64,
    /// Seconds since 1970.
    pub(crate) created: i64,
    pub(crate) cost_ms: u64,
    pub(crate) description: String,
    /// JSON of [`crate::record::Refs`], empty if there are none.
    pub(crate) refs: String,
}

/// Rows by kind and id.
pub(crate) type Rows = HashMap<(Kind, String), Row>;

/// The database, opened when first asked.
#[derive(Debug)]
pub(crate) struct Index {
    path: PathBuf,
    connection: Mutex<Option<Connection>>,
}

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS entry (
        kind TEXT NOT NULL, id TEXT NOT NULL, stamp INTEGER NOT NULL, size INTEGER NOT NULL,
        created INTEGER NOT NULL, cost_ms INTEGER NOT NULL, description TEXT NOT NULL, refs TEXT NOT NULL,
        PRIMARY KEY (kind, id)
    ) WITHOUT ROWID, STRICT;
    CREATE TABLE IF NOT EXISTS note (
        kind TEXT NOT NULL, id TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (kind, id)
    ) WITHOUT ROWID, STRICT;";

impl Index {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            connection: Mutex::new(None),
        }
    }

    /// All rows.
    pub(crate) fn load(&self) -> Result<Rows> {
        self.with(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT kind, id, stamp, size, created, cost_ms, description, refs FROM entry",
            )?;
            let mut found = Rows::new();
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                let Some(kind) = Kind::from_name(row.get_ref(0)?.as_str()?) else {
                    continue;
                };
                let value = Row {
                    stamp: row.get(2)?,
                    size: row.get::<_, i64>(3)?.cast_unsigned(),
                    created: row.get(4)?,
                    cost_ms: row.get::<_, i64>(5)?.cast_unsigned(),
                    description: row.get(6)?,
                    refs: row.get(7)?,
                };
                found.insert((kind, row.get(1)?), value);
            }
            Ok(found)
        })
    }

    /// Writes rows that are new or changed and removes those of objects that are gone.
    pub(crate) fn update(&self, changed: &Rows, gone: &[(Kind, String)]) -> Result<()> {
        if changed.is_empty() && gone.is_empty() {
            return Ok(());
        }
        self.with(|connection| {
            let transaction = connection.transaction()?;
            {
                let mut insert = transaction.prepare_cached(
                    "INSERT OR REPLACE INTO entry VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?;
                for ((kind, id), row) in changed {
                    insert.execute(params![
                        kind.name(),
                        id,
                        row.stamp,
                        row.size.cast_signed(),
                        row.created,
                        row.cost_ms.cast_signed(),
                        row.description,
                        row.refs
                    ])?;
                }
                for table in ["entry", "note"] {
                    let mut delete = transaction.prepare_cached(&format!(
                        "DELETE FROM {table} WHERE kind = ?1 AND id = ?2"
                    ))?;
                    for (kind, id) in gone {
                        delete.execute(params![kind.name(), id])?;
                    }
                }
            }
            transaction.commit()
        })
    }

    /// Remembers a text to show with an object whose own file has no room for one.
    pub(crate) fn note(&self, kind: Kind, id: &str, text: &str) -> Result<()> {
        self.with(|connection| {
            connection
                .prepare_cached("INSERT OR REPLACE INTO note VALUES (?1, ?2, ?3)")?
                .execute(params![kind.name(), id, text])
                .map(drop)
        })
    }

    /// All texts given to [`note`](Self::note).
    pub(crate) fn notes(&self) -> Result<HashMap<(Kind, String), String>> {
        self.with(|connection| {
            let mut select = connection.prepare_cached("SELECT kind, id, text FROM note")?;
            let mut found = HashMap::new();
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                if let Some(kind) = Kind::from_name(row.get_ref(0)?.as_str()?) {
                    found.insert((kind, row.get(1)?), row.get(2)?);
                }
            }
            Ok(found)
        })
    }

    /// Runs `work`, a second time on a new database if the first one turns out to be broken.
    fn with<T>(&self, mut work: impl FnMut(&mut Connection) -> rusqlite::Result<T>) -> Result<T> {
        let mut slot = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let first = match slot.as_mut() {
            Some(connection) => work(connection),
            None => open(&self.path).and_then(|connection| work(slot.insert(connection))),
        };
        let result = match first {
            Err(error) if is_corrupt(&error) => {
                *slot = None;
                put_aside(&self.path);
                open(&self.path).and_then(|connection| work(slot.insert(connection)))
            }
            other => other,
        };
        result.map_err(|source| Error::Index {
            path: self.path.clone(),
            source,
        })
    }
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(2))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // Losing the last rows to a power cut costs reading those files again.
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.execute_batch(SCHEMA)?;
    Ok(connection)
}

fn is_corrupt(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => {
            matches!(
                failure.code,
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase
            )
        }
        // Our statements are well-formed, so the tables must be somebody else's.
        rusqlite::Error::SqlInputError { .. } => true,
        rusqlite::Error::InvalidColumnType(..) | rusqlite::Error::FromSqlConversionFailure(..) => {
            true
        }
        _ => false,
    }
}

/// Moves a broken database out of the way, replacing an earlier one.
fn put_aside(path: &Path) {
    let with = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    // What fails here fails again, with an error, when the new database is opened.
    std::fs::rename(path, with(".corrupt")).ok();
    std::fs::remove_file(with("-wal")).ok();
    std::fs::remove_file(with("-shm")).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(size: u64) -> Row {
        Row {
            stamp: 7,
            size,
            created: 1,
            cost_ms: 2,
            description: "pull alpine".to_owned(),
            refs: String::new(),
        }
    }

    #[test]
    fn rows_come_back_until_removed() {
        let directory = tempfile::tempdir().unwrap();
        let index = Index::new(directory.path().join("meta.db"));
        let rows = Rows::from([
            ((Kind::Blob, "a".to_owned()), row(5)),
            ((Kind::Layer, "b".to_owned()), row(6)),
        ]);
        index.update(&rows, &[]).unwrap();
        assert_eq!(index.load().unwrap(), rows);
        index
            .update(&Rows::new(), &[(Kind::Blob, "a".to_owned())])
            .unwrap();
        assert_eq!(index.load().unwrap().len(), 1);
    }

    #[test]
    fn broken_database_is_put_aside_and_made_anew() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("meta.db");
        for garbage in [
            &b"not a database, and longer than a header of one hundred bytes".repeat(40)[..],
            b"x",
        ] {
            std::fs::write(&path, garbage).unwrap();
            let index = Index::new(path.clone());
            assert!(index.load().unwrap().is_empty());
            index
                .update(&Rows::from([((Kind::Blob, "a".to_owned()), row(5))]), &[])
                .unwrap();
            assert_eq!(index.load().unwrap().len(), 1);
        }
        assert!(directory.path().join("meta.db.corrupt").exists());
    }

    #[test]
    fn database_with_other_tables_is_put_aside() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("meta.db");
        Connection::open(&path)
            .unwrap()
            .execute_batch("CREATE TABLE entry (other TEXT)")
            .unwrap();
        assert!(Index::new(path).load().unwrap().is_empty());
    }
}
