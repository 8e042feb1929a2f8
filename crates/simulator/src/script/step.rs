//! Generated steps of every type.

mod controls;
mod lanes;
mod signals;

use serde_json::{Map, Value, json};

use super::{Plan, workflow};
use crate::chance::Chance;

/// A kind of steps that may be drawn: how it is made, how often, and whether steps stand inside of it.
pub(super) struct Kind {
    weight: usize,
    nests: bool,
    make: fn(&mut Maker<'_>, &str, usize, usize) -> Value,
}

/// All of them; a seed draws from some.
const KINDS: &[Kind] = &[
    Kind { weight: 1, nests: false, make: |_, _, _, _| json!({"type": "note", "text": "n is {{ vars.n }}"}) },
    Kind {
        weight: 1,
        nests: false,
        make: |_, _, _, _| json!({"type": "set_variables", "values": {"n": "{{ vars.n + 1 }}"}}),
    },
    Kind { weight: 2, nests: false, make: |maker, _, _, _| maker.set_fields() },
    Kind { weight: 1, nests: false, make: |maker, _, _, _| maker.create_record() },
    Kind { weight: 1, nests: false, make: |maker, _, _, _| maker.find_records() },
    Kind { weight: 2, nests: false, make: |maker, id, _, _| maker.http_request(id) },
    Kind { weight: 1, nests: false, make: |maker, _, _, _| maker.delay() },
    Kind { weight: 1, nests: false, make: |maker, _, _, _| maker.stop() },
    Kind { weight: 1, nests: false, make: |maker, id, _, _| maker.call_llm(id) },
    Kind { weight: 2, nests: false, make: |maker, id, _, _| maker.run_state_machine(id) },
    Kind { weight: 3, nests: false, make: |maker, _, _, _| maker.start_workflow() },
    Kind { weight: 2, nests: false, make: |maker, _, _, _| maker.control_workflow() },
    Kind { weight: 2, nests: false, make: |maker, _, _, _| maker.send_signal() },
    Kind { weight: 3, nests: true, make: |maker, _, depth, most| maker.wait_for_signal(depth, most) },
    Kind { weight: 1, nests: true, make: |maker, _, depth, most| maker.condition(depth, most) },
    Kind { weight: 1, nests: true, make: |maker, _, depth, most| maker.switch(depth, most) },
    Kind { weight: 2, nests: true, make: |maker, id, depth, most| maker.goal(id, depth, most) },
    Kind { weight: 3, nests: true, make: |maker, _, depth, most| maker.branch(depth, most) },
    Kind { weight: 3, nests: true, make: |maker, _, depth, most| maker.for_each(depth, most) },
];

/// The kinds of steps of a seed. Half of the seeds draw from all of them, the others from a random part: what hides behind
/// a step that ends or holds most runs is met where that step is left out ("Swarm Testing", Groce et al., ISSTA 2012).
pub(super) fn kinds(chance: &Chance) -> Vec<&'static Kind> {
    if chance.percent(50) {
        return KINDS.iter().collect();
    }
    let some: Vec<_> = KINDS.iter().filter(|_| chance.percent(50)).collect();
    // Something must stand in the innermost list.
    if some.iter().all(|kind| kind.nests) { KINDS.iter().collect() } else { some }
}

/// Makes the steps of one workflow.
pub(super) struct Maker<'a> {
    plan: &'a Plan<'a>,
    index: usize,
    on_record: bool,
    /// Executions wait in line for places, so a pause would hold up others.
    blocks: bool,
    made: usize,
}

impl<'a> Maker<'a> {
    pub(super) fn new(plan: &'a Plan<'a>, index: usize, on_record: bool, blocks: bool) -> Self {
        Self { plan, index, on_record, blocks, made: 0 }
    }

    /// A list of steps, at most so many with all that stands inside them.
    pub(super) fn steps(&mut self, depth: usize, most: usize) -> Vec<Value> {
        let wanted = 1 + self.plan.chance.below(if depth == 0 { most - 1 } else { 2 });
        let mut steps = Vec::new();
        while steps.len() < wanted && self.made < most {
            let step = self.step(depth, most);
            steps.extend(step);
        }
        steps
    }

    fn id(&mut self) -> String {
        self.made += 1;
        format!("s{}", self.made)
    }

