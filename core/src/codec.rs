//! Compression, both ways, told from the first bytes.
//!
//! Several gzip members or zstd frames in a file are one stream
//! (<https://www.rfc-editor.org/rfc/rfc1952#section-2.2>,
//! <https://www.rfc-editor.org/rfc/rfc8878#section-3.1>). There is no limit on the ratio:
//! gzip reaches 1000:1 lawfully; what comes out is taken in bounded pieces.

use std::io::{self, BufRead, Read, Write};
use std::str::FromStr;

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::FrameDecoder;
use ruzstd::encoding::{CompressionLevel, FrameCompressor};

use crate::error::{Code, Error, Result};

/// How a file is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Codec {
    /// Not at all.
    #[default]
    None,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

impl FromStr for Codec {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "none" => Self::None,
            "gzip" => Self::Gzip,
            "zstd" => Self::Zstd,
            _ => return Err(Error::usage(format!("compression must be one of gzip, zstd, none, not {text:?}"))),
        })
    }
}

impl Codec {
    /// The names of all codecs.
    pub const NAMES: &[&str] = &["none", "gzip", "zstd"];

    /// The ending of a file's name, with its point.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }

    /// The codec that a file's first bytes show; `None` where there are too few of them.
    pub fn detect(bytes: &[u8], finished: bool) -> Option<Self> {
        const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
        if bytes.starts_with(&[0x1f, 0x8b]) {
            return Some(Self::Gzip);
        }
        if bytes.starts_with(&ZSTD) || is_skippable(bytes) {
            return Some(Self::Zstd);
        }
        (bytes.len() >= 4 || finished).then_some(Self::None)
    }
}

/// A zstd frame that holds no data.
fn is_skippable(bytes: &[u8]) -> bool {
    matches!(bytes, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// What a call of [`Decompressor::read`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many bytes, at least one.
    Bytes(usize),
    /// More input is needed.
    NeedsInput,
    /// The stream is complete.
    End,
}

/// Decompresses one file, fed with chunks.
pub struct Decompressor {
    state: State,
}

enum State {
    /// The bytes so far do not show the codec.
    Unknown(Feed),
    None(Feed),
    Gzip(Box<MultiGzDecoder<Feed>>),
    Zstd(Box<Zstd>),
}

/// Input that comes in chunks: reading past what has come says "would block", which the
/// gzip decoder passes on without losing its place.
#[derive(Default)]
struct Feed {
    bytes: Vec<u8>,
    at: usize,
    finished: bool,
}

impl Feed {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.at);
        self.at = 0;
        self.bytes.extend_from_slice(bytes);
    }

    fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }
}

impl Read for Feed {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut rest = self.fill_buf()?;
        let count = rest.read(out)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Feed {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.bytes.len() && !self.finished {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(&self.bytes[self.at..])
    }

    fn consume(&mut self, count: usize) {
        self.at += count;
    }
}

impl Default for Decompressor {
    fn default() -> Self {
        Self { state: State::Unknown(Feed::default()) }
    }
}

impl Decompressor {
    /// Takes the next chunk of the file.
    pub fn push(&mut self, bytes: &[u8]) {
        self.feed().push(bytes);
    }

    /// No more chunks will come.
    pub fn finish(&mut self) {
        self.feed().finished = true;
    }

    /// The codec, once the first bytes have shown it.
    pub fn codec(&self) -> Codec {
        match &self.state {
            State::Unknown(_) | State::None(_) => Codec::None,
            State::Gzip(_) => Codec::Gzip,
            State::Zstd(_) => Codec::Zstd,
        }
    }

    fn feed(&mut self) -> &mut Feed {
        match &mut self.state {
            State::Unknown(feed) | State::None(feed) => feed,
            State::Gzip(decoder) => decoder.get_mut(),
            State::Zstd(zstd) => &mut zstd.feed,
        }
    }

