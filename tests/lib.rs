//! What no single crate can prove: tidy rules, the embedded system as a process, events on disk.
