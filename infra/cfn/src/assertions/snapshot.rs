//! Snapshots: whole templates in files.

/// Asserts that a text, such as [`crate::AssembledStack::document`], is that of a file. The path is relative to the folder of the package.
///
/// `UPDATE_SNAPSHOTS=1 cargo test` accepts all changes: it writes the files instead of comparing.
///
/// ```no_run
/// # let mut stack = cfn::Stack::new("jobs");
/// let assembly = cfn::App::default().stack(stack).synth();
/// cfn::assert_snapshot!("tests/snapshots/jobs.template.json", assembly.stacks[0].document);
/// ```
///
/// # Panics
///
/// If the text differs, with the first line that does, or if the file cannot be read or written.
#[macro_export]
macro_rules! assert_snapshot {
    ($path:expr, $text:expr) => {{
        let path = ::std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join($path);
        let text: &str = &$text;
        if ::std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            let folder = path.parent().expect("the file is in a folder");
            ::std::fs::create_dir_all(folder).expect("the folder of the snapshot can be created");
            ::std::fs::write(&path, text).expect("the snapshot can be written");
        } else {
            // A snapshot that does not exist yet is empty.
            let stored = ::std::fs::read_to_string(&path).unwrap_or_default();
            if let Some(change) = $crate::assertions::changed(&stored, text) {
                panic!("{}: {change}\naccept it with `UPDATE_SNAPSHOTS=1 cargo test`", path.display());
            }
        }
    }};
}

/// The first line in which two texts differ; for [`crate::assert_snapshot`].
pub fn changed(stored: &str, text: &str) -> Option<String> {
    if stored == text {
        return None;
    }
    let (mut before, mut after) = (stored.lines(), text.lines());
    for number in 1.. {
        let (old, new) = (before.next(), after.next());
        if old != new {
            let line = |line: Option<&str>| line.map_or("nothing".to_owned(), |line| format!("`{}`", line.trim()));
            return Some(format!("line {number} was {} and is {}", line(old), line(new)));
        }
        if old.is_none() {
            break;
        }
    }
    Some("the ends of lines differ".to_owned())
}
