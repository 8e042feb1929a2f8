//! The runtime over one set of ports, but for what steps do outside.

use std::sync::Arc;

use crate::breaker::Breaker;
use crate::concurrency_slots::ConcurrencySlots;
use crate::dispatch::Dispatcher;
use crate::evaluator::Starter;
use crate::forget::Forgetting;
use crate::refusals::Refusals;
use crate::signals::Signals;
use crate::wake_backoff::WakeBackoff;
use crate::{
    Catalog, CompletionSignals, Dates, DefinitionStore, Evaluator, ExecutorOptions, Forks, History, Ingest,
    Installations, Intake, Interactions, Metrics, Notices, Operations, Ports, RecordActivities, Records, Schedules,
    Stop, Sweeper, Transitions, UnreadableItems, Workflows,
};

/// The runtime without what steps do outside: all of it but the executor.
#[derive(Clone)]
pub struct Core {
    /// The ports.
    pub ports: Ports,
    /// Takes events in.
    pub ingest: Arc<Ingest>,
    /// Evaluates events.
    pub evaluator: Arc<Evaluator>,
    /// Fills events from outside.
    pub intake: Arc<Intake>,
    /// Tells executions of events and controls.
    pub transitions: Arc<Transitions>,
    /// Sends signals, and hands them to those who wait.
    pub signals: Arc<Signals>,
    /// Fires what recurs.
    pub schedules: Arc<Schedules>,
    /// Dates of records.
    pub dates: Arc<Dates>,
    /// Looks for what was left behind.
    pub sweeper: Arc<Sweeper>,
    /// Work on many executions that goes on after an answer.
    pub operations: Arc<Operations>,
    /// Workflows and objects.
    pub workflows: Arc<Workflows>,
    /// Groups, calendars and other definitions.
    pub definitions: Arc<DefinitionStore>,
    /// Records.
    pub records: Arc<Records>,
    /// Takes in what people do on pages and elsewhere.
    pub interactions: Arc<Interactions>,
    /// Activities about records.
    pub record_activities: Arc<RecordActivities>,
    /// Executions to look at.
    pub history: Arc<History>,
    /// Prepares forks of executions.
    pub forks: Arc<Forks>,
    /// Forgets records.
    pub forgetting: Arc<Forgetting>,
    /// The installation's kill.
    pub installations: Arc<Installations>,
    /// Who waits for executions to end.
    pub completions: Arc<CompletionSignals>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Set once the process is about to end.
    pub stop: Stop,
    /// Passes over what cannot be read.
    pub unreadable: Arc<UnreadableItems>,
}

impl AsRef<Core> for Core {
    fn as_ref(&self) -> &Core {
        self
    }
}

impl Core {
    /// Wires it over a set of ports.
    pub fn new(ports: Ports, options: ExecutorOptions) -> Self {
        let shared = Shared::new(&ports, options);
        let transitions = Arc::new(shared.transitions());
        let starter = Arc::new(shared.starter());
        let schedules = Arc::new(shared.schedules(&starter));
        let dates = Arc::new(shared.dates(&starter));
        let operations = Operations::new(&transitions, ports.queue.clone(), (starter.clone(), dates.clone()));
        let operations = Arc::new(operations);
        let signals = Arc::new(Signals::new(&ports, transitions.clone(), shared.metrics.clone()));
        let Shared { catalog, completions, metrics, unreadable, .. } = &shared;
        let Ports { tables, blobs, clock, .. } = &ports;
        let workflows =
            Workflows::new(catalog.clone(), tables.clone(), clock.clone(), (operations.clone(), schedules.clone()));
        let workflows = Arc::new(workflows);
        let history = Arc::new(History::new(tables.clone(), blobs.clone(), unreadable.clone()));
        let record_activities = Arc::new(shared.record_activities());
        let forgetting = Forgetting {
            activities: record_activities.clone(),
            catalog: catalog.clone(),
            tables: tables.clone(),
            blobs: blobs.clone(),
            clock: clock.clone(),
            history: history.clone(),
            workflows: workflows.clone(),
            transitions: transitions.clone(),
            dates: dates.clone(),
        };
        let definitions = DefinitionStore {
            catalog: catalog.clone(),
            tables: tables.clone(),
            clock: clock.clone(),
            workflows: workflows.clone(),
        };
        let (ingest, records) = (Arc::new(Ingest::new(&ports, metrics.clone())), Arc::new(shared.records()));
        Self {
            definitions: Arc::new(definitions),
            interactions: Arc::new(Interactions { ingest: ingest.clone(), records: records.clone() }),
            ingest,
            evaluator: Arc::new(shared.evaluator(starter, &transitions, &operations, (&signals, &schedules, &dates))),
            sweeper: Arc::new(shared.sweeper(&transitions, &operations)),
            workflows,
            intake: shared.intake.clone(),
            forks: Arc::new(Forks { catalog: catalog.clone(), history: history.clone() }),
            forgetting: Arc::new(forgetting),
            records,
            record_activities,
            history,
            installations: Arc::new(shared.installations(&operations)),
            completions: completions.clone(),
            metrics: metrics.clone(),
            stop: Stop::default(),
            unreadable: unreadable.clone(),
            transitions,
            signals,
            schedules,
            dates,
            operations,
            ports,
        }
    }
}

