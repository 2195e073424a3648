//! The services outside AWS, and those of AWS that the emulator does not have: a stand-in for each, on this machine.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use stand_ins::edge::Edge;
use stand_ins::emulator::REGION;
use stand_ins::postgres::Postgres;
use stand_ins::qlik::{Qlik, QlikOptions};
use stand_ins::quicksight::{CALLS_A_SECOND, QuickSight, QuickSightOptions};
use stand_ins::redshift::{Redshift, RedshiftOptions};
use stand_ins::signed::Caller;
use stand_ins::slack::{Slack, SlackOptions};

use crate::sql::Sql;

/// The stand-ins of one run. They end with the runtime they were started on; PostgreSQL ends when this is dropped.
pub(crate) struct Services {
    /// Qlik Cloud.
    pub(crate) qlik: Qlik,
    /// The API key that the Qlik stand-in accepts; nothing outside this machine accepts it.
    pub(crate) qlik_key: String,
    /// QuickSight's snapshot jobs.
    pub(crate) quicksight: QuickSight,
    /// Slack.
    pub(crate) slack: Slack,
    /// The client secret of the app that the Slack stand-in knows.
    pub(crate) slack_secret: String,
    /// The web server for pages behind the emulator's CloudFront.
    pub(crate) edge: Edge,
    warehouse: Option<Warehouse>,
}

/// Redshift.
pub(crate) struct Warehouse {
    /// The Data API.
    pub(crate) redshift: Redshift,
    /// Runs statements in [`DATABASE`].
    pub(crate) sql: Sql,
    postgres: Postgres,
}

/// The origin of pages in the local tenant's file. A fixed port would be free only by luck, so each run replaces it by the edge's.
pub(crate) const PAGE_ORIGIN: &str = "http://127.0.0.1:4173";

/// The database of the local tenant's warehouse.
pub(crate) const DATABASE: &str = "sales";

/// The app that the Slack stand-in knows, and the organization it belongs to.
pub(crate) const SLACK_CLIENT_ID: &str = "1234567890.1234567890123";
/// The organization of [`SLACK_CLIENT_ID`].
pub(crate) const SLACK_ENTERPRISE_ID: &str = "E012ABCDEFG";

/// A reload takes two seconds here, and a report one: long enough to be seen running, short enough to wait for.
const QUEUED: Duration = Duration::from_millis(500);
const RELOADING: Duration = Duration::from_millis(1500);
const SNAPSHOT_RUNNING: Duration = Duration::from_secs(1);

/// Slack promises 20 and allows bursts, which this stand-in does not.
const SLACK_FILES_A_MINUTE: usize = 20;

/// Few enough to expose a caller that reads only the first page of a result, and enough for ten thousand rows to come in seconds.
const ROWS_A_PAGE: usize = 1000;

impl Services {
    /// Starts them on free ports of the loopback interface, the warehouse only if it is used. PostgreSQL writes its log into `folder`;
    /// `python` is the interpreter of the virtual environment that may contain it.
    ///
    /// # Errors
    ///
    /// If no port is free, or PostgreSQL does not start.
    pub(crate) async fn start(folder: &Path, python: &Path, uses_warehouse: bool) -> anyhow::Result<Services> {
        let secret = || std::iter::repeat_with(fastrand::alphanumeric).take(32).collect::<String>();
        let (qlik_key, slack_secret) = (secret(), secret());
        let options = QlikOptions { api_key: qlik_key.clone(), queued: QUEUED, reloading: RELOADING };
        let qlik = Qlik::start(options).await?;
        let options = QuickSightOptions { queued: QUEUED, running: SNAPSHOT_RUNNING, calls_a_second: CALLS_A_SECOND };
        let quicksight = QuickSight::start(options).await?;
        let options = SlackOptions {
            client_id: SLACK_CLIENT_ID.to_owned(),
            client_secret: slack_secret.clone(),
            enterprise_id: SLACK_ENTERPRISE_ID.to_owned(),
            files_a_minute: SLACK_FILES_A_MINUTE,
        };
        let slack = Slack::start(options).await?;
        let warehouse = if uses_warehouse { Some(Warehouse::start(folder, python).await?) } else { None };
        let edge = Edge::start().await?;
        Ok(Services { qlik, qlik_key, quicksight, slack, slack_secret, edge, warehouse })
    }

    /// Gives the emulator's address to the stand-ins that call AWS themselves.
    pub(crate) fn connect(&self, emulator: &Caller) {
        self.quicksight.writes_to(emulator);
        if let Some(warehouse) = &self.warehouse {
            warehouse.redshift.connect(emulator.clone());
        }
    }

    /// The variables that functions need to reach them.
    pub(crate) fn variables(&self) -> Vec<(&str, &str)> {
        let mut variables = vec![
            ("QLIK_ENDPOINT_URL", self.qlik.url.as_str()),
            ("AWS_ENDPOINT_URL_QUICKSIGHT", &self.quicksight.url),
            ("SLACK_ENDPOINT_URL", &self.slack.url),
        ];
        if let Some(warehouse) = &self.warehouse {
            variables.push(("AWS_ENDPOINT_URL_REDSHIFT_DATA", &warehouse.redshift.url));
        }
        variables
    }

    /// Their names and addresses, for people.
    pub(crate) fn addresses(&self) -> Vec<(&'static str, &str)> {
        let mut addresses = vec![
            ("Qlik stand-in", self.qlik.url.as_str()),
            ("QuickSight stand-in", &self.quicksight.url),
            ("Slack stand-in", &self.slack.url),
            ("CloudFront's pages", &self.edge.url),
        ];
        if let Some(warehouse) = &self.warehouse {
            addresses.push(("Redshift stand-in", &warehouse.redshift.url));
        }
        addresses
    }

    /// The warehouse.
    ///
    /// # Errors
    ///
    /// If it was not started, because the system says that it does not use one.
    pub(crate) fn warehouse(&self) -> anyhow::Result<&Warehouse> {
        self.warehouse.as_ref().context("the warehouse is not running: the system needs `uses_warehouse: true`")
    }

    /// Stops PostgreSQL and waits until it has ended.
    pub(crate) async fn stop(self) {
        if let Some(warehouse) = self.warehouse {
            warehouse.postgres.stop().await;
        }
    }
}

impl Warehouse {
    async fn start(folder: &Path, python: &Path) -> anyhow::Result<Warehouse> {
        let postgres = Postgres::start(folder, python).await?;
        let options = RedshiftOptions { database: DATABASE, region: REGION, rows_a_page: ROWS_A_PAGE };
        let redshift = Redshift::start(&postgres, options).await?;
        let sql = Sql::new(Caller::new(&redshift.url, REGION, Caller::administrator()), DATABASE);
        Ok(Warehouse { redshift, sql, postgres })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_local_tenant_names_what_the_services_have() {
        let tenant = crate::roster::tenant_file("x86_64");
        let slack = [format!("client_id: \"{SLACK_CLIENT_ID}\""), format!("enterprise_id: {SLACK_ENTERPRISE_ID}")];
        for setting in slack.into_iter().chain([format!("origin: {PAGE_ORIGIN}"), format!("database: {DATABASE} ")]) {
            assert!(tenant.contains(&setting), "{setting}");
        }
    }
}
