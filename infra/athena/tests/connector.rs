//! In an emulator the connector of a tenant is found by the stacks that CloudFormation lists.

use ferrostack_athena::Connector;
use loopback::{Answer, serve};

/// A stack of a tenant, with the function of a connector if it has one.
fn stack(tenant: &str, name: &str, function: Option<&str>) -> String {
    let output = function.map(|function| {
        format!("<member><OutputKey>ConnectorFunction</OutputKey><OutputValue>{function}</OutputValue></member>")
    });
    format!(
        "<member><StackName>{name}</StackName><StackStatus>CREATE_COMPLETE</StackStatus>\
         <CreationTime>2026-11-01T00:00:00Z</CreationTime>\
         <Tags><member><Key>ferrostack:tenant</Key><Value>{tenant}</Value></member></Tags>\
         <Outputs>{}</Outputs></member>",
        output.unwrap_or_default()
    )
}

/// The function that is found for a tenant, or the error, in an emulator with these stacks.
async fn find(tenant: &str, stacks: &[String]) -> Result<String, String> {
    let body = format!(
        "<DescribeStacksResponse><DescribeStacksResult><Stacks>{}</Stacks></DescribeStacksResult></DescribeStacksResponse>",
        stacks.concat()
    );
    let address = serve(move |_| {
        let body = body.clone().into_bytes();
        let headers = vec![("content-type", "text/xml".to_owned())];
        std::future::ready(Answer::Reply { status: 200, headers, body })
    })
    .await;
    let endpoint = format!("http://{address}");
    let found = Connector::in_emulator(tenant, None, Some(&endpoint)).await;
    found.map(|connector| connector.function).map_err(|error| format!("{error:#}"))
}

#[tokio::test]
async fn the_connector_is_that_of_the_tenant_whatever_its_system_is_called() {
    let stacks = [
        stack("acme", "acme-warehouse-connector", Some("acme-function")),
        stack("local", "local-queries", None),
        stack("local", "local-connector", Some("local-function")),
    ];
    assert_eq!(find("local", &stacks).await.unwrap(), "local-function");
    assert_eq!(find("acme", &stacks).await.unwrap(), "acme-function");
}

#[tokio::test]
async fn a_tenant_with_no_connector_or_several_is_an_error_that_says_what_to_do() {
    let stacks = [stack("local", "local-a", Some("first")), stack("local", "local-b", Some("second"))];
    let several = find("local", &stacks).await.unwrap_err();
    assert_eq!(several, "tenant local has several connectors; set --function to one of first, second");
    let none = find("loc", &stacks).await.unwrap_err();
    assert!(none.starts_with("tenant loc has no connector in the emulator at http://127.0.0.1:"), "{none}");
}
