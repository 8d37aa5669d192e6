//! Ion text below the level of items: where values end, and where a reader goes on behind
//! one that is broken. <https://amazon-ion.github.io/ion-docs/docs/spec.html>
//!
//! Only the frame is looked at (brackets, commas, names, strings, comments), not what stands
//! in it: whether a number is a number is the decoder's business.

use std::ops::ControlFlow;

/// The marker of the version that is read.
pub const MARKER: &[u8] = b"$ion_1_0";

/// Containers inside each other, at most. It stands far past what an item may have, so
/// that only text that is no data meets it.
const MAX_OPEN: usize = 128;

/// Where a value ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The index behind it.
    At(usize),
    /// Behind the bytes.
    Beyond(Beyond),
    /// It has none: what stands at this index cannot stand there.
    Broken(usize, &'static str),
}

/// In what the bytes end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// In a comment, which has no line to go on at.
    Comment,
    /// In something else.
    Value,
}

type Walk<T = ()> = Result<T, End>;

fn broken<T>(at: usize, message: &'static str) -> Walk<T> {
    Err(End::Broken(at, message))
}

const BEYOND: End = End::Beyond(Beyond::Value);

/// Whether a byte can stand in a symbol without quotes.
#[inline]
pub const fn is_identifier(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$'
}

/// Whether a byte is white space: Ion has six.
#[inline]
pub const fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | 0x0b | 0x0c)
}

/// The index behind the comment that starts at `at`. At the end of the bytes, `finished` tells
/// that a line comment is over.
pub fn comment_end(bytes: &[u8], at: usize, finished: bool) -> Result<usize, End> {
    match bytes.get(at + 1) {
        Some(b'/') => match memchr::memchr2(b'\n', b'\r', &bytes[at..]) {
            None if !finished => Err(End::Beyond(Beyond::Comment)),
            end => Ok(end.map_or(bytes.len(), |end| at + end)),
        },
        Some(b'*') => match memchr::memmem::find(&bytes[at + 2..], b"*/") {
            Some(end) => Ok(at + end + 4),
            None => Err(End::Beyond(Beyond::Comment)),
        },
        None if !finished => Err(BEYOND),
        _ => Err(End::Broken(at, "a `/` that begins no comment")),
    }
}

/// The index behind white space and comments.
pub fn white_end(bytes: &[u8], mut at: usize, finished: bool) -> Result<usize, End> {
    loop {
        match bytes.get(at) {
            Some(&byte) if is_white(byte) => at += 1,
            Some(b'/') => at = comment_end(bytes, at, finished)?,
            _ => return Ok(at),
        }
    }
}

/// The end of the value that starts at `at`, its annotations included. `finished` tells that
/// no bytes follow: a number at the end is then complete.
pub fn value_end(bytes: &[u8], at: usize, finished: bool) -> End {
    match Walker::new(bytes, at, finished).value() {
        Ok(end) => End::At(end),
        Err(end) => end,
    }
}

/// The values of the members of a struct whose opening brace is at `at`, with their names as
/// they are written. Ends where the text is broken.
pub fn members(bytes: &[u8], at: usize) -> impl Iterator<Item = (&[u8], usize)> {
    let mut walker = Walker::new(bytes, at + 1, true);
    std::iter::from_fn(move || {
        walker.white().ok()?;
        if walker.peek() == Some(b',') {
            walker.at += 1;
            walker.white().ok()?;
        }
        let start = walker.at;
        walker.symbol().ok()?;
        let name = &bytes[start..walker.at];
        walker.colon().ok()?;
        walker.white().ok()?;
        let value = walker.at;
        walker.value().ok()?;
        Some((name, value))
    })
}

struct Walker<'a> {
    bytes: &'a [u8],
    at: usize,
    finished: bool,
    /// The innermost container is an s-expression: a `/` may be an operator.
    in_sexp: bool,
}

