//! A small shop that the tests share: orders, and workflows on them.

/// Orders.
pub(crate) const ORDER: &str = r"
object: order
fields:
  number: {type: text, unique: true}
  email: {type: email, indexed: true}
  amount: {type: number}
  priority: {type: option, options: [low, high]}
stages: [new, paid]
";

/// Waits a day on an order.
pub(crate) const REMIND: &str = r"
workflow: remind
owner: shop@example.com
object: order
active: true
variables:
  - {name: days, type: number, default: 1}
steps:
  - {id: wait, type: delay, for: 1d}
  - {id: done, type: note, text: reminded}
";

/// Runs on no record, and fails if it is told to.
pub(crate) const REPORT: &str = r#"
workflow: report
owner: shop@example.com
active: true
variables:
  - {name: divisor, type: number, default: 1}
steps:
  - id: divide
    type: set_variables
    values: {share: "{{ 12 / int(vars.divisor) }}"}
  - id: large
    type: condition
    if: vars.share > 3
    yes: [{id: say, type: note, text: large}]
"#;

/// Takes deliveries.
pub(crate) const INTAKE: &str = r"
workflow: intake
owner: shop@example.com
object: order
active: true
variables:
  - {name: amount, type: number}
triggers:
  - {id: open, type: webhook, methods: [GET, POST]}
  - id: token
    type: webhook
    verify: {token: {in: {header: x-token}, secret: shop}}
  - id: basic
    type: webhook
    verify: {basic: {user: shop, secret: shop}}
  - id: unset
    type: webhook
    verify: {token: {in: {header: x-token}, secret: never-set}}
  - {id: off, type: webhook, enabled: false}
  - id: known
    type: webhook
    record: {match: {email: trigger.body.email}}
    values: {amount: trigger.body.amount}
  - id: any
    type: webhook
    record: {match: {number: trigger.body.number}, create: true}
    values: {amount: trigger.body.amount, priority: trigger.body.priority}
steps:
  - {id: take, type: note, text: taken}
";
