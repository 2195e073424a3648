//! Tests the generator with a small made-up specification: the result is Rust text or one sentence.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

use codegen::config::{Config, Pin};
use codegen::files::{self, Files};
use codegen::sources::Sources;
use codegen::specification::{Property, Replaces, Resource, Specification, Type};
use codegen::{fixups, generate, limits};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

const SHOP: &str = "AWS::Demo::Shop";

/// The made-up service specification. IDs are counters, so `first` may be any number.
fn database(first: usize) -> Json {
    let id = |n: usize| (first + n).to_string();
    let reference = |n: usize| json!({ "type": "ref", "reference": { "$ref": id(n) } });
    json!({ "schema": {
        "resource": { "entities": [
            {
                "$id": id(0), "cloudFormationType": SHOP, "name": "Shop", "isStateful": true,
                "primaryIdentifier": ["ShopName"],
                "attributes": {
                    "Arn": { "type": { "type": "string" } },
                    "Till.Count": { "type": { "type": "integer" } },
                },
                "properties": {
                    "Hours": { "type": { "type": "array", "element": reference(2) } },
                    "Kind": { "type": { "type": "string", "allowedValues": ["LARGE_SHOP", "small"] }, "required": true },
                    "Policy": { "type": { "type": "union", "types": [{ "type": "json" }, { "type": "string" }] } },
                    "Seats": { "type": { "type": "integer" }, "causesReplacement": "maybe" },
                    "ShopName": { "type": { "type": "string" }, "required": true, "causesReplacement": "yes" },
                    "Tags": { "type": { "type": "array", "element": { "type": "tag" } } },
                    "Till": { "type": reference(3) },
                    "Type": { "type": { "type": "string" }, "deprecated": "WARN" },
                },
            },
            {
                "$id": id(1), "cloudFormationType": "AWS::Demo::Shelf", "name": "Shelf",
                "attributes": {}, "properties": { "Shop": { "type": { "type": "string" }, "required": true } },
            },
        ] },
        "typeDefinition": { "entities": [
            { "$id": id(2), "name": "Hours", "properties": {
                "Opens": { "type": { "type": "integer" }, "required": true },
            } },
            { "$id": id(3), "name": "Till", "properties": {
                "Coins": { "type": { "type": "map", "element": { "type": "integer" } }, "causesReplacement": "yes" },
                "Kind": { "type": { "type": "string", "allowedValues": ["CASH"] } },
            } },
        ] },
    } })
}

/// The same with every list of entities reversed.
fn reversed(mut database: Json) -> Json {
    for list in ["/schema/resource/entities", "/schema/typeDefinition/entities"] {
        database.pointer_mut(list).and_then(Json::as_array_mut).expect("the list exists").reverse();
    }
    database
}

fn schema() -> Json {
    json!({
        "definitions": {
            "Hours": { "type": "object", "properties": { "Opens": { "minimum": 0, "maximum": 24 } } },
            "Till": { "properties": { "Coins": { "patternProperties": { ".*": { "minimum": 1 } } } } },
        },
        "properties": {
            "Hours": { "items": { "$ref": "#/definitions/Hours" }, "maxItems": 7, "uniqueItems": true },
            "Kind": { "enum": ["small", "tiny"] },
            "Seats": { "enum": [2, 4] },
            "ShopName": { "minLength": 1, "maxLength": 64, "pattern": "^[a-z]{1,2000}\\Z" },
            "Till": { "$ref": "#/definitions/Till" },
            "Type": { "pattern": "^(?!x)" },
        },
    })
}