impl<'a> Walker<'a> {
    fn new(bytes: &'a [u8], at: usize, finished: bool) -> Self {
        Self { bytes, at, finished, in_sexp: false }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn white(&mut self) -> Walk {
        match self.peek() {
            Some(byte) if byte > b' ' && byte != b'/' => return Ok(()),
            _ if self.in_sexp => {}
            _ => {
                self.at = white_end(self.bytes, self.at, self.finished)?;
                return Ok(());
            }
        }
        loop {
            match self.peek() {
                Some(byte) if is_white(byte) => self.at += 1,
                Some(b'/') => match comment_end(self.bytes, self.at, self.finished) {
                    Ok(end) => self.at = end,
                    Err(End::Broken(..)) => return Ok(()),
                    Err(end) => return Err(end),
                },
                _ => return Ok(()),
            }
        }
    }

    fn value(&mut self) -> Walk<usize> {
        // The closing bracket of each container that is open.
        let mut open = [0_u8; MAX_OPEN];
        let mut depth = 0;
        loop {
            let opened = loop {
                self.white()?;
                match self.one()? {
                    ControlFlow::Continue(()) => {}
                    ControlFlow::Break(opened) => break opened,
                }
            };
            if let Some(close) = opened {
                if depth == MAX_OPEN {
                    return broken(self.at, "containers nested without end");
                }
                open[depth] = close;
                depth += 1;
                self.in_sexp = close == b')';
                self.white()?;
                if self.peek() != Some(close) {
                    self.name_of_member(close)?;
                    continue;
                }
                self.at += 1;
                depth -= 1;
                self.in_sexp = depth > 0 && open[depth - 1] == b')';
            }
            // Behind a value: close what ends here.
            loop {
                if depth == 0 {
                    return Ok(self.at);
                }
                let close = open[depth - 1];
                self.white()?;
                match self.peek() {
                    None => return Err(BEYOND),
                    Some(byte) if byte == close => {
                        self.at += 1;
                        depth -= 1;
                        self.in_sexp = depth > 0 && open[depth - 1] == b')';
                    }
                    Some(b',') if close != b')' => {
                        self.at += 1;
                        self.white()?;
                        if self.peek() != Some(close) {
                            self.name_of_member(close)?;
                            break;
                        }
                    }
                    Some(_) if close == b')' => break,
                    Some(_) => return broken(self.at, if close == b'}' { "expected `,` or `}`" } else { "expected `,` or `]`" }),
                }
            }
        }
    }

    /// One scalar, annotation or opening bracket. `Continue` behind an annotation, else the
    /// closing bracket of what was opened.
    fn one(&mut self) -> Walk<ControlFlow<Option<u8>>> {
        let start = self.at;
        let Some(byte) = self.peek() else { return Err(BEYOND) };
        match byte {
            b'{' => match self.bytes.get(self.at + 1) {
                None => return Err(BEYOND),
                Some(b'{') => self.lob()?,
                Some(_) => return Ok(self.opened(b'}')),
            },
            b'[' => return Ok(self.opened(b']')),
            b'(' => return Ok(self.opened(b')')),
            b'"' => self.short(b'"')?,
            b'\'' if self.is_long()? => self.long()?,
            b'\'' => {
                self.short(b'\'')?;
                return self.behind_symbol();
            }
            b'0'..=b'9' | b'-' | b'+' => self.token(|b| is_identifier(b) || matches!(b, b'.' | b'+' | b'-' | b':'))?,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' => {
                self.token(|b| is_identifier(b) || b == b'.')?;
                // `null.int` is one word; a name with another point in it is none.
                if let Some(point) = self.bytes[start..self.at].iter().position(|&b| b == b'.')
                    && self.bytes[start..start + point] != *b"null"
                {
                    self.at = start + point;
                }
                return self.behind_symbol();
            }
            // The operators of s-expressions, which have no DynamoDB value at all.
            b'!' | b'#' | b'%' | b'&' | b'*' | b'.' | b';' | b'<' | b'=' | b'>' | b'?' | b'@' | b'^' | b'`' | b'|' | b'~' => self.at += 1,
            b'/' if self.in_sexp => self.at += 1,
            _ => return broken(start, "expected a value"),
        }
        Ok(ControlFlow::Break(None))
    }

    fn opened(&mut self, close: u8) -> ControlFlow<Option<u8>> {
        self.at += 1;
        ControlFlow::Break(Some(close))
    }

    /// Behind a symbol: it is an annotation where `::` follows.
    fn behind_symbol(&mut self) -> Walk<ControlFlow<Option<u8>>> {
        let end = self.at;
        match self.white() {
            Ok(()) => {}
            // An operator in an s-expression.
            Err(End::Broken(..)) => {}
            Err(stop) => return Err(stop),
        }
        match self.bytes.get(self.at..) {
            Some([b':', b':', ..]) => {
                self.at += 2;
                return Ok(ControlFlow::Continue(()));
            }
            Some([b':'] | []) if !self.finished => return Err(BEYOND),
            _ => {}
        }
        self.at = end;
        Ok(ControlFlow::Break(None))
    }

    /// The name and colon of a struct's member; nothing in a list or s-expression.
    fn name_of_member(&mut self, close: u8) -> Walk {
        if close != b'}' {
            return Ok(());
        }
        self.symbol()?;
        self.colon()
    }

    /// A member's name: a symbol, a string, or strings of three quotes.
    fn symbol(&mut self) -> Walk {
        match self.peek() {
            None => Err(BEYOND),
            Some(b'"') => self.short(b'"'),
            Some(b'\'') if self.is_long()? => self.long(),
            Some(b'\'') => self.short(b'\''),
            Some(byte) if is_identifier(byte) && !byte.is_ascii_digit() => self.token(is_identifier),
            Some(_) => broken(self.at, "expected a field name"),
        }
    }

