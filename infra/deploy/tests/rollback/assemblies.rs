//! The stacks that Ferrostack ships: of the example, of every system's option tenants, and of the platform.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cfn::{App, BuiltFunction, BuiltFunctions, CloudAssembly, Format};
use ferrostack_deploy::{Assembly, StackArtifact};
use stacks::Tenant;
use tempfile::TempDir;

/// One stack that is deployed in the matrix.
pub(crate) struct Candidate {
    /// What the table calls it.
    pub(crate) name: String,
    /// The tenant that it belongs to.
    pub(crate) tenant: String,
    pub(crate) artifact: StackArtifact,
}

/// The stacks, and the folder with their files.
pub(crate) struct Candidates {
    pub(crate) stacks: Vec<Candidate>,
    _folder: TempDir,
}

/// The stacks, each as the deployer reads it.
pub(crate) fn all() -> Candidates {
    let out = tempfile::tempdir().unwrap();
    let mut candidates = Vec::new();
    let stacks = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../stacks");
    let mut files = vec![stacks.join("tenants/example.yaml")];
    for system in stacks::SYSTEMS {
        let folder = std::fs::read_dir(stacks.join(system.module()).join("tenants")).unwrap();
        files.extend(folder.map(|file| file.unwrap().path()));
    }
    files.sort();
    for (number, file) in files.into_iter().enumerate() {
        let tenant = Tenant::parse(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let assembly = App::default().stacks(tenant.stacks()).checks(constructs::checks::ALL).synth();
        candidates.extend(read(&assembly, &out.path().join(number.to_string()), tenant.tenancy.name.as_str()));
    }
    candidates.extend(read(
        &App::default().stack(stacks::platform::stack()).synth(),
        out.path(),
        stacks::platform::FOLDER,
    ));
    let mut names = BTreeSet::new();
    for candidate in &mut candidates {
        while !names.insert(candidate.name.clone()) {
            candidate.name.push('\'');
        }
    }
    Candidates { stacks: candidates, _folder: out }
}

fn read(assembly: &CloudAssembly, out: &Path, tenant: &str) -> Vec<Candidate> {
    write(assembly, &out.join(tenant));
    let read = Assembly::read(out, tenant).unwrap();
    let candidate =
        |artifact: StackArtifact| Candidate { name: artifact.name.clone(), tenant: tenant.to_owned(), artifact };
    read.stacks.into_iter().map(candidate).collect()
}

/// Writes the assembly as if all its functions were built.
fn write(assembly: &CloudAssembly, folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let packages = assembly.stacks.iter().flat_map(|stack| &stack.assets);
    let built: BuiltFunctions = packages
        .map(|asset| {
            let function = BuiltFunction { sha256: cfn::sha256(&asset.package), path: PathBuf::new() };
            ((asset.package.clone(), asset.architecture.clone()), function)
        })
        .collect();
    for (name, text) in assembly.files(&built, Format::Json) {
        std::fs::write(folder.join(name), text.as_ref()).unwrap();
    }
    for zip in assembly.zips(&built).into_keys() {
        std::fs::write(folder.join(zip), "").unwrap();
    }
}
