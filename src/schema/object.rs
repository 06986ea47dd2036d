//! The objects of the API as values.

use crate::{
    engine::EnvFile,
    graph::{
        Annotation, CacheSharing, EnvVar, Graph, Port, SecretRef, SocketRef, Vertex, VolumeRef,
    },
    objects,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The root.
#[derive(Clone, Copy, Debug)]
pub struct Root;

/// A container, by the vertex that makes it.
#[derive(Clone, Debug)]
pub struct ContainerRef(pub Arc<Vertex>);

/// A directory, by the vertex that makes it.
#[derive(Clone, Debug)]
pub struct DirectoryRef(pub Arc<Vertex>);

/// A file, by the vertex that makes it.
#[derive(Clone, Debug)]
pub struct FileRef(pub Arc<Vertex>);

/// A service, by the vertex that makes it.
#[derive(Clone, Debug)]
pub struct ServiceRef(pub Arc<Vertex>);

/// The client's host.
#[derive(Clone, Copy, Debug)]
pub struct HostRef;

/// A cache volume and how it is mounted when the mount does not say.
#[derive(Clone, Debug)]
pub struct CacheVolumeRef {
    /// The volume.
    pub volume: VolumeRef,
    /// Who may use it at the same time.
    pub sharing: CacheSharing,
    /// Owner of its root; empty leaves it as it is.
    pub owner: String,
    /// What seeds it when it is empty.
    pub source: Option<DirectoryRef>,
}

/// A text that names something.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AddressRef {
    /// The text.
    pub value: String,
}

/// A JSON value.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JsonValue(pub serde_json::Value);

/// Variables as `.env` files have them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EnvFileRef(pub EnvFile);

/// What is known of a file without opening it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FileStat {
    /// Its name.
    pub name: String,
    /// What it is, as the API calls it.
    pub kind: String,
    /// Permission bits.
    pub permissions: u32,
    /// Bytes.
    pub size: u64,
}

/// What changed between two directories.
#[derive(Clone, Debug)]
pub struct ChangesetRef {
    /// The older one.
    pub before: DirectoryRef,
    /// The newer one.
    pub after: DirectoryRef,
}

/// What became of a file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DiffStat {
    /// Where it is, or was.
    pub path: String,
    /// Where it was, if it was moved.
    pub old_path: Option<String>,
    /// What became of it, as the API calls it.
    pub kind: String,
    /// Lines that are new.
    pub added: usize,
    /// Lines that are gone.
    pub removed: usize,
}

/// Lines of a file that match a pattern.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SearchHit {
    /// The file.
    pub path: String,
    /// Number of the first line.
    pub line: u64,
    /// Bytes before the first line.
    pub offset: u64,
    /// The lines.
    pub text: String,
    /// The matches in them.
    pub submatches: Vec<Submatch>,
}

/// A match in lines.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Submatch {
    /// What matched.
    pub text: String,
    /// Where it begins, in bytes.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

/// A label, apart from other pairs of texts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Label(pub Annotation);

/// An error made by a program.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ErrorValue {
    /// What went wrong.
    pub message: String,
    /// What a program may read of it: names and JSON texts.
    pub values: Vec<NamedValue>,
}

/// A name and a JSON text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NamedValue {
    /// Name.
    pub name: String,
    /// JSON text.
    pub value: String,
}

/// An argument of the current function call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CallArg(pub NamedValue);

/// The function call that the client serves.
#[derive(Clone, Copy, Debug)]
pub struct CurrentCall;

/// The module that the client is.
#[derive(Clone, Copy, Debug)]
pub struct CurrentModule;

/// An object of a module: its type and its state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Instance {
    /// Name of the module in this session.
    pub module: String,
    /// Name of the type in the API.
    pub type_name: String,
    /// Name of the type in the module's source.
    pub original: String,
    /// Fields by their names in the source; objects are ids.
    pub state: serde_json::Value,
}

