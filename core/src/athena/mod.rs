//! Athena: names that it can resolve, its types, and statements for tables of them.
//!
//! Statements that define tables are of Hive's grammar: names in backticks, texts with
//! backslashes. Statements that read and write rows are of Trino's: names in double quotes. All
//! names of columns and tables are quoted, so that keywords need no care; members of structs only
//! where they must be, as Athena prints them.
//! <https://docs.aws.amazon.com/athena/latest/ug/reserved-words.html>

pub mod merge;
pub mod name;
pub mod table;
pub mod types;
