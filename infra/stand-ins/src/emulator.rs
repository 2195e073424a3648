//! MiniStack, the AWS emulator, as a child process.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;

use crate::child::Supervised;
use crate::front::Front;
use crate::signed::{Caller, KEY};

/// A running emulator with nothing in it. It ends when this is dropped, or this process does.
#[derive(Debug)]
pub struct Emulator {
    /// For SDK clients and the deployer.
    pub config: SdkConfig,
    /// For everything else.
    pub caller: Caller,
    /// Host and port of the emulator itself. WebSockets use it, because the front forwards only requests and answers.
    pub address: String,
    /// Its log.
    pub log: PathBuf,
    child: Supervised,
}

/// How to start the emulator, and which variables its functions get.
#[derive(Debug)]
pub struct Start<'a> {
    /// The Python interpreter of the virtual environment with MiniStack in it.
    pub python: &'a Path,
    /// Where it may write; removed by the caller.
    pub folder: &'a Path,
    /// Variables that every function gets, such as `QLIK_ENDPOINT_URL`. The emulator passes its own environment on to the functions,
    /// so it contains nothing but these and what it needs itself.
    pub variables: &'a [(&'a str, &'a str)],
}

/// The region that everything is deployed to.
pub const REGION: &str = "us-east-1";

/// It usually takes a second or two; a first run has to compile its Python.
const LONGEST_START: Duration = Duration::from_secs(180);

impl Emulator {
    /// Starts MiniStack on a free port of the loopback interface, with IAM policies enforced, and waits until it answers.
    ///
    /// # Errors
    ///
    /// If it is not installed, exits early or does not answer; its log is quoted.
    pub async fn start(start: Start<'_>) -> anyhow::Result<Emulator> {
        let port = free_port()?;
        let address = format!("127.0.0.1:{port}");
        let direct = format!("http://{address}");
        let endpoint = Front::start(&direct).await.context("no port of the loopback interface is free")?.url;
        let log = start.folder.join("ministack.log");
        let mut command = Command::new(start.python);
        command.args(["-m", "ministack"]).current_dir(start.folder);
        command
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", start.folder)
            .env("TMPDIR", start.folder)
            .env("PYTHONUNBUFFERED", "1")
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("AUTH", "true")
            // These listen on all interfaces.
            .env("SFTP_ENABLED", "0")
            .env("IOT_MTLS_ENABLED", "0")
            .env("MINISTACK_REGION", REGION)
            .env("AWS_ENDPOINT_URL", &endpoint)
            .env("AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI", format!("{endpoint}/_aws/execute-api/{{api}}/{{stage}}"))
            .env("AWS_ACCESS_KEY_ID", KEY)
            .env("AWS_SECRET_ACCESS_KEY", KEY)
            .envs(start.variables.iter().copied());
        let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut child = Supervised::start(&command, output)?;
        wait_until_ready(&mut child, &direct, &log).await?;
        let credentials = Caller::administrator();
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .endpoint_url(&endpoint)
            .credentials_provider(SharedCredentialsProvider::new(credentials.clone()))
            .build();
        Ok(Emulator { config, caller: Caller::new(&endpoint, REGION, credentials), address, log, child })
    }

    /// Its URL, behind the [`Front`].
    pub fn endpoint(&self) -> &str {
        &self.caller.endpoint
    }

    /// The last lines of its log, for a message about a failure.
    pub fn last_lines(&self, count: usize) -> String {
        last_lines(&self.log, count)
    }

    /// Stops it and waits until it has ended.
    pub async fn stop(self) {
        self.child.stop().await;
    }
}

/// A port that was free a moment ago. If something else takes it before the emulator does, the emulator reports it and exits.
fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no port of the loopback interface is free")?;
    Ok(listener.local_addr()?.port())
}

async fn wait_until_ready(child: &mut Supervised, endpoint: &str, log: &Path) -> anyhow::Result<()> {
    let give_up = Instant::now() + LONGEST_START;
    let http = reqwest::Client::new();
    loop {
        if let Some(status) = child.exited() {
            bail!("the emulator exited during its start ({status}):\n{}", last_lines(log, 20));
        }
        let answer = http.get(format!("{endpoint}/_ministack/ready")).timeout(Duration::from_secs(2)).send().await;
        if answer.is_ok_and(|answer| answer.status().is_success()) {
            return Ok(());
        }
        if Instant::now() > give_up {
            bail!("the emulator did not answer within {} seconds:\n{}", LONGEST_START.as_secs(), last_lines(log, 20));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn last_lines(log: &Path, count: usize) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
