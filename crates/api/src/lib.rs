//! pawl-api
