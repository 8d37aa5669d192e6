//! The folders of an output: which items go where, and what the folders are called.
//!
//! A folder of `partition_by` is Hive's, `name=value`: the characters that Hive escapes are
//! percent-encoded as Hive and Spark do it
//! (<https://github.com/apache/hive/blob/master/common/src/java/org/apache/hadoop/hive/common/FileUtils.java>).
//! A folder of `split_by` is called what the value is, with all but `[A-Za-z0-9._-]`
//! percent-encoded. Decoded, each name is the text of its value.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::error::{Code, Error, Result};
use crate::event::Kind;
use crate::item::keyed::{Key, Keys, refusal, too_many, values};

/// The value in the name of a folder for items where the attribute is missing or NULL.
pub const HIVE_NULL: &str = "__HIVE_DEFAULT_PARTITION__";
/// The folder of a table for items where the attribute of `split_by` is missing or NULL: no
/// value has an `@` in its name.
pub const MISSING: &str = "@missing";
/// The folder for items where it is the empty string.
pub const EMPTY: &str = "@empty";
/// Bytes of a name, at most: what file systems take.
const NAME_BYTES: usize = 255;

/// How an output is divided into folders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// The attribute that tells tables apart.
    pub split_by: Option<String>,
    /// The attributes whose values name folders, the outermost first.
    pub partition_by: Arc<[String]>,
    /// Folders, at most.
    pub max_partitions: usize,
}

impl By {
    /// Whether there is one folder for all.
    pub fn is_nothing(&self) -> bool {
        self.split_by.is_none() && self.partition_by.is_empty()
    }
}

/// A table of `split_by`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitTable {
    /// The attribute's value as text; `None` where it is missing or NULL.
    pub value: Option<String>,
    /// The value's type: string, number, boolean or NULL.
    pub kind: Kind,
    /// The table's folder.
    pub folder: PathBuf,
    /// Its items.
    pub items: u64,
}

/// Where an item goes.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// The item's table and folder, among all.
    pub table: usize,
    pub folder: usize,
    /// The item's table among those of the block, and its row there.
    pub part: usize,
    pub row: usize,
}

/// The tables and folders so far, in the order in which their first items came.
pub(super) struct Folders {
    by: By,
    /// The names of partitions in the tables of these values, where they are not those of the attributes.
    columns: FxHashMap<Key, Vec<String>>,
    /// Without `split_by` there is one.
    pub tables: Vec<SplitTable>,
    /// The table and the path of each folder.
    pub all: Vec<(usize, PathBuf)>,
    table_keys: Vec<Key>,
    table_of: FxHashMap<Key, usize>,
    folder_of: FxHashMap<(usize, Key), usize>,
    /// The names of tables, in lower case.
    names: FxHashSet<String>,
    /// The key of each path.
    keys: FxHashMap<PathBuf, Key>,
    /// For each attribute of `partition_by`, whether an item has it.
    seen: Vec<bool>,
}

impl Folders {
    pub fn new(by: By, columns: FxHashMap<Key, Vec<String>>) -> Self {
        Self {
            columns,
            seen: vec![false; by.partition_by.len()],
            by,
            tables: Vec::new(),
            all: Vec::new(),
            table_keys: Vec::new(),
            table_of: FxHashMap::default(),
            folder_of: FxHashMap::default(),
            names: FxHashSet::default(),
            keys: FxHashMap::default(),
        }
    }

    /// Where the items of a block go, in their order: by the keys of each of its tables, and the
    /// table of each item.
    pub fn place(&mut self, tables: &[(Key, &Keys)], of_rows: &[u32]) -> Result<Vec<Place>> {
        let mut rows = vec![0; tables.len()];
        let mut known: Vec<_> = tables.iter().map(|(_, keys)| vec![None; keys.all.len()]).collect();
        let mut places = Vec::with_capacity(of_rows.len());
        for &part in of_rows {
            let part = part as usize;
            let (row, (value, keys)) = (rows[part], &tables[part]);
            rows[part] += 1;
            let key = keys.of_rows[row] as usize;
            let (table, folder) = match known[part][key] {
                Some(known) => known,
                None => {
                    let table = self.table(value)?;
                    *known[part][key].insert((table, self.folder(table, &keys.all[key])?))
                }
            };
            self.tables[table].items += 1;
            places.push(Place { table, folder, part, row });
        }
        Ok(places)
    }

    /// The values of the tables.
    pub fn keys_of_tables(&self) -> &[Key] {
        &self.table_keys
    }

    /// The items of a value so far.
    pub fn items(&self, key: &Key) -> u64 {
        self.table_of.get(key).map_or(0, |&table| self.tables[table].items)
    }

