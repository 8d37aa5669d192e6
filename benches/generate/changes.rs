//! What became of the items of a full export, the base: the changes that an incremental export
//! of the same seed tells of. Each item that changed has one record, as in real ones, which put
//! all the writes of a window to one item together.
//!
//! A data file has the changes of the base's file with the same number: updates and deletes
//! of its items, in their order, then inserts, which are the items that would come next.

use std::str::FromStr;

use crate::layout::{View, Window};
use crate::lines::{Change, Format, Lines};
use crate::rng::{Rng, mix};
use crate::shape::{File, Items, Shape};

/// How the changes divide into inserts, updates and deletes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mix {
    inserts: u64,
    updates: u64,
    deletes: u64,
}

impl FromStr for Mix {
    type Err = String;

    /// `20:70:10`
    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Result<Vec<u64>, _> = text.split(':').map(|part| part.parse::<u32>().map(u64::from)).collect();
        match parts.as_deref() {
            Ok(&[inserts, updates, deletes]) if inserts + updates + deletes > 0 => Ok(Self { inserts, updates, deletes }),
            _ => Err("three parts as in 20:70:10: inserts, updates, deletes".into()),
        }
    }
}

impl Mix {
    /// So many of `changes`.
    fn of(self, changes: u64) -> Self {
        let whole = self.inserts + self.updates + self.deletes;
        let (inserts, deletes) = (changes * self.inserts / whole, changes * self.deletes / whole);
        // What rounding leaves over goes where any is wanted.
        let rest = changes - inserts - deletes;
        match self {
            Self { updates: 1.., .. } => Self { inserts, updates: rest, deletes },
            Self { inserts: 1.., .. } => Self { inserts: inserts + rest, updates: 0, deletes },
            _ => Self { inserts, updates: 0, deletes: deletes + rest },
        }
    }
}

/// The changes of one data file.
pub struct Changes {
    base: Box<dyn Items>,
    /// Items of which updates take their values.
    donors: Box<dyn Items>,
    keys: &'static [&'static str],
    window: Window,
    rng: Rng,
    scratch: Lines,
    /// Items of the base that were not looked at.
    base_left: u64,
    left: Mix,
}

impl Changes {
    /// `changes` in the file of a base that has `items` there.
    pub fn new(shape: Shape, format: Format, file: File, window: Window, mix_of: Mix, items: u64, changes: u64) -> Result<Self, String> {
        let left = mix_of.of(changes);
        if left.updates + left.deletes > items {
            return Err(format!("a data file has {items} items, of which {} cannot change", left.updates + left.deletes));
        }
        let seed = mix(file.seed ^ u64::MAX);
        Ok(Self {
            base: shape.items(file),
            donors: shape.items(File { seed, ..file }),
            keys: shape.keys(),
            window,
            rng: Rng::new(seed, file.index),
            scratch: Lines::new(format),
            base_left: items,
            left,
        })
    }

    /// The next item's attributes, sorted, as incremental exports have them.
    fn next_of(items: &mut dyn Items, scratch: &mut Lines) -> Vec<String> {
        scratch.clear();
        items.write_next(scratch);
        let mut attributes = scratch.attributes();
        attributes.sort_unstable_by(|a, b| name_of(a).cmp(name_of(b)));
        attributes
    }

    fn next_base(&mut self) -> Vec<String> {
        self.base_left = self.base_left.saturating_sub(1);
        Self::next_of(&mut *self.base, &mut self.scratch)
    }

    /// The item after an update: some attributes have the values that they have in another.
    fn updated(&mut self, old: &[String]) -> Vec<String> {
        loop {
            let donor = Self::next_of(&mut *self.donors, &mut self.scratch);
            let mut new = old.to_vec();
            for attribute in &mut new {
                let name = name_of(attribute);
                if self.keys.contains(&name) || name == "EntityType" {
                    continue;
                }
                if let Some(given) = donor.iter().find(|given| name_of(given) == name)
                    && self.rng.one_in(2)
                {
                    attribute.clone_from(given);
                }
            }
            // A write that changes nothing leaves no record.
            if new != old {
                return new;
            }
        }
    }
}

impl Items for Changes {
    fn write_next(&mut self, out: &mut Lines) {
        // Of what is left of the base so many are chosen, each as likely.
        while self.left.updates + self.left.deletes > 0 && self.rng.below(self.base_left) >= self.left.updates + self.left.deletes {
            self.next_base();
        }
        let (old, new) = if self.left.updates + self.left.deletes > 0 {
            let old = self.next_base();
            if self.rng.below(self.left.updates + self.left.deletes) < self.left.updates {
                self.left.updates -= 1;
                let new = self.updated(&old);
                (Some(old), Some(new))
            } else {
                self.left.deletes -= 1;
                (Some(old), None)
            }
        } else {
            while self.base_left > 0 {
                self.next_base();
            }
            (None, Some(self.next_base()))
        };
        let image = new.as_ref().or(old.as_ref()).expect("a change has an image");
        let keys: Vec<_> = image.iter().filter(|attribute| self.keys.contains(&name_of(attribute))).cloned().collect();
        let Window { from, to, view } = self.window;
        out.change(&Change {
            micros: from * 1000 + self.rng.below((to - from) * 1000),
            keys: &keys,
            old: old.as_deref().filter(|_| view == View::NewAndOld),
            new: new.as_deref(),
        });
    }
}

