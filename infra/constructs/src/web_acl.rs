//! Web access control lists of AWS WAF.

use aws::wafv2::web_acl::{
    self, AggregateKeyType, AllowAction, BlockAction, DefaultAction, ManagedRuleGroupStatement,
    ManagedRuleGroupStatementRequired, OverrideAction, RateBasedStatement, RateBasedStatementRequired, Rule,
    RuleAction, RuleRequired, Statement, VisibilityConfig, VisibilityConfigRequired, WebAclScope,
};
use aws::wafv2::web_acl_association::{self, WebAclAssociation};
use cfn::{Construct, Json, Scope};

use crate::RestApiRef;

/// Protects a REST API: blocks addresses that call too often for a while, and requests that are known attacks.
#[derive(Clone, Debug)]
pub struct WebAcl {
    api: RestApiRef,
    requests: u32,
}

impl WebAcl {
    /// The fewest requests that a rate rule can allow. <https://docs.aws.amazon.com/waf/latest/APIReference/API_RateBasedStatement.html>
    pub const FEWEST_REQUESTS: u32 = 10;
    /// The most requests that a rate rule can allow (same source).
    pub const MOST_REQUESTS: u32 = 2_000_000_000;

    /// A list for `api` that allows every address `requests` requests in any five minutes.
    pub fn new(api: &RestApiRef, requests: u32) -> Self {
        Self { api: api.clone(), requests }
    }
}

impl Construct for WebAcl {
    type Ref = web_acl::WebAclRef;

    fn add_to(self, scope: &mut Scope<'_>) -> web_acl::WebAclRef {
        let rate = RateBasedStatement::new(RateBasedStatementRequired {
            aggregate_key_type: AggregateKeyType::Ip.into(),
            limit: i64::from(self.requests).into(),
        });
        let known = ManagedRuleGroupStatement::new(ManagedRuleGroupStatementRequired {
            name: "AWSManagedRulesKnownBadInputsRuleSet".into(),
            vendor_name: "AWS".into(),
        });
        let rules = [
            rule("Rate", 0, Statement::new().rate_based_statement(rate))
                .action(RuleAction::new().block(BlockAction::new())),
            rule("KnownBadInputs", 1, Statement::new().managed_rule_group_statement(known))
                .override_action(OverrideAction::new().none(Json::Object(Default::default()))),
        ];
        let list = scope.add_here(
            web_acl::WebAcl::new(web_acl::Required {
                default_action: DefaultAction::new().allow(AllowAction::new()).into(),
                scope: WebAclScope::Regional.into(),
                visibility_config: measured("WebAcl").into(),
            })
            .rules(rules),
        );
        scope.add(
            "Association",
            WebAclAssociation::new(web_acl_association::Required {
                resource_arn: self.api.stage_arn(),
                web_acl_arn: list.arn(),
            }),
        );
        list
    }
}

fn rule(name: &str, priority: i64, statement: Statement) -> Rule {
    Rule::new(RuleRequired {
        name: name.into(),
        priority: priority.into(),
        statement: statement.into(),
        visibility_config: measured(name).into(),
    })
}

/// Counts requests, but keeps no samples of them: a sample shows the query string, and so signed links.
fn measured(metric: &str) -> VisibilityConfig {
    VisibilityConfig::new(VisibilityConfigRequired {
        cloud_watch_metrics_enabled: true.into(),
        metric_name: metric.into(),
        sampled_requests_enabled: false.into(),
    })
}
