//! The rules of cfn-lint for which no mistake is planted, and why.

/// The version, then `ID: title` as `cfn-lint --list-rules` prints them.
pub(crate) const RULES: &str = include_str!("cfn-lint-rules.txt");

/// Every rule with its title.
pub(crate) fn cfn_lint() -> impl Iterator<Item = (&'static str, &'static str)> {
    RULES.lines().skip(1).filter_map(|line| line.split_once(':')).map(|(id, title)| (id, title.trim()))
}

/// Where a mistake is found that synth does not find.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Where {
    Compiler,
    NotApplicable,
    Missed,
}

impl Where {
    pub(crate) fn heading(self) -> &'static str {
        match self {
            Self::Compiler => "What does not compile",
            Self::NotApplicable => "What cannot happen",
            Self::Missed => "What only cfn-lint finds",
        }
    }
}

use Where::{Compiler, Missed, NotApplicable};

/// The place with a reason, and the rules.
pub(crate) const ELSEWHERE: &[((Where, &str), &str)] = &[
    (
        (Compiler, "a resource type, a property or an enum that does not exist is a name that Rust does not know"),
        "E3002 E3006 E3011 E3040",
    ),
    ((Compiler, "a value of a different type does not convert: a text where a number belongs"), "E3012 E6003 E6101"),
    ((Compiler, "`new` takes the properties that are required"), "E3003"),
    (
        (Compiler, "intrinsic functions are functions with typed arguments"),
        "E1015 E1016 E1018 E1021 E1022 E1024 E1028 E1033 E8003 E8004 E8005 E8006 E8007",
    ),
    (
        (Compiler, "the sections are written by `Stack`, whose methods take what each entry needs"),
        "E1004 E2001 E6001 E6002 E6011 E7001",
    ),
    (
        (
            NotApplicable,
            "templates are written, not read: there is nothing to parse, and no file of parameters or deployments",
        ),
        "E0000 E0001 E0002 E0003 E0100 E0200 E2900 W1100 W1101",
    ),
    (
        (NotApplicable, "transforms, macros, modules, rules and `Fn::ForEach` do not exist here"),
        "E1005 E1030 E1031 E1032 E1700 E1701 E1702 E3038 E3066 E3724 E5001 W1040 W3001 W3002",
    ),
    (
        (NotApplicable, "cfn-lint's own configuration, and metadata for the console"),
        "E4001 E4002 W4001 W4005 W4011 W4012 I4010",
    ),
    ((NotApplicable, "parents and helpers of other rules"), "E1101 E1103 E3008"),
    (
        (NotApplicable, "no bindings: `bindings.toml` does not list these services"),
        "E1152 E2529 E3009 E3022 E3023 E3025 E3026 E3029 E3041 E3042 E3044 E3046 E3047 E3048 E3049 E3051 E3052 E3053 E3054 E3056 E3059 E3060 E3062 E3063 E3503 E3504 E3513 E3601 E3617 E3620 E3621 E3628 E3635 E3636 E3640 E3641 E3642 E3643 E3644 E3647 E3652 E3653 E3661 E3667 E3670 E3671 E3672 E3673 E3674 E3675 E3676 E3679 E3680 E3681 E3682 E3683 E3684 E3686 E3689 E3690 E3691 E3692 E3693 E3694 E3695 E3700 E3701 E3702 E3703 E3704 E3706 E3707 E3709 E3711 E3712 E3713 E3714 E3715 E3719 E3720 E3721 E3725 I3100 W2506 W3671 W3688 W3689 W3690 W3691 W3693 W3694 W3698 W3699 W3700 W3703",
    ),
    ((NotApplicable, "no type with bindings has this attribute"), "E3016 E3028 E3055"),
    ((NotApplicable, "a matter of style that changes nothing in AWS"), "I1022 I3037 I3042 W1020 W3005 W8003"),
    ((NotApplicable, "names near their limit: a name over the limit is an error"), "E2011 I2011 I3012 I6011 I7002"),
    ((NotApplicable, "imports tie stacks together on purpose"), "W6001"),
    (
        (Missed, "what a `Ref` or `Fn::GetAtt` returns is a text, whatever it belongs to"),
        "E1040 E1041 E1150 E1151 E1153 E1155 E1157 E1158 E1159 E1160 E1162 E1164 W1030 W1031 W1032 W1033 W1036 W1051",
    ),
    (
        (Missed, "the answer depends on the date or on the account, and a template does not"),
        "E2531 E2533 E3710 W2531 W3696 W3697",
    ),
    (
        (Missed, "properties that require or exclude each other, of types that no stack uses in that way"),
        "E3013 E3021 E3050 E3061 E3064 E3065 E3716 E3717 E3718 E3722 W3660 W3663 W3664 W3687 W3702 W3704 W3705",
    ),
    ((Missed, "functions of this repository do not use it"), "E2530 E3043 I2530 W2530"),
    ((Missed, "patterns are those of Java, which Rust does not compile"), "I2003"),
    ((Missed, "conditions are not solved"), "W1028"),
    ((Missed, "a matter of cost or of security that gates decide"), "I3013 W1011 W3010 W3034"),
];
