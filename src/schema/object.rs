//! The objects of the API as values.

use super::{modules::ModuleOrigin, typedef::Definition};
use crate::{
    engine::EnvFile,
    graph::{
        Annotation, CacheSharing, EnvVar, Graph, Healthcheck, Port, SecretRef, SocketRef, Vertex,
        VolumeRef,
    },
    module::{
        Arg, EnumMember, EnumType, Field, Function, InterfaceType, ModuleConfig, ModuleTypes,
        ObjectType, SourceLocation, marked::MarkedFunction,
    },
    objects,
};
use nsci_snapshotter::LayerId;
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, sync::Arc};

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

/// A repository, by the vertex of its head's files.
#[derive(Clone, Debug)]
pub struct GitRepositoryRef(pub Arc<Vertex>);

/// A name of a repository, by the vertex of its files.
#[derive(Clone, Debug)]
pub struct GitRefRef(pub Arc<Vertex>);

/// A commit of a repository, by the vertex of its files.
#[derive(Clone, Debug)]
pub struct GitCommitRef(pub Arc<Vertex>);

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

/// A type definition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TypeDefValue {
    /// Whether null is a value of it.
    pub optional: bool,
    /// What it defines.
    pub definition: Definition,
}

/// An object's definition.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ObjectDef(pub ObjectType);

/// An interface's definition.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InterfaceDef(pub InterfaceType);

/// An enum's definition.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EnumDef(pub EnumType);

/// A member's definition.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MemberDef(pub EnumMember);

/// A list's definition, by its elements'.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListDef(pub TypeDefValue);

/// A scalar's definition: name and documentation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ScalarDef(pub String, pub String);

/// An input object's definition: name and fields.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InputDef(pub String, pub Vec<Field>);

/// A field's definition.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FieldDefinition(pub Field);

/// A function's definition.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FunctionDef(pub Function);

/// An argument's definition.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ArgDef(pub Arg);

/// A place in a module's source.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SourceMapValue(pub SourceLocation);

/// A module.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ModuleValue {
    /// One whose types are being registered.
    Building(Box<ModuleTypes>),
    /// One that is loaded.
    Loaded {
        /// What tells it from every other.
        identity: String,
        /// Its name.
        name: String,
    },
}

/// A marked function of a module that is loaded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MarkedRef {
    /// The module that was asked for it.
    pub module: ModuleValue,
    /// The module that has it: the same, or a toolchain.
    pub owner: ModuleValue,
    /// The function.
    pub function: MarkedFunction,
}

/// A check of a module.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckValue {
    /// The function that is run.
    pub of: MarkedRef,
    /// Whether that is a generator, which must have nothing to change.
    pub generator: bool,
    /// How it went, if it was run.
    pub outcome: Option<Outcome>,
}

/// How a check went.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// Why it failed, if it did.
    pub error: Option<ErrorValue>,
}

/// Checks of a module.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckGroupValue(pub Vec<CheckValue>);

/// A generator of a module.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GeneratorValue {
    /// The function that is run.
    pub of: MarkedRef,
    /// Id of the change that it made, if it was run.
    pub changes: Option<String>,
}

/// Generators of a module.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GeneratorGroupValue(pub Vec<GeneratorValue>);

/// A service of a module.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UpValue(pub MarkedRef);

/// Services of a module.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UpGroupValue(pub Vec<MarkedRef>);

/// The source of a module.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ModuleSourceValue {
    /// How it was named.
    pub reference: String,
    /// Directory of its configuration.
    pub directory: PathBuf,
    /// Directory that it may read from.
    pub context: PathBuf,
    /// Where it was fetched from.
    pub origin: Option<ModuleOrigin>,
    /// What the configuration says.
    pub config: Box<ModuleConfig>,
    /// Whether there is a configuration.
    pub exists: bool,
}

/// The SDK that a module names.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SdkConfigValue(pub String);

