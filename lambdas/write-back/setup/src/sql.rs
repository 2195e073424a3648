//! The text of every statement, in the order in which they run.
//!
//! Names are quoted by [`Names`] and [`Properties`]; the three texts between quotes were checked to contain neither quote nor
//! backslash; everything else from outside is a parameter.

use crate::names::Names;
use crate::properties::{Input, Properties};

/// Rows per call of the signing function. A token has at most 2,048 characters and a Lambda response 6 MB:
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>. This many tokens, quoted twice, are 5.2 MB.
const BATCH_ROWS: u32 = 2500;

/// The argument types of the signing function: action, customer, skill, cost, quote_id.
const SIGNATURE: &str = "varchar, varchar, varchar, varchar, varchar";

/// Those of earlier versions, with a viewer at the end. Whoever called it could sign in the name of anybody.
const FORMER_SIGNATURE: &str = "varchar, varchar, varchar, varchar, varchar, varchar";

pub(crate) fn create_history(names: &Names) -> String {
    format!(
        "create table if not exists {} (
    quote_id varchar(36) not null,
    customer varchar(256),
    skill varchar(256),
    cost decimal(18,2),
    status varchar(16) not null,
    created_at timestamp not null,
    created_by varchar(256),
    submission_id char(64) not null
)",
        names.history
    )
}

/// The columns of a table or view, in order; none if it does not exist. Compared as [`identifier`](redshift::identifier) says.
pub(crate) const COLUMNS: &str = "select a.attname::varchar(128)
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where lower(n.nspname) = lower(:schema) and c.relname = :relation and a.attnum > 0 and not a.attisdropped
order by a.attnum";

pub(crate) fn add_column(names: &Names, input: &Input) -> String {
    format!("alter table {} add column {} {}", names.history, input.column, input.kind)
}

pub(crate) fn create_function(properties: &Properties) -> String {
    let Properties { names, sign_function, sign_role, .. } = properties;
    format!(
        "create or replace external function {} ({SIGNATURE})
returns varchar(2048)
volatile
lambda '{sign_function}'
iam_role '{sign_role}'
retry_timeout 20000
max_batch_rows {BATCH_ROWS}
max_batch_size 4 MB",
        names.sign
    )
}

/// Until this runs, everybody may execute a new function.
pub(crate) fn close_function(names: &Names) -> String {
    format!("revoke execute on function {}({SIGNATURE}) from public", names.sign)
}

pub(crate) fn drop_function(names: &Names) -> String {
    format!("drop function {}({SIGNATURE})", names.sign)
}

pub(crate) fn drop_former_function(names: &Names) -> String {
    format!("drop function {}({FORMER_SIGNATURE})", names.sign)
}

pub(crate) fn drop_view(view: &str) -> String {
    format!("drop view if exists {view}")
}

/// The columns of the source view.
pub(crate) const SOURCE_COLUMNS: [&str; 3] = ["customer", "skill", "cost"];

/// The rows that quotes are generated from, as they are signed. The writing user sees only these columns of the source.
pub(crate) fn create_source_view(properties: &Properties) -> String {
    let Properties { names, source, .. } = properties;
    format!(
        "create or replace view {} as
select
    s.{}::varchar(256) as customer,
    s.{}::varchar(256) as skill,
    s.{}::decimal(18,2) as cost
from {} s",
        names.source_view, source.customer, source.skill, source.cost, source.table
    )
}

/// The columns of the quotes view.
pub(crate) const QUOTES_COLUMNS: [&str; 4] = ["customer", "skill", "cost", "generate_link"];

/// Each row of the source with a link that generates a quote from it.
pub(crate) fn create_quotes_view(properties: &Properties) -> String {
    let Properties { names, link_base, .. } = properties;
    format!(
        "create or replace view {} as
select
    q.customer,
    q.skill,
    q.cost,
    ('{link_base}' || {}('generate', q.customer, q.skill, q.cost::varchar(32), null::varchar))::varchar(4096)
        as generate_link
from {} q",
        names.quotes_view, names.sign, names.source_view
    )
}

/// The columns of the history view.
pub(crate) fn history_columns(inputs: &[Input]) -> Vec<&str> {
    let first = ["quote_id", "customer", "skill", "cost", "status", "created_at", "created_by"];
    let inputs = inputs.iter().map(|input| input.column_name.as_str());
    first.into_iter().chain(inputs).chain(["is_latest", "accept_link"]).collect()
}

/// Each row of the history; the latest row of a quote that nobody has accepted has a link that accepts it.
pub(crate) fn create_history_view(properties: &Properties) -> String {
    let Properties { names, link_base, inputs, .. } = properties;
    let inputs: String = inputs.iter().map(|input| format!("    h.{},\n", input.column)).collect();
    format!(
        "create or replace view {} as
select
    h.quote_id,
    h.customer,
    h.skill,
    h.cost,
    h.status,
    h.created_at,
    h.created_by,
{inputs}    h.place = 1 as is_latest,
    (case when h.place = 1 and h.accepted = 0 then
        '{link_base}' || {}('accept', h.customer, h.skill, h.cost::varchar(32), h.quote_id)
    end)::varchar(4096) as accept_link
from (
    select
        t.*,
        row_number() over (partition by t.quote_id order by t.created_at desc, t.submission_id desc) as place,
        max(case when t.status = 'accepted' then 1 else 0 end) over (partition by t.quote_id) as accepted
    from {} t
) h",
        names.history_view, names.sign, names.history
    )
}

/// The rights of the writing function's user.
pub(crate) fn grant_writer(names: &Names, writer: &str) -> Vec<String> {
    vec![
        format!("grant usage on schema {} to {writer}", names.schema),
        format!("grant select, insert on {} to {writer}", names.history),
        format!("grant select on {} to {writer}", names.source_view),
    ]
}

/// The rights of a reader: both views, and the function that the views call as their reader.
pub(crate) fn grant_reader(names: &Names, reader: &str) -> Vec<String> {
    vec![
        format!("grant usage on schema {} to {reader}", names.schema),
        format!("grant execute on function {}({SIGNATURE}) to {reader}", names.sign),
        format!("grant select on {} to {reader}", names.quotes_view),
        format!("grant select on {} to {reader}", names.history_view),
    ]
}

/// The opposite of [`grant_writer`].
pub(crate) fn revoke_writer(names: &Names, writer: &str) -> Vec<String> {
    vec![
        format!("revoke select on {} from {writer}", names.source_view),
        format!("revoke select, insert on {} from {writer}", names.history),
        format!("revoke usage on schema {} from {writer}", names.schema),
    ]
}

/// The opposite of [`grant_reader`].
pub(crate) fn revoke_reader(names: &Names, reader: &str) -> Vec<String> {
    vec![
        format!("revoke select on {} from {reader}", names.history_view),
        format!("revoke select on {} from {reader}", names.quotes_view),
        format!("revoke execute on function {}({SIGNATURE}) from {reader}", names.sign),
        format!("revoke usage on schema {} from {reader}", names.schema),
    ]
}
