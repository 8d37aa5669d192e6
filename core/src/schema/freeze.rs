//! Summary → schema: the choice of columns.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::summary::{Digits, PathSummary, Summary};
use super::{Field, Layout, Maps, Mixed, Numbers, Override, Policies, Schema, Type, names};
use crate::error::{Code, Error, Result};
use crate::event::Kind;
use crate::number::MAX_DIGITS;
use crate::path;

impl Schema {
    /// The columns for what was learnt: one for each attribute, in the order in which they
    /// were first seen, or those named in `columns`, in that order. Attributes past
    /// `max_columns` have none.
    pub fn freeze(summary: Arc<Summary>, policies: Policies, columns: Option<&[String]>) -> Result<Self> {
        let mut ordered = summary.root.fields_in_order();
        if let Some(columns) = columns {
            let mut names = BTreeSet::new();
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
        let past_limit = ordered.len() > policies.max_columns;
        ordered.truncate(policies.max_columns);
        let freezing = Freezing { policies: &policies, used: std::cell::RefCell::default() };
        let mut fields = Vec::with_capacity(ordered.len());
        for (name, field) in ordered {
            let mut at = String::new();
            path::push_name(&mut at, name);
            fields.push(Field { name: name.to_owned(), column: None, ty: freezing.of(field, &at)? });
        }
        let used = freezing.used.into_inner();
        let unused: Vec<_> = policies.overrides.keys().filter(|path| !used.contains(*path)).map(|path| format!("{path:?}")).collect();
        if !unused.is_empty() && summary.items > 0 {
            return Err(Error::new(Code::Column, format!("overrides: there is no column at {}", unused.join(", "))));
        }
        names::give(&mut fields, &[], policies.names);
        let extra = past_limit || !policies.overrides.is_empty();
        let mut schema = Self { fields, policies, summary, extra: None };
        if extra {
            schema.add_extra();
        }
        Ok(schema)
    }
}

struct Freezing<'a> {
    policies: &'a Policies,
    /// The overrides whose paths were met.
    used: std::cell::RefCell<BTreeSet<String>>,
}

impl Freezing<'_> {
    fn of(&self, path: &PathSummary, at: &str) -> Result<Type> {
        let with = self.policies.overrides.get(at);
        if with.is_some() {
            self.used.borrow_mut().insert(at.to_owned());
        }
        let kinds: Vec<_> = path.kinds().collect();
        let one = match with {
            Some(Override::Json) => Some(Type::Json),
            Some(Override::Int64) => Some(Type::Int64),
            Some(Override::Timestamp(timestamp)) => Some(Type::Timestamp(timestamp.clone())),
            Some(Override::String) => Some(match kinds[..] {
                [Kind::S] => Type::Text,
                [Kind::N] => Type::NumberText,
                _ => Type::MixedText,
            }),
            Some(Override::Numbers(numbers)) if kinds == [Kind::N] || kinds.is_empty() => Some(of_numbers(*numbers, path.numbers)),
            _ => None,
        };
        if self.policies.layout == Layout::Typed {
            let mut children = Vec::with_capacity(kinds.len() + 1);
            for kind in kinds {
                let forced = one
                    .clone()
                    .filter(|ty| matches!(ty, Type::Int64 | Type::Float64 | Type::Decimal { .. } | Type::NumberText) && kind == Kind::N);
                children.push((kind, forced.map_or_else(|| self.of_kind(path, kind, at, with), Ok)?));
            }
            if path.count(Kind::Null) > 0 {
                children.push((Kind::Null, Type::Boolean));
            }
            return Ok(Type::Typed(children));
        }
        if let Some(one) = one {
            return Ok(one);
        }
        match (&kinds[..], self.policies.mixed) {
            ([], _) => Ok(Type::Null),
            ([kind], _) => self.of_kind(path, *kind, at, with),
            (_, Mixed::Struct) => {
                let children = kinds.iter().map(|&kind| Ok((kind, self.of_kind(path, kind, at, with)?)));
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

    fn of_kind(&self, path: &PathSummary, kind: Kind, at: &str, with: Option<&Override>) -> Result<Type> {
        let numbers = match with {
            Some(Override::Numbers(numbers)) => *numbers,
            _ => self.policies.numbers,
        };
        let maps = match with {
            Some(Override::Maps(maps)) => *maps,
            _ => self.policies.maps,
        };
        Ok(match kind {
            Kind::S => Type::Text,
            Kind::N => of_numbers(numbers, path.numbers),
            Kind::B => Type::Binary,
            Kind::Bool => Type::Boolean,
            Kind::Null => Type::Null,
            Kind::M if maps == Maps::Json => Type::Json,
            Kind::M if path.fields.is_empty() => Type::EmptyMap,
            Kind::M if maps == Maps::Map || maps == Maps::Auto && path.fields.len() > self.policies.max_fields => {
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
                    Ok(Field { name: name.to_owned(), column: None, ty: self.of(field, &at)? })
                });
                Type::Struct(fields.collect::<Result<_>>()?)
            }
            Kind::L => match path.element.as_deref().filter(|element| element.counts.iter().any(|&count| count > 0)) {
                None => Type::EmptyList,
                Some(element) => Type::List(Box::new(self.of(element, &format!("{at}[]"))?)),
            },
            Kind::SS => Type::Set(kind, Box::new(Type::Text)),
            Kind::NS => Type::Set(kind, Box::new(of_numbers(numbers, path.set_numbers))),
            Kind::BS => Type::Set(kind, Box::new(Type::Binary)),
        })
    }
}

fn of_numbers(numbers: Numbers, digits: Digits) -> Type {
    match numbers {
        Numbers::Float64 => Type::Float64,
        Numbers::String => Type::NumberText,
        Numbers::Decimal { precision, scale } => Type::Decimal { precision, scale, rounds: true },
        Numbers::Auto if digits.beyond_int64 == 0 => Type::Int64,
        Numbers::Auto if digits.integer + digits.scale <= MAX_DIGITS => {
            Type::Decimal { precision: MAX_DIGITS as u8, scale: digits.scale as u8, rounds: false }
        }
        Numbers::Auto => Type::NumberText,
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
