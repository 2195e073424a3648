//! Zips of built functions, with the same bytes for the same binary on every machine.

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use cfn::sha256;
use ferrostack_command::{Verbosity, output};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::GOOD;

/// The file that Lambda starts on an OS-only runtime such as `provided.al2023`.
const BOOTSTRAP: &str = "bootstrap";

/// The folder with the files that a function publishes, if it has any.
const SITE: &str = "site";

/// The largest zip that the Lambda API accepts, in bytes: 50 MB
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const MAX_ZIP_BYTES: u64 = 50 * 1024 * 1024;

/// The zip of one function.
#[derive(Debug, PartialEq, Eq)]
struct Packaged {
    /// The package of the function, which is also the name of its folder.
    name: String,
    /// `<lambda_dir>/<name>.zip`.
    path: PathBuf,
    /// Of the zip, in lower-case hex.
    sha256: String,
    /// The size of the zip.
    bytes: u64,
}

/// Zips every function, and prints one line per function: package, bytes, hash.
pub(crate) fn run(lambda_dir: &Path, verbosity: Verbosity) -> Result<u8> {
    for Packaged { name, bytes, sha256, .. } in package(lambda_dir)? {
        if !verbosity.quiet {
            output::line(format_args!("{name:<40} {bytes:>14} bytes  {sha256}"));
        }
    }
    Ok(GOOD)
}

/// Creates `<lambda_dir>/<name>.zip` from every `<lambda_dir>/<name>/bootstrap`, ordered by name.
///
/// A zip contains `bootstrap` with mode 0755. If there is a folder `site` next to it, the zip also contains all of its files with
/// mode 0644, ordered by name. All have the same fixed time. A zip is written only if its bytes differ.
///
/// # Errors
///
/// If `lambda_dir` cannot be read or contains no function, `site` contains something other than files and folders, or a zip cannot be
/// written or is larger than Lambda accepts.
fn package(lambda_dir: &Path) -> Result<Vec<Packaged>> {
    let names = function_names(lambda_dir).with_context(|| {
        format!("cannot read {}; build the functions first with scripts/build-lambdas", lambda_dir.display())
    })?;
    ensure!(
        !names.is_empty(),
        "there are no functions in {}; build them first with scripts/build-lambdas",
        lambda_dir.display()
    );
    names.into_iter().map(|name| package_one(lambda_dir, name)).collect()
}

fn function_names(lambda_dir: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(lambda_dir)? {
        let entry = entry?;
        if entry.path().join(BOOTSTRAP).is_file() {
            let name = entry.file_name().into_string();
            names.push(name.map_err(|name| anyhow!("{} is not a package name", name.display()))?);
        }
    }
    names.sort();
    Ok(names)
}

fn package_one(lambda_dir: &Path, name: String) -> Result<Packaged> {
    let bootstrap = lambda_dir.join(&name).join(BOOTSTRAP);
    let binary = fs::read(&bootstrap).with_context(|| format!("cannot read {}", bootstrap.display()))?;
    let site = lambda_dir.join(&name).join(SITE);
    let site = if site.is_dir() { files_below(&site, SITE)? } else { Vec::new() };
    let zip = zip(&binary, &site).with_context(|| format!("cannot zip {}", bootstrap.display()))?;
    let bytes = zip.len() as u64;
    ensure!(bytes <= MAX_ZIP_BYTES, "{name}: the zip has {bytes} bytes; must be at most {MAX_ZIP_BYTES}");
    let path = lambda_dir.join(format!("{name}.zip"));
    write_if_different(&path, &zip).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(Packaged { name, path, sha256: sha256(&zip), bytes })
}

/// The files below a folder with their names in the zip, which start with `prefix`, ordered by name.
fn files_below(folder: &Path, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let path = entry.path();
        let name = entry.file_name().into_string();
        let name = name.map_err(|name| anyhow!("{} is not a valid name in a zip", name.display()))?;
        let name = format!("{prefix}/{name}");
        // A link would make the zip depend on files elsewhere.
        let kind = entry.file_type()?;
        if kind.is_dir() {
            files.extend(files_below(&path, &name)?);
        } else {
            ensure!(kind.is_file(), "{} is neither a file nor a folder", path.display());
            files.push((name, fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?));
        }
    }
    files.sort();
    Ok(files)
}

