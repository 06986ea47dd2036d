//! TypeScript: the client of the embedded SDK, and what each module gets of its own.
//!
//! `core` is `sdk/typescript/src/client.gen.ts`; [`dependencies`] takes the place of the empty
//! `dependencies.gen.ts` for a module that uses others.

use super::schema::{Argument, EnumValue, Field, Kind, Ref, Schema, Type, TypeRef};
use std::collections::BTreeSet;

/// Fields that the SDK serves in its own way.
const OWN_FIELDS: &[&str] = &["node", "currentNode", "id"];

/// Names of types that the language has itself.
const TAKEN_TYPES: &[&str] = &["Function", "Module", "Object", "Promise"];

/// Words that cannot be names of parameters.
const RESERVED: &str = "arguments await break case catch class const continue default delete do else enum eval \
    export extends false finally for function if implements import in instanceof interface let new null opts \
    package private protected public return static super switch this throw true try typeof var void while with \
    yield";

/// Adds formatted text.
macro_rules! put {
    ($out:expr, $($text:tt)+) => { $out.push_str(&format!($($text)+)) };
}

/// Adds a formatted line.
macro_rules! put_line {
    ($out:expr, $($text:tt)+) => {{
        $out.push_str(&format!($($text)+));
        $out.push('\n');
    }};
}

/// The core client of the SDK.
pub fn core(schema: &Schema) -> String {
    let client = Client { schema, core: None };
    let mut out = String::from(
        "/** The API of the engine. Generated from its schema; do not edit. */\n\n\
         import { BaseObject, load } from \"./base.js\"\n\n",
    );
    for ty in schema.types.values().filter(|ty| !is_internal(ty)) {
        client.ty(&mut out, ty);
    }
    out.push_str("/** The API, in the session that this program runs in. */\n");
    out.push_str("export const dag: Client = new Client()\n");
    out
}

/// The types that other modules add to the core, and the fields they add to its types.
pub fn dependencies(schema: &Schema, core: &Schema) -> String {
    let added = schema.beyond(core);
    let mut out = String::from(
        "/** Types of the modules that this one uses. Generated from their schema; do not edit. */\n\n",
    );
    if added.types.is_empty() {
        out.push_str("export {}\n");
        return out;
    }
    let client = Client {
        schema,
        core: Some(core),
    };
    let mut types = String::new();
    for ty in added.types.values().filter(|ty| !is_internal(ty)) {
        match &ty.kind {
            Kind::Object(fields) | Kind::Interface(fields) if core.get(&ty.name).is_some() => {
                client.extension(&mut types, ty, fields);
            }
            _ => client.ty(&mut types, ty),
        }
    }
    if types.contains("extends BaseObject") {
        out.push_str("import { BaseObject } from \"./base.js\"\n");
    }
    if types.contains("core.") {
        out.push_str("import * as core from \"./client.gen.js\"\n");
    }
    out.push('\n');
    out.push_str(types.trim_end());
    out.push('\n');
    out
}

/// Whether a type of the API is no concern of programs.
fn is_internal(ty: &Type) -> bool {
    ty.name.starts_with('_') || ty.name.ends_with("Mirror") || ty.name == "HTTPState"
}

/// Writes types of a schema.
struct Client<'a> {
    /// Every type that may be referred to.
    schema: &'a Schema,
    /// Types that are imported, if any are.
    core: Option<&'a Schema>,
}

/// What a field returns.
enum Returns {
    /// An object, without asking.
    Object(String),
    /// Objects, known by their ids.
    Objects(String),
    /// An object that is known by its id after asking.
    Loaded(String),
    /// A value.
    Value(String),
}

