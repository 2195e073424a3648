//! What the dashboard shows, as QuickSight's definition.
//!
//! Shapes: <https://docs.aws.amazon.com/quicksight/latest/APIReference/API_DashboardVersionDefinition.html>

use cfn::{Json, Value};
use serde_json::json;

/// Its title.
pub(super) const TITLE: &str = "Slack adoption";

/// The dataset's name inside the definition.
const DATA: &str = "data";
/// Columns of QuickSight's grid.
const GRID_COLUMNS: u8 = 36;

/// The measures: those who were active, those who have an account, and their share.
const ACTIVE: &str = "Active";
const PROVISIONED: &str = "Provisioned";
const ADOPTION: &str = "Adoption";

/// The definition of the dashboard over the dataset with this ARN.
pub(super) fn of(data_set: &Value<String>) -> Json {
    let calculated =
        |name: &str, expression: &str| json!({ "DataSetIdentifier": DATA, "Name": name, "Expression": expression });
    json!({
        "DataSetIdentifierDeclarations": [{ "Identifier": DATA, "DataSetArn": data_set.json() }],
        "CalculatedFields": [
            calculated(ACTIVE, "distinct_countIf({email_address}, {is_active} = 1)"),
            calculated(PROVISIONED, "distinct_count({email_address})"),
            calculated(ADOPTION, "distinct_countIf({email_address}, {is_active} = 1) / distinct_count({email_address})"),
        ],
        "Sheets": [{
            "SheetId": "adoption",
            "Name": TITLE,
            "ContentType": "INTERACTIVE",
            "Visuals": [by_department(), by_day(), figures()],
            "Layouts": [{ "Configuration": { "GridLayout": { "Elements": [
                place("by-department", 0, 12),
                place("by-day", 12, 10),
                place("figures", 22, 12),
            ] } } }],
        }],
    })
}

fn by_department() -> Json {
    json!({ "BarChartVisual": {
        "VisualId": "by-department",
        "Title": title("Active and provisioned members by department"),
        "ChartConfiguration": {
            "FieldWells": { "BarChartAggregatedFieldWells": {
                "Category": [department("bar-department")],
                "Values": [measure("bar-active", ACTIVE), measure("bar-provisioned", PROVISIONED)],
            } },
            "Orientation": "HORIZONTAL",
            "BarsArrangement": "CLUSTERED",
        },
    } })
}

fn by_day() -> Json {
    let day =
        json!({ "DateDimensionField": { "FieldId": "line-day", "Column": column("day"), "DateGranularity": "DAY" } });
    json!({ "LineChartVisual": {
        "VisualId": "by-day",
        "Title": title("Active members by day"),
        "ChartConfiguration": { "FieldWells": { "LineChartAggregatedFieldWells": {
            "Category": [day],
            "Values": [measure("line-active", ACTIVE)],
        } } },
    } })
}

fn figures() -> Json {
    let mut share = measure("table-adoption", ADOPTION);
    share["NumericalMeasureField"]["FormatConfiguration"] = json!({ "FormatConfiguration": { "PercentageDisplayFormatConfiguration": { "DecimalPlacesConfiguration": { "DecimalPlaces": 1 } } } });
    let messages = json!({ "NumericalMeasureField": {
        "FieldId": "table-messages",
        "Column": column("messages_posted_count"),
        "AggregationFunction": { "SimpleNumericalAggregation": "SUM" },
    } });
    json!({ "TableVisual": {
        "VisualId": "figures",
        "Title": title("Figures by department"),
        "ChartConfiguration": {
            "FieldWells": { "TableAggregatedFieldWells": {
                "GroupBy": [department("table-department")],
                "Values": [
                    measure("table-active", ACTIVE), measure("table-provisioned", PROVISIONED), share, messages,
                ],
            } },
            "FieldOptions": { "SelectedFieldOptions": [
                { "FieldId": "table-department", "CustomLabel": "Department" },
                { "FieldId": "table-messages", "CustomLabel": "Messages" },
            ] },
        },
    } })
}

fn column(name: &str) -> Json {
    json!({ "DataSetIdentifier": DATA, "ColumnName": name })
}

fn department(field: &str) -> Json {
    json!({ "CategoricalDimensionField": { "FieldId": field, "Column": column("department") } })
}

/// A calculated field, which brings its aggregation with it.
fn measure(field: &str, name: &str) -> Json {
    json!({ "NumericalMeasureField": { "FieldId": field, "Column": column(name) } })
}

fn title(text: &str) -> Json {
    json!({ "Visibility": "VISIBLE", "FormatText": { "PlainText": text } })
}

fn place(visual: &str, row: u8, rows: u8) -> Json {
    json!({
        "ElementId": visual,
        "ElementType": "VISUAL",
        "ColumnIndex": 0,
        "ColumnSpan": GRID_COLUMNS,
        "RowIndex": row,
        "RowSpan": rows,
    })
}
