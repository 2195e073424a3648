//! A folder in which the command runs, and the tenant that is synthesized there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cfn::{App, CloudAssembly};
use stacks::Tenant;

/// A tenant that has every system, so no test depends on what a certain system is.
pub(crate) const TENANT: &str = include_str!("../../../../stacks/tenants/example.yaml");
/// Its name.
pub(crate) const NAME: &str = "example";

/// The tenant with a different name.
pub(crate) fn renamed(name: &str) -> String {
    TENANT.replace("tenant: example\n", &format!("tenant: {name}\n"))
}

/// What the tenant's stacks are.
pub(crate) fn assembly() -> CloudAssembly {
    App::default().stacks(Tenant::parse(TENANT).expect("the example is valid").stacks()).synth()
}

/// The names of the tenant's stacks, in the order in which they deploy.
pub(crate) fn stacks() -> Vec<String> {
    assembly().stacks.iter().map(|stack| stack.template.stack.clone()).collect()
}

/// A folder with tenant files, deleted after the test.
pub(crate) struct Workspace(tempfile::TempDir);

impl Workspace {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let workspace = Self(tempfile::tempdir().expect("a temporary folder"));
        fs::create_dir_all(workspace.path("stacks/tenants")).expect("a folder for tenants");
        for (name, text) in files {
            workspace.write(&format!("stacks/tenants/{name}"), text);
        }
        workspace
    }

    /// A folder with the one tenant.
    pub(crate) fn with_tenant() -> Self {
        Self::new(&[("example.yaml", TENANT)])
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        fs::create_dir_all(self.path(path).parent().expect("a folder")).expect("a folder");
        fs::write(self.path(path), text).expect("a file");
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).expect("a file")
    }

    /// The command, which does not know that Cargo runs the test.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ferrostack"));
        command.args(arguments).current_dir(&self.0);
        for variable in ["CARGO", "CARGO_TARGET_DIR", "NO_COLOR", "CI"] {
            command.env_remove(variable);
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the command runs")
    }

    /// The path of the first stack's template.
    pub(crate) fn template(&self) -> PathBuf {
        self.path(&format!("cfn-out/{NAME}/{}.template.json", stacks()[0]))
    }
}

/// What the command printed on standard output.
pub(crate) fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What the command printed on standard error.
pub(crate) fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The names of the files in a folder, sorted.
pub(crate) fn files(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
