//! [`QuickSight`] through its SDK.

use aws_sdk_quicksight::Client;
use aws_sdk_quicksight::config::Builder;
use aws_sdk_quicksight::config::retry::RetryConfig;
use aws_sdk_quicksight::error::ProvideErrorMetadata;
use aws_sdk_quicksight::operation::start_dashboard_snapshot_job::StartDashboardSnapshotJobError;
use aws_sdk_quicksight::primitives::DateTime;
use aws_sdk_quicksight::types::{
    self, DateTimeParameter, DecimalParameter, IntegerParameter, S3BucketConfiguration, SessionTag,
    SnapshotAnonymousUser, SnapshotConfiguration, SnapshotDestinationConfiguration, SnapshotFile,
    SnapshotFileFormatType, SnapshotFileGroup, SnapshotFileSheetSelection, SnapshotFileSheetSelectionScope,
    SnapshotJobErrorInfo, SnapshotJobResult, SnapshotJobStatus, SnapshotS3DestinationConfiguration,
    SnapshotUserConfiguration, StringParameter,
};
use function::{AtMostOnce, Failure, outcome};
use report_queue::files::Uploaded;
use report_queue::parameters::Parameters;
use report_queue::{Format, Job, JobKey, Outcome, QuickSight, Reason, RemoteStatus, Request, Started, Unavailable};

use crate::settings::Settings;

/// QuickSight's snapshot jobs in one account, for one tenant.
pub(crate) struct Snapshots {
    /// For Start, which is sent once: "there is no room" and "it already exists" are only reliable on the first attempt.
    starts: Client,
    /// For the calls that only read, and may be repeated.
    reads: Client,
    account: String,
    tenant: String,
    bucket: String,
    region: String,
}

impl Snapshots {
    pub(crate) fn new(settings: &Settings) -> Snapshots {
        let starts = Builder::from(&settings.quicksight_starts)
            .retry_config(RetryConfig::standard().with_max_attempts(2))
            .retry_classifier(AtMostOnce::<StartDashboardSnapshotJobError>::new());
        Snapshots {
            starts: Client::from_conf(starts.build()),
            reads: Client::new(&settings.quicksight),
            account: settings.account.clone(),
            tenant: settings.tenant.clone(),
            bucket: settings.bucket.clone(),
            region: settings.region.clone(),
        }
    }
}

impl QuickSight for Snapshots {
    async fn start(&self, job: &Job, request: &Request) -> Started {
        let prefix = format!("{}{}", job.key.prefix(&self.tenant), request.folder);
        let call = self
            .starts
            .start_dashboard_snapshot_job()
            .aws_account_id(&self.account)
            .dashboard_id(&job.key.dashboard)
            .snapshot_job_id(&job.key.job)
            .user_configuration(viewer(request))
            .snapshot_configuration(self.configuration(request, prefix));
        let Err(error) = call.send().await else { return Started::Accepted };
        if error.code() == Some("ResourceExistsException") {
            return Started::Exists;
        }
        let failure = Failure::of(&error);
        match failure.outcome {
            outcome::Outcome::NotDone => Started::Full(failure.code),
            outcome::Outcome::Unknown => Started::Unknown(unavailable(&failure)),
            outcome::Outcome::Refused => {
                let message = error.message().map_or_else(|| format!("quicksight answered: {failure}"), str::to_owned);
                Started::Refused(Reason::new(error.code().unwrap_or("REFUSED"), message))
            }
        }
    }

    async fn describe(&self, key: &JobKey) -> Result<Option<RemoteStatus>, Unavailable> {
        let call = self
            .reads
            .describe_dashboard_snapshot_job()
            .aws_account_id(&self.account)
            .dashboard_id(&key.dashboard)
            .snapshot_job_id(&key.job);
        match call.send().await {
            Ok(answer) => match answer.job_status {
                Some(status) => Ok(Some(RemoteStatus::parse(status.as_str()))),
                None => Err(Unavailable("quicksight reported no status".to_owned())),
            },
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(unavailable(&Failure::of(&error))),
        }
    }

    async fn result(&self, key: &JobKey) -> Result<Outcome, Unavailable> {
        let call = self
            .reads
            .describe_dashboard_snapshot_job_result()
            .aws_account_id(&self.account)
            .dashboard_id(&key.dashboard)
            .snapshot_job_id(&key.job);
        let answer = match call.send().await {
            Ok(answer) => answer,
            Err(error) => {
                let failure = Failure::of(&error);
                return match failure.outcome {
                    // Also "it has not reached a terminal state": the wait for a result has a limit.
                    outcome::Outcome::Refused => Ok(Outcome::NotYet),
                    outcome::Outcome::NotDone | outcome::Outcome::Unknown => Err(unavailable(&failure)),
                };
            }
        };
        Ok(match answer.job_status {
            Some(SnapshotJobStatus::Completed) => completed(answer.result),
            Some(SnapshotJobStatus::Failed) => Outcome::Failed(failure(answer.error_info, answer.result)),
            None | Some(SnapshotJobStatus::Queued | SnapshotJobStatus::Running) => Outcome::NotYet,
            Some(other) => {
                let message = "quicksight ended the job with a status that this release does not know";
                Outcome::Failed(Reason::new(other.as_str(), message))
            }
        })
    }
}

