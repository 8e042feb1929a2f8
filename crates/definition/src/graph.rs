//! A workflow as a picture: a Mermaid flowchart.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::step::{Onward, RegionKind};
use crate::{Step, Workflow};

/// Draws a workflow as a Mermaid `flowchart TD`: triggers, steps with type and name, the branches with their names,
/// where they rejoin, lanes beside each other, loops that come back, and jumps as dotted lines. The same workflow always gives the same text.
pub fn mermaid(workflow: &Workflow) -> String {
    let steps = workflow.all_steps();
    let nodes = steps.iter().enumerate().map(|(at, step)| (step.id.as_str(), format!("s{at}"))).collect();
    let mut drawing = Drawing { nodes, text: "flowchart TD\n".to_owned() };
    let starts = drawing.triggers(workflow);
    let ends = drawing.steps(&workflow.steps, starts);
    if !ends.is_empty() {
        drawing.line("completed([\"completed\"])");
        drawing.edges(&ends, "completed");
    }
    drawing.text
}

/// A line that is still open: where it comes from, how it looks, and what it says.
#[derive(Debug, Clone)]
struct Open {
    from: String,
    dotted: bool,
    label: Option<String>,
}

impl Open {
    fn plain(from: &str) -> Self {
        Self { from: from.to_owned(), dotted: false, label: None }
    }

    fn labelled(from: &str, label: &str) -> Self {
        Self { label: Some(label.to_owned()), ..Self::plain(from) }
    }
}

struct Drawing<'a> {
    nodes: BTreeMap<&'a str, String>,
    text: String,
}

impl<'a> Drawing<'a> {
    fn triggers(&mut self, workflow: &Workflow) -> Vec<Open> {
        if workflow.triggers.is_empty() {
            self.line("t0[/\"manual\"/]");
            return vec![Open::plain("t0")];
        }
        let mut starts = Vec::new();
        for (at, trigger) in workflow.triggers.iter().enumerate() {
            let tag = trigger.kind.tag();
            let name = if trigger.id == tag { tag.to_owned() } else { format!("{tag}<br/>{}", escaped(&trigger.id)) };
            self.line(&format!("t{at}[/\"{name}\"/]"));
            let label = (!trigger.enabled).then(|| "disabled".to_owned());
            starts.push(Open { from: format!("t{at}"), dotted: !trigger.enabled, label });
        }
        starts
    }

    /// Draws steps one after the other, and gives the lines that leave the last.
    fn steps(&mut self, steps: &'a [Step], mut open: Vec<Open>) -> Vec<Open> {
        for step in steps {
            let node = self.nodes[step.id.as_str()].clone();
            self.line(&format!("{node}{}", shape(step)));
            self.edges(&open, &node);
            self.started(step, &node);
            open = self.step(step, &node);
        }
        open
    }

    /// Draws the workflows that a step names, by dotted lines if it does not wait for them: those that it starts, and those
    /// whose executions it controls.
    fn started(&mut self, step: &Step, node: &str) {
        for (at, named) in step.kind.shape().workflows().iter().enumerate() {
            let arrow = if named.waits { "<-->" } else { "-.->" };
            let word = named.controlled.map_or(String::new(), |controlled| format!("|\"{}\"|", controlled.by));
            self.line(&format!("{node} {arrow}{word} {node}w{at}[/\"workflow<br/>{}\"\\]", escaped(named.id)));
        }
    }

    /// Draws what follows a step, and gives the lines that go on from it.
    fn step(&mut self, step: &'a Step, node: &str) -> Vec<Open> {
        let mut open = Vec::new();
        let shape = step.kind.shape();
        match shape.onward() {
            _ if step.skip && step.branches().is_empty() => open.push(Open::plain(node)),
            Onward::Jump(id) => {
                if let Some(target) = self.nodes.get(id) {
                    let line = format!("{node} -.-> {target}");
                    self.line(&line);
                }
            }
            Onward::Resumed => open.push(Open::labelled(node, "resumed")),
            Onward::Next if !shape.decides() && !has_lanes(step) => open.push(Open::plain(node)),
            Onward::Next | Onward::Nowhere => {}
        }
        for branch in step.branches() {
            let line = Open { dotted: branch.name == "failed", ..Open::labelled(node, branch.name) };
            if branch.region == Some(RegionKind::Item) {
                let ends = self.steps(branch.steps, vec![Open::labelled(node, "each item")]);
                self.edges(&ends, node);
            } else if !branch.steps.is_empty() {
                open.extend(self.steps(branch.steps, vec![line]));
            } else if shape.decides() || branch.region.is_some() {
                open.push(line);
            }
        }
        open
    }

    fn edges(&mut self, open: &[Open], to: &str) {
        for Open { from, dotted, label } in open {
            let arrow = if *dotted { "-.->" } else { "-->" };
            let label = label.as_ref().map_or_else(String::new, |label| format!("|\"{}\"|", escaped(label)));
            self.line(&format!("{from} {arrow}{label} {to}"));
        }
    }

    fn line(&mut self, line: &str) {
        writeln!(self.text, "    {line}").expect("writing to a text does not fail");
    }
}

/// Whether it goes on by its lanes only.
fn has_lanes(step: &Step) -> bool {
    step.branches().iter().any(|branch| branch.region == Some(RegionKind::Lane))
}

/// The node of a step: decisions are diamonds, waits hexagons, ends rounded, calls to the outside framed.
fn shape(step: &Step) -> String {
    let skipped = if step.skip { " (skipped)" } else { "" };
    let text = format!("\"{}<br/>{}{skipped}\"", step.kind.tag(), escaped(step.name.as_deref().unwrap_or(&step.id)));
    let shape = step.kind.shape();
    if step.kind.reaches_outside() {
        return format!("[[{text}]]");
    }
    match (shape.waits(), shape.onward()) {
        (Some(_), _) => format!("{{{{{text}}}}}"),
        (None, Onward::Jump(_) | Onward::Resumed | Onward::Nowhere) => format!("([{text}])"),
        (None, Onward::Next) if shape.decides() => format!("{{{text}}}"),
        (None, Onward::Next) => format!("[{text}]"),
    }
}

/// A text that Mermaid shows and does not read: entities in place of what has a meaning in labels.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("#quot;"),
            '#' => out.push_str("#35;"),
            '&' => out.push_str("#amp;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '`' => out.push_str("#96;"),
            '|' => out.push_str("#124;"),
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
