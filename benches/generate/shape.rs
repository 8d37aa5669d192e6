//! What the items of an export look like, apart from how they are encoded.

use clap::ValueEnum;

use crate::lines::Lines;
use crate::narrow::Narrow;
use crate::shop::Shop;
use crate::wide::Wide;

/// The shapes to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// Users, orders and products in one table, with every type; ~530 bytes an item (also: orders)
    #[value(alias = "orders")]
    Shop,
    /// 4 attributes; ~130 bytes an item
    Narrow,
    /// 20 to 40 of 100 attributes; ~830 bytes an item
    Wide,
}

/// The lines of one data file, without end.
pub trait Items {
    /// Writes the next line, of an item or of a change.
    fn write_next(&mut self, out: &mut Lines);
}

/// Which of the data files this is.
///
/// The n-th key of a file is number `index + count * n` of the table: so keys are unique in
/// the table although no file knows of the others.
#[derive(Clone, Copy)]
pub struct File {
    /// From 0.
    pub index: u64,
    /// How many there are.
    pub count: u64,
    /// The seed of the whole export.
    pub seed: u64,
}

impl File {
    /// The number in the table of the `n`-th key of this file.
    pub fn number(&self, n: u64) -> u64 {
        self.index + self.count * n
    }
}

impl Shape {
    /// The name of the table.
    pub fn table(self) -> &'static str {
        match self {
            Self::Shop => "Shop",
            Self::Narrow => "Readings",
            Self::Wide => "Devices",
        }
    }

    /// The attributes of the primary key.
    pub fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Shop => &["PK", "SK"],
            Self::Narrow => &["pk", "sk"],
            Self::Wide => &["id"],
        }
    }

    /// The items of `file`.
    pub fn items(self, file: File) -> Box<dyn Items> {
        match self {
            Self::Shop => Box::new(Shop::new(file)),
            Self::Narrow => Box::new(Narrow::new(file)),
            Self::Wide => Box::new(Wide::new(file)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(shape: Shape, file: File, items: usize) -> String {
        let mut out = Lines::default();
        let mut source = shape.items(file);
        for _ in 0..items {
            source.write_next(&mut out);
        }
        String::from_utf8(out.lines().to_vec()).unwrap()
    }

    #[test]
    fn every_item_is_one_line_of_about_the_length_promised() {
        for (shape, length) in [(Shape::Shop, 530), (Shape::Narrow, 130), (Shape::Wide, 830)] {
            let text = text(shape, File { index: 1, count: 3, seed: 7 }, 2000);
            assert_eq!(text.lines().count(), 2000);
            assert!(text.lines().all(|l| l.starts_with("{\"Item\":{") && l.ends_with("}}}")));
            let mean = text.len() / 2000;
            assert!(mean.abs_diff(length) < length / 10, "{shape:?}: {mean} bytes an item");
        }
    }

    #[test]
    fn the_seed_decides() {
        for shape in [Shape::Shop, Shape::Narrow, Shape::Wide] {
            let first = File { index: 0, count: 2, seed: 7 };
            assert_eq!(text(shape, first, 50), text(shape, first, 50));
            assert_ne!(text(shape, first, 50), text(shape, File { seed: 8, ..first }, 50));
            assert_ne!(text(shape, first, 50), text(shape, File { index: 1, ..first }, 50));
        }
    }
}