    /// Decompresses into `out`. A stream that is broken or ends too early is an error.
    pub fn read(&mut self, out: &mut [u8]) -> Result<Progress> {
        if let State::Unknown(feed) = &mut self.state {
            let Some(codec) = Codec::detect(feed.rest(), feed.finished) else { return Ok(Progress::NeedsInput) };
            let feed = std::mem::take(feed);
            self.state = match codec {
                Codec::None => State::None(feed),
                Codec::Gzip => State::Gzip(Box::new(MultiGzDecoder::new(feed))),
                Codec::Zstd => State::Zstd(Box::new(Zstd { feed, frame: FrameDecoder::new(), in_frame: false })),
            };
        }
        let result = match &mut self.state {
            State::Unknown(feed) | State::None(feed) => feed.read(out),
            State::Gzip(decoder) => decoder.read(out),
            State::Zstd(zstd) => return zstd.read(out),
        };
        match result {
            Ok(0) => Ok(Progress::End),
            Ok(count) => Ok(Progress::Bytes(count)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Progress::NeedsInput),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(Error::new(Code::Truncated, "the gzip stream ends too early"))
            }
            Err(error) => Err(Error::new(Code::Compression, format!("broken gzip stream: {error}"))),
        }
    }
}

/// Stored bytes that [`first_bytes`] needs: a block of zstd, which has at most 128 KiB, is among them.
pub const FIRST_BYTES: u64 = 160 << 10;

/// The first bytes of a file, decompressed: at most `limit`, and as many as the first stored bytes tell.
pub fn first_bytes(stored: &[u8], limit: usize) -> Vec<u8> {
    let mut decompressor = Decompressor::default();
    let blocks = zstd_blocks(stored);
    decompressor.push(blocks.as_deref().unwrap_or(stored));
    decompressor.finish();
    let (mut text, mut len) = (vec![0; limit], 0);
    // What is broken is said by who reads it all.
    while len < limit
        && let Ok(Progress::Bytes(count)) = decompressor.read(&mut text[len..])
    {
        len += count;
    }
    text.truncate(len);
    text
}

/// The blocks of the first frame of zstd that are whole, as a frame of their own: of a frame that is not at its end the
/// decoder keeps its window, which may be megabytes.
fn zstd_blocks(stored: &[u8]) -> Option<Vec<u8>> {
    if Codec::detect(stored, true) != Some(Codec::Zstd) {
        return None;
    }
    let mut frame = stored;
    while is_skippable(frame) {
        let size = u32::from_le_bytes(frame.get(4..8)?.try_into().ok()?) as usize;
        frame = frame.get(8 + size..)?;
    }
    // https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1
    let descriptor = *frame.get(4)?;
    let is_single = descriptor & 0x20 != 0;
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let content_size = [usize::from(is_single), 2, 4, 8][usize::from(descriptor >> 6)];
    let (mut end, mut last) = (5 + usize::from(!is_single) + dictionary + content_size, None);
    while let Some(&[a, b, c]) = frame.get(end..end + 3) {
        let header = u32::from_le_bytes([a, b, c, 0]);
        let size = if header & 6 == 2 { 1 } else { (header >> 3) as usize };
        if frame.len() < end + 3 + size {
            break;
        }
        last = Some(end);
        end += 3 + size;
        if header & 1 == 1 {
            break;
        }
    }
    let last = last?;
    let mut blocks = frame[..end].to_vec();
    // The last block, and no checksum behind it.
    blocks[last] |= 1;
    blocks[4] &= !4;
    Some(blocks)
}

struct Zstd {
    feed: Feed,
    frame: FrameDecoder,
    in_frame: bool,
}

/// A block of at most 128 KiB, its header, and the largest frame header: with so much input
/// the decoder always gets on.
const ZSTD_INPUT: usize = (128 << 10) + 3 + 18;

