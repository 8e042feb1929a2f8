//! Outside HTTP services as a story scripts them.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use jiff::SignedDuration;
use pawl_runtime::outgoing::{MAX_REDIRECTS, Outgoing, SET_COOKIE, origin};
use pawl_runtime::ports::{Http, HttpAnswer, HttpError, HttpRequest};
use serde_json::Value;

use crate::VirtualClock;

/// What an outside service does with one call.
pub struct Reply {
    outcome: Outcome,
    takes: SignedDuration,
    meanwhile: Option<Box<dyn FnOnce() + Send>>,
}

enum Outcome {
    Answer(HttpAnswer),
    Error(HttpError),
    Dies,
}

/// Answers with a status and no body.
pub fn answer(status: u16) -> Reply {
    let headers = std::collections::BTreeMap::new();
    Reply::of(Outcome::Answer(HttpAnswer { status, headers, cookies: Vec::new(), body: Value::Null }))
}

/// Does not answer in time.
pub fn timeout() -> Reply {
    Reply::of(Outcome::Error(HttpError::Timeout("the service did not answer in time".to_owned())))
}

/// Cannot be reached.
pub fn network_error() -> Reply {
    Reply::of(Outcome::Error(HttpError::Network("the service could not be reached".to_owned())))
}

/// Stands at an address that must not be called.
pub fn refused_address() -> Reply {
    Reply::of(Outcome::Error(HttpError::Refused("the address is private".to_owned())))
}

/// The process of Pawl ends in the middle of the call.
pub fn dies() -> Reply {
    Reply::of(Outcome::Dies)
}

impl Reply {
    fn of(outcome: Outcome) -> Self {
        Self { outcome, takes: SignedDuration::ZERO, meanwhile: None }
    }

    /// Fails with an error of the port.
    pub fn error(error: HttpError) -> Self {
        Self::of(Outcome::Error(error))
    }

    /// With this JSON body; text stays text.
    #[must_use]
    pub fn body(mut self, body: impl Into<Value>) -> Self {
        if let Outcome::Answer(answer) = &mut self.outcome {
            answer.body = body.into();
        }
        self
    }

    /// With a header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Outcome::Answer(answer) = &mut self.outcome {
            let name = name.to_lowercase();
            if name == SET_COOKIE {
                answer.cookies.push(value.to_owned());
            } else {
                answer.headers.insert(name, value.to_owned());
            }
        }
        self
    }

    /// Comes after this many seconds; if the caller does not wait so long, it gets a time-out.
    #[must_use]
    pub fn after_s(mut self, seconds: i64) -> Self {
        self.takes = SignedDuration::from_secs(seconds);
        self
    }

    /// While the call is under way, this happens.
    #[must_use]
    pub fn meanwhile(mut self, happens: impl FnOnce() + Send + 'static) -> Self {
        self.meanwhile = Some(Box::new(happens));
        self
    }
}

/// Gives the reply to a call, or says of a call that it does not know what is near to it.
type Script = Box<dyn FnMut(&HttpRequest) -> Result<Reply, String> + Send>;

/// The HTTP port as a script.
pub struct ScriptedHttp {
    clock: VirtualClock,
    script: Mutex<Script>,
    calls: Mutex<Vec<HttpRequest>>,
    unanswered: Mutex<Vec<String>>,
}

impl ScriptedHttp {
    pub(super) fn new(clock: VirtualClock) -> Self {
        let nothing: Script = Box::new(|_| Err(String::new()));
        Self { clock, script: Mutex::new(nothing), calls: Mutex::default(), unanswered: Mutex::default() }
    }

    /// Replaces the script. A call that it does not know is noted, and refused for good.
    pub fn script(&self, mut script: impl FnMut(&HttpRequest) -> Option<Reply> + Send + 'static) {
        self.script_or_hint(move |request| script(request).ok_or_else(String::new));
    }

    /// The same, with a script that says what is near to a call that it does not know.
    pub fn script_or_hint(&self, script: impl FnMut(&HttpRequest) -> Result<Reply, String> + Send + 'static) {
        *self.script.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(script);
    }

    /// The calls that were made, oldest first, with secrets in their places.
    pub fn calls(&self) -> Vec<HttpRequest> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Calls that the script did not know, as `METHOD URL`.
    pub fn unanswered(&self) -> Vec<String> {
        self.unanswered.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn reply(&self, request: &HttpRequest) -> Reply {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        let reply = (self.script.lock().unwrap_or_else(PoisonError::into_inner))(request);
        reply.unwrap_or_else(|hint| {
            let call = format!("{} {}{hint}", request.method, request.url);
            self.unanswered.lock().unwrap_or_else(PoisonError::into_inner).push(call.clone());
            Reply::error(HttpError::Invalid(format!("no answer is scripted for {call}")))
        })
    }
}

#[async_trait]
impl Http for ScriptedHttp {
    /// Prepares the call and follows redirects as a real one does.
    async fn send(&self, request: HttpRequest) -> Result<HttpAnswer, HttpError> {
        let timeout = request.timeout;
        let mut outgoing = Outgoing::first(request)?;
        let first = origin(&outgoing.url);
        for _ in 0..=MAX_REDIRECTS {
            let answer = self.once(&outgoing.request(timeout)).await?;
            let location = answer.headers.get("location").map(String::as_bytes);
            match outgoing.after(answer.status, location)? {
                Some(next) => outgoing = next,
                None => return Ok(answer),
            }
        }
        Err(HttpError::Refused(format!("{first} redirected more than {MAX_REDIRECTS} times")))
    }
}

impl ScriptedHttp {
    async fn once(&self, request: &HttpRequest) -> Result<HttpAnswer, HttpError> {
        let Reply { outcome, takes, meanwhile } = self.reply(request);
        if let Some(happens) = meanwhile {
            happens();
        }
        self.clock.advance(takes.min(request.timeout));
        if takes > request.timeout {
            return Err(HttpError::Timeout(format!("no answer within {:#}", request.timeout)));
        }
        match outcome {
            Outcome::Answer(answer) => Ok(answer),
            Outcome::Error(error) => Err(error),
            Outcome::Dies => std::future::pending().await,
        }
    }
}
