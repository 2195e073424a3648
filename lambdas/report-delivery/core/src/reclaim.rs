//! Frees slots that no job will give back.
//!
//! A job that somebody deleted from its table is not in the index of started jobs, so nothing else would ever look at its slot.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use tracing::{info, warn};

use crate::error::Unavailable;
use crate::follow::{DRAINING_LIMIT, SETTLING_LIMIT};
use crate::item::{Item, Value};
use crate::job_key::JobKey;
use crate::poller::{LEASE, Poller, Sweep, whole};
use crate::quicksight::QuickSight;
use crate::remote_status::RemoteStatus;
use crate::tables::{Change, Check, Table, Tables, Write, WriteError};

/// Longer than any job of any tenant has its slot: the tenant of an older one no longer has a poller, or cannot read the job.
const ABANDONED: Duration = Duration::from_secs(DRAINING_LIMIT.as_secs() + 24 * 60 * 60);

impl<T: Tables, Q: QuickSight> Poller<T, Q> {
    /// Frees this tenant's slots whose job does not exist, and slots of all tenants that are older than any job; `holders` were
    /// just seen to exist.
    pub(crate) async fn reclaim(
        &self,
        holders: &BTreeSet<String>,
        until: SystemTime,
        sweep: &mut Sweep,
    ) -> Result<(), Unavailable> {
        for item in self.tables.slots().await? {
            let Some(slot) = Taken::read(&item) else { continue };
            if self.clock.now() >= until {
                return Ok(());
            }
            let age = self.now().saturating_sub(slot.since);
            let own = slot.job.strip_prefix(&format!("{}/", self.tenant)).and_then(JobKey::parse);
            let is_free = match own {
                _ if age >= whole(ABANDONED) => Ok(true),
                Some(key) if age >= whole(LEASE) && !holders.contains(&slot.job) => {
                    self.is_orphan(&key, &slot, age).await
                }
                _ => Ok(false),
            };
            match is_free {
                Ok(true) => self.give_back(&slot, sweep).await,
                Ok(false) => {}
                Err(reason) => {
                    warn!(step = "reclaim", slot = slot.name, %reason);
                    sweep.failures += 1;
                }
            }
        }
        Ok(())
    }

    /// Whether the job is not in the table, and QuickSight is done with it.
    async fn is_orphan(&self, key: &JobKey, slot: &Taken, age: u64) -> Result<bool, Unavailable> {
        // The index may be behind.
        if let Some(item) = self.tables.job(key).await?
            && item.get("slot") == Some(&slot.name.as_str().into())
        {
            return Ok(false);
        }
        Ok(match self.quicksight.describe(key).await {
            Ok(Some(RemoteStatus::Completed | RemoteStatus::Failed)) => true,
            // It may have ended with a word that this release does not know, or be running although QuickSight says otherwise.
            Ok(None | Some(RemoteStatus::Other(_))) => age >= whole(SETTLING_LIMIT),
            Ok(Some(RemoteStatus::Queued | RemoteStatus::Running)) | Err(_) => age >= whole(DRAINING_LIMIT),
        })
    }

    async fn give_back(&self, slot: &Taken, sweep: &mut Sweep) {
        let checks = vec![Check::Is("job", slot.job.as_str().into()), Check::Is("since", slot.since.into())];
        let change = Change { item: Table::Slots(slot.name.clone()), checks, write: Write::Delete };
        match self.tables.write(vec![change]).await {
            Ok(()) => info!(step = "reclaim", slot = slot.name, job = slot.job),
            // The job gave it back, or another poller did.
            Err(WriteError::Refused(_)) => {}
            Err(WriteError::Unknown(reason)) => {
                warn!(step = "reclaim", slot = slot.name, %reason);
                sweep.failures += 1;
            }
        }
    }
}

/// A slot that a job has.
struct Taken {
    name: String,
    /// Tenant and key of the job.
    job: String,
    since: u64,
}

impl Taken {
    /// `None` for a place in the line.
    fn read(item: &Item) -> Option<Taken> {
        let text = |name: &str| match item.get(name) {
            Some(Value::S(text)) => Some(text.clone()),
            _ => None,
        };
        let since = match item.get("since") {
            Some(Value::N(since)) => *since,
            _ => 0,
        };
        let name = text("slot").filter(|name| name.starts_with("slot#"))?;
        Some(Taken { name, job: text("job")?, since })
    }
}
