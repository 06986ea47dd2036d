//! The types of a schema as Go source: objects with lazy chains, enums, inputs, ids.

use super::names::{exported, member, parameter, type_name};
use crate::codegen::schema::{Argument, EnumValue, Field, Kind, Ref, Schema, Type, TypeRef};
use std::collections::BTreeMap;

/// Fields that the SDK serves in its own way.
const OWN_FIELDS: &[&str] = &["node", "currentNode", "id"];

/// Writes types of a schema.
pub(super) struct Client<'a> {
    /// Every type that may be referred to.
    pub(super) schema: &'a Schema,
    /// Whether interfaces are written as objects are; the core's are not.
    pub(super) interfaces: bool,
    /// How the type of the API's root is constructed from a selection, if its fields are written.
    pub(super) with_unscoped_values: bool,
}

/// What a field returns in Go.
enum Returns {
    /// An object, without asking.
    Object(String),
    /// Objects, known by their ids.
    Objects(String),
    /// An object that is known by its id after asking.
    Loaded(String),
    /// A value.
    Value(String),
    /// Nothing but an error.
    Nothing,
}

impl Client<'_> {
    /// All types given, in order of their names.
    pub(super) fn types<'t>(&self, types: impl IntoIterator<Item = &'t Type> + Clone) -> String {
        let mut out = String::new();
        let values = self.unscoped(types.clone());
        for ty in types {
            match &ty.kind {
                Kind::Scalar => scalar(&mut out, ty),
                Kind::Enum(members) => enumeration(&mut out, ty, members, &values),
                Kind::Input(fields) => self.input(&mut out, ty, fields),
                Kind::Object(fields) => self.object(&mut out, ty, fields),
                Kind::Interface(fields) if self.interfaces => self.object(&mut out, ty, fields),
                Kind::Interface(_) => {}
            }
        }
        out
    }

    /// Values of enums that are known by their short name too: those whose name is nothing else's.
    fn unscoped<'t>(&self, types: impl IntoIterator<Item = &'t Type>) -> Vec<String> {
        if !self.with_unscoped_values {
            return vec![];
        }
        let mut count: BTreeMap<String, usize> = BTreeMap::new();
        for ty in types {
            *count.entry(type_name(&ty.name)).or_default() += 1;
            if let Kind::Enum(members) = &ty.kind {
                for value in distinct(members) {
                    *count.entry(member(&value.name)).or_default() += 1;
                }
            }
        }
        let once = count.into_iter().filter(|(_, count)| *count == 1);
        once.map(|(name, _)| name).collect()
    }

    fn input(&self, out: &mut String, ty: &Type, fields: &[Argument]) {
        let name = type_name(&ty.name);
        document(
            out,
            "",
            &name,
            &ty.description,
            "are values given together.",
        );
        putln!(out, "type {name} struct {{");
        for field in fields {
            let go = exported(&field.name);
            let Some(kind) = self.given(&field.ty) else {
                continue;
            };
            document(
                out,
                "\t",
                &go,
                &field.description,
                &format!("is the value `{}`.", field.name),
            );
            let optional = if field.is_required() {
                ""
            } else {
                ",omitempty"
            };
            putln!(out, "\t{go} {kind} `json:\"{}{optional}\"`", field.name);
        }
        out.push_str("}\n\n");
    }

    fn object(&self, out: &mut String, ty: &Type, fields: &[Field]) {
        let name = type_name(&ty.name);
        if ty.name != "Query" {
            head(out, &name, ty);
        }
        for field in fields {
            let own = OWN_FIELDS.contains(&field.name.as_str());
            let load = field.name.starts_with("load") && field.name.ends_with("FromID");
            if !own && !load && !field.name.starts_with('_') {
                self.method(out, &ty.name, field);
            }
        }
    }

    /// Methods of the root that load objects by their ids.
    pub(super) fn loaders<'t>(&self, types: impl IntoIterator<Item = &'t Type>) -> String {
        let mut out = String::new();
        for ty in types {
            let is = match ty.kind {
                Kind::Object(_) => ty.name != "Query",
                Kind::Interface(_) => self.interfaces,
                _ => false,
            };
            if is {
                let name = type_name(&ty.name);
                put!(
                    out,
                    "// Load{name}FromID returns the {name} with an id.\n\
                     func (r *Client) Load{name}FromID(id {name}ID) *{name} {{\n\
                     \treturn new({name}).WithGraphQLQuery(r.GraphQLQuery().Select(\"load{}FromID\").Arg(\"id\", id))\n}}\n\n",
                    ty.name
                );
            }
        }
        out
    }

    fn method(&self, out: &mut String, owner: &str, field: &Field) {
        let Some(returns) = self.returned(owner, &field.ty) else {
            return;
        };
        let receiver = type_name(owner);
        let name = exported(&field.name);
        let mut required = Vec::new();
        let mut optional = Vec::new();
        for arg in &field.args {
            match self.given(&arg.ty) {
                Some(kind) if arg.is_required() => required.push((arg, kind)),
                Some(kind) => optional.push((arg, kind)),
                // One that cannot be given must not be needed.
                None if arg.is_required() => return,
                None => {}
            }
        }
        let opts = if owner == "Query" {
            format!("{name}Opts")
        } else {
            format!("{receiver}{name}Opts")
        };
        if !optional.is_empty() {
            let what = format!("are the optional arguments of {receiver}.{name}.");
            document(out, "", &opts, "", &what);
            putln!(out, "type {opts} struct {{");
            for (arg, kind) in &optional {
                let go = exported(&arg.name);
                let fallback = format!("is the argument `{}`.", arg.name);
                document(out, "\t", &go, &arg.description, &fallback);
                if let Some(default) = arg
                    .default
                    .as_ref()
                    .filter(|d| !matches!(d.as_str(), "null" | "\"\"" | "[]" | "false"))
                {
                    putln!(out, "\t// Default: {default}");
                }
                putln!(out, "\t{go} {kind}");
            }
            out.push_str("}\n\n");
        }
        let fallback = format!("is the field `{}` of the API.", field.name);
        document(out, "", &name, &field.description, &fallback);
        for (arg, _) in required
            .iter()
            .filter(|(arg, _)| !arg.description.is_empty())
        {
            let text = arg.description.replace('\n', " ");
            putln!(out, "//\n// {}: {text}", parameter(&arg.name));
        }
        if let Some(reason) = &field.deprecated {
            let reason = if reason.is_empty() {
                "there is something better."
            } else {
                reason
            };
            putln!(out, "//\n// Deprecated: {}", reason.replace('\n', " "));
        }
        if let Some(reason) = &field.experimental {
            putln!(out, "//\n// Experimental: {}", reason.replace('\n', " "));
        }
        let mut parameters = Vec::new();
        if !matches!(returns, Returns::Object(_)) {
            parameters.push("ctx context.Context".to_owned());
        }
        parameters.extend(
            required
                .iter()
                .map(|(arg, kind)| format!("{} {kind}", parameter(&arg.name))),
        );
        if !optional.is_empty() {
            parameters.push(format!("opts ...{opts}"));
        }
        let result = match &returns {
            Returns::Object(name) => format!("*{name}"),
            Returns::Objects(name) => format!("([]{name}, error)"),
            Returns::Loaded(name) => format!("(*{name}, error)"),
            Returns::Value(kind) => format!("({kind}, error)"),
            Returns::Nothing => "error".into(),
        };
        putln!(
            out,
            "func (r *{receiver}) {name}({}) {result} {{",
            parameters.join(", ")
        );
        put!(out, "\tq := r.GraphQLQuery().Select(\"{}\")", field.name);
        for (arg, _) in &required {
            put!(out, ".Arg(\"{}\", {})", arg.name, parameter(&arg.name));
        }
        out.push('\n');
        if !optional.is_empty() {
            out.push_str("\tfor _, given := range opts {\n");
            for (arg, _) in &optional {
                putln!(
                    out,
                    "\t\tq.Optional(\"{}\", given.{})",
                    arg.name,
                    exported(&arg.name)
                );
            }
            out.push_str("\t}\n");
        }
        finish(out, &returns);
        out.push_str("}\n\n");
    }

    /// The Go type of what is given; none if it cannot be given from Go.
    fn given(&self, ty: &TypeRef) -> Option<String> {
        Some(match &ty.of {
            Ref::List(of) => format!("[]{}", self.given(of)?),
            Ref::Id(object) => self.pointer(object)?,
            Ref::Named(name) => match builtin(name) {
                Some(go) => go.into(),
                None => match self.schema.get(name)?.kind {
                    Kind::Scalar | Kind::Enum(_) | Kind::Input(_) => type_name(name),
                    Kind::Object(_) | Kind::Interface(_) => return None,
                },
            },
        })
    }

    fn pointer(&self, object: &str) -> Option<String> {
        match self.schema.get(object)?.kind {
            Kind::Interface(_) if !self.interfaces => Some("querybuilder.Object".into()),
            _ => Some(format!("*{}", type_name(object))),
        }
    }

    fn returned(&self, owner: &str, ty: &TypeRef) -> Option<Returns> {
        let is_object = |name: &str| match self.schema.get(name).map(|ty| &ty.kind) {
            Some(Kind::Object(_)) => true,
            Some(Kind::Interface(_)) => self.interfaces,
            _ => false,
        };
        Some(match &ty.of {
            Ref::Named(name) if name == "Void" => Returns::Nothing,
            Ref::Named(name) if is_object(name) => Returns::Object(type_name(name)),
            Ref::Named(_) => Returns::Value(self.given(ty)?),
            Ref::Id(name) if is_object(name) => Returns::Loaded(type_name(name)),
            // A promise of an interface: the object itself.
            Ref::Id(_) if is_object(owner) => Returns::Loaded(type_name(owner)),
            Ref::Id(_) => return None,
            Ref::List(of) => match &of.of {
                Ref::Named(name) if is_object(name) => Returns::Objects(type_name(name)),
                Ref::Id(_) => return None,
                _ => Returns::Value(self.given(ty)?),
            },
        })
    }
}

