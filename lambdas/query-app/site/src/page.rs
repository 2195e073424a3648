//! The page's files, as they are published.

use std::fs;
use std::path::Path;

use crate::config::Config;

/// One object of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    /// The key, with slashes and without one in front.
    pub(crate) key: String,
    pub(crate) bytes: Vec<u8>,
}

const MOST_FILES: usize = 500;
const MOST_BYTES_OF_A_FILE: u64 = 5 * 1024 * 1024;
const MOST_BYTES: u64 = 20 * 1024 * 1024;
/// Folders within folders.
const DEEPEST: usize = 8;

/// The file that a visitor asks for, so the last one that is published.
const FIRST_PAGE: &str = "index.html";
/// The file made here.
const CONFIG: &str = "config.json";

/// All objects in the order in which they are to be published: what others name comes before who names it.
///
/// # Errors
///
/// When the folder has no page, something that is no plain file, a name that is no plain path, or too much.
pub(crate) fn objects(site: &Path, config: &Config) -> Result<Vec<Object>, String> {
    let mut found = Found::default();
    found.folder(site, "", 0)?;
    let mut objects = found.objects;
    if !objects.iter().any(|it| it.key == FIRST_PAGE) {
        return Err(format!("the function's code has no site/{FIRST_PAGE}; build the page before the functions"));
    }
    // A file of that name is for those who work on the page.
    objects.retain(|it| it.key != CONFIG);
    objects.push(Object { key: CONFIG.to_owned(), bytes: config.json() });
    objects.sort_by_cached_key(|it| (it.key == FIRST_PAGE, !it.is_immutable(), it.key.clone()));
    Ok(objects)
}

#[derive(Default)]
struct Found {
    objects: Vec<Object>,
    bytes: u64,
}

impl Found {
    fn folder(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), String> {
        if depth > DEEPEST {
            return Err(format!("site/{prefix} lies deeper than {DEEPEST} folders, which is the most"));
        }
        let unreadable = |_| format!("site/{prefix} of the function's code cannot be read");
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name().into_string().ok().filter(|it| is_plain(it));
            let name = name.ok_or_else(|| {
                format!("a file in site/{prefix} has a name with other characters than letters, digits, `.`, `-` and `_`, or one that begins with a dot")
            })?;
            let key = format!("{prefix}{name}");
            let kind = entry.file_type().map_err(unreadable)?;
            if kind.is_dir() {
                self.folder(&entry.path(), &format!("{key}/"), depth + 1)?;
            } else if kind.is_file() {
                self.file(&entry.path(), key)?;
            } else {
                return Err(format!("site/{key} is neither a file nor a folder"));
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, key: String) -> Result<(), String> {
        let unreadable = |_| format!("site/{key} of the function's code cannot be read");
        let length = fs::metadata(path).map_err(unreadable)?.len();
        self.bytes += length;
        if length > MOST_BYTES_OF_A_FILE || self.bytes > MOST_BYTES || self.objects.len() == MOST_FILES {
            return Err(format!(
                "the page is too large at site/{key}; allowed are {MOST_FILES} files, {MOST_BYTES_OF_A_FILE} bytes each and {MOST_BYTES} together"
            ));
        }
        let bytes = fs::read(path).map_err(unreadable)?;
        self.objects.push(Object { key, bytes });
        Ok(())
    }
}

fn is_plain(name: &str) -> bool {
    !name.starts_with('.') && name.bytes().all(|it| it.is_ascii_alphanumeric() || b"._-".contains(&it))
}

impl Object {
    /// `Content-Type`. What is not known here is bytes to a browser, which is told not to guess.
    pub(crate) fn content_type(&self) -> &'static str {
        let ending = self.key.rsplit_once('.').map_or("", |it| it.1);
        match ending {
            "css" => "text/css; charset=utf-8",
            "html" => "text/html; charset=utf-8",
            "ico" => "image/x-icon",
            "jpg" => "image/jpeg",
            "js" | "mjs" => "text/javascript; charset=utf-8",
            "json" | "map" => "application/json",
            "png" => "image/png",
            "svg" => "image/svg+xml",
            "txt" => "text/plain; charset=utf-8",
            "webmanifest" => "application/manifest+json",
            "webp" => "image/webp",
            "woff2" => "font/woff2",
            _ => "application/octet-stream",
        }
    }

    /// `Cache-Control`: for ever where another content has another name, else to be asked for each time.
    pub(crate) fn cache_control(&self) -> &'static str {
        if self.is_immutable() { "public, max-age=31536000, immutable" } else { "no-cache" }
    }

    /// Whether the name has a hash of the content, `assets/app-0123456789abcdef.js`, as the page's build writes it: sixteen digits of it.
    fn is_immutable(&self) -> bool {
        let name = self.key.strip_prefix("assets/").map(|it| it.rsplit('/').next().unwrap_or(it));
        name.and_then(|it| it.split('.').next()?.rsplit_once('-'))
            .is_some_and(|(_, hash)| hash.len() == 16 && hash.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_hash_in_the_name_is_kept_for_ever() {
        for (key, immutable) in [
            ("assets/app-0f9e8d7c6b5a4321.js", true),
            ("assets/app-0f9e8d7c6b5a4321.js.map", true),
            ("assets/fonts/inter-0123456789abcdef.woff2", true),
            ("assets/app.js", false),
            ("assets/app-backdrop.png", false),
            ("assets/app-0F9E8D7C6B5A4321.js", false),
            ("app-0f9e8d7c6b5a4321.js", false),
            ("index.html", false),
        ] {
            let object = Object { key: key.to_owned(), bytes: Vec::new() };
            assert_eq!(object.is_immutable(), immutable, "{key}");
            assert_eq!(object.cache_control() == "no-cache", !immutable);
        }
    }
}
