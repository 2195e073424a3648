//! Exercises the deployed system: links from the view, the form in a browser, quotes generated, in review and accepted, and what
//! must not write.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use futures_util::future::join_all;
use reqwest::Method;

use crate::browser;
use crate::exercise::{Exercise, until};
use crate::rest::Rest;
use crate::sql::Sql;
use crate::stack::DeployedStack;
use crate::system::LocalSystem;
use crate::world::World;

pub(crate) const LOCAL: LocalSystem = LocalSystem { uses_warehouse: true, can_be_measured: false };

/// What the steps need.
struct WriteBackExercise<'a> {
    rest: Rest,
    /// The database with the views.
    sql: &'a Sql,
    pictures: &'a Path,
}

/// What is there before the stack: the readers' group and the source table of `tenant.yaml`, with customers whose names would break
/// SQL or HTML that does not escape them.
const WAREHOUSE: [&str; 4] = [
    "create group quicksight",
    "create schema sales",
    "create table sales.rates (customer varchar(256), skill varchar(256), cost decimal(18, 2))",
    "insert into sales.rates values ('Acme & Sons', 'Java', 1250.00), ('O''Brien; DROP TABLE x--', 'SQL', 99.95), \
     ('<script>alert(1)</script>', 'Rust', 2000.00), (null, 'Go', 700.00)",
];

const LONGEST_WRITE: Duration = Duration::from_secs(90);

/// Creates what a warehouse has before the stack is deployed to it.
pub(crate) async fn prepare(world: &World<'_>) -> anyhow::Result<()> {
    let sql = &world.services.warehouse()?.sql;
    for statement in WAREHOUSE {
        sql.run(statement).await?;
    }
    Ok(())
}

/// Runs every step; each continues from the one before.
pub(crate) async fn exercise(
    world: &World<'_>,
    stack: &DeployedStack,
    exercise: &mut Exercise<'_>,
) -> anyhow::Result<()> {
    let rest = Rest::of(stack, &world.emulator.caller).await?;
    let system = WriteBackExercise { rest, sql: &world.services.warehouse()?.sql, pictures: world.pictures };
    exercise.step("a SELECT from the view gives a link for each row", system.links()).await;
    exercise.step("looking at a link writes nothing", system.looking()).await;
    exercise.step("a changed link is refused", system.tampered()).await;
    exercise.step("the form, sent by keyboard in a browser, generates a quote", system.in_a_browser()).await;
    exercise.step("a link sent ten times at once writes one row", system.at_once()).await;
    exercise.step("a second link for a customer and skill starts a review", system.review()).await;
    exercise.step("the accept link of the history accepts the quote", system.accept()).await;
    Ok(())
}

