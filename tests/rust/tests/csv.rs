//! CSV as a source of items: what the csv crate writes reads back, in any chunks and on any
//! number of threads; of a broken file the verdict is that of a slow reader, written here from
//! the rules, one byte after the other; and what we write ourselves we read.

use dynarrow::format::csv::{CsvOptions, DELIMITERS};
use dynarrow::{
    AttributeValue, Control, ConvertOptions, Dest, Export, Item, Number, OnError, ReadOptions, SourceFormat, convert, open_export,
};
use dynarrow_tests::chunked::files;
use dynarrow_tests::{cases, choices, comparable_item};
use proptest::prelude::*;
use serde_json::json;

fn source(bytes: &[u8], options: &CsvOptions, chunk: usize) -> Export {
    files(vec![bytes.to_vec()], chunk).with_format(SourceFormat::Csv).with_csv(options.clone()).expect("options")
}

/// Code, line, byte and item of an error.
type Position = (String, Option<u64>, Option<u64>, Option<u64>);

fn position(error: &dynarrow::Error) -> Position {
    (error.code().as_str().to_owned(), error.line(), error.byte(), error.item())
}

/// What Dynarrow reads: the items, what was passed over, and why it stopped.
fn ours(bytes: &[u8], options: &CsvOptions, chunk: usize, threads: usize, on_error: OnError) -> Verdict {
    let read = ReadOptions { threads, on_error, ..ReadOptions::default() };
    let mut items = source(bytes, options, chunk).items(&read, &Control::default()).expect("a reader");
    let mut verdict = Verdict::default();
    for item in items.by_ref() {
        match item {
            Ok(item) => verdict.items.push(item),
            Err(error) => verdict.stopped = Some(position(&error)),
        }
    }
    verdict.skipped = items.totals().errors.iter().map(position).collect();
    verdict
}

#[derive(Debug, Default, PartialEq)]
struct Verdict {
    items: Vec<Item>,
    /// Of the first 100.
    skipped: Vec<Position>,
    stopped: Option<Position>,
}

type Cells = Vec<Vec<u8>>;

/// A record, by the rules: its cells and where the next one starts; or where it is broken, and
/// how far one has to read to know it.
fn one_record(bytes: &[u8], start: usize, delimiter: u8) -> Result<(Cells, usize), (usize, usize)> {
    #[derive(Clone, Copy, PartialEq)]
    enum At {
        CellStart,
        Unquoted,
        Quoted,
        Behind,
    }
    let (mut cells, mut cell, mut state, mut opened) = (Vec::new(), Vec::new(), At::CellStart, 0);
    let mut at = start;
    loop {
        let byte = bytes.get(at).copied();
        let ends = |at: usize| match bytes.get(at..) {
            None | Some([]) => Some(at),
            Some([b'\n', ..]) => Some(at + 1),
            Some([b'\r', b'\n', ..]) => Some(at + 2),
            _ => None,
        };
        match (state, byte) {
            (At::Quoted, None) => return Err((opened, at)),
            (At::Quoted, Some(b'"')) => state = At::Behind,
            (At::Quoted, Some(byte)) => cell.push(byte),
            (At::Behind, Some(b'"')) => {
                cell.push(b'"');
                state = At::Quoted;
            }
            (At::CellStart, Some(b'"')) => {
                opened = at;
                state = At::Quoted;
            }
            (_, Some(byte)) if byte == delimiter => {
                cells.push(std::mem::take(&mut cell));
                state = At::CellStart;
            }
            (At::Behind, _) | (_, None | Some(b'\n' | b'\r')) => {
                let next = ends(at).ok_or((at, at))?;
                cells.push(cell);
                return Ok((cells, next));
            }
            (_, Some(b'"')) => return Err((at, at)),
            (_, Some(byte)) => {
                cell.push(byte);
                state = At::Unquoted;
            }
        }
        at += 1;
    }
}

fn next_line(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|&b| b == b'\n').map_or(bytes.len(), |n| at + n + 1)
}

fn is_blank(bytes: &[u8], at: usize) -> bool {
    bytes[at..].starts_with(b"\n") || bytes[at..].starts_with(b"\r\n")
}

