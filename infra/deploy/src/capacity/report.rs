//! What `capacity` prints.

use std::fmt;

use crate::capacity::need::Need;
use crate::capacity::quotas::{Most, QUOTAS, Scope};
use crate::capacity::room::{self, Room};
use crate::cloudformation::snapshot::Snapshot;
use crate::{Assembly, Error, Target};

/// Dollars per month for a secret: <https://aws.amazon.com/secrets-manager/pricing/>.
const SECRET: f64 = 0.40;
/// Dollars per month for an alarm: <https://aws.amazon.com/cloudwatch/pricing/>.
const ALARM: f64 = 0.10;

/// How many tenants fit into one account and region; displayed as a table, the quota that binds first.
#[derive(Debug)]
pub struct Capacity {
    place: String,
    tenants: u64,
    need: Need,
    rooms: Vec<Room>,
    /// Why the limits are not known, if they are not.
    note: Option<String>,
}

impl Capacity {
    /// What the account and region allow, and what of it these tenants use and need.
    ///
    /// # Errors
    ///
    /// If a template cannot be read, or CloudFormation does not answer.
    pub async fn of(target: &Target, tenants: &[Assembly]) -> Result<Capacity, Error> {
        let snapshot = Snapshot::take(target).await?;
        let (deployed, _) = room::split(target, tenants, &snapshot)?;
        let (limits, reason) = room::applied(target).await;
        let place = format!("account {}, region {}", target.account, target.region);
        let mut capacity = Capacity::by_default(place, tenants, reason.map(|reason| reason.to_string()))?;
        for room in &mut capacity.rooms {
            room.used = deployed.count(room.quota.counts);
            if let Some(limit) = limits.get(room.quota.name) {
                (room.limit, room.applied) = (*limit, true);
            }
        }
        Ok(capacity)
    }

    /// What a new account allows, of which nothing is used.
    ///
    /// # Errors
    ///
    /// If a template cannot be read.
    pub fn by_default(place: String, tenants: &[Assembly], note: Option<String>) -> Result<Capacity, Error> {
        let mut need = Need::default();
        for stack in tenants.iter().flat_map(|tenant| &tenant.stacks) {
            need += &Need::of(stack)?;
        }
        let room = |quota| Room { quota, limit: quota.default, applied: false, used: 0 };
        let rooms = QUOTAS.iter().map(room).collect();
        Ok(Capacity { place, tenants: tenants.len() as u64, need, rooms, note })
    }

    /// How many tenants fit that need as much as these do on average; `None` if they need nothing of the quota.
    fn fit(&self, room: &Room, limit: u64) -> Option<u64> {
        let need = self.need.count(room.quota.counts);
        (need > 0).then(|| limit.saturating_sub(room.used) * self.tenants / need)
    }
}

impl fmt::Display for Capacity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows: Vec<_> = self.rooms.iter().filter_map(|room| Some((self.fit(room, room.limit)?, room))).collect();
        rows.sort_by_key(|(fit, _)| *fit);
        let first = rows.first().map(|(fit, room)| format!("{fit} tenants fit; {} bind first", room.quota.name));
        writeln!(f, "{}: {}", self.place, first.unwrap_or_else(|| "nothing is needed".to_owned()))?;
        if let Some(note) = &self.note {
            writeln!(f, "limits are AWS's defaults: {note}")?;
        }
        writeln!(
            f,
            "{:<38} {:<8} {:>16} {:>7} {:>10} {:>6} {:>12}",
            "quota", "scope", "limit", "used", "per tenant", "fit", "fit if raised"
        )?;
        for (fit, room) in rows {
            let scope = if room.quota.scope == Scope::Account { "account" } else { "region" };
            let limit = if room.applied { room.limit.to_string() } else { format!("{} (default)", room.limit) };
            let each = self.need.count(room.quota.counts) as f64 / self.tenants as f64;
            let raised = match room.quota.most {
                Most::Fixed => "fixed".to_owned(),
                Most::Open => "-".to_owned(),
                Most::UpTo(most) => self.fit(room, most.max(room.limit)).unwrap_or_default().to_string(),
            };
            writeln!(
                f,
                "{:<38} {scope:<8} {limit:>16} {:>7} {each:>10.1} {fit:>6} {raised:>12}",
                room.quota.name, room.used
            )?;
        }
        let each = |count: u64| count as f64 / self.tenants.max(1) as f64;
        let (secrets, alarms) = (each(self.need.secrets()), each(self.need.alarms()));
        writeln!(
            f,
            "an idle tenant costs ${:.2} a month ({secrets:.0} secrets, {alarms:.0} alarms) and starts functions {:.0} times a month",
            secrets * SECRET + alarms * ALARM,
            each(self.need.starts())
        )
    }
}
