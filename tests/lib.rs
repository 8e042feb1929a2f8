//! What no single crate can prove. It holds tests only: `tidy` keeps the workspace as ARCHITECTURE.md says it is.
