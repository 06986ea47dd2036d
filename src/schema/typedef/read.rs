//! How clients read definitions.

use super::Definition;
use crate::module::SourceLocation;
use crate::schema::{
    api::Api,
    gql::{Backend, FromObject, ObjectBuilder, Registry},
    object::{
        ArgDef, EnumDef, FieldDefinition, FunctionDef, InputDef, InterfaceDef, ListDef, MemberDef,
        ObjectDef, ScalarDef, SourceMapValue, TypeDefValue,
    },
};

pub(super) fn type_def(registry: &mut Registry<Api>) {
    let mut ty = registry.object::<TypeDefValue>("TypeDef");
    ty.doc("The definition of a type.")
        .field("kind", "TypeDefKind!", |f| {
            f.doc("What it is.").resolve(|_, this, _| Ok(this.kind()))
        })
        .field("name", "String!", |f| {
            f.doc("Its name; empty for built-in types and lists.")
                .resolve(|_, this, _| Ok(this.name()))
        })
        .field("optional", "Boolean!", |f| {
            f.doc("Whether null is a value of it.")
                .resolve(|_, this, _| Ok(this.optional))
        })
        .field("asObject", "ObjectTypeDef", |f| {
            f.doc("The object, if it is one.").resolve(|_, this, _| {
                Ok(match &this.definition {
                    Definition::Object(ty) => Some(ObjectDef((**ty).clone())),
                    _ => None,
                })
            })
        })
        .field("asInterface", "InterfaceTypeDef", |f| {
            f.doc("The interface, if it is one.").resolve(|_, this, _| {
                Ok(match &this.definition {
                    Definition::Interface(ty) => Some(InterfaceDef(ty.clone())),
                    _ => None,
                })
            })
        })
        .field("asEnum", "EnumTypeDef", |f| {
            f.doc("The enum, if it is one.").resolve(|_, this, _| {
                Ok(match &this.definition {
                    Definition::Enum(ty) => Some(EnumDef(ty.clone())),
                    _ => None,
                })
            })
        })
        .field("asList", "ListTypeDef", |f| {
            f.doc("The list, if it is one.").resolve(|_, this, _| {
                Ok(match &this.definition {
                    Definition::List(of) => Some(ListDef((**of).clone())),
                    _ => None,
                })
            })
        })
        .field("asScalar", "ScalarTypeDef", |f| {
            f.doc("The scalar, if it is one.").resolve(|_, this, _| {
                Ok(match &this.definition {
                    Definition::Scalar(name, doc) => Some(ScalarDef(name.clone(), doc.clone())),
                    _ => None,
                })
            })
        })
        .field("asInput", "InputTypeDef", |f| {
            f.doc("The input object, if it is one.")
                .resolve(|_, this, _| {
                    Ok(match &this.definition {
                        Definition::Input(name, fields) => {
                            Some(InputDef(name.clone(), fields.clone()))
                        }
                        _ => None,
                    })
                })
        });
}

pub(super) fn function(registry: &mut Registry<Api>) {
    let mut function = registry.object::<FunctionDef>("Function");
    function
        .doc("A function of an object or interface.")
        .described("What it does.")
        .deprecation()
        .field("returnType", "TypeDef!", |f| {
            f.doc("What it returns.").resolve(|ctx, this, _| {
                Ok(TypeDefValue::of_reference(
                    &this.0.returns,
                    ctx.schema().table(),
                ))
            })
        })
        .field("args", "[FunctionArg!]!", |f| {
            f.doc("Its arguments.").resolve(|_, this, _| {
                Ok(this.0.args.iter().cloned().map(ArgDef).collect::<Vec<_>>())
            })
        })
        .declared()
        .field("sourceModuleName", "String!", |f| {
            f.doc("The module it is of; empty if it is none's.")
                .resolve(|_, _, _| Ok(""))
        });
}

pub(super) fn argument(registry: &mut Registry<Api>) {
    let mut arg = registry.object::<ArgDef>("FunctionArg");
    arg.doc("An argument of a function.")
        .described("What it is.")
        .deprecation()
        .field("typeDef", "TypeDef!", |f| {
            f.doc("Its type.").resolve(|ctx, this, _| {
                Ok(TypeDefValue::of_reference(&this.0.ty, ctx.schema().table()))
            })
        })
        .field("defaultValue", "JSON!", |f| {
            f.doc("Its value when none is given; empty if there is none.")
                .resolve(|_, this, _| {
                    Ok(this
                        .0
                        .default
                        .as_ref()
                        .map(ToString::to_string)
                        .unwrap_or_default())
                })
        })
        .field("defaultPath", "String!", |f| {
            f.doc("Path of the module's context that is taken when none is given.")
                .resolve(|_, this, _| Ok(this.0.default_path.clone().unwrap_or_default()))
        })
        .field("defaultAddress", "String!", |f| {
            f.doc("Address that is taken when none is given.")
                .resolve(|_, this, _| Ok(this.0.default_address.clone().unwrap_or_default()))
        })
        .field("ignore", "[String!]!", |f| {
            f.doc("Patterns of what is left out of a directory.")
                .resolve(|_, this, _| Ok(this.0.ignore.clone()))
        })
        .declared();
}

