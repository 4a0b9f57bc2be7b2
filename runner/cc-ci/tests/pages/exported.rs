//! An export stands by itself: what it leads to is in it, and nothing in it needs a server.

use std::path::{Path, PathBuf};

use web::export;

use crate::markup::{check_nested, check_own, tags};
use crate::scene::{Scene, Shows};
use crate::{nights, stories};

/// Every file below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            files.extend(self::files(&entry));
        } else {
            files.push(entry);
        }
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn every_link_leads_into_the_export() {
    let scene = Scene::new();
    let _alive = stories::history(&scene);
    let folder = tempfile::tempdir().unwrap();
    nights::put(scene.state(), "x");
    // Fewer runs than the pages of recipes show.
    let done = export(&scene.site(Shows { acts: true, pictures: true }), folder.path(), 2).await.unwrap();
    assert_eq!(done.recipes, 5, "{done:?}");
    let pages: Vec<PathBuf> =
        files(folder.path()).into_iter().filter(|file| file.extension().is_some_and(|end| end == "html")).collect();
    for wanted in [
        "index.html",
        "runs/index.html",
        "coverage/index.html",
        "nightly/index.html",
        "nightly/2026-11-20/index.html",
        "recipes/keycloak/index.html",
    ] {
        assert!(pages.contains(&folder.path().join(wanted)), "{wanted} is missing");
    }
    let badge = |name: &str| std::fs::read_to_string(folder.path().join("badges").join(name)).unwrap();
    assert!(badge("n8n.svg").contains("failed") && badge("n8n/install.svg").contains("passed"));
    let standing = badge("n8n/standing.svg");
    assert!(["stable", "testing", "unstable"].iter().any(|word| standing.contains(word)), "{standing}");
    let mut links = 0;
    for page in &pages {
        let (text, name) = (std::fs::read_to_string(page).unwrap(), page.display());
        check_nested(&name.to_string(), &text);
        check_own(&name.to_string(), &text);
        for tag in tags(&text) {
            assert!(!matches!(tag.name.as_str(), "script" | "form" | "noscript"), "{name}: {tag:?}");
            for link in ["href", "src"].iter().filter_map(|attribute| tag.attributes.get(*attribute)) {
                if link.starts_with("https://") || link.starts_with("http://") || link.starts_with("data:") {
                    continue;
                }
                links += 1;
                check_link(folder.path(), page, link);
            }
        }
    }
    assert!(links > 200, "{links} links");
}

/// Fails where a link leads to no file, or to no place in it.
fn check_link(folder: &Path, page: &Path, link: &str) {
    let (path, place) = link.split_once('#').unwrap_or((link, ""));
    assert!(!path.starts_with('/') && !path.contains('?'), "{}: {link} needs a server", page.display());
    let mut to = if path.is_empty() { page.to_owned() } else { page.parent().unwrap().join(path) };
    if to.is_dir() {
        to.push("index.html");
    }
    let to = to.canonicalize().unwrap_or_else(|why| panic!("{}: {link} leads to nothing: {why}", page.display()));
    assert!(to.starts_with(folder.canonicalize().unwrap()), "{}: {link} leads out", page.display());
    if !place.is_empty() {
        let there = std::fs::read_to_string(&to).unwrap().contains(&format!("id=\"{place}\""));
        assert!(there, "{}: {link} leads to no place", page.display());
    }
}
