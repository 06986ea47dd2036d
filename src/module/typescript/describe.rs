//! What a module's declarations mean: its types, and what the SDK must know to run it.
//!
//! Main type: [`Describer`]. Classes with `@object()` and `@enumType()` are types of the API; native enums,
//! interfaces and object types are when something of the API refers to them.

use super::functions::Options;
use super::program::{Named, Place, Program};
use super::resolve::script_path;
use super::runtime::{self, Runtime};
use super::syntax::{
    Class, ClassMember, DeclarationKind, Doc, Expr, MemberKind, Param, Type, TypeKind as Written,
};
use super::types::Role;
use crate::module::python::StaticError;
use crate::module::typedef::{
    Arg, Field, Function, ModuleTypes, ObjectType, SourceLocation, TypeRef,
};

/// Collects what there is to say about a program.
#[derive(Debug)]
pub(super) struct Describer<'p, 'a> {
    pub(super) program: &'p Program<'a>,
    /// Types that something refers to, in the order they were met.
    wanted: Vec<Place>,
    pub(super) types: ModuleTypes,
    pub(super) runtime: Runtime,
}

impl<'p, 'a> Describer<'p, 'a> {
    /// Describes every type of a program.
    ///
    /// # Errors
    /// [`StaticError::Invalid`] with the place in the source.
    pub(super) fn describe(
        program: &'p Program<'a>,
    ) -> Result<(ModuleTypes, Runtime), StaticError> {
        let mut describer = Self {
            program,
            wanted: Vec::new(),
            types: ModuleTypes::default(),
            runtime: Runtime::default(),
        };
        for place in program.places() {
            if matches!(describer.role(place), Some(Role::Class | Role::EnumClass)) {
                describer.want(place);
            }
        }
        let mut next = 0;
        while let Some(&place) = describer.wanted.get(next) {
            describer.declare(place)?;
            next += 1;
        }
        let main = program.files.iter().find_map(|file| file.doc.clone());
        describer.types.description = main.unwrap_or_default();
        Ok((describer.types, describer.runtime))
    }

    /// Notes that a type belongs to the API.
    pub(super) fn want(&mut self, place: Place) {
        if !self.wanted.contains(&place) {
            self.wanted.push(place);
        }
    }

    /// An error at a line of a file.
    pub(super) fn invalid(&self, file: usize, line: u32, message: String) -> StaticError {
        self.program.invalid(file, line, message)
    }

    pub(super) fn location(&self, (file, at): Place) -> SourceLocation {
        let declaration = &self.program.files[file].declarations[at];
        SourceLocation {
            file: self.program.files[file].path.clone(),
            line: declaration.line,
            column: declaration.column,
        }
    }

