//! E-mail addresses, as far as they are told apart here.

/// The most bytes of an address: <https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1>.
const LONGEST: usize = 254;

/// The domain of an address, in lower case. None where it is not plain which one that is: a quoted name, for one, may hold
/// another address.
pub(crate) fn domain(address: &str) -> Option<String> {
    let (name, domain) = address.split_once('@')?;
    let of_name = |it: u8| it.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&it);
    let domain = domain.to_ascii_lowercase();
    let fits = address.len() <= LONGEST && !name.is_empty() && name.bytes().all(of_name) && is_domain(&domain);
    fits.then_some(domain)
}

/// Whether a text is a domain in lower case.
pub(crate) fn is_domain(text: &str) -> bool {
    let is_label =
        |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-');
    text.contains('.') && text.split('.').all(is_label)
}
