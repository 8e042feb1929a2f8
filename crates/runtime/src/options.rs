//! Options of the executor.

/// How an executor works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExecutorOptions {
    /// Ready steps that one invocation carries out after the first; 0 is strictly one step an invocation.
    pub hops: usize,
}

impl Default for ExecutorOptions {
    fn default() -> Self {
        // Enough for nearly every run of ready steps, and few enough that one execution does not hold a worker.
        Self { hops: 50 }
    }
}
