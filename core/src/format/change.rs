//! The records of incremental exports: when an item was written, its key, and what it was
//! before and after.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html#incremental-export-output>
//!
//! A record is sent as an item of up to four attributes, under the names below, the images as
//! maps; an image that is absent or null is not sent. In Ion all may stand in a struct `Record`.

use super::record::{Decoded, Fault};
use crate::error::Code;
use crate::path::Step;

/// What holds the time.
const METADATA: &str = "Metadata";
/// The number of microseconds since 1970 at which the item was written.
pub const TIME: &str = "WriteTimestampMicros";
/// The item's primary key.
pub const KEYS: &str = "Keys";
/// The item before.
pub const OLD: &str = "OldImage";
/// The item after.
pub const NEW: &str = "NewImage";

/// A member of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member {
    /// The struct or object that holds the time.
    Metadata,
    /// Its attributes follow under this name, if there are any.
    Image(&'static str),
}

/// The members that a record has so far.
#[derive(Debug, Default)]
pub struct Seen {
    time: bool,
    names: [bool; 4],
}

impl Fault {
    /// Of the time of writing.
    #[cold]
    pub(super) fn of_time(mut self: Box<Self>) -> Box<Self> {
        self.path.extend([TIME, METADATA].map(|name| Step::Name(name.into())));
        self
    }
}

impl Seen {
    /// What a member is. One that nobody knows is refused: it could say something of the item.
    pub fn member(&mut self, name: &str, at: usize) -> Decoded<Member> {
        let (place, member) = match name {
            METADATA => (0, Member::Metadata),
            KEYS => (1, Member::Image(KEYS)),
            OLD => (2, Member::Image(OLD)),
            NEW => (3, Member::Image(NEW)),
            "Item" => return Err(Fault::new(Code::Record, at, "an item, as full exports have them, among changes")),
            _ => {
                let message = format!("a change has Metadata, Keys, OldImage and NewImage, not {}", super::record::shown(name));
                return Err(Fault::new(Code::Record, at, message));
            }
        };
        // Also where one of them is null.
        if std::mem::replace(&mut self.names[place], true) {
            return Err(Fault::new(Code::Record, at, format!("{name} stands twice in one change")));
        }
        Ok(member)
    }

    /// The time was sent.
    pub fn time(&mut self) {
        self.time = true;
    }

    /// Whether the record is a change: it has a time and a key.
    pub fn check(&self, start: usize) -> Decoded {
        match (self.time, self.names[1]) {
            (true, true) => Ok(()),
            (false, _) => Err(Fault::new(Code::Record, start, "a change without Metadata.WriteTimestampMicros")),
            (_, false) => Err(Fault::new(Code::Record, start, "a change without Keys")),
        }
    }
}
