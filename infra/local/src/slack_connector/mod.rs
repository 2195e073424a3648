//! Exercises the deployed system: the app installed in a browser, queries compared with what the stand-in served, a
//! spilled block, limits and refusals, a renewed token, a revoked one.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, ensure};
use athena_federation::Value;
use aws_config::SdkConfig;
use ferrostack_athena::{Answer, Connector, Query, ask};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Method, Response};
use serde_json::{Value as Json, json};
use stand_ins::emulator::REGION;
use stand_ins::signed::{Caller, KEY};
use stand_ins::slack::members::{self, Member};
use stand_ins::slack::{Fault, Slack};
use time::{Date, OffsetDateTime};

use crate::browser;
use crate::exercise::Exercise;
use crate::stack::DeployedStack;
use crate::system::LocalSystem;
use crate::world::World;

pub(crate) const LOCAL: LocalSystem = LocalSystem { uses_warehouse: false, can_be_measured: false };

/// What the steps need. There is no `Debug`: the stand-in has the client secret.
struct SlackExercise<'a> {
    stack: &'a DeployedStack,
    slack: &'a Slack,
    caller: &'a Caller,
    config: &'a SdkConfig,
    pictures: &'a Path,
}

/// The administrator of `tenant.yaml`.
const ADMIN: &str = "ada@example.com";

const TABLE: &str = "slackanalytics.member_analytics";

/// What the stand-in has while a query is counted, and what makes a day too large for an answer of Lambda's.
const MEMBERS: usize = 200;
const MANY_MEMBERS: usize = 40_000;

/// There is nothing to do before the deployment.
pub(crate) async fn prepare(_: &World<'_>) -> anyhow::Result<()> {
    Ok(())
}

/// Runs every step; each continues from the one before.
pub(crate) async fn exercise(
    world: &World<'_>,
    stack: &DeployedStack,
    exercise: &mut Exercise<'_>,
) -> anyhow::Result<()> {
    let (slack, pictures) = (&world.services.slack, world.pictures);
    let (caller, config) = (&world.emulator.caller, &world.emulator.config);
    let system = SlackExercise { stack, slack, caller, config, pictures };
    system.set_up(&world.services.slack_secret).await?;
    exercise.step("before the app is installed a query says so", system.not_installed()).await;
    exercise.step("the app is installed in a browser, by a link that works once", system.in_a_browser()).await;
    exercise.step("a callback that this browser did not start stores nothing", system.callbacks()).await;
    exercise.step("a query over 30 days counts what Slack served", system.thirty_days()).await;
    exercise.step("predicates on days and other columns find their rows only", system.predicates()).await;
    exercise.step("a day too large for an answer comes through S3, encrypted", system.spilled()).await;
    exercise.step("a rate limit of Slack's is waited out", system.limited()).await;
    exercise.step("a day that is missing or broken is an error", system.refused()).await;
    exercise.step("a token that rotates is renewed, and queries go on", system.renewed()).await;
    exercise.step("the app is revoked in a browser, and queries say so", system.revoked()).await;
    exercise.step("installed again, queries work again", system.installed_again()).await;
    Ok(())
}