/// What an object needs beside its fields.
fn head(out: &mut String, name: &str, ty: &Type) {
    document(out, "", name, &ty.description, "is an object of the API.");
    let load = format!("load{}FromID", ty.name);
    put!(
        out,
        "type {name} struct {{\n\tquery *querybuilder.Selection\n}}\n\n\
         // {name}ID is the id of a {name}.\n\
         type {name}ID = ID\n\n\
         // With{name}Func is what {name}.With calls.\n\
         type With{name}Func func(r *{name}) *{name}\n\n\
         // With calls a function with the object, so that a chain stays in one piece.\n\
         func (r *{name}) With(f With{name}Func) *{name} {{\n\treturn f(r)\n}}\n\n\
         // WithGraphQLQuery returns the object that a selection stands for, for generated code.\n\
         func (r *{name}) WithGraphQLQuery(q *querybuilder.Selection) *{name} {{\n\treturn &{name}{{query: q}}\n}}\n\n\
         // GraphQLQuery returns the object's selection, for generated code.\n\
         func (r *{name}) GraphQLQuery() *querybuilder.Selection {{\n\treturn r.query\n}}\n\n\
         // GraphQLID returns the object's id as text, for generated code.\n\
         func (r *{name}) GraphQLID(ctx context.Context) (string, error) {{\n\treturn r.query.ID(ctx)\n}}\n\n\
         // ID returns the object's id, by which any program of the session can load it.\n\
         func (r *{name}) ID(ctx context.Context) ({name}ID, error) {{\n\
         \tid, err := r.query.ID(ctx)\n\treturn ID(id), err\n}}\n\n\
         // MarshalJSON writes the object's id.\n\
         func (r *{name}) MarshalJSON() ([]byte, error) {{\n\
         \tid, err := r.query.ID(context.Background())\n\
         \tif err != nil {{\n\t\treturn nil, err\n\t}}\n\treturn json.Marshal(id)\n}}\n\n\
         // UnmarshalJSON reads an id.\n\
         func (r *{name}) UnmarshalJSON(data []byte) error {{\n\
         \tq, err := unmarshalID(\"{load}\", data)\n\tr.query = q\n\treturn err\n}}\n\n",
    );
}