    fn colon(&mut self) -> Walk {
        self.white()?;
        match self.bytes.get(self.at..) {
            Some([b':', ..]) => {
                self.at += 1;
                Ok(())
            }
            Some([]) => Err(BEYOND),
            _ => broken(self.at, "expected `:`"),
        }
    }

    fn token(&mut self, part: impl Fn(u8) -> bool) -> Walk {
        while self.peek().is_some_and(&part) {
            self.at += 1;
        }
        if self.at == self.bytes.len() && !self.finished { Err(BEYOND) } else { Ok(()) }
    }

    /// A string or symbol in quotes.
    fn short(&mut self, quote: u8) -> Walk {
        self.at += 1;
        loop {
            let Some(found) = memchr::memchr3(quote, b'\\', b'\n', &self.bytes[self.at..]) else {
                return Err(BEYOND);
            };
            self.at += found;
            match self.bytes[self.at] {
                b'\\' => self.escape()?,
                b'\n' => return broken(self.at, "expected the end of the string"),
                _ => {
                    self.at += 1;
                    return Ok(());
                }
            }
        }
    }

    /// A backslash and what it escapes; of a line break with two characters both.
    fn escape(&mut self) -> Walk {
        match self.bytes.get(self.at + 1..self.at + 3) {
            Some(b"\r\n") => self.at += 3,
            Some(_) => self.at += 2,
            None if self.bytes.len() - self.at == 2 && self.finished => self.at += 2,
            None => return Err(BEYOND),
        }
        Ok(())
    }

    /// Whether three quotes stand here.
    fn is_long(&self) -> Walk<bool> {
        let quotes = self.bytes[self.at..].iter().take(3).take_while(|&&b| b == b'\'').count();
        if quotes < 3 && self.at + quotes == self.bytes.len() && !self.finished {
            return Err(BEYOND);
        }
        Ok(quotes == 3)
    }

    /// Strings of three quotes, which are one where several follow each other.
    fn long(&mut self) -> Walk {
        loop {
            self.one_long()?;
            let end = self.at;
            match self.white() {
                Ok(()) if self.peek() == Some(b'\'') && self.is_long()? => {}
                Ok(()) if self.peek().is_none() && !self.finished => return Err(BEYOND),
                Err(stop @ End::Beyond(_)) => return Err(stop),
                _ => {
                    self.at = end;
                    return Ok(());
                }
            }
        }
    }

    /// One string of three quotes.
    fn one_long(&mut self) -> Walk {
        self.at += 3;
        loop {
            let Some(found) = memchr::memchr2(b'\'', b'\\', &self.bytes[self.at..]) else {
                return Err(BEYOND);
            };
            self.at += found;
            if self.bytes[self.at] == b'\\' {
                self.escape()?;
            } else if self.bytes[self.at..].starts_with(b"'''") {
                self.at += 3;
                return Ok(());
            } else if self.bytes.len() - self.at < 3 {
                return Err(BEYOND);
            } else {
                self.at += 1;
            }
        }
    }

    /// A blob or clob.
    fn lob(&mut self) -> Walk {
        self.at += 2;
        loop {
            while self.peek().is_some_and(is_white) {
                self.at += 1;
            }
            match self.peek() {
                None => return Err(BEYOND),
                Some(b'"') => self.short(b'"')?,
                // There are no comments between those of a clob.
                Some(b'\'') if self.is_long()? => self.one_long()?,
                Some(b'}') => match self.bytes.get(self.at + 1) {
                    None => return Err(BEYOND),
                    Some(b'}') => {
                        self.at += 2;
                        return Ok(());
                    }
                    Some(_) => return broken(self.at + 1, "expected `}}`"),
                },
                Some(b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'+' | b'/' | b'=') => self.at += 1,
                Some(_) => return broken(self.at, "expected base64, a string or `}}`"),
            }
        }
    }
}

/// How far the line of the record at `at` is indented.
pub fn indent(bytes: &[u8], at: usize) -> usize {
    let line = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |newline| newline + 1);
    bytes[line..].iter().take_while(|&&b| matches!(b, b' ' | b'\t')).count()
}

/// Blanks in one place that are waited through.
pub const MOST_BLANKS: usize = 1 << 16;

/// Where the search for the next record begins behind one that is broken: in its own lines,
/// unless so much of it was looked at that doing so from every line would take for ever.
pub fn behind_broken(bytes: &[u8], start: usize, end: End) -> usize {
    const FAR: usize = 1 << 16;
    let looked_at = match end {
        End::Broken(at, _) => at,
        _ => bytes.len(),
    };
    if looked_at - start > FAR { looked_at } else { start }
}

