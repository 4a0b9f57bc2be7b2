//! Style, scripts and the icon: part of the program, never fetched from elsewhere.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

use super::asked::NamedPart;
use super::respond::NoPage;

/// The names that they are served under. Changed content needs a new name, since browsers cache them: the test below
/// fails until it has one.
pub(super) const STYLE: &str = "cc-ci-5.css";
pub(super) const LIVE: &str = "live-2.js";
pub(super) const LOG: &str = "log-2.js";
pub(super) const ICON: &str = "icon.svg";

#[derive(Debug, Clone, Copy)]
pub(super) struct Asset {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) text: &'static str,
}

pub(super) const ALL: [Asset; 4] = [
    Asset {
        name: STYLE,
        kind: "text/css; charset=utf-8",
        text: concat!(include_str!("../../report/templates/report.css"), include_str!("../templates/pages/page.css")),
    },
    Asset { name: LIVE, kind: "text/javascript; charset=utf-8", text: include_str!("../templates/pages/live.js") },
    Asset { name: LOG, kind: "text/javascript; charset=utf-8", text: include_str!("../templates/pages/log.js") },
    Asset { name: ICON, kind: "image/svg+xml", text: include_str!("../templates/pages/icon.svg") },
];

pub(super) async fn asset(NamedPart(name): NamedPart<String>) -> Result<Response, NoPage> {
    let asset = ALL.iter().find(|asset| asset.name == name).ok_or(NoPage::Missing("file"))?;
    let kept = HeaderValue::from_static("public, max-age=31536000, immutable");
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(asset.kind)), (header::CACHE_CONTROL, kept)];
    Ok((headers, asset.text).into_response())
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use sha2::{Digest as _, Sha256};

    use super::*;

    /// The checksum of each name's content. A changed file gets a new name and a new sum.
    const SUMS: [(&str, &str); 3] =
        [(STYLE, "b8806fc03f16cb0d"), (LIVE, "f1c94110e587e67a"), (LOG, "fa2c5ff944e69b7f")];

    #[test]
    fn a_file_that_changes_gets_another_name() {
        for (name, known) in SUMS {
            let asset = ALL.iter().find(|asset| asset.name == name).unwrap();
            let sum = Sha256::digest(asset.text).iter().take(8).fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            });
            assert_eq!(sum, known, "{name} is another file now: browsers keep the old one under this name");
        }
    }
}
