//! Everything that is not AWS, or that the emulator has not, played on this machine.

use std::path::Path;
use std::time::Duration;

use stand_ins::edge::Edge;
use stand_ins::emulator::REGION;
use stand_ins::postgres::Postgres;
use stand_ins::qlik::{Qlik, QlikOptions};
use stand_ins::quicksight::{CALLS_A_SECOND, QuickSight, QuickSightOptions};
use stand_ins::redshift::{Redshift, RedshiftOptions};
use stand_ins::signed::Caller;
use stand_ins::slack::{Slack, SlackOptions};

use crate::slack_connector::{CLIENT_ID, ENTERPRISE_ID};
use crate::sql::Sql;
use crate::write_back::DATABASE;

/// The stand-ins of one run. They end with the runtime they were started on, PostgreSQL when this is dropped.
pub(crate) struct Services {
    /// Qlik Cloud.
    pub(crate) qlik: Qlik,
    /// The API key that the Qlik stand-in takes; nothing outside this machine does.
    pub(crate) qlik_key: String,
    /// QuickSight's snapshot jobs.
    pub(crate) quicksight: QuickSight,
    /// Redshift's Data API.
    pub(crate) redshift: Redshift,
    /// Slack.
    pub(crate) slack: Slack,
    /// The client secret of the app that the Slack stand-in knows.
    pub(crate) slack_secret: String,
    /// The way to its database.
    pub(crate) sql: Sql,
    /// What browsers get the query app's page from.
    pub(crate) edge: Edge,
    postgres: Postgres,
}

/// A reload takes two seconds here, and a report one: long enough to be seen under way, short enough to wait for.
const QUEUED: Duration = Duration::from_millis(500);
const RELOADING: Duration = Duration::from_millis(1500);
const SNAPSHOT_RUNNING: Duration = Duration::from_secs(1);

/// Slack promises 20 and lets bursts through. With fewer than the exercise needs in a minute, it would wait for the minute's end.
const SLACK_FILES_A_MINUTE: usize = 60;

/// Few enough that what reads only the first page of a result is found out, and enough for ten thousand rows to come in seconds.
const ROWS_A_PAGE: usize = 1000;

impl Services {
    /// Starts all of them on free ports of the loopback interface. PostgreSQL writes its log into `folder`; `python` is the
    /// interpreter of the virtual environment that may carry it.
    ///
    /// # Errors
    ///
    /// When no port is free, or PostgreSQL does not start.
    pub(crate) async fn start(folder: &Path, python: &Path) -> anyhow::Result<Services> {
        let secret = || std::iter::repeat_with(fastrand::alphanumeric).take(32).collect::<String>();
        let (qlik_key, slack_secret) = (secret(), secret());
        let options = QlikOptions { api_key: qlik_key.clone(), queued: QUEUED, reloading: RELOADING };
        let qlik = Qlik::start(options).await?;
        let calls_a_second = CALLS_A_SECOND;
        let options = QuickSightOptions { queued: QUEUED, running: SNAPSHOT_RUNNING, calls_a_second };
        let quicksight = QuickSight::start(options).await?;
        let options = SlackOptions {
            client_id: CLIENT_ID.to_owned(),
            client_secret: slack_secret.clone(),
            enterprise_id: ENTERPRISE_ID.to_owned(),
            files_a_minute: SLACK_FILES_A_MINUTE,
        };
        let slack = Slack::start(options).await?;
        let postgres = Postgres::start(folder, python).await?;
        let options = RedshiftOptions { database: DATABASE, region: REGION, rows_a_page: ROWS_A_PAGE };
        let redshift = Redshift::start(&postgres, options).await?;
        let sql = Sql::new(Caller::new(&redshift.url, REGION, Caller::administrator()), DATABASE);
        let edge = Edge::start().await?;
        Ok(Services { qlik, qlik_key, quicksight, redshift, slack, slack_secret, sql, edge, postgres })
    }

    /// Tells those that call AWS themselves where it is.
    pub(crate) fn connect(&self, emulator: &Caller) {
        self.quicksight.writes_to(emulator);
        self.redshift.connect(emulator.clone());
    }

    /// What functions must be told to reach them.
    pub(crate) fn variables(&self) -> Vec<(&str, &str)> {
        vec![
            ("QLIK_ENDPOINT_URL", &self.qlik.url),
            ("AWS_ENDPOINT_URL_QUICKSIGHT", &self.quicksight.url),
            ("AWS_ENDPOINT_URL_REDSHIFT_DATA", &self.redshift.url),
            ("SLACK_ENDPOINT_URL", &self.slack.url),
        ]
    }

    /// Their names and addresses, for people.
    pub(crate) fn addresses(&self) -> Vec<(&'static str, &str)> {
        vec![
            ("Qlik stand-in", &self.qlik.url),
            ("QuickSight stand-in", &self.quicksight.url),
            ("Redshift stand-in", &self.redshift.url),
            ("Slack stand-in", &self.slack.url),
            ("page of the query app", &self.edge.url),
        ]
    }

    /// Ends PostgreSQL and waits until it is gone.
    pub(crate) async fn stop(self) {
        self.postgres.stop().await;
    }
}
