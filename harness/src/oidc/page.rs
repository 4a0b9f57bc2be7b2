//! What a provider's page holds: its forms, and what it says. The page is a stranger's: it is read, and
//! nothing of it is run.

use std::borrow::Cow;

use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};

use super::error::printable;

/// A page, as far as a login needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LoginPage {
    /// The name that the program has for it; Keycloak's pages have one.
    pub(super) name: Option<String>,
    /// Its heading, or else its title.
    pub(super) title: String,
    /// What it says is wrong.
    pub(super) said: Option<String>,
    pub(super) forms: Vec<Form>,
}

/// A form of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) id: String,
    /// Where it goes, relative to the page; empty for the page itself.
    pub(super) action: String,
    pub(super) is_post: bool,
    pub(super) fields: Vec<Field>,
}

/// A field that is sent with a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Password,
    /// Sent as it is.
    Given,
}

impl LoginPage {
    pub(super) fn read(html: &str) -> Self {
        let mut emitter = DefaultEmitter::default();
        // Else a script's text would be read as tags.
        emitter.naively_switch_states(true);
        let mut reader = Reader::default();
        for Ok(token) in Tokenizer::new_with_emitter(html, emitter) {
            match token {
                Token::StartTag(tag) => reader.start(&tag),
                Token::EndTag(tag) => reader.end(&tag.name),
                Token::String(text) => reader.text(&text),
                _ => {}
            }
        }
        reader.done()
    }

    /// The form by which one logs in: it asks for one password, or is the one that Keycloak calls so.
    pub(super) fn login_form(&self) -> Option<&Form> {
        let is_login = |form: &&Form| form.is_post && (form.passwords() == 1 || form.id == "kc-form-login");
        self.forms.iter().find(is_login)
    }

    /// The page for an error message.
    pub(super) fn describe(&self) -> String {
        let mut words = format!("the page {:?}", self.title);
        if let Some(name) = &self.name {
            words += &format!(" ({name})");
        }
        if let Some(said) = &self.said {
            words += &format!(", which says {said:?}");
        }
        words
    }
}

impl Form {
    /// How many passwords it asks for; two are for a new one.
    fn passwords(&self) -> usize {
        self.fields.iter().filter(|field| field.kind == Kind::Password).count()
    }

    pub(super) fn asks_for(&self, kind: Kind) -> bool {
        self.fields.iter().any(|field| field.kind == kind)
    }
}

#[derive(Default)]
struct Reader {
    page: LoginPage,
    in_form: bool,
    heading: Option<String>,
    capture: Option<Capture>,
}

/// The text of one element, while it is open.
struct Capture {
    what: What,
    tag: Vec<u8>,
    depth: usize,
    text: String,
}

#[derive(Clone, Copy)]
enum What {
    Title,
    Heading,
    Said,
}

impl Reader {
    fn start(&mut self, tag: &StartTag<()>) {
        match tag.name.as_slice() {
            b"body" => self.page.name = attribute(tag, "data-page-id").map(|name| printable(&name)),
            b"form" if !self.in_form => {
                self.in_form = true;
                self.page.forms.push(Form {
                    id: attribute(tag, "id").unwrap_or_default().into_owned(),
                    action: attribute(tag, "action").unwrap_or_default().into_owned(),
                    is_post: attribute(tag, "method").is_some_and(|method| method.eq_ignore_ascii_case("post")),
                    fields: Vec::new(),
                });
            }
            b"input" if self.in_form => {
                if let (Some(form), Some(field)) = (self.page.forms.last_mut(), field(tag)) {
                    form.fields.push(field);
                }
            }
            _ => {}
        }
        match &mut self.capture {
            Some(capture) if capture.tag == tag.name.as_slice() && !tag.self_closing => capture.depth += 1,
            Some(_) => {}
            None => {
                self.capture =
                    what(tag).map(|what| Capture { what, tag: tag.name.0.clone(), depth: 1, text: String::new() });
            }
        }
    }

    fn end(&mut self, name: &[u8]) {
        if name == b"form" {
            self.in_form = false;
        }
        if let Some(capture) = self.capture.as_mut().filter(|capture| capture.tag == name) {
            capture.depth -= 1;
            if capture.depth == 0 {
                self.finish();
            }
        }
    }

    fn text(&mut self, text: &[u8]) {
        if let Some(capture) = &mut self.capture {
            capture.text += &String::from_utf8_lossy(text);
        }
    }

    fn finish(&mut self) {
        let Some(capture) = self.capture.take() else { return };
        let text = printable(&capture.text);
        match capture.what {
            _ if text.is_empty() => {}
            What::Title => self.page.title = text,
            What::Heading => self.heading = Some(text),
            What::Said => _ = self.page.said.get_or_insert(text),
        }
    }

    fn done(mut self) -> LoginPage {
        self.finish();
        if let Some(heading) = self.heading {
            self.page.title = heading;
        }
        self.page
    }
}

/// Which element's text is wanted.
fn what(tag: &StartTag<()>) -> Option<What> {
    if matches!(tag.name.as_slice(), b"input" | b"br" | b"img" | b"link" | b"meta" | b"hr") {
        return None;
    }
    if tag.name.as_slice() == b"title" {
        return Some(What::Title);
    }
    let id = attribute(tag, "id").unwrap_or_default();
    if id == "kc-page-title" {
        return Some(What::Heading);
    }
    let class = attribute(tag, "class").unwrap_or_default();
    let is_error = id.starts_with("input-error")
        || id == "kc-error-message"
        || class.split_ascii_whitespace().any(|class| class == "kc-feedback-text")
        || attribute(tag, "role").is_some_and(|role| role == "alert");
    is_error.then_some(What::Said)
}

/// A field that a browser would send; buttons and boxes that nobody ticks are not.
fn field(tag: &StartTag<()>) -> Option<Field> {
    let name = attribute(tag, "name").filter(|name| !name.is_empty())?.into_owned();
    let kind = match attribute(tag, "type").unwrap_or_default().to_ascii_lowercase().as_str() {
        "password" => Kind::Password,
        "" | "text" | "email" => Kind::Text,
        "submit" | "button" | "image" | "reset" | "file" => return None,
        "checkbox" | "radio" if attribute(tag, "checked").is_none() => return None,
        _ => Kind::Given,
    };
    Some(Field { name, value: attribute(tag, "value").unwrap_or_default().into_owned(), kind })
}

fn attribute<'a>(tag: &'a StartTag<()>, name: &str) -> Option<Cow<'a, str>> {
    tag.attributes.get(name.as_bytes()).map(|value| String::from_utf8_lossy(value))
}

#[cfg(test)]
mod tests;