    /// The table of a value.
    fn table(&mut self, key: &Key) -> Result<usize> {
        if let Some(&table) = self.table_of.get(key) {
            return Ok(table);
        }
        let (kind, text) = values(key).next().unwrap_or((Kind::Null, ""));
        let folder = match &self.by.split_by {
            None => PathBuf::new(),
            Some(_) if kind == Kind::Null => MISSING.into(),
            Some(name) => name_table(&mut self.names, text).map_err(|why| refusal("split_by", name, &why))?.into(),
        };
        self.table_keys.push(key.clone());
        self.table_of.insert(key.clone(), self.tables.len());
        self.tables.push(SplitTable { value: (kind != Kind::Null).then(|| text.to_owned()), kind, folder, items: 0 });
        Ok(self.tables.len() - 1)
    }

    /// The folder of a key in a table.
    fn folder(&mut self, table: usize, key: &Key) -> Result<usize> {
        let place = (table, key.clone());
        if let Some(&folder) = self.folder_of.get(&place) {
            return Ok(folder);
        }
        let folder = self.all.len();
        if folder >= self.by.max_partitions {
            return Err(too_many(self.by.max_partitions).into());
        }
        let mut path = self.tables[table].folder.clone();
        let columns = self.columns.get(&self.table_keys[table]).map_or(&self.by.partition_by[..], Vec::as_slice);
        for (at, (name, (kind, text))) in self.by.partition_by.iter().zip(values(key)).enumerate() {
            self.seen[at] |= kind != Kind::Null;
            path.push(partition_name(&columns[at], kind, text).map_err(|why| refusal("partition_by", name, &why))?);
        }
        if let Some(other) = self.keys.insert(path.clone(), key.clone()) {
            return Err(self.meets(key, &other));
        }
        self.folder_of.insert(place, folder);
        self.all.push((table, path));
        Ok(folder)
    }

    /// Two values of different types that are the same text.
    fn meets(&self, key: &Key, other: &Key) -> Error {
        let mut pairs = self.by.partition_by.iter().zip(values(key).zip(values(other)));
        let (name, why) = match pairs.find(|(_, (one, other))| one != other) {
            None => ("", String::new()),
            Some((name, ((kind, text), (other, _)))) => {
                let (kind, other) = (kind.descriptor(), other.descriptor());
                (name.as_str(), format!("{text:?} is of type {other} in one item and {kind} in another, and both would go to one folder"))
            }
        };
        refusal("partition_by", name, &why).into()
    }

    /// The items were all placed: an attribute that none of them has is an error.
    pub fn check(&self) -> Result<()> {
        let unseen = self.by.partition_by.iter().zip(&self.seen).find(|(_, seen)| !**seen);
        match (unseen, &self.by.split_by) {
            _ if self.tables.is_empty() => Ok(()),
            (Some((name, _)), _) => Err(no_attribute("partition_by", name)),
            (None, Some(name)) if self.tables.iter().all(|table| table.kind == Kind::Null) => Err(no_attribute("split_by", name)),
            _ => Ok(()),
        }
    }
}

/// A name that none of these is, also where upper and lower case are the same: so many
/// characters are encoded that need not be.
fn name_table(names: &mut FxHashSet<String>, text: &str) -> Result<String, String> {
    for more in 0..=text.chars().count() {
        let name = table_name(text, more)?;
        if names.insert(name.to_ascii_lowercase()) {
            return Ok(name);
        }
    }
    Err(format!("other values have all names that there are for {text:?}"))
}

fn no_attribute(option: &str, name: &str) -> Error {
    Error::new(Code::Column, format!("{option}: no item has an attribute {name:?}"))
}

fn push_encoded(name: &mut String, c: char) {
    let mut bytes = [0; 4];
    for byte in c.encode_utf8(&mut bytes).bytes() {
        name.push_str(&format!("%{byte:02X}"));
    }
}

fn too_long(name: String) -> Result<String, String> {
    if name.len() <= NAME_BYTES {
        return Ok(name);
    }
    Err(format!("the name of the folder would have {} bytes, and may have {NAME_BYTES}", name.len()))
}

/// What Hive escapes in names and values.
const fn is_escaped(c: char) -> bool {
    matches!(c, '\0'..='\x1f' | '"' | '#' | '%' | '\'' | '*' | '/' | ':' | '=' | '?' | '\\' | '\x7f' | '{' | '[' | ']' | '^')
}

fn push_escaped(folder: &mut String, text: &str) {
    for c in text.chars() {
        if is_escaped(c) { push_encoded(folder, c) } else { folder.push(c) }
    }
}

/// The folder of a value of an attribute of `partition_by`; why there is none.
pub(super) fn partition_name(name: &str, kind: Kind, text: &str) -> Result<String, String> {
    let text = match (kind, text) {
        (Kind::Null, _) => HIVE_NULL,
        (_, "") => return Err("an empty string names no folder: readers would take it for a missing value".into()),
        (_, HIVE_NULL) => return Err(format!("{HIVE_NULL} names the folder of missing values")),
        (_, text) => text,
    };
    let mut folder = String::new();
    push_escaped(&mut folder, name);
    folder.push('=');
    push_escaped(&mut folder, text);
    too_long(folder)
}

