//! How SDKs build definitions: `typeDef`, `function` and their `with…`.

use super::{Definition, of_table};
use crate::{
    module::{
        Arg, CachePolicy, EnumMember, EnumType, Field, Function, InterfaceType, ObjectType,
        SourceLocation, TypeKind,
    },
    schema::{
        Ctx,
        api::Api,
        gql::{self, Args, FieldError, Registry},
        object::{FunctionDef, Root, SourceMapValue, TypeDefValue},
    },
};
use serde_json::Value as Json;

pub(super) fn roots(registry: &mut Registry<Api>) {
    let mut query = registry.query::<Root>();
    query
        .field("typeDef", "TypeDef!", |f| {
            f.doc("A type definition, to be filled.")
                .resolve(|_, _, _| Ok(TypeDefValue::default()))
        })
        .field("function", "Function!", |f| {
            f.doc("A function definition.")
                .arg("name: String!", "Its name in the source.")
                .arg("returnType: TypeDefID!", "What it returns.")
                .resolve(|ctx, _, args| {
                    let returns: TypeDefValue = ctx.object(args, "returnType")?;
                    Ok(FunctionDef(Function {
                        name: args.get("name")?,
                        returns: returns.reference(),
                        ..Function::default()
                    }))
                })
        })
        .field("sourceMap", "SourceMap!", |f| {
            f.doc("A place in a module's source.")
                .arg(
                    "filename: String!",
                    "File, relative to the module's source.",
                )
                .arg("line: Int!", "Line, from 1.")
                .arg("column: Int!", "Column, from 1.")
                .resolve(|_, _, args| {
                    Ok(SourceMapValue(SourceLocation {
                        file: args.get("filename")?,
                        line: args.get("line")?,
                        column: args.get("column")?,
                    }))
                })
        })
        .field("currentTypeDefs", "[TypeDef!]!", |f| {
            f.doc("Every type of the API as this client sees it.")
                .arg("returnAllTypes: Boolean = false", "Scalars too.")
                .arg("hideCore: Boolean", "Only types of modules.")
                .resolve(|ctx, _, args| {
                    let table = ctx.schema().table();
                    let all = args.flag("returnAllTypes");
                    let only_modules = args.flag("hideCore");
                    let shown = table.types().iter().filter(|ty| {
                        !ty.name.starts_with("__")
                            && (all || !matches!(ty.kind, gql::TypeKind::Scalar(_)))
                            && (ty.name == "Query"
                                || !only_modules
                                || !ctx.backend().is_core_type(&ty.name))
                    });
                    let found = shown.filter_map(|ty| of_table(table, &ty.name));
                    Ok(found
                        .map(|definition| TypeDefValue {
                            optional: false,
                            definition,
                        })
                        .collect::<Vec<_>>())
                })
        });
}

/// The kind that an enum's member names.
fn kind_named(name: &str) -> TypeKind {
    match name.trim_end_matches("_KIND") {
        "STRING" => TypeKind::String,
        "INTEGER" => TypeKind::Integer,
        "FLOAT" => TypeKind::Float,
        "BOOLEAN" => TypeKind::Boolean,
        _ => TypeKind::Void,
    }
}

