//! Numbers as people write them in a locale.

use function::Invalid;

/// A locale, as far as it affects numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Locale {
    group: &'static str,
    point: &'static str,
    /// The number of digits before the point from which they are grouped.
    least: usize,
}

impl Locale {
    /// Reads a BCP 47 tag: a language and, optionally, a region (`de`, `de-CH`). An unknown language writes numbers as
    /// English does, with a narrow space between groups, which cannot be mistaken for a decimal point.
    ///
    /// # Errors
    ///
    /// If the tag is malformed.
    pub(crate) fn parse(tag: &str) -> Result<Locale, Invalid> {
        let (language, region) = match tag.split_once('-') {
            Some((language, region)) => (language, Some(region)),
            None => (tag, None),
        };
        let is_language = (2..=3).contains(&language.len()) && language.bytes().all(|byte| byte.is_ascii_lowercase());
        let is_region =
            region.is_none_or(|region| region.len() == 2 && region.bytes().all(|byte| byte.is_ascii_uppercase()));
        if !is_language || !is_region {
            return Err(Invalid(format!(
                "LOCALE is `{tag}`; must be a language and optionally a region, like `de-DE`"
            )));
        }
        // From the Unicode CLDR, decimal formats of each locale: https://cldr.unicode.org.
        let (group, point, least) = match (language, region.unwrap_or_default()) {
            ("de", "CH" | "LI") | ("it", "CH") => ("\u{2019}", ".", 4),
            ("de", "AT") => ("\u{a0}", ",", 4),
            ("es", "MX" | "US") | ("en" | "ja" | "zh" | "ko" | "he" | "th", _) => (",", ".", 4),
            ("es", _) | ("pt", "PT") => (".", ",", 5),
            ("pl", _) => ("\u{a0}", ",", 5),
            ("de" | "nl" | "it" | "pt" | "da" | "tr" | "id" | "el" | "ro" | "hr" | "sl", _) => (".", ",", 4),
            ("fr", "CH") => ("\u{202f}", ",", 4),
            ("fr", _) => ("\u{202f}", ",", 4),
            ("sv" | "nb" | "no" | "fi" | "cs" | "sk" | "ru" | "uk" | "hu" | "bg", _) => ("\u{a0}", ",", 4),
            _ => ("\u{202f}", ".", 4),
        };
        Ok(Locale { group, point, least })
    }

    /// The number `digits`, `-1234.50`, as people write it here.
    pub(crate) fn number(&self, digits: &str) -> String {
        let (sign, digits) = match digits.strip_prefix('-') {
            Some(digits) => ("\u{2212}", digits),
            None => ("", digits),
        };
        let (integer, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        let mut written = sign.to_owned();
        for (index, digit) in integer.chars().enumerate() {
            let left = integer.len() - index;
            if index > 0 && left % 3 == 0 && integer.len() >= self.least {
                written.push_str(self.group);
            }
            written.push(digit);
        }
        if !decimals.is_empty() {
            written.push_str(self.point);
            written.push_str(decimals);
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_as_the_locale_does() {
        for (tag, number, expected) in [
            ("en-US", "1234567.50", "1,234,567.50"),
            ("de-DE", "1234567.50", "1.234.567,50"),
            ("de-CH", "1234.50", "1\u{2019}234.50"),
            ("fr-FR", "1234.50", "1\u{202f}234,50"),
            ("es-ES", "1234.50", "1234,50"),
            ("es-ES", "12345.50", "12.345,50"),
            ("sv", "999.00", "999,00"),
            ("xx-XX", "1234.50", "1\u{202f}234.50"),
            ("de", "-0.5", "\u{2212}0,5"),
            ("en", "100", "100"),
        ] {
            assert_eq!(Locale::parse(tag).unwrap().number(number), expected, "{tag}");
        }
    }

    #[test]
    fn a_text_that_is_not_a_language_tag_is_refused() {
        for tag in ["", "d", "DE", "de_DE", "de-de", "de-DEU", "german", "de-DE\"><script>"] {
            assert!(Locale::parse(tag).is_err(), "{tag}");
        }
    }
}