/// The name in an attribute's text. The shapes have no names with a colon.
fn name_of(attribute: &str) -> &str {
    attribute.split_once(':').map_or("", |(name, _)| name.trim_matches(['"', '\'']))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = Window { from: 1_768_000_000_000, to: 1_768_086_400_000, view: View::NewAndOld };

    fn text(shape: Shape, format: Format, view: View, mix: &str) -> String {
        let file = File { index: 1, count: 3, seed: 7 };
        let window = Window { view, ..WINDOW };
        let mut changes = Changes::new(shape, format, file, window, mix.parse().unwrap(), 1000, 100).unwrap();
        let mut out = Lines::new(format);
        for _ in 0..100 {
            changes.write_next(&mut out);
        }
        String::from_utf8(out.lines().to_vec()).unwrap()
    }

    #[test]
    fn the_mix_is_kept() {
        for shape in [Shape::Shop, Shape::Narrow, Shape::Wide] {
            let text = text(shape, Format::DynamodbJson, View::NewAndOld, "20:70:10");
            let with = |old, new| {
                text.lines().filter(|line| line.contains("\"OldImage\":{") == old && line.contains("\"NewImage\":{") == new).count()
            };
            assert_eq!((with(false, true), with(true, true), with(true, false)), (20, 70, 10));
        }
        let deletes = text(Shape::Wide, Format::DynamodbJson, View::New, "0:0:1");
        assert!(!deletes.contains("Image"));
        assert_eq!(deletes.lines().count(), 100);
    }

    #[test]
    fn old_images_are_items_of_the_base_and_keys_stay() {
        let file = File { index: 1, count: 3, seed: 7 };
        let mut base = Shape::Narrow.items(file);
        let mut scratch = Lines::default();
        let items: Vec<_> = (0..1000).map(|_| Changes::next_of(&mut *base, &mut scratch).join(",")).collect();
        let text = text(Shape::Narrow, Format::DynamodbJson, View::NewAndOld, "1:1:1");
        for line in text.lines() {
            let keys = line.split_once("\"Keys\":{").unwrap().1.split_once("}}").unwrap().0;
            let image = |name: &str| line.split_once(name).map(|(_, rest)| rest.split_once("}}").unwrap().0);
            let (old, new) = (image("\"OldImage\":{"), image("\"NewImage\":{"));
            assert_eq!(old.is_some(), items.iter().any(|item| item.contains(keys)), "{line}");
            for image in old.iter().chain(&new) {
                assert!(image.contains(keys), "{line}");
            }
            assert!(old.is_none_or(|old| items.contains(&format!("{old}}}"))), "{line}");
            assert_ne!(old, new);
        }
    }

    #[test]
    fn the_members_of_a_record_in_their_order() {
        let json = text(Shape::Wide, Format::DynamodbJson, View::NewAndOld, "0:1:0");
        let ion = text(Shape::Wide, Format::Ion, View::NewAndOld, "0:1:0");
        for line in json.lines() {
            assert!(line.starts_with(r#"{"Metadata":{"WriteTimestampMicros":{"N":"1768"#), "{line}");
            let at = |name| line.find(name).unwrap();
            assert!(at("\"}},\"Keys\":{\"id\":{\"S\":\"") < at("\"}},\"OldImage\":{\""), "{line}");
            assert!(at("\"OldImage\":{\"") < at("},\"NewImage\":{\""), "{line}");
        }
        for (n, line) in ion.lines().enumerate() {
            assert!(line.starts_with(if n == 0 { "$ion_1_0 {Record:{Keys:{id:\"" } else { " $ion_1_0 {Record:{Keys:{id:\"" }), "{line}");
            assert!(line.contains("\"},Metadata:{WriteTimestampMicros:1768"), "{line}");
            assert!(line.contains("},OldImage:{") && line.contains("},NewImage:{") && line.ends_with("}}}"), "{line}");
        }
    }

    #[test]
    fn more_changes_than_items_are_refused() {
        let file = File { index: 0, count: 1, seed: 1 };
        let changes = |mix: &str| Changes::new(Shape::Narrow, Format::Ion, file, WINDOW, mix.parse().unwrap(), 9, 10);
        assert!(changes("0:1:0").is_err());
        assert!(changes("1:0:0").is_ok());
        assert!("1:2".parse::<Mix>().is_err() && "0:0:0".parse::<Mix>().is_err());
    }
}
