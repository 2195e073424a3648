//! The pages. Every value in them is escaped by `maud`; no page contains a script.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::link::Purpose;
use crate::token::SCOPE;

/// The content of a page.
pub(crate) enum Content<'a> {
    /// Asks whether to continue.
    Question(Question<'a>),
    /// It is done.
    Done { heading: &'a str, sentence: &'a str },
    /// It cannot be done.
    Problem { heading: &'a str, sentence: &'a str },
}

/// The page behind a start link.
pub(crate) struct Question<'a> {
    pub(crate) purpose: Purpose,
    /// The link's token.
    pub(crate) token: &'a str,
    pub(crate) admin: &'a str,
    pub(crate) tenant: &'a str,
    pub(crate) enterprise_id: &'a str,
}

const STYLE: &str = "\
:root{color-scheme:light dark;font:100%/1.5 system-ui,sans-serif}\
body{margin:0 auto;max-width:36rem;padding:1.5rem}\
h1{font-size:1.4rem;margin:0 0 1rem}\
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.5rem}\
dt{opacity:.75}dd{margin:0;overflow-wrap:anywhere}\
button{font:inherit;margin-top:1rem;padding:.75rem 1.5rem;min-height:2.75rem;border:0;border-radius:.25rem;\
background:#0b5cad;color:#fff;cursor:pointer}\
button.ends{background:#a8071a}\
:focus-visible{outline:3px solid #0b5cad;outline-offset:2px}\
@media(max-width:30rem){button{width:100%}dl{grid-template-columns:1fr}dd{margin-bottom:.5rem}}\
@media(prefers-color-scheme:dark){button{background:#58a6ff;color:#000}button.ends{background:#ff8f8f;color:#000}\
:focus-visible{outline-color:#58a6ff}}";

/// The page as HTML; `nonce` is the one that its Content-Security-Policy allows.
pub(crate) fn render(content: &Content<'_>, nonce: &str) -> String {
    let (title, body) = match content {
        Content::Question(question) => (question.heading(), question.markup()),
        Content::Done { heading, sentence } => (*heading, html! { p role="status" { (sentence) } }),
        Content::Problem { heading, sentence } => (*heading, html! { p role="alert" { (sentence) } }),
    };
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) }
                style nonce=(nonce) { (PreEscaped(STYLE)) }
            }
            body { main { h1 { (title) } (body) } }
        }
    }
    .into_string()
}

/// An error's message as a sentence on a page.
pub(crate) fn sentence(message: &str) -> String {
    let mut characters = message.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", characters.as_str())
}

impl Question<'_> {
    fn heading(&self) -> &'static str {
        match self.purpose {
            Purpose::Install => "Connect Slack's member analytics",
            Purpose::Revoke => "Disconnect Slack's member analytics",
        }
    }

    fn markup(&self) -> Markup {
        // The relative address keeps the prefix of the path and leaves out the token.
        let (action, class, label) = match self.purpose {
            Purpose::Install => ("install", None, "Continue to Slack"),
            Purpose::Revoke => ("revoke", Some("ends"), "Revoke the token"),
        };
        html! {
            @match self.purpose {
                Purpose::Install => {
                    p { "Slack will ask you to allow this app to read the analytics of all members. An owner or admin of the organization must install it on the whole organization, not on a workspace." }
                }
                Purpose::Revoke => {
                    p { "This revokes the token at Slack and deletes it here. Queries over Slack's analytics will fail until somebody connects Slack again." }
                }
            }
            dl {
                dt { "Tenant" } dd { (self.tenant) }
                dt { "Organization" } dd { (self.enterprise_id) }
                @if self.purpose == Purpose::Install { dt { "Right" } dd { code { (SCOPE) } } }
                dt { "Link made for" } dd { (self.admin) }
            }
            form method="post" action=(action) autocomplete="off" {
                input type="hidden" name="t" value=(self.token);
                button type="submit" class=[class] { (label) }
            }
        }
    }
}