objects! {
    /// Any object of the API.
    #[derive(Clone, Debug)]
    pub enum Object {
        /// The root.
        Query(Root),
        /// A container.
        Container(ContainerRef),
        /// A directory.
        Directory(DirectoryRef),
        /// A file.
        File(FileRef),
        /// A service.
        Service(ServiceRef),
        /// The client's host.
        Host(HostRef),
        /// A secret.
        Secret(SecretRef),
        /// A socket.
        Socket(SocketRef),
        /// A cache volume.
        CacheVolume(CacheVolumeRef),
        /// A text that names something.
        Address(AddressRef),
        /// A JSON value.
        JSONValue(JsonValue),
        /// Variables of a file.
        EnvFile(EnvFileRef),
        /// What is known of a file.
        Stat(FileStat),
        /// What changed between two directories.
        Changeset(ChangesetRef),
        /// What became of a file.
        DiffStat(DiffStat),
        /// Lines that match.
        SearchResult(SearchHit),
        /// A match in lines.
        SearchSubmatch(Submatch),
        /// An environment variable.
        EnvVariable(EnvVar),
        /// A label.
        Label(Label),
        /// A port.
        Port(Port),
        /// An error.
        Error(ErrorValue),
        /// A value of an error.
        ErrorValue(NamedValue),
        /// The current call.
        FunctionCall(CurrentCall),
        /// An argument of the current call.
        FunctionCallArgValue(CallArg),
        /// The current module.
        CurrentModule(CurrentModule),
        /// An object of a module; its type's name is not this variant's.
        ModuleObject(Instance),
    }
}

/// An object as plain data, for use in another session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum SavedObject {
    /// A container.
    Container(Graph),
    /// A directory.
    Directory(Graph),
    /// A file.
    File(Graph),
    /// A service.
    Service(Graph),
    /// A secret; named ones mean nothing elsewhere.
    Secret(SecretRef),
    /// A socket.
    Socket(SocketRef),
    /// A cache volume.
    CacheVolume(SavedVolume),
    /// A text that names something.
    Address(AddressRef),
    /// A JSON value.
    JsonValue(JsonValue),
    /// Variables of a file.
    EnvFile(EnvFileRef),
    /// What is known of a file.
    Stat(FileStat),
    /// What changed between two directories.
    Changeset(Graph, Graph),
    /// What became of a file.
    DiffStat(DiffStat),
    /// Lines that match.
    SearchHit(SearchHit),
    /// A match in lines.
    Submatch(Submatch),
    /// An environment variable.
    EnvVariable(EnvVar),
    /// A label.
    Label(Label),
    /// A port.
    Port(Port),
    /// An error.
    Error(ErrorValue),
    /// A value of an error.
    ErrorValue(NamedValue),
    /// An argument of a call.
    CallArg(CallArg),
    /// An object of a module.
    Instance(Instance),
}

/// A cache volume as plain data.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SavedVolume {
    #[serde(flatten)]
    volume: VolumeRef,
    #[serde(default)]
    sharing: CacheSharing,
    #[serde(default)]
    owner: String,
    #[serde(default)]
    source: Option<Graph>,
}

impl From<&CacheVolumeRef> for SavedVolume {
    fn from(cache: &CacheVolumeRef) -> Self {
        let source = cache.source.as_ref();
        Self {
            volume: cache.volume.clone(),
            sharing: cache.sharing,
            owner: cache.owner.clone(),
            source: source.map(|source| Graph::from_vertex(&source.0)),
        }
    }
}

impl SavedVolume {
    fn load(self) -> Option<CacheVolumeRef> {
        let source = match self.source {
            Some(graph) => Some(DirectoryRef(graph.to_vertex()?)),
            None => None,
        };
        Some(CacheVolumeRef {
            volume: self.volume,
            sharing: self.sharing,
            owner: self.owner,
            source,
        })
    }
}

impl Object {
    /// The name of the object's GraphQL type.
    pub fn graphql_type(&self) -> &str {
        match self {
            Self::ModuleObject(instance) => &instance.type_name,
            other => other.type_name(),
        }
    }

    /// The vertex that makes the object, if one does.
    pub fn vertex(&self) -> Option<&Arc<Vertex>> {
        match self {
            Self::Container(ContainerRef(vertex))
            | Self::Directory(DirectoryRef(vertex))
            | Self::File(FileRef(vertex))
            | Self::Service(ServiceRef(vertex)) => Some(vertex),
            _ => None,
        }
    }

