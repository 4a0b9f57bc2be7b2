/// A table that another part of cc-ci adds to the reference, such as its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The heading.
    pub title: &'static str,
    /// A sentence or two before the table.
    pub intro: &'static str,
    /// The names of the columns.
    pub columns: &'static [&'static str],
    /// The rows, each with as many cells as there are columns; Markdown.
    pub rows: Vec<Vec<String>>,
}
