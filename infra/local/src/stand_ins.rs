//! Everything that is not AWS, or that the emulator has not, played by this process.

use std::time::Duration;

use crate::qlik::{self, Qlik};
use crate::quicksight::{self, QuickSight};

/// The stand-ins of one run. They end with the runtime they were started on.
#[derive(Clone)]
pub struct StandIns {
    /// Qlik Cloud.
    pub qlik: Qlik,
    /// The API key that the Qlik stand-in takes; nothing outside this machine does.
    pub qlik_key: String,
    /// QuickSight's snapshot jobs.
    pub quicksight: QuickSight,
}

/// A reload takes two seconds here, and a report one: long enough to be seen under way, short enough to wait for.
const QUEUED: Duration = Duration::from_millis(500);
const RELOADING: Duration = Duration::from_millis(1500);
const SNAPSHOT_RUNNING: Duration = Duration::from_secs(1);

impl StandIns {
    /// Starts all of them on free ports of the loopback interface.
    ///
    /// # Errors
    ///
    /// When no port is free.
    pub async fn start() -> anyhow::Result<StandIns> {
        let qlik_key: String = std::iter::repeat_with(fastrand::alphanumeric).take(32).collect();
        let options = qlik::Options { api_key: qlik_key.clone(), queued: QUEUED, reloading: RELOADING };
        let qlik = Qlik::start(options).await?;
        let calls_a_second = quicksight::CALLS_A_SECOND;
        let options = quicksight::Options { queued: QUEUED, running: SNAPSHOT_RUNNING, calls_a_second };
        Ok(StandIns { qlik, qlik_key, quicksight: QuickSight::start(options).await? })
    }

    /// What functions must be told to reach them.
    pub fn variables(&self) -> Vec<(&str, &str)> {
        vec![("QLIK_ENDPOINT_URL", &self.qlik.url), ("AWS_ENDPOINT_URL_QUICKSIGHT", &self.quicksight.url)]
    }

    /// Their names and addresses, for people.
    pub fn addresses(&self) -> Vec<(&'static str, &str)> {
        vec![("Qlik stand-in", &self.qlik.url), ("QuickSight stand-in", &self.quicksight.url)]
    }
}