fn zip(binary: &[u8], site: &[(String, Vec<u8>)]) -> Result<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default());
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(BOOTSTRAP, options.unix_permissions(0o755))?;
    zip.write_all(binary)?;
    for (name, bytes) in site {
        zip.start_file(name, options.unix_permissions(0o644))?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// An unchanged file keeps its time. A changed file is replaced at once, so a reader never sees half a zip.
fn write_if_different(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let partial = path.with_extension("zip.partial");
    fs::write(&partial, bytes)?;
    fs::rename(&partial, path)
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::io::Read;
    use std::os::unix::fs::PermissionsExt;
    use std::time::SystemTime;

    use tempfile::TempDir;
    use zip::ZipArchive;

    use super::*;

    fn lambda_dir(functions: &[(&str, &[u8])]) -> TempDir {
        let dir = TempDir::new().unwrap();
        for (name, binary) in functions {
            fs::create_dir(dir.path().join(name)).unwrap();
            fs::write(dir.path().join(name).join(BOOTSTRAP), binary).unwrap();
        }
        dir
    }

    #[test]
    fn every_function_becomes_a_zip_in_the_order_of_names() {
        let dir = lambda_dir(&[("report-api", b"two"), ("greeter", b"one"), ("writer", b"three")]);
        fs::create_dir(dir.path().join("not-a-function")).unwrap();
        let packaged = package(dir.path()).unwrap();
        assert_eq!(packaged.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["greeter", "report-api", "writer"]);
        for Packaged { name, path, sha256, bytes } in packaged {
            let zip = fs::read(&path).unwrap();
            assert_eq!(path, dir.path().join(format!("{name}.zip")));
            assert_eq!(bytes, zip.len() as u64);
            assert_eq!(sha256, cfn::sha256(&zip));
        }
    }

    #[test]
    fn a_zip_holds_the_binary_executable_by_everyone_and_without_a_time() {
        let binary = b"\x7fELF".repeat(5000);
        let dir = lambda_dir(&[("greeter", &binary)]);
        let packaged = package(dir.path()).unwrap();
        let mut zip = ZipArchive::new(fs::File::open(&packaged[0].path).unwrap()).unwrap();
        assert_eq!(zip.len(), 1);
        let mut entry = zip.by_name(BOOTSTRAP).unwrap();
        assert_eq!(entry.unix_mode(), Some(0o100_755));
        assert_eq!(entry.last_modified().map(|time| time.to_string()).as_deref(), Some("1980-01-01 00:00:00"));
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        assert_eq!(content, binary);
        assert!(packaged[0].bytes < 1000, "a repetitive binary is compressed, but has {} bytes", packaged[0].bytes);
    }

    #[test]
    fn a_zip_depends_only_on_the_binary() {
        let (one, other) = (lambda_dir(&[("a", b"the binary")]), lambda_dir(&[("b", b"the binary")]));
        let bootstrap = other.path().join("b").join(BOOTSTRAP);
        fs::set_permissions(&bootstrap, Permissions::from_mode(0o600)).unwrap();
        fs::File::options().write(true).open(&bootstrap).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        let sha256 = package(one.path()).unwrap()[0].sha256.clone();
        assert_eq!(package(other.path()).unwrap()[0].sha256, sha256);
    }

    #[test]
    fn files_of_a_site_are_packed_in_the_order_of_names() {
        let files =
            [("index.html", "page"), ("assets/b.js", "two"), ("assets/a/c.css", "three"), ("config.json", "{}")];
        let site = |order: &[usize]| {
            let dir = lambda_dir(&[("publisher", b"the binary"), ("other", b"the binary")]);
            for (name, content) in order.iter().map(|index| files[*index]) {
                let path = dir.path().join("publisher").join(SITE).join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, content).unwrap();
                fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            }
            dir
        };
        let (one, other) = (site(&[0, 1, 2, 3]), site(&[3, 2, 1, 0]));
        let packaged = package(one.path()).unwrap();
        assert_eq!(packaged[1].sha256, package(other.path()).unwrap()[1].sha256);
        let mut zip = ZipArchive::new(fs::File::open(&packaged[1].path).unwrap()).unwrap();
        let mut entries = Vec::new();
        for index in 0..zip.len() {
            let mut entry = zip.by_index(index).unwrap();
            let mut content = String::new();
            entry.read_to_string(&mut content).unwrap();
            assert_eq!(entry.last_modified().map(|time| time.to_string()).as_deref(), Some("1980-01-01 00:00:00"));
            entries.push((entry.name().unwrap().into_owned(), entry.unix_mode(), content));
        }
        let entry = |name: &str, mode: u32, content: &str| (name.to_owned(), Some(mode), content.to_owned());
        assert_eq!(
            entries,
            [
                entry("bootstrap", 0o100_755, "the binary"),
                entry("site/assets/a/c.css", 0o100_644, "three"),
                entry("site/assets/b.js", 0o100_644, "two"),
                entry("site/config.json", 0o100_644, "{}"),
                entry("site/index.html", 0o100_644, "page"),
            ]
        );
        let other = ZipArchive::new(fs::File::open(&packaged[0].path).unwrap()).unwrap();
        assert_eq!(other.len(), 1, "a function without a site contains only its binary");
    }

    #[test]
    fn a_link_in_a_site_is_rejected() {
        let dir = lambda_dir(&[("publisher", b"the binary")]);
        fs::create_dir(dir.path().join("publisher").join(SITE)).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", dir.path().join("publisher").join(SITE).join("x.txt")).unwrap();
        let error = package(dir.path()).unwrap_err().to_string();
        assert!(error.ends_with("x.txt is neither a file nor a folder"), "{error}");
    }

    #[test]
    fn a_zip_is_rewritten_only_if_the_binary_changed() {
        let dir = lambda_dir(&[("greeter", b"old")]);
        let old = package(dir.path()).unwrap();
        let zip = fs::File::options().write(true).open(&old[0].path).unwrap();
        zip.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(package(dir.path()).unwrap(), old);
        assert_eq!(fs::metadata(&old[0].path).unwrap().modified().unwrap(), SystemTime::UNIX_EPOCH);

        fs::write(dir.path().join("greeter").join(BOOTSTRAP), b"new").unwrap();
        assert_ne!(package(dir.path()).unwrap()[0].sha256, old[0].sha256);
        assert_ne!(fs::metadata(&old[0].path).unwrap().modified().unwrap(), SystemTime::UNIX_EPOCH);
    }

    #[test]
    fn without_a_built_function_the_error_names_the_command_that_builds_them() {
        let dir = lambda_dir(&[]);
        for missing in [dir.path(), &dir.path().join("x86_64")] {
            let error = package(missing).unwrap_err().to_string();
            assert!(
                error.contains(&missing.display().to_string()) && error.contains("scripts/build-lambdas"),
                "{error}"
            );
        }
    }
}
