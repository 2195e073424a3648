//! Sends files to an SFTP server with a Transfer Family connector.

use aws_sdk_transfer::Client;
use aws_types::SdkConfig;
use function::outcome::is_denied;
use function::{Failure, Outcome};
use report_queue::{Job, NotSent};
use tracing::info;

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
    pub(crate) async fn send(&self, job: &Job) -> Result<(), NotSent> {
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
                    let Failure { outcome, code } = Failure::of(&error);
                    return Err(match outcome {
                        // An operator has to create the connector, or to allow its use.
                        _ if is_denied(&code) || code == "ResourceNotFoundException" => NotSent::NotNow(code),
                        Outcome::Refused => NotSent::Refused(code),
                        Outcome::NotDone => NotSent::NotNow(code),
                        Outcome::Unknown => NotSent::Unknown(code),
                    });
                }
            }
        }
        Ok(())
    }
}
