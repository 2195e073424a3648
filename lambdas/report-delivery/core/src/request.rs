//! A caller's request, checked before any service is called.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::parameters::{Parameters, shown};

/// The body of a submission, with the published field names.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Submission {
    dashboard_id: Option<String>,
    sheet_id: Option<String>,
    format: Option<String>,
    #[serde(default)]
    visual_id: Option<Vec<String>>,
    #[serde(default)]
    parameters: Option<Parameters>,
    #[serde(default)]
    bucket_configuration: Option<BucketConfiguration>,
    #[serde(default)]
    recipients: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct BucketConfiguration {
    bucket_prefix: Option<String>,
}

/// What to render and for whom; stored with the job as JSON text.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// The sheet.
    pub sheet_id: String,
    /// The kind of file.
    pub format: Format,
    /// The visuals; none for PDF, which shows all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub visual_ids: Vec<String>,
    /// The dashboard's parameters.
    #[serde(default)]
    pub parameters: Parameters,
    /// A folder below the job's own prefix that ends with a slash; empty for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub folder: String,
    /// Row-level security: what the rows shown must be tagged with. They come from the tenant and the caller's identity, never
    /// from the body.
    pub tags: Vec<Tag>,
    /// The recipients of the report.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
}

/// A row-level tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tag {
    /// As the dataset names it.
    pub key: String,
    /// What the rows must have.
    pub value: String,
}

/// The kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Format {
    /// A sheet as pages.
    Pdf,
    /// One table's rows.
    Csv,
    /// Up to five tables as a workbook.
    Excel,
}

impl Format {
    /// QuickSight's spelling.
    pub fn name(self) -> &'static str {
        match self {
            Format::Pdf => "PDF",
            Format::Csv => "CSV",
            Format::Excel => "EXCEL",
        }
    }
}

/// Why a submission is not accepted, in one sentence.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidRequest(pub String);

impl fmt::Display for InvalidRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidRequest {}

impl Submission {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// If it is not a JSON object of the published fields; row-level tags, roles and users are not among them.
    pub fn read(body: &str) -> Result<Submission, InvalidRequest> {
        serde_json::from_str(body).map_err(|error| {
            // The position is useless to the reader of one sentence.
            let error = error.to_string();
            let what = error.rsplit_once(" at line").map_or(error.as_str(), |(what, _)| what);
            InvalidRequest(format!("the body is not a report request: {what}"))
        })
    }

    /// The addresses that the report is to be sent to, as received.
    pub fn recipients(&self) -> &[String] {
        self.recipients.as_deref().unwrap_or_default()
    }

    /// Checks the fields: the dashboard's ID, and the request for a caller with `tags`.
    ///
    /// # Errors
    ///
    /// One sentence about the first field that is not accepted.
    pub fn check(self, tags: Vec<Tag>) -> Result<(String, Request), InvalidRequest> {
        let dashboard = id("dashboardId", self.dashboard_id)?;
        let sheet_id = id("sheetId", self.sheet_id)?;
        let format = match self.format.as_deref() {
            Some("PDF") => Format::Pdf,
            Some("CSV") => Format::Csv,
            Some("EXCEL") => Format::Excel,
            Some(other) => return wrong(format!("`format` is `{}`; must be PDF, CSV or EXCEL", shown(other))),
            None => return wrong("`format` is missing; must be PDF, CSV or EXCEL"),
        };
        let visual_ids = self.visual_id.unwrap_or_default();
        let (allowed, phrase) = match format {
            Format::Pdf => (0..=0, "0 for PDF, which shows the whole sheet"),
            Format::Csv => (1..=1, "1 for CSV"),
            Format::Excel => (1..=5, "1 to 5 for EXCEL"),
        };
        if !allowed.contains(&visual_ids.len()) {
            return wrong(format!("`visualId` has {} entries; must be {phrase}", visual_ids.len()));
        }
        for visual in &visual_ids {
            id("visualId", Some(visual.clone()))?;
        }
        let parameters = self.parameters.unwrap_or_default();
        parameters.check().map_err(InvalidRequest)?;
        let folder = folder(self.bucket_configuration.and_then(|bucket| bucket.bucket_prefix).unwrap_or_default())?;
        let recipients = self.recipients.unwrap_or_default();
        if recipients.len() > 50 {
            return wrong(format!("`recipients` has {} entries; must be at most 50", recipients.len()));
        }
        if let Some(address) = recipients.iter().find(|address| !is_address(address)) {
            let address = shown(address);
            return wrong(format!("`recipients` has `{address}`; must be plain addresses like name@example.com"));
        }
        Ok((dashboard, Request { sheet_id, format, visual_ids, parameters, folder, tags, recipients }))
    }
}

impl Request {
    /// Reads the text stored with a job.
    ///
    /// # Errors
    ///
    /// If it was not written by [`Request::write`].
    pub fn read(text: &str) -> Result<Request, InvalidRequest> {
        serde_json::from_str(text).map_err(|_| InvalidRequest("the job's request cannot be read".to_owned()))
    }

    /// The text to store with a job.
    pub fn write(&self) -> String {
        serde_json::to_string(self).expect("text and numbers can always be written as JSON")
    }
}

/// Whether QuickSight accepts it as an ID: 1 to 512 letters, digits, `_` and `-`.
pub fn is_id(text: &str) -> bool {
    (1..=512).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

fn id(field: &str, value: Option<String>) -> Result<String, InvalidRequest> {
    let allowed = "must be 1 to 512 letters, digits, _ and -";
    match value {
        Some(value) if is_id(&value) => Ok(value),
        Some(value) => wrong(format!("`{field}` is `{}`; {allowed}", shown(&value))),
        None => wrong(format!("`{field}` is missing; {allowed}")),
    }
}

/// The caller's `BucketPrefix`, which is placed below the job's own prefix.
fn folder(prefix: String) -> Result<String, InvalidRequest> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'/');
    let inner = prefix.strip_suffix('/').unwrap_or(&prefix);
    let plain = prefix.len() <= 256 && inner.bytes().all(known) && inner.split('/').all(|part| !part.is_empty());
    if prefix.is_empty() {
        Ok(prefix)
    } else if plain {
        Ok(format!("{inner}/"))
    } else {
        wrong(format!(
            "`bucketConfiguration.BucketPrefix` is `{}`; must be folders of letters, digits, _ and -, separated by single slashes, at most 256 bytes",
            shown(&prefix)
        ))
    }
}

/// An address without a display name, quotes or anything that could become a header.
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let word = |part: &str, extra: &[u8]| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || extra.contains(&byte))
    };
    let labels =
        || domain.split('.').all(|label| word(label, b"-") && !label.starts_with('-') && !label.ends_with('-'));
    let local_words = local.split('.').all(|part| word(part, b"!#$%&'*+-/=?^_{|}~"));
    text.len() <= 254 && local.len() <= 64 && local_words && domain.contains('.') && labels()
}

fn wrong<T>(message: impl Into<String>) -> Result<T, InvalidRequest> {
    Err(InvalidRequest(message.into()))
}