impl Snapshots {
    fn configuration(&self, request: &Request, prefix: String) -> SnapshotConfiguration {
        let given = "everything required is set";
        let (format, scope) = match request.format {
            Format::Pdf => (SnapshotFileFormatType::Pdf, SnapshotFileSheetSelectionScope::AllVisuals),
            Format::Csv => (SnapshotFileFormatType::Csv, SnapshotFileSheetSelectionScope::SelectedVisuals),
            Format::Excel => (SnapshotFileFormatType::Excel, SnapshotFileSheetSelectionScope::SelectedVisuals),
        };
        let visuals = (!request.visual_ids.is_empty()).then(|| request.visual_ids.clone());
        let selection = SnapshotFileSheetSelection::builder()
            .sheet_id(&request.sheet_id)
            .selection_scope(scope)
            .set_visual_ids(visuals)
            .build();
        let file = SnapshotFile::builder().sheet_selections(selection.expect(given)).format_type(format).build();
        let bucket = S3BucketConfiguration::builder()
            .bucket_name(&self.bucket)
            .bucket_prefix(prefix)
            .bucket_region(&self.region)
            .build();
        let destination =
            SnapshotS3DestinationConfiguration::builder().bucket_configuration(bucket.expect(given)).build();
        SnapshotConfiguration::builder()
            .file_groups(SnapshotFileGroup::builder().files(file.expect(given)).build())
            .destination_configuration(SnapshotDestinationConfiguration::builder().s3_destinations(destination).build())
            .set_parameters(parameters(&request.parameters))
            .build()
            .expect(given)
    }
}

/// The anonymous user for whom the rows are filtered.
fn viewer(request: &Request) -> SnapshotUserConfiguration {
    let tag = |tag: &report_queue::Tag| {
        SessionTag::builder().key(&tag.key).value(&tag.value).build().expect("key and value are set")
    };
    let tags = (!request.tags.is_empty()).then(|| request.tags.iter().map(tag).collect());
    let user = SnapshotAnonymousUser::builder().set_row_level_permission_tags(tags).build();
    SnapshotUserConfiguration::builder().anonymous_users(user).build()
}

/// `None` without parameters: some dashboards have none, and not every version of the API accepts an empty list.
fn parameters(parameters: &Parameters) -> Option<types::Parameters> {
    let given = "name and values are set";
    let mut builder = types::Parameters::builder();
    let mut some = false;
    for parameter in &parameters.string_parameters {
        let parameter =
            StringParameter::builder().name(&parameter.name).set_values(Some(parameter.values.clone())).build();
        builder = builder.string_parameters(parameter.expect(given));
        some = true;
    }
    for parameter in &parameters.integer_parameters {
        let parameter =
            IntegerParameter::builder().name(&parameter.name).set_values(Some(parameter.values.clone())).build();
        builder = builder.integer_parameters(parameter.expect(given));
        some = true;
    }
    for parameter in &parameters.decimal_parameters {
        let values = parameter.values.iter().filter_map(|value| value.value()).collect();
        let parameter = DecimalParameter::builder().name(&parameter.name).set_values(Some(values)).build();
        builder = builder.decimal_parameters(parameter.expect(given));
        some = true;
    }
    for parameter in &parameters.date_time_parameters {
        let values = parameter.values.iter().filter_map(|moment| moment.value().map(DateTime::from)).collect();
        let parameter = DateTimeParameter::builder().name(&parameter.name).set_values(Some(values)).build();
        builder = builder.date_time_parameters(parameter.expect(given));
        some = true;
    }
    some.then(|| builder.build())
}

/// The files of every group, and the first reported error.
fn completed(result: Option<SnapshotJobResult>) -> Outcome {
    let mut uploaded = Vec::new();
    let mut reason = None;
    for group in groups(result) {
        let format = group.files.unwrap_or_default().first().map(|file| file.format_type.as_str().to_owned());
        for file in group.s3_results.unwrap_or_default() {
            let errors = file.error_info.unwrap_or_default();
            reason = reason
                .or_else(|| errors.into_iter().next().map(|error| reason_of(error.error_type, error.error_message)));
            if let Some(uri) = file.s3_uri {
                uploaded.push(Uploaded { format: format.clone().unwrap_or_default(), uri });
            }
        }
    }
    Outcome::Completed(uploaded, reason)
}

fn failure(info: Option<SnapshotJobErrorInfo>, result: Option<SnapshotJobResult>) -> Reason {
    if let Some(info) = info {
        return reason_of(info.error_type, info.error_message);
    }
    match completed(result) {
        Outcome::Completed(_, Some(reason)) => reason,
        _ => reason_of(None, None),
    }
}

fn groups(result: Option<SnapshotJobResult>) -> Vec<types::SnapshotJobResultFileGroup> {
    let users = result.and_then(|result| result.anonymous_users).unwrap_or_default();
    users.into_iter().flat_map(|user| user.file_groups.unwrap_or_default()).collect()
}

fn reason_of(kind: Option<String>, message: Option<String>) -> Reason {
    Reason::new(&kind.unwrap_or("FAILED".to_owned()), message.unwrap_or("quicksight gave no reason".to_owned()))
}

/// QuickSight's messages may quote the request, so only the code is kept.
fn unavailable(failure: &Failure) -> Unavailable {
    Unavailable(format!("quicksight cannot be used: {failure}"))
}
