//! `pawl schema`: the JSON Schema of a kind of file.

use pawl_definition::DefinitionKind;

use crate::args::Kind;
use crate::output;

/// Prints it.
pub(crate) fn run(kind: Kind) -> anyhow::Result<bool> {
    output::print(text(kind))?;
    Ok(true)
}

/// The schema, as it stands in a file.
pub(super) fn text(kind: Kind) -> &'static str {
    match kind {
        Kind::Workflow => pawl_definition::workflow_schema(),
        Kind::Object => pawl_definition::object_schema(),
        Kind::Group => DefinitionKind::Group.schema(),
        Kind::Calendar => DefinitionKind::Calendar.schema(),
        Kind::People => DefinitionKind::People.schema(),
        Kind::Activity => DefinitionKind::Activity.schema(),
        Kind::Cases => pawl_testkit::cases::cases_schema(),
    }
}
