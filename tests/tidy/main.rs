//! What ARCHITECTURE.md says of the workspace, held against what stands in it.

mod dependencies;
mod edges;
mod errors;
mod events;
mod functions;
mod licences;
mod links;
mod readme;
mod schemas;
mod source;
mod tables;
mod words;
mod workspace;