impl SlackExercise<'_> {
    /// Does what is done by hand in an account: stores the client secret, and registers the address that consents lead back to.
    ///
    /// In an account that address is the stack's own. The emulator serves the stack's pages at a different one, which the function
    /// must know.
    async fn set_up(&self, client_secret: &str) -> anyhow::Result<()> {
        let secret = json!({"client_secret": client_secret}).to_string();
        let secrets = aws_sdk_secretsmanager::Client::new(self.config);
        let id = self.stack.physical_id("ClientSecret")?;
        secrets.put_secret_value().secret_id(id).secret_string(secret).send().await?;

        let redirect_url = self.page("/callback")?;
        self.slack.register(&redirect_url);
        let path = format!("/2015-03-31/functions/{}/configuration", self.stack.physical_id("Install")?);
        let function = self.caller.call("lambda", Method::GET, &path, &[], Vec::new()).await?;
        let mut variables = function["Environment"]["Variables"].clone();
        variables["REDIRECT_URL"] = json!(redirect_url);
        let body = json!({"Environment": {"Variables": variables}}).to_string().into_bytes();
        self.caller.call("lambda", Method::PUT, &path, &[("content-type", "application/json")], body).await?;
        Ok(())
    }

    async fn not_installed(&self) -> anyhow::Result<String> {
        let error = self.error(&format!("select count(*) from {TABLE} where date = '{}'", self.day(1))).await?;
        ensure!(error.contains("Slack is not connected"), "the error is {error}");
        Ok(cut(&error))
    }

    async fn in_a_browser(&self) -> anyhow::Result<String> {
        let link = self.link(false).await?;
        let report = browser::run("slack_connector.mjs", &["install", &link], self.pictures).await?;
        ensure!(report["again"] == 400, "coming back twice was answered {}", report["again"]);
        ensure!(!report.to_string().contains("xox"), "a token is on a page");
        let token = self.token().await?;
        ensure!(token["token"].as_str().is_some_and(|text| text.starts_with("xoxp-")), "no token was stored");
        ensure!(self.slack.good_tokens() == 1, "{} tokens are good", self.slack.good_tokens());
        Ok(report["said"].as_str().unwrap_or_default().to_owned())
    }

    async fn callbacks(&self) -> anyhow::Result<String> {
        let before = self.token().await?;
        let flow = self.begin().await?;
        let other = "A".repeat(43);
        for (state, cookie) in [
            (other.as_str(), flow.cookie.as_str()),
            (&flow.state, &format!("__Host-slack-install={other}")),
            (&flow.state, ""),
            ("", &flow.cookie),
        ] {
            let status = self.come_back(&format!("code={}&state={state}", flow.code), cookie).await?.status();
            ensure!(status == 400, "a wrong callback was answered {status}");
        }
        ensure!(self.token().await? == before, "the token was changed");
        // The flow that this browser started is still unused.
        let status = self.come_back(&flow.query(), &flow.cookie).await?.status();
        ensure!(status == 200, "the right callback was answered {status}");
        let status = self.come_back(&flow.query(), &flow.cookie).await?.status();
        ensure!(status == 400, "the same callback was answered {status} the second time");
        let codes = self.slack.log().iter().filter(|request| request.what == "/api/oauth.v2.access").count();
        ensure!(codes == 2, "Slack was asked {codes} times for a token by two installations");
        Ok("4 wrong ones 400, the right one 200, again 400".to_owned())
    }

    async fn thirty_days(&self) -> anyhow::Result<String> {
        self.slack.set_members(MEMBERS);
        let counts =
            "count(*) as members, count(messages_posted_count) as wrote, sum(messages_posted_count) as messages";
        let found = self.query(&format!("select date, {counts} from {TABLE} group by date order by date")).await?;
        let expected: Vec<Vec<Option<Value>>> = (1..=30)
            .rev()
            .map(|ago| {
                let messages: Vec<i64> =
                    members::of(self.date(ago), MEMBERS).filter_map(|member| member.messages).collect();
                let numbers =
                    [members::count(self.date(ago), MEMBERS) as i64, messages.len() as i64, messages.iter().sum()];
                let date = Some(Value::Text(self.day(ago)));
                std::iter::once(date).chain(numbers.map(|number| Some(Value::Integer(number)))).collect()
            })
            .collect();
        ensure!(found.rows == expected, "the answer is\n{}", found.table());
        let served: BTreeMap<String, usize> =
            self.slack.served().into_iter().filter(|(day, _)| *day >= self.day(30)).collect();
        ensure!(served.len() == 30 && served.values().sum::<usize>() == found.read, "Slack served {served:?}");
        Ok(found.summary())
    }

    async fn predicates(&self) -> anyhow::Result<String> {
        let (from, until) = (self.day(200), self.day(198));
        let text = format!(
            "select date, user_id, is_active_ios from {TABLE} where date between '{from}' and '{until}' and is_active = true \
             and (messages_posted_count > 30 or messages_posted_count is null) and user_id <> 'W000000000' order by date, user_id"
        );
        let found = self.query(&text).await?;
        let wanted = |member: &Member| member.is_active && member.messages.is_none_or(|count| count > 30);
        let mut expected = Vec::new();
        for ago in [200, 199, 198] {
            let members = members::of(self.date(ago), MEMBERS).filter(wanted);
            expected.extend(members.map(|member| (self.day(ago), member.user_id(), member.number.is_multiple_of(3))));
        }
        expected.sort();
        let row = |(date, user, ios)| vec![Some(Value::Text(date)), Some(Value::Text(user)), Some(Value::Bool(ios))];
        let expected: Vec<_> = expected.into_iter().map(row).collect();
        ensure!(
            !expected.is_empty() && found.rows == expected,
            "{} rows, expected were {}",
            found.rows.len(),
            expected.len()
        );
        ensure!((found.partitions, found.read) == (3, expected.len()), "{}", found.summary());
        Ok(found.summary())
    }

    async fn spilled(&self) -> anyhow::Result<String> {
        self.slack.set_members(MANY_MEMBERS);
        let found = self.query(&format!("select * from {TABLE} where date = '{}'", self.day(3))).await;
        self.slack.set_members(MEMBERS);
        let found = found?;
        ensure!(found.spilled == 1, "{}", found.summary());
        let at = |name: &str| {
            found.columns.iter().position(|column| column == name).with_context(|| format!("no column {name}"))
        };
        let (user, messages, active) = (at("user_id")?, at("messages_posted_count")?, at("is_active")?);
        let mut expected = 0;
        for (row, member) in found.rows.iter().zip(members::of(self.date(3), MANY_MEMBERS)) {
            let is_same = row[user] == Some(Value::Text(member.user_id()))
                && row[messages] == member.messages.map(Value::Integer)
                && row[active] == Some(Value::Bool(member.is_active));
            ensure!(is_same, "row {expected} is of another member than Slack's");
            expected += 1;
        }
        ensure!(
            expected == members::count(self.date(3), MANY_MEMBERS) && found.rows.len() == expected,
            "{}",
            found.summary()
        );
        Ok(found.summary())
    }

    async fn limited(&self) -> anyhow::Result<String> {
        self.slack.fail(self.date(5), [Fault::Limited(2), Fault::Limited(1)]);
        let began = Instant::now();
        let found = self.query(&format!("select count(*) from {TABLE} where date = '{}'", self.day(5))).await?;
        let expected = vec![vec![Some(Value::Integer(members::count(self.date(5), MEMBERS) as i64))]];
        ensure!(found.rows == expected, "the answer is\n{}", found.table());
        ensure!(began.elapsed() >= Duration::from_secs(3), "the answer came after {:?}", began.elapsed());
        let day = self.day(5);
        let statuses: Vec<u16> =
            self.slack.log().iter().filter(|request| request.what == day).map(|request| request.status).collect();
        ensure!(statuses.ends_with(&[429, 429, 200]), "Slack answered {statuses:?}");
        Ok("429, 429, 200".to_owned())
    }

    async fn refused(&self) -> anyhow::Result<String> {
        let today = self.error(&format!("select count(*) from {TABLE} where date = '{}'", self.day(0))).await?;
        ensure!(today.contains(&format!("has not finished the file of {}", self.day(0))), "the error is {today}");
        let gone = self.error(&format!("select count(*) from {TABLE} where date = '{}'", self.day(500))).await?;
        ensure!(gone.contains(&format!("{} is no longer available", self.day(500))), "the error is {gone}");
        let unknown = self.error("select count(*) from slackanalytics.channels").await?;
        ensure!(unknown.contains("there is no table"), "the error is {unknown}");
        for (fault, says) in [
            ([Fault::Truncated, Fault::Truncated], "cannot be read"),
            ([Fault::Down, Fault::Down], "run the query again"),
            ([Fault::Code("member_analytics_disabled"); 2], "member_analytics_disabled"),
        ] {
            self.slack.fail(self.date(7), fault);
            let error = self.error(&format!("select count(*) from {TABLE} where date = '{}'", self.day(7))).await?;
            ensure!(error.contains(says), "the error is {error}");
            while self.slack.heal(self.date(7)) {}
        }
        Ok(cut(&today))
    }

    async fn renewed(&self) -> anyhow::Result<String> {
        // A life below that at which tokens are renewed, and longer than this step.
        self.slack.rotate(Some(Duration::from_secs(600)));
        let flow = self.begin().await?;
        let status = self.come_back(&flow.query(), &flow.cookie).await?.status();
        ensure!(status == 200, "the installation was answered {status}");
        let first = self.token().await?;
        ensure!(first["refresh_token"].is_string() && first["expires"].is_u64(), "the token does not rotate");
        // The next token lives so long that it is not due again: the second run has nothing to do.
        self.slack.rotate(Some(Duration::from_secs(12 * 60 * 60)));
        let (one, other) = tokio::join!(self.refresh(), self.refresh());
        let refreshed = [one?, other?].iter().filter(|run| run["refreshed"] == true).count();
        ensure!(refreshed == 1, "{refreshed} of 2 runs renewed the token");
        let second = self.token().await?;
        ensure!(second["token"] != first["token"], "the token is the old one");
        self.query(&format!("select count(*) from {TABLE} where date = '{}'", self.day(9))).await?;
        Ok(format!("{refreshed} of 2 runs at once renewed it"))
    }

    async fn revoked(&self) -> anyhow::Result<String> {
        let link = self.link(true).await?;
        browser::run("slack_connector.mjs", &["revoke", &link], self.pictures).await?;
        ensure!(self.token().await? == json!({}), "the token was not deleted");
        let error = self.error(&format!("select count(*) from {TABLE} where date = '{}'", self.day(9))).await?;
        ensure!(error.contains("Slack is not connected"), "the error is {error}");
        Ok(cut(&error))
    }

    /// With a token that stays valid, for the queries that follow.
    async fn installed_again(&self) -> anyhow::Result<String> {
        self.slack.rotate(None);
        let flow = self.begin().await?;
        let status = self.come_back(&flow.query(), &flow.cookie).await?.status();
        ensure!(status == 200, "the installation was answered {status}");
        Ok(self.query(&format!("select count(*) from {TABLE} where date = '{}'", self.day(9))).await?.summary())
    }

    async fn query(&self, text: &str) -> anyhow::Result<Answer> {
        let connector = Connector::new(self.config, self.stack.physical_id("Connector")?);
        ask(&connector, &Query::parse(text)?).await
    }

    /// The error of a query that fails.
    async fn error(&self, text: &str) -> anyhow::Result<String> {
        match self.query(text).await {
            Ok(answer) => anyhow::bail!("the query was answered: {}", answer.summary()),
            Err(error) => Ok(format!("{error:#}")),
        }
    }

    /// A start link, made by the script that makes them for an account.
    async fn link(&self, revoke: bool) -> anyhow::Result<String> {
        let tenant = self.stack.name.strip_suffix("-slack-connector").context("the stack has another name")?;
        let mut script = tokio::process::Command::new("scripts/slack-connector-install");
        script.args([tenant, ADMIN]).args(revoke.then_some("--revoke")).stdin(Stdio::null()).kill_on_drop(true);
        let tools = std::path::absolute(".tools/venv/bin")?;
        script
            .env("PATH", format!("{}:{}", tools.display(), std::env::var("PATH").unwrap_or_default()))
            .env("AWS_ENDPOINT_URL", &self.caller.endpoint)
            .env("AWS_ACCESS_KEY_ID", KEY)
            .env("AWS_SECRET_ACCESS_KEY", KEY)
            .env("AWS_DEFAULT_REGION", REGION);
        let ran = script.output().await.context("cannot run scripts/slack-connector-install")?;
        ensure!(
            ran.status.success(),
            "scripts/slack-connector-install: {}",
            String::from_utf8_lossy(&ran.stderr).trim()
        );
        let link = String::from_utf8(ran.stdout)?;
        // The host is AWS's own, which is not here.
        let (_, query) = link.trim().split_once("?t=").context("the link has no token")?;
        Ok(format!("{}?t={query}", self.page(if revoke { "/revoke" } else { "/install" })?))
    }

    /// Where the emulator serves a page of the stack.
    fn page(&self, path: &str) -> anyhow::Result<String> {
        let api = self.stack.only("AWS::ApiGatewayV2::Api")?;
        Ok(format!("{}/_aws/execute-api/{api}/$default{path}", self.caller.endpoint))
    }

    /// Does what a browser does up to coming back from Slack.
    async fn begin(&self) -> anyhow::Result<Flow> {
        let http = client()?;
        let link = self.link(false).await?;
        let (page, token) = link.split_once("?t=").context("the link has no token")?;
        let started = send(&http, page, &[("t", token)]).await?;
        let header = |answer: &Response, name| {
            answer.headers().get(name).and_then(|value| Some(value.to_str().ok()?.to_owned()))
        };
        let cookie = header(&started, SET_COOKIE).context("the browser gets no cookie")?;
        let consent = header(&started, LOCATION).context("the browser is not sent to Slack")?;
        let fields: BTreeMap<String, String> = reqwest::Url::parse(&consent)?.query_pairs().into_owned().collect();
        let page = consent.split('?').next().unwrap_or_default();
        let value = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
        let names = ["redirect_uri", "state", "code_challenge"];
        let form: Vec<_> = names.map(|name| (name, value(name))).into_iter().chain([("answer", "allow")]).collect();
        let back =
            header(&send(&http, page, &form).await?, LOCATION).context("Slack does not send the browser back")?;
        let back: BTreeMap<String, String> = reqwest::Url::parse(&back)?.query_pairs().into_owned().collect();
        Ok(Flow {
            state: value("state").to_owned(),
            code: back.get("code").context("Slack gives no code")?.clone(),
            cookie: cookie.split(';').next().unwrap_or_default().to_owned(),
        })
    }

    async fn come_back(&self, query: &str, cookie: &str) -> anyhow::Result<Response> {
        let request = client()?.get(format!("{}?{query}", self.page("/callback")?)).header(COOKIE, cookie);
        Ok(request.send().await?)
    }

    /// The content of the token's secret.
    async fn token(&self) -> anyhow::Result<Json> {
        let ask = json!({"SecretId": self.stack.physical_id("SlackToken")?});
        let answer = self.caller.json("secretsmanager", "secretsmanager.GetSecretValue", "1.1", &ask).await?;
        Ok(serde_json::from_str(answer["SecretString"].as_str().unwrap_or_default()).unwrap_or_default())
    }

    /// What the schedule does each hour.
    async fn refresh(&self) -> anyhow::Result<Json> {
        let path = format!("/2015-03-31/functions/{}/invocations", self.stack.physical_id("Install")?);
        let body = json!({"refresh": true}).to_string().into_bytes();
        self.caller.call("lambda", Method::POST, &path, &[("content-type", "application/json")], body).await
    }

    fn date(&self, days_ago: i64) -> Date {
        OffsetDateTime::from(SystemTime::now()).date() - time::Duration::days(days_ago)
    }

    fn day(&self, days_ago: i64) -> String {
        members::text(self.date(days_ago))
    }
}

/// A consent that was given, but not yet returned to the app.
struct Flow {
    state: String,
    code: String,
    cookie: String,
}

impl Flow {
    fn query(&self) -> String {
        format!("code={}&state={}", self.code, self.state)
    }
}

fn client() -> anyhow::Result<Client> {
    Ok(Client::builder().redirect(reqwest::redirect::Policy::none()).build()?)
}

async fn send(http: &Client, url: &str, form: &[(&str, &str)]) -> anyhow::Result<Response> {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = http.post(url).header("content-type", "application/x-www-form-urlencoded").body(body);
    Ok(request.send().await?)
}

/// Short enough for a line of the table.
fn cut(text: &str) -> String {
    text.chars().take(100).collect()
}
