//! Every code that a failed step can have: the one table of them, with what a code says about trying again.

use std::fmt::{Display, Formatter};

use pawl_definition::{ExpressionError, FailureClass};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Whether a step that failed is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retries {
    /// The same attempt would fail again.
    Never,
    /// As the retry policy says of failures of this class.
    Policy(FailureClass),
    /// As the retry policy says, if the failure itself has a class.
    ByOccurrence,
    /// At once, and no attempt is used up: nothing was sent, and nothing is said about the other side.
    AtOnce,
    /// After the wait that the failure names, and no attempt is used up: nothing was sent, and others are at work.
    InTurn,
}

/// Defines [`StepCode`] and its table from one line a code.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $retries:expr;)*) => {
        /// Why a step failed, or an execution. The words are stored and documented: do not rename. Each has a page in
        /// `docs/errors`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum StepCode {
            $($(#[$doc])* $name,)*
        }

        impl StepCode {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its word.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Whether a step that fails with it is tried again.
            pub fn retries(self) -> Retries {
                match self { $(Self::$name => $retries,)* }
            }

            /// The code of a word; [`StepCode::UnknownCode`] for a word of another version of Pawl.
            pub fn of(word: &str) -> Self {
                match word { $($word => Self::$name,)* _ => Self::UnknownCode }
            }
        }
    };
}