    fn step(&mut self, depth: usize, most: usize) -> Vec<Value> {
        let chance = self.plan.chance;
        if depth == 0 && chance.percent(12) {
            return self.looping();
        }
        let id = self.id();
        let mut step = (self.kind(depth).make)(self, &id, depth, most);
        step["id"] = json!(id);
        let branches = matches!(step["type"].as_str(), Some("condition" | "goal" | "wait_for_signal"));
        if chance.percent(5) {
            step["skip"] = json!(true);
            if branches {
                step["take"] = json!(if chance.percent(50) { "yes" } else { "no" });
            }
        }
        vec![step]
    }

    /// Draws a kind of steps, by weight.
    fn kind(&self, depth: usize) -> &'static Kind {
        let fits = |kind: &&&'static Kind| depth < 2 || !kind.nests;
        let drawn: Vec<&'static Kind> =
            self.plan.kinds.iter().filter(fits).flat_map(|kind| std::iter::repeat_n(*kind, kind.weight)).collect();
        let kind: &&'static Kind = self.plan.chance.pick(&drawn);
        kind
    }

    /// Goes back while a variable is small.
    fn looping(&mut self) -> Vec<Value> {
        let (first, test, back) = (self.id(), self.id(), self.id());
        let most = 2 + self.plan.chance.below(3);
        vec![
            json!({"id": first, "type": "set_variables", "values": {"n": "{{ vars.n + 1 }}"}}),
            json!({
                "id": test, "type": "condition", "if": format!("vars.n < {most}"),
                "yes": [{"id": back, "type": "go_to", "step": first}],
            }),
        ]
    }

    fn set_fields(&self) -> Value {
        let (chance, own) = (self.plan.chance, self.index);
        if !self.on_record {
            return json!({"type": "set_fields", "target": "acme", "object": "company", "fields": {"total": {"add": 1}}});
        }
        let common = [
            json!({"type": "set_fields", "fields": {format!("w{own}"): {"add": 1}}}),
            json!({"type": "set_fields", "fields": {format!("m{own}"): "mine"}}),
            json!({"type": "set_fields", "target": "record.company", "fields": {"total": {"add": 1}}}),
        ];
        let free = [
            json!({"type": "set_fields", "fields": {"state": "done", "score": "{{ vars.n }}"}}),
            json!({"type": "set_fields", "fields": {"state": {"clear": true}, "tags": {"add": ["x", "y"]}}}),
            json!({"type": "set_fields", "fields": {"score": {"set": 1, "if_blank": true}, "tags": {"remove": "x"}}}),
            json!({"type": "set_fields", "fields": {"company": "globex"}}),
            json!({"type": "set_stage", "stage": chance.pick(&["open", "done"])}),
        ];
        if self.plan.confluent || chance.percent(50) {
            chance.pick(&common).clone()
        } else {
            chance.pick(&free).clone()
        }
    }

    fn create_record(&self) -> Value {
        let chance = self.plan.chance;
        let duplicates: &[&str] =
            if self.plan.confluent { &["use", "suffix"] } else { &["use", "suffix", "error", "unarchive"] };
        let duplicate = chance.pick(duplicates);
        let mut step = json!({
            "type": "create_record", "object": "log", "on_duplicate": duplicate,
            "fields": {"name": format!("{duplicate} log"), "kind": "made", "n": self.index},
        });
        if self.on_record {
            step["link_back"] = json!("ticket");
            step["fields"]["name"] = json!(format!("{duplicate} log of {{{{ record.key }}}}"));
        }
        step
    }

    fn find_records(&self) -> Value {
        let chance = self.plan.chance;
        let mut step = match chance.below(3) {
            0 => json!({"type": "find_records", "object": "company", "where": {"tier": "gold"}}),
            1 => {
                json!({"type": "find_records", "object": "log", "where": {"kind": "made", "n": {"gte": 0}}, "order": "-name", "limit": 5})
            }
            _ => json!({"type": "find_records", "object": "ticket", "where": {"kind": {"in": ["a", "b"]}}}),
        };
        if !self.plan.confluent && chance.percent(50) {
            step["save_as"] = json!("found");
        }
        step
    }

    fn http_request(&mut self, id: &str) -> Value {
        let chance = self.plan.chance;
        let service = chance.pick(&["ok", "ok", "flaky", "flaky", "flaky", "gone", "large"]);
        let name = workflow::name(self.index);
        let mut step = json!({
            "type": "http_request", "method": "POST", "url": format!("https://{service}.example/{name}/{id}"),
            "body": {"n": "{{ vars.n }}"}, "timeout": "10s", "on_failure": self.policy(false),
        });
        if !self.plan.confluent && chance.percent(40) {
            step["headers"] = json!({"authorization": "Bearer {{ secret(\"service\") }}"});
        }
        if !self.plan.confluent && chance.percent(35) {
            step["delivery"] = json!("at_most_once");
        }
        if chance.percent(50) {
            step["save_as"] = json!("answer");
        }
        step
    }

    /// A state machine. In a confluent world one that is waited for ends for certain or times out for certain: even while a
    /// job of its execution waits for a redrive, nobody hears of its end.
    fn run_state_machine(&mut self, id: &str) -> Value {
        let chance = self.plan.chance;
        let last = if self.plan.confluent { "hangs" } else { "stuck" };
        let kind = *chance.pick(&["quick", "slow", "fails", "calls", last]);
        let name = workflow::name(self.index);
        let mut step = json!({
            "type": "run_state_machine", "input": {"n": "{{ vars.n }}"}, "on_failure": self.policy(false),
            "state_machine": format!("arn:aws:states:eu-central-1:123456789012:stateMachine:{kind}-{name}-{id}"),
        });
        if !self.plan.confluent && chance.percent(35) {
            step["delivery"] = json!("at_most_once");
        }
        if chance.percent(20) {
            step["timeout"] = json!("10s");
            return step;
        }
        step["wait"] = json!(true);
        step["callback"] = json!(kind == "calls");
        step["timeout"] = match (self.plan.confluent, kind) {
            (true, "hangs") => json!("10m"),
            (true, _) => json!("never"),
            (false, _) => json!(chance.pick(&["never", "20s", "10m", "1d", "2020-01-01T00:00:00Z"])),
        };
        if !self.plan.confluent && chance.percent(40) {
            step["save_as"] = json!("answer");
        }
        step
    }

    /// Starts workflows. Those of a confluent world start only such as come after them: nobody waits for whom it keeps from its
    /// slot, and nobody whose slot others wait for waits for an end that may not come.
    fn start_workflow(&mut self) -> Value {
        let chance = self.plan.chance;
        let (first, own) = (if self.plan.confluent { self.index + 1 } else { 0 }, self.index);
        let targets: Vec<_> =
            (first..self.plan.workflows).filter(|index| *index != own || chance.percent(20)).collect();
        if targets.is_empty() {
            return json!({"type": "note", "text": "there is nobody to start"});
        }
        let target = |chance: &Chance| workflow::name(*chance.pick(&targets));
        let values = json!({"n": "{{ vars.n + 1 }}"});
        let mut step = json!({"type": "start_workflow", "on_failure": self.policy(false)});
        if chance.percent(40) {
            step["workflows"] =
                (0..=chance.below(3)).map(|_| json!({"workflow": target(chance), "values": values})).collect();
        } else {
            step["workflow"] = json!(target(chance));
            step["values"] = values;
        }
        if chance.percent(70) && !(self.plan.confluent && self.blocks) {
            step["wait"] = json!(true);
        }
        if self.plan.confluent {
            return step;
        }
        if step["wait"] == json!(true) {
            step["timeout"] = json!(chance.pick(&["never", "never", "20s", "10m", "1d"]));
        }
        match chance.below(6) {
            0 => step["on"] = json!("none"),
            1 => step["on"] = json!("{{ ['t0', 't1', 'nobody'] }}"),
            // Who waits for a resumed execution looks at it as long as a person holds it.
            2 if step.get("wait").is_none() => step["resume_paused"] = json!(true),
            _ => {}
        }
        if chance.percent(30) {
            step["save_as"] = json!("found");
        }
        step
    }

    /// A failure policy; one for a workflow has no steps.
    pub(super) fn policy(&mut self, plain: bool) -> Value {
        let chance = self.plan.chance;
        // In a confluent world a flaky service recovers before the retries are used up.
        let attempts = chance.below(3) + if self.plan.confluent { 2 } else { 0 };
        let mut policy = Map::new();
        policy.insert("retry".to_owned(), json!({"attempts": attempts, "first": "2s", "max": "2m"}));
        let then = match chance.below(4) {
            0 if !(self.plan.confluent && self.blocks) => json!("pause"),
            1 => json!("fail"),
            2 if !plain => {
                let id = self.id();
                json!([{"id": id, "type": "note", "text": "it failed"}])
            }
            _ => json!("continue"),
        };
        policy.insert("then".to_owned(), then);
        Value::Object(policy)
    }

    fn delay(&self) -> Value {
        let chance = self.plan.chance;
        // Who stands in line behind a delay asks every few minutes: days of that would be a long run.
        let spans: &[&str] =
            if self.blocks { &["5s", "90s", "14m", "20m"] } else { &["5s", "90s", "14m", "20m", "3h", "2d"] };
        match chance.below(6) {
            0 => json!({"type": "delay", "until": "now + duration(\"40s\")"}),
            1 => json!({"type": "delay", "for": "0s"}),
            _ => json!({"type": "delay", "for": chance.pick(spans)}),
        }
    }

    /// A call of a model; some answers are asked for again.
    fn call_llm(&self, id: &str) -> Value {
        let name = workflow::name(self.index);
        json!({
            "type": "call_llm", "model": "sim/small", "prompt": format!("label {{{{ vars.n }}}} for {name} {id}"),
            "output": {"fields": {"label": {"type": "option", "options": ["yes", "no"]}, "confidence": {"type": "number"}}},
            "save_as": "answer", "timeout": "20s",
            "on_failure": {"retry": {"attempts": 1, "first": "2s", "max": "1m"}, "then": "continue"},
        })
    }

    fn stop(&self) -> Value {
        let chance = self.plan.chance;
        let pauses = !(self.plan.confluent && self.blocks);
        let ends: &[&str] =
            if pauses { &["completed", "canceled", "failed", "paused"] } else { &["completed", "canceled", "failed"] };
        let mut step = json!({"type": "stop", "as": chance.pick(ends), "reason": "n is {{ vars.n }}"});
        if chance.percent(40) {
            step["notify"] = json!(chance.pick(&["owner", "none", "ops@example.com"]));
        }
        if chance.percent(20) {
            step["severity"] = json!(chance.pick(&["info", "warning", "error", "critical"]));
        }
        step
    }

    fn condition(&mut self, depth: usize, most: usize) -> Value {
        let chance = self.plan.chance;
        let mut tests = vec!["vars.n > 1", "vars.n % 2 == 0", "true"];
        if self.on_record {
            tests.push("record.kind == \"a\"");
            if !self.plan.confluent {
                tests.extend(["record.state == \"done\"", "record.company.tier == \"gold\""]);
            }
        }
        let test = *chance.pick(&tests);
        let (yes, no) = (self.steps(depth + 1, most), self.steps(depth + 1, most));
        json!({"type": "condition", "if": test, "yes": yes, "no": no})
    }

    fn switch(&mut self, depth: usize, most: usize) -> Value {
        let (zero, one, other) =
            (self.steps(depth + 1, most), self.steps(depth + 1, most), self.steps(depth + 1, most));
        json!({"type": "switch", "on": "vars.n", "cases": {"0": zero, "1": one}, "default": other})
    }

    /// A goal. In a confluent world it is met for certain or times out for certain.
    fn goal(&mut self, id: &str, depth: usize, most: usize) -> Value {
        let chance = self.plan.chance;
        let (met, unmet) = (self.steps(depth + 1, most), self.steps(depth + 1, most));
        let mut goal = json!({"type": "goal", "met": met, "unmet": unmet});
        if !self.on_record {
            goal["until"] = json!("vars.n > 0");
            goal["timeout"] = json!(chance.pick(&["30s", "20m"]));
            return goal;
        }
        goal["until"] = json!("record.state == \"done\"");
        if self.plan.confluent {
            goal["timeout"] =
                if self.plan.tickets_get_done { json!("never") } else { json!(chance.pick(&["10s", "30m"])) };
            return goal;
        }
        goal["timeout"] = json!(chance.pick(&["never", "20s", "10m", "30m", "2020-01-01T00:00:00Z"]));
        goal["if_past"] = json!(chance.pick(&["met", "unmet", "wait"]));
        match chance.below(5) {
            0 => goal["on"] = json!([{"id": format!("ring-{id}"), "type": "webhook"}]),
            1 => goal["on"] = json!([{"id": format!("scored-{id}"), "type": "field_updated", "field": "score"}]),
            2 => goal["until"] = json!("record.company.paid == \"yes\""),
            3 => goal["until"] = json!("record.company.parent.paid == \"yes\""),
            _ => {}
        }
        goal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_draw_from_all_kinds_or_from_some_and_leave_each_one_out() {
        let seeds: Vec<_> = (0..200).map(|seed| kinds(&Chance::new(seed, "script"))).collect();
        assert!(seeds.iter().any(|kinds| kinds.len() == KINDS.len()));
        assert!(seeds.iter().all(|kinds| kinds.iter().any(|kind| !kind.nests)));
        let leaves_out = |kind: &Kind| seeds.iter().any(|kinds| !kinds.iter().any(|other| std::ptr::eq(*other, kind)));
        assert!(KINDS.iter().all(leaves_out));
    }
}
