//! The pages. Every value in them is escaped by `maud`; no page contains a script.

use std::collections::BTreeMap;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use write_back::{Action, Link};

use crate::claim::{Entry, Status};
use crate::input::{Input, Kind, Problems};
use crate::locale::Locale;

/// The content of a page.
pub(crate) enum Content<'a> {
    /// The form of a link.
    Form(Form<'a>),
    /// The row exists.
    Finished(&'a Entry),
    /// Redshift is working; the page refreshes from the address, relative to this one.
    Running { status_address: &'a str },
    /// A heading and a sentence.
    Notice { heading: &'a str, sentence: &'a str },
}

/// The form of a link.
pub(crate) struct Form<'a> {
    pub(crate) token: &'a str,
    pub(crate) link: &'a Link,
    pub(crate) inputs: &'a [Input],
    pub(crate) entered: &'a BTreeMap<String, String>,
    pub(crate) problems: &'a Problems,
    pub(crate) locale: &'a Locale,
    pub(crate) currency: Option<&'a str>,
}

/// Seconds after which a waiting page refreshes.
pub(crate) const LOOK_AGAIN: u32 = 2;

const STYLE: &str = "\
:root{color-scheme:light dark;font:100%/1.5 system-ui,sans-serif}\
body{margin:0 auto;max-width:34rem;padding:1.5rem}\
h1{font-size:1.4rem;margin:0 0 1rem}\
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.5rem;margin:0 0 1.5rem}\
dt{opacity:.75}dd{margin:0;overflow-wrap:anywhere}\
label{display:block;margin:1rem 0 .25rem}\
input,textarea{box-sizing:border-box;width:100%;font:inherit;padding:.5rem;border:1px solid GrayText;border-radius:.25rem}\
[aria-invalid]{border-color:#c00}.problem{color:#c00;margin:.25rem 0}\
button{font:inherit;margin-top:1.5rem;padding:.75rem 1.5rem;min-height:2.75rem;border:0;border-radius:.25rem;\
background:#0b5cad;color:#fff;cursor:pointer}\
:focus-visible{outline:3px solid #0b5cad;outline-offset:2px}\
@media(max-width:30rem){button{width:100%}dl{grid-template-columns:1fr}dd{margin-bottom:.5rem}}\
@media(prefers-color-scheme:dark){button{background:#58a6ff;color:#000}.problem{color:#ff8f8f}\
[aria-invalid]{border-color:#ff8f8f}:focus-visible{outline-color:#58a6ff}}";

/// The page as HTML; `nonce` is the one that its Content-Security-Policy allows.
pub(crate) fn render(content: &Content<'_>, nonce: &str) -> String {
    let (title, body) = match content {
        Content::Form(form) => (heading(&form.link.action), form.markup()),
        Content::Finished(entry) => (done(entry), finished(entry)),
        Content::Running { .. } => ("Writing the quote …", running()),
        Content::Notice { heading, sentence } => (*heading, notice(sentence)),
    };
    let refresh = match content {
        Content::Running { status_address } => Some(format!("{LOOK_AGAIN};url={status_address}")),
        _ => None,
    };
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                @if let Some(refresh) = refresh { meta http-equiv="refresh" content=(refresh); }
                title { (title) }
                style nonce=(nonce) { (PreEscaped(STYLE)) }
            }
            body { main { h1 { (title) } (body) } }
        }
    }
    .into_string()
}

fn heading(action: &Action) -> &'static str {
    match action {
        Action::Generate => "Generate quote",
        Action::Accept(_) => "Accept quote",
    }
}

fn done(entry: &Entry) -> &'static str {
    match entry.status {
        Status::Generated => "Quote generated",
        Status::InReview => "Quote in review",
        Status::Accepted => "Quote accepted",
    }
}

fn finished(entry: &Entry) -> Markup {
    html! {
        dl {
            dt { "Quote" } dd { (entry.quote_id.as_str()) }
            dt { "Status" } dd { (entry.status.name()) }
        }
        p { "You may close this page." }
    }
}

fn running() -> Markup {
    html! { p role="status" { "The database is still working. This page will show the result automatically; you do not have to do anything." } }
}

fn notice(sentence: &str) -> Markup {
    html! { p role="alert" { (sentence) } }
}

impl Form<'_> {
    fn markup(&self) -> Markup {
        let Link { customer, skill, cost, .. } = self.link;
        let cost = self.locale.number(cost.as_str());
        let focused = self.inputs.iter().find(|input| self.problems.contains_key(&input.name));
        let focused = focused.or(self.inputs.first()).map(|input| input.name.as_str());
        html! {
            dl {
                @if let Action::Accept(quote_id) = &self.link.action { dt { "Quote" } dd { (quote_id.as_str()) } }
                dt { "Customer" } dd { (customer) }
                dt { "Skill" } dd { (skill) }
                dt { "Cost" } dd { (cost) @if let Some(currency) = self.currency { "\u{a0}" (currency) } }
            }
            // The relative address keeps the stage and leaves out the token.
            form method="post" action="quote" autocomplete="off" {
                input type="hidden" name="t" value=(self.token);
                @for input in self.inputs { (self.field(input, focused == Some(input.name.as_str()))) }
                button type="submit" autofocus[focused.is_none()] { (heading(&self.link.action)) }
            }
        }
    }

    fn field(&self, input: &Input, is_focused: bool) -> Markup {
        let id = format!("input-{}", input.name);
        let problem_id = format!("{id}-problem");
        let entered = self.entered.get(&input.name).map(String::as_str).unwrap_or_default();
        let problem = self.problems.get(&input.name);
        let described = problem.map(|_| problem_id.as_str());
        let invalid = problem.map(|_| "true");
        let (name, required) = (input.name.as_str(), input.is_required);
        let bound = |bound: &Option<i64>| bound.map(|bound| bound.to_string());
        let ten_thousandths = |bound: &Option<i64>| bound.map(crate::input::written);
        html! {
            label for=(id) { (input.label) @if !required { " (optional)" } }
            @match &input.kind {
                Kind::Text { max_length } if *max_length > 100 => {
                    textarea id=(id) name=(name) rows="4" maxlength=(max_length) required[required] autofocus[is_focused]
                        aria-describedby=[described] aria-invalid=[invalid] { (entered) }
                }
                Kind::Text { max_length } => {
                    input type="text" id=(id) name=(name) value=(entered) maxlength=(max_length) required[required]
                        autofocus[is_focused] aria-describedby=[described] aria-invalid=[invalid];
                }
                Kind::Integer { minimum, maximum } => {
                    input type="number" inputmode="numeric" step="1" id=(id) name=(name) value=(entered) min=[bound(minimum)]
                        max=[bound(maximum)] required[required] autofocus[is_focused] aria-describedby=[described]
                        aria-invalid=[invalid];
                }
                Kind::Decimal { minimum, maximum } => {
                    input type="number" inputmode="decimal" step="any" id=(id) name=(name) value=(entered)
                        min=[ten_thousandths(minimum)] max=[ten_thousandths(maximum)] required[required]
                        autofocus[is_focused] aria-describedby=[described] aria-invalid=[invalid];
                }
                Kind::Date { minimum, maximum } => {
                    input type="date" id=(id) name=(name) value=(entered) min=[minimum.as_deref()] max=[maximum.as_deref()]
                        required[required] autofocus[is_focused] aria-describedby=[described] aria-invalid=[invalid];
                }
            }
            @if let Some(problem) = problem { p.problem id=(problem_id) { (problem) } }
        }
    }
}
