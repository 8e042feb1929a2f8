//! pawl-engine