pub(super) fn parts(registry: &mut Registry<Api>) {
    let mut object = registry.object::<ObjectDef>("ObjectTypeDef");
    object
        .doc("The definition of an object.")
        .described("What it is.")
        .deprecation()
        .field("fields", "[FieldTypeDef!]!", |f| {
            f.doc("Its fields.").resolve(|_, this, _| {
                Ok(this
                    .0
                    .fields
                    .iter()
                    .cloned()
                    .map(FieldDefinition)
                    .collect::<Vec<_>>())
            })
        })
        .field("functions", "[Function!]!", |f| {
            f.doc("Its functions.").resolve(|_, this, _| {
                Ok(this
                    .0
                    .functions
                    .iter()
                    .cloned()
                    .map(FunctionDef)
                    .collect::<Vec<_>>())
            })
        })
        .field("constructor", "Function", |f| {
            f.doc("How it is made.")
                .resolve(|_, this, _| Ok(this.0.constructor.clone().map(FunctionDef)))
        })
        .declared()
        .of_module();
    let mut interface = registry.object::<InterfaceDef>("InterfaceTypeDef");
    interface
        .doc("The definition of an interface.")
        .described("What it is.")
        .field("functions", "[Function!]!", |f| {
            f.doc("Its functions.").resolve(|_, this, _| {
                Ok(this
                    .0
                    .functions
                    .iter()
                    .cloned()
                    .map(FunctionDef)
                    .collect::<Vec<_>>())
            })
        })
        .declared()
        .of_module();
    enums(registry);
    let mut list = registry.object::<ListDef>("ListTypeDef");
    list.doc("The definition of a list.")
        .field("elementTypeDef", "TypeDef!", |f| {
            f.doc("Type of its elements.")
                .resolve(|_, this, _| Ok(this.0.clone()))
        });
    let mut scalar = registry.object::<ScalarDef>("ScalarTypeDef");
    scalar
        .doc("The definition of a scalar.")
        .field("name", "String!", |f| {
            f.doc("Its name.").resolve(|_, this, _| Ok(this.0.clone()))
        })
        .field("description", "String!", |f| {
            f.doc("What it is.")
                .resolve(|_, this, _| Ok(this.1.clone()))
        })
        .field("sourceModuleName", "String!", |f| {
            f.doc("The module it is of; empty for the core.")
                .resolve(|_, _, _| Ok(""))
        });
    let mut input = registry.object::<InputDef>("InputTypeDef");
    input
        .doc("The definition of a structured argument.")
        .field("name", "String!", |f| {
            f.doc("Its name.").resolve(|_, this, _| Ok(this.0.clone()))
        })
        .field("fields", "[FieldTypeDef!]!", |f| {
            f.doc("Its fields.").resolve(|_, this, _| {
                Ok(this
                    .1
                    .iter()
                    .cloned()
                    .map(FieldDefinition)
                    .collect::<Vec<_>>())
            })
        });
    let mut field = registry.object::<FieldDefinition>("FieldTypeDef");
    field
        .doc("A field of an object.")
        .described("What it is.")
        .deprecation()
        .field("typeDef", "TypeDef!", |f| {
            f.doc("Its type.").resolve(|ctx, this, _| {
                Ok(TypeDefValue::of_reference(&this.0.ty, ctx.schema().table()))
            })
        })
        .declared();
}

