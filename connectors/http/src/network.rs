//! The network itself: reqwest over rustls with ring, no redirects, bounded bodies.

use std::time::Duration;

use thiserror::Error;
use url::{Host, Url};
use zeroize::Zeroizing;

use crate::{Fault, Response, Sent, Transport};

/// A page larger than this is no page.
const BODY_LIMIT: u64 = 64 << 20;
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(15);
/// How long nothing may arrive.
const SILENCE: Duration = Duration::from_secs(60);
/// How long an answer may take as a whole.
const WHOLE: Duration = Duration::from_secs(300);

/// Why there is no client.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NetworkError {
    /// The system's certificates or proxies cannot be used.
    #[error("cannot set up a connection: {0}")]
    Client(String),
    /// A header cannot be sent: a token with a line feed in it.
    #[error("the header {0} cannot be sent; is there a line break in the token?")]
    Header(String),
}

/// The largest body that is read, in bytes.
pub fn read_limit() -> u64 {
    BODY_LIMIT
}

/// Whether an address may be talked to: over TLS, or on this machine.
pub fn is_secure(url: &Url) -> bool {
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || url.scheme() == "http" && is_here
}

/// A client as every connector uses it: the system's certificates, proxies from the
/// environment, no redirects, no waiting for ever.
///
/// # Errors
/// When the system's certificates or proxies cannot be used.
pub fn client() -> Result<reqwest::Client, NetworkError> {
    // One TLS implementation in the whole program; whoever comes first installs it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .user_agent(concat!("keymuster/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .timeout(WHOLE)
        .build()
        .map_err(|error| NetworkError::Client(error.to_string()))
}

/// A host reached with fixed headers.
pub struct Network {
    client: reqwest::Client,
    headers: reqwest::header::HeaderMap,
}

impl Network {
    /// With these headers on every call; all of them are treated as secret.
    ///
    /// # Errors
    /// When there is no client, or a header cannot be sent.
    pub fn new(headers: &[(&'static str, &str)]) -> Result<Network, NetworkError> {
        let mut map = reqwest::header::HeaderMap::new();
        for (name, value) in headers {
            let mut value = reqwest::header::HeaderValue::from_str(value)
                .map_err(|_| NetworkError::Header((*name).to_owned()))?;
            value.set_sensitive(true);
            map.insert(*name, value);
        }
        Ok(Network {
            client: client()?,
            headers: map,
        })
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Response, Fault> {
        let mut answer = request
            .headers(self.headers.clone())
            .send()
            .await
            .map_err(|error| fault(&error))?;
        let status = answer.status().as_u16();
        let headers = answer
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect();
        let mut body = Zeroizing::new(Vec::new());
        while let Some(chunk) = answer.chunk().await.map_err(|error| fault(&error))? {
            if (body.len() + chunk.len()) as u64 > BODY_LIMIT {
                return Err(Fault::TooLarge(BODY_LIMIT));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response {
            status,
            headers,
            body,
        })
    }
}

/// What went wrong, without the address: it may hold what must not be told.
fn fault(error: &reqwest::Error) -> Fault {
    if error.is_connect() {
        Fault::Connect("nobody answers".to_owned())
    } else if error.is_timeout() {
        Fault::Broken("the answer did not come in time".to_owned())
    } else {
        Fault::Broken("the answer broke off".to_owned())
    }
}

impl Transport for Network {
    fn get<'a>(&'a self, url: &'a str, etag: Option<&'a str>) -> Sent<'a> {
        Box::pin(async move {
            let mut request = self.client.get(url);
            if let Some(etag) = etag {
                request = request.header("if-none-match", etag);
            }
            self.send(request).await
        })
    }

    fn query<'a>(&'a self, url: &'a str, body: &'a str) -> Sent<'a> {
        let request = self.client.post(url);
        let request = request.header("content-type", "application/json");
        Box::pin(self.send(request.body(body.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::is_secure;

    #[test]
    fn tokens_travel_over_tls_or_not_at_all() {
        let secure = |text: &str| is_secure(&text.parse().expect("an address"));
        assert!(secure("https://api.github.com/"));
        assert!(secure("http://127.0.0.1:8080/"));
        assert!(secure("http://[::1]:8080/"));
        assert!(!secure("http://ghe.acme.test/api/v3"));
        assert!(!secure("http://localhost.evil.test/"));
        assert!(!secure("ftp://localhost/"));
    }
}
