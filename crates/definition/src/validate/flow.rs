//! The ways through a workflow: which step can follow which.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value;

use super::found::{Found, StepSite};
use crate::StepKind;
use crate::path::{Path, Segment};
use crate::step::{Onward, RegionKind, TypeFacts};

/// Which steps can follow each step, by their places in [`Found::steps`].
///
/// Generous: a way too many leaves something untold, a way too few would tell of what is right. Ways that only an
/// operator opens, who skips or retries a step, count too.
#[derive(Debug)]
pub(crate) struct Flow {
    next: Vec<Vec<usize>>,
    reached: Vec<bool>,
    /// What each step that was asked about can lead to.
    after: RefCell<BTreeMap<usize, Rc<Vec<bool>>>>,
}

impl Flow {
    pub(super) fn of(file: &Value, found: &Found<'_>, kinds: &[Option<StepKind>]) -> Self {
        let map = Map::new(file, found, kinds);
        let next: Vec<_> = (0..found.steps.len()).map(|step| map.next(step)).collect();
        let entry = map.entry(&Path::root().key("steps"));
        let reached = visit(&next, entry);
        Self { next, reached, after: RefCell::default() }
    }

    /// Whether an execution can come to a step.
    pub(super) fn reaches(&self, step: usize) -> bool {
        self.reached[step]
    }

    /// Whether a step can have been visited when another one begins.
    pub(super) fn can_precede(&self, earlier: usize, step: usize) -> bool {
        let mut after = self.after.borrow_mut();
        let reached = after.entry(earlier).or_insert_with(|| Rc::new(visit(&self.next, self.next[earlier].clone())));
        reached[step]
    }
}

fn visit(next: &[Vec<usize>], from: impl IntoIterator<Item = usize>) -> Vec<bool> {
    let mut seen = vec![false; next.len()];
    let mut open: Vec<usize> = from.into_iter().collect();
    while let Some(step) = open.pop() {
        if !std::mem::replace(&mut seen[step], true) {
            open.extend(&next[step]);
        }
    }
    seen
}

/// Where each step stands.
struct Map<'f, 'a> {
    found: &'f Found<'a>,
    kinds: &'f [Option<StepKind>],
    at: BTreeMap<&'f Path, usize>,
    ids: BTreeMap<&'a str, usize>,
    /// The step that each nested list belongs to.
    owners: BTreeMap<&'f Path, usize>,
    /// What the workflow does when a step fails that does not say itself.
    policy: Option<&'f Value>,
    /// The steps behind which the workflow's own failure steps go on.
    behind_failure: RefCell<Option<Rc<Vec<usize>>>>,
}

impl<'f, 'a> Map<'f, 'a> {
    fn new(file: &'f Value, found: &'f Found<'a>, kinds: &'f [Option<StepKind>]) -> Self {
        let steps = || found.steps.iter().enumerate();
        Self {
            found,
            kinds,
            at: steps().map(|(step, site)| (&site.path, step)).collect(),
            ids: steps().filter_map(|(step, site)| Some((site.id?, step))).collect(),
            owners: steps().flat_map(|(step, site)| site.branches.iter().map(move |list| (list, step))).collect(),
            policy: file.get("on_failure").and_then(|policy| policy.get("then")),
            behind_failure: RefCell::default(),
        }
    }

    fn entry(&self, list: &Path) -> Option<usize> {
        self.at.get(&list.index(0)).copied()
    }

    /// The steps that follow the end of a step.
    fn after(&self, step: usize) -> Vec<usize> {
        let mut step = step;
        loop {
            let path = &self.found.steps[step].path;
            if let Some(next) = path.after().and_then(|next| self.at.get(&next)) {
                return vec![*next];
            }
            let Some(list) = path.parent() else { return Vec::new() };
            match self.owners.get(&list) {
                // Behind the last step of an item the loop is looked at again.
                Some(owner) if self.is_loop(*owner, &list) => return vec![*owner],
                Some(owner) => step = *owner,
                None if list.segments().first() == Some(&Segment::Key("on_failure".into())) => {
                    return self.behind_failure().as_ref().clone();
                }
                None => return Vec::new(),
            }
        }
    }

