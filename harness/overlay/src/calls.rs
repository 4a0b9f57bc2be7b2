//! The requests and answers of a Hurl file that has run.

use base::exchange::{Exchange, Exchanges, Side};
use base::redact::Redactor;
use hurl::http::{Call, HeaderVec};
use hurl::runner::{EntryResult, HurlResult, RunnerErrorKind};

use super::names_a_secret;

/// What was asked and answered, without the secrets that only Hurl knows: those that the file captured.
pub(super) fn exchanges(ran: &HurlResult) -> Exchanges {
    let redactor = Redactor::new();
    ran.variables.secrets().iter().for_each(|secret| {
        redactor.add(secret);
    });
    let captures = ran.entries.iter().flat_map(|entry| &entry.captures);
    for capture in captures.filter(|capture| names_a_secret(&capture.name)) {
        redactor.add(&capture.value.to_string());
    }
    let mut exchanges = Exchanges::default();
    for entry in &ran.entries {
        entry.calls.iter().for_each(|call| exchanges.push(exchange(call)));
        if let Some(failed) = failed(entry) {
            exchanges.push(failed);
        }
    }
    exchanges.cleaned(&redactor)
}

fn exchange(call: &Call) -> Exchange {
    let (request, response) = (&call.request, &call.response);
    let asked = Side::taken(headers(&request.headers), &request.body, 0);
    let answer = Side::taken(headers(&response.headers), &response.body, 0);
    let status = u16::try_from(response.status).unwrap_or_default();
    Exchange::taken(&request.method, &request.url.raw(), asked, response.duration).answered(status, answer)
}

/// A request that was never answered has no call, but an error.
fn failed(entry: &EntryResult) -> Option<Exchange> {
    let why = entry.errors.iter().find_map(|error| match &error.kind {
        RunnerErrorKind::Http(error) => Some(error.message()),
        _ => None,
    })?;
    // The command that Hurl would have curl run names what was asked, and nothing else does.
    let command = entry.curl_cmd.to_string();
    let url = command.split('\'').rfind(|word| word.starts_with("http"))?.to_owned();
    let url = url.split('\'').next().unwrap_or_default();
    let method = command.split_once("--request ").and_then(|(_, rest)| rest.split(' ').next()).unwrap_or("GET");
    Some(Exchange::taken(method, url, Side::default(), entry.transfer_duration).failed(&why))
}

fn headers(headers: &HeaderVec) -> impl Iterator<Item = (&str, &str)> {
    headers.iter().map(|header| (header.name.as_str(), header.value.as_str()))
}
