//! pawl-connectors