/// Pinned sources in their own folder, and the configuration that pins them.
fn pinned(name: &str, database: &Json) -> anyhow::Result<(Config, PathBuf)> {
    let folder = scratch(name);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(database.to_string().as_bytes())?;
    let mut wheel = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let contents = [
        ("cfnlint/data/schemas/providers/us-east-1.json", json!({ SHOP: "abc" })),
        ("cfnlint/data/schemas/resources/abc.json", schema()),
    ];
    for (path, json) in contents {
        wheel.start_file(path, zip::write::SimpleFileOptions::default())?;
        wheel.write_all(json.to_string().as_bytes())?;
    }
    let pin = |name: &str, bytes: Vec<u8>| {
        std::fs::write(folder.join(name), &bytes)?;
        let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        anyhow::Ok(Pin { name: name.to_owned(), version: "1.0".to_owned(), file: name.to_owned(), sha256 })
    };
    let config = Config {
        service_spec: pin("structure", packed.finish()?)?,
        cfn_lint: pin("limits", wheel.finish()?.into_inner())?,
        types: BTreeSet::from([SHOP.to_owned()]),
        stateful: BTreeSet::new(),
        opaque: BTreeSet::new(),
    };
    Ok((config, folder))
}

fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).expect("an earlier run left it");
    }
    std::fs::create_dir_all(&folder).expect("the scratch folder is ours");
    folder
}

fn extract(config: &Config, folder: &Path) -> anyhow::Result<Specification> {
    Ok(Sources::open(config, folder)?.extract(config, &config.types)?.0)
}

fn rust(specification: &Specification) -> Files {
    let configuration = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rustfmt.toml");
    let (files, _) = generate::generate(specification).expect("the names are unique");
    generate::formatted(files, &configuration).expect("it is Rust")
}

fn sentence<T>(result: anyhow::Result<T>) -> String {
    format!("{:#}", result.err().expect("this is an error"))
}

/// A type with these properties and property types, all text.
fn resource(properties: &[&str], types: &[(&str, &[&str])]) -> Resource {
    let text = |names: &[&str]| {
        let property = Property {
            ty: Type::String,
            required: false,
            replaces: Replaces::No,
            deprecated: false,
            limits: Default::default(),
        };
        names.iter().map(|name| (name.to_string(), property.clone())).collect::<BTreeMap<_, _>>()
    };
    let types = types.iter().map(|(name, properties)| (name.to_string(), text(properties))).collect();
    Resource { properties: text(properties), types, ..Resource::default() }
}

fn specification(ty: &str, resource: Resource) -> Specification {
    Specification { sources: Vec::new(), resources: BTreeMap::from([(ty.to_owned(), resource)]) }
}

#[test]
fn a_resource_type_is_generated_as_expected() {
    let (config, folder) = pinned("becomes", &database(0)).unwrap();
    let files = rust(&extract(&config, &folder).unwrap());
    let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expected");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        files::write(&expected, &files, |_, _| true).unwrap();
    }
    let hint = "look at the difference; UPDATE_EXPECTED=1 cargo test -p codegen accepts it";
    files::check(&expected, &files, |_, _| true).expect(hint);
}

#[test]
fn ids_and_the_order_of_entities_do_not_matter() {
    let (config, folder) = pinned("order", &database(0)).unwrap();
    let first = extract(&config, &folder).unwrap();
    let (config, folder) = pinned("other-order", &reversed(database(7000))).unwrap();
    let second = extract(&config, &folder).unwrap();
    assert_eq!(first.files(), second.files());
    assert_eq!(rust(&first), rust(&second));
    assert_eq!(rust(&first), rust(&first));
}

#[test]
fn an_extract_reads_back_as_it_was_written() {
    let (config, folder) = pinned("round", &database(0)).unwrap();
    let specification = extract(&config, &folder).unwrap();
    let extract = scratch("round-extract");
    files::write(&extract, &specification.files(), |_, _| true).unwrap();
    assert_eq!(Specification::read(&extract, &config.sources()).unwrap(), specification);

    let other = Config { cfn_lint: Pin { version: "2.0".to_owned(), ..config.cfn_lint.clone() }, ..config };
    let message = sentence(Specification::read(&extract, &other.sources()));
    let expected = "was made from structure 1.0 and limits 1.0, bindings.toml pins structure 1.0 and limits 2.0; run scripts/bindings";
    assert!(message.ends_with(expected), "{message}");
}

