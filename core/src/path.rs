//! Attribute paths: `a.b[].c`, with `["odd name"]` for names that are no identifiers.

use crate::error::{Error, Result};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// An attribute of an item or a member of a map.
    Name(Box<str>),
    /// The elements of a list.
    Element,
    /// One element of a list.
    Index(usize),
    /// The values of a map column.
    Value,
}

/// Whether a name stands in a path as it is: `[A-Za-z_][A-Za-z0-9_]*`.
pub fn is_plain(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_') && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Appends a name to a path.
pub fn push_name(path: &mut String, name: &str) {
    if is_plain(name) {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(name);
    } else {
        path.push('[');
        path.push_str(&serde_json::Value::from(name).to_string());
        path.push(']');
    }
}

/// The text of a path.
pub fn to_text<'a>(steps: impl IntoIterator<Item = &'a Step>) -> String {
    let mut path = String::new();
    for step in steps {
        match step {
            Step::Name(name) => push_name(&mut path, name),
            Step::Element => path.push_str("[]"),
            Step::Index(index) => path.push_str(&format!("[{index}]")),
            Step::Value => path.push_str("{}"),
        }
    }
    path
}

fn is_index(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// The steps of a path's text.
pub fn parse(text: &str) -> Result<Vec<Step>> {
    let bad = || Error::usage(format!("{text:?} is no attribute path (a.b[].c, [\"odd name\"].d, m{{}})"));
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(behind) = rest.strip_prefix("[]") {
            steps.push(Step::Element);
            rest = behind;
        } else if let Some(behind) = rest.strip_prefix("{}") {
            steps.push(Step::Value);
            rest = behind;
        } else if let Some((index, behind)) =
            rest.strip_prefix('[').and_then(|rest| rest.split_once(']')).filter(|(index, _)| is_index(index))
        {
            steps.push(Step::Index(index.parse().map_err(|_| bad())?));
            rest = behind;
        } else if let Some(quoted) = rest.strip_prefix('[') {
            let mut names = serde_json::Deserializer::from_str(quoted).into_iter::<String>();
            let name = names.next().and_then(std::result::Result::ok).ok_or_else(bad)?;
            rest = quoted[names.byte_offset()..].strip_prefix(']').ok_or_else(bad)?;
            steps.push(Step::Name(name.into()));
        } else {
            let name = if steps.is_empty() { rest } else { rest.strip_prefix('.').ok_or_else(bad)? };
            let end = name.find(['.', '[', '{']).unwrap_or(name.len());
            if !is_plain(&name[..end]) {
                return Err(bad());
            }
            steps.push(Step::Name(name[..end].into()));
            rest = &name[end..];
        }
    }
    if matches!(steps.first(), Some(Step::Name(_))) { Ok(steps) } else { Err(bad()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_are_quoted() {
        let steps = [Step::Name("a".into()), Step::Name("b-c".into()), Step::Element, Step::Name("_d1".into()), Step::Name("\"\n".into())];
        assert_eq!(to_text(&steps), r#"a["b-c"][]._d1["\"\n"]"#);
        assert_eq!(to_text(&[Step::Name(String::new().into())]), r#"[""]"#);
    }

    #[test]
    fn texts_are_read_back() {
        for text in ["a", "a[0].b[12]", "a.b[].c", "[\"b-c\"][][].d{}.e", "a[\"\"]", r#"["\"]\n🦐"].x"#] {
            assert_eq!(to_text(&parse(text).expect("a path")), text);
        }
        for text in ["", ".a", "a.", "a..b", "a[", "a[0", "a[-1]", "[]", "a b", "[\"a\"", "a[\"b\"]c", "é"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
