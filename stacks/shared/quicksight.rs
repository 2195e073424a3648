//! Who may do what with the resources of a stack in QuickSight.

use aws::quicksight::{dashboard, data_set, data_source};

use crate::shared::arn::{check_arn, is_named};
use crate::shared::fields::checked_text;

const FORM: &str = "arn:aws:quicksight:<region>:<account>:user/<namespace>/<name>, or group/…";

checked_text! {
    /// A user or a group of QuickSight.
    pub(crate) Principal, |text: &str| {
        check_arn(text, "a QuickSight user or group", FORM, |resource| is_named(resource, "user/") || is_named(resource, "group/"))
    }
}

/// What owners may do with a data source.
pub(crate) fn data_source_permissions(owners: &[Principal]) -> Vec<data_source::ResourcePermission> {
    owners.iter().map(|owner| data_source_permission(owner, DATA_SOURCE_OWNER)).collect()
}

/// What owners may do with a dataset.
pub(crate) fn data_set_permissions(owners: &[Principal]) -> Vec<data_set::ResourcePermission> {
    owners.iter().map(|owner| data_set_permission(owner, DATA_SET_OWNER)).collect()
}

/// What owners and viewers may do with a dashboard.
pub(crate) fn dashboard_permissions(owners: &[Principal], viewers: &[Principal]) -> Vec<dashboard::ResourcePermission> {
    let owners = owners.iter().map(|owner| dashboard_permission(owner, DASHBOARD_OWNER));
    owners.chain(viewers.iter().map(|viewer| dashboard_permission(viewer, DASHBOARD_VIEWER))).collect()
}

/// Defines the three functions, which differ only in the generated type.
macro_rules! permission {
    ($name:ident, $module:ident) => {
        fn $name(to: &Principal, actions: &[&str]) -> $module::ResourcePermission {
            $module::ResourcePermission::new($module::ResourcePermissionRequired {
                actions: actions.to_vec().into(),
                principal: to.as_str().into(),
            })
        }
    };
}
permission!(data_source_permission, data_source);
permission!(data_set_permission, data_set);
permission!(dashboard_permission, dashboard);

// QuickSight accepts exactly these sets, the ones that its console uses.
// <https://docs.aws.amazon.com/quicksight/latest/developerguide/share-dashboard.html>
const DASHBOARD_VIEWER: &[&str] =
    &["quicksight:DescribeDashboard", "quicksight:ListDashboardVersions", "quicksight:QueryDashboard"];
const DASHBOARD_OWNER: &[&str] = &[
    "quicksight:DeleteDashboard",
    "quicksight:DescribeDashboard",
    "quicksight:DescribeDashboardPermissions",
    "quicksight:ListDashboardVersions",
    "quicksight:QueryDashboard",
    "quicksight:UpdateDashboard",
    "quicksight:UpdateDashboardPermissions",
    "quicksight:UpdateDashboardPublishedVersion",
];
const DATA_SET_OWNER: &[&str] = &[
    "quicksight:CancelIngestion",
    "quicksight:CreateIngestion",
    "quicksight:DeleteDataSet",
    "quicksight:DescribeDataSet",
    "quicksight:DescribeDataSetPermissions",
    "quicksight:DescribeIngestion",
    "quicksight:ListIngestions",
    "quicksight:PassDataSet",
    "quicksight:UpdateDataSet",
    "quicksight:UpdateDataSetPermissions",
];
const DATA_SOURCE_OWNER: &[&str] = &[
    "quicksight:DeleteDataSource",
    "quicksight:DescribeDataSource",
    "quicksight:DescribeDataSourcePermissions",
    "quicksight:PassDataSource",
    "quicksight:UpdateDataSource",
    "quicksight:UpdateDataSourcePermissions",
];
