//! What objects have in common; they implement it by having the fields. `Node`, which all do, is added by the machinery.

use super::{api::Api, gql::Registry};

pub(super) fn declare(registry: &mut Registry<Api>) {
    registry
        .interface("Syncer")
        .doc("What can be made now rather than when a result is asked for.")
        .field("id", "ID!", |f| f.doc("Names the object."))
        .field("sync", "ID!", |f| {
            f.doc("Makes the object and gives its id.")
        });
    registry
        .interface("Exportable")
        .doc("What can be written to the client's host.")
        .field("id", "ID!", |f| f.doc("Names the object."))
        .field("export", "String!", |f| {
            f.doc("Writes the object to a path of the host and gives that path.")
                .arg(
                    "path: String!",
                    "Where to; relative to the client's working directory.",
                )
        });
}
