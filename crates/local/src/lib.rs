//! pawl-local
