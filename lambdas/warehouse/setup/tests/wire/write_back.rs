//! Kind `write-back`: the properties that most tests use.

use serde_json::{Value, json};

pub(crate) fn properties() -> Value {
    json!({
        "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:setup", "ServiceTimeout": "360",
        "Kind": "write-back", "Tenant": "acme", "Schema": "quotes",
        "Warehouse": {"Workgroup": "w", "Database": "d"},
        "Source": {"Table": "sales.rates", "Customer": "customer", "Skill": "skill", "Cost": "cost"},
        "Sign": {"Function": "acme-sign", "Role": "arn:aws:iam::123456789012:role/acme-invoker"},
        "LinkBase": "https://a.example/quote?t=",
        "Writer": "IAMR:acme-api",
        "Inputs": [{"Name": "comment", "Type": "text", "MaxLength": "500"}],
        "Readers": {"Groups": ["sellers"], "Users": [], "Roles": []},
    })
}
