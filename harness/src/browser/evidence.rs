use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Browser;
use crate::driver_error::words;

/// How long one piece of evidence may take; a page that hangs gives none.
const EACH: Duration = Duration::from_secs(10);
/// The most that is kept of a page, in bytes.
const PAGE: usize = 2 * 1024 * 1024;
/// How much smaller than the window the picture of a green end is.
const SMALLER: f64 = 0.75;
/// The largest picture of a green end, in bytes.
const PICTURE: usize = 300 * 1024;
/// How long a green end waits for its picture. Measured: about 0.1 s.
const SOON: Duration = Duration::from_secs(2);
/// The most lines of the page's console that are shown.
const CONSOLE: usize = 40;

/// What a browser showed when a test ended red.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The files that were written: a picture (`.png`) and the page as it stands (`.html`).
    pub files: Vec<PathBuf>,
    /// Address, title and console, and what could not be had.
    pub text: String,
}

impl Browser {
    /// Writes what the browser shows into a folder, under a name that is free there; its picture where that is
    /// wanted.
    pub async fn evidence(&self, folder: &Path, name: &str, with_picture: bool) -> Evidence {
        let mut found = Evidence::default();
        let stem = free(folder, name);
        let address = within(self.current_url()).await.map(|url| url.to_string());
        let title = within(self.title()).await;
        for (what, value) in [("address", address), ("title", title)] {
            match value {
                Ok(value) => found.text += &format!("{what}: {value}\n"),
                Err(why) => found.text += &format!("{what}: none, {why}\n"),
            }
        }
        if with_picture {
            let mut picture = within(self.screenshot_as_png()).await;
            if picture.is_err() {
                // The first command after a dialog says that it was there, and the dialog is gone.
                picture = within(self.screenshot_as_png()).await;
            }
            found.keep("picture", folder.join(format!("{stem}.png")), picture);
        } else {
            found.text += "no picture: the test wants none\n";
        }
        let page = within(self.source()).await.map(|mut page| {
            page.truncate(page.floor_char_boundary(PAGE));
            page.into_bytes()
        });
        found.keep("page", folder.join(format!("{stem}.html")), page);
        if let Ok(lines) = within(self.get_log("browser")).await {
            for line in lines.iter().take(CONSOLE) {
                found.text += &format!("console: {} {}\n", line.level, line.message);
            }
        }
        found
    }
}

impl Browser {
    /// Writes a small picture of what the browser shows at a green end into a folder, under a name that is free
    /// there. None where it cannot be had soon, or is too large.
    pub async fn picture(&self, folder: &Path, name: &str) -> Option<PathBuf> {
        let seen = "return {x: scrollX, y: scrollY, width: innerWidth, height: innerHeight, scale: arguments[0]}";
        let asked = async {
            let clip = self.execute(seen, vec![SMALLER.into()]).await?.json().clone();
            let asked = serde_json::json!({"format": "png", "clip": clip});
            self.cdp().send_raw("Page.captureScreenshot", asked).await
        };
        let answer = tokio::time::timeout(SOON, asked).await.ok()?.ok()?;
        let picture = STANDARD.decode(answer.get("data")?.as_str()?).ok()?;
        let path = folder.join(format!("{}.png", free(folder, name)));
        (picture.len() <= PICTURE && write(&path, &picture).is_ok()).then_some(path)
    }
}

impl Evidence {
    fn keep(&mut self, what: &str, path: PathBuf, content: Result<Vec<u8>, String>) {
        let kept =
            content.and_then(|content| write(&path, &content).map_err(|error| format!("{}: {error}", path.display())));
        match kept {
            Ok(()) => {
                self.text += &format!("{what}: {}\n", path.display());
                self.files.push(path);
            }
            Err(why) => self.text += &format!("{what}: none, {why}\n"),
        }
    }
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, content)
}

async fn within<T>(work: impl Future<Output = thirtyfour::error::WebDriverResult<T>>) -> Result<T, String> {
    match tokio::time::timeout(EACH, work).await {
        Ok(done) => done.map_err(|error| words(&error)),
        Err(_) => Err(format!("nothing within {} s", EACH.as_secs())),
    }
}

/// The name, or the name with the first number that no file of the folder has.
fn free(folder: &Path, name: &str) -> String {
    let taken = |stem: &str| ["png", "html"].iter().any(|end| folder.join(format!("{stem}.{end}")).exists());
    if !taken(name) {
        return name.to_owned();
    }
    (2..u32::MAX).map(|n| format!("{name}-{n}")).find(|stem| !taken(stem)).unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_of_an_earlier_failure_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(free(folder.path(), "a"), "a");
        std::fs::write(folder.path().join("a.html"), "").unwrap();
        std::fs::write(folder.path().join("a-2.png"), "").unwrap();
        assert_eq!(free(folder.path(), "a"), "a-3");
    }
}
