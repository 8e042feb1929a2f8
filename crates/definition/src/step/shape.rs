//! What a step type says of itself. Other code looks facts of a type up here, and matches on no type.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::Step;
use super::start_workflow::runs_on;
use crate::path::Path;
use crate::source::TextPlaces;
use crate::types::{Kinds, Type};
use crate::validate::Facts;
use crate::{Check, Expression, Template, Trigger, WorkflowCalendar};

/// A named list of steps inside a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Branch<'a> {
    /// Its name in history: `yes`, `no`, a case, `met`…
    pub name: &'a str,
    /// The key of the step under which it stands: `yes`, `cases`.
    pub path: &'static str,
    /// It stands under that key by its name.
    pub is_keyed: bool,
    /// Its steps.
    pub steps: &'a [Step],
    /// Its steps have an end of their own, and what they are a part of.
    pub region: Option<RegionKind>,
}

/// A list of steps with an end of its own. Nothing outside can go to a step in it, and none of its steps can go to what is
/// outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RegionKind {
    /// A lane of a branch.
    Lane,
    /// The steps that a loop carries out for each item.
    Item,
}

impl RegionKind {
    /// As an author calls it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Lane => "lane",
            Self::Item => "item",
        }
    }
}

impl<'a> Branch<'a> {
    /// Under a key of its own.
    pub(super) fn new(name: &'a str, path: &'static str, steps: &'a [Step]) -> Self {
        Self { name, path, is_keyed: false, steps, region: None }
    }

    /// One of several under a key, by its name.
    pub(super) fn keyed(name: &'a str, path: &'static str, steps: &'a [Step]) -> Self {
        Self { is_keyed: true, ..Self::new(name, path, steps) }
    }

    /// One with an end of its own.
    pub(super) fn region(self, kind: RegionKind) -> Self {
        Self { region: Some(kind), ..self }
    }

    /// Where it stands in the file.
    pub(crate) fn place(&self, step: &Path) -> Path {
        let list = step.keys(self.path);
        if self.is_keyed { list.key(self.name) } else { list }
    }
}

/// What holds for all steps of a type, whatever their keys say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "facts that have nothing to do with each other")]
pub struct TypeFacts {
    /// Which of the common keys it takes that not every type takes: `take`, `timeout`, `delivery`.
    pub common_keys: &'static [&'static str],
    /// What it calls outside Pawl, in a word. Such a step is claimed first and retried by default.
    pub outside: Option<&'static str>,
    /// Its own keys may hold secrets.
    pub takes_secrets: bool,
    /// It has no way on without one of its branches: a failure cannot be passed over.
    pub must_branch: bool,
    /// It does nothing but lead elsewhere, so it cannot fail on its way.
    pub only_leads: bool,
    /// The key that holds the triggers which it waits for.
    pub triggers_in: Option<&'static str>,
    /// The fields of its `output` are given in the order in which they are written.
    pub ordered_output: bool,
    /// The key whose expressions see `answer`, what came of a call.
    pub answer_in: Option<&'static str>,
    /// It reads the record of the execution, whether or not its keys name it.
    pub reads_record: bool,
}

impl TypeFacts {
    /// Of a type that has nothing of these.
    pub const PLAIN: Self = Self {
        common_keys: &[],
        outside: None,
        takes_secrets: false,
        must_branch: false,
        only_leads: false,
        triggers_in: None,
        ordered_output: false,
        answer_in: None,
        reads_record: false,
    };
}

/// Where an execution goes after a step that takes none of its branches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onward<'a> {
    /// To the step that follows.
    Next,
    /// To the step of this id.
    Jump(&'a str),
    /// To the step that follows, once a person lets it go on.
    Resumed,
    /// It ends.
    Nowhere,
}

/// What a step waits for before it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// A time, which will come.
    Time,
    /// Others, who may never come.
    Others {
        /// What an author adds so that it does not wait for ever.
        bounded_by: &'static str,
    },
}

/// What can end a step's wait.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Awaited<'a> {
    /// This condition holds.
    pub until: Option<&'a Expression>,
    /// An event matches one of these.
    pub on: &'a [Trigger],
    /// This signal is sent.
    pub signal: Option<AwaitedSignal<'a>>,
}

/// A signal that ends a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AwaitedSignal<'a> {
    /// Its name.
    pub name: &'a str,
    /// One counts that was sent before the execution began.
    pub earlier: bool,
}

/// A step that asks a model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AsksModel<'a> {
    /// The shape of the answer is declared.
    pub declares_output: bool,
    /// The steps that an answer takes which is not sure enough, if that is looked at.
    pub doubtful: Option<&'a [Step]>,
}

/// Where values of a step go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Carried<'a> {
    /// Into these variables.
    pub variables: Vec<&'a str>,
    /// Into these fields of the execution's record.
    pub fields: Vec<&'a str>,
    /// Into its output.
    pub output: bool,
}

/// The records that executions of a named workflow run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunsOn {
    /// The record of the execution that names it.
    Own,
    /// No record.
    None,
    /// Those that an expression gives.
    Given,
}

/// How executions of a named workflow are controlled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Controlled<'a> {
    /// What is done to them, in a word: `pause`.
    pub by: &'static str,
    /// The records that they run on, as the step names them.
    pub on: Option<&'a Template>,
}

