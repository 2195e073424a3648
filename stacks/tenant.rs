//! Tenants: one customer or stage each, with the systems it has.

use crate::fields::{NOTHING, given};
use crate::{TenantName, qlik_reload, query_app, report_delivery, slack_connector, write_back};
use cfn::Stack;
use constructs::Architecture;
use serde::Deserialize;
use serde_saphyr::{Error, MessageFormatter, UserMessageFormatter};
use std::borrow::Cow;
use std::fmt;

/// One customer or stage: a name, and the settings of each system it has.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// The name; it starts the name of every stack of the tenant.
    pub tenant: TenantName,
    /// What the functions are built for; `x86_64` where the file does not say.
    #[serde(default)]
    pub architecture: Architecture,
    /// The systems the tenant has.
    #[serde(deserialize_with = "given")]
    pub systems: Systems,
}

/// The systems there are; a tenant has those that its file names.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Systems {
    /// Reloads of Qlik Cloud apps by schedule or event.
    #[serde(default, deserialize_with = "given")]
    pub qlik_reload: Option<qlik_reload::Props>,
    /// Named queries of a Redshift, from a page in the browser.
    #[serde(default, deserialize_with = "given")]
    pub query_app: Option<query_app::Props>,
    /// QuickSight reports as files.
    #[serde(default, deserialize_with = "given")]
    pub report_delivery: Option<report_delivery::Props>,
    /// Slack's member analytics as a table of Athena.
    #[serde(default, deserialize_with = "given")]
    pub slack_connector: Option<slack_connector::Props>,
    /// Quotes written to Redshift by signed links.
    #[serde(default, deserialize_with = "given")]
    pub write_back: Option<write_back::Props>,
}

impl Tenant {
    /// Reads a tenant from the text of its file.
    ///
    /// # Errors
    ///
    /// The first mistake, with its line and column, the value, and what is allowed.
    pub fn parse(text: &str) -> Result<Self, TenantError> {
        // `no` is a text here and no boolean, as in YAML 1.2.
        let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
        serde_saphyr::from_str_with_options(text, options).map_err(|error| TenantError::new(&error, text))
    }

    /// The tenant's stacks, in the order in which they deploy.
    pub fn stacks(&self) -> Vec<Stack> {
        let systems = &self.systems;
        let stacks = [
            systems.qlik_reload.as_ref().map(|it| qlik_reload::stack(self, it)),
            systems.query_app.as_ref().map(|it| query_app::stack(self, it)),
            systems.report_delivery.as_ref().map(|it| report_delivery::stack(self, it)),
            systems.slack_connector.as_ref().map(|it| slack_connector::stack(self, it)),
            systems.write_back.as_ref().map(|it| write_back::stack(self, it)),
        ];
        stacks.into_iter().flatten().collect()
    }

    /// The name of the stack of one of its systems.
    pub(crate) fn stack_name(&self, system: &str) -> String {
        format!("{}-{system}", self.tenant)
    }

    /// An empty stack of this tenant for one of its systems.
    pub(crate) fn stack(&self, system: &str, description: &str) -> Stack {
        Stack::new(self.stack_name(system))
            .description(description)
            .tag("ferrostack:tenant", self.tenant.as_str())
            .tag("ferrostack:system", system)
    }
}

/// A mistake in a tenant file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantError {
    /// What is wrong, the value, what is allowed.
    pub message: String,
    /// The line, counted from 1.
    pub line: u64,
    /// The column, counted from 1.
    pub column: u64,
}

impl TenantError {
    fn new(error: &Error, text: &str) -> Self {
        let error = error.without_snippet();
        let Some(location) = error.location() else {
            return Self { message: on_one_line(&explain(error, "")), line: 1, column: 1 };
        };
        let value: String = text
            .chars()
            .skip(location.span().offset() as usize)
            .take((location.span().len() as usize).clamp(1, 60))
            .take_while(|it| *it != '\n')
            .collect();
        let message = on_one_line(&explain(error, value.trim()));
        Self { message, line: location.line(), column: location.column() }
    }
}

/// A value may have line ends and other signs that a terminal obeys.
fn on_one_line(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { it.escape_default().to_string() } else { it.to_string() }).collect()
}

impl fmt::Display for TenantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for TenantError {}

/// The parser's errors in our words: the value, and what is allowed.
fn explain(error: &Error, value: &str) -> String {
    match error {
        // Where a value is missing, the parser points at the colon.
        Error::NullIntoString { .. }
        | Error::SerdeUnknownVariant { .. }
        | Error::InvalidBooleanStrict { .. }
        | Error::InvalidScalar { .. }
        | Error::Unexpected { .. }
            if value == ":" =>
        {
            NOTHING.to_owned()
        }
        Error::NullIntoString { .. } | Error::ExternallyTaggedEnumExpectedScalarOrMapping { .. } => {
            format!("`{value}` is not allowed here; allowed is one text")
        }
        Error::SerdeUnknownField { field, expected, .. } => {
            format!("unknown key `{field}`; allowed are {}", expected.join(", "))
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            format!("`{variant}` is not allowed here; allowed are {}", expected.join(", "))
        }
        Error::SerdeMissingField { field, .. } => format!("the key `{field}` is missing"),
        Error::DuplicateMappingKey { key, .. } => match key {
            Some(key) => format!("the key `{key}` stands here a second time; remove one of them"),
            None => "a key stands here a second time; remove one of them".to_owned(),
        },
        Error::InvalidScalar { ty, .. } => format!("`{value}` is not allowed here; allowed is {}", in_words(ty)),
        Error::InvalidBooleanStrict { .. } => format!("`{value}` is not allowed here; allowed are true and false"),
        Error::Unexpected { expected, .. } => {
            format!("`{value}` is not allowed here; allowed is {}", in_words(expected))
        }
        // The parser's own words are about anchors and tokens; the usual author meant a text, such as a cron expression.
        Error::UnknownAnchor { .. } | Error::ExternalMessage { .. }
            if value.starts_with(['*', '&', '!', '@', '`', '%']) =>
        {
            format!("`{}` begins something else in YAML; put a text that begins with it in quotes", &value[..1])
        }
        Error::MultipleDocuments { .. } => "a second document begins here; allowed is one tenant a file".to_owned(),
        Error::Eof { .. } => "the file is empty or ends too early".to_owned(),
        other => match UserMessageFormatter.format_message(other) {
            Cow::Borrowed(text) => text.to_owned(),
            Cow::Owned(text) => text,
        },
    }
}

fn in_words(expected: &str) -> &str {
    match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "string scalar" => "one text",
        "mapping start" => "a mapping, `key: value`",
        "sequence start" => "a list, `- item`",
        other => other,
    }
}