impl Client<'_> {
    fn ty(&self, out: &mut String, ty: &Type) {
        let name = type_name(&ty.name);
        match &ty.kind {
            Kind::Scalar if builtin(&ty.name).is_some() || ty.name.ends_with("ID") => {}
            Kind::Scalar => {
                document(out, "", &ty.description, "A text of its own format.", &[]);
                put_line!(out, "export type {name} = string\n");
            }
            Kind::Enum(members) => enumeration(out, ty, members),
            Kind::Input(fields) => {
                document(out, "", &ty.description, "Values given together.", &[]);
                put_line!(out, "export interface {name} {{");
                self.properties(out, &fields.iter().collect::<Vec<_>>());
                out.push_str("}\n\n");
            }
            Kind::Object(fields) | Kind::Interface(fields) => self.object(out, ty, fields),
        }
    }

    fn object(&self, out: &mut String, ty: &Type, fields: &[Field]) {
        let name = type_name(&ty.name);
        let usable: Vec<&Field> = fields
            .iter()
            .filter(|field| self.is_usable(field))
            .collect();
        for field in &usable {
            self.options(out, &ty.name, field);
        }
        let is_root = ty.name == "Query";
        if !is_root {
            let what = format!("Names a {} in requests.", ty.name);
            document(out, "", "", &what, &[]);
            put_line!(out, "export type {}ID = string\n", ty.name);
        }
        document(out, "", &ty.description, "An object of the API.", &[]);
        put_line!(out, "export class {name} extends BaseObject {{");
        // Also where the class has the same name: its own may be changed by who packs it.
        put_line!(
            out,
            "  static override readonly apiName: string = \"{}\"\n",
            ty.name
        );
        if !is_root {
            put!(
                out,
                "  /** What names this object in requests. */\n\
                 \x20 id(): Promise<{}ID> {{\n    return this._id()\n  }}\n\n",
                ty.name
            );
        }
        for field in usable {
            self.method(out, ty, field);
        }
        if is_root {
            self.loaders(out);
        }
        put!(
            out,
            "  /** Applies a function, keeping the chain in one piece. */\n\
             \x20 with<T>(work: (from: {name}) => T): T {{\n    return work(this)\n  }}\n}}\n\n"
        );
    }

    /// Methods of the root that make objects of their ids.
    fn loaders(&self, out: &mut String) {
        let types = self.schema.types.values().filter(|ty| !is_internal(ty));
        for ty in types.filter(|ty| ty.name != "Query" && matches!(ty.kind, Kind::Object(_))) {
            let name = type_name(&ty.name);
            put!(
                out,
                "  /** The {0} that an id names. */\n\
                 \x20 load{0}FromID(id: {0}ID): {name} {{\n    return load({name}, id, this)\n  }}\n\n",
                ty.name
            );
        }
    }

    /// Fields that are added to a type of the core.
    fn extension(&self, out: &mut String, ty: &Type, fields: &[Field]) {
        let name = type_name(&ty.name);
        let usable: Vec<&Field> = fields
            .iter()
            .filter(|field| self.is_usable(field))
            .collect();
        if usable.is_empty() {
            return;
        }
        for field in &usable {
            self.options(out, &ty.name, field);
        }
        put_line!(
            out,
            "declare module \"./client.gen.js\" {{\n  interface {name} {{"
        );
        for field in &usable {
            let call = self.call(&ty.name, field);
            method_doc(out, "    ", field);
            put_line!(
                out,
                "    {}({}): {}",
                call.name,
                call.parameters.join(", "),
                call.returned
            );
        }
        out.push_str("  }\n}\n\n");
        for field in &usable {
            let call = self.call(&ty.name, field);
            let mut parameters = vec![format!("this: core.{name}")];
            parameters.extend(call.parameters);
            put!(
                out,
                "core.{name}.prototype.{} = function ({}): {} {{\n  {}\n}}\n\n",
                call.name,
                parameters.join(", "),
                call.returned,
                call.body
            );
        }
    }

    fn method(&self, out: &mut String, owner: &Type, field: &Field) {
        let call = self.call(&owner.name, field);
        method_doc(out, "  ", field);
        put!(
            out,
            "  {}({}): {} {{\n    {}\n  }}\n\n",
            call.name,
            call.parameters.join(", "),
            call.returned,
            call.body
        );
    }

    /// A field's method, and what it does.
    fn call(&self, owner: &str, field: &Field) -> Call {
        let (required, optional) = self.arguments(field);
        let mut parameters = Vec::new();
        let mut values = Vec::new();
        for arg in required {
            let name = parameter(&arg.name);
            parameters.push(format!("{name}: {}", self.written(&arg.ty)));
            values.push(if name == arg.name {
                name
            } else {
                format!("{}: {name}", arg.name)
            });
        }
        if !optional.is_empty() {
            parameters.push(format!("opts?: {}", options_name(owner, &field.name)));
            values.push("...opts".into());
        }
        let mut passed = vec![format!("\"{}\"", field.name)];
        let enums = self.enums(field);
        if !values.is_empty() {
            passed.push(format!("{{ {} }}", values.join(", ")));
        }
        if !enums.is_empty() {
            let names: Vec<_> = enums.iter().map(|name| format!("\"{name}\"")).collect();
            passed.push(format!("[{}]", names.join(", ")));
        }
        let passed = passed.join(", ");
        let (returned, body) = match self.returns(field) {
            Returns::Object(kind) => (kind.clone(), format!("return new {kind}(this, {passed})")),
            Returns::Objects(kind) => (
                format!("Promise<{kind}[]>"),
                format!("return this._objects({kind}, {passed})"),
            ),
            Returns::Loaded(kind) => (
                format!("Promise<{kind}>"),
                format!("return this._loaded({kind}, {passed})"),
            ),
            Returns::Value(kind) => (
                format!("Promise<{kind}>"),
                format!("return this._value({passed})"),
            ),
        };
        Call {
            name: method_name(&field.name),
            parameters,
            returned,
            body,
        }
    }

    fn options(&self, out: &mut String, owner: &str, field: &Field) {
        let (_, optional) = self.arguments(field);
        if optional.is_empty() {
            return;
        }
        let what = format!("Options of `{}`.", method_name(&field.name));
        document(out, "", "", &what, &[]);
        put_line!(
            out,
            "export interface {} {{",
            options_name(owner, &field.name)
        );
        self.properties(out, &optional);
        out.push_str("}\n\n");
    }

    fn properties(&self, out: &mut String, args: &[&Argument]) {
        for arg in args {
            let fallback = format!("The value `{}`.", arg.name);
            document(
                out,
                "  ",
                &arg.description,
                &fallback,
                &deprecation(arg.deprecated.as_ref()),
            );
            let mark = if arg.is_required() { "" } else { "?" };
            put_line!(out, "  {}{mark}: {}", arg.name, self.written(&arg.ty));
        }
    }

    /// Arguments that must be given, and those that may be.
    fn arguments<'f>(&self, field: &'f Field) -> (Vec<&'f Argument>, Vec<&'f Argument>) {
        let usable = field.args.iter().filter(|arg| self.is_known(&arg.ty));
        usable.partition(|arg| arg.is_required())
    }

    /// Names of arguments, at any depth, that are members of enums.
    fn enums(&self, field: &Field) -> BTreeSet<String> {
        let kind = |arg: &Argument| self.schema.get(arg.ty.name()).map(|ty| &ty.kind);
        let mut found = BTreeSet::new();
        for arg in field.args.iter().filter(|arg| self.is_known(&arg.ty)) {
            match kind(arg) {
                Some(Kind::Enum(_)) => drop(found.insert(arg.name.clone())),
                Some(Kind::Input(fields)) => {
                    let enums = fields
                        .iter()
                        .filter(|f| matches!(kind(f), Some(Kind::Enum(_))));
                    found.extend(enums.map(|field| field.name.clone()));
                }
                _ => {}
            }
        }
        found
    }

    fn is_usable(&self, field: &Field) -> bool {
        let is_loader = field.name.starts_with("load") && field.name.ends_with("FromID");
        let is_own = OWN_FIELDS.contains(&field.name.as_str()) || field.name.starts_with('_');
        let mut required = field.args.iter().filter(|arg| arg.is_required());
        !is_loader
            && !is_own
            && self.is_known(&field.ty)
            && required.all(|arg| self.is_known(&arg.ty))
    }

    fn is_known(&self, ty: &TypeRef) -> bool {
        builtin(ty.name()).is_some() || self.schema.get(ty.name()).is_some()
    }

    fn returns(&self, field: &Field) -> Returns {
        match &field.ty.of {
            Ref::Named(name) if self.schema.is_composite(name) => Returns::Object(self.refer(name)),
            Ref::Id(name) => Returns::Loaded(self.refer(name)),
            Ref::List(of) if self.schema.is_composite(of.name()) => {
                Returns::Objects(self.refer(of.name()))
            }
            _ => Returns::Value(self.written(&field.ty)),
        }
    }

    /// A type where a value of it is given or returned.
    fn written(&self, ty: &TypeRef) -> String {
        match &ty.of {
            Ref::Named(name) => builtin(name).map_or_else(|| self.refer(name), str::to_owned),
            Ref::Id(name) => self.refer(name),
            Ref::List(of) => format!("{}[]", self.written(of)),
        }
    }

    /// A type's name where it is used.
    fn refer(&self, name: &str) -> String {
        let written = type_name(name);
        match self.core {
            Some(core) if core.get(name).is_some() => format!("core.{written}"),
            _ => written,
        }
    }
}

