//! The rules of the API, one row each: a chain of fields, and what a user gets for it.
//!
//! Rows run through raw GraphQL against a session with real images. A table says all that does not hold, not only the
//! first.

mod caching;
mod changes;
mod data;
mod exec;
mod files;
mod marked;
mod modules;
mod services;
mod volumes;

use serde_json::Value;

use crate::support::{IMAGE, Nsci, Session, from, leaf, nest};

/// Rows that share a session.
struct Table {
    session: Session,
    wrong: Vec<String>,
    rows: usize,
    // After the session: it removes the store.
    nsci: Nsci,
}

impl Table {
    fn new() -> Self {
        let nsci = Nsci::new();
        let session = nsci.session();
        Self {
            session,
            wrong: Vec::new(),
            rows: 0,
            nsci,
        }
    }

    /// The id of what a chain leads to, as it is written in a document.
    #[track_caller]
    fn id(&self, chain: &str) -> String {
        self.session.id(&chain.replace("ALPINE", &alpine()))
    }

    /// What a chain gives, or the message of the error it ends in. `ALPINE` is the usual container.
    fn answer(&self, chain: &str) -> Result<Value, String> {
        let answer = self.session.answer(&nest(
            &chain.replace("ALPINE", &alpine()).replace(" {", "{"),
        ));
        match answer["errors"][0]["message"].as_str() {
            Some(message) => Err(message.to_owned()),
            None => Ok(leaf(&answer["data"]).clone()),
        }
    }

    /// A chain that gives this.
    fn is(&mut self, rule: &str, chain: &str, wanted: impl Into<Value>) -> &mut Self {
        let (wanted, got) = (wanted.into(), self.answer(chain));
        self.note(
            rule,
            chain,
            got.as_ref() == Ok(&wanted),
            &format!("wanted {wanted}, got {got:?}"),
        )
    }

    /// A chain that fails and says each of the texts.
    fn fails(&mut self, rule: &str, chain: &str, texts: &[&str]) -> &mut Self {
        let got = self.answer(chain);
        let good = matches!(&got, Err(message) if texts.iter().all(|text| message.contains(text)));
        self.note(
            rule,
            chain,
            good,
            &format!("wanted an error with {texts:?}, got {got:?}"),
        )
    }

    /// Two chains that give the same, or do not.
    fn same(&mut self, rule: &str, same: bool, one: &str, other: &str) -> &mut Self {
        let (a, b) = (self.answer(one), self.answer(other));
        let good = a.is_ok() && b.is_ok() && (a == b) == same;
        self.note(rule, one, good, &format!("{a:?} and {other} gave {b:?}"))
    }

    fn note(&mut self, rule: &str, chain: &str, good: bool, what: &str) -> &mut Self {
        self.rows += 1;
        if !good {
            self.wrong.push(format!("{rule}\n  {chain}\n  {what}"));
        }
        self
    }

    /// Fails the test if a row does not hold.
    #[track_caller]
    fn hold(&mut self) {
        let Self { wrong, rows, .. } = self;
        assert!(*rows > 0, "no row");
        assert!(
            wrong.is_empty(),
            "{} of {rows} rules do not hold:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    }
}

fn alpine() -> String {
    format!("container {}", from(IMAGE))
}
