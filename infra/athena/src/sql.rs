//! The SQL that the driver knows: one table, columns and counts, conditions on columns, groups, an order, a limit.

use anyhow::{Context, anyhow, bail, ensure};
use arrow_schema::{DataType, Schema};
use athena_federation::{TableName, Value};
use sqlparser::ast::{
    BinaryOperator, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr,
    Ident, LimitClause, ObjectName, OrderByKind, OrderBySort, Query as SqlQuery, Select, SelectItem, SetExpr,
    Statement, TableFactor, UnaryOperator, Value as Literal,
};
use sqlparser::dialect::AnsiDialect;
use sqlparser::parser::Parser;

use crate::filter::{Comparison, Filter};

/// A query before the table's columns are known: columns, `count` and `sum` of one table, WHERE, GROUP BY, ORDER BY, LIMIT.
#[derive(Debug)]
pub struct Query {
    /// The table that is queried.
    pub(crate) table: TableName,
    select: Select,
    order_by: Vec<(Expr, bool)>,
    /// The most rows to return.
    limit: Option<usize>,
}

/// A query over columns that exist.
#[derive(Debug)]
pub(crate) struct Plan {
    /// What is shown, in its order, each under its heading.
    pub(crate) items: Vec<(String, Item)>,
    pub(crate) filter: Option<Filter>,
    /// The columns to group by; `None` if rows are shown as they are.
    pub(crate) groups: Option<Vec<String>>,
    /// Which of the items to sort by, and whether from the largest down.
    pub(crate) order: Vec<(usize, bool)>,
    pub(crate) limit: Option<usize>,
}

/// What one column of the result shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    Column(String),
    /// `count(*)`
    Rows,
    /// `count(column)`
    Count(String),
    /// `count(distinct column)`
    Distinct(String),
    /// `sum(column)`, of whole numbers.
    Sum(String),
}

impl Item {
    pub(crate) fn column(&self) -> Option<&str> {
        match self {
            Item::Rows => None,
            Item::Column(name) | Item::Count(name) | Item::Distinct(name) | Item::Sum(name) => Some(name),
        }
    }
}

/// Rejects every clause that the driver does not read, by removing those that it reads and checking what is left.
fn nothing_else(query: &SqlQuery, select: &Select, name: &ObjectName) -> anyhow::Result<()> {
    let mut rest = query.clone();
    let mut bare = select.clone();
    bare.projection = vec![SelectItem::UnnamedExpr(Expr::Identifier(Ident::new("x")))];
    bare.selection = None;
    bare.group_by = GroupByExpr::Expressions(Vec::new(), Vec::new());
    *rest.body = SetExpr::Select(Box::new(bare));
    rest.order_by = None;
    rest.limit_clause = None;
    let (left, expected) = (rest.to_string(), format!("SELECT x FROM {name}"));
    ensure!(
        left == expected,
        "apart from columns, WHERE, GROUP BY, ORDER BY and LIMIT, the query has something that the driver does not know: `{left}` should be `{expected}`"
    );
    Ok(())
}

/// The last two names. The name before them is Athena's name for the connector.
fn table(name: &ObjectName) -> anyhow::Result<TableName> {
    let parts: Option<Vec<&Ident>> = name.0.iter().map(|part| part.as_ident()).collect();
    let parts = parts.with_context(|| format!("`{name}` is not a table"))?;
    match parts[..] {
        [schema, table] | [_, schema, table] => Ok(TableName {
            schema_name: schema.value.to_ascii_lowercase(),
            table_name: table.value.to_ascii_lowercase(),
        }),
        _ => bail!("`{name}` is not a table; name it as schema.table, for example slackanalytics.member_analytics"),
    }
}

fn order_by(query: &SqlQuery) -> anyhow::Result<Vec<(Expr, bool)>> {
    let Some(order) = &query.order_by else { return Ok(Vec::new()) };
    let OrderByKind::Expressions(expressions) = &order.kind else { bail!("the driver does not know `{order}`") };
    let read = |order: &sqlparser::ast::OrderByExpr| {
        let descending = match order.options.sort {
            None | Some(OrderBySort::Asc) => false,
            Some(OrderBySort::Desc) => true,
            Some(_) => bail!("the driver does not know the order `{order}`"),
        };
        ensure!(order.options.nulls_first.is_none(), "the driver always sorts NULL last and does not know `{order}`");
        Ok((order.expr.clone(), descending))
    };
    expressions.iter().map(read).collect()
}

