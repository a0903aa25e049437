//! Who one is at GitHub: a token, or an app that is installed there.
//!
//! octocrab carries the calls: it adds the header for its own host only, and its service is
//! what an app's token is asked through. Its own signing of app tokens needs aws-lc (a C build)
//! or the `rsa` crate (RUSTSEC-2023-0071), so that one signature is made with ring.

use std::{
    error::Error as _,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use http_body_util::BodyExt as _;
use keymuster_http::{Fault, NetworkError, Response, Sent, Transport, read_limit};
use octocrab::Octocrab;
use ring::{rand::SystemRandom, signature};
use serde::Deserialize;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

/// The version of the interface that is spoken.
const VERSION: &str = "2022-11-28";
/// A token is renewed so long before it ends.
const EARLY: Duration = Duration::from_secs(300);

/// What authenticates one.
#[derive(Clone)]
pub enum Login {
    /// A personal access token, or an installation's token that somebody else renews.
    Token(Zeroizing<String>),
    /// A GitHub App.
    App {
        /// Its id, or its client id.
        id: String,
        /// The number of its installation in the organisation.
        installation: u64,
        /// Its private key, PEM.
        key: Zeroizing<String>,
    },
}

/// Constant, whatever it holds.
impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Login(…)")
    }
}

impl Login {
    /// The bytes by which two logins are known to be the same.
    pub(crate) fn secret(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(match self {
            Login::Token(token) => token.as_bytes().to_vec(),
            Login::App {
                id,
                installation,
                key,
            } => format!("{id}\0{installation}\0{}", key.as_str()).into_bytes(),
        })
    }
}

/// Calls through octocrab.
pub(crate) struct Octo {
    origin: String,
    api: String,
    client: reqwest::Client,
    login: Login,
    current: Mutex<Option<Current>>,
}

#[derive(Clone)]
struct Current {
    crab: Octocrab,
    token: Zeroizing<String>,
    until: Option<SystemTime>,
}

/// What GitHub answers to an app that asks for a token.
#[derive(Deserialize)]
struct Minted {
    token: String,
    #[serde(default)]
    expires_at: Option<String>,
}

impl Octo {
    /// `origin` is scheme, host and port; `api` the base address with its path.
    pub(crate) fn new(origin: String, api: String, login: Login) -> Result<Octo, NetworkError> {
        Ok(Octo {
            origin,
            api: api.trim_end_matches('/').to_owned(),
            client: keymuster_http::client()?,
            login,
            current: Mutex::new(None),
        })
    }

    fn crab(&self, token: &str) -> Result<Octocrab, Fault> {
        let login =
            |_| Fault::Login("the token cannot be sent; is there a line break in it?".to_owned());
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(login(()));
        }
        Octocrab::builder()
            .base_uri(self.origin.as_str())
            .map_err(|_| Fault::Connect("the base address is none".to_owned()))?
            .personal_token(token)
            .add_header(
                reqwest::header::ACCEPT,
                "application/vnd.github+json, application/json;q=0.9".to_owned(),
            )
            .add_header(
                reqwest::header::HeaderName::from_static("x-github-api-version"),
                VERSION.to_owned(),
            )
            .add_header(
                reqwest::header::USER_AGENT,
                concat!("keymuster/", env!("CARGO_PKG_VERSION")).to_owned(),
            )
            .build_with_reqwest(self.client.clone())
            .map_err(|_| Fault::Connect("no connection can be set up".to_owned()))
    }

    /// Whoever is logged in; an app's token is renewed before it ends.
    async fn current(&self, renew: bool) -> Result<Current, Fault> {
        let mut current = self.current.lock().await;
        let is_over = |until: SystemTime| SystemTime::now() + EARLY >= until;
        let known = current
            .as_ref()
            .filter(|known| !renew && !known.until.is_some_and(is_over));
        if let Some(known) = known {
            return Ok(known.clone());
        }
        let (token, until) = match &self.login {
            Login::Token(token) => (token.clone(), None),
            Login::App {
                id,
                installation,
                key,
            } => self.mint(id, *installation, key).await?,
        };
        let new = Current {
            crab: self.crab(&token)?,
            token,
            until,
        };
        *current = Some(new.clone());
        Ok(new)
    }

    /// The token for git, which goes into the environment of a child and nowhere else.
    pub(crate) async fn token(&self) -> Result<Zeroizing<String>, Fault> {
        Ok(self.current(false).await?.token)
    }

    /// The one call that is no question: an app asks for its token, which ends in an hour.
    async fn mint(
        &self,
        id: &str,
        installation: u64,
        key: &str,
    ) -> Result<(Zeroizing<String>, Option<SystemTime>), Fault> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let bearer = sign(id, now.as_secs(), key)?;
        let crab = self.crab(&bearer)?;
        let url = format!(
            "{}/app/installations/{installation}/access_tokens",
            self.api
        );
        let answer = crab
            ._post(url.as_str(), None::<&()>)
            .await
            .map_err(|error| fault(&error))?;
        let answer = read(answer).await?;
        match answer.status {
            200..=299 => {}
            401 => {
                return Err(Fault::Login(
                    "the app's key is refused; is it the app's, is its id right, is the clock?"
                        .to_owned(),
                ));
            }
            404 => {
                return Err(Fault::Login(format!(
                    "the app has no installation {installation}; take the number from the address of its settings"
                )));
            }
            status => {
                return Err(Fault::Broken(format!(
                    "the app's token was asked for, and the host says {status}"
                )));
            }
        }
        let minted: Minted = serde_json::from_slice(&answer.body).map_err(|_| {
            Fault::Broken("the answer with the app's token cannot be read".to_owned())
        })?;
        let until = keymuster_http::time(minted.expires_at.as_deref());
        let until = until.and_then(|at| u64::try_from(at.as_second()).ok());
        Ok((
            Zeroizing::new(minted.token),
            until.map(|at| UNIX_EPOCH + Duration::from_secs(at)),
        ))
    }

    async fn send(
        &self,
        url: &str,
        etag: Option<&str>,
        body: Option<&str>,
    ) -> Result<Response, Fault> {
        let mut renewed = false;
        loop {
            let current = self.current(renewed).await?;
            let crab = &current.crab;
            let sent = match body {
                None => {
                    let headers = etag.and_then(|etag| {
                        let value = reqwest::header::HeaderValue::from_str(etag).ok()?;
                        let name = reqwest::header::IF_NONE_MATCH;
                        Some(reqwest::header::HeaderMap::from_iter([(name, value)]))
                    });
                    crab._get_with_headers(url, headers).await
                }
                Some(body) => {
                    let body: serde_json::Value = serde_json::from_str(body)
                        .map_err(|_| Fault::Broken("the query is no JSON".to_owned()))?;
                    crab._post(url, Some(&body)).await
                }
            };
            let answer = read(sent.map_err(|error| fault(&error))?).await?;
            let is_app = matches!(self.login, Login::App { .. });
            if answer.status == 401 && is_app && !renewed {
                renewed = true;
                continue;
            }
            return Ok(answer);
        }
    }
}

