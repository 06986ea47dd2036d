//! Names by which steps find services: those all of a session may use, and each step's own aliases.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

/// Zone of all sessions. It exists in no other name server.
pub const DOMAIN: &str = "dagger.local";

/// The names of one session.
#[derive(Debug)]
pub struct NameTable {
    zone: String,
    names: Mutex<Names>,
}

#[derive(Debug, Default)]
struct Names {
    /// Host names of instances that run.
    hosts: HashMap<String, Vec<IpAddr>>,
    /// Aliases, by the address of who uses them.
    aliases: HashMap<IpAddr, HashMap<String, Vec<IpAddr>>>,
}

impl NameTable {
    /// A session's table; `session` is one DNS label that no other session has.
    pub fn new(session: &str) -> Self {
        Self {
            zone: format!("{session}.{DOMAIN}"),
            names: Mutex::default(),
        }
    }

    /// The domain of the session's names, for search lists.
    pub fn zone(&self) -> &str {
        &self.zone
    }

    fn names(&self) -> std::sync::MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives an instance its name.
    pub fn set_host(&self, name: &str, addresses: &[IpAddr]) {
        self.names()
            .hosts
            .insert(name.to_ascii_lowercase(), addresses.to_vec());
    }

    /// Takes a name away, if it still leads to these addresses.
    pub fn remove_host(&self, name: &str, addresses: &[IpAddr]) {
        let name = name.to_ascii_lowercase();
        let mut names = self.names();
        if names
            .hosts
            .get(&name)
            .is_some_and(|known| known == addresses)
        {
            names.hosts.remove(&name);
        }
    }

    /// Says what a step calls its services.
    pub fn set_aliases(&self, step: IpAddr, aliases: &[(IpAddr, String)]) {
        let mut own: HashMap<String, Vec<IpAddr>> = HashMap::new();
        for (address, alias) in aliases {
            own.entry(alias.to_ascii_lowercase())
                .or_default()
                .push(*address);
        }
        self.names().aliases.insert(step, own);
    }

    /// Forgets a step.
    pub fn remove_aliases(&self, step: IpAddr) {
        self.names().aliases.remove(&step);
    }

    /// The addresses of a lower-case name as a step sees it.
    pub fn lookup(&self, step: IpAddr, name: &str) -> Option<Vec<IpAddr>> {
        let names = self.names();
        let short = name
            .strip_suffix(&self.zone)
            .and_then(|rest| rest.strip_suffix('.'));
        // `<module>.<session>` is searched first; the module's part adds nothing to the name.
        let label = short.map(|short| short.split('.').next().unwrap_or(short));
        let name = label.unwrap_or(name);
        let own = names.aliases.get(&step).and_then(|own| own.get(name));
        own.or_else(|| names.hosts.get(name)).cloned()
    }

    /// Whether a lower-case name can only be a session's.
    pub fn owns(&self, name: &str) -> bool {
        name == DOMAIN
            || name
                .strip_suffix(DOMAIN)
                .is_some_and(|rest| rest.ends_with('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn ip(last: u8) -> IpAddr {
        Ipv4Addr::new(10, 88, 0, last).into()
    }

    #[test]
    fn names_lead_where_they_should() {
        let table = NameTable::new("s1");
        table.set_host("Web", &[ip(3)]);
        table.set_aliases(ip(9), &[(ip(4), "db".into()), (ip(5), "Web".into())]);
        let rows = [
            (ip(9), "db", Some(ip(4))),
            (ip(9), "db.s1.dagger.local", Some(ip(4))),
            (ip(9), "db.mod.s1.dagger.local", Some(ip(4))),
            (ip(9), "db.s2.dagger.local", None),
            (ip(9), "web", Some(ip(5))),
            (ip(8), "web", Some(ip(3))),
            (ip(8), "web.s1.dagger.local", Some(ip(3))),
            (ip(8), "db", None),
            (ip(8), "s1.dagger.local", None),
        ];
        for (step, name, wanted) in rows {
            let found = table.lookup(step, name);
            assert_eq!(found, wanted.map(|ip| vec![ip]), "{name} for {step}");
        }
    }

    #[test]
    fn names_go_with_what_they_name() {
        let table = NameTable::new("s1");
        table.set_host("web", &[ip(3)]);
        table.set_host("web", &[ip(4)]);
        // The old instance's end must not take the new one's name.
        table.remove_host("web", &[ip(3)]);
        assert_eq!(table.lookup(ip(9), "web"), Some(vec![ip(4)]));
        table.remove_host("web", &[ip(4)]);
        assert_eq!(table.lookup(ip(9), "web"), None);
    }

    #[test]
    fn the_zone_belongs_to_sessions_alone() {
        let table = NameTable::new("s1");
        for (name, wanted) in [
            ("dagger.local", true),
            ("x.s2.dagger.local", true),
            ("undagger.local", false),
            ("example.org", false),
        ] {
            assert_eq!(table.owns(name), wanted, "{name}");
        }
    }
}