/// What evaluator, transitions and sweeper share.
struct Shared<'a> {
    ports: &'a Ports,
    options: ExecutorOptions,
    metrics: Arc<Metrics>,
    unreadable: Arc<UnreadableItems>,
    catalog: Arc<Catalog>,
    completions: Arc<CompletionSignals>,
    notices: Arc<Notices>,
    dispatcher: Arc<Dispatcher>,
    breaker: Arc<Breaker>,
    refusals: Arc<Refusals>,
    intake: Arc<Intake>,
}

impl<'a> Shared<'a> {
    fn new(ports: &'a Ports, options: ExecutorOptions) -> Self {
        let Ports { tables, queue, timers, notifier, clock, .. } = ports;
        let metrics = Arc::new(Metrics::default());
        let unreadable = Arc::new(UnreadableItems::new(metrics.clone()));
        let catalog = Catalog::new(tables.clone(), unreadable.clone()).with_options(&options);
        let catalog = Arc::new(catalog);
        let counted = (unreadable.clone(), metrics.clone());
        let notices = Arc::new(Notices::new(tables.clone(), notifier.clone(), counted));
        Self {
            ports,
            options,
            completions: Arc::new(CompletionSignals::default()),
            dispatcher: Arc::new(Dispatcher::new(queue.clone(), timers.clone(), options.longest_delay)),
            breaker: Arc::new(Breaker::new(catalog.clone(), tables.clone(), clock.clone(), notices.clone())),
            refusals: Arc::new(Refusals::new(tables.clone(), metrics.clone())),
            intake: Arc::new(Intake::new(catalog.clone(), tables.clone(), unreadable.clone())),
            metrics,
            unreadable,
            catalog,
            notices,
        }
    }

    fn records(&self) -> Records {
        let Ports { tables, clock, random, .. } = self.ports.clone();
        Records::new(self.catalog.clone(), tables, clock, random)
    }

    fn record_activities(&self) -> RecordActivities {
        let Ports { tables, clock, random, .. } = self.ports.clone();
        RecordActivities { catalog: self.catalog.clone(), tables, clock, random }
    }

    fn transitions(&self) -> Transitions {
        let Ports { tables, blobs, clock, random, .. } = self.ports.clone();
        Transitions {
            catalog: self.catalog.clone(),
            tables,
            blobs,
            clock,
            random,
            dispatcher: self.dispatcher.clone(),
            notices: self.notices.clone(),
            breaker: self.breaker.clone(),
            slots: ConcurrencySlots::new(self.catalog.clone(), self.dispatcher.clone()),
            completions: self.completions.clone(),
            metrics: self.metrics.clone(),
            options: self.options,
        }
    }

    fn starter(&self) -> Starter {
        let Ports { tables, blobs, clock, .. } = self.ports.clone();
        Starter {
            catalog: self.catalog.clone(),
            tables,
            blobs,
            clock,
            dispatcher: self.dispatcher.clone(),
            breaker: self.breaker.clone(),
            refusals: self.refusals.clone(),
            metrics: self.metrics.clone(),
            intake: self.intake.clone(),
        }
    }

    fn evaluator(
        &self,
        starter: Arc<Starter>,
        transitions: &Arc<Transitions>,
        operations: &Arc<Operations>,
        (signals, schedules, dates): (&Arc<Signals>, &Arc<Schedules>, &Arc<Dates>),
    ) -> Evaluator {
        let Ports { tables, queue, blobs, clock, .. } = self.ports.clone();
        Evaluator {
            catalog: self.catalog.clone(),
            tables,
            blobs,
            events: queue,
            starter,
            transitions: transitions.clone(),
            operations: operations.clone(),
            signals: signals.clone(),
            schedules: schedules.clone(),
            dates: dates.clone(),
            clock,
            metrics: self.metrics.clone(),
            loops: self.options.loops,
        }
    }

    fn schedules(&self, starter: &Arc<Starter>) -> Schedules {
        let Ports { tables, clock, .. } = self.ports.clone();
        Schedules {
            catalog: self.catalog.clone(),
            tables,
            clock,
            dispatcher: self.dispatcher.clone(),
            starter: starter.clone(),
            refusals: self.refusals.clone(),
        }
    }

    fn dates(&self, starter: &Arc<Starter>) -> Dates {
        let Ports { tables, clock, .. } = self.ports.clone();
        let (catalog, refusals) = (self.catalog.clone(), self.refusals.clone());
        Dates { catalog, tables, clock, starter: starter.clone(), refusals }
    }

    fn installations(&self, operations: &Arc<Operations>) -> Installations {
        let Ports { tables, dead_letters, clock, .. } = self.ports.clone();
        Installations { catalog: self.catalog.clone(), tables, dead_letters, clock, operations: operations.clone() }
    }

    fn sweeper(&self, transitions: &Arc<Transitions>, operations: &Arc<Operations>) -> Sweeper {
        let Ports { tables, clock, dead_letters, .. } = self.ports.clone();
        Sweeper {
            catalog: self.catalog.clone(),
            tables,
            clock,
            notices: self.notices.clone(),
            transitions: transitions.clone(),
            refusals: self.refusals.clone(),
            dead_letters,
            operations: operations.clone(),
            metrics: self.metrics.clone(),
            wakes: WakeBackoff::default(),
            limits: self.options.loops,
        }
    }
}