impl Transport for Octo {
    fn get<'a>(&'a self, url: &'a str, etag: Option<&'a str>) -> Sent<'a> {
        Box::pin(self.send(url, etag, None))
    }

    fn query<'a>(&'a self, url: &'a str, body: &'a str) -> Sent<'a> {
        Box::pin(self.send(url, None, Some(body)))
    }
}

type Body = http_body_util::combinators::BoxBody<bytes::Bytes, octocrab::Error>;

async fn read(answer: http::Response<Body>) -> Result<Response, Fault> {
    let (parts, mut body) = answer.into_parts();
    let headers = parts.headers.iter();
    let headers = headers
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
    let mut response = Response {
        status: parts.status.as_u16(),
        headers: headers.collect(),
        ..Response::default()
    };
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| fault(&error))?;
        if let Some(chunk) = frame.data_ref() {
            if (response.body.len() + chunk.len()) as u64 > read_limit() {
                return Err(Fault::TooLarge(read_limit()));
            }
            response.body.extend_from_slice(chunk);
        }
    }
    Ok(response)
}

/// What went wrong, without the address and without words that may hold the token.
fn fault(error: &octocrab::Error) -> Fault {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = error.source();
    while let Some(inner) = cause {
        if let Some(inner) = inner.downcast_ref::<reqwest::Error>() {
            if inner.is_connect() {
                return Fault::Connect("nobody answers".to_owned());
            }
            if inner.is_timeout() {
                return Fault::Broken("the answer did not come in time".to_owned());
            }
        }
        cause = inner.source();
    }
    Fault::Broken("the answer broke off".to_owned())
}

/// The token by which an app proves who it is (RFC 7519, RS256), good for nine minutes.
fn sign(id: &str, now: u64, key: &str) -> Result<Zeroizing<String>, Fault> {
    let none = || Fault::Login("the app's key is no RSA private key in PEM".to_owned());
    let body: String = key
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let der = Zeroizing::new(
        STANDARD
            .decode(Zeroizing::new(body).trim())
            .map_err(|_| none())?,
    );
    let pair = signature::RsaKeyPair::from_pkcs8(&der)
        .or_else(|_| signature::RsaKeyPair::from_der(&der))
        .map_err(|_| none())?;
    let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","typ":"JWT"}"#);
    // A minute back, because clocks differ.
    let claims = serde_json::json!({"iat": now.saturating_sub(60), "exp": now + 540, "iss": id});
    let text = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let mut sealed = vec![0; pair.public().modulus_len()];
    pair.sign(
        &signature::RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        text.as_bytes(),
        &mut sealed,
    )
    .map_err(|_| none())?;
    Ok(Zeroizing::new(format!(
        "{text}.{}",
        URL_SAFE_NO_PAD.encode(sealed)
    )))
}
