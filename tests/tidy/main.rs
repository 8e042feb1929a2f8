//! What ARCHITECTURE.md says of the workspace, held against what stands in it.

mod cloudformation;
mod dependencies;
mod edges;
mod errors;
mod events;
mod first_deployment;
mod functions;
mod kept;
mod licences;
mod links;
mod packaging;
mod permissions;
mod reach;
mod readme;
mod samconfig;
mod schemas;
mod snippets;
mod source;
mod tables;
mod template;
mod types;
mod versions;
mod words;
mod workspace;