fn limit(query: &SqlQuery) -> anyhow::Result<Option<usize>> {
    let limit = match &query.limit_clause {
        None => return Ok(None),
        Some(LimitClause::LimitOffset { limit: Some(limit), offset: None, limit_by }) if limit_by.is_empty() => limit,
        Some(other) => bail!("the driver does not know `{}`; LIMIT takes one number", other.to_string().trim()),
    };
    let number = limit.to_string().parse().ok();
    number.map(Some).with_context(|| format!("LIMIT is `{limit}`; it takes a whole number"))
}

impl Query {
    /// Reads a query's text.
    ///
    /// # Errors
    ///
    /// If it is not SQL or has a part that this driver does not know; the message names the part.
    pub fn parse(text: &str) -> anyhow::Result<Query> {
        let mut statements = Parser::parse_sql(&AnsiDialect {}, text).context("the query is not SQL")?;
        ensure!(statements.len() == 1, "there are {} statements; the driver takes one SELECT", statements.len());
        let Statement::Query(query) = statements.remove(0) else { bail!("the driver takes only a SELECT") };
        let SetExpr::Select(select) = query.body.as_ref() else {
            bail!("`{}` is more than a SELECT; the driver takes one SELECT from one table", query.body)
        };
        let [from] = select.from.as_slice() else {
            bail!("the driver reads one table, but FROM has {}", select.from.len())
        };
        ensure!(from.joins.is_empty(), "the driver does not know JOIN; it reads one table");
        let TableFactor::Table { name, .. } = &from.relation else {
            bail!("`{}` is not a table; the driver reads one table, named as schema.table", from.relation)
        };
        nothing_else(&query, select, name)?;
        Ok(Query {
            table: table(name)?,
            order_by: order_by(&query)?,
            limit: limit(&query)?,
            select: select.as_ref().clone(),
        })
    }

    /// Checks the query against the table's columns.
    ///
    /// # Errors
    ///
    /// If it names an unknown column, compares values that cannot be compared, or has something that this driver does not know.
    pub(crate) fn plan(&self, schema: &Schema) -> anyhow::Result<Plan> {
        let mut items = Vec::new();
        for item in &self.select.projection {
            match item {
                SelectItem::Wildcard(options) if options.to_string() == "" => {
                    for field in schema.fields() {
                        let name = Expr::Identifier(Ident::new(field.name()));
                        items.push((field.name().clone(), Item::Column(column(&name, schema)?.0)));
                    }
                }
                SelectItem::UnnamedExpr(expression) => {
                    items.push((expression.to_string(), item_of(expression, schema)?));
                }
                SelectItem::ExprWithAlias { expr, alias } => items.push((alias.value.clone(), item_of(expr, schema)?)),
                other => bail!("the driver does not know `{other}` in a SELECT list"),
            }
        }
        let groups = self.groups(&items, schema)?;
        let order = self.order_by.iter().map(|(expression, descending)| {
            let found = position(expression, &items, schema)?;
            Ok((found, *descending))
        });
        let order = order.collect::<anyhow::Result<_>>()?;
        let filter = self.select.selection.as_ref().map(|selection| filter(selection, schema)).transpose()?;
        Ok(Plan { items, filter, groups, order, limit: self.limit })
    }

    fn groups(&self, items: &[(String, Item)], schema: &Schema) -> anyhow::Result<Option<Vec<String>>> {
        let GroupByExpr::Expressions(expressions, modifiers) = &self.select.group_by else {
            bail!("the driver does not know `{}`", self.select.group_by)
        };
        ensure!(modifiers.is_empty(), "the driver does not know `{}`", self.select.group_by);
        let read = |expression: &Expr| match position(expression, items, schema) {
            Ok(at) => match &items[at].1 {
                Item::Column(name) => Ok(name.clone()),
                _ => Err(anyhow!("`{expression}` is not a column, so it cannot be grouped by")),
            },
            Err(_) => column(expression, schema).map(|(name, _)| name),
        };
        let groups: Vec<String> = expressions.iter().map(read).collect::<anyhow::Result<_>>()?;
        if groups.is_empty() && items.iter().all(|(_, item)| matches!(item, Item::Column(_))) {
            return Ok(None);
        }
        for (_, item) in items {
            if let Item::Column(name) = item
                && !groups.contains(name)
            {
                bail!("`{name}` is neither counted nor in GROUP BY");
            }
        }
        Ok(Some(groups))
    }
}

