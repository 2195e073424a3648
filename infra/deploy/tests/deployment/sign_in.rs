//! Signing in with each kind of profile, against stand-ins for STS and IAM Identity Center.

use std::path::Path;
use std::sync::{Arc, Mutex};

use loopback::{Answer, Request, reply};
use serde_json::json;

use crate::tenant::{command, ended, sha256};

/// What the services were asked: the operation, and whose credentials or token it came with.
type Asked = Arc<Mutex<Vec<String>>>;

const BASE: &str = "[profile base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = not-a-secret\n";
const ROLE: &str = "role_arn = arn:aws:iam::111122223333:role/deployer\n";
const SESSION: &str = "sso_session = dev\nsso_account_id = 111122223333\nsso_role_name = deployer\nregion = eu-west-1\n\
    [sso-session dev]\nsso_region = eu-west-1\nsso_start_url = https://example.awsapps.com/start\n";
/// The SHA-1 of `dev`, under which the AWS CLI stores the token.
const SESSION_TOKEN: &str = ".aws/sso/cache/34c6fceca75e456f25e7e99531e2425c6c1de443.json";
const PROCESS: &str = r#"echo '{"Version": 1, "AccessKeyId": "AKIDPROCESS", "SecretAccessKey": "not-a-secret"}'"#;

#[tokio::test]
async fn each_kind_of_profile_signs_in() {
    let cases = [
        (BASE.replace("base", "kind"), vec!["GetCallerIdentity AKIDBASE"]),
        (
            format!("[profile kind]\n{ROLE}source_profile = base\n{BASE}"),
            vec!["AssumeRole AKIDBASE", "GetCallerIdentity AKIDROLE"],
        ),
        (format!("[profile kind]\ncredential_process = {PROCESS}\n"), vec!["GetCallerIdentity AKIDPROCESS"]),
        (
            format!(
                "[profile kind]\n{ROLE}source_profile = process\n[profile process]\ncredential_process = {PROCESS}\n"
            ),
            vec!["AssumeRole AKIDPROCESS", "GetCallerIdentity AKIDROLE"],
        ),
        (format!("[profile kind]\n{SESSION}"), vec!["GetRoleCredentials valid", "GetCallerIdentity AKIDSSO"]),
        (
            format!("[profile kind]\n{ROLE}source_profile = sso\n[profile sso]\n{SESSION}"),
            vec!["GetRoleCredentials valid", "AssumeRole AKIDSSO", "GetCallerIdentity AKIDROLE"],
        ),
        (
            "[profile kind]\nlogin_session = arn:aws:iam::111122223333:user/tester\n".to_owned(),
            vec!["GetCallerIdentity AKIDLOGIN"],
        ),
    ];
    for (profiles, expected) in cases {
        for named in [&["--profile", "kind"] as &[_], &[]] {
            let home = home(&profiles);
            write(home.path(), SESSION_TOKEN, &token("valid", "2999-01-01T00:00:00Z"));
            let (code, said, asked) = preflight(home.path(), "kind", named).await;
            assert_eq!(said, "account 111122223333, region eu-west-1\n", "{profiles}");
            assert_eq!((code, asked), (Some(0), expected.iter().map(ToString::to_string).collect()), "{profiles}");
        }
    }
}

#[tokio::test]
async fn an_expired_token_of_single_sign_on_is_renewed() {
    let home = home(&format!("[profile kind]\n{SESSION}"));
    write(home.path(), SESSION_TOKEN, &token("expired", "2020-01-01T00:00:00Z"));
    let (code, said, asked) = preflight(home.path(), "kind", &[]).await;
    assert_eq!(asked, ["CreateToken", "GetRoleCredentials renewed", "GetCallerIdentity AKIDSSO"], "{said}");
    assert_eq!(code, Some(0));
}

