//! Files and repositories that are elsewhere: `Query.http`.

use super::{
    api::Api,
    git::service_host,
    gql::{FieldError, Registry},
    object::{FileRef, Root},
    shared::Made,
};
use crate::graph::{HttpFile, Op, Vertex};

pub(super) fn declare(registry: &mut Registry<Api>) {
    registry.query::<Root>().field("http", "File!", |f| {
        f.doc("A file that is fetched over HTTP. It is fetched again when the server says that it changed.")
            .arg("url: String!", "Its address.")
            .arg("name: String", "Its name; by default the server's, or the last part of the address.")
            .arg("permissions: Int", "Permission bits; 384 (0600) by default.")
            .arg("checksum: String", "Digest that it must have, `sha256:` and 64 digits.")
            .arg("authHeader: SecretID", "Value of the `Authorization` header.")
            .arg("experimentalServiceHost: ServiceID", "The service that its host is.")
            .resolve_async(|ctx, _, args| async move {
                let checksum: Option<String> = args.get("checksum")?;
                if let Some(text) = checksum.as_deref().filter(|text| !is_sha256(text)) {
                    return Err(FieldError::new(format!(
                        "checksum `{text}` should be `sha256:` and 64 hexadecimal digits"
                    )));
                }
                let ask = HttpFile {
                    url: args.get("url")?,
                    name: args.get("name")?,
                    permissions: args.get("permissions")?,
                    checksum,
                    auth: ctx.optional_object(&args, "authHeader")?,
                    service: service_host(&ctx, &args).await?,
                };
                Ok(FileRef::made(Vertex::new(Op::Http(ask), vec![])))
            })
    });
}

fn is_sha256(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64
            && hex
                .bytes()
                .all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
    })
}
