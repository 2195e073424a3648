//! Sends files to an SFTP server with a Transfer Family connector.

use aws_sdk_transfer::Client;
use aws_sdk_transfer::error::ProvideErrorMetadata;
use aws_types::SdkConfig;
use report_queue::Job;
use tracing::info;

use crate::delivery::Failure;
use crate::settings::Sftp;

/// A connector.
pub(crate) struct Transfers {
    client: Client,
    bucket: String,
    to: Sftp,
}

/// Files per call: <https://docs.aws.amazon.com/transfer/latest/APIReference/API_StartFileTransfer.html>.
const FILES: usize = 10;

impl Transfers {
    pub(crate) fn new(config: &SdkConfig, bucket: String, to: Sftp) -> Transfers {
        Transfers { client: Client::new(config), bucket, to }
    }

    /// Starts the transfers; the connector's log reports how they end. Repeating it writes the same files.
    pub(crate) async fn send(&self, job: &Job) -> Result<(), Failure> {
        for files in job.files.chunks(FILES) {
            let paths = files.iter().map(|file| format!("/{}/{}", self.bucket, file.key)).collect();
            let start = self
                .client
                .start_file_transfer()
                .connector_id(&self.to.connector)
                .set_send_file_paths(Some(paths))
                .set_remote_directory_path(self.to.folder.clone());
            match start.send().await {
                Ok(answer) => info!(step = "transfer", transfer = answer.transfer_id),
                Err(error) => {
                    return Err(match error.code() {
                        Some(code @ "InvalidRequestException") => Failure::Refused(code.to_owned()),
                        code => Failure::Unknown(code.unwrap_or("no answer").to_owned()),
                    });
                }
            }
        }
        Ok(())
    }
}
