//! The command as its users meet it: quiet, verbose, with its output closed, and its help.

use std::process::{Command, Stdio};

use ferrostack_deploy::Rates;

use crate::dependencies;
use crate::fake_aws::{self, Fake};
use crate::tenant::{STACK, calls, command, ended, run, with_bucket, write_assembly};

#[tokio::test]
async fn a_closed_pipe_does_not_abort_a_deployment() {
    let (endpoint, fake) = fake_aws::start(with_bucket()).await;
    let folder = tempfile::tempdir().unwrap();
    write_assembly(folder.path(), Some(b"code"));
    let mut command = command(folder.path(), "eu-west-1", Some(endpoint), &["deploy", "acme"]);
    command.stdout(closed_pipe()).stderr(closed_pipe());
    let status = tokio::task::spawn_blocking(move || command.status().unwrap()).await.unwrap();
    assert_eq!((status.code(), calls(&fake, "ExecuteChangeSet")), (Some(0), 1));
    assert_eq!(fake.lock().unwrap().stacks[STACK].status, "CREATE_COMPLETE");
}

#[tokio::test]
async fn quiet_prints_only_results_and_errors() {
    let (endpoint, _fake) = fake_aws::start(with_bucket()).await;
    let (code, printed, said) = run(Some(endpoint), &["--quiet", "deploy", "acme"]).await;
    let expected = format!("{STACK}: created\n  Url = https://example.test\n");
    assert_eq!((code, printed, said.as_str()), (Some(0), expected, ""));

    let (code, printed, said) = run(None, &["deploy", "acme", "-q"]).await;
    assert_eq!((code, printed.as_str(), said.lines().count()), (Some(2), "", 1), "{said}");
    assert!(said.starts_with("error: no AWS credentials were found"), "{said}");
}

#[tokio::test]
async fn verbose_prints_the_details_of_several_tenants() {
    let folder = tempfile::tempdir().unwrap();
    dependencies::write(folder.path(), "acme", &[("acme-app", "")]);
    dependencies::write(folder.path(), "beta", &[("beta-app", "")]);
    for (options, details) in [(&["--all", "--yes"][..], false), (&["--all", "--yes", "-v"], true)] {
        let (endpoint, _fake) = fake_aws::start(Fake::default()).await;
        let arguments = [&["deploy"], options].concat();
        let mut command = command(folder.path(), "eu-west-1", Some(endpoint), &arguments);
        let (code, _, said) = ended(command.spawn().unwrap()).await;
        assert_eq!((code, said.contains("CREATE_COMPLETE")), (Some(0), details), "{said}");
    }
}

#[test]
fn help_names_the_default_rates() {
    let output = Command::new(env!("CARGO_BIN_EXE_ferrostack-deploy")).args(["help", "deploy"]).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let default = |option: &str| {
        let of_option = help.split_once(option).unwrap().1;
        of_option.split_once("[default: ").unwrap().1.split_once(']').unwrap().0.parse::<f64>().unwrap()
    };
    let rates = Rates { changes: default("--changes-per-second"), looks: default("--looks-per-second") };
    assert_eq!(rates, Rates::default());
}

/// The end of a pipe that nobody reads.
fn closed_pipe() -> Stdio {
    let (_, writer) = std::io::pipe().unwrap();
    writer.into()
}
