//! A data file's bytes: lines, compressed, with the MD5 of what is stored.

use std::io::{self, Write};

use clap::ValueEnum;
use flate2::{Compression as Level, GzBuilder};
use md5::{Digest as _, Md5};

use crate::lines::{Format, Lines};
use crate::shape::Items;

/// How data files are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Compression {
    /// As every export is
    Gzip,
    /// As after unpacking
    None,
}

impl Compression {
    /// How the names of data files end.
    pub fn ending(self, format: Format) -> &'static str {
        match (format, self) {
            (Format::DynamodbJson, Self::Gzip) => ".json.gz",
            (Format::DynamodbJson, Self::None) => ".json",
            (Format::Ion, Self::Gzip) => ".ion.gz",
            (Format::Ion, Self::None) => ".ion",
        }
    }
}

/// What was written.
#[derive(Debug, PartialEq, Eq)]
pub struct Written {
    /// Of the stored bytes.
    pub md5: [u8; 16],
    /// The lines' bytes.
    pub raw: u64,
    /// The file's bytes.
    pub stored: u64,
}

/// Writes `count` lines as one data file.
pub fn write(sink: impl Write, (compression, format): (Compression, Format), items: &mut dyn Items, count: u64) -> io::Result<Written> {
    let hashed = Hashed { sink, md5: Md5::new(), stored: 0 };
    let (raw, mut hashed) = match compression {
        Compression::None => lines(hashed, format, items, count)?,
        Compression::Gzip => {
            // The header of an export's files: no name, no time, level 6, system unknown (ff).
            let encoder = GzBuilder::new().operating_system(255).write(hashed, Level::new(6));
            let (raw, encoder) = lines(encoder, format, items, count)?;
            (raw, encoder.finish()?)
        }
    };
    hashed.flush()?;
    Ok(Written { md5: hashed.md5.finalize().into(), raw, stored: hashed.stored })
}

/// Writes the lines, gives their bytes' number and the sink back.
fn lines<W: Write>(mut sink: W, format: Format, items: &mut dyn Items, count: u64) -> io::Result<(u64, W)> {
    const CHUNK: usize = 128 * 1024;
    let mut out = Lines::new(format);
    let mut raw = 0;
    for written in 1..=count {
        items.write_next(&mut out);
        if out.lines().len() >= CHUNK || written == count {
            sink.write_all(out.lines())?;
            raw += out.lines().len() as u64;
            out.clear();
        }
    }
    Ok((raw, sink))
}

/// Hashes and counts what passes through.
struct Hashed<W> {
    sink: W,
    md5: Md5,
    stored: u64,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.sink.write(bytes)?;
        self.md5.update(&bytes[..taken]);
        self.stored += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::shape::{File, Shape};

    const FILE: File = File { index: 0, count: 1, seed: 5 };

    fn written(compression: Compression, count: u64) -> (Vec<u8>, Written) {
        let mut bytes = Vec::new();
        let written = write(&mut bytes, (compression, Format::DynamodbJson), &mut *Shape::Shop.items(FILE), count).unwrap();
        (bytes, written)
    }

    #[test]
    fn no_items_are_the_twenty_bytes_of_an_empty_partition() {
        let (bytes, told) = written(Compression::Gzip, 0);
        assert_eq!(bytes, [31, 139, 8, 0, 0, 0, 0, 0, 0, 255, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!((told.raw, told.stored), (0, 20));
        assert_eq!(written(Compression::None, 0).0, b"");
    }

    #[test]
    fn gzip_holds_the_plain_lines_and_the_md5_is_of_the_stored_bytes() {
        let (plain, told_plain) = written(Compression::None, 1000);
        let (packed, told) = written(Compression::Gzip, 1000);
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, plain);
        assert_eq!(packed[..10], [31, 139, 8, 0, 0, 0, 0, 0, 0, 255]);
        assert_eq!(told.md5, <[u8; 16]>::from(Md5::digest(&packed)));
        assert_eq!(told_plain.md5, <[u8; 16]>::from(Md5::digest(&plain)));
        assert_eq!((told.raw, told.stored), (plain.len() as u64, packed.len() as u64));
        assert_eq!(String::from_utf8(plain).unwrap().lines().count(), 1000);
    }
}
