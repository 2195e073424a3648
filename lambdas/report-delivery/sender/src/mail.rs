//! Reports by e-mail.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::config::Builder;
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{Attachment, Body, Content, Destination, EmailContent, Message};
use aws_types::SdkConfig;
use function::outcome::is_denied;
use function::{AtMostOnce, Failure, Outcome};
use report_queue::{Job, NotSent, Request};

use crate::settings::Mail;

/// Refusals that are not about the mail: an operator has to set something up, or has turned something off.
const NOT_SET_UP: &[&str] =
    &["AccountSuspendedException", "MailFromDomainNotVerifiedException", "NotFoundException", "SendingPausedException"];

/// SES, and the bucket that the attachments come from.
pub(crate) struct Mails {
    ses: Client,
    s3: aws_sdk_s3::Client,
    bucket: String,
    settings: Mail,
}

impl Mails {
    /// The client sends a mail once: SES cannot distinguish a second attempt from a second mail.
    pub(crate) fn new(config: &SdkConfig, s3: aws_sdk_s3::Client, bucket: String, settings: Mail) -> Mails {
        let config = Builder::from(config)
            .retry_config(RetryConfig::standard().with_max_attempts(2))
            .retry_classifier(AtMostOnce::<SendEmailError>::new());
        Mails { ses: Client::from_conf(config.build()), s3, bucket, settings }
    }

    /// Sends one mail to the request's recipients, who do not see each other.
    pub(crate) async fn send(&self, job: &Job, request: &Request) -> Result<(), NotSent> {
        let attachments = self.attachments(job).await?;
        let subject = format!("Report {} ({})", job.key.dashboard, request.format.name());
        let text = match (&attachments, &self.settings.link_base) {
            (Some(_), _) => "The report is attached.".to_owned(),
            (None, Some(base)) => format!(
                "The report is ready, but too large to attach. Download it with your key from\r\n{}/download_output/{}/{}",
                base.trim_end_matches('/'),
                job.key.dashboard,
                job.key.job
            ),
            (None, None) => format!(
                "The report is ready, but too large to attach. In the report API, it is job {} of dashboard {}.",
                job.key.job, job.key.dashboard
            ),
        };
        let content = |text: String| Content::builder().data(text).charset("UTF-8").build().expect("it has its data");
        let message = Message::builder()
            .subject(content(subject))
            .body(Body::builder().text(content(text)).build())
            .set_attachments(attachments)
            .build();
        let recipients = Some(request.recipients.clone());
        let destination = match request.recipients.len() {
            1 => Destination::builder().set_to_addresses(recipients),
            _ => Destination::builder().set_bcc_addresses(recipients),
        };
        let send = self
            .ses
            .send_email()
            .from_email_address(&self.settings.from)
            .destination(destination.build())
            .content(EmailContent::builder().simple(message).build());
        let Err(error) = send.send().await else { return Ok(()) };
        // The service's messages quote addresses, so only the code is kept.
        let Failure { outcome, code } = Failure::of(&error);
        Err(match outcome {
            _ if is_denied(&code) || NOT_SET_UP.contains(&code.as_str()) => NotSent::NotNow(code),
            Outcome::Refused => NotSent::Refused(code),
            Outcome::NotDone => NotSent::NotNow(code),
            Outcome::Unknown => NotSent::Unknown(code),
        })
    }

    /// The job's files, or `None` if they are too large in total.
    async fn attachments(&self, job: &Job) -> Result<Option<Vec<Attachment>>, NotSent> {
        let mut left = self.settings.attach_bytes;
        let mut attachments = Vec::new();
        for (number, file) in job.files.iter().enumerate() {
            let get = self.s3.get_object().bucket(&self.bucket).key(&file.key);
            let object = get.send().await.map_err(|error| unread(Failure::of(&error)))?;
            // Unread content is not downloaded: the connection is dropped with the body.
            let size = object.content_length().and_then(|size| u64::try_from(size).ok()).unwrap_or(u64::MAX);
            if size > left {
                return Ok(None);
            }
            left -= size;
            let bytes = object.body.collect().await.map_err(|_| unread(cut_off()))?.into_bytes();
            let (extension, kind) = match file.format.as_str() {
                "CSV" => ("csv", "text/csv"),
                "EXCEL" => ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
                _ => ("pdf", "application/pdf"),
            };
            let name = match job.files.len() {
                1 => format!("{}.{extension}", job.key.dashboard),
                _ => format!("{}-{}.{extension}", job.key.dashboard, number + 1),
            };
            let attachment = Attachment::builder().raw_content(Blob::new(bytes)).file_name(name).content_type(kind);
            attachments.push(attachment.build().expect("content and name are set"));
        }
        Ok(Some(attachments))
    }
}

/// Nothing was sent yet, so all that matters is whether the file will ever be there.
fn unread(failure: Failure) -> NotSent {
    match failure.code.as_str() {
        "NoSuchKey" => NotSent::Refused(failure.code),
        code => NotSent::NotNow(format!("the report bucket cannot be used: {code}")),
    }
}

fn cut_off() -> Failure {
    Failure { outcome: Outcome::Unknown, code: "the file was cut off".to_owned() }
}