/// What the rules say of a file whose header is good or given.
fn theirs(bytes: &[u8], options: &CsvOptions, on_error: OnError) -> Verdict {
    let delimiter = options.delimiter;
    let mut verdict = Verdict::default();
    let mut at = 0;
    let mut header = options.header.clone();
    let mut item = 0;
    let newlines: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at] == b'\n').collect();
    while at < bytes.len() {
        if is_blank(bytes, at) {
            at = next_line(bytes, at);
            continue;
        }
        let record = one_record(bytes, at, delimiter);
        let Some(names) = &header else {
            let (cells, next) = record.expect("a good header");
            header = Some(cells.into_iter().map(|cell| String::from_utf8(cell).expect("UTF-8")).collect());
            at = next;
            continue;
        };
        let (fault, next) = match record {
            Ok((cells, next)) if cells.len() != names.len() => (Some(("E_CSV_COLUMNS", at)), next),
            Ok((cells, next)) => match to_item(names, cells, options) {
                Ok(item) => {
                    verdict.items.push(item);
                    (None, next)
                }
                Err((code, cell)) => {
                    // The bytes before the cell, by counting delimiters outside of quotes.
                    let mut quoted = false;
                    let mut from = at;
                    for _ in 0..cell {
                        while bytes[from] != delimiter || quoted {
                            quoted ^= bytes[from] == b'"';
                            from += 1;
                        }
                        from += 1;
                    }
                    (Some((code, from)), next)
                }
            },
            Err((broken, reach)) => {
                let mut next = next_line(bytes, at);
                // Its quotes hold newlines: on at the next line that is a record.
                if next <= reach && bytes[at..reach].contains(&b'\n') {
                    let good = |at: usize| {
                        !is_blank(bytes, at) && one_record(bytes, at, delimiter).is_ok_and(|(cells, _)| cells.len() == names.len())
                    };
                    while next < bytes.len() && !good(next) {
                        next = next_line(bytes, next);
                    }
                }
                (Some(("E_CSV", broken)), next)
            }
        };
        if let Some((code, byte)) = fault {
            let line = 1 + newlines.partition_point(|&at| at < byte) as u64;
            let position = (code.to_owned(), Some(line), Some(byte as u64), Some(item));
            if on_error == OnError::Raise {
                verdict.stopped = Some(position);
                return verdict;
            }
            if verdict.skipped.len() < 100 {
                verdict.skipped.push(position);
            }
        }
        item += 1;
        at = next;
    }
    verdict
}

/// The item of a record's cells, or what is wrong with which.
fn to_item(names: &[String], cells: Vec<Vec<u8>>, options: &CsvOptions) -> Result<Item, (&'static str, usize)> {
    let mut item = Item::default();
    for (n, (name, cell)) in names.iter().zip(cells).enumerate() {
        let text = String::from_utf8(cell).expect("UTF-8");
        if text.is_empty() {
            continue;
        }
        let value = match options.types.get(name) {
            None => AttributeValue::S(text),
            Some(_) => AttributeValue::N(Number::parse(text.as_bytes()).map_err(|_| ("E_NUMBER", n))?),
        };
        item.push((name.clone(), value));
    }
    Ok(item)
}

/// All ways to read a file, against the rules.
fn compare(bytes: &[u8], options: &CsvOptions, chunks: &[usize]) -> Result<(), TestCaseError> {
    for on_error in [OnError::Raise, OnError::Skip] {
        let expected = theirs(bytes, options, on_error);
        for &chunk in chunks {
            for threads in [1, 2] {
                let found = ours(bytes, options, chunk, threads, on_error);
                prop_assert!(
                    found == expected,
                    "chunks of {chunk}, {on_error:?}: {:?}\nours   {found:?}\ntheirs {expected:?}",
                    String::from_utf8_lossy(&bytes[..bytes.len().min(2000)])
                );
            }
        }
    }
    Ok(())
}

/// A cell's text.
fn any_cell() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => Just(String::new()),
        4 => "[a-z0-9]{1,6}",
        2 => "[a,;:| \t\"\n\r]{1,6}",
        1 => "\\PC{1,5}",
    ]
}

fn any_table() -> impl Strategy<Value = (Vec<String>, Vec<Vec<String>>)> {
    (1_usize..5).prop_flat_map(|columns| {
        let row = prop::collection::vec(any_cell(), columns);
        (Just((0..columns).map(|n| format!("c{n}")).collect()), prop::collection::vec(row, 0..12))
    })
}

fn as_items(names: &[String], rows: &[Vec<String>]) -> Vec<Item> {
    let cells = |row: &Vec<String>| {
        let good = names.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
        good.map(|(name, cell)| (name.clone(), AttributeValue::S(cell.clone()))).collect()
    };
    rows.iter().map(cells).collect()
}

