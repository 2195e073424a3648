//! What `StartDashboardSnapshotJob` takes, checked against the limits in its documentation.

use serde_json::Value;

/// A request that would be accepted.
pub(super) struct Request {
    pub(super) job: String,
    pub(super) configuration: Value,
    pub(super) tag_keys: Vec<Value>,
}

/// The request, or one sentence about what is wrong.
pub(super) fn parse(account: &str, dashboard: &str, body: &[u8]) -> Result<Request, String> {
    let mut body: Value = serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))?;
    let job = body["SnapshotJobId"].as_str().unwrap_or_default().to_owned();
    ensure(
        account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()),
        "AwsAccountId must have 12 digits",
    )?;
    ensure(is_id(dashboard), "DashboardId must be 1 to 512 of [\\w-]")?;
    ensure(is_id(&job), "SnapshotJobId must be 1 to 512 of [\\w-]")?;
    let users = list(&body["UserConfiguration"]["AnonymousUsers"]);
    ensure(users.len() == 1, "AnonymousUsers must have exactly one user")?;
    let tags = list(&users[0]["RowLevelPermissionTags"]);
    ensure(tags.len() <= 50, "RowLevelPermissionTags may have at most 50 tags")?;
    let key =
        |tag: &Value| tag["Key"].as_str().is_some_and(|key| (1..=128).contains(&key.len())) && tag["Value"].is_string();
    ensure(tags.iter().all(key), "a row-level permission tag needs a Key of 1 to 128 and a Value")?;
    let tag_keys = tags.iter().map(|tag| tag["Key"].clone()).collect();
    let configuration = body["SnapshotConfiguration"].take();
    check(&configuration)?;
    Ok(Request { job, configuration, tag_keys })
}

/// The items of a list, none if it is missing.
pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn check(configuration: &Value) -> Result<(), String> {
    let groups = list(&configuration["FileGroups"]);
    ensure((1..=7).contains(&groups.len()), "FileGroups must have 1 to 7 groups")?;
    for group in groups {
        ensure(list(&group["Files"]).len() == 1, "Files must have exactly one file")?;
        check_file(&group["Files"][0])?;
    }
    let count = |format: &str| groups.iter().filter(|group| group["Files"][0]["FormatType"] == format).count();
    ensure(
        count("PDF") <= 1 && count("EXCEL") <= 1 && count("CSV") <= 5,
        "a job has at most 1 PDF, 1 EXCEL and 5 CSV",
    )?;
    let destinations = list(&configuration["DestinationConfiguration"]["S3Destinations"]);
    ensure(destinations.len() == 1, "S3Destinations must have exactly one destination")?;
    let bucket = &destinations[0]["BucketConfiguration"];
    for name in ["BucketName", "BucketPrefix", "BucketRegion"] {
        ensure(bucket[name].as_str().is_some_and(|text| !text.is_empty()), &format!("{name} must be given"))?;
    }
    ensure(bucket["BucketRegion"] == crate::emulator::REGION, "the bucket must be in the region of the call")?;
    for (name, is_right) in PARAMETERS {
        let parameters = list(&configuration["Parameters"][name]);
        ensure(parameters.len() <= 100, &format!("{name} may have at most 100 parameters"))?;
        let right =
            |parameter: &Value| parameter["Name"].is_string() && list(&parameter["Values"]).iter().all(is_right);
        ensure(parameters.iter().all(right), &format!("{name} must have a Name and Values of its type"))?;
    }
    Ok(())
}

type IsRight = fn(&Value) -> bool;

const PARAMETERS: [(&str, IsRight); 4] = [
    ("StringParameters", Value::is_string),
    ("IntegerParameters", Value::is_i64),
    ("DecimalParameters", Value::is_number),
    ("DateTimeParameters", Value::is_number),
];

fn check_file(file: &Value) -> Result<(), String> {
    let format = file["FormatType"].as_str().unwrap_or_default();
    ensure(["PDF", "CSV", "EXCEL"].contains(&format), "FormatType must be PDF, CSV or EXCEL")?;
    let selections = list(&file["SheetSelections"]);
    ensure((1..=5).contains(&selections.len()), "SheetSelections must have 1 to 5 sheets")?;
    for selection in selections {
        let (scope, visuals) = (selection["SelectionScope"].as_str(), list(&selection["VisualIds"]).len());
        ensure(selection["SheetId"].as_str().is_some_and(is_id), "SheetId must be 1 to 512 of [\\w-]")?;
        match format {
            "PDF" => ensure(scope == Some("ALL_VISUALS") && visuals == 0, "a PDF takes ALL_VISUALS and no VisualIds")?,
            "CSV" => ensure(scope == Some("SELECTED_VISUALS") && visuals == 1, "a CSV takes exactly one visual")?,
            _ => ensure(
                scope == Some("SELECTED_VISUALS") && (1..=5).contains(&visuals),
                "an EXCEL takes 1 to 5 visuals",
            )?,
        }
    }
    Ok(())
}

fn is_id(text: &str) -> bool {
    (1..=512).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn ensure(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}
