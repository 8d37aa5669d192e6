//! Schemas: learnt as a summary that can be merged, then frozen into columns.

mod arrow;
mod document;
mod freeze;
pub mod learn;
mod names;
pub mod policy;
pub mod summary;
pub mod timestamp;

use std::sync::Arc;

use crate::error::{Code, Error, Result};
use crate::event::Kind;
use crate::path;
pub use arrow::{ELEMENT, EXTRA_TYPE, LAYOUT_KEY, NAME_KEY, TIMESTAMP_KEY, TYPE_KEY};
pub use policy::{Extra, Layout, Maps, Mixed, Names, Numbers, Override, Policies};
use summary::Summary;
pub use timestamp::Timestamp;

/// The names of the attributes that are asked for.
pub type Columns = Arc<[String]>;

/// A column or a member of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The attribute's exact name; that of a list's elements and a map's values is fixed.
    pub name: String,
    /// Its name in Arrow, where that is chosen by another policy than [`Names::Exact`].
    pub column: Option<String>,
    /// What it holds.
    pub ty: Type,
}

impl Field {
    /// Its name in Arrow.
    pub fn column(&self) -> &str {
        self.column.as_deref().unwrap_or(&self.name)
    }
}

/// What a column holds, and as what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// S as utf8.
    Text,
    /// N as int64.
    Int64,
    /// N as decimal128.
    Decimal {
        /// Digits in all.
        precision: u8,
        /// Digits behind the point.
        scale: u8,
        /// What does not fit is rounded half to even, and null where it overflows.
        rounds: bool,
    },
    /// N as float64, rounded.
    Float64,
    /// N or S as timestamp(us, UTC).
    Timestamp(Timestamp),
    /// N as utf8, in canonical plain form.
    NumberText,
    /// BOOL as boolean.
    Boolean,
    /// B as binary.
    Binary,
    /// Nothing but NULL was seen: utf8.
    Null,
    /// M as struct.
    Struct(Vec<Field>),
    /// M as map from name to value.
    Map(Box<Type>),
    /// Always empty M as map<utf8, utf8>: Parquet has no struct without fields.
    EmptyMap,
    /// L as list.
    List(Box<Type>),
    /// Always empty L as `list<utf8>`.
    EmptyList,
    /// SS, NS or BS as list.
    Set(Kind, Box<Type>),
    /// Several types as a struct with a child for each, in the order of [`Kind`].
    Mixed(Vec<(Kind, Type)>),
    /// Each value in a struct with a child for each type seen, NULL as boolean.
    Typed(Vec<(Kind, Type)>),
    /// The DynamoDB JSON text of values of any type.
    Json,
    /// Several types as plain text.
    MixedText,
}

/// Names, order and types of the columns, and what was learnt to choose them.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    fields: Vec<Field>,
    policies: Policies,
    summary: Arc<Summary>,
    /// The column for values that have no place in the others.
    extra: Option<String>,
}

impl Schema {
    /// The columns, without the one for values that have no place in them.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// How they were chosen.
    pub fn policies(&self) -> &Policies {
        &self.policies
    }

    /// What was learnt.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The name of the column for values that have no place in the others, where there can
    /// be such values.
    pub fn extra(&self) -> Option<&str> {
        self.extra.as_deref()
    }

    /// The same schema, for data that it was not learnt from.
    #[must_use]
    pub fn frozen(mut self) -> Self {
        self.add_extra();
        self
    }

    /// What two schemas know together, frozen by the policies of this one.
    pub fn merge(&self, other: &Self) -> Result<Self> {
        if self.policies != other.policies {
            return Err(Error::usage("the schemas were made with different policies; learn them with the same"));
        }
        let mut summary = Summary::clone(&self.summary);
        summary.merge(Summary::clone(&other.summary));
        let mut merged = Self::freeze(Arc::new(summary), self.policies.clone(), None)?;
        // What a person has edited stays as it is.
        let mut learnt = Self::freeze(self.summary.clone(), self.policies.clone(), None)?;
        learnt.rename(&self.fields);
        merged.keep(self.fields.iter().filter(|field| !learnt.fields.contains(field)));
        merged.rename(&self.fields);
        Ok(if self.extra.is_some() || other.extra.is_some() { merged.frozen() } else { merged })
    }

