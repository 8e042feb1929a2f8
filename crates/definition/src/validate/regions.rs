//! Lists of steps with an end of their own: lanes, and the steps of a loop. What happens in one stays there, but for what the
//! step that it belongs to says comes back.

use std::collections::{BTreeMap, BTreeSet};

use super::found::{Found, StepSite};
use super::report::Report;
use super::words::quoted;
use crate::StepKind;
use crate::path::Path;
use crate::problem::code;
use crate::step::{Onward, RegionKind};

/// A region as written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Region<'k> {
    place: Path,
    kind: RegionKind,
    name: &'k str,
    /// The step that it belongs to.
    owner: usize,
}

/// The regions of a workflow.
#[derive(Debug)]
pub(super) struct Regions<'f, 'k> {
    found: &'f Found<'f>,
    kinds: &'k [Option<StepKind>],
    all: Vec<Region<'k>>,
}

impl<'f, 'k> Regions<'f, 'k> {
    pub(super) fn of(found: &'f Found<'f>, kinds: &'k [Option<StepKind>]) -> Self {
        let mut regions = Vec::new();
        for (owner, (site, kind)) in found.steps.iter().zip(kinds).enumerate() {
            let branches = kind.iter().flat_map(|kind| kind.shape().branches());
            regions.extend(branches.filter_map(|branch| {
                let (place, name) = (branch.place(&site.path), branch.name);
                branch.region.map(|kind| Region { place, kind, name, owner })
            }));
        }
        Self { found, kinds, all: regions }
    }

    /// Those in which something stands, the innermost last.
    fn around(&self, path: &Path) -> Vec<&Region<'k>> {
        // An outer step is found before those in it.
        self.all.iter().filter(|region| path.is_within(&region.place)).collect()
    }

    /// Whether a place sees an item: in a loop, or in what it says is kept of an item.
    pub(super) fn has_item(&self, path: &Path) -> bool {
        let mut loops = self.all.iter().filter(|region| region.kind == RegionKind::Item);
        loops.any(|region| path.is_within(&region.place) || self.keeps(region, path))
    }

    /// Whether a place says what is kept of an item of a loop.
    fn keeps(&self, region: &Region<'_>, path: &Path) -> bool {
        region.kind == RegionKind::Item && path.is_within(&self.found.steps[region.owner].path.key("output"))
    }

    /// The region around a step that is not around a place: what its steps came to is not seen there.
    pub(super) fn hides(&self, step: &str, from: &Path) -> Option<String> {
        let site = self.found.steps.iter().find(|site| site.id == Some(step))?;
        let around = self.around(from);
        let hidden =
            self.around(&site.path).into_iter().find(|region| !around.contains(region) && !self.keeps(region, from))?;
        let owner = self.found.steps[hidden.owner].id.unwrap_or_default();
        Some(match hidden.kind {
            RegionKind::Lane => {
                format!("write `steps.{owner}.output.{}.output`, or let the lane set a variable", hidden.name)
            }
            RegionKind::Item => format!("let `output` of {owner:?} say what is kept of an item"),
        })
    }

    /// Jumps that leave their region or come into one, ends of regions that are not there, and variables that several
    /// regions set.
    pub(super) fn check(&self, report: &mut Report<'_>) {
        for (site, kind) in self.found.steps.iter().zip(self.kinds) {
            let Some(kind) = kind else { continue };
            self.jump(report, site, kind);
            self.end(report, site, kind);
            self.variables(report, site, kind);
        }
    }

    fn jump(&self, report: &mut Report<'_>, site: &StepSite<'_>, kind: &StepKind) {
        let Onward::Jump(id) = kind.shape().onward() else { return };
        let Some(target) = self.found.steps.iter().find(|target| target.id == Some(id)) else { return };
        let (own, of_target) = (self.around(&site.path), self.around(&target.path));
        if own == of_target {
            return;
        }
        let message = match own.last() {
            Some(region) if !of_target.contains(region) => {
                format!("expected a step of the same {}, found {}", region.kind.word(), quoted(id))
            }
            _ => format!("expected a step outside of lanes and loops, or of the same, found {}", quoted(id)),
        };
        report.error_at_key(code::NOT_ALLOWED, &site.path.key("step"), message);
    }

    fn end(&self, report: &mut Report<'_>, site: &StepSite<'_>, kind: &StepKind) {
        let Some(ended) = kind.shape().ends_region() else { return };
        let around = self.around(&site.path);
        if around.last().is_none_or(|region| region.kind != ended) {
            let message = match around.last() {
                Some(region) => format!("this step is in a {}, and ends no {}", region.kind.word(), ended.word()),
                None => format!("this step is in no {}", ended.word()),
            };
            report.error_at_key(code::NOT_ALLOWED, &site.path.key("as"), message);
        }
    }

    /// A variable that several regions set needs a rule.
    fn variables(&self, report: &mut Report<'_>, site: &StepSite<'_>, kind: &StepKind) {
        let Some(merged) = kind.shape().merges() else { return };
        let mut set_by: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for region in self.all.iter().filter(|region| self.found.steps[region.owner].path == site.path) {
            for step in self.found.steps.iter().filter(|step| step.path.is_within(&region.place)) {
                let saved = step.keys.get("save_as").and_then(serde_json::Value::as_str);
                // What an item sets ends with it.
                let around = self.around(&step.path);
                let mut inner = around.iter().skip_while(|around| **around != region).skip(1);
                if inner.all(|inner| inner.kind == RegionKind::Lane) {
                    let names = saved.into_iter().chain(step.sets());
                    names.for_each(|name| set_by.entry(name).or_default().extend([region.name]));
                }
            }
        }
        let lacks = |(name, by): &(&&str, &BTreeSet<&str>)| by.len() > 1 && !merged.contains(**name);
        for (name, by) in set_by.iter().filter(lacks) {
            let by: Vec<_> = by.iter().map(|region| quoted(region)).collect();
            let message = format!("the lanes {} set the variable {}", by.join(" and "), quoted(name));
            let hint = format!("add `merge: {{{name}: last}}` or `append`, or let one of them set it");
            report.error_at_key(code::NOT_ALLOWED, &site.path.key("lanes"), message).suggest(hint);
        }
        for name in merged.iter().filter(|name| !set_by.contains_key(*name)) {
            let message = format!("no lane sets the variable {}", quoted(name));
            report.warning(code::SUSPICIOUS, &site.path.key("merge").key(name), message);
        }
    }
}
