//! What commands on files of records are given.

use std::path::PathBuf;

use clap::Subcommand;

/// What is done with a file of records.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum RecordsOf {
    /// Creates records from the rows of a file, or writes those that are there. It can be repeated, and goes on where it stopped.
    Import(Import),
    /// Writes records into a file that `import` reads.
    Export(Export),
}

/// A file of records to import.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Import {
    /// File of rows: `.csv` with a line that names the fields, or `.jsonl`.
    pub(crate) file: PathBuf,
    /// Object: the record type.
    #[arg(long)]
    pub(crate) object: String,
    /// Field whose value names the record of a row that has no id; it should be unique.
    #[arg(long = "match", value_name = "FIELD")]
    pub(crate) by: Option<String>,
    /// Column that is left out.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) ignore: Vec<String>,
}

/// Records to export.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Export {
    /// File, `.csv` or `.jsonl`; standard output with JSON lines if absent.
    pub(crate) file: Option<PathBuf>,
    /// Object: the record type.
    #[arg(long)]
    pub(crate) object: String,
    /// Only those that pass all of these tests, as JSON: `{"plan": "free", "amount": {"gte": 100}}`.
    #[arg(long = "where", value_name = "JSON")]
    pub(crate) tests: Option<String>,
}
