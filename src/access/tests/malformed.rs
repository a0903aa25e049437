//! Documents that no AWS console would write: each is told, none costs more than its size, and
//! what can be understood of it still counts.

use std::time::Instant;

use keymuster_api::Key;

use super::{ALL, Context, Decision, Estate, USER, allow};
use crate::access::policy::Document;

const OBJECT: &str = "arn:aws:s3:::b/k";

fn told(text: &str) -> (Vec<String>, bool) {
    let document = Document::parse(text);
    (document.problems, document.unread)
}

#[test]
fn every_kind_is_told() {
    let many = format!(
        r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
        vec![format!(r#"{{"Effect":"Allow",{ALL}}}"#); 10_000].join(",")
    );
    let long = allow(&format!(
        r#""Action":"s3:*","Resource":"arn:aws:s3:::{}""#,
        "b".repeat(6 << 20)
    ));
    for (what, text, word, unread) in [
        (
            "a mark",
            format!("\u{feff}{}", allow(ALL)),
            "byte order mark",
            false,
        ),
        (
            "a comment",
            allow(ALL).replace('[', "[ // everything\n"),
            "no valid JSON at line 1",
            true,
        ),
        (
            "a trailing comma",
            allow(ALL).replace("}]", "},]"),
            "no valid JSON",
            true,
        ),
        (
            "single quotes",
            allow(ALL).replace('"', "'"),
            "no valid JSON",
            true,
        ),
        ("a cut", allow(ALL)[..40].to_owned(), "no valid JSON", true),
        ("nothing", String::new(), "no valid JSON", true),
        (
            "two Effects",
            allow(&format!(r#""Effect":"Deny",{ALL}"#)),
            "'Effect' twice; the last one counts",
            true,
        ),
        (
            "two Statements",
            allow(ALL).replace(r#""Statement""#, r#""Statement":[],"Statement""#),
            "'Statement' twice",
            true,
        ),
        (
            "a key twice in a condition",
            allow(&format!(
                r#"{ALL},"Condition":{{"StringEquals":{{"a":"1","a":"2"}}}}"#
            )),
            "'a' twice",
            true,
        ),
        (
            "10,000 statements",
            many,
            "characters, more than AWS accepts",
            false,
        ),
        ("6 MB", long, "characters, more than AWS accepts", false),
        (
            "a bomb of stars",
            allow(r#""Action":"*a*a*a*a*","Resource":"*""#),
            "'*a*a*a*a*', with more than 4 stars",
            false,
        ),
        (
            "a bomb in a resource",
            allow(r#""Action":"*","Resource":"arn:aws:s3:::*a*a*a*a*a*""#),
            "more than 4 stars",
            false,
        ),
    ] {
        let (problems, left_out) = told(&text);
        assert!(
            problems.iter().any(|problem| problem.contains(word)),
            "{what}: {problems:?}"
        );
        assert_eq!(left_out, unread, "{what}: {problems:?}");
    }
}

/// Wildcards that policies of AWS's own managed ones have are nothing odd.
#[test]
fn ordinary_wildcards_are_not_told() {
    for resource in ["*", "arn:*:iam::*:role/*-*-*", "arn:aws:s3:::*/*/*/*/*/*"] {
        let text = allow(&format!(
            r#""Action":["s3:*","ec2:*Tag*"],"Resource":"{resource}""#
        ));
        assert_eq!(told(&text), (Vec::new(), false), "{resource}");
    }
}

#[test]
fn what_is_understood_still_counts() {
    let ask = |text: &str| {
        Estate::new()
            .user(text)
            .ask(USER, "s3:GetObject", OBJECT, &Context::new())
    };
    assert_eq!(ask(&format!("\u{feff}{}", allow(ALL))), Decision::Allowed);
    assert_eq!(
        ask(&allow(&format!(r#"{ALL},"Effect":"Deny""#))),
        Decision::NotAllowed
    );
    assert_eq!(
        ask(&allow(r#""Action":"*e*t*b*c*","Resource":"*""#)),
        Decision::Allowed
    );
    assert_eq!(
        ask(&allow(ALL).replace('[', "[ /* all */ ")),
        Decision::NotAllowed
    );
}

/// An unread policy is told for its holder, wherever it is asked about.
#[test]
fn a_broken_policy_is_a_problem_of_the_assessment() {
    let access = Estate::new().user("{broken").assess();
    let [problem] = access.problems() else {
        panic!("{:?}", access.problems());
    };
    assert!(problem.unread && problem.message.starts_with("no valid JSON"));
}

/// Ten thousand statements, each with patterns that meet and never agree.
#[test]
fn bombs_end_in_time() {
    let start = Instant::now();
    let statements: Vec<String> = (0..10_000)
        .map(|number| {
            let effect = if number % 2 == 0 { "Allow" } else { "Deny" };
            format!(
                r#"{{"Effect":"{effect}","Action":"*{}*a*a*a*","Resource":"arn:aws:*:*:*:*{number}*a*b*"}}"#,
                ["s3", "lambda", "ec2", "iam"][number % 4]
            )
        })
        .collect();
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
        statements.join(",")
    );
    let bomb = allow(&format!(
        r#""Action":["lambda:*","iam:PassRole","ec2:*"],"Resource":["arn:aws:lambda:{0}","arn:aws:ec2:{0}","{0}"]"#,
        "*a".repeat(2_000)
    ));
    let access = Estate::new().user(&text).user(&bomb).assess();
    assert!(access.privilege(&Key::from(USER)).is_some());
    assert!(!access.problems().is_empty());
    assert!(
        start.elapsed().as_secs() < 120,
        "{} s",
        start.elapsed().as_secs()
    );
}
