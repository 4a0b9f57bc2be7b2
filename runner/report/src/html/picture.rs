use std::path::{Component, Path};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use http_client::coded;

use super::Pictures;
use journal::plain_file;
use journal::text::one_line;

/// Maximum size of a picture, and maximum number for one failure.
const BYTES: u64 = 600 * 1024;
const COUNT: usize = 4;
/// The signature of a PNG file.
pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A picture on the page.
pub(super) struct Picture {
    pub(super) name: String,
    /// An address: a data URL, or one of the page's server.
    pub(super) src: String,
}

/// The pictures among the files of a failure. Missing, large and invalid files are omitted: the failure's text names
/// them.
pub(super) fn pictures(files: &[String], from: Pictures<'_>) -> Vec<Picture> {
    let names = files.iter().filter(|name| name.ends_with(".png") && stays_below(name));
    let src = |name: &String| match from {
        Pictures::None => None,
        Pictures::Folder(folder) => {
            Some(format!("data:image/png;base64,{}", STANDARD.encode(read(&folder.join(name))?)))
        }
        Pictures::Behind(path) => Some(format!("{path}{}", coded(name))),
    };
    names.filter_map(|name| Some(Picture { src: src(name)?, name: one_line(name, 200) })).take(COUNT).collect()
}

/// A journal's origin is unknown; files outside its folder are not read.
fn stays_below(name: &str) -> bool {
    Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}

fn read(path: &Path) -> Option<Vec<u8>> {
    plain_file::read(path, BYTES).ok()?.filter(|bytes| bytes.starts_with(PNG))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_small_pictures_of_the_runs_own_folder_are_shown() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        std::fs::create_dir(&run).unwrap();
        let png = [PNG, b"x"].concat();
        std::fs::write(run.join("a.png"), &png).unwrap();
        std::fs::write(run.join("text.png"), "x").unwrap();
        std::fs::write(folder.path().join("out.png"), &png).unwrap();
        std::fs::write(run.join("large.png"), [&png[..], &vec![0; 600 * 1024]].concat()).unwrap();
        let outside = folder.path().join("out.png").display().to_string();
        let files = ["a.png", "a.html", "text.png", "../out.png", &outside, "large.png", "gone.png"].map(str::to_owned);
        let shown = pictures(&files, Pictures::Folder(&run));
        assert_eq!(shown.iter().map(|picture| picture.name.as_str()).collect::<Vec<_>>(), ["a.png"]);
        assert_eq!(shown[0].src, format!("data:image/png;base64,{}", STANDARD.encode(&png)));
        assert!(pictures(&files, Pictures::None).is_empty());
    }
}