/// Which item an expression of GROUP BY or ORDER BY means: by its number, its heading, or what it shows.
fn position(expression: &Expr, items: &[(String, Item)], schema: &Schema) -> anyhow::Result<usize> {
    if let Ok(number) = expression.to_string().parse::<usize>() {
        ensure!((1..=items.len()).contains(&number), "there is no column {number} in the SELECT list");
        return Ok(number - 1);
    }
    let text = expression.to_string();
    let named = items.iter().position(|(heading, _)| heading.eq_ignore_ascii_case(&text));
    let shown =
        || item_of(expression, schema).ok().and_then(|item| items.iter().position(|(_, selected)| *selected == item));
    named.or_else(shown).with_context(|| format!("`{expression}` is not in the SELECT list"))
}

fn item_of(expression: &Expr, schema: &Schema) -> anyhow::Result<Item> {
    match expression {
        Expr::Function(function) => aggregate(function, schema),
        _ => Ok(Item::Column(column(expression, schema)?.0)),
    }
}

fn aggregate(function: &Function, schema: &Schema) -> anyhow::Result<Item> {
    let unknown =
        || anyhow!("the driver does not know `{function}`; it has count(*), count(…), count(distinct …) and sum(…)");
    let FunctionArguments::List(list) = &function.args else { return Err(unknown()) };
    let [FunctionArg::Unnamed(argument)] = list.args.as_slice() else { return Err(unknown()) };
    let is_distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
    let name = function.name.to_string().to_ascii_lowercase();
    let distinct = if is_distinct { "DISTINCT " } else { "" };
    // Whatever else it has, OVER or FILTER, shows in how it is written.
    ensure!(function.to_string() == format!("{}({distinct}{argument})", function.name), unknown());
    Ok(match (name.as_str(), argument) {
        ("count", FunctionArgExpr::Wildcard) if !is_distinct => Item::Rows,
        ("count", FunctionArgExpr::Expr(inner)) if is_distinct => Item::Distinct(column(inner, schema)?.0),
        ("count", FunctionArgExpr::Expr(inner)) => Item::Count(column(inner, schema)?.0),
        ("sum", FunctionArgExpr::Expr(inner)) if !is_distinct => match column(inner, schema)? {
            (name, data_type) if data_type.is_integer() => Item::Sum(name),
            (name, data_type) => bail!("`{name}` is {}; the driver sums whole numbers", kind(data_type)),
        },
        _ => return Err(unknown()),
    })
}

/// A column of the table, by its name in any case, with or without the table's before it.
fn column<'a>(expression: &Expr, schema: &'a Schema) -> anyhow::Result<(String, &'a DataType)> {
    let ident = match expression {
        Expr::Identifier(ident) => ident,
        Expr::CompoundIdentifier(parts) => parts.last().context("a name has parts")?,
        Expr::Nested(inner) => return column(inner, schema),
        other => bail!("the driver does not know `{other}`; it takes columns, and compares them with plain values"),
    };
    let name = ident.value.to_ascii_lowercase();
    let field = schema.field_with_name(&name).map_err(|_| {
        let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        anyhow!("there is no column `{name}`; the columns are {}", names.join(", "))
    })?;
    ensure!(!field.data_type().is_nested(), "`{name}` is {}, which the driver cannot show", kind(field.data_type()));
    Ok((name, field.data_type()))
}