    fn is_loop(&self, owner: usize, list: &Path) -> bool {
        let place = &self.found.steps[owner].path;
        let branches = self.kinds[owner].iter().flat_map(|kind| kind.shape().branches());
        branches.into_iter().any(|branch| branch.region == Some(RegionKind::Item) && branch.place(place) == *list)
    }

    /// The steps that follow the innermost region around a step.
    fn after_region(&self, step: usize) -> Vec<usize> {
        let mut list = self.found.steps[step].path.parent();
        while let Some(owner) = list.as_ref().and_then(|list| self.owners.get(list)) {
            let site = &self.found.steps[*owner];
            let branches = self.kinds[*owner].iter().flat_map(|kind| kind.shape().branches());
            let mut regions = branches.filter(|branch| branch.region.is_some());
            if regions.any(|region| Some(region.place(&site.path)) == list) {
                return self.after(*owner);
            }
            list = site.path.parent();
        }
        Vec::new()
    }

    fn behind_failure(&self) -> Rc<Vec<usize>> {
        if let Some(known) = &*self.behind_failure.borrow() {
            return known.clone();
        }
        let in_policy = Segment::Key("on_failure".into());
        let steps = self.found.steps.iter().enumerate();
        let failing = steps.filter(|(_, site)| {
            site.path.segments().first() != Some(&in_policy)
                && own_policy(site).is_none()
                && !type_facts(site).only_leads
        });
        let behind: Rc<Vec<_>> = Rc::new(failing.flat_map(|(step, _)| self.after(step)).collect());
        *self.behind_failure.borrow_mut() = Some(behind.clone());
        behind
    }

    fn next(&self, step: usize) -> Vec<usize> {
        let site = &self.found.steps[step];
        let skipped = site.keys.get("skip") == Some(&Value::Bool(true));
        let kind = self.kinds[step].as_ref().filter(|_| !skipped);
        match kind.map_or(Onward::Next, |kind| kind.shape().onward()) {
            Onward::Jump(id) => self.ids.get(id).into_iter().copied().collect(),
            Onward::Nowhere if kind.is_some_and(|kind| kind.shape().ends_region().is_some()) => self.after_region(step),
            Onward::Nowhere => Vec::new(),
            _ if skipped && !site.keys.contains_key("take") => self.after(step),
            Onward::Next | Onward::Resumed => {
                let mut next = self.branches(step);
                next.extend(self.behind_a_failure_of(step));
                next
            }
        }
    }

    /// The first steps of the branches of its type, and what follows where it can pass them.
    fn branches(&self, step: usize) -> Vec<usize> {
        let site = &self.found.steps[step];
        let Some(kind) = &self.kinds[step] else {
            // Not known well enough: any branch, any step that a key names, or none.
            let entries = site.branches.iter().filter_map(|list| self.entry(list));
            let named = site.keys.values().filter_map(|value| self.ids.get(value.as_str()?).copied());
            return entries.chain(named).chain(self.after(step)).collect();
        };
        let shape = kind.shape();
        let branches = shape.branches();
        let entries: Vec<_> = branches.iter().map(|branch| self.entry(&branch.place(&site.path))).collect();
        let passes = !shape.decides() || entries.iter().any(Option::is_none);
        let after = if passes { self.after(step) } else { Vec::new() };
        entries.into_iter().flatten().chain(after).collect()
    }

    fn behind_a_failure_of(&self, step: usize) -> Vec<usize> {
        let site = &self.found.steps[step];
        match own_policy(site).or(self.policy) {
            Some(Value::Array(_)) if own_policy(site).is_some() => {
                self.entry(&site.path.keys("on_failure.then")).into_iter().collect()
            }
            Some(Value::Array(_)) => self.entry(&Path::root().keys("on_failure.then")).into_iter().collect(),
            Some(Value::String(word)) if word == "continue" && !type_facts(site).must_branch => self.after(step),
            _ => Vec::new(),
        }
    }
}

fn own_policy<'a>(site: &StepSite<'a>) -> Option<&'a Value> {
    site.keys.get("on_failure").and_then(|policy| policy.get("then"))
}

fn type_facts(site: &StepSite<'_>) -> TypeFacts {
    StepKind::facts_of(site.tag.unwrap_or_default())
}