impl WriteBackExercise<'_> {
    async fn links(&self) -> anyhow::Result<String> {
        let rows = self.sql.run("select customer, generate_link from write_back.vw_quote").await?;
        ensure!(rows.len() == 4, "the view has {} rows", rows.len());
        let links: Vec<_> = rows.iter().filter_map(|row| row[1].as_deref()).collect();
        ensure!(links.iter().all(|link| link.starts_with("https://")), "a link is not a URL: {links:?}");
        Ok(format!("{} rows, {} links", rows.len(), links.len()))
    }

    async fn looking(&self) -> anyhow::Result<String> {
        let before = self.rows_of("<script>alert(1)</script>").await?;
        let link = self.link("<script>alert(1)</script>").await?;
        let page = self.rest.request(Method::GET, &link).send().await?;
        let policy =
            page.headers().get("content-security-policy").context("the page has no policy")?.to_str()?.to_owned();
        ensure!(page.status() == 200 && policy.contains("default-src 'none'"), "{}: {policy}", page.status());
        ensure!(!page.text().await?.contains("<script>alert"), "the customer's name is not escaped");
        let head = self.rest.request(Method::HEAD, &link).send().await?.status();
        let prefetch = self.rest.request(Method::GET, &link).header("sec-purpose", "prefetch").send().await?.status();
        let after = self.rows_of("<script>alert(1)</script>").await?;
        ensure!(before == 0 && after == 0, "{after} rows were written");
        Ok(format!("GET 200, HEAD {}, prefetch {}, 0 rows", head.as_u16(), prefetch.as_u16()))
    }

    async fn tampered(&self) -> anyhow::Result<String> {
        let link = self.link("Acme & Sons").await?;
        let token = token(&link)?;
        let middle = token.len() / 2;
        let other = if &token[middle..=middle] == "A" { "B" } else { "A" };
        let changed = format!("{}{other}{}", &token[..middle], &token[middle + 1..]);
        let status = self.post(&changed).await?;
        ensure!(status == 403, "the answer was {status}");
        Ok("403".to_owned())
    }

    async fn in_a_browser(&self) -> anyhow::Result<String> {
        let (link, other) = (self.link("Acme & Sons").await?, self.link("<script>alert(1)</script>").await?);
        let (link, other) = (format!("{}{link}", self.rest.url), format!("{}{other}", self.rest.url));
        let page = browser::run("write_back.mjs", &[&link, &other], self.pictures).await?;
        let rows = self.history("Acme & Sons").await?;
        ensure!(rows.len() == 1 && rows[0].status == "generated", "the history is {rows:?}");
        ensure!(page["Quote"] == *rows[0].quote_id, "the page said {page}, the history has {rows:?}");
        let inputs =
            "select input_comment, input_discount from write_back.quote_history where customer = 'Acme & Sons'";
        let inputs = self.sql.run(inputs).await?;
        let stored: Vec<_> = inputs[0].iter().map(|input| input.as_deref().unwrap_or_default()).collect();
        ensure!(stored[0] == "By <b>keyboard</b> & more", "the comment became {stored:?}");
        ensure!(stored[1].trim_end_matches('0') == "7.5", "the discount became {stored:?}");
        Ok(format!("1 row; pictures in {}", self.pictures.display()))
    }

    async fn at_once(&self) -> anyhow::Result<String> {
        let customer = "O'Brien; DROP TABLE x--";
        let link = self.link(customer).await?;
        let token = token(&link)?;
        let posts = (0..10).map(|_| self.post(token));
        let mut answers = Vec::new();
        for answer in join_all(posts).await {
            answers.push(answer?);
        }
        let good = |status: u16| matches!(status, 200 | 202 | 409 | 503);
        ensure!(answers.iter().all(|status| good(*status)), "the answers were {answers:?}");
        self.written(token).await?;
        let rows = self.history(customer).await?;
        ensure!(rows.len() == 1, "{} rows were written", rows.len());
        Ok("1 row".to_owned())
    }

    async fn review(&self) -> anyhow::Result<String> {
        let link = self.link("Acme & Sons").await?;
        self.written(token(&link)?).await?;
        let rows = self.history("Acme & Sons").await?;
        let statuses: Vec<_> = rows.iter().map(|row| row.status.as_str()).collect();
        ensure!(statuses == ["generated", "in review"], "the history is {rows:?}");
        ensure!(rows[0].quote_id == rows[1].quote_id, "the second row has a different quote ID: {rows:?}");
        Ok(format!("quote {} is in review", rows[1].quote_id))
    }

    async fn accept(&self) -> anyhow::Result<String> {
        let select = "select accept_link from write_back.vw_quote_history where customer = 'Acme & Sons' and is_latest";
        let rows = self.sql.run(select).await?;
        let link = rows.first().and_then(|row| row[0].as_deref()).context("the latest row has no accept link")?;
        self.written(token(link)?).await?;
        let rows = self.history("Acme & Sons").await?;
        ensure!(rows.last().is_some_and(|row| row.status == "accepted"), "the history is {rows:?}");
        let links = self.sql.run(select).await?;
        ensure!(links[0][0].is_none(), "an accepted quote still has an accept link");
        Ok(rows.iter().map(|row| row.status.as_str()).collect::<Vec<_>>().join(" → "))
    }

    /// Path and query of the customer's link. Its host is AWS's own, which is not here.
    async fn link(&self, customer: &str) -> anyhow::Result<String> {
        let select = format!("select generate_link from write_back.vw_quote where customer = {}", literal(customer));
        let rows = self.sql.run(&select).await?;
        let link = rows.first().and_then(|row| row[0].as_deref()).context("the row has no link")?;
        let (_, query) = link.split_once("/quote?").context("the link has no query")?;
        Ok(format!("/quote?{query}"))
    }

    /// Sends the form of a link with nothing filled in, and returns the status of the answer.
    async fn post(&self, token: &str) -> anyhow::Result<u16> {
        let request = self.rest.request(Method::POST, "/quote");
        let body = format!("t={token}&comment=&discount=");
        let answer = request.header("content-type", "application/x-www-form-urlencoded").body(body).send().await?;
        Ok(answer.status().as_u16())
    }

    /// Posts until the answer is the result, as the page does while it waits.
    async fn written(&self, token: &str) -> anyhow::Result<()> {
        until("the row of a link", LONGEST_WRITE, async || {
            let status = self.post(token).await?;
            ensure!(matches!(status, 200 | 202 | 409 | 503), "the answer was {status}");
            Ok((status == 200).then_some(()))
        })
        .await
    }

    async fn rows_of(&self, customer: &str) -> anyhow::Result<usize> {
        Ok(self.history(customer).await?.len())
    }

    async fn history(&self, customer: &str) -> anyhow::Result<Vec<Row>> {
        let select = format!(
            "select quote_id, status from write_back.quote_history where customer = {} order by created_at",
            literal(customer)
        );
        let rows = self.sql.run(&select).await?;
        let field = |row: &[Option<String>], index: usize| row[index].clone().unwrap_or_default();
        Ok(rows.iter().map(|row| Row { quote_id: field(row, 0), status: field(row, 1) }).collect())
    }
}

#[derive(Debug)]
struct Row {
    quote_id: String,
    status: String,
}

fn token(link: &str) -> anyhow::Result<&str> {
    link.split_once("?t=").map(|(_, token)| token).context("the link has no token")
}

/// For the texts in this file only.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
