//! The local world's certificate authority, created once, and the certificate of the base domain.

use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use base::failure::{Failure, Kind};
use base::names::Domain;

use crate::certificate::issue;

/// A certificate's lifetime, and how long before its end it is renewed.
const LASTS: Duration = Duration::from_secs(365 * 24 * 3600);
const EARLY: Duration = Duration::from_secs(30 * 24 * 3600);

/// The folder of a base domain's certificates.
pub(super) fn folder(state: &Path, base: &Domain) -> PathBuf {
    state.join("world").join(base.as_str())
}

/// Creates the authority and the certificate if they are missing or expire soon. Returns whether it did.
pub(super) fn ensure(state: &Path, base: &Domain) -> Result<bool, Failure> {
    let dir = folder(state, base);
    let made = std::fs::metadata(dir.join("cert.pem")).and_then(|meta| meta.modified());
    let age = made.ok().and_then(|made| SystemTime::now().duration_since(made).ok());
    if age.is_some_and(|age| age < LASTS - EARLY) {
        return Ok(false);
    }
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&dir)
        .map_err(|error| Failure::disk("make", &dir, &error))?;
    let files =
        make(base).map_err(|error| Failure::new(Kind::Bug, format!("no certificate can be created: {error}"), ""))?;
    // The certificate is written last: its presence means that all files are complete.
    for (name, text, mode) in files {
        write(&dir.join(name), &text, mode)?;
    }
    Ok(true)
}

fn make(base: &Domain) -> Result<[(&'static str, String, u32); 3], rcgen::Error> {
    let names = [base.to_string(), format!("*.{base}")];
    let issued = issue(&format!("cc-ci local CA of {base}"), &names, LASTS)?;
    Ok([("ca.pem", issued.authority, 0o644), ("key.pem", issued.key, 0o600), ("cert.pem", issued.certificate, 0o644)])
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    let _ = std::fs::remove_file(path);
    let file = std::fs::OpenOptions::new().create_new(true).write(true).mode(mode).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| Failure::disk("write", path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn it_is_made_once_and_its_key_is_private() {
        let state = tempfile::tempdir().unwrap();
        let base: Domain = "ci.localhost".parse().unwrap();
        assert!(ensure(state.path(), &base).unwrap());
        let cert = std::fs::read(folder(state.path(), &base).join("cert.pem")).unwrap();
        assert!(!ensure(state.path(), &base).unwrap());
        assert_eq!(cert, std::fs::read(folder(state.path(), &base).join("cert.pem")).unwrap());
        let mode = std::fs::metadata(folder(state.path(), &base).join("key.pem")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