fn filter(expression: &Expr, schema: &Schema) -> anyhow::Result<Filter> {
    let inner = |operand: &Expr| filter(operand, schema).map(Box::new);
    Ok(match expression {
        Expr::Nested(nested) => filter(nested, schema)?,
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => Filter::And(inner(left)?, inner(right)?),
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => Filter::Or(inner(left)?, inner(right)?),
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => Filter::Not(inner(expr)?),
        Expr::BinaryOp { left, op, right } => {
            let how = comparison(op).with_context(|| {
                format!("the driver does not know `{expression}`; it has =, <>, <, <=, >, >=, IN, BETWEEN, IS NULL, AND, OR and NOT")
            })?;
            if is_value(left) {
                compare(right, how.turned(), left, schema)?
            } else {
                compare(left, how, right, schema)?
            }
        }
        Expr::InList { expr, list, negated } => {
            let (name, data_type) = column(expr, schema)?;
            let values =
                list.iter().map(|literal| value(literal, &name, data_type)).collect::<anyhow::Result<Vec<_>>>()?;
            let known: Vec<Value> = values.iter().flatten().cloned().collect();
            let listed = Filter::In(name.clone(), known.clone(), *negated);
            match (known.len() == values.len(), negated) {
                (true, _) => listed,
                // If the list contains NULL, the answer for other values is unknown.
                (false, false) => Filter::Or(Box::new(listed), Box::new(Filter::Unknown)),
                (false, true) => Filter::And(Box::new(listed), Box::new(Filter::Unknown)),
            }
        }
        Expr::Between { expr, negated, low, high } => {
            let low = compare(expr, Comparison::GreaterOrEqual, low, schema)?;
            let high = compare(expr, Comparison::LessOrEqual, high, schema)?;
            let between = Filter::And(Box::new(low), Box::new(high));
            if *negated { Filter::Not(Box::new(between)) } else { between }
        }
        Expr::IsNull(inner) => Filter::Null(column(inner, schema)?.0, false),
        Expr::IsNotNull(inner) => Filter::Null(column(inner, schema)?.0, true),
        // A column of booleans is a condition by itself.
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => match column(expression, schema)? {
            (name, DataType::Boolean) => Filter::Compare(name, Comparison::Equal, Value::Bool(true)),
            (name, data_type) => bail!("`{name}` is {}, which is not a condition", kind(data_type)),
        },
        other => bail!(
            "the driver does not know `{other}`; it has =, <>, <, <=, >, >=, IN, BETWEEN, IS NULL, AND, OR and NOT on columns"
        ),
    })
}

fn comparison(operator: &BinaryOperator) -> Option<Comparison> {
    Some(match operator {
        BinaryOperator::Eq => Comparison::Equal,
        BinaryOperator::NotEq => Comparison::NotEqual,
        BinaryOperator::Lt => Comparison::Less,
        BinaryOperator::LtEq => Comparison::LessOrEqual,
        BinaryOperator::Gt => Comparison::Greater,
        BinaryOperator::GtEq => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

fn compare(left: &Expr, how: Comparison, right: &Expr, schema: &Schema) -> anyhow::Result<Filter> {
    let (name, data_type) = column(left, schema)?;
    Ok(match value(right, &name, data_type)? {
        Some(value) => Filter::Compare(name, how, value),
        None => Filter::Unknown,
    })
}

fn is_value(expression: &Expr) -> bool {
    matches!(expression, Expr::Value(_) | Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, .. })
}

/// A plain value of a column's type; `None` is NULL.
fn value(expression: &Expr, column: &str, data_type: &DataType) -> anyhow::Result<Option<Value>> {
    let wrong = || anyhow!("`{column}` is {} and cannot be compared with `{expression}`", kind(data_type));
    let (literal, sign) = match expression {
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => (expr.as_ref(), "-"),
        Expr::UnaryOp { op: UnaryOperator::Plus, expr } => (expr.as_ref(), ""),
        other => (other, ""),
    };
    let Expr::Value(literal) = literal else {
        bail!("the driver does not know `{expression}`; it compares columns with plain values")
    };
    Ok(Some(match (&literal.value, data_type) {
        (Literal::Null, _) => return Ok(None),
        (Literal::SingleQuotedString(text), DataType::Utf8) if sign.is_empty() => Value::Text(text.clone()),
        (Literal::Boolean(flag), DataType::Boolean) if sign.is_empty() => Value::Bool(*flag),
        (Literal::Number(digits, _), data_type) if data_type.is_integer() => {
            Value::Integer(format!("{sign}{digits}").parse().map_err(|_| wrong())?)
        }
        (Literal::Number(digits, _), DataType::Float32 | DataType::Float64) => {
            Value::Float(format!("{sign}{digits}").parse().map_err(|_| wrong())?)
        }
        _ => return Err(wrong()),
    }))
}

/// A type in words.
fn kind(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 => "text".to_owned(),
        DataType::Boolean => "true or false".to_owned(),
        data_type if data_type.is_integer() => "a whole number".to_owned(),
        DataType::Float32 | DataType::Float64 => "a number".to_owned(),
        other => format!("of type {other}"),
    }
}