#[test]
fn a_source_that_is_not_the_pinned_one_is_refused() {
    let (config, folder) = pinned("digest", &database(0)).unwrap();
    std::fs::write(folder.join("structure"), "something else").unwrap();
    let message = sentence(extract(&config, &folder));
    assert!(message.contains("digest/structure has SHA-256 "), "{message}");
    assert!(message.ends_with("delete the file to download it again"), "{message}");
}

#[test]
fn an_unknown_type_is_reported_with_similar_names() {
    let (config, folder) = pinned("unknown", &database(0)).unwrap();
    let unknown = |ty: &str| Config { types: BTreeSet::from([ty.to_owned()]), ..config.clone() };
    assert_eq!(
        sentence(extract(&unknown("AWS::Demo::Shops"), &folder)),
        "bindings.toml lists AWS::Demo::Shops, which is not in the specification; similar names are AWS::Demo::Shop, AWS::Demo::Shelf"
    );
    assert_eq!(
        sentence(extract(&unknown("Nowhere"), &folder)),
        "bindings.toml lists Nowhere, which is not in the specification"
    );
}

#[test]
fn an_overlay_that_repeats_the_sources_is_an_error() {
    let (config, folder) = pinned("overlay", &database(0)).unwrap();
    let overlay = |ty: &str| Config { stateful: BTreeSet::from([ty.to_owned()]), ..config.clone() };
    let shelf = Config { types: BTreeSet::from(["AWS::Demo::Shelf".to_owned()]), ..overlay("AWS::Demo::Shelf") };
    assert!(extract(&shelf, &folder).unwrap().resources["AWS::Demo::Shelf"].stateful);
    assert_eq!(
        sentence(extract(&overlay(SHOP), &folder)),
        "bindings.toml lists AWS::Demo::Shop as stateful, but the sources say so too by now; delete the line"
    );
}

#[test]
fn an_opaque_property_type_is_json_and_the_types_that_only_it_needed_are_removed() {
    let (config, folder) = pinned("opaque", &database(0)).unwrap();
    let opaque = |name: &str| Config { opaque: BTreeSet::from([format!("{SHOP}.{name}")]), ..config.clone() };
    let before = &extract(&config, &folder).unwrap().resources[SHOP];
    let after = &extract(&opaque("Till"), &folder).unwrap().resources[SHOP];
    assert_eq!(
        (&before.properties["Till"].ty, &after.properties["Till"].ty),
        (&Type::Property("Till".to_owned()), &Type::Json)
    );
    assert_eq!(before.types.keys().filter(|name| !after.types.contains_key(*name)).collect::<Vec<_>>(), ["Till"]);
    assert_eq!(
        sentence(extract(&opaque("Tills"), &folder)),
        "bindings.toml lists AWS::Demo::Shop.Tills as opaque: it has no property type Tills"
    );
}

#[test]
fn a_fix_up_that_no_longer_applies_is_an_error() {
    let mut alarm = resource(&["ComparisonOperator", "EvaluationPeriods"], &[]);
    let mut before = specification("AWS::CloudWatch::Alarm", alarm.clone());
    fixups::apply(&mut before).unwrap();
    assert!(before.resources["AWS::CloudWatch::Alarm"].properties.values().all(|property| property.required));

    alarm.properties.get_mut("ComparisonOperator").unwrap().required = true;
    assert_eq!(
        sentence(fixups::apply(&mut specification("AWS::CloudWatch::Alarm", alarm))),
        "the fix-up alarm_needs_an_operator_and_periods of AWS::CloudWatch::Alarm no longer applies; delete it: \
         ComparisonOperator is required already"
    );
}

