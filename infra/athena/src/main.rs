//! `ferrostack-athena`, which `ferrostack athena` runs.

use std::process::ExitCode;

use clap::Parser;
use ferrostack_athena::{Connector, Query, ask};

/// Query an Athena connector directly, the way Athena does. This is a driver for trying connectors out, not Athena.
#[derive(Debug, Parser)]
#[command(name = "ferrostack athena", bin_name = "ferrostack athena", version)]
struct Arguments {
    /// For example "select date, count(*) from slackanalytics.member_analytics where date >= '2026-11-01' group by date". Knows
    /// columns, count, sum, WHERE with =, <>, <, <=, >, >=, IN, BETWEEN, IS NULL, AND, OR and NOT, GROUP BY, ORDER BY and LIMIT
    query: String,
    /// The ARN of the connector's function in an AWS account, reached with the usual credentials of the AWS SDKs. They need
    /// lambda:InvokeFunction, and s3:GetObject on spilled blocks. Without this option: the connector that scripts/local deployed
    #[arg(long, value_name = "ARN")]
    function: Option<String>,
    /// The region, if it is not the one in the ARN
    #[arg(long)]
    region: Option<String>,
    /// The emulator's URL, as scripts/local prints it; the default is AWS_ENDPOINT_URL
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// The tenant in the emulator whose connector to query
    #[arg(long, default_value = "local")]
    tenant: String,
    /// Print CSV
    #[arg(long)]
    csv: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the rows to standard output, and what was done to get them to standard error.
async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let query = Query::parse(&arguments.query)?;
    let (region, endpoint) = (arguments.region.as_deref(), arguments.endpoint.as_deref());
    let connector = match &arguments.function {
        Some(function) => Connector::in_account(function, region, endpoint).await,
        None => Connector::in_emulator(&arguments.tenant, region, endpoint).await?,
    };
    eprintln!("querying {} as Athena would; this is a driver, not Athena", connector.function);
    let answer = ask(&connector, &query).await?;
    if arguments.csv {
        print!("{}", answer.csv());
    } else {
        println!("{}", answer.table());
    }
    eprintln!("{}", answer.summary());
    Ok(())
}