/// The method of a field.
struct Call {
    name: String,
    parameters: Vec<String>,
    returned: String,
    body: String,
}

fn method_doc(out: &mut String, indent: &str, field: &Field) {
    let mut tags = Vec::new();
    for arg in field.args.iter().filter(|arg| arg.is_required()) {
        if !arg.description.is_empty() {
            tags.push(format!(
                "@param {} {}",
                parameter(&arg.name),
                arg.description
            ));
        }
    }
    if let Some(why) = &field.experimental {
        tags.push(format!("@experimental {why}"));
    }
    tags.extend(deprecation(field.deprecated.as_ref()));
    let fallback = format!("The field `{}`.", field.name);
    document(out, indent, &field.description, &fallback, &tags);
}

fn deprecation(why: Option<&String>) -> Vec<String> {
    why.map(|why| format!("@deprecated {why}"))
        .into_iter()
        .collect()
}

fn enumeration(out: &mut String, ty: &Type, members: &[EnumValue]) {
    document(out, "", &ty.description, "One of a few values.", &[]);
    put_line!(out, "export enum {} {{", type_name(&ty.name));
    let mut known = BTreeSet::new();
    for member in members {
        let name = member_name(&member.name);
        if known.insert(name.clone()) {
            let fallback = format!("The value `{}`.", member.name);
            let tags = deprecation(member.deprecated.as_ref());
            document(out, "  ", &member.description, &fallback, &tags);
            put_line!(out, "  {name} = \"{}\",", member.name);
        }
    }
    out.push_str("}\n\n");
}