    /// The object as plain data; `None` for those that are the same everywhere.
    pub fn save(&self) -> Option<SavedObject> {
        Some(match self {
            Self::Container(ContainerRef(vertex)) => {
                SavedObject::Container(Graph::from_vertex(vertex))
            }
            Self::Directory(DirectoryRef(vertex)) => {
                SavedObject::Directory(Graph::from_vertex(vertex))
            }
            Self::File(FileRef(vertex)) => SavedObject::File(Graph::from_vertex(vertex)),
            Self::Service(ServiceRef(vertex)) => SavedObject::Service(Graph::from_vertex(vertex)),
            Self::Secret(secret) => SavedObject::Secret(secret.clone()),
            Self::Socket(socket) => SavedObject::Socket(socket.clone()),
            Self::CacheVolume(volume) => SavedObject::CacheVolume(volume.into()),
            Self::Address(address) => SavedObject::Address(address.clone()),
            Self::JSONValue(value) => SavedObject::JsonValue(value.clone()),
            Self::EnvFile(file) => SavedObject::EnvFile(file.clone()),
            Self::Stat(stat) => SavedObject::Stat(stat.clone()),
            Self::Changeset(changes) => SavedObject::Changeset(
                Graph::from_vertex(&changes.before.0),
                Graph::from_vertex(&changes.after.0),
            ),
            Self::DiffStat(stat) => SavedObject::DiffStat(stat.clone()),
            Self::SearchResult(hit) => SavedObject::SearchHit(hit.clone()),
            Self::SearchSubmatch(part) => SavedObject::Submatch(part.clone()),
            Self::EnvVariable(variable) => SavedObject::EnvVariable(variable.clone()),
            Self::Label(label) => SavedObject::Label(label.clone()),
            Self::Port(port) => SavedObject::Port(port.clone()),
            Self::Error(error) => SavedObject::Error(error.clone()),
            Self::ErrorValue(value) => SavedObject::ErrorValue(value.clone()),
            Self::FunctionCallArgValue(arg) => SavedObject::CallArg(arg.clone()),
            Self::ModuleObject(instance) => SavedObject::Instance(instance.clone()),
            Self::Query(_) | Self::Host(_) | Self::FunctionCall(_) | Self::CurrentModule(_) => {
                return None;
            }
        })
    }
}

impl SavedObject {
    /// The object again; `None` if the data does not describe one.
    pub fn load(self) -> Option<Object> {
        Some(match self {
            Self::Container(graph) => Object::Container(ContainerRef(graph.to_vertex()?)),
            Self::Directory(graph) => Object::Directory(DirectoryRef(graph.to_vertex()?)),
            Self::File(graph) => Object::File(FileRef(graph.to_vertex()?)),
            Self::Service(graph) => Object::Service(ServiceRef(graph.to_vertex()?)),
            Self::Secret(secret) => Object::Secret(secret),
            Self::Socket(socket) => Object::Socket(socket),
            Self::CacheVolume(volume) => Object::CacheVolume(volume.load()?),
            Self::Address(address) => Object::Address(address),
            Self::JsonValue(value) => Object::JSONValue(value),
            Self::EnvFile(file) => Object::EnvFile(file),
            Self::Stat(stat) => Object::Stat(stat),
            Self::Changeset(before, after) => Object::Changeset(ChangesetRef {
                before: DirectoryRef(before.to_vertex()?),
                after: DirectoryRef(after.to_vertex()?),
            }),
            Self::DiffStat(stat) => Object::DiffStat(stat),
            Self::SearchHit(hit) => Object::SearchResult(hit),
            Self::Submatch(part) => Object::SearchSubmatch(part),
            Self::EnvVariable(variable) => Object::EnvVariable(variable),
            Self::Label(label) => Object::Label(label),
            Self::Port(port) => Object::Port(port),
            Self::Error(error) => Object::Error(error),
            Self::ErrorValue(value) => Object::ErrorValue(value),
            Self::CallArg(arg) => Object::FunctionCallArgValue(arg),
            Self::Instance(instance) => Object::ModuleObject(instance),
        })
    }
}