impl Zstd {
    fn read(&mut self, out: &mut [u8]) -> Result<Progress> {
        loop {
            let rest = self.feed.rest();
            let waits = !self.feed.finished && rest.len() < ZSTD_INPUT;
            if !self.in_frame {
                if rest.is_empty() && self.feed.finished {
                    return Ok(Progress::End);
                }
                if waits {
                    return Ok(Progress::NeedsInput);
                }
                if is_skippable(rest) {
                    if let Some(size) = rest.get(4..8) {
                        let size = u32::from_le_bytes(size.try_into().unwrap_or_default()) as usize;
                        if rest.len() < 8 + size {
                            return if self.feed.finished { Err(truncated()) } else { Ok(Progress::NeedsInput) };
                        }
                        self.feed.consume(8 + size);
                        continue;
                    }
                    return Err(truncated());
                }
                let mut header = rest;
                let before = header.len();
                self.frame.init(&mut header).map_err(|e| if before < 18 { truncated() } else { broken(&e) })?;
                let used = before - header.len();
                self.feed.consume(used);
                self.in_frame = true;
                continue;
            }
            if self.frame.can_collect() == 0 && self.frame.is_finished() {
                self.end_frame()?;
                continue;
            }
            if waits && self.frame.can_collect() == 0 {
                return Ok(Progress::NeedsInput);
            }
            let rest = self.feed.rest();
            let (mut read, mut written) = self.frame.decode_from_to(rest, out).map_err(|e| broken(&e))?;
            if read > rest.len() {
                // The decoder counts the checksum's four bytes also where they have not come.
                read = 0;
                written = self.frame.read(out).map_err(|e| broken(&e))?;
            }
            self.feed.consume(read);
            if written > 0 {
                return Ok(Progress::Bytes(written));
            }
            if read == 0 && !self.frame.is_finished() {
                return if self.feed.finished { Err(truncated()) } else { Ok(Progress::NeedsInput) };
            }
        }
    }

    fn end_frame(&mut self) -> Result<()> {
        self.in_frame = false;
        match (self.frame.get_checksum_from_data(), self.frame.get_calculated_checksum()) {
            (Some(stored), Some(calculated)) if stored != calculated => {
                Err(Error::new(Code::Compression, "broken zstd stream: its checksum differs"))
            }
            _ => Ok(()),
        }
    }
}

fn broken(error: &dyn std::fmt::Display) -> Error {
    Error::new(Code::Compression, format!("broken zstd stream: {error}"))
}

fn truncated() -> Error {
    Error::new(Code::Truncated, "the zstd stream ends too early")
}

/// Compresses into a writer. The bytes depend on the data alone, not on the pieces it is
/// written in.
pub struct Compressor<W: Write> {
    pieces: Vec<u8>,
    encoder: Encoder<W>,
}

#[allow(clippy::large_enum_variant)] // there is one of them
enum Encoder<W: Write> {
    None(W),
    Gzip(flate2::write::GzEncoder<W>),
    Zstd(W),
}

/// What encoders are given at a time.
const PIECE: usize = 1 << 20;

impl<W: Write> Compressor<W> {
    /// Compresses into `writer`.
    pub fn new(codec: Codec, writer: W) -> Self {
        let encoder = match codec {
            Codec::None => Encoder::None(writer),
            Codec::Gzip => Encoder::Gzip(flate2::GzBuilder::new().write(writer, flate2::Compression::default())),
            Codec::Zstd => Encoder::Zstd(writer),
        };
        Self { pieces: Vec::new(), encoder }
    }

    fn piece(&mut self, length: usize) -> io::Result<()> {
        let piece = &self.pieces[..length];
        match &mut self.encoder {
            Encoder::None(writer) => writer.write_all(piece)?,
            Encoder::Gzip(encoder) => encoder.write_all(piece)?,
            Encoder::Zstd(writer) => {
                // A frame a piece: the encoder wants its source whole.
                let mut encoder = FrameCompressor::new(CompressionLevel::Fastest);
                encoder.set_source(piece);
                encoder.set_drain(writer);
                encoder.compress();
            }
        }
        self.pieces.drain(..length);
        Ok(())
    }

