//! What `pawl interaction` is given.

/// An interaction of a person whom a record stands for.
#[derive(Debug, Clone, clap::Args)]
#[command(group(clap::ArgGroup::new("whose").required(true).args(["record", "found_by"])))]
pub(crate) struct Interaction {
    /// What the person did: `page_view`, or a name of your own.
    pub(crate) kind: String,
    /// Record of the person, `<object>/<id>`.
    #[arg(long)]
    pub(crate) record: Option<String>,
    /// Record type of the record that `--match` finds.
    #[arg(long, requires = "found_by", conflicts_with = "record")]
    pub(crate) object: Option<String>,
    /// Value of the record in a unique or indexed field, such as `email=ada@example.com`.
    #[arg(long = "match", id = "found_by", value_name = "FIELD=VALUE", requires = "object")]
    pub(crate) found_by: Option<String>,
    /// Address of the page, whole or from the path on.
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// When it happened, RFC 3339; absent: now.
    #[arg(long)]
    pub(crate) time: Option<String>,
    /// A key of `data`, `name=value`; JSON is parsed.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) values: Vec<String>,
    /// Id of the interaction: a repeat starts nothing.
    #[arg(long)]
    pub(crate) id: Option<String>,
}
