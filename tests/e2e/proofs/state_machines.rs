//! A workflow that runs a state machine and waits for it.
