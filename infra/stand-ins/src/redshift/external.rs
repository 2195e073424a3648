//! External functions: SQL that calls a Lambda function.
//!
//! A function inside PostgreSQL cannot call out, so a statement that uses one runs more than once. Its substitute in PostgreSQL
//! looks its arguments up among the answers of this session; when there is none, it reports the call as a notice and returns NULL.
//! After a run with such notices the stand-in rolls the statement back, calls the Lambda function in batches as Redshift does,
//! notes the answers and runs the statement again, in the same snapshot. A run without notices is the real one. Calls with the
//! same arguments get one answer each, in order.

use anyhow::{Context, bail, ensure};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ids::uuid;
use super::lexer::{Kind, Token};
use super::literal::literal;
use crate::signed::Caller;

/// What an external function's declaration says about calling it; stored in the substitute's body.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Target {
    /// `schema.name`
    function: String,
    lambda: String,
    rows: usize,
    bytes: usize,
}

/// One call that has no answer yet.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Call {
    target: Target,
    arguments: Value,
    /// The arguments as PostgreSQL writes them, by which the answer is found.
    key: String,
}

/// Who calls, for the batch.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) cluster: String,
    pub(super) user: String,
    pub(super) database: String,
    pub(super) query: u64,
}

/// The notice's message; its detail is the [`Call`].
pub(super) const NOTICE: &str = "external function called";

/// Where the answers of a session are.
const MAKE_ANSWERS: &str = "create temporary table if not exists external_answers
    (id bigint generated always as identity, function text, arguments text, answer text);
create index if not exists external_answers_arguments on pg_temp.external_answers using hash (arguments)";

/// Declares the substitute of an external function.
///
/// # Errors
///
/// If the declaration is not `CREATE [OR REPLACE] EXTERNAL FUNCTION name (type, …) RETURNS type {VOLATILE | STABLE} LAMBDA 'name'
/// IAM_ROLE {'arn' | default} [RETRY_TIMEOUT n] [MAX_BATCH_ROWS n] [MAX_BATCH_SIZE n [KB | MB]]`, within Redshift's limits:
/// <https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_EXTERNAL_FUNCTION.html>.
pub(super) fn declaration(words: &[&Token]) -> Result<String, String> {
    let problem = |what: &str| format!("ERROR: syntax error in CREATE EXTERNAL FUNCTION: {what}");
    let at = |word: &str| words.iter().position(|token| token.is(word)).ok_or_else(|| problem(&format!("no {word}")));
    let replace = if words.iter().take(3).any(|token| token.is("replace")) { "or replace " } else { "" };
    let (name_at, open, close, returns) =
        (at("function")? + 1, at("(")?, at("returns")?.saturating_sub(1), at("returns")?);
    if !(name_at < open && open < close && words[close].is(")")) {
        return Err(problem("the name is not followed by a list of types"));
    }
    let volatility = words.iter().position(|token| token.is("volatile") || token.is("stable"));
    let volatility = volatility.ok_or_else(|| problem("it is neither VOLATILE nor STABLE"))?;
    let lambda = at("lambda")?;
    if !(returns < volatility && volatility < lambda) {
        return Err(problem("the parts are not in order"));
    }
    let join = |tokens: &[&Token]| tokens.iter().map(|token| token.text.as_str()).collect::<Vec<_>>().join(" ");
    let name: String = words[name_at..open].iter().map(|token| token.text.as_str()).collect();
    let plain: String = name.replace('"', "").to_ascii_lowercase();
    let arguments = join(&words[open + 1..close]);
    // Types have their own parentheses and commas, as in DECIMAL(18,2).
    let mut depth = 0;
    let mut count = usize::from(!arguments.is_empty());
    for token in &words[open + 1..close] {
        match token.text.as_str() {
            "(" => depth += 1,
            ")" => depth -= 1,
            "," if depth == 0 => count += 1,
            _ => {}
        }
    }
    let (lambda, rest) = match &words[lambda + 1..] {
        [name, role, _, rest @ ..] if name.kind == Kind::Text && role.is("iam_role") => (unquoted(&name.text), rest),
        _ => return Err(problem("LAMBDA 'name' IAM_ROLE 'arn' is missing")),
    };
    let mut target = Target {
        function: if plain.contains('.') { plain } else { format!("public.{plain}") },
        lambda,
        rows: 2_147_483_647,
        bytes: 5 << 20,
    };
    options(rest, &mut target).ok_or_else(|| problem("an option is not known or out of range"))?;
    let returned = join(&words[returns + 1..volatility]);
    let parameters: Vec<_> = (1..=count).map(|n| format!("${n}")).collect();
    let parameters = parameters.join(", ");
    let target = literal(&serde_json::to_string(&target).expect("texts and numbers are JSON"));
    // Volatile in any case: it writes. Redshift's STABLE only lets it call less often.
    Ok(format!(
        "create {replace}function {name}({arguments}) returns {returned} language plpgsql volatile as $external$
declare
    target jsonb := {target}::jsonb;
    called jsonb := jsonb_build_array({parameters});
    found_id bigint;
    found_answer text;
begin
    if to_regclass('pg_temp.external_answers') is not null then
        select id, answer into found_id, found_answer from pg_temp.external_answers
            where arguments = called::text and function = target ->> 'function' order by id limit 1;
    end if;
    if found_id is null then
        raise notice '{NOTICE}' using detail = jsonb_build_object('target', target, 'arguments', called, 'key', called::text)::text;
        return null;
    end if;
    delete from pg_temp.external_answers where id = found_id;
    return found_answer;
end
$external$"
    ))
}