    /// The same schema with other types at single paths: `("price", "decimal(18,2)")`.
    pub fn with_overrides<'a>(&self, overrides: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let mut policies = self.policies.clone();
        let mut touched = Vec::new();
        for (path, with) in overrides {
            policies.override_path(path, with)?;
            touched.extend(path::parse(path)?.into_iter().next());
        }
        let columns: Vec<_> = self.fields.iter().map(|field| field.name.clone()).collect();
        let known = columns.len() == self.summary.root.fields.len();
        let mut schema = Self::freeze(self.summary.clone(), policies, (!known).then_some(&columns))?;
        // Columns that are not overridden stay as they are, edited ones too.
        let is_touched = |field: &&Field| touched.iter().any(|step| matches!(step, path::Step::Name(name) if **name == *field.name));
        schema.keep(self.fields.iter().filter(|field| !is_touched(field)));
        schema.rename(&self.fields);
        Ok(schema.frozen())
    }

    /// Gives columns of the same names these types.
    fn keep<'a>(&mut self, fields: impl Iterator<Item = &'a Field>) {
        for kept in fields {
            if let Some(field) = self.fields.iter_mut().find(|field| field.name == kept.name) {
                field.ty = kept.ty.clone();
            }
        }
    }

    /// Names the columns; those that stand in `known` keep their names.
    fn rename(&mut self, known: &[Field]) {
        names::give(&mut self.fields, known, self.policies.names);
    }

    /// These columns of the schema, in this order.
    pub fn select(&self, columns: &[String]) -> Result<Self> {
        let mut fields: Vec<Field> = Vec::with_capacity(columns.len());
        for name in columns {
            let field = self.fields.iter().find(|field| field.name == *name);
            let field = field.ok_or_else(|| Error::new(Code::Column, format!("the schema has no column {name:?}")))?;
            if fields.iter().any(|field| field.name == *name) {
                return Err(Error::usage(format!("columns names {name:?} twice")));
            }
            fields.push(field.clone());
        }
        Ok(Self { fields, ..self.clone() })
    }

    /// The same schema, as if it had been learnt without these attributes.
    #[must_use]
    pub fn without(mut self, columns: &[String]) -> Self {
        self.fields.retain(|field| !columns.contains(&field.name));
        self.rename(&[]);
        self
    }

    /// The names of columns for these attributes that stand beside the schema's.
    pub fn names_beside(&self, attributes: &[String]) -> Vec<String> {
        names::beside(&self.fields, attributes, self.policies.names)
    }

    /// The same schema, without the column for values that have no place in the others.
    #[must_use]
    pub fn without_extra(self) -> Self {
        Self { extra: None, ..self }
    }

    fn add_extra(&mut self) {
        self.extra = Some(self.own_name("_extra"));
    }

    /// Whether no column rounds a number, or mixes types as text.
    pub fn is_exact(&self) -> bool {
        fn is_exact(ty: &Type) -> bool {
            match ty {
                Type::Float64 | Type::MixedText | Type::Decimal { rounds: true, .. } => false,
                Type::Struct(fields) => fields.iter().all(|field| is_exact(&field.ty)),
                Type::Map(inner) | Type::List(inner) | Type::Set(_, inner) => is_exact(inner),
                Type::Mixed(types) | Type::Typed(types) => types.iter().all(|(_, ty)| is_exact(ty)),
                _ => true,
            }
        }
        self.fields.iter().all(|field| is_exact(&field.ty))
    }

    /// The name of a column that is no attribute: it gains underscores while an attribute
    /// bears it.
    pub fn own_name(&self, name: &str) -> String {
        let mut name = name.to_owned();
        while self.summary.root.fields.contains_key(&name) || self.fields.iter().any(|field| field.name == name) {
            name.push('_');
        }
        name
    }
}
