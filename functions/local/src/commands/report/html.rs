//! What maud does not know of this page: text without control characters, and tables aligned by their columns.

use maud::{Markup, Render, html};

/// Text of an element or an attribute: escaped, and with control characters, which HTML does not allow, as spaces.
pub(super) struct Text<'a>(pub(super) &'a str);

impl Render for Text<'_> {
    fn render_to(&self, buffer: &mut String) {
        for (at, part) in self.0.split(char::is_control).enumerate() {
            if at > 0 {
                buffer.push(' ');
            }
            part.render_to(buffer);
        }
    }
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

    /// Adds a row of plain text.
    pub(super) fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// The table in a region that scrolls by itself and that the keyboard reaches.
    fn html(&self) -> Markup {
        let class = |column: usize| (column >= self.numbers_from).then_some("n");
        html! {
            div class="scroll" role="region" aria-label=(Text(&self.caption)) tabindex="0" {
                table {
                    caption { (Text(&self.caption)) }
                    thead {
                        tr {
                            @for (column, name) in self.head.iter().enumerate() {
                                th scope="col" class=[class(column)] { (Text(name)) }
                            }
                        }
                    }
                    tbody {
                        "\n"
                        @for row in &self.rows {
                            tr {
                                @for (column, cell) in row.iter().enumerate() {
                                    @if column == 0 {
                                        th scope="row" { (Text(cell)) }
                                    } @else {
                                        td class=[class(column)] { (Text(cell)) }
                                    }
                                }
                            }
                            "\n"
                        }
                    }
                }
            }
        }
    }

    /// The table behind the chart above it, folded away.
    pub(super) fn behind_chart(&self) -> Markup {
        self.fold(&html! { "The numbers of this chart" span class="unseen" { ": " (Text(&self.caption)) } })
    }

    /// A table of its own, folded away under its caption.
    pub(super) fn folded(&self) -> Markup {
        self.fold(&html! { (Text(&self.caption)) })
    }

    fn fold(&self, title: &Markup) -> Markup {
        let rows = self.rows.len();
        let noun = if rows == 1 { "row" } else { "rows" };
        html! {
            details {
                summary { (title) " " span class="rows" { "(" (rows) " " (noun) ")" } }
                (self.html())
            }
            "\n"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_cannot_leave_its_cell() {
        let mut table = Table::new("<i>", 1, &["name", "n"]);
        table.row(["</td><script>alert('x')</script>\u{0}", "\"&"]);
        let html = table.folded().into_string();
        assert!(!html.contains("<script") && !html.contains("<i>") && !html.contains('\u{0}'), "{html}");
        // An apostrophe needs no escape: attributes are quoted with double quotes.
        assert!(html.contains("&lt;/td&gt;&lt;script&gt;alert('x')&lt;/script&gt; "), "{html}");
        assert!(html.contains("<td class=\"n\">&quot;&amp;</td>"), "{html}");
        assert!(html.contains("aria-label=\"&lt;i&gt;\""), "{html}");
    }
}
