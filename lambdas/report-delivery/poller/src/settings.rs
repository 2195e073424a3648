//! The function's settings, read from its environment once at the start.

use std::time::Duration;

use aws_types::SdkConfig;
use function::{Invalid, aws, environment, required};

/// The function's settings.
pub struct Settings {
    pub(crate) tenant: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) jobs_table: String,
    pub(crate) slot_table: String,
    pub(crate) slots: u32,
    pub(crate) bucket: String,
    /// How long a job's record is kept after its end.
    pub(crate) kept: Duration,
    pub(crate) dynamodb: SdkConfig,
    pub(crate) quicksight: SdkConfig,
    /// QuickSight for calls that must not be carried out twice.
    pub(crate) quicksight_starts: SdkConfig,
}

/// Less than QuickSight's default of 12, so that people can run some of their own.
const SLOTS: u32 = 5;

/// The longest time that one call to QuickSight may take.
const TIME_OUT: Duration = Duration::from_secs(10);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// More than any quota that QuickSight grants.
const MOST_SLOTS: u32 = 100;

impl Settings {
    /// Reads the settings from the environment variables that `variable` returns.
    ///
    /// `TENANT`, `ACCOUNT_ID`, `JOBS_TABLE`, `SLOT_TABLE` and `REPORT_BUCKET` are required; `SLOTS` (1 to 100) defaults to 5 and
    /// `RETENTION_DAYS` (1 to 3650), for which a job is listed after its end, to 30.
    ///
    /// # Errors
    ///
    /// If one is missing or malformed; the message names the variable.
    pub fn read(variable: &impl Fn(&str) -> Option<String>) -> Result<Settings, Invalid> {
        let quicksight = aws::with_time(aws::service(variable, "QUICKSIGHT")?, TIME_OUT);
        let days: u32 = environment::number(variable, "RETENTION_DAYS", 30, 1..=3650)?;
        Ok(Settings {
            tenant: required(variable, "TENANT")?,
            account: required(variable, "ACCOUNT_ID")?,
            region: required(variable, "AWS_REGION")?,
            jobs_table: required(variable, "JOBS_TABLE")?,
            slot_table: required(variable, "SLOT_TABLE")?,
            slots: environment::number(variable, "SLOTS", SLOTS, 1..=MOST_SLOTS)?,
            bucket: required(variable, "REPORT_BUCKET")?,
            kept: DAY * days,
            dynamodb: aws::service(variable, "DYNAMODB")?,
            quicksight_starts: aws::without_idle_connections(variable, quicksight.clone()),
            quicksight,
        })
    }
}
