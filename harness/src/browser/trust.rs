use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};

use super::process::end;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// Makes Chromium trust the certificates of a PEM file, and no more than that: they go into the NSS
/// database of its own home. Names, dates and signatures are still checked, which the switches that
/// ignore errors would not do.
pub(super) async fn trust(certutil: &Path, home: &Path, ca_pem: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(ca_pem).map_err(|error| format!("the CA {}: {error}", ca_pem.display()))?;
    let certificates = certificates(&text);
    if certificates.is_empty() {
        return Err(format!("the CA {} holds no certificate in PEM", ca_pem.display()));
    }
    let database = home.join(".pki/nssdb");
    let folder = home.join("ca");
    let disk = |error: std::io::Error| format!("no trust database in {}: {error}", home.display());
    std::fs::create_dir_all(&database).map_err(disk)?;
    std::fs::create_dir_all(&folder).map_err(disk)?;
    // Relative names: a batch is split at spaces, and a folder's name may have some.
    let mut batch = String::new();
    for (n, certificate) in certificates.iter().enumerate() {
        std::fs::write(folder.join(format!("{n}.pem")), certificate).map_err(disk)?;
        batch += &format!("-A -t C,, -n ca-{n} -i ca/{n}.pem\n");
    }
    std::fs::write(folder.join("batch"), batch).map_err(disk)?;
    run(certutil, home, &["-N", "--empty-password"]).await?;
    run(certutil, home, &["-B", "-i", "ca/batch"]).await
}

async fn run(certutil: &Path, home: &Path, args: &[&str]) -> Result<(), String> {
    let mut command = Command::new(certutil);
    command.args(["-d", "sql:.pki/nssdb"]).args(args).current_dir(home).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let failed = |error: std::io::Error| format!("certutil cannot be started: {error}");
    let mut certutil = Certutil(command.spawn().map_err(failed)?);
    let mut said = String::new();
    if let Some(mut stderr) = certutil.0.stderr.take() {
        stderr.read_to_string(&mut said).await.map_err(failed)?;
    }
    if certutil.0.wait().await.map_err(failed)?.success() {
        return Ok(());
    }
    Err(format!("certutil {} failed: {}", args[0], said.lines().next().unwrap_or("it said nothing")))
}

/// Given up half way, it is gone before its folder is.
struct Certutil(Child);

impl Drop for Certutil {
    fn drop(&mut self) {
        end(&mut self.0);
    }
}

/// The certificates of a PEM file; what stands between them is left out.
fn certificates(text: &str) -> Vec<&str> {
    text.split_inclusive(END)
        .filter_map(|part| part.find(BEGIN).map(|at| &part[at..]))
        .filter(|part| part.ends_with(END))
        .collect()
}

/// A program on a search path.
pub(super) fn find(name: &str, path: &std::ffi::OsStr) -> Option<PathBuf> {
    std::env::split_paths(path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_certificate_of_a_file_is_taken_and_nothing_else() {
        let one = format!("{BEGIN}\nAA\n{END}");
        let two = format!("{BEGIN}\nBB\n{END}");
        let text =
            format!("# first\n{one}\n-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n{two}\n{BEGIN}\n");
        assert_eq!(certificates(&text), [one, two]);
        assert_eq!(certificates(""), Vec::<&str>::new());
    }
}