pub(super) fn builders(registry: &mut Registry<Api>) {
    let mut ty = registry.object::<TypeDefValue>("TypeDef");
    ty.field("withKind", "TypeDef!", |f| {
        f.doc("A built-in type.")
            .arg("kind: TypeDefKind!", "Which.")
            .resolve(|_, this, args| {
                let kind: String = args.get("kind")?;
                Ok(TypeDefValue {
                    definition: Definition::Plain(kind_named(&kind)),
                    ..this.clone()
                })
            })
    })
    .field("withOptional", "TypeDef!", |f| {
        f.doc("Makes null a value of it, or not.")
            .arg("optional: Boolean!", "Whether.")
            .resolve(|_, this, args| {
                Ok(TypeDefValue {
                    optional: args.flag("optional"),
                    ..this.clone()
                })
            })
    })
    .field("withListOf", "TypeDef!", |f| {
        f.doc("A list.")
            .arg("elementType: TypeDefID!", "Type of its elements.")
            .resolve(|ctx, this, args| {
                let of: TypeDefValue = ctx.object(args, "elementType")?;
                Ok(TypeDefValue {
                    definition: Definition::List(Box::new(of)),
                    ..this.clone()
                })
            })
    })
    .field("withScalar", "TypeDef!", |f| {
        f.doc("A scalar.")
            .arg("name: String!", "Its name.")
            .arg("description: String = \"\"", "What it is.")
            .resolve(|_, this, args| {
                Ok(TypeDefValue {
                    definition: Definition::Scalar(args.get("name")?, args.get("description")?),
                    ..this.clone()
                })
            })
    })
    .field("withObject", "TypeDef!", |f| {
        f.doc("An object.")
            .arg("name: String!", "Its name in the source.")
            .arg("description: String = \"\"", "What it is.")
            .arg("sourceMap: SourceMapID", "Where it is declared.")
            .arg("deprecated: String", "Why not to use it.")
            .resolve(|ctx, this, args| {
                let object = ObjectType {
                    name: args.get("name")?,
                    description: args.get("description")?,
                    deprecated: args.get("deprecated")?,
                    source: place(ctx, args)?,
                    ..ObjectType::default()
                };
                Ok(TypeDefValue {
                    definition: Definition::Object(Box::new(object)),
                    ..this.clone()
                })
            })
    })
    .field("withInterface", "TypeDef!", |f| {
        f.doc("An interface.")
            .arg("name: String!", "Its name in the source.")
            .arg("description: String = \"\"", "What it is.")
            .arg("sourceMap: SourceMapID", "Where it is declared.")
            .resolve(|ctx, this, args| {
                let interface = InterfaceType {
                    name: args.get("name")?,
                    description: args.get("description")?,
                    source: place(ctx, args)?,
                    ..InterfaceType::default()
                };
                Ok(TypeDefValue {
                    definition: Definition::Interface(interface),
                    ..this.clone()
                })
            })
    })
    .field("withEnum", "TypeDef!", |f| {
        f.doc("An enum.")
            .arg("name: String!", "Its name in the source.")
            .arg("description: String = \"\"", "What it is.")
            .arg("sourceMap: SourceMapID", "Where it is declared.")
            .resolve(|ctx, this, args| {
                let ty = EnumType {
                    name: args.get("name")?,
                    description: args.get("description")?,
                    source: place(ctx, args)?,
                    ..EnumType::default()
                };
                Ok(TypeDefValue {
                    definition: Definition::Enum(ty),
                    ..this.clone()
                })
            })
    })
    .field("withEnumMember", "TypeDef!", |f| {
        f.doc("Adds a member to an enum.")
            .arg("name: String!", "Its name.")
            .arg("value: String = \"\"", "The value behind it.")
            .arg("description: String = \"\"", "What it is.")
            .arg("sourceMap: SourceMapID", "Where it is declared.")
            .arg("deprecated: String", "Why not to use it.")
            .resolve(|_, this, args| member(this, args.get("name")?, args))
    })
    .field("withEnumValue", "TypeDef!", |f| {
        f.doc("Adds a member to an enum (older SDKs).")
            .arg("value: String!", "Its name.")
            .arg("description: String = \"\"", "What it is.")
            .arg("sourceMap: SourceMapID", "Where it is declared.")
            .arg("deprecated: String", "Why not to use it.")
            .deprecated("Use `withEnumMember`.")
            .resolve(|_, this, args| member(this, args.get("value")?, args))
    })
    .field("withField", "TypeDef!", |f| {
        f.doc("Adds a field to an object.")
            .arg("name: String!", "Its name in the source.")
            .arg("typeDef: TypeDefID!", "Its type.")
            .arg("description: String = \"\"", "What it is.")
            .arg("sourceMap: SourceMapID", "Where it is declared.")
            .arg("deprecated: String", "Why not to use it.")
            .resolve(|ctx, this, args| {
                let ty: TypeDefValue = ctx.object(args, "typeDef")?;
                let mut made = this.clone();
                made.object_mut("field")?.fields.push(Field {
                    name: args.get("name")?,
                    api_name: String::new(),
                    cli_name: String::new(),
                    description: args.get("description")?,
                    ty: ty.reference(),
                    deprecated: args.get("deprecated")?,
                });
                Ok(made)
            })
    })
    .field("withFunction", "TypeDef!", |f| {
        f.doc("Adds a function to an object or interface.")
            .arg("function: FunctionID!", "The function.")
            .resolve(|ctx, this, args| {
                let FunctionDef(function) = ctx.object(args, "function")?;
                let mut made = this.clone();
                match &mut made.definition {
                    Definition::Interface(interface) => interface.functions.push(function),
                    _ => made.object_mut("function")?.functions.push(function),
                }
                Ok(made)
            })
    })
    .field("withConstructor", "TypeDef!", |f| {
        f.doc("Says how an object is made.")
            .arg("function: FunctionID!", "The constructor.")
            .resolve(|ctx, this, args| {
                let FunctionDef(function) = ctx.object(args, "function")?;
                let mut made = this.clone();
                made.object_mut("constructor")?.constructor = Some(function);
                Ok(made)
            })
    });
}

fn place(ctx: &Ctx, args: &Args) -> Result<Option<SourceLocation>, FieldError> {
    let place: Option<SourceMapValue> = ctx.optional_object(args, "sourceMap")?;
    Ok(place.map(|SourceMapValue(place)| place))
}

fn member(this: &TypeDefValue, name: String, args: &Args) -> Result<TypeDefValue, FieldError> {
    let mut made = this.clone();
    let Definition::Enum(ty) = &mut made.definition else {
        return Err(FieldError::new("cannot add a member: the type is no enum"));
    };
    if ty.members.iter().any(|known| known.name == name) {
        return Err(FieldError::new(format!(
            "enum `{}` has a member `{name}` already",
            ty.name
        )));
    }
    let value: String = args.get_or_default("value")?;
    ty.members.push(EnumMember {
        value: if value.is_empty() {
            name.clone()
        } else {
            value
        },
        name,
        description: args.get("description")?,
        deprecated: args.get("deprecated")?,
        ..EnumMember::default()
    });
    Ok(made)
}