/// A workflow that a step starts, or whose executions it controls.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedWorkflow<'a> {
    /// Its id.
    pub id: &'a str,
    /// Where the step names it, below the step: `workflow`, `workflows[1].workflow`.
    pub place: String,
    /// The values that it gets, by variable.
    pub values: Option<&'a BTreeMap<String, Template>>,
    /// Where they stand, below the step.
    pub values_place: String,
    /// The step waits for its end.
    pub waits: bool,
    /// It is not started: its open executions are controlled.
    pub controlled: Option<Controlled<'a>>,
}

impl NamedWorkflow<'_> {
    /// The records that its controlled executions run on, if a workflow that is global or has an object names it.
    pub(crate) fn controlled_on(&self, is_global: bool) -> Option<RunsOn> {
        self.controlled.map(|controlled| runs_on(controlled.on, is_global))
    }
}

/// What every step type says of itself.
pub trait Shape {
    /// What a step does, as a sentence about it goes on: "waits for 3d". It begins with a verb and has no full stop.
    fn words(&self, step: &Step) -> String;

    /// What leads to one of its branches, as a sentence begins: "if so".
    fn heading(&self, branch: &Branch<'_>) -> String {
        branch.name.to_owned()
    }

    /// What it calls outside, as far as that is written down: "`https://api.example.com`", "the model \"small\"".
    fn reaches(&self) -> Vec<String> {
        Vec::new()
    }

    /// What holds for all steps of this type.
    fn facts() -> TypeFacts
    where
        Self: Sized,
    {
        TypeFacts::PLAIN
    }

    /// Whether a step of these keys waits for others. The keys may have mistakes.
    fn waits_for_others(_keys: &Map<String, Value>) -> bool
    where
        Self: Sized,
    {
        false
    }

    /// The variables that a step of these keys sets, `save_as` left aside. The keys may have mistakes.
    fn sets(_keys: &Map<String, Value>) -> Vec<&str>
    where
        Self: Sized,
    {
        Vec::new()
    }

    /// Whether a text is wanted at a place below the keys of a step. The keys may have mistakes.
    fn wants_text(_keys: &Value, _place: &[&str], _file: &TextPlaces<'_>) -> bool
    where
        Self: Sized,
    {
        false
    }

    /// Its branches, in the order written; none for a plain step.
    fn branches(&self) -> Vec<Branch<'_>> {
        Vec::new()
    }

    /// Whether it always takes one of its branches, so that nothing goes past them.
    fn decides(&self) -> bool {
        false
    }

    /// What it decides by: the paths that it reads.
    fn decides_by(&self) -> Option<&BTreeSet<Vec<String>>> {
        None
    }

    /// Where the execution goes after it.
    fn onward(&self) -> Onward<'_> {
        Onward::Next
    }

    /// Whether what it calls outside changes something there.
    fn acts_outside(&self) -> bool {
        false
    }

    /// The object whose records it reads or writes, if its keys name one.
    fn object(&self) -> Option<&str> {
        None
    }

    /// Whether values of records of an object can come into it, although its expressions do not name them.
    fn reads_records_of(&self, object: &str) -> bool {
        self.object() == Some(object)
    }

    /// Whether what it does depends on definitions of the installation, although its expressions name none: members, types of
    /// activities.
    fn reads_definitions(&self) -> bool {
        false
    }

    /// Whether it changes the record of the execution, and so reads it as a whole.
    fn changes_own_record(&self) -> bool {
        false
    }

    /// Whether it reads the owner of the execution's record, although no expression of it says so.
    fn reads_owner(&self) -> bool {
        false
    }

    /// The names of the secrets that it may use.
    fn secrets(&self) -> BTreeSet<String> {
        BTreeSet::new()
    }

    /// What it waits for.
    fn waits(&self) -> Option<Waiting> {
        None
    }

    /// The calendar by which it counts business days, in place of that of the workflow.
    fn calendar(&self) -> Option<&WorkflowCalendar> {
        None
    }

    /// What ends its wait.
    fn awaits(&self) -> Awaited<'_> {
        Awaited::default()
    }

    /// The workflows that it names.
    fn workflows(&self) -> Vec<NamedWorkflow<'_>> {
        Vec::new()
    }

    /// Whether it says what the workflow is to reach.
    fn names_outcome(&self) -> bool {
        false
    }

    /// Whether and how it asks a model.
    fn asks_model(&self) -> Option<AsksModel<'_>> {
        None
    }

    /// What ends by it, if not the whole execution.
    fn ends_region(&self) -> Option<RegionKind> {
        None
    }

    /// The variables that several of its regions may set, because it says how their values become one. `None` if regions may
    /// set any: their variables do not meet.
    fn merges(&self) -> Option<BTreeSet<&str>> {
        None
    }

    /// How many items may run at once, if it carries out its steps for each item of a list.
    fn items_at_once(&self) -> Option<u32> {
        None
    }

    /// The variables that it sets, with their values; `save_as` left aside.
    fn assigns(&self) -> Vec<(&str, &Template)> {
        Vec::new()
    }

    /// Where those of its values go that are meant.
    fn carries(&self, _meant: &dyn Fn(&Template) -> bool) -> Carried<'_> {
        Carried::default()
    }

    /// The type of its output.
    fn output(&self, _facts: &Facts<'_>) -> Type {
        Type::of(Kinds::NULL)
    }

    /// The type of the output that a failure leaves, if it leaves one.
    fn failed_output(&self, _facts: &Facts<'_>) -> Type {
        Type::of(Kinds::NULL)
    }

    /// Checks what the shape of its keys cannot say.
    fn check(&self, _cx: &mut Check<'_, '_>) {}
}
