//! Objects and workflows that stories have in common.

/// Customers.
pub(crate) const CUSTOMER: &str = "
object: customer
fields:
  name: {type: text, unique: true}
  plan: {type: option, options: [free, paid]}
";

/// Tickets, each of a customer.
pub(crate) const TICKET: &str = "
object: ticket
fields:
  title: {type: text}
  status: {type: option, options: [new, open, resolved, closed], default: new}
  priority: {type: number}
  due: {type: datetime}
  day: {type: date}
relationships:
  customer: {object: customer}
";

/// The workflow `w` without a record, with these steps.
pub(crate) fn workflow(steps: &str) -> String {
    with("", steps)
}

/// The workflow `w` without a record, with more keys before its steps.
pub(crate) fn with(keys: &str, steps: &str) -> String {
    format!("workflow: w\nowner: owner@example.com\nactive: true\n{keys}\nsteps:\n{steps}")
}

/// The workflow `w` on tickets.
pub(crate) fn on_tickets(steps: &str) -> String {
    with("object: ticket", steps)
}

/// The workflow `w` on tickets, with more keys before its steps.
pub(crate) fn on_tickets_with(keys: &str, steps: &str) -> String {
    with(&format!("object: ticket\n{keys}"), steps)
}