/// Where reading goes on behind a broken record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resume {
    /// At this index.
    At(usize),
    /// Not in these bytes; what follows them is to be searched from this index on.
    Later(usize),
}

/// The next line that starts, blanks aside, with the version marker, or with `{` no further
/// in than the broken record's line (a `{` further in is one of its own parts).
pub fn resume(bytes: &[u8], from: usize, indent: usize, finished: bool) -> Resume {
    let mut at = from;
    while let Some(found) = memchr::memchr(b'\n', bytes.get(at..).unwrap_or_default()) {
        let newline = at + found;
        let blanks = bytes[newline + 1..].iter().take_while(|&&b| matches!(b, b' ' | b'\t')).count();
        let start = newline + 1 + blanks;
        match starts_with_marker(&bytes[start..], finished) {
            Some(true) => return Resume::At(start),
            None if blanks <= MOST_BLANKS => return Resume::Later(newline),
            None => at = start,
            Some(false) if blanks <= indent && bytes.get(start) == Some(&b'{') => return Resume::At(start),
            Some(false) => at = start,
        }
    }
    Resume::Later(bytes.len())
}

/// Whether the version marker stands here; `None` where more bytes are needed to tell.
pub fn starts_with_marker(bytes: &[u8], finished: bool) -> Option<bool> {
    match bytes.get(MARKER.len()) {
        Some(&next) => Some(bytes.starts_with(MARKER) && !is_identifier(next)),
        None if finished => Some(bytes == MARKER),
        None if MARKER.starts_with(&bytes[..bytes.len().min(MARKER.len())]) => None,
        None => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_end_where_they_end() {
        for value in [
            "{}",
            "{a:1}",
            "{ a : 1 , }",
            "[1,2,]",
            "[ ]",
            "(a + b (c . d))",
            "\"a\\\"}\"",
            "'sym'",
            "'a'::'b'::{c:1}",
            "$dynamodb_SS::[\"}\"]",
            "'''a''' /* } */ '''b'''",
            "{{ aGVs bG8= }}",
            "{{\"a}}\"}}",
            "{{'''a''' '''}}'''}}",
            "{a:{{}},b:[[{}]],'c':\"}\",\"d\":'}', '''e''':1}",
            "{a:1 // }\n, b:2}",
            "2007-02-23T20:14:33.079-08:00",
            "-1.5d-3",
            "null.struct",
            "{a:null.int,b:x::y::null}",
            "{a:\"\\\n\"}",
            "{a:+inf}",
        ] {
            let bytes = value.as_bytes();
            assert_eq!(value_end(bytes, 0, true), End::At(value.len()), "{value}");
            for next in [",", "}", " ", "\n", "]"] {
                let longer = format!("{value}{next} {{");
                let end = value_end(longer.as_bytes(), 0, false);
                assert!(end == End::At(value.len()), "{value} then {next:?}: {end:?}");
            }
            // Any beginning of a container is incomplete, never broken.
            if matches!(bytes[0], b'{' | b'[' | b'(') {
                for cut in 0..value.len() {
                    assert!(matches!(value_end(&bytes[..cut], 0, false), End::Beyond(_)), "{}", &value[..cut]);
                }
            }
        }
    }

    #[test]
    fn what_has_no_end_is_broken() {
        for (text, at) in [
            ("}", 0),
            ("{a}", 2),
            ("{a:}", 3),
            ("{a:1 b:2}", 5),
            ("{1:2}", 1),
            ("[1 2]", 3),
            ("[1}", 2),
            ("{a:1]", 4),
            ("{a:\"x\n\"}", 5),
            ("{{a}b}", 4),
            ("{{*}}", 2),
            ("{a:/b}", 3),
            ("[,]", 1),
            ("{a:1,,}", 5),
            ("{a::b}", 3),
        ] {
            assert!(
                matches!(value_end(text.as_bytes(), 0, false), End::Broken(found, _) if found == at),
                "{text}: {:?}",
                value_end(text.as_bytes(), 0, false)
            );
        }
        assert!(matches!(value_end("[".repeat(1000).as_bytes(), 0, false), End::Broken(..)));
    }

    #[test]
    fn reading_resumes_at_records_only() {
        let text = b"{a:[\n  {b:1},\n x\n $ion_1_0 {c:1}\n{d:1}\n";
        assert_eq!(resume(text, 0, 0, true), Resume::At(18));
        assert_eq!(resume(text, 0, 2, true), Resume::At(7));
        assert_eq!(resume(text, 20, 0, true), Resume::At(33));
        assert_eq!(resume(text, 35, 0, true), Resume::Later(text.len()));
        assert_eq!(resume(b"{\n $ion_1", 0, 0, false), Resume::Later(1));
        assert_eq!(resume(b"{\n  ", 0, 0, false), Resume::Later(1));
    }
}
