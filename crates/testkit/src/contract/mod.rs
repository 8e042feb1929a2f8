//! One suite of checks per storage port, passed by every backend.
