//! The frame of every page.

#[derive(Debug, Clone)]
pub(super) struct Shell {
    /// The title of the window, without cc-ci's name.
    pub(super) title: String,
    /// The page's entry in the navigation.
    pub(super) here: &'static str,
    /// The base of links: `/` on a server, `../` in an export.
    pub(super) root: String,
    /// The name of the overview's file.
    pub(super) index: &'static str,
    /// The names of the style sheet and of the scripts, which include their release.
    pub(super) style: &'static str,
    pub(super) scripts: Vec<&'static str>,
    /// The stream of changes; `None` if the page is static.
    pub(super) live: Option<String>,
    pub(super) version: &'static str,
    /// Whether it is an export: forms and queries are omitted.
    pub(super) is_export: bool,
}

/// Label and path of the navigation's entries.
const NAV: [(&str, &str); 5] =
    [("recipes", ""), ("runs", "runs"), ("nightly", "nightly"), ("coverage", "coverage"), ("fleet", "fleet")];
/// The same for an export, without live pages.
const EXPORTED: [(&str, &str); 4] = [
    ("recipes", "index.html"),
    ("runs", "runs/index.html"),
    ("nightly", "nightly/index.html"),
    ("coverage", "coverage/index.html"),
];

/// How pages are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LinkBase {
    /// From this server.
    Served,
    /// From files, this many folders below the first page.
    Exported(usize),
}

impl Shell {
    pub(super) fn new(title: &str, here: &'static str, place: LinkBase) -> Self {
        let (root, index) = match place {
            LinkBase::Served => ("/".to_owned(), ""),
            LinkBase::Exported(depth) => ("../".repeat(depth), "index.html"),
        };
        Self {
            title: title.to_owned(),
            here,
            root,
            index,
            style: super::assets::STYLE,
            scripts: Vec::new(),
            live: None,
            version: env!("CARGO_PKG_VERSION"),
            is_export: place != LinkBase::Served,
        }
    }

    /// Updates the page by this stream.
    pub(super) fn live(mut self, path: &str) -> Self {
        if !self.is_export {
            self.live = Some(path.to_owned());
            self.scripts.push(super::assets::LIVE);
        }
        self
    }

    pub(super) fn nav(&self) -> &'static [(&'static str, &'static str)] {
        if self.is_export { &EXPORTED } else { &NAV }
    }
}
