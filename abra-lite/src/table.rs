//! Box tables, as wide as their content.

use unicode_width::UnicodeWidthStr;

/// A table with a heading.
pub(crate) fn table(heading: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = heading.iter().map(|cell| cell.width()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let rule = |left: &str, middle: &str, right: &str| {
        let parts: Vec<String> = widths.iter().map(|width| "━".repeat(width + 2)).collect();
        format!("{left}{}{right}\n", parts.join(middle))
    };
    let line = |cells: &[&str]| {
        let cells =
            cells.iter().zip(&widths).map(|(cell, width)| format!(" {cell}{} ", " ".repeat(width - cell.width())));
        format!("┃{}┃\n", cells.collect::<Vec<_>>().join("┃"))
    };
    let mut text = rule("┏", "┳", "┓");
    text += &line(heading);
    text += &rule("┣", "╋", "┫");
    for row in rows {
        text += &line(&row.iter().map(String::as_str).collect::<Vec<_>>());
    }
    text + rule("┗", "┻", "┛").as_str()
}

#[cfg(test)]
mod tests {
    #[test]
    fn wide_signs_keep_the_columns_straight() {
        let text = super::table(&["ref", "ok"], &[vec!["R001".into(), "✅".into()], vec!["R2".into(), "-".into()]]);
        insta::assert_snapshot!(text, @r"
        ┏━━━━━━┳━━━━┓
        ┃ ref  ┃ ok ┃
        ┣━━━━━━╋━━━━┫
        ┃ R001 ┃ ✅ ┃
        ┃ R2   ┃ -  ┃
        ┗━━━━━━┻━━━━┛
        ");
    }
}