    fn declare(&mut self, place: Place) -> Result<(), StaticError> {
        let program = self.program;
        let declaration = program.declaration(place);
        if declaration.name.is_empty() {
            let what = "a class of the API needs a name".to_owned();
            return Err(self.invalid(place.0, declaration.line, what));
        }
        let (name, doc) = (declaration.name.as_str(), &declaration.doc);
        match (&declaration.kind, self.role(place)) {
            (DeclarationKind::Class(class), Some(Role::Class)) => {
                self.object(place, name, doc, class)
            }
            (DeclarationKind::Class(class), _) => {
                self.enum_class(place, name, doc, class);
                Ok(())
            }
            (DeclarationKind::Enum(members), _) => self.native_enum(place, name, doc, members),
            (DeclarationKind::Interface(members, _), Some(Role::Data)) => {
                self.data(place, name, doc, members)
            }
            (DeclarationKind::Interface(members, extends), _) => {
                self.interface(place, name, doc, members, extends)
            }
            (DeclarationKind::Alias(alias), role) => match &alias.kind {
                Written::Object(members) if role == Some(Role::Data) => {
                    self.data(place, name, doc, members)
                }
                Written::Object(members) => self.interface(place, name, doc, members, &[]),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    // Objects.

    /// A class and the classes of the program it extends, the first one last.
    fn lineage(&self, place: Place) -> Vec<Place> {
        let mut lineage = vec![place];
        while let Some(base) = self.base_of(lineage[lineage.len() - 1]) {
            if lineage.contains(&base) {
                break;
            }
            lineage.push(base);
        }
        lineage
    }

    fn base_of(&self, place: Place) -> Option<Place> {
        let extends = self.program.class(place)?.extends.as_ref()?;
        let Written::Name(path, _) = &extends.kind else {
            return None;
        };
        match self.program.find(place.0, path) {
            (Named::Declared(base), []) if self.program.class(base).is_some() => Some(base),
            _ => None,
        }
    }

    fn object(
        &mut self,
        place: Place,
        name: &str,
        doc: &Doc,
        class: &Class,
    ) -> Result<(), StaticError> {
        let program = self.program;
        let mut object = ObjectType {
            name: name.to_owned(),
            description: doc.text.clone(),
            deprecated: doc.deprecated.clone(),
            source: Some(self.location(place)),
            ..ObjectType::default()
        };
        let mut info = runtime::Object {
            class: Some(name.to_owned()),
            ..runtime::Object::default()
        };
        let lineage = self.lineage(place);
        for &base in lineage.iter().rev() {
            let members = program.class(base).map_or(&[][..], |class| &class.members);
            for member in members {
                self.member(base.0, name, member, &mut object, &mut info)?;
            }
        }
        let with_constructor = lineage.iter().find_map(|base| {
            let constructor = program.class(*base)?.constructor.as_ref()?;
            Some((base.0, constructor))
        });
        if let Some((file, (params, doc, line))) = with_constructor {
            let mut function = self.function(file, name, params, doc, None, *line)?;
            function.0.returns = TypeRef::object(name);
            function.0.source = None;
            for param in params.iter().filter(|param| param.is_property) {
                self.state_of_param(file, name, param, &mut info);
            }
            function.0.trivial = is_trivial(class, params, &function.0, &info);
            info.has_constructor = true;
            info.constructor = Some(function.1);
            object.constructor = Some(function.0);
        } else if self.has_first_values(&lineage, &object) {
            object.constructor = Some(Function {
                returns: TypeRef::object(name),
                ..Function::default()
            });
            info.constructor = Some(Vec::new());
        }
        let script = script_path(&program.files[place.0].path);
        if !self.runtime.files.contains(&script) {
            self.runtime.files.push(script);
        }
        self.types.objects.push(object);
        self.runtime.objects.insert(name.to_owned(), info);
        Ok(())
    }

    /// Whether a field of the API has a value from the start, which only running the class gives it.
    fn has_first_values(&self, lineage: &[Place], object: &ObjectType) -> bool {
        let members = lineage
            .iter()
            .filter_map(|place| self.program.class(*place));
        let mut members = members.flat_map(|class| &class.members);
        members.any(|member| {
            matches!(&member.kind, MemberKind::Property(_, _, Some(_)))
                && !member.is_static
                && object.fields.iter().any(|field| field.name == member.name)
        })
    }

    fn member(
        &mut self,
        file: usize,
        owner: &str,
        member: &ClassMember,
        object: &mut ObjectType,
        info: &mut runtime::Object,
    ) -> Result<(), StaticError> {
        let func = self.program.decorated(file, &member.decorators, "func");
        let field = self.program.decorated(file, &member.decorators, "field");
        let decorator = func.or(field);
        let fail = |what: String| Err(self.invalid(file, member.line, what));
        if decorator.is_some() && (member.is_static || member.is_hidden) {
            let kind = if member.is_static {
                "static"
            } else {
                "private"
            };
            return fail(format!("`{}` is {kind} and cannot be called", member.name));
        }
        if decorator.is_some() && member.name.is_empty() {
            return fail("a function needs a name that is not computed".into());
        }
        let options = match decorator {
            Some(decorator) => self.options(file, decorator)?,
            None => Options::default(),
        };
        let name = options.alias.clone().unwrap_or_else(|| member.name.clone());
        match (&member.kind, decorator) {
            (MemberKind::Property(ty, optional, value), _) if !member.is_static => {
                let exposed = decorator.is_some();
                let ty = self.property(file, owner, member, (ty, *optional, value), exposed)?;
                if let (true, Some(ty)) = (exposed, &ty) {
                    // A class may declare again what the one it extends has.
                    object.fields.retain(|field| field.name != name);
                    object.fields.push(Field {
                        name: name.clone(),
                        api_name: String::new(),
                        cli_name: String::new(),
                        description: member.doc.text.clone(),
                        ty: ty.clone(),
                        deprecated: member.doc.deprecated.clone(),
                    });
                }
                info.fields.retain(|field| field.key != name);
                info.fields.push(runtime::StateField {
                    key: name,
                    property: member.name.clone(),
                    ty,
                });
            }
            (MemberKind::Method(params, returns), Some(_)) => {
                let returns = Some(returns.as_ref());
                let (mut function, args) =
                    self.function(file, owner, params, &member.doc, returns, member.line)?;
                self.finish_function(file, &mut function, member, name, options);
                self.add_function(object, info, function, args, member, false);
            }
            (MemberKind::Getter(returns), Some(_)) => {
                let returns = Some(returns.as_ref());
                let (mut function, args) =
                    self.function(file, owner, &[], &member.doc, returns, member.line)?;
                self.finish_function(file, &mut function, member, name, options);
                self.add_function(object, info, function, args, member, true);
            }
            (MemberKind::Secret, _) if !member.is_static => {
                return fail(format!(
                    "`#{name}` would be lost between calls: write `private {name}` instead"
                ));
            }
            _ => {}
        }
        Ok(())
    }

    /// Type of a property; `None` if it is no business of the API and not of one of its types.
    fn property(
        &mut self,
        file: usize,
        owner: &str,
        member: &ClassMember,
        (ty, optional, value): (&Option<Type>, bool, &Option<Expr>),
        exposed: bool,
    ) -> Result<Option<TypeRef>, StaticError> {
        if !exposed {
            return Ok(ty.as_ref().and_then(|ty| self.state_type(file, ty, owner)));
        }
        let found = match (ty, value) {
            (Some(ty), _) => Some(self.type_ref(file, ty, owner)?),
            (None, Some(value)) => self.type_of(file, value),
            (None, None) => None,
        };
        let Some(mut found) = found else {
            let what = format!("`{}` needs a type", member.name);
            return Err(self.invalid(file, member.line, what));
        };
        found.optional |= optional;
        Ok(Some(found))
    }

    /// Type of a piece of state that is not shown, if the API has it; nothing new becomes part of the API.
    fn state_type(&mut self, file: usize, ty: &Type, owner: &str) -> Option<TypeRef> {
        let known = self.wanted.len();
        let found = self.type_ref(file, ty, owner).ok();
        let is_new = self.wanted.len() > known;
        self.wanted.truncate(known);
        found.filter(|_| !is_new)
    }

    fn state_of_param(
        &mut self,
        file: usize,
        owner: &str,
        param: &Param,
        info: &mut runtime::Object,
    ) {
        let ty = param.ty.as_ref();
        let ty = ty.and_then(|ty| self.state_type(file, ty, owner));
        info.fields.push(runtime::StateField {
            key: param.name.clone(),
            property: param.name.clone(),
            ty,
        });
    }

    fn add_function(
        &self,
        object: &mut ObjectType,
        info: &mut runtime::Object,
        function: Function,
        args: Vec<runtime::Parameter>,
        member: &ClassMember,
        getter: bool,
    ) {
        object.functions.retain(|known| known.name != function.name);
        let method = runtime::Method {
            property: member.name.clone(),
            getter,
            args,
            returns: function.returns.clone(),
        };
        info.functions.insert(function.name.clone(), method);
        object.functions.push(function);
    }

    fn finish_function(
        &self,
        file: usize,
        function: &mut Function,
        member: &ClassMember,
        name: String,
        options: Options,
    ) {
        let has = |name| {
            let found = self.program.decorated(file, &member.decorators, name);
            found.is_some()
        };
        function.name = name;
        function.cache = options.cache;
        function.check = has("check");
        function.generate = has("generate");
        function.up = has("up");
        function.agent = has("agent");
        function.source = Some(SourceLocation {
            file: self.program.files[file].path.clone(),
            line: member.line,
            column: member.column,
        });
    }
}

/// Whether a constructor does nothing but keep its arguments under their names, so that they are the state.
fn is_trivial(
    class: &Class,
    params: &[Param],
    function: &Function,
    info: &runtime::Object,
) -> bool {
    let Some(stores) = &class.stores else {
        return false;
    };
    let has_first_values = class.members.iter().any(|member| {
        !member.is_static && matches!(&member.kind, MemberKind::Property(_, _, Some(_)))
    });
    let is_kept = |(param, arg): (&Param, &Arg)| {
        // A default that cannot be told from the source is only known to the program.
        let is_known = param.default.is_none() || arg.default.is_some();
        let is_stored = stores.iter().any(|(property, value)| {
            let mut fields = info.fields.iter();
            *value == arg.name
                && fields.any(|field| field.property == *property && field.key == arg.name)
        });
        is_known && is_stored && !param.rest
    };
    let all_kept = params.iter().zip(&function.args).all(is_kept);
    class.extends.is_none() && !has_first_values && stores.len() == params.len() && all_kept
}