/// Writes a documentation comment; `fallback` where there is nothing to say.
fn document(out: &mut String, indent: &str, text: &str, fallback: &str, tags: &[String]) {
    let text = if text.trim().is_empty() {
        fallback
    } else {
        text.trim()
    };
    let text = text.replace("*/", "*\\/");
    if tags.is_empty() && !text.contains('\n') {
        put_line!(out, "{indent}/** {text} */");
        return;
    }
    put_line!(out, "{indent}/**");
    let tags: Vec<String> = tags.iter().map(|tag| tag.replace("*/", "*\\/")).collect();
    let gap = if tags.is_empty() { None } else { Some("") };
    let lines = text
        .lines()
        .chain(gap)
        .chain(tags.iter().flat_map(|tag| tag.lines()));
    for line in lines {
        let line = format!("{indent} * {line}");
        put_line!(out, "{}", line.trim_end());
    }
    put_line!(out, "{indent} */");
}

fn builtin(name: &str) -> Option<&'static str> {
    match name {
        "String" | "ID" => Some("string"),
        "Int" | "Float" => Some("number"),
        "Boolean" => Some("boolean"),
        "Void" => Some("void"),
        _ => None,
    }
}

fn type_name(name: &str) -> String {
    match name {
        "Query" => "Client".to_owned(),
        _ if TAKEN_TYPES.contains(&name) => format!("{name}_"),
        _ => name.to_owned(),
    }
}

fn method_name(name: &str) -> String {
    match name {
        "import" | "constructor" | "with" => format!("{name}_"),
        _ => name.to_owned(),
    }
}

fn parameter(name: &str) -> String {
    if RESERVED.split_whitespace().any(|word| word == name) {
        format!("{name}_")
    } else {
        name.to_owned()
    }
}

fn options_name(owner: &str, field: &str) -> String {
    let mut chars = field.chars();
    let first = chars
        .next()
        .map(|c| c.to_ascii_uppercase())
        .unwrap_or_default();
    format!("{}{first}{}Opts", type_name(owner), chars.as_str())
}

/// `LEAVE_CONFLICT_MARKERS` as `LeaveConflictMarkers`; names in mixed case stay.
fn member_name(name: &str) -> String {
    if name.chars().any(|c| c.is_ascii_lowercase()) {
        return name.to_owned();
    }
    name.split('_')
        .map(|word| {
            let mut chars = word.chars();
            let first = chars.next().map(String::from).unwrap_or_default();
            first + &chars.as_str().to_ascii_lowercase()
        })
        .collect()
}

#[cfg(test)]
mod tests;
