//! What the dashboards show, as QuickSight's definition.
//!
//! Shapes: <https://docs.aws.amazon.com/quicksight/latest/APIReference/API_DashboardVersionDefinition.html>

use cfn::{Json, Value};
use serde_json::json;

/// One dashboard: a sheet with one table over one view.
pub(super) struct Sheet {
    /// The end of its ID.
    pub(super) id: &'static str,
    /// Its logical ID.
    pub(super) logical: &'static str,
    /// Its title.
    pub(super) title: &'static str,
    /// The view it shows.
    pub(super) view: &'static str,
    /// The columns of the view.
    pub(super) columns: &'static [Column],
    /// The column with a link, and the link's text.
    link: (&'static str, &'static str),
    /// The column that rows are sorted by, and how.
    sort: (&'static str, &'static str),
}

/// A column of a view.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    label: &'static str,
}

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Cost,
    Time,
    Flag,
    /// A complete address, shown by the calculated field that turns it into a link.
    Link,
}

impl Kind {
    /// As QuickSight calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text | Self::Link => "STRING",
            Self::Cost => "DECIMAL",
            Self::Time => "DATETIME",
            Self::Flag => "BOOLEAN",
        }
    }
}

const fn column(name: &'static str, kind: Kind, label: &'static str) -> Column {
    Column { name, kind, label }
}

/// The rows to create quotes from, each with a link that generates one.
pub(super) const QUOTES: Sheet = Sheet {
    id: "quotes",
    logical: "QuoteDashboard",
    title: "Quotes",
    view: "vw_quote",
    columns: &[
        column("customer", Kind::Text, "Customer"),
        column("skill", Kind::Text, "Skill"),
        column("cost", Kind::Cost, "Cost"),
        column("generate_link", Kind::Link, ""),
    ],
    link: ("generate_link", "Generate Quote"),
    sort: ("customer", "ASC"),
};

/// The history of quotes. The newest row of each pending one has a link that accepts it.
pub(super) const HISTORY: Sheet = Sheet {
    id: "quote-history",
    logical: "HistoryDashboard",
    title: "Quote history",
    view: "vw_quote_history",
    columns: &[
        column("quote_id", Kind::Text, "Quote"),
        column("customer", Kind::Text, "Customer"),
        column("skill", Kind::Text, "Skill"),
        column("cost", Kind::Cost, "Cost"),
        column("status", Kind::Text, "Status"),
        column("created_at", Kind::Time, "Written"),
        column("created_by", Kind::Text, "By"),
        column("is_latest", Kind::Flag, ""),
        column("accept_link", Kind::Link, ""),
    ],
    link: ("accept_link", "Accept"),
    sort: ("created_at", "DESC"),
};

/// The definition of a dashboard over the dataset with this ARN.
pub(super) fn of(sheet: &Sheet, data_set: &Value<String>, currency: Option<&str>) -> Json {
    let (link_column, link_name) = sheet.link;
    json!({
        "DataSetIdentifierDeclarations": [{ "Identifier": DATA, "DataSetArn": data_set.json() }],
        "CalculatedFields": [
            { "DataSetIdentifier": DATA, "Name": link_name, "Expression": format!("{{{link_column}}}") },
        ],
        "Sheets": [{
            "SheetId": sheet.id,
            "Name": sheet.title,
            "ContentType": "INTERACTIVE",
            "Visuals": [{ "TableVisual": table(sheet, currency) }],
            "Layouts": [{ "Configuration": { "GridLayout": { "Elements": [whole_sheet(sheet)] } } }],
        }],
    })
}

/// The dataset's name inside the definition.
const DATA: &str = "data";
/// Columns of QuickSight's grid.
const GRID_COLUMNS: u8 = 36;

fn table(sheet: &Sheet, currency: Option<&str>) -> Json {
    let (sorted, direction) = sheet.sort;
    let shown: Vec<&Column> = sheet.columns.iter().filter(|column| !column.label.is_empty()).collect();
    let mut values: Vec<Json> =
        shown.iter().map(|column| value(column.name, column.name, column.kind, currency)).collect();
    let mut options: Vec<Json> =
        shown.iter().map(|column| json!({ "FieldId": column.name, "CustomLabel": column.label })).collect();
    values.push(value(LINK, sheet.link.1, Kind::Text, currency));
    options.push(link(sheet.link.1));
    json!({
        "VisualId": format!("{}-table", sheet.id),
        "Title": { "Visibility": "VISIBLE", "FormatText": { "PlainText": sheet.title } },
        "ChartConfiguration": {
            "FieldWells": { "TableUnaggregatedFieldWells": { "Values": values } },
            "FieldOptions": { "SelectedFieldOptions": options },
            "SortConfiguration": { "RowSort": [{ "FieldSort": { "FieldId": sorted, "Direction": direction } }] },
        },
    })
}

/// The field of the link.
const LINK: &str = "link";

fn value(field: &str, column: &str, kind: Kind, currency: Option<&str>) -> Json {
    let mut value = json!({ "FieldId": field, "Column": { "DataSetIdentifier": DATA, "ColumnName": column } });
    match (kind, currency) {
        (Kind::Cost, Some(currency)) => {
            value["FormatConfiguration"] = json!({ "NumberFormatConfiguration": { "FormatConfiguration": {
                "CurrencyDisplayFormatConfiguration": {
                    "Symbol": currency, "DecimalPlacesConfiguration": { "DecimalPlaces": 2 },
                },
            } } });
        }
        (Kind::Time, _) => {
            value["FormatConfiguration"] =
                json!({ "DateTimeFormatConfiguration": { "DateTimeFormat": "YYYY-MM-DD HH:mm:ss" } });
        }
        _ => {}
    }
    value
}

/// Shows an address as a link with this text, which opens in a new tab.
fn link(name: &str) -> Json {
    let text = json!({ "Value": name, "FontConfiguration": { "FontDecoration": "UNDERLINE" } });
    json!({
        "FieldId": LINK,
        "CustomLabel": name,
        "URLStyling": {
            "LinkConfiguration": { "Target": "NEW_TAB", "Content": { "CustomTextContent": text } },
        },
    })
}

fn whole_sheet(sheet: &Sheet) -> Json {
    json!({
        "ElementId": format!("{}-table", sheet.id),
        "ElementType": "VISUAL",
        "ColumnIndex": 0,
        "ColumnSpan": GRID_COLUMNS,
        "RowIndex": 0,
        "RowSpan": 20,
    })
}
