//! Reads requests: the resource, and the parts of the request that it needs.

use report_queue::{JobKey, is_id};
use serde_json::Value;

use crate::error::{Error, Result};

/// One request, parsed.
#[derive(Debug)]
pub(crate) enum Call<'a> {
    /// `POST /qs-anonymous-snapshot`
    Submit { body: &'a str, idempotency_key: Option<&'a str> },
    /// `GET /qs-anonymous-snapshot?dashboardId=&nextToken=`
    List { dashboard: Option<&'a str>, token: Option<&'a str> },
    /// `GET /qs-anonymous-snapshot/describe_job/{dashboardId}/{jobId}`
    Describe(JobKey),
    /// `GET /qs-anonymous-snapshot/describe_job_result/{dashboardId}/{jobId}`
    Result(JobKey),
    /// `GET /qs-anonymous-snapshot/download_output/{dashboardId}/{jobId}?file=`
    Download(JobKey, usize),
    /// `DELETE /qs-anonymous-snapshot/{dashboardId}/{jobId}`
    Delete(JobKey),
}

/// 400 parameters of 100 short values each fit; more would not fit into an item of a table.
const MAX_BODY: usize = 128 * 1024;

/// Parses a proxy event (version 1.0).
///
/// `resource` is the template's path, so neither the stage nor a custom domain's base path makes a difference.
pub(crate) fn call(event: &Value) -> Result<Call<'_>> {
    let text = |field: &str| event[field].as_str().unwrap_or_default();
    let resource = text("resource").strip_prefix("/qs-anonymous-snapshot").ok_or_else(Error::no_route)?;
    match (text("httpMethod"), resource) {
        ("POST", "") => submit(event),
        ("GET", "") => {
            let dashboard = query(event, "dashboardId").filter(|id| !id.is_empty());
            if let Some(dashboard) = dashboard {
                check("dashboardId", dashboard)?;
            }
            Ok(Call::List { dashboard, token: query(event, "nextToken").filter(|token| !token.is_empty()) })
        }
        (_, "") => Err(Error::method("GET, POST")),
        ("GET", "/describe_job/{dashboardId}/{jobId}") => key(event).map(Call::Describe),
        ("GET", "/describe_job_result/{dashboardId}/{jobId}") => key(event).map(Call::Result),
        ("GET", "/download_output/{dashboardId}/{jobId}") => Ok(Call::Download(key(event)?, file(event)?)),
        ("DELETE", "/{dashboardId}/{jobId}") => key(event).map(Call::Delete),
        (_, "/{dashboardId}/{jobId}") => Err(Error::method("DELETE")),
        (
            _,
            "/describe_job/{dashboardId}/{jobId}"
            | "/describe_job_result/{dashboardId}/{jobId}"
            | "/download_output/{dashboardId}/{jobId}",
        ) => Err(Error::method("GET")),
        _ => Err(Error::no_route()),
    }
}

fn submit(event: &Value) -> Result<Call<'_>> {
    if event["isBase64Encoded"] == true {
        return Err(Error::invalid("the body is binary; send it as JSON with Content-Type application/json"));
    }
    let body = event["body"].as_str().unwrap_or_default();
    if body.len() > MAX_BODY {
        let message = format!("the body has {} bytes; must be at most {MAX_BODY}", body.len());
        return Err(Error::too_large(message));
    }
    let visible = |key: &&str| (1..=256).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    let idempotency_key =
        match header(event, "Idempotency-Key") {
            None => None,
            Some(key) => Some(Some(key).filter(visible).ok_or_else(|| {
                Error::invalid("the header Idempotency-Key is not 1 to 256 visible ASCII characters")
            })?),
        };
    Ok(Call::Submit { body, idempotency_key })
}

fn key(event: &Value) -> Result<JobKey> {
    let parameter = |name: &str| {
        let value = event["pathParameters"][name].as_str().unwrap_or_default();
        check(name, value).map(|()| value.to_owned())
    };
    Ok(JobKey { dashboard: parameter("dashboardId")?, job: parameter("jobId")? })
}

/// The number of the job's file, counted from 1.
fn file(event: &Value) -> Result<usize> {
    let Some(text) = query(event, "file") else { return Ok(1) };
    let number = text.parse().ok().filter(|number| (1..=1000).contains(number));
    number.ok_or_else(|| Error::invalid("`file` is not the number of one of the job's files; must be 1 or more"))
}

/// An invalid ID names no job; it has its own error so that a typing error is noticed.
fn check(name: &str, value: &str) -> Result<()> {
    if is_id(value) {
        Ok(())
    } else {
        Err(Error::invalid(format!("`{name}` is not an ID; must be 1 to 512 letters, digits, _ and -")))
    }
}

fn query<'a>(event: &'a Value, name: &str) -> Option<&'a str> {
    event["queryStringParameters"][name].as_str()
}

fn header<'a>(event: &'a Value, name: &str) -> Option<&'a str> {
    let headers = event["headers"].as_object()?;
    headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?.1.as_str()
}
