//! What a Go module gets of its own: the package `internal/dagger` with all types it can use, and the
//! part of its main package that calls its functions.

use super::client::Client;
use super::{GENERATED, is_internal};
use crate::codegen::schema::{Kind, Schema, Type};
use crate::module::go::{
    GoEnum, GoFunction, GoInterface, GoMethod, GoObject, GoParam, GoResult, Package,
};
use crate::module::python::StaticError;
use crate::module::sdk_go::{self, Declared};
use std::collections::BTreeMap;

/// Names of the SDK's package that are not in its generated part.
const WRITTEN: &[&str] = &[
    "ClientOpt",
    "DaggerObject",
    "ExecError",
    "QueryError",
    "Request",
    "Response",
];

/// `internal/dagger/dagger.gen.go`: the core's types under their names, and those of other modules.
///
/// The core is the SDK's own package, so that it is compiled once for all modules.
pub(super) fn package(schema: &Schema, added: &Schema) -> String {
    let types: Vec<&Type> = added.types.values().filter(|ty| !is_internal(ty)).collect();
    let client = Client {
        schema,
        interfaces: true,
        with_unscoped_values: false,
    };
    let own = client.types(types.iter().copied());
    let loaders = client.loaders(types.iter().copied());
    let mut imports = String::from("\tsdk \"dagger.io/dagger\"\n");
    if own.contains("querybuilder.") {
        imports.push_str("\t\"dagger.io/dagger/querybuilder\"\n");
    }
    let standard = match (own.contains("context."), own.contains("json.")) {
        (true, true) => "\t\"context\"\n\t\"encoding/json\"\n\n",
        (true, false) => "\t\"context\"\n\n",
        _ => "",
    };
    let mut out = format!(
        "{GENERATED}// Package dagger is the engine's API as this module sees it.\npackage dagger\n\nimport (\n{standard}{imports})\n\n\
         // Client is the root of the API.\ntype Client struct {{\n\t*sdk.Client\n}}\n\n\
         // Connect returns a client for the session that the module runs in.\n\
         func Connect() *Client {{\n\treturn &Client{{sdk.Ambient()}}\n}}\n\n"
    );
    if own.contains("unmarshalID(") {
        out.push_str(
            "func unmarshalID(load string, data []byte) (*querybuilder.Selection, error) {\n\
             \tvar id string\n\tif err := json.Unmarshal(data, &id); err != nil {\n\t\treturn nil, err\n\t}\n\
             \treturn sdk.Ambient().GraphQLQuery().Select(load).Arg(\"id\", id), nil\n}\n\n",
        );
    }
    let taken = |name: &str| types.iter().any(|ty| ty.name == name);
    aliases(&mut out, "sdk", |name| !taken(name) && name != "Client");
    out.push_str(&own);
    out.push_str(&loaders);
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// Names of the SDK's package under the same names in this one.
fn aliases(out: &mut String, package: &str, wanted: impl Fn(&str) -> bool) {
    let names = sdk_go::names().iter().map(|(name, kind)| (*name, *kind));
    let written = WRITTEN.iter().map(|name| (*name, Declared::Type));
    let (mut types, mut consts) = (Vec::new(), Vec::new());
    for (name, kind) in names.chain(written).filter(|(name, _)| wanted(name)) {
        match kind {
            Declared::Const => consts.push(name),
            _ => types.push(name),
        }
    }
    for name in types {
        put!(
            out,
            "// {name} is {package}.{name}.\ntype {name} = {package}.{name}\n\n"
        );
    }
    if !consts.is_empty() {
        out.push_str("const (\n");
        for name in consts {
            putln!(
                out,
                "\t// {name} is {package}.{name}.\n\t{name} = {package}.{name}"
            );
        }
        out.push_str(")\n\n");
    }
}

/// `dagger.gen.go`: the part of the main package that calls the module's functions. `client` is what [`package`] gave.
///
/// # Errors
/// If the module mentions a type that is nobody's, with file and line.
pub(super) fn main(
    import_path: &str,
    package: &Package,
    schema: &Schema,
    added: &Schema,
    client: &str,
) -> Result<String, StaticError> {
    check_foreign(package, schema)?;
    let mut body = String::new();
    for object in &package.objects {
        restore(&mut body, object);
    }
    for ty in &package.enums {
        enumeration(&mut body, ty);
    }
    for interface in &package.interfaces {
        implement(&mut body, interface, package);
    }
    dispatch(&mut body, package);
    unprefixed(&mut body, package, added, client);
    let json = if body.contains("json.") {
        "\t\"encoding/json\"\n"
    } else {
        ""
    };
    let fmt = if body.contains("fmt.") {
        "\t\"fmt\"\n"
    } else {
        ""
    };
    let builder = if body.contains("querybuilder.") {
        "\t\"dagger.io/dagger/querybuilder\"\n"
    } else {
        ""
    };
    let mut out = format!(
        "{GENERATED}package main\n\nimport (\n\t\"context\"\n{json}{fmt}\n\t\"{import_path}/internal/dagger\"\n\t\"dagger.io/dagger/module\"\n{builder})\n\n"
    );
    if !package.declared.contains("dag") {
        out.push_str("// dag is the root of the API.\nvar dag = dagger.Connect()\n\n");
    }
    out.push_str("func main() {\n\tmodule.Serve(invoke)\n}\n\n");
    out.push_str(body.trim_end());
    out.push('\n');
    Ok(out)
}

fn check_foreign(package: &Package, schema: &Schema) -> Result<(), StaticError> {
    for (name, place) in &package.foreign {
        if schema.get(name).is_none() {
            return Err(StaticError::Invalid {
                file: place.file.clone(),
                line: place.line,
                message: format!(
                    "there is no type `{name}`: neither this package nor the API nor a dependency has it"
                ),
            });
        }
    }
    Ok(())
}

/// Types that old code writes without a prefix, and `Optional`.
fn unprefixed(out: &mut String, package: &Package, added: &Schema, client: &str) {
    if package.mentioned.contains("Optional") && !package.declared.contains("Optional") {
        out.push_str(OPTIONAL);
    }
    if package.dotted {
        return;
    }
    // Code that uses the prefix gets only what it mentions: anything more would be in its way.
    let wanted = |name: &str| {
        !package.declared.contains(name)
            && (!package.prefixed || package.mentioned.contains(name))
            && name != "Client"
    };
    aliases(out, "dagger", wanted);
    for ty in added
        .types
        .values()
        .filter(|ty| !is_internal(ty) && ty.name != "Query")
    {
        if wanted(&ty.name) && !matches!(ty.kind, Kind::Scalar) {
            alias(out, &ty.name);
        }
    }
    // Optional arguments of other modules' functions.
    let options = client.lines().filter_map(|line| {
        let name = line.strip_prefix("type ")?.strip_suffix(" struct {")?;
        name.ends_with("Opts").then_some(name)
    });
    for name in options.filter(|name| package.mentioned.contains(*name) && wanted(name)) {
        alias(out, name);
    }
}

fn alias(out: &mut String, name: &str) {
    put!(
        out,
        "// {name} is dagger.{name}.\ntype {name} = dagger.{name}\n\n"
    );
}

const OPTIONAL: &str = "// Optional is a value that need not be given.
type Optional[T any] struct {
	value T
	given bool
}

// Opt returns a value as one that was given.
func Opt[T any](value T) Optional[T] {
	return Optional[T]{value, true}
}

// OptEmpty returns a value that was not given.
func OptEmpty[T any]() Optional[T] {
	return Optional[T]{}
}

// Get returns the value, and whether it was given.
func (o Optional[T]) Get() (T, bool) {
	return o.value, o.given
}

// GetOr returns the value, or another if none was given.
func (o Optional[T]) GetOr(other T) T {
	if o.given {
		return o.value
	}
	return other
}

// MarshalJSON writes the value, or null.
func (o Optional[T]) MarshalJSON() ([]byte, error) {
	if !o.given {
		return []byte(\"null\"), nil
	}
	return json.Marshal(o.value)
}

// UnmarshalJSON reads a value or null.
func (o *Optional[T]) UnmarshalJSON(data []byte) error {
	if o.given = string(data) != \"null\"; !o.given {
		return nil
	}
	return json.Unmarshal(data, &o.value)
}

";

fn client_of(interface: &str) -> String {
    let mut name = interface.to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    name + "Client"
}

/// How a struct with interfaces in it is made from its state.
fn restore(out: &mut String, object: &GoObject) {
    if object.interface_fields.is_empty() {
        return;
    }
    let name = &object.name;
    let mut fields = String::new();
    let mut copies = String::new();
    for (field, key, interface, list) in &object.interface_fields {
        let client = client_of(interface);
        let lists = if *list { "[]" } else { "" };
        putln!(fields, "\t\t{field} {lists}*{client} `json:\"{key}\"`");
        if *list {
            putln!(
                copies,
                "\tfor _, value := range state.{field} {{\n\t\tr.{field} = append(r.{field}, value)\n\t}}"
            );
        } else {
            putln!(
                copies,
                "\tif state.{field} != nil {{\n\t\tr.{field} = state.{field}\n\t}}"
            );
        }
    }
    // The outer fields hide those of the same name inside of the embedded type.
    put!(
        out,
        "// UnmarshalJSON reads the state of an object.\nfunc (r *{name}) UnmarshalJSON(data []byte) error {{\n\
         \ttype plain {name}\n\tstate := struct {{\n\t\t*plain\n{fields}\t}}{{plain: (*plain)(r)}}\n\
         \tif err := json.Unmarshal(data, &state); err != nil {{\n\t\treturn err\n\t}}\n{copies}\treturn nil\n}}\n\n"
    );
}

fn enumeration(out: &mut String, ty: &GoEnum) {
    let name = &ty.name;
    let (mut to, mut from) = (String::new(), String::new());
    for (member, value) in &ty.members {
        let value = serde_json::Value::from(value.as_str());
        putln!(to, "\tcase {value}:\n\t\treturn json.Marshal(\"{member}\")");
        putln!(from, "\tcase \"{member}\":\n\t\t*r = {value}");
    }
    put!(
        out,
        "// MarshalJSON writes the name of the value.\nfunc (r {name}) MarshalJSON() ([]byte, error) {{\n\
         \tswitch r {{\n{to}\t}}\n\treturn json.Marshal(string(r))\n}}\n\n\
         // UnmarshalJSON reads the name of a value.\nfunc (r *{name}) UnmarshalJSON(data []byte) error {{\n\
         \tvar name string\n\tif err := json.Unmarshal(data, &name); err != nil {{\n\t\treturn err\n\t}}\n\
         \tswitch name {{\n{from}\tdefault:\n\t\treturn fmt.Errorf(\"%q is no {name}\", name)\n\t}}\n\treturn nil\n}}\n\n"
    );
}

/// A type that implements an interface by asking the object behind it.
fn implement(out: &mut String, interface: &GoInterface, package: &Package) {
    let name = &interface.name;
    let client = client_of(name);
    let api_name = package.types.api_name(name).unwrap_or(name);
    put!(
        out,
        "// {client} is a {name} of another module.\ntype {client} struct {{\n\tquery *querybuilder.Selection\n}}\n\n\
         // GraphQLID returns the object's id.\n\
         func (r *{client}) GraphQLID(ctx context.Context) (string, error) {{\n\treturn r.query.ID(ctx)\n}}\n\n\
         // MarshalJSON writes the object's id.\nfunc (r *{client}) MarshalJSON() ([]byte, error) {{\n\
         \tid, err := r.query.ID(context.Background())\n\tif err != nil {{\n\t\treturn nil, err\n\t}}\n\treturn json.Marshal(id)\n}}\n\n\
         // UnmarshalJSON reads an id.\nfunc (r *{client}) UnmarshalJSON(data []byte) error {{\n\
         \tvar id string\n\tif err := json.Unmarshal(data, &id); err != nil {{\n\t\treturn err\n\t}}\n\
         \tr.query = dag.GraphQLQuery().Select(\"load{api_name}FromID\").Arg(\"id\", id)\n\treturn nil\n}}\n\n"
    );
    for method in &interface.methods {
        ask(out, &client, method, package);
    }
}

fn ask(out: &mut String, client: &str, method: &GoMethod, package: &Package) {
    let mut params: Vec<String> = Vec::new();
    if method.context {
        params.push("ctx context.Context".into());
    }
    let numbered = method.args.iter().enumerate();
    params.extend(numbered.map(|(at, (_, ty))| format!("arg{at} {ty}")));
    let mut query = format!("r.query.Select(\"{}\")", method.api_name);
    for (at, (name, _)) in method.args.iter().enumerate() {
        put!(query, ".Arg(\"{name}\", arg{at})");
    }
    let result = match (&method.value, method.error) {
        (Some(value), true) => format!(" ({value}, error)"),
        (Some(value), false) => format!(" {value}"),
        (None, true) => " error".into(),
        (None, false) => String::new(),
    };
    putln!(
        out,
        "func (r *{client}) {}({}){result} {{",
        method.name,
        params.join(", ")
    );
    match (&method.object, &method.value) {
        (Some(object), _) => {
            let own = package.interfaces.iter().any(|known| known.name == *object);
            if own {
                putln!(out, "\treturn &{}{{{query}}}", client_of(object));
            } else {
                let object = object.trim_start_matches('*');
                putln!(out, "\treturn new({object}).WithGraphQLQuery({query})");
            }
        }
        (None, Some(value)) => {
            putln!(
                out,
                "\tvar response {value}\n\terr := {query}.Execute(ctx, &response)\n\treturn response, err"
            );
        }
        (None, None) => {
            putln!(out, "\treturn {query}.Execute(ctx, nil)");
        }
    }
    out.push_str("}\n\n");
}

fn dispatch(out: &mut String, package: &Package) {
    out.push_str("func invoke(ctx context.Context, call *module.Call) (any, error) {\n\tswitch call.Object + \".\" + call.Function {\n");
    let mut order: BTreeMap<String, String> = BTreeMap::new();
    for object in &package.objects {
        let name = &object.name;
        for function in &object.functions {
            let mut case = format!(
                "\t\tvar parent {name}\n\t\tif err := call.State(&parent); err != nil {{\n\t\t\treturn nil, err\n\t\t}}\n"
            );
            invocation(&mut case, &format!("parent.{}", function.name), function);
            order.insert(format!("{name}.{}", function.name), case);
        }
        if let Some(constructor) = &object.constructor {
            let mut case = String::new();
            invocation(&mut case, "New", constructor);
            order.insert(format!("{name}."), case);
        }
    }
    for (name, case) in order {
        put!(out, "\tcase \"{name}\":\n{case}");
    }
    out.push_str("\t}\n\treturn nil, call.Unknown()\n}\n\n");
}

/// Decodes the arguments and calls a function.
fn invocation(out: &mut String, callee: &str, function: &GoFunction) {
    let mut given: Vec<String> = Vec::new();
    if function.context {
        given.push("ctx".into());
    }
    for (at, param) in function.params.iter().enumerate() {
        let decode = |out: &mut String, name: &str, into: &str| {
            putln!(
                out,
                "\t\tif err := call.Arg(\"{name}\", &{into}); err != nil {{\n\t\t\treturn nil, err\n\t\t}}"
            );
        };
        match param {
            GoParam::Inline { ty, fields } => {
                putln!(out, "\t\tvar arg{at} {ty}");
                for (name, field) in fields {
                    decode(out, name, &format!("arg{at}.{field}"));
                }
                given.push(format!("arg{at}"));
            }
            GoParam::One {
                name,
                ty,
                variadic,
                interface,
            } => {
                let dots = if *variadic { "..." } else { "" };
                match interface {
                    None => {
                        putln!(out, "\t\tvar arg{at} {ty}");
                        decode(out, name, &format!("arg{at}"));
                    }
                    Some((interface, true)) => {
                        let client = client_of(interface);
                        putln!(out, "\t\tvar ids{at} []*{client}");
                        decode(out, name, &format!("ids{at}"));
                        putln!(
                            out,
                            "\t\tvar arg{at} []{interface}\n\t\tfor _, value := range ids{at} {{\n\t\t\targ{at} = append(arg{at}, value)\n\t\t}}"
                        );
                    }
                    Some((interface, false)) => {
                        let client = client_of(interface);
                        putln!(out, "\t\tvar id{at} *{client}");
                        decode(out, name, &format!("id{at}"));
                        putln!(
                            out,
                            "\t\tvar arg{at} {interface}\n\t\tif id{at} != nil {{\n\t\t\targ{at} = id{at}\n\t\t}}"
                        );
                    }
                }
                given.push(format!("arg{at}{dots}"));
            }
        }
    }
    let called = format!("{callee}({})", given.join(", "));
    match function.result {
        GoResult::Nothing => putln!(out, "\t\t{called}\n\t\treturn nil, nil"),
        GoResult::Receiver => putln!(out, "\t\t{called}\n\t\treturn &parent, nil"),
        GoResult::Error => putln!(out, "\t\treturn nil, {called}"),
        GoResult::Value => putln!(out, "\t\treturn {called}, nil"),
        GoResult::ValueAndError => putln!(out, "\t\treturn {called}"),
    }
}
