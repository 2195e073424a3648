//! The files of a cloud assembly, which stock CLIs and our own deployer read.

use std::path::PathBuf;

use cfn::{
    App, Asset, BuiltFunction, BuiltFunctions, CloudAssembly, Construct, Finding, Format, Json, Parameter, Scope,
    Stack, sha256,
};
use serde_json::json;

use crate::Thing;

/// A resource whose code is built from a package.
struct Coded {
    package: &'static str,
    architecture: &'static str,
}

impl Construct for Coded {
    type Ref = ();

    fn add_to(self, scope: &mut Scope<'_>) {
        let key_parameter = format!("{}Key", scope.path());
        let key = scope.parameter::<String>(&key_parameter, Parameter::string());
        scope.add_here(Thing::default().name(key));
        let Self { package, architecture } = self;
        scope.asset(Asset { package: package.to_owned(), architecture: architecture.to_owned(), key_parameter });
    }
}

const CODE: Coded = Coded { package: "hello", architecture: "arm64" };

/// An assembly of one stack with one function, added by the line that is returned.
fn assembly() -> (CloudAssembly, u32) {
    let mut stack = Stack::new("s").tag("team", "blue");
    stack.add("Hello", CODE);
    let line = line!() - 1;
    (App::default().stack(stack).synth(), line)
}

fn built(package: &str, architecture: &str, sha256: &str) -> BuiltFunctions {
    let function = BuiltFunction { sha256: sha256.to_owned(), path: PathBuf::from(format!("zips/{package}.zip")) };
    BuiltFunctions::from([((package.to_owned(), architecture.to_owned()), function)])
}

fn parsed(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

#[test]
fn an_assembly_with_an_error_must_not_be_written_and_one_with_a_warning_may() {
    let with = |finding: Option<Finding>| CloudAssembly { findings: finding.into_iter().collect(), ..assembly().0 };
    assert!(!with(None).has_errors());
    assert!(!with(Some(Finding::warning("", "is odd"))).has_errors());
    assert!(with(Some(Finding::error("", "is wrong"))).has_errors());
}

#[test]
fn templates_are_named_after_their_stacks_and_the_format() {
    let (assembly, _) = assembly();
    let json = assembly.templates(Format::Json);
    assert_eq!(json.keys().collect::<Vec<_>>(), ["s.template.json"]);
    assert_eq!(json["s.template.json"], assembly.stacks[0].document);
    let yaml = assembly.templates(Format::Yaml);
    assert_eq!(yaml.keys().collect::<Vec<_>>(), ["s.template.yaml"]);
    assert_eq!(serde_saphyr::from_str::<Json>(&yaml["s.template.yaml"]).unwrap(), parsed(&json["s.template.json"]));
}

#[test]
fn the_keys_of_built_code_are_parameters_for_the_aws_cli_and_defaults_for_the_cdk_cli() {
    let (assembly, _) = assembly();
    let files = assembly.files(&built("hello", "arm64", "c0de"), Format::Json);
    let names = ["manifest.json", "s.assets.json", "s.cdk.json", "s.parameters.json", "s.template.json"];
    assert_eq!(files.keys().collect::<Vec<_>>(), names);
    assert_eq!(files["s.parameters.json"], "[\n  \"HelloKey=c0de.zip\"\n]\n");
    assert_eq!(files["s.template.json"], assembly.stacks[0].document);
    let with_defaults = json!({ "HelloKey": { "Type": "String", "Default": "c0de.zip" } });
    assert_eq!(parsed(&files["s.cdk.json"])["Parameters"], with_defaults);
    let mut without = parsed(&files["s.cdk.json"]);
    without["Parameters"]["HelloKey"].as_object_mut().unwrap().remove("Default");
    assert_eq!(without, parsed(&files["s.template.json"]));
}

#[test]
fn code_of_a_different_package_or_architecture_is_not_used() {
    let (assembly, _) = assembly();
    for built in [BuiltFunctions::new(), built("hello", "x86_64", "c0de"), built("other", "arm64", "c0de")] {
        let files = assembly.files(&built, Format::Json);
        assert_eq!(files.keys().collect::<Vec<_>>(), ["manifest.json", "s.assets.json", "s.template.json"]);
        assert!(assembly.zips(&built).is_empty());
    }
}

#[test]
fn zips_are_named_after_their_hash() {
    let zips = assembly().0.zips(&built("hello", "arm64", "c0de"));
    assert_eq!(zips.into_iter().collect::<Vec<_>>(), [("asset.c0de.zip".to_owned(), PathBuf::from("zips/hello.zip"))]);
}

#[test]
fn the_asset_manifest_says_what_is_uploaded_where() {
    let (assembly, _) = assembly();
    let files = assembly.files(&built("hello", "arm64", "c0de"), Format::Json);
    let hash = sha256(files["s.cdk.json"].as_bytes());
    let destination = |key: &str| {
        json!({ "current_account-current_region": {
            "bucketName": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}",
            "objectKey": key,
            "assumeRoleArn": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/cdk-hnb659fds-file-publishing-role-${AWS::AccountId}-${AWS::Region}",
        } })
    };
    let expected = json!({
        "version": "34.0.0",
        "dockerImages": {},
        "files": {
            (hash.clone()): {
                "displayName": "s template",
                "source": { "path": "s.cdk.json", "packaging": "file" },
                "destinations": destination(&format!("{hash}.json")),
            },
            "c0de": {
                "displayName": "hello",
                "source": { "path": "asset.c0de.zip", "packaging": "file" },
                "destinations": destination("c0de.zip"),
            },
        },
    });
    assert_eq!(parsed(&files["s.assets.json"]), expected);
}

