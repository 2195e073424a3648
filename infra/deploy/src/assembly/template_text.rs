//! A template on disk. A fleet has gigabytes of templates, so each is read again when it is needed.

use std::path::PathBuf;

use serde_json::Value;

use crate::Error;

/// The text of a template: JSON, byte for byte as it was written.
#[derive(Debug, Clone)]
pub struct TemplateText {
    digest: String,
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    File(PathBuf),
    Memory(String),
}

impl TemplateText {
    /// The template in a file that has this text now.
    pub(super) fn in_file(path: PathBuf, text: &str) -> TemplateText {
        TemplateText { digest: cfn::sha256(text), place: Place::File(path) }
    }

    /// The SHA-256 of the text, in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The text.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the file can no longer be read, or has changed since the assembly was read.
    pub fn read(&self) -> Result<String, Error> {
        let path = match &self.place {
            Place::Memory(text) => return Ok(text.clone()),
            Place::File(path) => path,
        };
        let text = std::fs::read_to_string(path)
            .map_err(|error| Error::Refused(format!("cannot read {}: {error}", path.display())))?;
        if cfn::sha256(&text) != self.digest {
            return Err(Error::Refused(format!(
                "{} has changed since this command started; run it again",
                path.display()
            )));
        }
        Ok(text)
    }

    /// The template as JSON.
    ///
    /// # Errors
    ///
    /// As [`TemplateText::read`].
    pub(crate) fn document(&self) -> Result<Value, Error> {
        Ok(serde_json::from_str(&self.read()?).expect("an assembly is only read with JSON templates"))
    }
}

impl From<String> for TemplateText {
    /// A template that is not in a file. It must be JSON.
    fn from(text: String) -> TemplateText {
        TemplateText { digest: cfn::sha256(&text), place: Place::Memory(text) }
    }
}