/// Names that Windows keeps for devices, with any ending.
fn is_device(text: &str) -> bool {
    let stem = text.split_once('.').map_or(text, |(stem, _)| stem).to_ascii_lowercase();
    let numbered = stem.len() == 4 && stem.ends_with(|c: char| c.is_ascii_digit());
    matches!(&*stem, "con" | "prn" | "aux" | "nul") || numbered && (stem.starts_with("com") || stem.starts_with("lpt"))
}

const fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// The folder of the table of a value of `split_by`, with so many characters encoded that need
/// not be; why there is none. A name with `.` or `_` before it is hidden to Athena and Spark,
/// one with `.` behind it is another on Windows.
pub(super) fn table_name(text: &str, more: usize) -> Result<String, String> {
    if text.is_empty() {
        return Ok(EMPTY.into());
    }
    let mut name = String::new();
    let last = text.chars().count() - 1;
    for (at, c) in text.chars().enumerate() {
        let is_odd = at == 0 && (matches!(c, '.' | '_') || is_device(text)) || at == last && c == '.';
        if at < more || is_odd || !is_plain(c) { push_encoded(&mut name, c) } else { name.push(c) }
    }
    too_long(name)
}

/// Whether a folder is called as those of an output are.
pub(super) fn is_folder(name: &str) -> bool {
    let is_whole = |text: &str, allowed: fn(char) -> bool| {
        let mut rest = text.chars();
        let mut is_ours = false;
        while let Some(c) = rest.next() {
            let mut digit = || rest.next().is_some_and(|c| matches!(c, '0'..='9' | 'A'..='F'));
            is_ours = if c == '%' { digit() && digit() } else { allowed(c) };
            if !is_ours {
                break;
            }
        }
        is_ours
    };
    match name.split_once('=') {
        Some((name, value)) => is_whole(name, |c| !is_escaped(c)) && is_whole(value, |c| !is_escaped(c)),
        None => matches!(name, MISSING | EMPTY) || !name.starts_with(['.', '_']) && is_whole(name, is_plain),
    }
}

/// Makes a folder of an output, and those it stands in, below a root. The file system may take
/// two names for one: that must not mix their items.
pub(super) fn make_folder(root: &Path, made: &mut FxHashSet<PathBuf>, folder: &Path) -> std::io::Result<()> {
    let mut path = root.to_owned();
    for name in folder {
        path.push(name);
        if made.insert(path.clone()) {
            std::fs::create_dir(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_partitions_are_hives() {
        for (text, name) in [
            ("order", "a/b=order"),
            ("a/b=c%", "a/b=a%2Fb%3Dc%25"),
            ("é 🦐,+&", "a/b=é 🦐,+&"),
            ("\0\n\x7f", "a/b=%00%0A%7F"),
            ("..", "a/b=.."),
        ] {
            let found = partition_name("a/b", Kind::S, text);
            assert_eq!(found.as_deref(), Ok(name.replacen("a/b", "a%2Fb", 1).as_str()));
            assert!(is_folder(&found.unwrap()));
        }
        assert_eq!(partition_name("a", Kind::Null, "").as_deref(), Ok("a=__HIVE_DEFAULT_PARTITION__"));
        let long = "x".repeat(254);
        for text in ["", HIVE_NULL, &long] {
            assert!(partition_name("a", Kind::S, text).is_err());
        }
    }

    #[test]
    fn tables_have_names_of_their_own() {
        let mut names = FxHashSet::default();
        for (text, name) in [
            ("Order", "Order"),
            ("order", "%6Frder"),
            ("ORDER", "%4FRDER"),
            ("oRDER", "%6F%52DER"),
            ("%6Frder", "%256Frder"),
            ("5", "5"),
            ("5", "%35"),
            ("a/b c=é", "a%2Fb%20c%3D%C3%A9"),
            ("..", "%2E%2E"),
            ("_x.", "%5Fx%2E"),
            ("con", "%63on"),
            ("COM1.x", "%43OM1.x"),
            ("console", "console"),
            ("@missing", "%40missing"),
            ("", EMPTY),
        ] {
            let found = name_table(&mut names, text).unwrap();
            assert_eq!(found, name);
            assert!(is_folder(&found), "{found}");
        }
        assert!(table_name(&"é".repeat(43), 0).is_err());
    }

    #[test]
    fn other_folders_are_not_ours() {
        for name in [".git", "_temporary", "a b", "a=", "=a", "a%", "a%2f", "a=b=c", "", "~"] {
            assert!(!is_folder(name), "{name}");
        }
        assert!(is_folder(MISSING));
    }
}
