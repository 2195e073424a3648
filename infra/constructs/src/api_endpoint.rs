//! How a VPC reaches its private REST APIs.

use aws::ec2::security_group::{Ingress, SecurityGroup};
use aws::ec2::vpc_endpoint::{VpcEndpoint, VpcEndpointRef, VpcEndpointType};
use cfn::intrinsic::sub;
use cfn::{Construct, Json, Scope};
use serde_json::json;

use crate::grant::document;

/// An interface endpoint through which a VPC reaches the private REST APIs of this account and region, over HTTPS and from the given
/// addresses only.
#[derive(Clone, Debug)]
pub struct ApiEndpoint {
    vpc: String,
    subnets: Vec<String>,
    callers: Vec<String>,
}

impl ApiEndpoint {
    /// An endpoint in these subnets of the VPC, for callers with addresses in these CIDR blocks.
    pub fn new(vpc: &str, subnets: Vec<String>, callers: Vec<String>) -> Self {
        Self { vpc: vpc.to_owned(), subnets, callers }
    }
}

impl Construct for ApiEndpoint {
    type Ref = VpcEndpointRef;

    fn add_to(self, scope: &mut Scope<'_>) -> VpcEndpointRef {
        let ingress: Vec<Ingress> = self
            .callers
            .iter()
            .map(|block| {
                Ingress::new("tcp").from_port(443).to_port(443).cidr_ip(block).description("HTTPS from the tenant file")
            })
            .collect();
        let group = scope.add(
            "Group",
            SecurityGroup::new("Callers of a private API").vpc_id(&self.vpc).security_group_ingress(ingress),
        );
        scope.add_here(
            VpcEndpoint::new(&self.vpc)
                .vpc_endpoint_type(VpcEndpointType::Interface)
                .service_name(sub("com.amazonaws.${AWS::Region}.execute-api"))
                .subnet_ids(self.subnets)
                .security_group_ids([group.group_id()])
                .policy_document(policy())
                // With private names, all other APIs of the region would be unreachable from this VPC.
                .private_dns_enabled(false),
        )
    }
}

/// By default, an endpoint passes calls on to the APIs of all accounts, so data could leave through it.
fn policy() -> Json {
    let apis = sub("arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:*");
    document(vec![json!({
        "Effect": "Allow",
        "Principal": "*",
        "Action": "execute-api:Invoke",
        "Resource": Json::from(apis),
    })])
}