/// What an SDK generated.
#[derive(Clone, Debug)]
pub struct GeneratedCodeValue {
    /// The module's source with it.
    pub code: DirectoryRef,
    /// Paths that are generated.
    pub generated: Vec<String>,
    /// Paths that are not to be committed.
    pub ignored: Vec<String>,
}

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
        /// A repository.
        GitRepository(GitRepositoryRef),
        /// A name of a repository.
        GitRef(GitRefRef),
        /// A commit.
        GitCommit(GitCommitRef),
        /// A health check.
        HealthcheckConfig(Healthcheck),
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
        /// A type definition.
        TypeDef(TypeDefValue),
        /// An object's definition.
        ObjectTypeDef(ObjectDef),
        /// An interface's definition.
        InterfaceTypeDef(InterfaceDef),
        /// An enum's definition.
        EnumTypeDef(EnumDef),
        /// A member's definition.
        EnumValueTypeDef(MemberDef),
        /// A list's definition.
        ListTypeDef(ListDef),
        /// A scalar's definition.
        ScalarTypeDef(ScalarDef),
        /// An input object's definition.
        InputTypeDef(InputDef),
        /// A field's definition.
        FieldTypeDef(FieldDefinition),
        /// A function's definition.
        Function(FunctionDef),
        /// An argument's definition.
        FunctionArg(ArgDef),
        /// A place in a module's source.
        SourceMap(SourceMapValue),
        /// A module.
        Module(ModuleValue),
        /// A check of a module.
        Check(CheckValue),
        /// Checks of a module.
        CheckGroup(CheckGroupValue),
        /// A generator of a module.
        Generator(GeneratorValue),
        /// Generators of a module.
        GeneratorGroup(GeneratorGroupValue),
        /// A service of a module.
        Up(UpValue),
        /// Services of a module.
        UpGroup(UpGroupValue),
        /// The source of a module.
        ModuleSource(ModuleSourceValue),
        /// The SDK that a module names.
        SDKConfig(SdkConfigValue),
        /// What an SDK generated.
        GeneratedCode(GeneratedCodeValue),
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
    /// A repository.
    GitRepository(Graph),
    /// A name of a repository.
    GitRef(Graph),
    /// A commit.
    GitCommit(Graph),
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
    /// Something that only describes: type and JSON text.
    Description(String, String),
    /// What an SDK generated.
    GeneratedCode(Graph, Vec<String>, Vec<String>),
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
            | Self::Service(ServiceRef(vertex))
            | Self::GitRepository(GitRepositoryRef(vertex))
            | Self::GitRef(GitRefRef(vertex))
            | Self::GitCommit(GitCommitRef(vertex)) => Some(vertex),
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
            Self::GitRepository(GitRepositoryRef(vertex)) => {
                SavedObject::GitRepository(Graph::from_vertex(vertex))
            }
            Self::GitRef(GitRefRef(vertex)) => SavedObject::GitRef(Graph::from_vertex(vertex)),
            Self::GitCommit(GitCommitRef(vertex)) => {
                SavedObject::GitCommit(Graph::from_vertex(vertex))
            }
            Self::HealthcheckConfig(value) => self.described(value),
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
            Self::TypeDef(value) => self.described(value),
            Self::ObjectTypeDef(value) => self.described(value),
            Self::InterfaceTypeDef(value) => self.described(value),
            Self::EnumTypeDef(value) => self.described(value),
            Self::EnumValueTypeDef(value) => self.described(value),
            Self::ListTypeDef(value) => self.described(value),
            Self::ScalarTypeDef(value) => self.described(value),
            Self::InputTypeDef(value) => self.described(value),
            Self::FieldTypeDef(value) => self.described(value),
            Self::Function(value) => self.described(value),
            Self::FunctionArg(value) => self.described(value),
            Self::SourceMap(value) => self.described(value),
            Self::Module(value) => self.described(value),
            Self::Check(value) => self.described(value),
            Self::CheckGroup(value) => self.described(value),
            Self::Generator(value) => self.described(value),
            Self::GeneratorGroup(value) => self.described(value),
            Self::Up(value) => self.described(value),
            Self::UpGroup(value) => self.described(value),
            Self::ModuleSource(value) => self.described(value),
            Self::SDKConfig(value) => self.described(value),
            Self::GeneratedCode(value) => SavedObject::GeneratedCode(
                Graph::from_vertex(&value.code.0),
                value.generated.clone(),
                value.ignored.clone(),
            ),
            Self::Query(_) | Self::Host(_) | Self::FunctionCall(_) | Self::CurrentModule(_) => {
                return None;
            }
        })
    }
}