/// The end of a method: what is done with the selection `q`.
fn finish(out: &mut String, returns: &Returns) {
    match returns {
        Returns::Object(name) => {
            putln!(out, "\treturn new({name}).WithGraphQLQuery(q)");
        }
        Returns::Value(kind) => {
            put!(
                out,
                "\tvar response {kind}\n\terr := q.Execute(ctx, &response)\n\treturn response, err\n"
            );
        }
        Returns::Nothing => out.push_str("\treturn q.Execute(ctx, nil)\n"),
        Returns::Loaded(name) => {
            put!(
                out,
                "\tvar id ID\n\tif err := q.Execute(ctx, &id); err != nil {{\n\t\treturn nil, err\n\t}}\n\
                 \treturn new({name}).WithGraphQLQuery(q.Root().Select(\"load{name}FromID\").Arg(\"id\", id)), nil\n"
            );
        }
        Returns::Objects(name) => {
            put!(
                out,
                "\tids, err := q.IDs(ctx)\n\tif err != nil {{\n\t\treturn nil, err\n\t}}\n\
                 \tfound := make([]{name}, 0, len(ids))\n\
                 \tfor _, id := range ids {{\n\
                 \t\tfound = append(found, *new({name}).WithGraphQLQuery(q.Root().Select(\"load{name}FromID\").Arg(\"id\", id)))\n\
                 \t}}\n\treturn found, nil\n"
            );
        }
    }
}

