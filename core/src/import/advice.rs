//! What makes an import slow or dear, by AWS's best practices
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataImport.BestPractices.html>), and its quotas
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>).

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::report::ImportFinding;
use crate::format::SourceFormat;
use crate::merge::spill::Fields;
use crate::number::Number;

/// Objects of one import, at most.
pub const MAX_OBJECTS: u64 = 50_000;
const TB: u64 = 1 << 40;
/// Of all regions, and of those with a higher limit.
const MAX_BYTES: [u64; 2] = [TB, 15 * TB];
const LARGE_REGIONS: [&str; 3] = ["us-east-1", "us-west-2", "eu-west-1"];
/// AWS advises 4,000,000 items of 1 KB for an object.
const LARGE_OBJECT: u64 = 4_000_000 << 10;
/// Below so many bytes an item, on average, an import takes longer.
const SMALL_ITEM: u64 = 200;
/// So few items tell nothing of their order.
const TOO_FEW: u64 = 1000;

/// Whether the items of objects stand in the order of their partition keys.
#[derive(Debug, Default)]
pub struct Order {
    last: Vec<u8>,
    pairs: u64,
    same: u64,
    up: u64,
    down: u64,
}

impl Order {
    /// An object begins.
    pub fn begin(&mut self) {
        self.last.clear();
    }

    /// The key of its next item.
    pub fn push(&mut self, key: &[u8]) {
        let part = Fields(key).bytes();
        if !self.last.is_empty() {
            self.pairs += 1;
            match compare(&self.last, part) {
                Ordering::Less => self.up += 1,
                Ordering::Equal => self.same += 1,
                Ordering::Greater => self.down += 1,
            }
        }
        self.last.clear();
        self.last.extend_from_slice(part);
    }

    /// How items stand together whose partition keys do; `None` where they do not.
    fn found(&self) -> Option<&'static str> {
        let most = self.pairs - self.pairs / 20;
        if self.pairs < TOO_FEW {
            return None;
        }
        if self.up + self.same >= most || self.down + self.same >= most {
            Some("the items are sorted by their partition key")
        } else if self.same > self.pairs / 2 {
            Some("items with one partition key stand together")
        } else {
            None
        }
    }

    /// Whether an import would write one partition after the other.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn is_sorted(&self) -> bool {
        self.found().is_some()
    }

    fn advice(&self) -> Option<String> {
        let what = self.found()?;
        Some(format!("{what}: one partition after the other takes all writes (a rolling hot partition); `prepare` shuffles them"))
    }
}

fn compare(a: &[u8], b: &[u8]) -> Ordering {
    if let ([b'N', a @ ..], [b'N', b @ ..]) = (a, b)
        && let (Ok(a), Ok(b)) = (a.try_into(), b.try_into())
    {
        let [a, b] = [a, b].map(|key| Number::from_key(key).to_f64());
        return a.total_cmp(&b);
    }
    a.cmp(b)
}

/// What advice is given by.
pub struct Facts<'a> {
    /// The keys of all objects, and the bytes that are stored.
    pub objects: Vec<(&'a str, u64)>,
    /// The items of the object that has most bytes of them, and its place.
    pub largest: Option<(usize, u64)>,
    /// How objects are compressed, and what formats they seem to have.
    pub codecs: BTreeSet<&'static str>,
    /// The formats.
    pub formats: BTreeSet<&'static str>,
    /// All items.
    pub items: u64,
    /// Their bytes.
    pub item_bytes: u64,
    /// Their order.
    pub order: &'a Order,
    /// The region of the import, where it is known.
    pub region: Option<&'a str>,
}

/// All advice.
pub fn advice(facts: &Facts<'_>) -> Vec<ImportFinding> {
    let mut said = Vec::new();
    let objects = facts.objects.len() as u64;
    if objects > MAX_OBJECTS {
        said.push(format!("{objects} objects: an import takes {MAX_OBJECTS} at most; `prepare` writes fewer"));
    }
    let stored: u64 = facts.objects.iter().map(|(_, bytes)| bytes).sum();
    let limits = facts.region.map_or(&MAX_BYTES[..], |region| {
        let large = usize::from(LARGE_REGIONS.contains(&region));
        &MAX_BYTES[large..=large]
    });
    if stored > limits[0] {
        let (region, tb) = (facts.region.unwrap_or("most regions"), |bytes: u64| bytes / TB);
        let more = if limits.len() > 1 { format!(", {} TB in {}", tb(limits[1]), LARGE_REGIONS.join(", ")) } else { String::new() };
        said.push(format!(
            "{} TB of objects: the limit is {} TB in {region}{more}; compressed objects are smaller",
            tb(stored),
            tb(limits[0])
        ));
    }
    if let Some((object, bytes)) = facts.largest.filter(|(_, bytes)| *bytes > LARGE_OBJECT) {
        let key = facts.objects.get(object).map_or("", |(key, _)| key);
        let gb = bytes >> 30;
        said.push(format!(
            "{key} has {gb} GB of items: objects are imported side by side, and AWS advises some 4 GB for each; `prepare` divides them"
        ));
    }
    if facts.items > 0 && facts.item_bytes / facts.items < SMALL_ITEM {
        let mean = facts.item_bytes / facts.items;
        said.push(format!("the items have {mean} bytes on average: below {SMALL_ITEM} an import takes longer"));
    }
    said.extend(facts.order.advice());
    for (what, seen) in [("compressions", &facts.codecs), ("formats", &facts.formats)] {
        if seen.len() > 1 {
            let all: Vec<_> = seen.iter().copied().collect();
            said.push(format!("objects of several {what} ({}): an import reads one", all.join(", ")));
        }
    }
    if facts.formats.contains(SourceFormat::Legacy.as_str()) {
        said.push("legacy dumps cannot be imported; `prepare` makes import files of them".to_owned());
    }
    said.extend(manifests(facts));
    said.into_iter().map(ImportFinding::advice).collect()
}

/// Files of exports that are no items.
pub fn is_manifest(key: &str) -> bool {
    let base = key.rsplit('/').next().unwrap_or(key);
    let stem = base.strip_suffix(".json").or_else(|| base.strip_suffix(".md5")).or_else(|| base.strip_suffix(".checksum"));
    matches!(stem, Some("manifest-summary" | "manifest-files"))
}

fn manifests(facts: &Facts<'_>) -> Option<String> {
    let found: Vec<_> = facts.objects.iter().map(|(key, _)| *key).filter(|key| is_manifest(key)).collect();
    let first = found.first()?;
    let folder = first.rfind('/').map_or("", |at| &first[..=at]);
    let data = format!("{folder}data/");
    let instead = if facts.objects.iter().any(|(key, _)| key.starts_with(&data)) {
        format!("; the prefix {data} has the data alone")
    } else {
        String::new()
    };
    Some(format!("{} manifests of an export are under the prefix, each an error{instead}", found.len()))
}