codes! {
    /// An expression cannot be parsed.
    ExpressionSyntax = "expression_syntax", Retries::Never;
    /// An expression is longer than the bound.
    ExpressionTooLong = "expression_too_long", Retries::Never;
    /// An evaluation used up its budget of work or bytes.
    ExpressionTooCostly = "expression_too_costly", Retries::Never;
    /// A value is nested deeper than the bound.
    ValueTooDeep = "value_too_deep", Retries::Never;
    /// An expression names what does not exist.
    ExpressionUnknownName = "expression_unknown_name", Retries::Never;
    /// An expression reads a key that its data does not have.
    ExpressionMissingKey = "expression_missing_key", Retries::Never;
    /// An operation got a value of a type that it does not take.
    ExpressionType = "expression_type", Retries::Never;
    /// A function got a value outside of what it takes.
    ExpressionValue = "expression_value", Retries::Never;
    /// A secret stands where none may stand.
    ExpressionSecret = "expression_secret", Retries::Never;

    /// A value has another type than its place takes.
    WrongType = "wrong_type", Retries::Never;
    /// An id has characters that its place does not take.
    InvalidId = "invalid_id", Retries::Never;
    /// A required variable has no value.
    RequiredVariable = "required_variable", Retries::Never;
    /// A required field has no value.
    RequiredField = "required_field", Retries::Never;
    /// The object has no such field, relationship or stage.
    UnknownField = "unknown_field", Retries::Never;
    /// There is no such object.
    UnknownObject = "unknown_object", Retries::Never;
    /// A group or calendar that the step needs is not there.
    UnknownDefinition = "unknown_definition", Retries::Never;
    /// There is nobody left whom a step can choose.
    NobodyToChoose = "nobody_to_choose", Retries::Never;
    /// An owner is no member.
    UnknownMember = "unknown_member", Retries::Never;
    /// The workflow has no such step.
    UnknownStep = "unknown_step", Retries::Never;
    /// The time of a delay cannot be computed.
    InvalidDelay = "invalid_delay", Retries::Never;
    /// A field's change is none.
    InvalidChange = "invalid_change", Retries::Never;

    /// There is no record where one is needed.
    NoRecord = "no_record", Retries::Never;
    /// A unique value is taken.
    DuplicateRecord = "duplicate_record", Retries::Never;
    /// A record would be larger than the bound.
    RecordTooLarge = "record_too_large", Retries::Never;
    /// A search met more records than it may look at.
    TooManyRecords = "too_many_records", Retries::Never;
    /// A step has more records to change than it may.
    TooManyTargets = "too_many_targets", Retries::Never;
    /// A decision asked for more reads than it may.
    TooManyReads = "too_many_reads", Retries::Never;

    /// A list of steps was carried out as long as `limits.steps` allows.
    StepLimit = "step_limit", Retries::Never;
    /// The execution with its items and lanes carried out its most steps.
    TreeStepLimit = "tree_step_limit", Retries::Never;
    /// The execution visited a step most often.
    VisitLimit = "visit_limit", Retries::Never;
    /// The budget of model calls is used up.
    OverBudget = "over_budget", Retries::Never;
    /// An item of a loop failed.
    ItemFailed = "item_failed", Retries::Never;
    /// A loop has more items than it may.
    TooManyItems = "too_many_items", Retries::Never;
    /// A lane of a branch did not complete.
    LaneFailed = "lane_failed", Retries::Never;
    /// A `stop` step ended the execution as failed.
    StoppedAsFailed = "stopped_as_failed", Retries::Never;
    /// Nobody knows whether an at-most-once effect happened.
    OutcomeUnknown = "outcome_unknown", Retries::Never;
    /// The lease ended before the call began.
    LeaseOver = "lease_over", Retries::AtOnce;

    /// A secret cannot be read: it is missing, or its store does not answer.
    SecretUnavailable = "secret_unavailable", Retries::ByOccurrence;

    /// The service answered a status that counts as a failure.
    HttpStatus = "http_status", Retries::ByOccurrence;
    /// The address is one that steps may not reach.
    HttpRefused = "http_refused", Retries::Never;
    /// The request cannot be built.
    HttpInvalid = "http_invalid", Retries::Never;
    /// The answer is larger than the bound.
    HttpTooLarge = "http_too_large", Retries::Never;
    /// The answer's bytes cannot be decoded.
    HttpUndecodable = "http_undecodable", Retries::Never;
    /// The service cannot be reached.
    HttpNetwork = "http_network", Retries::Policy(FailureClass::Network);
    /// The service did not answer in time.
    HttpTimeout = "http_timeout", Retries::Policy(FailureClass::Timeout);

    /// No provider is configured for the model.
    ModelNotConfigured = "model_not_configured", Retries::Never;
    /// The provider or the model refused the request.
    ModelRefused = "model_refused", Retries::Never;
    /// The provider asks to come back later.
    ModelThrottled = "model_throttled", Retries::Policy(FailureClass::Throttled);
    /// All places at the model are taken.
    ModelBusy = "model_busy", Retries::InTurn;
    /// The provider failed.
    ModelServer = "model_server", Retries::Policy(FailureClass::Server);
    /// The provider cannot be reached.
    ModelNetwork = "model_network", Retries::Policy(FailureClass::Network);
    /// The model did not complete its answer in time.
    ModelTimeout = "model_timeout", Retries::Policy(FailureClass::Timeout);
    /// The answer does not fit its schema.
    ModelAnswerInvalid = "model_answer_invalid", Retries::Never;
    /// The answer was cut off.
    ModelAnswerCut = "model_answer_cut", Retries::Never;
    /// To hold the answer against its schema takes too much work.
    ModelAnswerCostly = "model_answer_costly", Retries::Never;
    /// The answer is empty.
    ModelAnswerEmpty = "model_answer_empty", Retries::Never;
    /// The provider ended the answer before it was whole.
    ModelAnswerUnfinished = "model_answer_unfinished", Retries::Policy(FailureClass::Server);

    /// No state machines are configured.
    StateMachinesNotConfigured = "state_machines_not_configured", Retries::Never;
    /// The state machine does not exist.
    StateMachineNotFound = "state_machine_not_found", Retries::Never;
    /// Pawl may not start the state machine.
    StateMachineDenied = "state_machine_denied", Retries::Never;
    /// Step Functions does not take the request.
    StateMachineInvalid = "state_machine_invalid", Retries::Never;
    /// The state machine ended badly.
    StateMachineFailed = "state_machine_failed", Retries::Never;
    /// The state machine did not end in time.
    StateMachineTimeout = "state_machine_timeout", Retries::Policy(FailureClass::Timeout);
    /// Step Functions asks to come back later.
    StateMachineThrottled = "state_machine_throttled", Retries::Policy(FailureClass::Throttled);
    /// Step Functions cannot be reached.
    StateMachineNetwork = "state_machine_network", Retries::Policy(FailureClass::Network);
    /// Step Functions failed.
    StateMachineServer = "state_machine_server", Retries::Policy(FailureClass::Server);

    /// No services of the cloud are configured.
    CloudNotConfigured = "cloud_not_configured", Retries::Never;
    /// The queue, topic, bus or function does not exist.
    CloudNotFound = "cloud_not_found", Retries::Never;
    /// Pawl may not make the call.
    CloudDenied = "cloud_denied", Retries::Never;
    /// The service does not take the request.
    CloudInvalid = "cloud_invalid", Retries::Never;
    /// The service asks to come back later.
    CloudThrottled = "cloud_throttled", Retries::Policy(FailureClass::Throttled);
    /// The service cannot be reached, or did not answer in time.
    CloudNetwork = "cloud_network", Retries::Policy(FailureClass::Network);
    /// The service failed.
    CloudServer = "cloud_server", Retries::Policy(FailureClass::Server);
    /// The function failed.
    FunctionFailed = "function_failed", Retries::Never;

    /// None of the executions that a step started and waited for completed.
    ChildFailed = "child_failed", Retries::Never;
    /// Executions that a step waited for did not end in time.
    ChildTimeout = "child_timeout", Retries::Never;
    /// A step is to start more executions than it may.
    TooManyStarts = "too_many_starts", Retries::Never;
    /// What starting an execution needs cannot be read.
    StartFailed = "start_failed", Retries::InTurn;
    /// Storage or a queue failed while executions were started.
    StartInterrupted = "start_interrupted", Retries::InTurn;

    /// A step is to control more executions than it may.
    TooManyControls = "too_many_controls", Retries::Never;
    /// Storage or a queue failed while executions were controlled.
    ControlInterrupted = "control_interrupted", Retries::InTurn;

    /// As many signals of the name and key are kept as may be.
    TooManySignals = "too_many_signals", Retries::Policy(FailureClass::Throttled);
    /// The payload of a signal is larger than the bound.
    SignalTooLarge = "signal_too_large", Retries::Never;
    /// The step that waits for a signal refuses it.
    SignalRefused = "signal_refused", Retries::Never;
    /// Storage or a queue failed while a signal was sent.
    SignalInterrupted = "signal_interrupted", Retries::InTurn;

    /// Another version of Pawl stored a code that this one does not know.
    UnknownCode = "unknown_code", Retries::Never;
}

