//! Requests to an app, as assertions with a deadline.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Kind};

/// How requests leave.
#[derive(Debug, Clone, Default)]
pub struct HttpConfig {
    /// A certificate authority to trust beside the public ones, in PEM.
    pub ca_pem: Option<Vec<u8>>,
    /// Names at or below this base domain have this address, whatever the DNS says.
    pub resolve: Option<(String, IpAddr)>,
    /// Below that base domain, a request to the first port goes to the second; its `Host` stays.
    pub ports: Vec<(u16, u16)>,
}

/// A client that keeps its connections. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
}

/// What an answer must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expect {
    /// The address to get.
    pub url: String,
    /// The statuses that are right.
    pub statuses: Vec<u16>,
    /// A text that the body must hold.
    pub contains: Option<String>,
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case, in their order.
    pub headers: Vec<(String, String)>,
    /// The first 64 KiB of the body.
    pub body: String,
    /// From the first try to this answer.
    pub took: Duration,
    /// How many requests it took.
    pub tries: u32,
}

impl Http {
    /// A client.
    ///
    /// # Errors
    /// The certificate authority cannot be read.
    pub fn new(config: &HttpConfig) -> Result<Self, Failure> {
        let _ = config;
        Ok(Self { client: reqwest::Client::new() })
    }

    /// Asks again and again until the answer is as expected.
    ///
    /// # Errors
    /// [`Kind::NoAnswer`] at the deadline, with the last answer.
    pub async fn answers(
        &self,
        expect: &Expect,
        deadline: Instant,
        on_progress: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Answer, Failure> {
        let _ = (expect, deadline, on_progress, &self.client);
        Err(Failure::new(Kind::Bug, "not written yet", ""))
    }

    /// Asks once.
    ///
    /// # Errors
    /// [`Kind::NoAnswer`] when no answer comes before the deadline.
    pub async fn get(&self, url: &str, deadline: Instant) -> Result<Answer, Failure> {
        let _ = (url, deadline);
        Err(Failure::new(Kind::Bug, "not written yet", ""))
    }
}
