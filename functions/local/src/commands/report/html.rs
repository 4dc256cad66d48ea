//! HTML that is safe to hold data: text is escaped where it enters, tables are aligned by their columns.

use std::fmt::Write as _;

/// Text with HTML's own characters escaped; fit for an element and for a quoted attribute.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Control characters are not allowed in HTML, not even as references.
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A table of text and numbers, with a caption and a head.
pub(super) struct Table {
    caption: String,
    head: Vec<&'static str>,
    /// The columns from this one on hold numbers and are aligned to the right.
    numbers_from: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table whose first `texts` columns are text and whose others are numbers.
    pub(super) fn new(caption: impl Into<String>, texts: usize, head: &[&'static str]) -> Self {
        Table { caption: caption.into(), head: head.to_vec(), numbers_from: texts, rows: Vec::new() }
    }

    /// Adds a row of plain text, which is escaped.
    pub(super) fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// The table in a region that scrolls by itself and that the keyboard reaches.
    pub(super) fn html(&self) -> String {
        let caption = escape(&self.caption);
        let mut html = format!(
            "<div class=\"scroll\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\"><table><caption>{caption}</caption><thead><tr>"
        );
        let class = |column: usize| if column >= self.numbers_from { " class=\"n\"" } else { "" };
        for (column, name) in self.head.iter().enumerate() {
            let _ = write!(html, "<th scope=\"col\"{}>{}</th>", class(column), escape(name));
        }
        html.push_str("</tr></thead><tbody>\n");
        for row in &self.rows {
            html.push_str("<tr>");
            for (column, cell) in row.iter().enumerate() {
                let cell = escape(cell);
                let _ = match column {
                    0 => write!(html, "<th scope=\"row\">{cell}</th>"),
                    _ => write!(html, "<td{}>{cell}</td>", class(column)),
                };
            }
            html.push_str("</tr>\n");
        }
        html.push_str("</tbody></table></div>");
        html
    }

    /// The table behind the chart above it, folded away.
    pub(super) fn behind_chart(&self) -> String {
        self.fold(&format!("The numbers of this chart<span class=\"unseen\">: {}</span>", escape(&self.caption)))
    }

    /// A table of its own, folded away under its caption.
    pub(super) fn folded(&self) -> String {
        self.fold(&escape(&self.caption))
    }

    fn fold(&self, title: &str) -> String {
        let rows = self.rows.len();
        let noun = if rows == 1 { "row" } else { "rows" };
        format!(
            "<details><summary>{title} <span class=\"rows\">({rows} {noun})</span></summary>{}</details>\n",
            self.html()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_cannot_leave_its_cell() {
        let mut table = Table::new("<i>", 1, &["name", "n"]);
        table.row(["</td><script>alert('x')</script>\u{0}", "\"&"]);
        let html = table.folded();
        assert!(!html.contains("<script") && !html.contains("<i>") && !html.contains('\u{0}'), "{html}");
        assert!(html.contains("&lt;/td&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; "), "{html}");
        assert!(html.contains("<td class=\"n\">&quot;&amp;</td>"), "{html}");
    }
}