#[test]
fn a_property_type_gets_a_limit_only_if_all_its_uses_have_it() {
    let mut shop = resource(&["Front", "Back"], &[("Door", &["Key", "Colour"])]);
    for door in shop.properties.values_mut() {
        door.ty = Type::Property("Door".to_owned());
    }
    let door =
        |colours: u64| json!({ "properties": { "Key": { "maxLength": 9 }, "Colour": { "maxLength": colours } } });
    let dropped = limits::join(SHOP, &mut shop, &json!({ "properties": { "Front": door(1), "Back": door(2) } }));
    assert_eq!(
        dropped,
        [("AWS::Demo::Shop/Door/Colour".to_owned(), "the schema limits it differently in different places")]
    );
    assert_eq!(shop.types["Door"]["Key"].limits.max_length, Some(9));
    assert_eq!(shop.types["Door"]["Colour"].limits.max_length, None);
}

#[test]
fn two_things_with_the_same_name_are_an_error() {
    let two_types = resource(&[], &[("CORSRule", &[]), ("CorsRule", &[])]);
    assert_eq!(
        sentence(generate::generate(&specification(SHOP, two_types))),
        "AWS::Demo::Shop: two types would be named CorsRule"
    );
    let two_setters = resource(&["KMSKey", "KmsKey"], &[]);
    assert_eq!(
        sentence(generate::generate(&specification(SHOP, two_setters))),
        "AWS::Demo::Shop: two setters of the resource would be named kms_key"
    );
}

#[test]
fn keywords_and_prelude_names_are_escaped() {
    let odd = resource(&["Match", "New", "Self", "3d"], &[("Option", &[]), ("String", &[])]);
    let text = &rust(&specification("AWS::Demo::Macro", odd))["demo.rs"];
    for expected in [
        "pub mod r#macro {",
        "pub fn r#match(self,",
        "pub fn new_(self,",
        "pub fn self_(self,",
        "pub fn n3d(self,",
        "pub struct OptionProperty(",
        "pub struct StringProperty(",
    ] {
        assert!(text.contains(expected), "{expected} is not in:\n{text}");
    }
}

#[test]
fn a_long_set_remains_text_and_an_ambiguous_enum_is_named_after_its_owner() {
    let mut zoo = resource(&["Zone", "Status"], &[("Cage", &["Status"])]);
    zoo.properties.get_mut("Zone").unwrap().limits.values = (0..65).map(|number| format!("zone-{number}")).collect();
    zoo.properties.get_mut("Status").unwrap().limits.values = BTreeSet::from(["OPEN".to_owned()]);
    let cage = zoo.types.get_mut("Cage").unwrap();
    cage.get_mut("Status").unwrap().limits.values = BTreeSet::from(["EMPTY".to_owned(), "empty".to_owned()]);
    let text = &rust(&specification("AWS::Demo::Zoo", zoo))["demo.rs"];
    assert!(text.contains("pub fn zone(self, value: impl Into<cfn::Value<String>>)"), "{text}");
    assert!(text.contains("pub fn status(self, value: impl Into<cfn::Value<ZooStatus>>)"), "{text}");
    assert!(text.contains("pub fn status(self, value: impl Into<cfn::Value<CageStatus>>)"), "{text}");
    // Two values that differ only in capitals keep them.
    assert!(text.contains("Self::EMPTY => \"EMPTY\"") && text.contains("Self::Empty => \"empty\""), "{text}");
}

#[test]
fn a_check_names_differing_and_left_over_files() {
    let folder = scratch("check");
    let generated = Files::from([("a.rs".to_owned(), "// @generated\n".to_owned())]);
    files::write(&folder, &generated, |_, _| true).unwrap();
    files::check(&folder, &generated, |_, _| true).unwrap();

    std::fs::write(folder.join("a.rs"), "// @generated, edited\n").unwrap();
    std::fs::write(folder.join("b.rs"), "// @generated long ago\n").unwrap();
    std::fs::write(folder.join("c.rs"), "// by hand\n").unwrap();
    let message = sentence(files::check(&folder, &generated, |_, text| text.starts_with("// @generated")));
    assert!(message.contains("check/a.rs") && message.contains("check/b.rs"), "{message}");
    assert!(!message.contains("c.rs"), "{message}");
}

#[test]
fn the_committed_bindings_match_the_committed_extract() {
    let check = std::process::Command::new(env!("CARGO_BIN_EXE_codegen")).arg("--check").output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
}
