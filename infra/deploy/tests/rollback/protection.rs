//! What AWS itself refuses to delete. No stack that is shipped has such a resource, but an older one may.

use ferrostack_deploy::{Assembly, Options, Progress, Teardown};
use serde_json::json;

use crate::account::Step;
use crate::api::{self, Shared};
use crate::assemblies;
use crate::connection::connect;

#[tokio::test(start_paused = true)]
async fn a_protected_resource_that_a_rollback_cannot_delete_is_named_until_it_is_gone() {
    for (kind, protection, refusal) in [
        ("AWS::DynamoDB::Table", json!({ "DeletionProtectionEnabled": true }), "currently protected against deletion"),
        ("AWS::Cognito::UserPool", json!({ "DeletionProtection": "ACTIVE" }), "deletion protection is activated"),
    ] {
        let account: Shared = Shared::default();
        let target = connect(&api::serve(&account).await).await;
        let candidates = assemblies::all();
        let candidate = candidates.stacks.iter().find(|candidate| candidate.tenant == "example").unwrap();
        let mut artifact = candidate.artifact.clone();
        artifact.assets.clear();
        artifact.template = json!({ "Resources": {
            "Kept": { "Type": kind, "DeletionPolicy": "RetainExceptOnCreate", "Properties": protection },
            "Late": { "Type": "AWS::SSM::Parameter", "DependsOn": "Kept" },
        } })
        .to_string()
        .into();
        let assembly = Assembly { tenant: candidate.tenant.clone(), stacks: vec![artifact] };
        let (options, progress) = (Options::default(), Progress::silent());
        account.lock().unwrap().faults = [(Step::Create, "Late".to_owned())].into();
        let failed = ferrostack_deploy::deploy(&target, &assembly, &options, &progress).await.unwrap_err();
        assert!(failed.to_string().contains("ended as ROLLBACK_FAILED"), "{failed}");

        account.lock().unwrap().faults.clear();
        ferrostack_deploy::deploy(&target, &assembly, &options, &progress).await.unwrap();
        let orphans = || account.lock().unwrap().orphans().len();
        assert_eq!(orphans(), 1, "it refused the deletion that the rollback owed");
        // The new stack is released from its protection; the one that is left is not a member of any stack.
        let teardown = Teardown { with_data: true, yes: true, ..Teardown::default() };
        let refused = ferrostack_deploy::destroy(&target, &assembly, &teardown, &progress).await.unwrap_err();
        let said = refused.to_string();
        assert!(said.contains("Kept (") && said.contains(refusal), "{said}");
        assert!(said.ends_with("; fix that and destroy it again"), "{said}");

        account.lock().unwrap().unprotect();
        ferrostack_deploy::destroy(&target, &assembly, &teardown, &progress).await.unwrap();
        assert_eq!(orphans(), 0);
    }
}
