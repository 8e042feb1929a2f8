//! Every code that the API answers with: the one table of errors.

use http::StatusCode;

/// Defines [`Code`] and its table from one line a code.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $status:ident, $title:literal;)*) => {
        /// What can be wrong with a request. The words are stable; each has a page in `docs/errors`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its word. Stored and documented, do not rename.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Its HTTP status.
            pub fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// The same for every occurrence, for people.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// The code of a word.
            pub fn of(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$name),)* _ => None }
            }
        }
    };
}

codes! {
    /// No route has this path.
    UnknownRoute = "unknown_route", NOT_FOUND, "No such address";
    /// The route, or the trigger, does not answer this method.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "Method not allowed";
    /// A part of the path cannot be read.
    BadPath = "bad_path", BAD_REQUEST, "Unreadable path";
    /// A query parameter is unknown or has a wrong value.
    BadQuery = "bad_query", BAD_REQUEST, "Unreadable query";
    /// A cursor that was not handed out for this listing.
    BadCursor = "bad_cursor", BAD_REQUEST, "Unknown cursor";
    /// A header has a wrong value.
    BadHeader = "bad_header", BAD_REQUEST, "Unreadable header";

    /// No valid credentials.
    Unauthorized = "unauthorized", UNAUTHORIZED, "Not signed in";
    /// The role is too small.
    Forbidden = "forbidden", FORBIDDEN, "Not allowed";
    /// The request comes from a page of another site, or under another name than loopback.
    ForeignOrigin = "foreign_origin", FORBIDDEN, "Foreign origin";

    /// No workflow has this id.
    NoWorkflow = "no_workflow", NOT_FOUND, "No such workflow";
    /// The workflow has no such revision.
    NoRevision = "no_revision", NOT_FOUND, "No such revision";
    /// Others saved the workflow since it was read.
    StaleRevision = "stale_revision", PRECONDITION_FAILED, "Stale revision";
    /// The workflow has mistakes.
    InvalidWorkflow = "invalid_workflow", UNPROCESSABLE_ENTITY, "Invalid workflow";
    /// The object has mistakes.
    InvalidObject = "invalid_object", UNPROCESSABLE_ENTITY, "Invalid object";
    /// The group, calendar or other definition has mistakes.
    InvalidDefinition = "invalid_definition", UNPROCESSABLE_ENTITY, "Invalid definition";
    /// A workflow or another definition needs the definition.
    DefinitionInUse = "definition_in_use", CONFLICT, "In use";
    /// The path and the body name different things.
    IdMismatch = "id_mismatch", UNPROCESSABLE_ENTITY, "Ids differ";

    /// A workflow with an object is started without a record.
    RecordRequired = "record_required", UNPROCESSABLE_ENTITY, "Record required";
    /// A workflow is started on a record that it cannot run on.
    RecordNotExpected = "record_not_expected", UNPROCESSABLE_ENTITY, "Record not expected";
    /// A start names a variable that the workflow does not have.
    UnknownVariable = "unknown_variable", UNPROCESSABLE_ENTITY, "Unknown variable";
    /// A value could not be evaluated or has the wrong type.
    ValueFailed = "value_failed", UNPROCESSABLE_ENTITY, "Unusable value";

    /// No execution has this id.
    NoExecution = "no_execution", NOT_FOUND, "No such execution";
    /// No operation has this id.
    NoOperation = "no_operation", NOT_FOUND, "No such operation";
    /// A filter of an action has no key.
    EmptyFilter = "empty_filter", UNPROCESSABLE_ENTITY, "Empty filter";
    /// The control does not fit the state of the execution or of the action.
    IllegalTransition = "illegal_transition", CONFLICT, "Illegal transition";

    /// The execution cannot be forked, or not before this step.
    NotForkable = "not_forkable", CONFLICT, "Not forkable";
    /// No refusal has this id.
    NoRefusal = "no_refusal", NOT_FOUND, "No such refusal";
    /// The event of the refusal is not kept.
    NotReplayable = "not_replayable", CONFLICT, "Not replayable";
    /// The workflow has no step with this id.
    UnknownStep = "unknown_step", UNPROCESSABLE_ENTITY, "Unknown step";

    /// It is no event.
    InvalidEvent = "invalid_event", UNPROCESSABLE_ENTITY, "Invalid event";
    /// The text is no name or no key of a signal.
    InvalidSignal = "invalid_signal", UNPROCESSABLE_ENTITY, "Invalid signal";
    /// The step that waits for the signal refuses its payload.
    SignalRefused = "signal_refused", UNPROCESSABLE_ENTITY, "Signal refused";
    /// The payload is larger than a signal's may be.
    SignalTooLarge = "signal_too_large", PAYLOAD_TOO_LARGE, "Signal too large";
    /// As many signals of the name and key are kept as may be.
    TooManySignals = "too_many_signals", TOO_MANY_REQUESTS, "Too many signals kept";

    /// No object has this id.
    NoObject = "no_object", NOT_FOUND, "No such object";
    /// No group, calendar or other definition has this id.
    NoDefinition = "no_definition", NOT_FOUND, "No such definition";
    /// No record has this id, or none matches.
    NoRecord = "no_record", NOT_FOUND, "No such record";
    /// No activity has this id.
    NoActivity = "no_activity", NOT_FOUND, "No such activity";
    /// The values do not fit the type of the activity.
    InvalidActivity = "invalid_activity", UNPROCESSABLE_ENTITY, "Invalid activity";
    /// The activity has ended otherwise.
    ActivityEnded = "activity_ended", CONFLICT, "Activity has ended";
    /// The id of the activity is taken.
    DuplicateActivity = "duplicate_activity", CONFLICT, "Duplicate activity";
    /// The fields do not fit the object.
    InvalidRecord = "invalid_record", UNPROCESSABLE_ENTITY, "Invalid record";
    /// The id, or a unique value, is taken.
    DuplicateRecord = "duplicate_record", CONFLICT, "Duplicate record";
    /// The record was forgotten, and takes no values and no events.
    RecordForgotten = "record_forgotten", GONE, "Record forgotten";
    /// A delivery would make a record beside one in the archive.
    RecordArchived = "record_archived", CONFLICT, "Record in the archive";
    /// Executions on the record are open.
    RecordInUse = "record_in_use", CONFLICT, "Record in use";
    /// Others wrote the record since it was read.
    StaleRecord = "stale_record", PRECONDITION_FAILED, "Stale record";
    /// A filter or order does not fit the object.
    BadFilter = "bad_filter", UNPROCESSABLE_ENTITY, "Unusable filter";

    /// No active or inactive workflow has this webhook.
    UnknownHook = "unknown_hook", NOT_FOUND, "No such webhook";
    /// The workflow, or this trigger of it, does not listen.
    Inactive = "inactive", CONFLICT, "Inactive workflow";
    /// An `Idempotency-Key` was used before, for another request.
    IdempotencyKeyReused = "idempotency_key_reused", CONFLICT, "Key used for another request";
    /// Several records match a delivery.
    AmbiguousRecord = "ambiguous_record", CONFLICT, "Ambiguous record";
    /// The value by which the record is found is blank.
    BlankMatch = "blank_match", UNPROCESSABLE_ENTITY, "Blank match value";

    /// No signature was sent.
    SignatureMissing = "signature_missing", UNAUTHORIZED, "Signature missing";
    /// The signature has another form.
    SignatureMalformed = "signature_malformed", UNAUTHORIZED, "Signature malformed";
    /// The signature is another one.
    SignatureMismatch = "signature_mismatch", UNAUTHORIZED, "Signature mismatch";
    /// The signature is too old, or from the future.
    SignatureExpired = "signature_expired", UNAUTHORIZED, "Signature expired";
    /// The time of sending was not sent.
    TimestampMissing = "timestamp_missing", UNAUTHORIZED, "Timestamp missing";
    /// The time of sending has another form.
    TimestampMalformed = "timestamp_malformed", UNAUTHORIZED, "Timestamp malformed";
    /// No token was sent.
    TokenMissing = "token_missing", UNAUTHORIZED, "Token missing";
    /// The token is another one.
    TokenMismatch = "token_mismatch", UNAUTHORIZED, "Token mismatch";
    /// No user name and password were sent.
    CredentialsMissing = "credentials_missing", UNAUTHORIZED, "Credentials missing";
    /// The user name or the password is another one.
    CredentialsMismatch = "credentials_mismatch", UNAUTHORIZED, "Credentials mismatch";
    /// None of the secrets that a webhook names has a value.
    SecretMissing = "secret_missing", SERVICE_UNAVAILABLE, "Webhook not ready";
    /// A secret that a webhook names cannot be a key of its kind.
    SecretMalformed = "secret_malformed", SERVICE_UNAVAILABLE, "Webhook not ready";

    /// The body is longer than the limit.
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE, "Body too large";
    /// The body is not what its type says, or not of the shape expected.
    BodyMalformed = "body_malformed", UNPROCESSABLE_ENTITY, "Unreadable body";
    /// A value nests too deeply.
    ValueTooDeep = "value_too_deep", UNPROCESSABLE_ENTITY, "Value too deep";
    /// There is too much in a value.
    ValueTooLarge = "value_too_large", UNPROCESSABLE_ENTITY, "Value too large";
    /// A whole number needs more than 64 bits.
    NumberOutOfRange = "number_out_of_range", UNPROCESSABLE_ENTITY, "Number out of range";
    /// The body broke off.
    BodyIncomplete = "body_incomplete", BAD_REQUEST, "Incomplete body";
    /// The body is compressed.
    ContentEncodingUnsupported = "content_encoding_unsupported", UNSUPPORTED_MEDIA_TYPE, "Content encoding not supported";
    /// The body has no type.
    ContentTypeMissing = "content_type_missing", UNSUPPORTED_MEDIA_TYPE, "Content type missing";
    /// The body has a type that is not read.
    ContentTypeUnsupported = "content_type_unsupported", UNSUPPORTED_MEDIA_TYPE, "Content type not supported";
    /// The text is not in UTF-8.
    CharsetUnsupported = "charset_unsupported", UNSUPPORTED_MEDIA_TYPE, "Charset not supported";

    /// The head or the body of the request came too slowly.
    RequestTimeout = "request_timeout", REQUEST_TIMEOUT, "Request too slow";

    /// So much work waits that no more is taken in for now.
    BacklogFull = "backlog_full", TOO_MANY_REQUESTS, "Backlog full";
    /// Storage asks to come back later.
    Throttled = "throttled", SERVICE_UNAVAILABLE, "Throttled";
    /// Others changed the same thing again and again.
    Contended = "contended", SERVICE_UNAVAILABLE, "Contended";
    /// Storage, queue or secrets cannot be reached.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "Unavailable";
    /// The answer of storage was lost: the change may have happened or not.
    OutcomeUnknown = "outcome_unknown", SERVICE_UNAVAILABLE, "Outcome unknown";
    /// A stored item that the request needs cannot be read.
    UnreadableItem = "unreadable_item", INTERNAL_SERVER_ERROR, "Unreadable item";
    /// A fault of the server.
    Internal = "internal", INTERNAL_SERVER_ERROR, "Internal error";
}

impl Code {
    /// Seconds after which the same request may succeed; `None` if it will not by itself.
    pub fn retry_after_s(self) -> Option<u64> {
        match self {
            Self::Throttled | Self::Contended => Some(1),
            Self::OutcomeUnknown => Some(2),
            Self::Unavailable | Self::BacklogFull => Some(5),
            // An operator must set a secret first, or an execution receive one of the signals.
            Self::SecretMissing | Self::SecretMalformed | Self::TooManySignals => Some(60),
            _ => None,
        }
    }
}
