//! Reports on a schedule.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use cfn::Json;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::shared::fields::{Cron, Rate, TimeZone, When, checked_text, distinct, given};
use crate::shared::mail::Address;

/// A report on a schedule.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "ScheduleFields")]
pub struct ScheduledReport {
    /// The dashboard.
    pub dashboard: Id,
    /// When it is created.
    pub when: When,
    /// The time zone of a cron expression; UTC by default.
    pub time_zone: Option<TimeZone>,
    /// Who gets it by e-mail.
    pub recipients: Vec<Address>,
    sheet: Id,
    format: Format,
    visuals: Vec<Id>,
    parameters: BTreeMap<String, Vec<Parameter>>,
}

/// A parameter of a dashboard, in the form of QuickSight's API.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Parameter {
    name: String,
    values: Vec<Json>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScheduleFields {
    dashboard: Id,
    sheet: Id,
    format: Format,
    #[serde(default, deserialize_with = "distinct")]
    visuals: Vec<Id>,
    #[serde(default, deserialize_with = "given")]
    parameters: BTreeMap<String, Vec<Parameter>>,
    #[serde(default, deserialize_with = "distinct")]
    recipients: Vec<Address>,
    #[serde(default, deserialize_with = "given")]
    cron: Option<Cron>,
    #[serde(default, deserialize_with = "given")]
    rate: Option<Rate>,
    #[serde(default, deserialize_with = "given")]
    time_zone: Option<TimeZone>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Format {
    Pdf,
    Csv,
    Excel,
}

impl Format {
    /// QuickSight's name for it, and how many visuals it can contain.
    /// <https://docs.aws.amazon.com/quicksight/latest/APIReference/API_SnapshotFileSheetSelection.html>
    fn rule(self) -> (&'static str, RangeInclusive<usize>) {
        match self {
            Self::Pdf => ("PDF", 0..=0),
            Self::Csv => ("CSV", 1..=1),
            Self::Excel => ("EXCEL", 1..=5),
        }
    }
}

/// A kind of parameters that QuickSight has, and what its values are.
struct Parameters {
    kind: &'static str,
    allowed: &'static str,
    is_right: fn(&Json) -> bool,
}

const PARAMETERS: [Parameters; 4] = [
    Parameters {
        kind: "DateTimeParameters",
        allowed: "seconds since 1970, or dates as text",
        is_right: |value| value.is_number() || value.is_string(),
    },
    Parameters { kind: "DecimalParameters", allowed: "numbers", is_right: Json::is_number },
    Parameters { kind: "IntegerParameters", allowed: "whole numbers", is_right: Json::is_i64 },
    Parameters { kind: "StringParameters", allowed: "text", is_right: Json::is_string },
];
/// Most recipients of one report: SES accepts 50 addresses per message.
const MOST_RECIPIENTS: usize = 50;

impl TryFrom<ScheduleFields> for ScheduledReport {
    type Error = String;

    fn try_from(fields: ScheduleFields) -> Result<Self, String> {
        let when = When::one_of(fields.cron, fields.rate)?;
        let (format, visuals) = fields.format.rule();
        if !visuals.contains(&fields.visuals.len()) {
            let (least, most) = visuals.into_inner();
            return Err(format!(
                "{} visuals of a {format}; must be {least} to {most} (a PDF shows its whole sheet)",
                fields.visuals.len()
            ));
        }
        fields.parameters.iter().try_for_each(|(kind, parameters)| check_parameters(kind, parameters))?;
        if fields.recipients.len() > MOST_RECIPIENTS {
            return Err(format!("{} recipients; must be at most {MOST_RECIPIENTS}", fields.recipients.len()));
        }
        Ok(Self {
            dashboard: fields.dashboard,
            when,
            time_zone: fields.time_zone,
            recipients: fields.recipients,
            sheet: fields.sheet,
            format: fields.format,
            visuals: fields.visuals,
            parameters: fields.parameters,
        })
    }
}

fn check_parameters(kind: &str, parameters: &[Parameter]) -> Result<(), String> {
    let Some(Parameters { allowed, is_right, .. }) = PARAMETERS.iter().find(|parameters| parameters.kind == kind)
    else {
        return Err(format!(
            "unknown kind of parameters `{kind}`; use one of {}",
            PARAMETERS.map(|parameters| parameters.kind).join(", ")
        ));
    };
    if parameters.is_empty() {
        return Err(format!("there are no `{kind}`; name one, or remove the key"));
    }
    for Parameter { name, values } in parameters {
        if name.is_empty() || values.is_empty() {
            return Err(format!(
                "a parameter of `{kind}` has no name or no value; each needs a name and at least one value"
            ));
        }
        if let Some(value) = values.iter().find(|value| !is_right(value)) {
            return Err(format!("`{kind}` gives `{name}` the value {value}; use {allowed}"));
        }
    }
    Ok(())
}

impl ScheduledReport {
    /// The report as report-api reads it: the fields of a request, and who gets it.
    pub(crate) fn request(&self) -> Json {
        let texts = |list: &[Id]| Json::from_iter(list.iter().map(Id::as_str));
        let mut request = json!({
            "dashboardId": self.dashboard.as_str(),
            "sheetId": self.sheet.as_str(),
            "format": self.format.rule().0,
        });
        if !self.visuals.is_empty() {
            request["visualId"] = texts(&self.visuals);
        }
        if !self.parameters.is_empty() {
            request["parameters"] = json!(self.parameters);
        }
        if !self.recipients.is_empty() {
            request["recipients"] = Json::from_iter(self.recipients.iter().map(Address::as_str));
        }
        request
    }
}

checked_text! {
    /// The ID of a dashboard, a sheet or a visual in QuickSight.
    pub Id, |text: &str| {
        if (1..=512).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
            return Ok(());
        }
        Err(format!("`{text}` is not a QuickSight ID; use 1 to 512 letters, digits, `-` and `_`, as in the dashboard's address"))
    }
}