impl StepCode {
    /// The class of all its failures, if they have one.
    pub fn class(self) -> Option<FailureClass> {
        match self.retries() {
            Retries::Policy(class) => Some(class),
            Retries::AtOnce | Retries::InTurn => Some(FailureClass::Throttled),
            Retries::Never | Retries::ByOccurrence => None,
        }
    }
}

impl From<&ExpressionError> for StepCode {
    fn from(error: &ExpressionError) -> Self {
        Self::of(error.code())
    }
}

impl Display for StepCode {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq<str> for StepCode {
    fn eq(&self, word: &str) -> bool {
        self.as_str() == word
    }
}

impl PartialEq<&str> for StepCode {
    fn eq(&self, word: &&str) -> bool {
        self.as_str() == *word
    }
}

impl Serialize for StepCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for StepCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Ok(Self::of(&word))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_code_is_stored_as_its_word_and_read_again() {
        for code in StepCode::ALL {
            assert_eq!(json!(code), json!(code.as_str()));
            assert_eq!(serde_json::from_value::<StepCode>(json!(code)).expect("it is a word"), *code);
        }
    }

    #[test]
    fn a_word_of_another_version_is_an_unknown_code() {
        assert_eq!(serde_json::from_value::<StepCode>(json!("of_2031")).expect("it is a word"), StepCode::UnknownCode);
    }
}
