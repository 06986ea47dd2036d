//! Annotated attributes: the state of an object.

use super::super::StaticError;
use super::super::syntax::{self, Attribute, Expr};
use super::{Binding, Place, Program, clean, without_underscores};
use serde_json::Value as Json;

impl Program<'_> {
    /// Annotated attributes of a class and what it derives from.
    pub(super) fn attributes(&self, at: usize) -> Result<Vec<StateAttribute<'_>>, StaticError> {
        let mut found: Vec<StateAttribute<'_>> = Vec::new();
        for ancestor in self.lineage(at)? {
            let class = &self.classes[ancestor];
            for raw in &class.class.attributes {
                let Some(annotation) = &raw.annotation else {
                    continue;
                };
                if self.is_class_variable(&class.file, annotation) {
                    continue;
                }
                let place = Place {
                    file: &class.file,
                    line: raw.line,
                    owner: Some(at),
                };
                let attribute = self.attribute(place, raw)?;
                match found.iter().position(|known| known.raw.name == raw.name) {
                    Some(known) => found[known] = attribute,
                    None => found.push(attribute),
                }
            }
        }
        Ok(found)
    }

    fn is_class_variable(&self, file: &str, annotation: &Expr) -> bool {
        let parsed;
        let annotation = match annotation {
            Expr::Str(text) => {
                parsed = syntax::parse_expression(text);
                &parsed
            }
            other => other,
        };
        let base = if let Expr::Subscript(base, _) = annotation {
            base
        } else {
            annotation
        };
        let path = self.path(file, base);
        matches!(
            path.as_deref(),
            Some("typing.ClassVar" | "dataclasses.KW_ONLY")
        )
    }

    fn attribute<'p>(
        &'p self,
        place: Place<'p>,
        raw: &'p Attribute,
    ) -> Result<StateAttribute<'p>, StaticError> {
        let mut attribute = StateAttribute {
            raw,
            place,
            public: false,
            key: raw.name.clone(),
            init: true,
            default: raw.value.as_ref().map(Default::Value),
            deprecated: None,
        };
        let Some(call @ Expr::Call { .. }) = &raw.value else {
            return Ok(attribute);
        };
        let path = self.path(place.file, call.callee());
        let public = match path.as_deref() {
            Some("dagger.field") => true,
            Some("dataclasses.field") => false,
            _ => return Ok(attribute),
        };
        attribute.public = public;
        attribute.init = call.argument("init") != Some(&Expr::Bool(false));
        attribute.default = match (call.argument("default"), call.argument("default_factory")) {
            (_, Some(factory)) => Some(Default::Made(factory)),
            (Some(value), None) if public && self.is_callable(place, value) => {
                Some(Default::Made(value))
            }
            (Some(value), None) => Some(Default::Value(value)),
            (None, None) => None,
        };
        if public {
            attribute.deprecated = self.text_argument(place, call, "deprecated")?;
            attribute.key = self
                .text_argument(place, call, "name")?
                .unwrap_or_else(|| without_underscores(&raw.name).to_owned());
        }
        Ok(attribute)
    }

    fn is_callable(&self, place: Place<'_>, value: &Expr) -> bool {
        match value {
            Expr::Lambda(_) => true,
            Expr::Name(name) => {
                !matches!(self.scopes[place.file].get(name), Some(Binding::Value(_)))
            }
            _ => false,
        }
    }

    /// The default of an attribute, and whether a function makes it when the constructor runs.
    pub(super) fn attribute_default(
        &self,
        attribute: &StateAttribute<'_>,
    ) -> Result<(Option<Json>, bool), StaticError> {
        let place = attribute.place;
        let factory = match attribute.default {
            None => return Ok((None, false)),
            Some(Default::Value(value)) => return Ok((Some(self.constant(place, value)?), false)),
            Some(Default::Made(factory)) => factory,
        };
        let value = match self.path(place.file, factory).as_deref() {
            Some("builtins.list" | "builtins.tuple") => Json::Array(vec![]),
            Some("builtins.str") => "".into(),
            Some("builtins.int") => 0.into(),
            Some("builtins.float") => 0.0.into(),
            Some("builtins.bool") => false.into(),
            _ => return Ok((None, true)),
        };
        Ok((Some(value), false))
    }
}

/// An annotated attribute of an object.
#[derive(Debug)]
pub(super) struct StateAttribute<'p> {
    pub(super) raw: &'p Attribute,
    pub(super) place: Place<'p>,
    pub(super) public: bool,
    pub(super) key: String,
    pub(super) init: bool,
    pub(super) default: Option<Default<'p>>,
    pub(super) deprecated: Option<String>,
}

impl StateAttribute<'_> {
    pub(super) fn annotation(&self) -> &Expr {
        self.raw
            .annotation
            .as_ref()
            .expect("attributes without a type are no state")
    }

    pub(super) fn doc(&self) -> Option<String> {
        self.raw.doc.as_deref().map(clean)
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Default<'p> {
    Value(&'p Expr),
    Made(&'p Expr),
}