/// A table in which quotes stand where they must, and here and there where they need not.
fn oddly_written(rows: &[Vec<String>], delimiter: u8, pattern: &[u8]) -> Vec<u8> {
    let mut choice = choices(pattern);
    let mut out = Vec::new();
    for row in rows {
        for (n, cell) in row.iter().enumerate() {
            if n > 0 {
                out.push(delimiter);
            }
            let must = cell.bytes().any(|b| b == delimiter || b"\"\r\n".contains(&b)) || row.len() == 1 && cell.is_empty();
            if must || choice().is_multiple_of(3) {
                out.extend_from_slice(format!("\"{}\"", cell.replace('"', "\"\"")).as_bytes());
            } else {
                out.extend_from_slice(cell.as_bytes());
            }
        }
        out.extend_from_slice(if choice().is_multiple_of(3) { b"\r\n" } else { b"\n" });
        if choice().is_multiple_of(7) {
            out.push(b'\n');
        }
    }
    if choice().is_multiple_of(2) {
        while matches!(out.last(), Some(b'\n' | b'\r')) {
            out.pop();
        }
    }
    out
}

proptest! {
    #![proptest_config(cases(300))]

    /// Tables written by another implementation.
    #[test]
    fn tables_of_the_csv_crate((names, rows) in any_table(), delimiter in 0_usize..6, style in 0_u8..3, crlf: bool, listed: bool, chunk in 1_usize..40) {
        let style = [csv::QuoteStyle::Necessary, csv::QuoteStyle::Always, csv::QuoteStyle::NonNumeric][style as usize];
        let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new().delimiter(DELIMITERS[delimiter]).quote_style(style).terminator(terminator).from_writer(Vec::new());
        if !listed {
            writer.write_record(&names).expect("a header");
        }
        for row in &rows {
            writer.write_record(row).expect("a record");
        }
        let bytes = writer.into_inner().expect("bytes");
        let options = CsvOptions { delimiter: DELIMITERS[delimiter], header: listed.then(|| names.clone()), ..CsvOptions::default() };
        let expected = Verdict { items: as_items(&names, &rows), ..Verdict::default() };
        for threads in [1, 2] {
            for chunk in [1, chunk, 1 << 20] {
                prop_assert_eq!(&ours(&bytes, &options, chunk, threads, OnError::Raise), &expected);
            }
        }
        prop_assert_eq!(theirs(&bytes, &options, OnError::Raise), expected);
    }

    /// Tables written by hand, read by both, and by the csv crate.
    #[test]
    fn tables_with_odd_quotes((names, rows) in any_table(), delimiter in 0_usize..6, pattern: Vec<u8>, chunk in 1_usize..40) {
        let delimiter = DELIMITERS[delimiter];
        let bytes = oddly_written(&rows, delimiter, &pattern);
        let options = CsvOptions { delimiter, header: Some(names.clone()), ..CsvOptions::default() };
        let expected = Verdict { items: as_items(&names, &rows), ..Verdict::default() };
        prop_assert_eq!(&ours(&bytes, &options, chunk, 2, OnError::Raise), &expected);
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).from_reader(&*bytes);
        let read: Vec<Vec<String>> = reader.records().map(|row| row.expect("a record").iter().map(str::to_owned).collect()).collect();
        prop_assert_eq!(&as_items(&names, &read), &expected.items);
        compare(&bytes, &options, &[chunk])?;
    }

    /// Good tables with some bytes changed, and bytes without any order.
    #[test]
    fn broken_files((names, rows) in any_table(), pattern: Vec<u8>, changes in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..8, 0_u8..3), 1..5), typed: bool, chunk in 1_usize..40) {
        let text: String = String::from_utf8(oddly_written(&rows, b',', &pattern)).expect("UTF-8");
        let mut chars: Vec<char> = text.chars().collect();
        for (at, what, how) in changes {
            let what = ['"', ',', '\n', '\r', 'x', '"', '1', '\n'][what];
            let at = at.index(chars.len() + 1);
            match how {
                0 => chars.insert(at, what),
                1 if at < chars.len() => chars[at] = what,
                _ if at < chars.len() => drop(chars.remove(at)),
                _ => {}
            }
        }
        let bytes = chars.into_iter().collect::<String>().into_bytes();
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
        let mut options = CsvOptions { header: Some(names.clone()), ..CsvOptions::default() };
        if typed {
            options.types.insert("c0".to_owned(), dynarrow::event::Kind::N);
        }
        compare(bytes, &options, &[1, chunk, 1 << 20])?;
    }

    #[test]
    fn any_bytes(text in "[a1,\"\n\r]{0,60}", columns in 1_usize..4, chunk in 1_usize..9) {
        let names = (0..columns).map(|n| format!("c{n}")).collect();
        compare(text.as_bytes(), &CsvOptions { header: Some(names), ..CsvOptions::default() }, &[chunk, 1 << 20])?;
    }

    /// A file with bad lines, skipped, is the file without them.
    #[test]
    fn bad_lines_leave_no_trace((names, rows) in any_table(), every in 1_usize..4, chunk in 1_usize..40) {
        let bad = ["x\"y", "\"a\"b", "1,2,3,4,5,6", "\"a,\n\",2,3,4,5,6", "\r,"];
        let clean: Vec<Vec<u8>> = rows.iter().map(|row| oddly_written(std::slice::from_ref(row), b',', &[2])).collect();
        let mut mixed = Vec::new();
        let mut count = 0;
        for (n, line) in clean.iter().enumerate() {
            mixed.extend_from_slice(line);
            if line.last() != Some(&b'\n') {
                mixed.push(b'\n');
            }
            if n % every == 0 {
                mixed.extend_from_slice(bad[count % bad.len()].as_bytes());
                mixed.push(b'\n');
                count += 1;
            }
        }
        let options = CsvOptions { header: Some(names.clone()), ..CsvOptions::default() };
        let found = ours(&mixed, &options, chunk, 2, OnError::Skip);
        prop_assert_eq!(&found.items, &as_items(&names, &rows));
        prop_assert_eq!(found.skipped.len(), count);
    }

    /// Our own CSV of flat items of strings.
    #[test]
    fn what_we_write_we_read(items in prop::collection::vec(prop::collection::btree_map("[a-c, \"\n]{1,3}", any_cell(), 1..4), 1..8), chunk in 1_usize..40) {
        let folder = tempfile::tempdir().expect("a folder");
        let items: Vec<serde_json::Map<_, _>> = items
            .into_iter()
            .map(|item| item.into_iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| (name, json!({"S": text}))).collect())
            .collect();
        prop_assume!(items.iter().any(|item| !item.is_empty()));
        let lines: String = items.iter().map(|item| format!("{}\n", json!({"Item": item}))).collect();
        let export = files(vec![lines.into_bytes()], chunk);
        let path = folder.path().join("x.csv").display().to_string();
        convert(&export, &Dest::parse(&path, None).expect("a destination"), &ConvertOptions::default(), &Control::default(), std::io::sink()).expect("written");
        // The ending tells the format.
        let read: dynarrow::Result<Vec<Item>> = open_export(&path).expect("a file").items(&ReadOptions::default(), &Control::default()).expect("items").collect();
        let shown = |items: &[Item]| items.iter().map(comparable_item).collect::<Vec<_>>();
        let expected: Vec<Item> = items.iter().map(dynarrow_tests::meaning).collect();
        prop_assert_eq!(shown(&read.expect("good items")), shown(&expected));
    }
}