    /// Completes the stream and gives the writer back.
    pub fn finish(mut self) -> io::Result<W> {
        while !self.pieces.is_empty() {
            self.piece(self.pieces.len().min(PIECE))?;
        }
        match self.encoder {
            Encoder::None(writer) | Encoder::Zstd(writer) => Ok(writer),
            Encoder::Gzip(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for Compressor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pieces.extend_from_slice(bytes);
        while self.pieces.len() >= PIECE {
            self.piece(PIECE)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compress(codec: Codec, bytes: &[u8]) -> Vec<u8> {
        let mut compressor = Compressor::new(codec, Vec::new());
        compressor.write_all(bytes).expect("memory");
        compressor.finish().expect("memory")
    }

    fn decompress(bytes: &[u8], chunk: usize, piece: usize) -> Result<Vec<u8>> {
        let mut decompressor = Decompressor::default();
        let mut chunks = bytes.chunks(chunk);
        let mut all = Vec::new();
        let mut out = vec![0; piece];
        loop {
            match decompressor.read(&mut out)? {
                Progress::Bytes(count) => all.extend_from_slice(&out[..count]),
                Progress::NeedsInput => match chunks.next() {
                    Some(chunk) => decompressor.push(chunk),
                    None => decompressor.finish(),
                },
                Progress::End => return Ok(all),
            }
        }
    }

    fn text() -> Vec<u8> {
        (0..60_000).flat_map(|n| format!("{}\n", n * 7919 % 10_007).into_bytes()).collect()
    }

    #[test]
    fn first_bytes_of_parts() {
        for codec in [Codec::None, Codec::Gzip, Codec::Zstd] {
            for plain in [Vec::new(), b"a".to_vec(), b"a;b\n1;2\n".to_vec(), text()] {
                let whole = compress(codec, &plain);
                // Before its fourth byte a file may be anything.
                for len in (4..whole.len().min(60)).chain([whole.len()]) {
                    let found = first_bytes(&whole[..len], 1000);
                    assert!(codec == Codec::None || plain.starts_with(&found), "{codec:?} {len}");
                }
                assert_eq!(first_bytes(&whole, 1000), plain[..plain.len().min(1000)], "{codec:?}");
            }
            let whole = compress(codec, &text());
            assert!(whole.len() > 1000);
            assert_eq!(first_bytes(&whole[..whole.len().min(140_000) - 5], 1000), text()[..1000], "{codec:?}");
            let skippable = [&[0x51, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9][..], &compress(Codec::Zstd, b"abc")].concat();
            assert_eq!(first_bytes(&skippable, 9), b"abc");
        }
    }

    #[test]
    fn round_trips_in_any_pieces() {
        for codec in [Codec::None, Codec::Gzip, Codec::Zstd] {
            for plain in [Vec::new(), b"{}\n".to_vec(), text()] {
                let one = compress(codec, &plain);
                let two = [one.clone(), one.clone()].concat();
                for (chunk, piece) in [(1 << 20, 1 << 20), (1000, 65_536), (7, 100_000), (100_000, 333)] {
                    assert_eq!(decompress(&one, chunk, piece), Ok(plain.clone()), "{codec:?} {chunk} {piece}");
                    assert_eq!(decompress(&two, chunk, piece), Ok(plain.repeat(2)), "{codec:?} twice {chunk} {piece}");
                }
            }
        }
    }

    #[test]
    fn pieces_written_do_not_show() {
        let plain = text().repeat(8);
        for codec in [Codec::None, Codec::Gzip, Codec::Zstd] {
            let mut compressor = Compressor::new(codec, Vec::new());
            plain.chunks(777).for_each(|chunk| compressor.write_all(chunk).expect("memory"));
            assert_eq!(compressor.finish().expect("memory"), compress(codec, &plain), "{codec:?}");
        }
    }

    #[test]
    fn broken_streams_fail() {
        for codec in [Codec::Gzip, Codec::Zstd] {
            let good = compress(codec, &text());
            // Three bytes of zstd's magic number are not told from text; the decoder refuses them.
            for cut in [5, 12, good.len() / 2, good.len() - 1] {
                for chunk in [1, 1 << 20] {
                    let code = decompress(&good[..cut], chunk, 1000).expect_err("cut").code();
                    assert!(code == Code::Truncated, "{codec:?} cut at {cut}: {code}");
                }
            }
            let mut bad = good.clone();
            let middle = bad.len() / 2;
            bad[middle] ^= 0xff;
            assert!(decompress(&bad, 1 << 20, 1 << 20).is_err(), "{codec:?}");
        }
    }
}
