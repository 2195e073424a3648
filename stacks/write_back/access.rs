//! Who may call the API of quotes, in addition to having a signed link.

use std::net::Ipv4Addr;

use constructs::{Usage, WebAcl};
use serde::Deserialize;

use crate::shared::fields::{SubnetId, checked_text, distinct, given, in_range, is_ec2_id};

/// Who may call the API. Every restriction is off by default.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "AccessFields")]
pub struct Access {
    /// Addresses of the callers; empty admits everybody.
    pub only_from: Vec<Block>,
    /// Whether callers need an API key: only for programs, since a browser that follows a link has none.
    pub api_key: bool,
    /// A web access control list.
    pub firewall: Option<Firewall>,
    /// The API can only be reached from a VPC.
    pub private: Option<Private>,
    requests_a_second: u32,
    burst: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccessFields {
    #[serde(default, deserialize_with = "distinct")]
    only_from: Vec<Block>,
    #[serde(default)]
    api_key: bool,
    #[serde(default, deserialize_with = "given")]
    firewall: Option<Firewall>,
    #[serde(default, deserialize_with = "given")]
    private: Option<Private>,
    #[serde(default = "default_rate")]
    requests_a_second: u32,
    #[serde(default = "default_burst")]
    burst: u32,
}

fn default_rate() -> u32 {
    20
}

fn default_burst() -> u32 {
    40
}

impl Default for Access {
    fn default() -> Self {
        Self {
            only_from: Vec::new(),
            api_key: false,
            firewall: None,
            private: None,
            requests_a_second: default_rate(),
            burst: default_burst(),
        }
    }
}

impl Access {
    /// Most address blocks: a resource policy has 8,192 characters.
    const MOST_BLOCKS: usize = 100;

    pub(super) fn usage(&self) -> Usage {
        Usage { requests_a_second: self.requests_a_second, burst: self.burst, requests_a_day: None }
    }
}

impl TryFrom<AccessFields> for Access {
    type Error = String;

    fn try_from(fields: AccessFields) -> Result<Self, String> {
        if fields.only_from.len() > Self::MOST_BLOCKS {
            let count = fields.only_from.len();
            return Err(format!("{count} blocks of addresses in `only_from`; must be at most {}", Self::MOST_BLOCKS));
        }
        Ok(Self {
            only_from: fields.only_from,
            api_key: fields.api_key,
            firewall: fields.firewall,
            private: fields.private,
            requests_a_second: in_range("`requests_a_second`", fields.requests_a_second, 1..=10_000)?,
            burst: in_range("`burst`", fields.burst, 1..=5_000)?,
        })
    }
}

/// A web access control list of AWS WAF.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "FirewallFields")]
pub struct Firewall {
    /// Requests that one address may make in any five minutes.
    pub requests_in_five_minutes: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FirewallFields {
    requests_in_five_minutes: u32,
}

impl TryFrom<FirewallFields> for Firewall {
    type Error = String;

    fn try_from(fields: FirewallFields) -> Result<Self, String> {
        let allowed = WebAcl::FEWEST_REQUESTS..=WebAcl::MOST_REQUESTS;
        let requests_in_five_minutes =
            in_range("`requests_in_five_minutes`", fields.requests_in_five_minutes, allowed)?;
        Ok(Self { requests_in_five_minutes })
    }
}

/// The endpoint through which a private API is reached.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "PrivateFields")]
pub enum Private {
    /// This existing one.
    Endpoint(EndpointId),
    /// One that the stack creates.
    Made {
        /// The VPC.
        vpc: VpcId,
        /// Its subnets, one per availability zone.
        subnets: Vec<SubnetId>,
        /// Addresses of the callers.
        callers: Vec<Block>,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PrivateFields {
    #[serde(default, deserialize_with = "given")]
    vpc_endpoint: Option<EndpointId>,
    #[serde(default, deserialize_with = "given")]
    vpc: Option<VpcId>,
    #[serde(default, deserialize_with = "distinct")]
    subnets: Vec<SubnetId>,
    #[serde(default, deserialize_with = "distinct")]
    callers: Vec<Block>,
}

impl TryFrom<PrivateFields> for Private {
    type Error = String;

    fn try_from(fields: PrivateFields) -> Result<Self, String> {
        let made = !fields.subnets.is_empty() && !fields.callers.is_empty();
        match (fields.vpc_endpoint, fields.vpc) {
            (Some(id), None) if fields.subnets.is_empty() && fields.callers.is_empty() => Ok(Self::Endpoint(id)),
            (None, Some(vpc)) if made => Ok(Self::Made { vpc, subnets: fields.subnets, callers: fields.callers }),
            _ => Err("`private` has either `vpc_endpoint`, or `vpc`, `subnets` and `callers`; give one or the other"
                .to_owned()),
        }
    }
}

checked_text! {
    /// A block of IPv4 addresses, `203.0.113.0/24`.
    pub Block, |text: &str| {
        let fits = text.split_once('/').is_some_and(|(address, bits)| {
            let bits = bits.parse::<u32>().ok().filter(|number| *number <= 32 && !bits.starts_with('+'));
            let address = address.parse::<Ipv4Addr>().ok().map(u32::from);
            matches!((address, bits), (Some(address), Some(bits)) if address.checked_shl(bits).unwrap_or(0) == 0)
        });
        if fits {
            return Ok(());
        }
        Err(format!("`{text}` is not a block of addresses; use IPv4 with the bits of the network, as in 203.0.113.0/24 or 198.51.100.7/32"))
    }
}

impl Block {
    pub(super) fn text(&self) -> String {
        self.as_str().to_owned()
    }
}

checked_text! {
    /// The ID of a VPC endpoint.
    pub EndpointId, |text: &str| is_ec2_id(text, "vpce")
}

checked_text! {
    /// The ID of a VPC.
    pub VpcId, |text: &str| is_ec2_id(text, "vpc")
}
