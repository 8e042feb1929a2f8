//! What authors meet: their files read and checked, and what they get from them.

mod agreement;
mod archive;
mod ceilings;
mod concurrency;
mod controlling;
mod debounce;
mod definitions;
mod ends;
mod examples;
mod hops;
mod lanes;
mod mutations;
mod orders;
mod outcomes;
mod outputs;
mod places;
mod problems;
mod recurrence;
mod schedules;
mod signals;
mod sources;
mod stages;
mod starts;
mod stops;
mod support;
mod types;
