//! What holds for every value of a tenant file, tried on event patterns, which may contain anything.

use stacks::Tenant;
use template_tests::mistake;

#[test]
fn a_dynamic_reference_is_refused_however_deep_and_however_it_is_written() {
    let pattern = |value: &str| {
        mistake(&format!(
            "tenant: acme\nsystems:\n  qlik-reload:\n    tenant_url: https://acme.eu.qlikcloud.com\n    events:\n      \
             loaded:\n        app: 687ef393-f0ad-4c64-ac59-6db967126015\n        pattern:\n          {value}\n"
        ))
    };
    let refused =
        "`{{resolve:` is not allowed in a tenant file, because CloudFormation would replace it; write the value itself";
    for (value, column) in [
        ("source: ['{{resolve:ssm:/x}}']", 20),
        ("source: [a, \"{\\x7bresolve:ssm:/x}}\"]", 23),
        ("source: [{ prefix: 'a{{resolve:ssm:/x}}' }]", 30),
        ("source: [!!binary e3tyZXNvbHZlOnNzbTovYX19]", 29),
        ("detail: { a: { '{{resolve:ssm:/x}}': [b] } }", 26),
        ("source: [&a '{{resolve:ssm:/x}}', *a]", 23),
    ] {
        let message = pattern(value);
        assert!(message.ends_with(refused), "{value}: {message}");
        assert!(message.starts_with(&format!("9:{column}: ")), "{value}: {message}");
    }
}

#[test]
fn a_number_that_would_be_rewritten_needs_quotes() {
    let pattern = |value: &str| {
        format!(
            "tenant: acme\nsystems:\n  qlik-reload:\n    tenant_url: https://acme.eu.qlikcloud.com\n    events:\n      \
             loaded:\n        app: 687ef393-f0ad-4c64-ac59-6db967126015\n        pattern:\n          account: [{value}]\n"
        )
    };
    for (written, printed) in [
        ("012345670123", "12345670123.0"),
        ("0x10", "16"),
        ("0o17", "15"),
        ("+5", "5"),
        ("1.50", "1.5"),
        ("1e3", "1000.0"),
        ("1_000", "1000"),
        ("123456789012345678901", "1.2345678901234568e+20"),
        ("TRUE", "true"),
        ("~", "null"),
    ] {
        let Err(error) = Tenant::parse(&pattern(written)) else { panic!("{written} is accepted") };
        let expected = format!("9:21: `{written}` would be read as {printed}; put it in quotes, or write {printed}");
        assert_eq!(error.to_string(), expected);
    }
    for written in ["'012345670123'", "12345670123", "0", "-5", "1.5", "true", "null", "no", "1_000x"] {
        assert!(Tenant::parse(&pattern(written)).is_ok(), "{written}: {:?}", Tenant::parse(&pattern(written)));
    }
}

#[test]
fn a_tab_in_the_indentation_is_reported_with_its_position() {
    let tab = "a tab is not allowed in the indentation; use spaces";
    for (file, place) in [
        ("tenant: acme\nsystems:\n\tqlik-reload: {}\n", "3:1"),
        ("tenant: acme\n\tsystems: {}\n", "2:1"),
        ("tenant: acme\nsystems:\n  qlik-reload:\n\t  tenant_url: x\n", "4:1"),
        (
            "tenant: acme\nsystems:\n  qlik-reload:\n    tenant_url: https://acme.eu.qlikcloud.com\n  \t  schedules: {}\n",
            "5:3",
        ),
        (
            "tenant: acme\nsystems:\n  qlik-reload:\n    tenant_url: https://acme.eu.qlikcloud.com\n\n    # c\n\tschedules: {}\n",
            "7:1",
        ),
        ("tenant: acme\nsystems: {\n\tqlik-reload: {} }\n", "3:1"),
    ] {
        assert_eq!(mistake(file), format!("{place}: {tab}"), "{file}");
    }
}
