//! What HTTP and WebSocket APIs have in common: both belong to version 2 of API Gateway.

use aws::apigatewayv2::api::{Api, ApiRef};
use aws::apigatewayv2::stage::{self, AccessLogSettings, RouteSettings, Stage};
use cfn::{Scope, Value};

use crate::access_log::{Delivery, access_log};

/// Adds the API under the construct's name, and its only stage, which deploys every change automatically.
///
/// `logged` is what its access log contains in addition to the common fields.
pub(crate) fn add_api(
    scope: &mut Scope<'_>,
    api: Api,
    stage_name: &str,
    limits: RouteSettings,
    delivery: Delivery,
    logged: &[(&str, &str)],
) -> ApiRef {
    let name = format!("{}-{}", scope.stack_name(), scope.path());
    let api = scope.add_here(api.name(name));
    let (log, format) = access_log(scope, delivery, logged);
    scope.add(
        "Stage",
        Stage::new(stage::Required { api_id: api.reference(), stage_name: Value::from(stage_name) })
            .auto_deploy(true)
            .access_log_settings(AccessLogSettings::new().destination_arn(log).format(format))
            .default_route_settings(limits),
    );
    api
}
