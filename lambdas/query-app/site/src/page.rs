//! The page's files, as they are published.

use std::fs;
use std::path::Path;

use crate::config::Config;

/// One object of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    /// The key, with slashes but without a leading one.
    pub(crate) key: String,
    pub(crate) bytes: Vec<u8>,
}

const MOST_FILES: usize = 500;
const MOST_BYTES_OF_A_FILE: u64 = 5 * 1024 * 1024;
const MOST_BYTES: u64 = 20 * 1024 * 1024;
/// The deepest nesting of folders.
const DEEPEST: usize = 8;

/// The file that a visitor requests, and therefore the last one that is published.
const FIRST_PAGE: &str = "index.html";
/// The generated file.
const CONFIG: &str = "config.json";

/// All objects in the order of publication: an object comes before the objects that refer to it.
///
/// # Errors
///
/// If the folder has no page, or has something that is not a plain file, an invalid name, or too many or too large files.
pub(crate) fn objects(site: &Path, config: &Config) -> Result<Vec<Object>, String> {
    let mut found = Found::default();
    found.folder(site, "", 0)?;
    let mut objects = found.objects;
    if !objects.iter().any(|object| object.key == FIRST_PAGE) {
        return Err(format!("the function's code has no site/{FIRST_PAGE}; build the page before the functions"));
    }
    // A file of that name is for development of the page.
    objects.retain(|object| object.key != CONFIG);
    objects.push(Object { key: CONFIG.to_owned(), bytes: config.json() });
    for page in objects.iter_mut().filter(|object| object.key == FIRST_PAGE) {
        page.bytes = restricted(&page.bytes, config)?;
    }
    objects.sort_by_cached_key(|object| (object.key == FIRST_PAGE, !object.is_immutable(), object.key.clone()));
    Ok(objects)
}

/// The page with an element that lets it connect to its own APIs only. The headers of the response, which all tenants' pages share, allow
/// every API of the region; a browser obeys both.
fn restricted(page: &[u8], config: &Config) -> Result<Vec<u8>, String> {
    const HEAD: &str = "<head>";
    let text = str::from_utf8(page).map_err(|_| format!("site/{FIRST_PAGE} is not UTF-8"))?;
    let Some((before, after)) = text.split_once(HEAD) else {
        return Err(format!("site/{FIRST_PAGE} has no {HEAD}, where the page's restrictions belong"));
    };
    let origins = config.origins().join(" ");
    let policy = format!("<meta http-equiv=\"Content-Security-Policy\" content=\"connect-src 'self' {origins}\">");
    Ok(format!("{before}{HEAD}{policy}{after}").into_bytes())
}

#[derive(Default)]
struct Found {
    objects: Vec<Object>,
    bytes: u64,
}

impl Found {
    fn folder(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), String> {
        if depth > DEEPEST {
            return Err(format!("site/{prefix} is deeper than {DEEPEST} folders; must be at most {DEEPEST}"));
        }
        let unreadable = |_| format!("site/{prefix} of the function's code cannot be read");
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name().into_string().ok().filter(|name| is_plain(name));
            let name = name.ok_or_else(|| {
                format!("a file in site/{prefix} has an invalid name; must be letters, digits, `.`, `-` and `_`, not starting with a dot")
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
                "the page is too large at site/{key}; must be at most {MOST_FILES} files of {MOST_BYTES_OF_A_FILE} bytes each and {MOST_BYTES} bytes in total"
            ));
        }
        let bytes = fs::read(path).map_err(unreadable)?;
        self.objects.push(Object { key, bytes });
        Ok(())
    }
}

fn is_plain(name: &str) -> bool {
    !name.starts_with('.') && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

impl Object {
    /// `Content-Type`. An unknown ending is bytes to a browser, with a header that forbids guessing.
    pub(crate) fn content_type(&self) -> &'static str {
        let ending = self.key.rsplit_once('.').map_or("", |(_, ending)| ending);
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

    /// `Cache-Control`: forever if a different content has a different name, otherwise revalidated each time.
    pub(crate) fn cache_control(&self) -> &'static str {
        if self.is_immutable() { "public, max-age=31536000, immutable" } else { "no-cache" }
    }

    /// Whether the name has a hash of the content, `assets/app-0123456789abcdef.js`, as the page's build writes it: sixteen
    /// digits of it.
    fn is_immutable(&self) -> bool {
        let name = self.key.strip_prefix("assets/").map(|path| path.rsplit('/').next().unwrap_or(path));
        name.and_then(|path| path.split('.').next()?.rsplit_once('-')).is_some_and(|(_, hash)| {
            hash.len() == 16 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_hash_in_the_name_is_cached_forever() {
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