#[test]
fn the_manifest_says_how_the_cdk_cli_deploys_the_stack() {
    let (assembly, line) = assembly();
    let files = assembly.files(&built("hello", "arm64", "c0de"), Format::Json);
    let hash = sha256(files["s.cdk.json"].as_bytes());
    let role = |name: &str| {
        format!(
            "arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/cdk-hnb659fds-{name}-role-${{AWS::AccountId}}-${{AWS::Region}}"
        )
    };
    let version = "/cdk-bootstrap/hnb659fds/version";
    let expected = json!({
        "version": "34.0.0",
        "artifacts": {
            "s.assets": {
                "type": "cdk:asset-manifest",
                "properties": {
                    "file": "s.assets.json",
                    "requiresBootstrapStackVersion": 6,
                    "bootstrapStackVersionSsmParameter": version,
                },
            },
            "s": {
                "type": "aws:cloudformation:stack",
                "displayName": "s",
                "environment": "aws://unknown-account/unknown-region",
                "dependencies": ["s.assets"],
                "metadata": {
                    "/s/Hello": [{ "type": "ferrostack:source", "data": format!("{}:{line}", file!()) }],
                },
                "properties": {
                    "templateFile": "s.cdk.json",
                    "stackName": "s",
                    "terminationProtection": false,
                    "tags": { "team": "blue" },
                    "parameters": { "HelloKey": "c0de.zip" },
                    "assumeRoleArn": role("deploy"),
                    "cloudFormationExecutionRoleArn": role("cfn-exec"),
                    "stackTemplateAssetObjectUrl":
                        format!("s3://cdk-hnb659fds-assets-${{AWS::AccountId}}-${{AWS::Region}}/{hash}.json"),
                    "requiresBootstrapStackVersion": 6,
                    "bootstrapStackVersionSsmParameter": version,
                    "additionalDependencies": ["s.assets"],
                    "lookupRole": {
                        "arn": role("lookup"),
                        "requiresBootstrapStackVersion": 8,
                        "bootstrapStackVersionSsmParameter": version,
                    },
                },
            },
        },
    });
    assert_eq!(parsed(&files["manifest.json"]), expected);
    let without_code = assembly.files(&BuiltFunctions::new(), Format::Yaml);
    let stack = &parsed(&without_code["manifest.json"])["artifacts"]["s"]["properties"];
    assert_eq!((&stack["templateFile"], &stack["parameters"]), (&json!("s.template.yaml"), &Json::Null));
    assert!(stack["stackTemplateAssetObjectUrl"].as_str().unwrap().ends_with(".yaml"), "{stack}");
}

/// The test vectors of FIPS 180-2: <https://csrc.nist.gov/pubs/fips/180-2/upd1/final>
#[test]
fn hashes_are_sha_256_in_lower_case_hex() {
    assert_eq!(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_eq!(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