proptest! {
    #![proptest_config(cases(8))]

    /// Files of several blocks, whole and broken.
    #[test]
    fn many_blocks(parts in prop::collection::vec((0_usize..14, 1_usize..60_000), 40..120), chunk in 50_000_usize..400_000) {
        let mut bytes = Vec::new();
        for (kind, length) in parts {
            let lines = "some text,\n".repeat(length / 11 + 1);
            bytes.extend_from_slice(match kind {
                0 => format!("a,{}\n", "x".repeat(length)),
                1 | 2 => format!("a,\"{lines}\"\n"),
                3 | 4 => lines,
                5 | 6 => format!("\"{}\",b\r\n", "\"\"\n".repeat(length / 3)),
                7 => "\n".repeat(length),
                8 => "a,b\n".repeat(length / 4),
                9 => "\"a\",\"b\"\n".repeat(length / 8),
                // Broken on the first line, further on, of another number of columns.
                10 => format!("a\"{}\n", "x".repeat(length)),
                11 => format!("a,\"{lines}\"x\n"),
                12 => format!("a,\"{}\n", "one column\n".repeat(length / 11)),
                _ => format!("\"{lines}\"\n"),
            }.as_bytes());
        }
        let options = CsvOptions { header: Some(vec!["c0".into(), "c1".into()]), ..CsvOptions::default() };
        compare(&bytes, &options, &[chunk, 1 << 22])?;
    }
}
