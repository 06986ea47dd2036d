//! Types other than classes: objects without functions, interfaces, enums.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::describe::Describer;
use super::program::{Named, Place};
use super::runtime;
use super::syntax::{
    Class, DeclarationKind, Doc, Member, MemberKind, Signature, Type, TypeKind as Written,
};
use crate::module::python::StaticError;
use crate::module::typedef::{EnumMember, EnumType, Field, InterfaceType, ObjectType};

impl Describer<'_, '_> {
    pub(super) fn data(
        &mut self,
        place: Place,
        name: &str,
        doc: &Doc,
        members: &[Signature],
    ) -> Result<(), StaticError> {
        let mut object = ObjectType {
            name: name.to_owned(),
            description: doc.text.clone(),
            deprecated: doc.deprecated.clone(),
            source: Some(self.location(place)),
            ..ObjectType::default()
        };
        let mut info = runtime::Object::default();
        for member in members {
            let Some(ty) = &member.ty else { continue };
            let mut ty = self.type_ref(place.0, ty, name)?;
            ty.optional |= member.optional;
            info.fields.push(runtime::StateField {
                key: member.name.clone(),
                property: member.name.clone(),
                ty: Some(ty.clone()),
            });
            object.fields.push(Field {
                name: member.name.clone(),
                api_name: String::new(),
                cli_name: String::new(),
                description: member.doc.text.clone(),
                ty,
                deprecated: member.doc.deprecated.clone(),
            });
        }
        self.types.objects.push(object);
        self.runtime.objects.insert(name.to_owned(), info);
        Ok(())
    }

    pub(super) fn interface(
        &mut self,
        place: Place,
        name: &str,
        doc: &Doc,
        members: &[Signature],
        extends: &[Type],
    ) -> Result<(), StaticError> {
        let mut interface = InterfaceType {
            name: name.to_owned(),
            description: doc.text.clone(),
            source: Some(self.location(place)),
            ..InterfaceType::default()
        };
        let mut info = runtime::Interface::default();
        let mut all: Vec<(usize, Signature)> = Vec::new();
        for base in extends {
            if let Written::Name(path, _) = &base.kind
                && let (Named::Declared(base), []) = self.program.find(place.0, path)
                && let DeclarationKind::Interface(members, _) = &self.program.declaration(base).kind
            {
                all.extend(members.iter().cloned().map(|member| (base.0, member)));
            }
        }
        all.extend(members.iter().cloned().map(|member| (place.0, member)));
        for (file, member) in all {
            let fail = |what: String| Err(self.invalid(file, member.line, what));
            if member.name.is_empty() {
                return fail("an interface of the API has named functions only".into());
            }
            let (params, returns) = match &member.ty {
                Some(Type {
                    kind: Written::Function(params, returns),
                    ..
                }) => (params.as_slice(), returns.as_deref()),
                ty => (&[][..], ty.as_ref()),
            };
            let (mut function, args) =
                self.function(file, name, params, &member.doc, Some(returns), member.line)?;
            function.name.clone_from(&member.name);
            let method = runtime::Method {
                property: member.name.clone(),
                getter: false,
                args,
                returns: function.returns.clone(),
            };
            info.functions.insert(member.name.clone(), method);
            interface.functions.push(function);
        }
        self.types.interfaces.push(interface);
        self.runtime.interfaces.insert(name.to_owned(), info);
        Ok(())
    }

    pub(super) fn native_enum(
        &mut self,
        place: Place,
        name: &str,
        doc: &Doc,
        members: &[Member],
    ) -> Result<(), StaticError> {
        let mut values = BTreeMap::new();
        let mut described = Vec::new();
        let mut next = Some(0_i64);
        for member in members {
            let value = match (&member.value, next) {
                (None, Some(number)) => number.into(),
                (Some(value), _) => match self.constant(place.0, value) {
                    Some(value @ (Json::String(_) | Json::Number(_))) => value,
                    _ => {
                        let what = format!("the value of `{}` must be written out", member.name);
                        return Err(self.invalid(place.0, member.line, what));
                    }
                },
                (None, None) => {
                    let what = format!("`{}` needs a value", member.name);
                    return Err(self.invalid(place.0, member.line, what));
                }
            };
            next = value.as_i64().map(|number| number + 1);
            described.push(enum_member(&member.name, &member.doc, &value));
            values.insert(member.name.clone(), value);
        }
        self.add_enum(place, name, doc, described, values);
        Ok(())
    }

    pub(super) fn enum_class(&mut self, place: Place, name: &str, doc: &Doc, class: &Class) {
        let mut values = BTreeMap::new();
        let mut described = Vec::new();
        for member in class.members.iter().filter(|member| member.is_static) {
            let MemberKind::Property(_, _, value) = &member.kind else {
                continue;
            };
            let value = value.as_ref().and_then(|v| self.constant(place.0, v));
            let value = value.unwrap_or_else(|| member.name.as_str().into());
            described.push(enum_member(&member.name, &member.doc, &value));
            values.insert(member.name.clone(), value);
        }
        self.add_enum(place, name, doc, described, values);
    }

    fn add_enum(
        &mut self,
        place: Place,
        name: &str,
        doc: &Doc,
        members: Vec<EnumMember>,
        values: BTreeMap<String, Json>,
    ) {
        self.types.enums.push(EnumType {
            name: name.to_owned(),
            api_name: String::new(),
            description: doc.text.clone(),
            members,
            source: Some(self.location(place)),
        });
        self.runtime.enums.insert(name.to_owned(), values);
    }
}

fn enum_member(name: &str, doc: &Doc, value: &Json) -> EnumMember {
    EnumMember {
        name: name.to_owned(),
        api_name: String::new(),
        value: value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned),
        description: doc.text.clone(),
        deprecated: doc.deprecated.clone(),
    }
}
