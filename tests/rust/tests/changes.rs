//! Changes: the rows of an incremental export are what became of the items of a random table,
//! whatever the format, the view, and the way it is written.

use dynarrow::{Control, ReadOptions, open_export};
use dynarrow_tests::cases;
use dynarrow_tests::meaning;
use dynarrow_tests::tables::any_chain;
use proptest::prelude::*;

proptest! {
    #![proptest_config(cases(100))]

    /// The full exports hold the items.
    #[test]
    fn the_base_is_the_base(chain in any_chain()) {
        let bucket = tempfile::tempdir().expect("a folder");
        let written = chain.write(bucket.path());
        let export = open_export(&written.base.display().to_string()).expect("an export");
        let items: Vec<_> = export.items(&ReadOptions::default(), &Control::default()).expect("items").collect::<Result<_, _>>().expect("good");
        let expected: Vec<_> = chain.base.iter().flatten().map(meaning).collect();
        prop_assert_eq!(items, expected);
        for folder in &written.increments {
            let export = open_export(&folder.display().to_string()).expect("an export");
            let report = export.verify(1, &Control::default()).expect("a report");
            prop_assert!(report.findings.is_empty(), "{:?}", report.findings);
        }
    }
}
