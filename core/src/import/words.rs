//! What the service says of values that cannot be read: `PutItem`'s words, for those of an import are
//! not known. What `PutItem` has no words for is said in ours.

use crate::error::{Code, Error};
use crate::format::record::{NO_DESCRIPTOR, SEVERAL_DESCRIPTORS, UNKNOWN_DESCRIPTOR};
use crate::number::NumberError;

const INVALID: &str = "One or more parameter values were invalid:";

/// The message of an error of a record.
pub fn words(error: &Error) -> String {
    let message = error.message();
    let said = match error.code() {
        Code::Number => number(&message),
        Code::Descriptor if message == SEVERAL_DESCRIPTORS => {
            Some("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes".into())
        }
        Code::Descriptor if message == NO_DESCRIPTOR || message.starts_with(UNKNOWN_DESCRIPTOR) => {
            Some("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes".into())
        }
        Code::Nesting => {
            Some("Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit".into())
        }
        Code::Set => Some(format!("{INVALID} {message}")),
        _ => None,
    };
    said.unwrap_or(message)
}

fn number(message: &str) -> Option<String> {
    let kinds = [NumberError::Syntax, NumberError::Digits, NumberError::Overflow, NumberError::Underflow];
    let (kind, rest) = kinds.into_iter().find_map(|kind| Some((kind, message.strip_prefix(&kind.to_string())?)))?;
    let said = match kind {
        NumberError::Digits => "Attempting to store more than 38 significant digits in a Number",
        NumberError::Overflow => "Number overflow. Attempting to store a number with magnitude larger than supported range",
        NumberError::Underflow => "Number underflow. Attempting to store a number with magnitude smaller than supported range",
        NumberError::Syntax => {
            let text = rest.trim_start_matches(": \"").trim_end_matches('"');
            let text = if text.is_empty() { String::new() } else { format!(": {text}") };
            return Some(format!("The parameter cannot be converted to a numeric value{text}"));
        }
    };
    Some(said.into())
}
