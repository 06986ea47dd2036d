//! What annotations and constants mean.

use super::super::StaticError;
use super::super::syntax::{self, Expr};
use super::{
    Binding, CORE_ENUMS, CORE_SCALARS, Metadata, Place, Program, Role, canonical, clean, is_list,
    package_of, shown,
};
use crate::module::typedef::{TypeKind, TypeRef};
use serde_json::Value as Json;

impl Program<'_> {
    /// Full name of what an expression refers to outside of the program; `None` if it does not.
    pub(super) fn path(&self, file: &str, expr: &Expr) -> Option<String> {
        match expr {
            Expr::Name(name) => match self.scopes[file].get(name) {
                Some(Binding::External(path)) => Some(canonical(path)),
                Some(Binding::Value(value)) if value != expr => self.path(file, value),
                Some(_) => None,
                None => Some(format!("builtins.{name}")),
            },
            Expr::Attr(object, name) => {
                if let Some(target) = self.file_of(file, object) {
                    return self.path(&target, &Expr::Name(name.clone()));
                }
                Some(canonical(&format!("{}.{name}", self.path(file, object)?)))
            }
            _ => None,
        }
    }

    /// File of the program an expression refers to.
    fn file_of(&self, file: &str, expr: &Expr) -> Option<String> {
        match expr {
            Expr::Name(name) => match self.scopes[file].get(name) {
                Some(Binding::File(target)) => Some(target.clone()),
                _ => None,
            },
            Expr::Attr(object, name) => {
                let package = self.file_of(file, object)?;
                match self.scopes[&package].get(name) {
                    Some(Binding::File(target)) => Some(target.clone()),
                    _ => self.module_file(&format!("{}{name}", package_of(&package, 1))),
                }
            }
            _ => None,
        }
    }

    /// Class of the program an expression refers to.
    pub(super) fn class_of(&self, file: &str, expr: &Expr) -> Option<usize> {
        match expr {
            Expr::Name(name) => match self.scopes[file].get(name)? {
                Binding::Class(at) => Some(*at),
                Binding::Value(value) if value != expr => self.class_of(file, value),
                _ => None,
            },
            Expr::Attr(object, name) => {
                self.class_of(&self.file_of(file, object)?, &Expr::Name(name.clone()))
            }
            _ => None,
        }
    }

    /// A keyword argument that must be text known from the source.
    pub(super) fn text_argument(
        &self,
        place: Place<'_>,
        call: &Expr,
        name: &str,
    ) -> Result<Option<String>, StaticError> {
        match call.argument(name) {
            None | Some(Expr::None) => Ok(None),
            Some(value) => self.text(place, value).map(Some),
        }
    }

    fn text(&self, place: Place<'_>, expr: &Expr) -> Result<String, StaticError> {
        match self.constant(place, expr)? {
            Json::String(text) => Ok(text),
            other => Err(place.invalid(format!("expected text, found {other}"))),
        }
    }

    /// The value of an expression as a default.
    pub(super) fn constant(&self, place: Place<'_>, expr: &Expr) -> Result<Json, StaticError> {
        match expr {
            Expr::None => Ok(Json::Null),
            Expr::Str(text) => Ok(text.as_str().into()),
            Expr::Int(number) => Ok((*number).into()),
            Expr::Float(number) => Ok((*number).into()),
            Expr::Bool(truth) => Ok((*truth).into()),
            Expr::List(elements) | Expr::Tuple(elements) => elements
                .iter()
                .map(|element| self.constant(place, element))
                .collect(),
            Expr::Name(name) => match self.scopes[place.file].get(name) {
                Some(Binding::Value(value)) if value != expr => self.constant(place, value),
                _ => {
                    Err(place.needs_runtime(format!("the value of `{name}` is not in the source")))
                }
            },
            Expr::Attr(object, member) => {
                if let Some(at) = self.class_of(place.file, object) {
                    let class = &self.classes[at];
                    let known = class.class.attributes.iter().any(|a| a.name == *member);
                    if class.role == Role::Enum && known {
                        return Ok(member.as_str().into());
                    }
                }
                match self.path(place.file, object) {
                    Some(path) if path.starts_with("dagger.") => Ok(member.as_str().into()),
                    _ => Err(place.needs_runtime(format!("the value of `{member}` is computed"))),
                }
            }
            _ => Err(place.needs_runtime("the value is computed")),
        }
    }

    /// The type an annotation stands for.
    pub(super) fn type_of(
        &self,
        place: Place<'_>,
        expr: &Expr,
        metadata: &mut Metadata,
    ) -> Result<TypeRef, StaticError> {
        let what = |expr: &Expr| format!("`{}` is not a type the API has", shown(expr));
        if let Some(at) = self.class_of(place.file, expr) {
            return self.own_type(place, at);
        }
        match expr {
            Expr::None => Ok(TypeRef::new(TypeKind::Void)),
            Expr::Str(text) => self.type_of(place, &syntax::parse_expression(text), metadata),
            Expr::Or(left, right) => self.union(place, &[left, right], metadata),
            Expr::Subscript(base, arguments) => {
                let path = self.path(place.file, base).unwrap_or_default();
                match (path.as_str(), &arguments[..]) {
                    ("typing.Optional", [inner]) => {
                        Ok(self.type_of(place, inner, metadata)?.optional())
                    }
                    ("typing.Union", members) => {
                        self.union(place, &members.iter().collect::<Vec<_>>(), metadata)
                    }
                    ("typing.Annotated", [inner, notes @ ..]) => {
                        self.read_metadata(place, notes, metadata)?;
                        self.type_of(place, inner, metadata)
                    }
                    (path, [element]) if is_list(path) => self.list(place, element),
                    ("builtins.tuple" | "typing.Tuple", [element, Expr::Other(dots)])
                        if dots == "..." =>
                    {
                        self.list(place, element)
                    }
                    _ => Err(place.invalid(what(expr))),
                }
            }
            Expr::Name(name) => {
                if let Some(Binding::Value(value)) = self.scopes[place.file].get(name)
                    && value != expr
                {
                    return self.type_of(place, value, metadata);
                }
                self.external_type(place, expr)
            }
            Expr::Attr(object, name) => match self.file_of(place.file, object) {
                Some(file) => {
                    let there = Place {
                        file: &file,
                        ..place
                    };
                    self.type_of(there, &Expr::Name(name.clone()), metadata)
                }
                None => self.external_type(place, expr),
            },
            _ => Err(place.invalid(what(expr))),
        }
    }

    fn list(&self, place: Place<'_>, element: &Expr) -> Result<TypeRef, StaticError> {
        // What is said about the elements is not said about the list.
        Ok(TypeRef::list(self.type_of(
            place,
            element,
            &mut Metadata::default(),
        )?))
    }

    fn union(
        &self,
        place: Place<'_>,
        members: &[&Expr],
        metadata: &mut Metadata,
    ) -> Result<TypeRef, StaticError> {
        let some: Vec<_> = members
            .iter()
            .filter(|member| ***member != Expr::None)
            .collect();
        match some[..] {
            [inner] if some.len() < members.len() => {
                let mut inside = Metadata::default();
                let ty = self.type_of(place, inner, &mut inside)?.optional();
                if !metadata.present {
                    *metadata = inside;
                }
                Ok(ty)
            }
            _ => Err(place.invalid("a union of several types is not a type the API has")),
        }
    }

    fn own_type(&self, place: Place<'_>, at: usize) -> Result<TypeRef, StaticError> {
        let class = &self.classes[at];
        let name = class.name.clone();
        Ok(TypeRef::new(match class.role {
            Role::Object => TypeKind::Object { name },
            Role::Interface => TypeKind::Interface { name },
            Role::Enum => TypeKind::Enum { name },
            Role::Plain => {
                return Err(place.invalid(format!(
                    "`{name}` is not a type the API has: it is neither `@object_type`, `@interface` nor `@enum_type`"
                )));
            }
        }))
    }

    fn external_type(&self, place: Place<'_>, expr: &Expr) -> Result<TypeRef, StaticError> {
        let path = self.path(place.file, expr).unwrap_or_default();
        let kind = match path.as_str() {
            "builtins.str" => TypeKind::String,
            "builtins.int" => TypeKind::Integer,
            "builtins.float" => TypeKind::Float,
            "builtins.bool" => TypeKind::Boolean,
            "dagger.Void" | "types.NoneType" => TypeKind::Void,
            "typing.Self" => match place.owner {
                Some(owner) => return self.own_type(place, owner),
                None => return Err(place.invalid("`Self` outside of a class")),
            },
            _ => match path.strip_prefix("dagger.") {
                Some(name) if CORE_ENUMS.contains(&name) => TypeKind::Enum { name: name.into() },
                Some(name) if CORE_SCALARS.contains(&name) => {
                    TypeKind::Scalar { name: name.into() }
                }
                Some("Client") => TypeKind::Object {
                    name: "Query".into(),
                },
                Some(name) if name.starts_with(|c: char| c.is_ascii_uppercase()) => {
                    if name.ends_with("ID") {
                        TypeKind::Scalar { name: "ID".into() }
                    } else {
                        TypeKind::Object { name: name.into() }
                    }
                }
                _ => {
                    let message = format!("`{}` is not a type the API has", shown(expr));
                    let known = [
                        "builtins.",
                        "typing.",
                        "dagger.",
                        "collections.",
                        "pathlib.",
                    ];
                    return Err(if known.iter().any(|module| path.starts_with(module)) {
                        place.invalid(message)
                    } else {
                        place.needs_runtime(message)
                    });
                }
            },
        };
        Ok(TypeRef::new(kind))
    }

    fn read_metadata(
        &self,
        place: Place<'_>,
        notes: &[Expr],
        metadata: &mut Metadata,
    ) -> Result<(), StaticError> {
        metadata.present |= !notes.is_empty();
        for note in notes {
            let Expr::Call { args, .. } = note else {
                continue;
            };
            let path = self.path(place.file, note.callee()).unwrap_or_default();
            let value = |name: &str| args.first().or_else(|| note.argument(name));
            let text = |name: &str| value(name).map(|value| self.text(place, value)).transpose();
            match path.as_str() {
                "dagger.Doc" | "typing.Doc" => {
                    let doc = text("documentation")?.map(|doc| clean(&doc));
                    metadata.doc = metadata.doc.take().or(doc);
                }
                "dagger.Name" => metadata.name = metadata.name.take().or(text("name")?),
                "dagger.DefaultPath" => metadata.default_path = text("from_context")?,
                "dagger.DefaultAddress" => metadata.default_address = text("address")?,
                "dagger.Deprecated" => {
                    metadata.deprecated = Some(text("reason")?.unwrap_or_default());
                }
                "dagger.Ignore" => {
                    let patterns =
                        value("patterns").map_or(Ok(Json::Null), |v| self.constant(place, v))?;
                    let patterns = patterns.as_array().cloned().unwrap_or_default();
                    metadata.ignore = patterns
                        .iter()
                        .filter_map(Json::as_str)
                        .map(str::to_owned)
                        .collect();
                }
                "dagger.Arg" => {
                    let doc = args.get(1).or_else(|| note.argument("doc"));
                    let doc = doc.map(|doc| self.text(place, doc)).transpose()?;
                    metadata.doc = metadata.doc.take().or(doc.map(|doc| clean(&doc)));
                    metadata.name = metadata.name.take().or(text("name")?);
                }
                _ => {}
            }
        }
        Ok(())
    }
}