pub(super) fn function_builders(registry: &mut Registry<Api>) {
    let mut function = registry.object::<FunctionDef>("Function");
    function
        .field("withDescription", "Function!", |f| {
            f.doc("Says what it does.")
                .arg("description: String!", "What it does.")
                .resolve(|_, this, args| {
                    Ok(FunctionDef(Function {
                        description: args.get("description")?,
                        ..this.0.clone()
                    }))
                })
        })
        .field("withArg", "Function!", |f| {
            f.doc("Adds an argument.")
                .arg("name: String!", "Its name in the source.")
                .arg("typeDef: TypeDefID!", "Its type.")
                .arg("description: String = \"\"", "What it is.")
                .arg("defaultValue: JSON", "Its value when none is given.")
                .arg(
                    "defaultPath: String = \"\"",
                    "Path of the module's context to take when none is given.",
                )
                .arg(
                    "ignore: [String!] = []",
                    "Patterns of what to leave out of a directory.",
                )
                .arg("sourceMap: SourceMapID", "Where it is declared.")
                .arg("deprecated: String", "Why not to use it.")
                .arg(
                    "defaultAddress: String = \"\"",
                    "Address to take when none is given.",
                )
                .resolve(|ctx, this, args| {
                    let ty: TypeDefValue = ctx.object(args, "typeDef")?;
                    let some = |text: String| Some(text).filter(|text| !text.is_empty());
                    let default: Option<String> = args.get("defaultValue")?;
                    let default = default
                        .filter(|text| !text.is_empty())
                        .map(|text| serde_json::from_str::<Json>(&text))
                        .transpose()
                        .map_err(|error| {
                            FieldError::new(format!("the default is not JSON: {error}"))
                        })?;
                    let mut made = this.0.clone();
                    made.args.push(Arg {
                        name: args.get("name")?,
                        api_name: String::new(),
                        cli_name: String::new(),
                        description: args.get("description")?,
                        ty: ty.reference(),
                        default,
                        default_path: some(args.get("defaultPath")?),
                        default_address: some(args.get("defaultAddress")?),
                        ignore: args.get_or_default("ignore")?,
                        deprecated: args.get("deprecated")?,
                    });
                    Ok(FunctionDef(made))
                })
        })
        .field("withCachePolicy", "Function!", |f| {
            f.doc("Says how long its answers are used again.")
                .arg("policy: FunctionCachePolicy!", "How long.")
                .arg("timeToLive: String", "No longer than this, such as 10m.")
                .resolve(|_, this, args| {
                    let policy: String = args.get("policy")?;
                    let ttl: Option<String> = args.get("timeToLive")?;
                    let cache = match policy.as_str() {
                        "Never" => CachePolicy::Never,
                        "PerSession" => CachePolicy::PerSession,
                        _ => CachePolicy::Default {
                            ttl: ttl.filter(|ttl| !ttl.is_empty()),
                        },
                    };
                    Ok(FunctionDef(Function {
                        cache: Some(cache),
                        ..this.0.clone()
                    }))
                })
        })
        .field("withDeprecated", "Function!", |f| {
            f.doc("Says why not to use it.")
                .arg("reason: String", "Why.")
                .resolve(|_, this, args| {
                    let reason: Option<String> = args.get("reason")?;
                    Ok(FunctionDef(Function {
                        deprecated: Some(reason.unwrap_or_default()),
                        ..this.0.clone()
                    }))
                })
        })
        .field("withSourceMap", "Function!", |f| {
            f.doc("Says where it is declared.")
                .arg("sourceMap: SourceMapID!", "Where.")
                .resolve(|ctx, this, args| {
                    Ok(FunctionDef(Function {
                        source: place(ctx, args)?,
                        ..this.0.clone()
                    }))
                })
        })
        .field("withCheck", "Function!", |f| {
            f.doc("Makes it a check.").resolve(|_, this, _| {
                Ok(FunctionDef(Function {
                    check: true,
                    ..this.0.clone()
                }))
            })
        })
        .field("withGenerator", "Function!", |f| {
            f.doc("Makes it a generator.").resolve(|_, this, _| {
                Ok(FunctionDef(Function {
                    generate: true,
                    ..this.0.clone()
                }))
            })
        })
        .field("withUp", "Function!", |f| {
            f.doc("Makes it one that starts a service.")
                .resolve(|_, this, _| {
                    Ok(FunctionDef(Function {
                        up: true,
                        ..this.0.clone()
                    }))
                })
        })
        .field("withAgent", "Function!", |f| {
            f.doc("Makes it an agent.").resolve(|_, this, _| {
                Ok(FunctionDef(Function {
                    agent: true,
                    ..this.0.clone()
                }))
            })
        });
}
