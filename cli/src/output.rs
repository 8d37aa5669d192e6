//! What is printed, and how: results to standard output, all else to standard error.

use std::io::{self, ErrorKind, Stdout, Write};
use std::time::Duration;

use dynarrow::error::printable;
use dynarrow::{Error, Extra, Loss, Losses, Result, Totals};
use serde_json::Value;

/// Characters of an example that are shown, at most.
const EXAMPLE_CHARS: usize = 40;

/// Standard output, which remembers whether anybody still reads it.
#[derive(Debug)]
pub struct Output {
    stdout: Stdout,
    closed: bool,
}

impl Output {
    /// Standard output.
    pub fn new() -> Self {
        Self { stdout: io::stdout(), closed: false }
    }

    /// The reader of a pipe has gone.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Prints a text as it is.
    pub fn text(&mut self, text: &str) -> Result<()> {
        self.bytes(text.as_bytes())
    }

    /// Prints bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.write_all(bytes).map_err(|e| failed(&e))
    }

    /// Prints a document for machines, which people can read.
    pub fn json(&mut self, value: &Value) -> Result<()> {
        self.text(&format!("{value:#}\n"))
    }

    /// Writes out what is still held back.
    pub fn finish(&mut self) -> Result<()> {
        self.flush().map_err(|e| failed(&e))
    }

    fn noted<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        self.closed |= result.as_ref().is_err_and(|error| error.kind() == ErrorKind::BrokenPipe);
        result
    }
}

fn failed(error: &io::Error) -> Error {
    Error::io("standard output", error)
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.stdout.write(bytes);
        self.noted(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.stdout.flush();
        self.noted(flushed)
    }
}

/// Says a line on standard error. Where that is closed, nobody listens.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// What has to be said of records that were passed over.
pub fn skipped(totals: &Totals) -> Option<String> {
    let first = totals.errors.first().map(|error| format!("; first: {error}")).unwrap_or_default();
    (totals.skipped > 0).then(|| format!("{} skipped{first}", counted(totals.skipped, "record")))
}

/// What has to be said of values that the columns do not hold as they were.
pub fn losses(losses: &Losses, extra: Extra) -> Vec<String> {
    let extra = if extra == Extra::Column { "fit no column: in _extra" } else { "fit no column: dropped" };
    let all = [(&losses.rounded, "number", "rounded"), (&losses.overflowed, "number", "overflowed: null"), (&losses.extra, "value", extra)];
    all.into_iter().filter(|(loss, ..)| loss.count > 0).map(|(loss, one, what)| lost(loss, one, what)).collect()
}

fn lost(loss: &Loss, one: &str, what: &str) -> String {
    let first = loss.first.as_ref().map(|(path, value)| format!("; first: {} (attribute {})", example(value), printable(path)));
    format!("{} {what}{}", counted(loss.count, one), first.unwrap_or_default())
}

/// The text of a value, cut where it is long.
pub fn example(text: &str) -> String {
    let text = printable(text);
    match text.char_indices().nth(EXAMPLE_CHARS) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

/// A number with its thousands apart: `600,000`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (n, digit) in digits.char_indices() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of things: `1 item`, `3,000 items`.
pub fn counted(number: u64, one: &str) -> String {
    format!("{} {one}{}", count(number), if number == 1 { "" } else { "s" })
}

/// A number of bytes, in decimal units: `999 B`, `1.2 MB`, `302 MB`.
pub fn bytes(number: u64) -> String {
    let mut size = number as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if size < 999.5 {
            return scaled(size, unit);
        }
        size /= 1000.0;
    }
    scaled(size, "TB")
}

fn scaled(size: f64, unit: &str) -> String {
    let digits = usize::from(unit != "B" && size < 9.95);
    format!("{size:.digits$} {unit}")
}

/// A time: `0.35 s`, `12.0 s`, `3 min 5 s`.
pub fn seconds(time: Duration) -> String {
    match time.as_secs() {
        0 => format!("{:.2} s", time.as_secs_f64()),
        1..60 => format!("{:.1} s", time.as_secs_f64()),
        whole => format!("{} min {} s", whole / 60, whole % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_for_people() {
        assert_eq!([0, 999, 1000, 600_000, 1_234_567].map(count), ["0", "999", "1,000", "600,000", "1,234,567"]);
        assert_eq!([counted(1, "file"), counted(0, "file"), counted(4, "file")], ["1 file", "0 files", "4 files"]);
        let sizes = [0, 999, 1000, 9_949, 9_950, 999_499, 999_500, 302_123_456, 5_000_000_000_000_000];
        assert_eq!(sizes.map(bytes), ["0 B", "999 B", "1.0 kB", "9.9 kB", "10 kB", "999 kB", "1.0 MB", "302 MB", "5000 TB"]);
        assert_eq!([350, 12_040, 185_000].map(|ms| seconds(Duration::from_millis(ms))), ["0.35 s", "12.0 s", "3 min 5 s"]);
    }
}
