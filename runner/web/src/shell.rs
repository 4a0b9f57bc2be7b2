//! What every page has around its content.

/// What every page has around its content.
#[derive(Debug, Clone)]
pub(super) struct Shell {
    /// The title of the window, without cc-ci's name.
    pub(super) title: String,
    /// The name of the entry in the navigation that the page belongs to.
    pub(super) here: &'static str,
    /// Where all pages are, seen from this one: `/` on a server, `../` in an export.
    pub(super) root: String,
    /// The name of the overview's file.
    pub(super) index: &'static str,
    /// The names of the style sheet and of the scripts, each with what tells its release.
    pub(super) style: &'static str,
    pub(super) scripts: Vec<&'static str>,
    /// The stream that says when the page has changed; none where it cannot.
    pub(super) live: Option<String>,
    pub(super) version: &'static str,
    /// Whether nobody serves it: forms and questions are left out.
    pub(super) is_export: bool,
}

/// Name and path of what the navigation shows.
const NAV: [(&str, &str); 5] =
    [("recipes", ""), ("runs", "runs"), ("nightly", "nightly"), ("coverage", "coverage"), ("fleet", "fleet")];
/// The same where nothing serves: what is live is left out.
const EXPORTED: [(&str, &str); 3] =
    [("recipes", "index.html"), ("runs", "runs/index.html"), ("coverage", "coverage/index.html")];

/// How pages are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LinkBase {
    /// From this server, below this path, which ends with a slash.
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

    /// The page is kept true by this stream.
    pub(super) fn live(mut self, path: &str) -> Self {
        if !self.is_export {
            self.live = Some(path.to_owned());
            self.scripts.push(super::assets::LIVE);
        }
        self
    }

    /// The entries of the navigation.
    pub(super) fn nav(&self) -> &'static [(&'static str, &'static str)] {
        if self.is_export { &EXPORTED } else { &NAV }
    }
}
