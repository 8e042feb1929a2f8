//! Every route of the API, through the router, over the runtime in memory.

mod access;
mod actions;
mod activities;
mod answers;
mod bounds;
mod children;
mod corpus;
mod counters;
mod definitions;
mod description;
mod events;
mod executions;
mod faults;
mod forks;
mod hooks;
mod installation;
mod interactions;
mod mail_events;
mod records;
mod schedule;
mod shop;
mod signals;
mod stepping;
mod surface;
mod why_not;
mod workflows;
