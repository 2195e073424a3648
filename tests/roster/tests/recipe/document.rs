//! The recipe as data: its steps, and the edits in each.

use std::fs;
use std::path::Path;

/// The steps that have code, by heading, in order.
pub(crate) struct Recipe {
    pub(crate) steps: Vec<(String, Vec<Edit>)>,
}

/// One block of code, and what is done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edit {
    pub(crate) path: String,
    pub(crate) place: Place,
    pub(crate) text: String,
}

/// Where the text goes in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It is the whole file.
    Whole,
    /// After everything else.
    End,
    /// After the first line that is this one.
    Below(String),
}

impl Recipe {
    /// Reads a document. A block of code belongs to the step above it, and to the file that the line above it names.
    pub(crate) fn read(document: &Path) -> Self {
        let text = fs::read_to_string(document).expect("the recipe is in docs/");
        let mut steps: Vec<(String, Vec<Edit>)> = Vec::new();
        let mut target = None;
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if let Some(heading) = line.strip_prefix("## ") {
                steps.push((heading.to_owned(), Vec::new()));
            } else if line.starts_with("```") {
                let code: String =
                    lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
                // A block below prose is for people: commands.
                let Some((path, place)) = target.take() else { continue };
                let (_, edits) = steps.last_mut().expect("a step comes before its code");
                edits.push(Edit { path, place, text: code });
            } else if !line.is_empty() {
                target = target_of(line);
            }
        }
        steps.retain(|(_, edits)| !edits.is_empty());
        Self { steps }
    }

    /// All edits, in order.
    pub(crate) fn edits(&self) -> impl Iterator<Item = &Edit> {
        self.steps.iter().flat_map(|(_, edits)| edits)
    }
}

/// The file that a line such as "In `a`, below `b`:" is about, and where in it.
fn target_of(line: &str) -> Option<(String, Place)> {
    let line = line.strip_suffix(':')?;
    let quoted: Vec<&str> = line.split('`').skip(1).step_by(2).collect();
    match quoted[..] {
        [path] if line.starts_with("Create ") => Some((path.to_owned(), Place::Whole)),
        [path] if line.starts_with("Add to the end of ") => Some((path.to_owned(), Place::End)),
        [path, anchor] if line.starts_with("In ") => Some((path.to_owned(), Place::Below(anchor.to_owned()))),
        _ => None,
    }
}