#[tokio::test]
async fn the_reason_is_named_with_what_to_do_and_without_secrets() {
    let advice = "; sign in with `aws sso login --profile kind`";
    let failing = "could not get credentials from the AWS profile `kind`: ";
    let process = |script: &str| format!("[profile kind]\ncredential_process = {script}\n");
    let cases = [
        (
            BASE.to_owned(),
            "the AWS profile `kind` does not exist in the AWS CLI's files; they contain base".to_owned(),
        ),
        (
            format!("[profile kind]\n{ROLE}source_profile = bsae\n{BASE}"),
            "the AWS profile `bsae`, the source_profile of `kind`, does not exist in the AWS CLI's files; they contain base, kind"
                .to_owned(),
        ),
        (
            format!("[profile kind]\n{ROLE}source_profile = other\n[profile other]\n{ROLE}source_profile = kind\n"),
            format!("{failing}the credentials provider was not properly configured: ProfileFile provider could not be built: profile formed an infinite loop"),
        ),
        (
            format!("[profile kind]\n{ROLE}"),
            "profile must contain `source_profile` or `credential_source`".to_owned(),
        ),
        (
            format!("[profile kind]\n{}source_profile = base\n{BASE}", ROLE.replace("deployer", "forbidden")),
            format!("{failing}AccessDenied: not authorized to perform sts:AssumeRole on role/forbidden"),
        ),
        (
            format!("[profile kind]\n{}mfa_serial = arn:aws:iam::111122223333:mfa/me\nsource_profile = base\n{BASE}", ROLE.replace("deployer", "forbidden")),
            "; it has an mfa_serial, and codes cannot be asked for here: run `eval \"$(aws configure export-credentials --profile kind --format env)\"` first"
                .to_owned(),
        ),
        (
            process("sh -c 'echo hunter2; echo hunter2 >&2; exit 3'"),
            format!("{failing}Error retrieving credentials: external process exited with code exit status: 3\n"),
        ),
        (process("echo hunter2"), format!("{failing}Error retrieving credentials from external process, could not parse response")),
        (process("/nowhere/hunter2"), "external process exited with code exit status: 127\n".to_owned()),
        (format!("[profile kind]\n{SESSION}"), advice.to_owned()),
        (format!("[profile kind]\n{}", SESSION.replace("= dev", "= dve")), "sso-session named `dve`".to_owned()),
        (
            "[profile kind]\nlogin_session = arn:aws:iam::111122223333:user/other\n".to_owned(),
            "; sign in with `aws login --profile kind`".to_owned(),
        ),
        ("[profile kind]\nregion = eu-west-1\n".to_owned(), "the AWS profile `kind` contains no credentials".to_owned()),
    ];
    for (profiles, expected) in cases {
        let home = home(&profiles);
        let (code, said, _) = preflight(home.path(), "kind", &["--profile", "kind"]).await;
        assert!(said.starts_with("error: ") && said.contains(&expected), "{profiles}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
        assert_eq!((code, said.lines().count()), (Some(2), 1), "{said}");
    }
    let rejected = home(&format!("[profile kind]\n{SESSION}"));
    write(rejected.path(), SESSION_TOKEN, &token("revoked", "2999-01-01T00:00:00Z"));
    let (code, said, _) = preflight(rejected.path(), "kind", &[]).await;
    assert_eq!(
        (code, said),
        (Some(2), format!("error: {failing}UnauthorizedException: the token was revoked{advice}\n"))
    );
}

#[tokio::test]
async fn options_count_more_than_the_environment() {
    let home = home(&format!("{BASE}region = eu-west-3\n[profile kind]\nregion = eu-west-2\n"));
    let (code, said, asked) = preflight(home.path(), "kind", &["--profile", "base", "--region", "eu-north-1"]).await;
    assert_eq!((code, said.as_str()), (Some(0), "account 111122223333, region eu-north-1\n"));
    assert_eq!(asked, ["GetCallerIdentity AKIDBASE"]);
    let mut keys = command(home.path(), "eu-west-1", None, &PREFLIGHT);
    keys.args(["--profile", "base"])
        .envs([("AWS_ACCESS_KEY_ID", "AKIDENV"), ("AWS_SECRET_ACCESS_KEY", "not-a-secret")]);
    let (asked, endpoint) = services().await;
    ended(keys.env("AWS_ENDPOINT_URL", endpoint).env_remove("AWS_REGION").spawn().unwrap()).await;
    assert_eq!(*asked.lock().unwrap(), ["GetCallerIdentity AKIDBASE"]);
}

/// With a bucket, so that nothing but the identity is asked for.
const PREFLIGHT: [&str; 5] = ["deploy", "acme", "--preflight", "--asset-bucket", "assets"];

async fn preflight(home: &Path, profile: &str, arguments: &[&str]) -> (Option<i32>, String, Vec<String>) {
    let (asked, endpoint) = services().await;
    let mut command = command(home, "eu-west-1", None, &[&PREFLIGHT, arguments].concat());
    command.env("AWS_ENDPOINT_URL", endpoint).env("AWS_PROFILE", profile).env("PATH", "/usr/bin:/bin");
    let (code, _, said) = ended(command.spawn().unwrap()).await;
    let asked = asked.lock().unwrap().clone();
    (code, said, asked)
}

fn home(profiles: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    write(home.path(), ".aws/config", profiles);
    let session = sha256(b"arn:aws:iam::111122223333:user/tester");
    let login = json!({
        "accessToken": {
            "accessKeyId": "AKIDLOGIN", "secretAccessKey": "not-a-secret", "sessionToken": "session",
            "accountId": "111122223333", "expiresAt": "2999-01-01T00:00:00Z",
        },
        "tokenType": "aws_sigv4", "refreshToken": "refresh", "clientId": "client", "dpopKey": "none",
    });
    write(home.path(), &format!(".aws/login/cache/{session}.json"), &login.to_string());
    home
}

fn write(home: &Path, name: &str, text: &str) {
    let path = home.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A token as `aws sso login` stores it.
fn token(token: &str, until: &str) -> String {
    json!({
        "startUrl": "https://example.awsapps.com/start", "region": "eu-west-1", "accessToken": token, "expiresAt": until,
        "clientId": "client", "clientSecret": "hunter2", "registrationExpiresAt": "2999-01-01T00:00:00Z",
        "refreshToken": "hunter2",
    })
    .to_string()
}

async fn services() -> (Asked, String) {
    let asked = Asked::default();
    let shared = Arc::clone(&asked);
    let address = loopback::serve(move |request| {
        let asked = Arc::clone(&shared);
        async move { answer(&asked, &request) }
    });
    (asked, format!("http://{}", address.await))
}

fn answer(asked: &Asked, request: &Request) -> Answer {
    // AWS4-HMAC-SHA256 Credential=<key>/<date>/…
    let signer = request.header("authorization").split("Credential=").nth(1).unwrap_or_default();
    let signer = signer.split('/').next().unwrap_or_default();
    let note =
        |operation: &str, by: &str| asked.lock().unwrap().push(format!("{operation} {by}").trim_end().to_owned());
    if request.target.starts_with("/federation/credentials") {
        let token = request.header("x-amz-sso_bearer_token");
        note("GetRoleCredentials", token);
        if token == "revoked" {
            return json_answer(401, "UnauthorizedException", json!({ "message": "the token was revoked" }));
        }
        let credentials = json!({
            "accessKeyId": "AKIDSSO", "secretAccessKey": "not-a-secret", "sessionToken": "session",
            "expiration": 32_472_144_000_000_i64,
        });
        return json_answer(200, "", json!({ "roleCredentials": credentials }));
    }
    if request.target.starts_with("/token") {
        note("CreateToken", "");
        return json_answer(200, "", json!({ "accessToken": "renewed", "tokenType": "Bearer", "expiresIn": 3600 }));
    }
    let (operation, result) = if request.body.contains("Action=AssumeRole") {
        note("AssumeRole", signer);
        if request.body.contains("forbidden") {
            let error = "<Code>AccessDenied</Code><Message>not authorized to perform sts:AssumeRole on role/forbidden</Message>";
            return reply(403, format!("<ErrorResponse><Error>{error}</Error></ErrorResponse>"));
        }
        (
            "AssumeRole",
            "<AssumeRoleResult><AssumedRoleUser><Arn>arn:aws:sts::111122223333:assumed-role/deployer/s</Arn><AssumedRoleId>a:s</AssumedRoleId></AssumedRoleUser>\
         <Credentials><AccessKeyId>AKIDROLE</AccessKeyId><SecretAccessKey>not-a-secret</SecretAccessKey><SessionToken>session</SessionToken>\
         <Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>",
        )
    } else {
        note("GetCallerIdentity", signer);
        ("GetCallerIdentity", "<GetCallerIdentityResult><Account>111122223333</Account></GetCallerIdentityResult>")
    };
    reply(200, format!("<{operation}Response>{result}</{operation}Response>"))
}

fn json_answer(status: u16, code: &str, body: serde_json::Value) -> Answer {
    let headers = vec![("content-type", "application/json".to_owned()), ("x-amzn-errortype", code.to_owned())];
    Answer::Reply { status, headers, body: body.to_string().into_bytes() }
}
