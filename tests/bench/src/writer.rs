//! Canonical layout: one statement per line, two spaces per level, a blank line between items.

/// Text of one `.mesh` file in the making.
#[derive(Default)]
pub(crate) struct Writer {
    text: String,
    depth: usize,
}

impl Writer {
    pub(crate) fn line(&mut self, statement: &str) {
        for _ in 0..self.depth {
            self.text.push_str("  ");
        }
        self.text.push_str(statement);
        self.text.push('\n');
    }

    /// A statement with a block: `head { body }`.
    pub(crate) fn block(&mut self, head: &str, body: impl FnOnce(&mut Self)) {
        self.line(&format!("{head} {{"));
        self.depth += 1;
        body(self);
        self.depth -= 1;
        self.line("}");
    }

    /// An item of the file, apart from the one before it.
    pub(crate) fn item(&mut self, head: &str, body: impl FnOnce(&mut Self)) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.block(head, body);
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }
}