impl Object {
    fn described(&self, value: &impl Serialize) -> SavedObject {
        let text = serde_json::to_string(value).expect("descriptions are plain data");
        SavedObject::Description(self.type_name().to_owned(), text)
    }
}

/// A description again. Modules mean nothing in another session.
fn undescribed(name: &str, text: &str) -> Option<Object> {
    fn read<T: serde::de::DeserializeOwned + Into<Object>>(text: &str) -> Option<Object> {
        serde_json::from_str::<T>(text).ok().map(Into::into)
    }
    match name {
        "TypeDef" => read::<TypeDefValue>(text),
        "ObjectTypeDef" => read::<ObjectDef>(text),
        "InterfaceTypeDef" => read::<InterfaceDef>(text),
        "EnumTypeDef" => read::<EnumDef>(text),
        "EnumValueTypeDef" => read::<MemberDef>(text),
        "ListTypeDef" => read::<ListDef>(text),
        "ScalarTypeDef" => read::<ScalarDef>(text),
        "InputTypeDef" => read::<InputDef>(text),
        "FieldTypeDef" => read::<FieldDefinition>(text),
        "Function" => read::<FunctionDef>(text),
        "FunctionArg" => read::<ArgDef>(text),
        "SourceMap" => read::<SourceMapValue>(text),
        "HealthcheckConfig" => read::<Healthcheck>(text),
        _ => None,
    }
}

impl SavedObject {
    /// The layers that it stands on and that nothing makes again.
    pub fn captured(&self) -> Vec<LayerId> {
        let graphs = match self {
            Self::Container(graph)
            | Self::Directory(graph)
            | Self::File(graph)
            | Self::Service(graph)
            | Self::GitRepository(graph)
            | Self::GitRef(graph)
            | Self::GitCommit(graph)
            | Self::GeneratedCode(graph, ..) => vec![graph],
            Self::Changeset(before, after) => vec![before, after],
            Self::CacheVolume(volume) => volume.source.iter().collect(),
            _ => Vec::new(),
        };
        graphs
            .into_iter()
            .flat_map(Graph::captured)
            .cloned()
            .collect()
    }

    /// The object again; `None` if the data does not describe one.
    pub fn load(self) -> Option<Object> {
        Some(match self {
            Self::Container(graph) => Object::Container(ContainerRef(graph.to_vertex()?)),
            Self::Directory(graph) => Object::Directory(DirectoryRef(graph.to_vertex()?)),
            Self::File(graph) => Object::File(FileRef(graph.to_vertex()?)),
            Self::Service(graph) => Object::Service(ServiceRef(graph.to_vertex()?)),
            Self::GitRepository(graph) => {
                Object::GitRepository(GitRepositoryRef(graph.to_vertex()?))
            }
            Self::GitRef(graph) => Object::GitRef(GitRefRef(graph.to_vertex()?)),
            Self::GitCommit(graph) => Object::GitCommit(GitCommitRef(graph.to_vertex()?)),
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
            Self::Description(name, text) => undescribed(&name, &text)?,
            Self::GeneratedCode(graph, generated, ignored) => {
                Object::GeneratedCode(GeneratedCodeValue {
                    code: DirectoryRef(graph.to_vertex()?),
                    generated,
                    ignored,
                })
            }
        })
    }
}
