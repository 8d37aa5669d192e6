//! Summary → schema: the choice of columns.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::summary::{Digits, PathSummary, Summary};
use super::{Field, MAX_FIELDS, Mixed, Numbers, Policies, Schema, Type};
use crate::error::{Code, Error, Result};
use crate::event::Kind;
use crate::number::MAX_DIGITS;
use crate::path;

impl Schema {
    /// The columns for what was learnt: one for each attribute, in the order in which they
    /// were first seen, or those named in `columns`, in that order.
    pub fn freeze(summary: Arc<Summary>, policies: Policies, columns: Option<&[String]>) -> Result<Self> {
        let mut ordered = summary.root.fields_in_order();
        if let Some(columns) = columns {
            let mut names = HashSet::new();
            if let Some(twice) = columns.iter().find(|name| !names.insert(name.as_str())) {
                return Err(Error::usage(format!("columns names {twice:?} twice")));
            }
            let found: HashMap<_, _> = ordered.into_iter().collect();
            let missing: Vec<_> = columns.iter().filter(|c| !found.contains_key(c.as_str())).map(|c| format!("{c:?}")).collect();
            // Without items there is nothing to say about names.
            if !missing.is_empty() && summary.items > 0 {
                return Err(Error::new(Code::Column, format!("no item has an attribute {}", missing.join(", "))));
            }
            ordered = columns.iter().filter_map(|c| found.get_key_value(c.as_str())).map(|(&name, &field)| (name, field)).collect();
        }
        let mut fields = Vec::with_capacity(ordered.len());
        for (name, field) in ordered {
            let mut at = String::new();
            path::push_name(&mut at, name);
            fields.push(Field { name: name.to_owned(), ty: policies.of(field, &at)? });
        }
        Ok(Self { fields, policies, summary })
    }
}

impl Policies {
    fn of(self, path: &PathSummary, at: &str) -> Result<Type> {
        let kinds: Vec<_> = path.kinds().collect();
        match (&kinds[..], self.mixed) {
            ([], _) => Ok(Type::Null),
            ([kind], _) => self.of_kind(path, *kind, at),
            (_, Mixed::Struct) => {
                let children = kinds.iter().map(|&kind| Ok((kind, self.of_kind(path, kind, at)?)));
                Ok(Type::Mixed(children.collect::<Result<_>>()?))
            }
            (_, Mixed::Json) => Ok(Type::Json),
            (_, Mixed::String) => Ok(Type::MixedText),
            (_, Mixed::Error) => {
                let seen: Vec<_> = kinds.iter().map(|&kind| format!("{} {}", path.count(kind), kind.descriptor())).collect();
                Err(Error::new(Code::Mixed, format!("several types at one path: {}", seen.join(", "))).at_path(at))
            }
        }
    }

    fn of_kind(self, path: &PathSummary, kind: Kind, at: &str) -> Result<Type> {
        Ok(match kind {
            Kind::S => Type::Text,
            Kind::N => self.of_numbers(path.numbers),
            Kind::B => Type::Binary,
            Kind::Bool => Type::Boolean,
            Kind::Null => Type::Null,
            Kind::M if path.fields.is_empty() => Type::EmptyMap,
            Kind::M if path.fields.len() > MAX_FIELDS => {
                let mut value = PathSummary::default();
                for field in path.fields.values() {
                    value.merge(field.clone());
                }
                Type::Map(Box::new(self.of(&value, &format!("{at}{{}}"))?))
            }
            Kind::M => {
                let fields = path.fields_in_order().into_iter().map(|(name, field)| {
                    let mut at = at.to_owned();
                    path::push_name(&mut at, name);
                    Ok(Field { name: name.to_owned(), ty: self.of(field, &at)? })
                });
                Type::Struct(fields.collect::<Result<_>>()?)
            }
            Kind::L => match path.element.as_deref().filter(|element| element.counts.iter().any(|&count| count > 0)) {
                None => Type::EmptyList,
                Some(element) => Type::List(Box::new(self.of(element, &format!("{at}[]"))?)),
            },
            Kind::SS => Type::Set(kind, Box::new(Type::Text)),
            Kind::NS => Type::Set(kind, Box::new(self.of_numbers(path.set_numbers))),
            Kind::BS => Type::Set(kind, Box::new(Type::Binary)),
        })
    }

    fn of_numbers(self, digits: Digits) -> Type {
        match self.numbers {
            Numbers::Float64 => Type::Float64,
            Numbers::String => Type::NumberText,
            Numbers::Auto if digits.beyond_int64 == 0 => Type::Int64,
            Numbers::Auto if digits.integer + digits.scale <= MAX_DIGITS => Type::Decimal(digits.scale as u8),
            Numbers::Auto => Type::NumberText,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_named_once() {
        let columns = ["a", "b", "a"].map(String::from);
        let error = Schema::freeze(Arc::default(), Policies::default(), Some(&columns)).expect_err("twice");
        assert_eq!(error.code(), Code::Usage);
    }
}
