//! Real servers as services: PostgreSQL, Redis and nginx, in the stand-ins that docs/fixtures.md describes.

use crate::support::{IMAGE, Nsci, from, nest, quoted, sh, text};

const POSTGRES: &str = "postgres:16-alpine";

fn bind(alias: &str, id: &str) -> String {
    format!(
        "withServiceBinding(alias: {}, service: {id})",
        quoted(alias)
    )
}

/// PostgreSQL with a password and a database, as the tutorials set it up.
fn database() -> String {
    format!(
        "container {} withEnvVariable(name: \"POSTGRES_PASSWORD\", value: \"test\") \
         withEnvVariable(name: \"POSTGRES_DB\", value: \"testdb\") withExposedPort(port: 5432) asService",
        from(POSTGRES)
    )
}

#[test]
fn a_step_migrates_and_queries_postgresql() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let database = session.id(&database());
    let migrate = "CREATE TABLE people (id serial PRIMARY KEY, name text NOT NULL); \
                   INSERT INTO people (name) VALUES ('Ann'), ('Bob');";
    let script = format!(
        "set -e; psql -v ON_ERROR_STOP=1 -q -c '{}'; psql -At -c 'SELECT count(*), max(name) FROM people'",
        migrate.replace('\'', "'\\''")
    );
    let chain = format!(
        "container {} {} withEnvVariable(name: \"PGHOST\", value: \"db\") withEnvVariable(name: \"PGUSER\", value: \"postgres\") \
         withEnvVariable(name: \"PGPASSWORD\", value: \"test\") withEnvVariable(name: \"PGDATABASE\", value: \"testdb\") {} stdout",
        from(POSTGRES),
        bind("db", &database),
        sh(&script)
    );
    assert_eq!(session.text(&chain), "2|Bob\n");
    session.end();
}

/// The first seed's story: the database is looked for on localhost, and then bound.
#[test]
fn connection_refused_is_fixed_by_a_binding() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let test = |extra: &str, host: &str| {
        format!(
            "container {} {extra} withEnvVariable(name: \"PGPASSWORD\", value: \"test\") {} stdout",
            from(POSTGRES),
            sh(&format!(
                "psql -h {host} -U postgres -At -d testdb -c 'SELECT 42'"
            ))
        )
    };
    let answer = session.answer(&nest(&test("", "localhost")));
    let failed = text(&answer["errors"][0]["extensions"]["stderr"]);
    assert!(failed.contains("Connection refused"), "{failed}");
    let database = session.id(&database());
    let fixed = test(&bind("db", &database), "db");
    assert_eq!(session.text(&fixed), "42\n");
    session.end();
}

#[test]
fn a_database_that_is_set_up_wrong_says_why() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let id = session.id(&format!("container {} asService", from(POSTGRES)));
    let chain = format!(
        "container {} {} {} stdout",
        from(IMAGE),
        bind("db", &id),
        sh("true")
    );
    let answer = session.answer(&nest(&chain));
    let error = &answer["errors"][0];
    let said = text(&error["extensions"]["stderr"]);
    assert!(said.contains("POSTGRES_PASSWORD"), "{error}");
    let message = text(&error["message"]);
    assert!(message.contains("port 5432"), "{message}");
    session.end();
}

#[test]
fn redis_and_nginx_serve_a_step() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let redis = session.id(&format!("container {} asService", from("redis:7")));
    let chain = format!(
        "container {} {} {} stdout",
        from("redis:7"),
        bind("cache", &redis),
        sh("redis-cli -h cache SET key value; redis-cli -h cache GET key")
    );
    assert_eq!(session.text(&chain), "OK\nvalue\n");
    let page = "withNewFile(path: \"/usr/share/nginx/html/index.html\", contents: \"a page\")";
    let nginx = session.id(&format!(
        "container {} {page} asService",
        from("nginx:alpine")
    ));
    let chain = format!(
        "container {} {} {} stdout",
        from(IMAGE),
        bind("www", &nginx),
        sh("wget -q -O - http://www/")
    );
    assert_eq!(session.text(&chain), "a page");
    session.end();
}