fn scalar(out: &mut String, ty: &Type) {
    if builtin(&ty.name).is_some() || ty.name == "Void" || ty.name == "ID" {
        return;
    }
    let name = type_name(&ty.name);
    document(
        out,
        "",
        &name,
        &ty.description,
        "is a text with a form of its own.",
    );
    put!(out, "type {name} string\n\n");
}

fn enumeration(out: &mut String, ty: &Type, members: &[EnumValue], unscoped: &[String]) {
    let name = type_name(&ty.name);
    document(out, "", &name, &ty.description, "is one of a few values.");
    put!(
        out,
        "type {name} string\n\n// IsEnum tells that values are written without quotes.\nfunc ({name}) IsEnum() {{}}\n\nconst (\n"
    );
    for value in distinct(members) {
        let short = member(&value.name);
        let full = format!("{name}{short}");
        document(
            out,
            "\t",
            &full,
            &value.description,
            &format!("is the value {}.", value.name),
        );
        putln!(out, "\t{full} {name} = \"{}\"", value.name);
        if unscoped.contains(&short) {
            putln!(out, "\t// {short} is {full}.\n\t{short} = {full}");
        }
    }
    out.push_str(")\n\n");
}

/// Values without those that Go would give the name of an earlier one.
fn distinct(members: &[EnumValue]) -> Vec<&EnumValue> {
    let mut seen = Vec::new();
    members
        .iter()
        .filter(|value| {
            let name = member(&value.name);
            let new = !seen.contains(&name);
            seen.push(name);
            new
        })
        .collect()
}

/// The Go type of a scalar that has one of its own.
fn builtin(name: &str) -> Option<&'static str> {
    Some(match name {
        "String" => "string",
        "Int" => "int",
        "Float" => "float64",
        "Boolean" => "bool",
        "ID" => "ID",
        _ => return None,
    })
}

/// Writes a documentation comment that begins with the name, as Go wants it.
fn document(out: &mut String, indent: &str, name: &str, description: &str, fallback: &str) {
    let text = description.trim();
    let mut chars = text.chars();
    let sentence = match (chars.next(), chars.next()) {
        (None, _) => format!("{name} {fallback}"),
        (Some(first), Some(second))
            if first.is_ascii_uppercase() && (second.is_lowercase() || second == ' ') =>
        {
            format!("{name} {}{}", first.to_ascii_lowercase(), &text[1..])
        }
        _ => format!("{name}: {text}"),
    };
    for line in sentence.lines() {
        let line = format!("{indent}// {}", line.trim());
        putln!(out, "{}", line.trim_end());
    }
}