fn enums(registry: &mut Registry<Api>) {
    let mut ty = registry.object::<EnumDef>("EnumTypeDef");
    ty.doc("The definition of an enum.")
        .described("What it is.")
        .field("members", "[EnumValueTypeDef!]!", |f| {
            f.doc("Its members.").resolve(|_, this, _| {
                Ok(this
                    .0
                    .members
                    .iter()
                    .cloned()
                    .map(MemberDef)
                    .collect::<Vec<_>>())
            })
        })
        .field("values", "[EnumValueTypeDef!]!", |f| {
            f.doc("Its members.")
                .deprecated("Use `members`.")
                .resolve(|_, this, _| {
                    Ok(this
                        .0
                        .members
                        .iter()
                        .cloned()
                        .map(MemberDef)
                        .collect::<Vec<_>>())
                })
        })
        .declared()
        .of_module();
    let mut member = registry.object::<MemberDef>("EnumValueTypeDef");
    member
        .doc("A member of an enum.")
        .field("name", "String!", |f| {
            f.doc("Its name.")
                .resolve(|_, this, _| Ok(this.0.name.clone()))
        })
        .field("value", "String!", |f| {
            f.doc("The value behind it.")
                .resolve(|_, this, _| Ok(this.0.value.clone()))
        })
        .field("description", "String!", |f| {
            f.doc("What it is.")
                .resolve(|_, this, _| Ok(this.0.description.clone()))
        })
        .deprecation()
        .declared();
}

pub(super) fn source_map(registry: &mut Registry<Api>) {
    let mut place = registry.object::<SourceMapValue>("SourceMap");
    place
        .doc("A place in a module's source.")
        .field("filename", "String!", |f| {
            f.doc("File, relative to the module's source.")
                .resolve(|_, this, _| Ok(this.0.file.clone()))
        })
        .field("line", "Int!", |f| {
            f.doc("Line, from 1.").resolve(|_, this, _| Ok(this.0.line))
        })
        .field("column", "Int!", |f| {
            f.doc("Column, from 1.")
                .resolve(|_, this, _| Ok(this.0.column))
        })
        .field("module", "String!", |f| {
            f.doc("The module it is of.").resolve(|_, _, _| Ok(""))
        })
        .field("url", "String!", |f| {
            f.doc("Where it can be seen; empty for local files.")
                .resolve(|_, _, _| Ok(""))
        });
}

/// What definitions have in common.
trait Described {
    fn name(&self) -> &str;
    fn description(&self) -> &str;

    fn deprecated(&self) -> Option<&str> {
        None
    }

    fn source(&self) -> Option<&SourceLocation> {
        None
    }
}

/// One implementation: the type, then which of the optional parts it has.
macro_rules! described {
    ($($ty:ty: $($part:ident)*;)*) => {$(
        impl Described for $ty {
            fn name(&self) -> &str {
                &self.0.name
            }

            fn description(&self) -> &str {
                &self.0.description
            }

            $(described!($part);)*
        }
    )*};
    (deprecated) => {
        fn deprecated(&self) -> Option<&str> {
            self.0.deprecated.as_deref()
        }
    };
    (source) => {
        fn source(&self) -> Option<&SourceLocation> {
            self.0.source.as_ref()
        }
    };
}

described! {
    FunctionDef: deprecated source;
    ArgDef: deprecated;
    ObjectDef: deprecated source;
    InterfaceDef: source;
    FieldDefinition: deprecated;
    EnumDef: source;
    MemberDef: deprecated;
}

/// Declares the fields that definitions have in common.
trait DescribedFields {
    fn described(&mut self, what: &'static str) -> &mut Self;
    fn deprecation(&mut self) -> &mut Self;
    fn declared(&mut self) -> &mut Self;
    fn of_module(&mut self) -> &mut Self;
}

impl<T: Described + FromObject<<Api as Backend>::Object> + 'static> DescribedFields
    for ObjectBuilder<'_, Api, T>
{
    fn described(&mut self, what: &'static str) -> &mut Self {
        self.field("name", "String!", |f| {
            f.doc("Its name.")
                .resolve(|_, this, _| Ok(this.name().to_owned()))
        })
        .field("description", "String!", |f| {
            f.doc(what)
                .resolve(|_, this, _| Ok(this.description().to_owned()))
        })
    }

    fn deprecation(&mut self) -> &mut Self {
        self.field("deprecated", "String", |f| {
            f.doc("Why not to use it.")
                .resolve(|_, this, _| Ok(this.deprecated().map(str::to_owned)))
        })
    }

    fn declared(&mut self) -> &mut Self {
        self.field("sourceMap", "SourceMap", |f| {
            f.doc("Where it is declared.")
                .resolve(|_, this, _| Ok(this.source().cloned().map(SourceMapValue)))
        })
    }

    fn of_module(&mut self) -> &mut Self {
        self.field("sourceModuleName", "String!", |f| {
            f.doc("The module it is of; empty for the core.")
                .resolve(|ctx, this, _| Ok(ctx.backend().module_of(this.name())))
        })
    }
}
