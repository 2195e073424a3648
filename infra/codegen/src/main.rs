//! `codegen`: generates `infra/aws/src` from the pinned specification and `bindings.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Parser;
use codegen::config::Config;
use codegen::sources::Sources;
use codegen::specification::Specification;
use codegen::{files, fixups, generate, trial};

/// Generates infra/aws/src from infra/codegen/specification, the extract of the pinned sources
#[derive(Parser)]
struct Arguments {
    /// Write nothing; fail and name each file that is not up to date
    #[arg(long)]
    check: bool,
    /// First make the extract from the pinned sources in this folder
    #[arg(long, value_name = "FOLDER")]
    sources: Option<PathBuf>,
    /// Generate every existing resource type into a scratch folder and compile it, to test the generator
    #[arg(long, requires = "sources", conflicts_with = "check")]
    all: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let infra = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is in infra/");
    let extract = infra.join("codegen/specification");
    let config = Config::read(&infra.join("codegen/bindings.toml"))?;
    let put = if arguments.check { files::check } else { files::write };

    let mut specification = match &arguments.sources {
        None => Specification::read(&extract, &config.sources())?,
        Some(folder) => {
            let mut sources = Sources::open(&config, folder)?;
            if arguments.all {
                return trial::run(&config, &mut sources, infra);
            }
            let (specification, _) = sources.extract(&config, &config.types)?;
            let actions = BTreeMap::from([("iam_actions.txt".to_owned(), sources.actions(&config)?)]);
            put(&infra.join("constructs/src"), &actions, |_, _| false)?;
            put(&extract, &specification.files(), |name, _| name.ends_with(".json"))?;
            specification
        }
    };
    let extracted: BTreeSet<String> = specification.resources.keys().cloned().collect();
    if let Some(ty) = config.types.symmetric_difference(&extracted).next() {
        bail!("{ty} is in only one of bindings.toml and the extract; run scripts/bindings");
    }
    fixups::apply(&mut specification)?;
    let (generated, _) = generate::generate(&specification)?;
    let formatted = generate::formatted(generated, &infra.join("../rustfmt.toml"))?;
    put(&infra.join("aws/src"), &formatted, |_, text| text.starts_with("// @generated"))
}
