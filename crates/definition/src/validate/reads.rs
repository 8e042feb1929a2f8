//! What an expression names, with the place of each name: the variables it reads, and its calls of `secret`.

use cel::common::ast::{EntryExpr, Expr, IdedExpr, SourceInfo};

/// A variable and the way into it: `record.company.name`, `steps["my-step"].output`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Read {
    /// Names from the variable on, as far as they are written out.
    pub(super) names: Vec<String>,
    /// Characters of the expression before it.
    pub(super) column: usize,
    /// `has(…)` asks whether the last name is there.
    pub(super) presence: bool,
}

/// Everything that an expression names.
#[derive(Debug, Default)]
pub(super) struct Reads {
    pub(super) variables: Vec<Read>,
    /// Columns of calls of `secret`.
    pub(super) secrets: Vec<usize>,
}

/// Collects what an expression names; nothing if it cannot be read.
pub(super) fn collect(text: &str) -> Reads {
    let Ok(program) = cel::Program::compile(text) else { return Reads::default() };
    let mut collector = Collector { info: program.source_info(), text, bound: Vec::new(), reads: Reads::default() };
    collector.visit(program.expression());
    collector.reads
}

struct Collector<'e> {
    info: &'e SourceInfo,
    text: &'e str,
    /// Names that a loop gives.
    bound: Vec<&'e str>,
    reads: Reads,
}

impl<'e> Collector<'e> {
    fn visit(&mut self, node: &'e IdedExpr) {
        if let Some((names, root, presence)) = path(node) {
            let local = self.bound.contains(&names[0].as_str()) || names[0].starts_with('@');
            if !local {
                let column = self.column(root, &names[0]);
                self.reads.variables.push(Read { names, column, presence });
            }
            return;
        }
        match &node.expr {
            Expr::Call(call) => {
                if call.func_name == "secret" && call.target.is_none() {
                    let column = self.column(node, "secret");
                    self.reads.secrets.push(column);
                }
                call.target.iter().for_each(|target| self.visit(target));
                call.args.iter().for_each(|argument| self.visit(argument));
            }
            Expr::Comprehension(each) => {
                self.visit(&each.iter_range);
                self.visit(&each.accu_init);
                let outside = self.bound.len();
                self.bound.extend([each.iter_var.as_str(), each.accu_var.as_str()]);
                self.bound.extend(each.iter_var2.as_deref());
                [&each.loop_cond, &each.loop_step, &each.result].into_iter().for_each(|part| self.visit(part));
                self.bound.truncate(outside);
            }
            Expr::Select(select) => self.visit(&select.operand),
            Expr::List(list) => list.elements.iter().for_each(|element| self.visit(element)),
            Expr::Map(map) => map.entries.iter().for_each(|entry| self.visit_entry(&entry.expr)),
            Expr::Struct(literal) => literal.entries.iter().for_each(|entry| self.visit_entry(&entry.expr)),
            Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => {}
        }
    }

    fn visit_entry(&mut self, entry: &'e EntryExpr) {
        match entry {
            EntryExpr::StructField(field) => self.visit(&field.value),
            EntryExpr::MapEntry(entry) => {
                self.visit(&entry.key);
                self.visit(&entry.value);
            }
        }
    }

    /// Where a name stands: where the parser says, if the name is really there, else where it is found first.
    fn column(&self, node: &IdedExpr, name: &str) -> usize {
        let said = self.info.offset_for(node.id).and_then(|(start, _)| usize::try_from(start).ok());
        let chars: Vec<_> = self.text.chars().collect();
        let stands = |at: &usize| {
            chars.get(*at..).is_some_and(|rest| name.chars().eq(rest.iter().copied().take(name.chars().count())))
        };
        said.filter(stands).or_else(|| (0..chars.len()).find(stands)).unwrap_or_default()
    }
}

/// The names of a path that begins with a variable, the node of the variable, and whether `has` asks for it.
fn path(node: &IdedExpr) -> Option<(Vec<String>, &IdedExpr, bool)> {
    match &node.expr {
        Expr::Ident(name) => Some((vec![name.clone()], node, false)),
        Expr::Select(select) => {
            let (mut names, root, presence) = path(&select.operand)?;
            names.push(select.field.clone());
            Some((names, root, presence || select.test))
        }
        Expr::Call(call) if call.func_name == "_[_]" => {
            let [target, index] = call.args.as_slice() else { return None };
            let Expr::Literal(cel::common::ast::LiteralValue::String(key)) = &index.expr else { return None };
            let (mut names, root, presence) = path(target)?;
            names.push(key.inner().to_owned());
            Some((names, root, presence))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> String {
        let reads = collect(text);
        let shown = reads
            .variables
            .iter()
            .map(|read| format!("{}@{}{}", read.names.join("."), read.column, if read.presence { "?" } else { "" }));
        let secrets = reads.secrets.iter().map(|column| format!("secret@{column}"));
        shown.chain(secrets).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn names_are_found_with_their_places() {
        for (text, expected) in [
            ("record.name == 'x' && vars.a > 1", "record.name@0 vars.a@22"),
            ("steps[\"my-step\"].output.id", "steps.my-step.output.id@0"),
            ("has(record.email)", "record.email@4?"),
            ("vars.list.filter(x, x.price > vars.most).size()", "vars.list@0 vars.most@30"),
            ("[trigger.body.items[0].id, {'a': now}]", "trigger.body.items@1 now@33"),
            ("'Bearer ' + secret('key')", "secret@12"),
            ("1 +", ""),
        ] {
            assert_eq!(check(text), expected, "{text}");
        }
    }
}