fn options(mut rest: &[&Token], target: &mut Target) -> Option<()> {
    loop {
        rest = match rest {
            [] => return Some(()),
            [end] if end.is(";") => return Some(()),
            [name, value, after @ ..] => {
                let number: usize = value.text.parse().ok()?;
                if name.is("retry_timeout") {
                    after
                } else if name.is("max_batch_rows") && (1..=2_147_483_647).contains(&number) {
                    target.rows = number;
                    after
                } else if name.is("max_batch_size") {
                    let (unit, after) = match after {
                        [unit, after @ ..] if unit.is("mb") => (1 << 20, after),
                        [unit, after @ ..] if unit.is("kb") => (1 << 10, after),
                        _ => (1 << 10, after),
                    };
                    target.bytes = number.checked_mul(unit).filter(|bytes| (1 << 10..=5 << 20).contains(bytes))?;
                    after
                } else {
                    return None;
                }
            }
            _ => return None,
        };
    }
}

fn unquoted(text: &str) -> String {
    text.trim_matches('\'').replace("''", "'")
}

/// Calls the Lambda functions and returns the SQL that stores their answers.
///
/// # Errors
///
/// If a function does not answer, answers `success: false`, or with a number of results that differs from the number of rows.
pub(super) async fn answers(caller: &Caller, calls: &[Call], origin: &Origin) -> anyhow::Result<String> {
    let mut sql = format!("{MAKE_ANSWERS};\n");
    for batch in batches(calls) {
        let target = &batch[0].target;
        let event = json!({
            "request_id": uuid(),
            "cluster": origin.cluster,
            "user": origin.user,
            "database": origin.database,
            "external_function": target.function,
            "query_id": origin.query,
            "num_records": batch.len(),
            "arguments": batch.iter().map(|call| &call.arguments).collect::<Vec<_>>(),
        });
        let path = format!("/2015-03-31/functions/{}/invocations", target.lambda);
        let headers = [("content-type", "application/json"), ("x-amz-invocation-type", "RequestResponse")];
        let answer = caller.call("lambda", Method::POST, &path, &headers, event.to_string().into_bytes()).await;
        let answer = answer.with_context(|| format!("external function {} could not be called", target.function))?;
        for (call, result) in batch.iter().zip(results(answer, batch.len())?) {
            let answer = match &result {
                Value::Null => "null".to_owned(),
                Value::String(text) => literal(text),
                other => literal(&other.to_string()),
            };
            let arguments = literal(&call.key);
            let function = literal(&target.function);
            sql += &format!(
                "insert into pg_temp.external_answers (function, arguments, answer)
                     values ({function}, {arguments}, {answer});\n"
            );
        }
    }
    Ok(sql)
}

/// Groups the calls by function, in order, within its limits.
fn batches(calls: &[Call]) -> Vec<Vec<&Call>> {
    let mut targets: Vec<&Target> = calls.iter().map(|call| &call.target).collect();
    targets.sort();
    targets.dedup();
    let mut batches: Vec<Vec<&Call>> = Vec::new();
    for target in targets {
        let mut bytes = usize::MAX;
        for call in calls.iter().filter(|call| call.target == *target) {
            let size = call.arguments.to_string().len() + 1;
            let full = batches.last().is_none_or(|batch| batch.len() >= target.rows);
            if full || bytes.saturating_add(size) > target.bytes {
                batches.push(Vec::new());
                bytes = 0;
            }
            bytes += size;
            batches.last_mut().expect("there is one now").push(call);
        }
    }
    batches
}

/// The function answers with an object, or with a string that contains one, as made by Python's `json.dumps`.
fn results(answer: Value, rows: usize) -> anyhow::Result<Vec<Value>> {
    let answer = match answer {
        Value::String(text) => serde_json::from_str(&text).unwrap_or(Value::Null),
        other => other,
    };
    let invalid = "Invalid External Function Response";
    match &answer["success"] {
        Value::Bool(true) => {}
        Value::Bool(false) => bail!("{}", answer["error_msg"].as_str().unwrap_or("the external function failed")),
        _ => bail!("{invalid}: it has no `success`"),
    }
    let count = answer["num_records"].as_u64();
    ensure!(count.is_none_or(|count| count == rows as u64), "{invalid}: num_records is not the number of rows");
    let results = answer["results"].as_array().cloned().unwrap_or_default();
    ensure!(results.len() == rows, "{invalid}: {} results for {rows} rows", results.len());
    Ok(results)
}
