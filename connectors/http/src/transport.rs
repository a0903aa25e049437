//! Who carries a question to a host. Two verbs, both of which only read.

use std::{future::Future, pin::Pin};

use zeroize::Zeroizing;

/// What a host answered.
#[derive(Debug, Clone, Default)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The body, wiped after it was read.
    pub body: Zeroizing<Vec<u8>>,
}

impl Response {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Why no answer came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Nobody answers there, or not with a certificate that is trusted.
    Connect(String),
    /// The answer broke off, or did not come in time.
    Broken(String),
    /// The answer is larger than this many bytes.
    TooLarge(u64),
    /// What would authenticate us was refused.
    Login(String),
    /// The recording has no such call.
    NotRecorded,
    /// What was recorded is that it failed, and how.
    Recorded(String, String),
}

/// An answer on its way.
pub type Sent<'a> = Pin<Box<dyn Future<Output = Result<Response, Fault>> + Send + 'a>>;

/// Carries questions to one host, with what authenticates us. It neither retries nor follows.
pub trait Transport: Send + Sync {
    /// Asks for an address; with an ETag, only for what changed since.
    fn get<'a>(&'a self, url: &'a str, etag: Option<&'a str>) -> Sent<'a>;

    /// Sends a query (GraphQL) as JSON.
    fn query<'a>(&'a self, url: &'a str, body: &'a str) -> Sent<'a>;

    /// Whether answers come from a recording: then nothing has to wait.
    fn is_recording(&self) -> bool {
        false
    }
}
