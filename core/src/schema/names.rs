//! The names of columns, and of members of structs, where they are not those of the attributes.

use std::collections::{HashMap, HashSet};

use super::{Field, Names, Type};
use crate::athena::name::{self, Given};
use crate::error::{Code, Error, Result};
use crate::path;

/// Names fields at every depth, in their order. Those that stand in `known` keep the names that
/// they have there: a table that grows keeps its columns.
pub fn give(fields: &mut [Field], known: &[Field], names: Names) {
    name_fields(fields, known, names, Given::columns());
}

fn name_fields(fields: &mut [Field], known: &[Field], names: Names, mut given: Given) {
    let known: HashMap<_, _> = known.iter().map(|field| (field.name.as_str(), field)).collect();
    for field in fields.iter_mut() {
        field.column = known.get(field.name.as_str()).and_then(|known| known.column.clone());
        if let Some(column) = &field.column {
            given.keep(column);
        }
    }
    for field in fields {
        if field.column.is_none() && names == Names::Athena {
            field.column = Some(given.give(&field.name));
        }
        name_type(&mut field.ty, known.get(field.name.as_str()).map(|known| &known.ty), names);
    }
}

fn name_type(ty: &mut Type, known: Option<&Type>, names: Names) {
    match ty {
        Type::Struct(fields) => {
            let known = if let Some(Type::Struct(known)) = known { known } else { &Vec::new() };
            name_fields(fields, known, names, Given::default());
        }
        Type::List(part) | Type::Map(part) => {
            let known = if let Some(Type::List(known) | Type::Map(known)) = known { Some(&**known) } else { None };
            name_type(part, known, names);
        }
        Type::Mixed(types) | Type::Typed(types) => {
            let known = if let Some(Type::Mixed(known) | Type::Typed(known)) = known { known } else { &Vec::new() };
            for (kind, ty) in types {
                name_type(ty, known.iter().find(|(of, _)| of == kind).map(|(_, ty)| ty), names);
            }
        }
        _ => {}
    }
}

/// Names for attributes whose columns stand beside those of the fields.
pub fn beside(fields: &[Field], attributes: &[String], names: Names) -> Vec<String> {
    let mut given = Given::columns();
    fields.iter().for_each(|field| given.keep(field.column()));
    let name = |attribute: &String| if names == Names::Athena { given.give(attribute) } else { attribute.clone() };
    attributes.iter().map(name).collect()
}

/// Refuses names that a person has given: such that stand twice, or that the policy would not give.
pub fn check(fields: &[Field], names: Names) -> Result<()> {
    check_fields(fields, names, "")
}

fn check_fields(fields: &[Field], names: Names, above: &str) -> Result<()> {
    let mut seen = HashSet::new();
    for field in fields {
        let mut at = above.to_owned();
        path::push_name(&mut at, &field.name);
        let bad = |message: String| Error::new(Code::Schema, message).at_path(at.as_str());
        // Those that are still to be named are named apart.
        let is_named = field.column.is_some() || names == Names::Exact;
        if is_named && !seen.insert(field.column()) {
            return Err(bad(format!("the `column` {:?} stands twice", field.column())));
        }
        if let Some(column) = field.column.as_deref().filter(|_| names == Names::Athena) {
            name::check(column).map_err(|why| bad(format!("`column`, with names=\"athena\": {why}")))?;
        }
        check_type(&field.ty, names, &at)?;
    }
    Ok(())
}

fn check_type(ty: &Type, names: Names, at: &str) -> Result<()> {
    match ty {
        Type::Struct(fields) => check_fields(fields, names, at),
        Type::List(part) | Type::Map(part) => check_type(part, names, at),
        Type::Mixed(types) | Type::Typed(types) => types.iter().try_for_each(|(_, ty)| check_type(ty, names, at)),
        _ => Ok(()),
    }
}
