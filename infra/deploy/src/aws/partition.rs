//! The domain that AWS's addresses end in, which differs between partitions such as China and the European Sovereign Cloud.

use aws_sdk_s3::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};

/// The last part of each address in the region, for example `amazonaws.com`. It is read off S3's address, which the SDK knows.
pub(crate) async fn dns_suffix(region: &str) -> String {
    const USUAL: &str = "amazonaws.com";
    let Ok(place) = Params::builder().region(region).build() else { return USUAL.to_owned() };
    let Ok(found) = DefaultResolver::new().resolve_endpoint(&place).await else { return USUAL.to_owned() };
    found.url().split_once(&format!(".{region}.")).map_or(USUAL, |(_, suffix)| suffix.trim_end_matches('/')).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_partition_has_its_own() {
        for (region, suffix) in [
            ("eu-west-1", "amazonaws.com"),
            ("us-east-1", "amazonaws.com"),
            ("us-gov-west-1", "amazonaws.com"),
            ("cn-north-1", "amazonaws.com.cn"),
            ("eusc-de-east-1", "amazonaws.eu"),
            ("us-iso-east-1", "c2s.ic.gov"),
        ] {
            assert_eq!(dns_suffix(region).await, suffix, "{region}");
        }
    }
}
