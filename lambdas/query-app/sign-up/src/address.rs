//! E-mail addresses, as far as they matter here.

/// The most bytes of an address: <https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1>.
const LONGEST: usize = 254;

/// The domain of an address, in lower case. `None` if it is ambiguous: for example, a quoted name may contain
/// a second address.
pub(crate) fn domain(address: &str) -> Option<String> {
    let (name, domain) = address.split_once('@')?;
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
    let domain = domain.to_ascii_lowercase();
    let fits = address.len() <= LONGEST && !name.is_empty() && name.bytes().all(of_name) && is_domain(&domain);
    fits.then_some(domain)
}

/// Whether a text is a domain in lower case.
pub(crate) fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    text.contains('.') && text.split('.').all(is_label)
}
