//! The company's register and people directory, with the usual defects.

use anyhow::Result;

use super::{
    Company,
    cloud::{ACCOUNT, key_id},
};

const HEADER: [&str; 20] = [
    "Record ID",
    "Name",
    "Type",
    "Access key ID",
    "System",
    "Account",
    "Environment",
    "Owner",
    "Purpose",
    "Approved by",
    "Approved at",
    "Scope",
    "Status",
    "Expires",
    "Revocation path",
    "Recovery procedure",
    "Approval ticket",
    "Log source",
    "Log reviewer",
    "Business process",
];

pub(super) fn build(company: &Company) -> Result<()> {
    let soon = company.day(-100);
    let approved = company.day(20);
    let mut register = csv::Writer::from_writer(Vec::new());
    register.write_record(HEADER)?;
    let mut add = |id: &str,
                   user: &str,
                   key: &str,
                   system: &str,
                   environment: &str,
                   owner: &str,
                   purpose: &str,
                   scope: &str,
                   status: &str,
                   expires: &str| {
        register.write_record([
            id,
            user,
            "access key",
            key,
            system,
            ACCOUNT,
            environment,
            owner,
            purpose,
            "carol@northwind.example",
            &approved,
            scope,
            status,
            expires,
            "runbook/aws-keys.md",
            "runbook/aws-keys.md#recover",
            &format!("approvals.md#{}", id.to_lowercase()),
            "cloudtrail",
            "security@northwind.example",
            system,
        ])
    };
    let key = |user: &str| key_id(company, user);
    add(
        "REG-001",
        "payments-settlement",
        &key("payments-settlement")?,
        "payments-api",
        "prod",
        "alice@northwind.example",
        "Daily settlement files",
        "s3 read and write of one bucket",
        "active",
        &soon,
    )?;
    add(
        "REG-002",
        "ci-deployer",
        &key("ci-deployer")?,
        "infra",
        "prod",
        "erin@northwind.example",
        "Deployments",
        "deploy",
        "active",
        &soon,
    )?;
    add(
        "REG-003",
        "legacy-etl",
        &key("legacy-etl")?,
        "data-pipeline",
        "prod",
        "bob@northwind.example",
        "Nightly load before 2024",
        "s3 read",
        "active",
        &soon,
    )?;
    add(
        "REG-004",
        "image-resizer",
        &key("image-resizer")?,
        "web-shop",
        "prod",
        "tbd",
        "Resizes pictures",
        "s3 read and write of one bucket",
        "active",
        &soon,
    )?;
    add(
        "REG-005",
        "old-mailer",
        &key("old-mailer")?,
        "web-shop",
        "prod",
        "alice@northwind.example",
        "Newsletter",
        "s3 read and write of one bucket",
        "revoked",
        &soon,
    )?;
    add(
        "REG-006",
        "build-cache",
        &key("build-cache")?,
        "infra",
        "dev",
        "erin@northwind.example",
        "Build cache",
        "s3 read and write of one bucket",
        "disabled",
        &soon,
    )?;
    // Registered, and gone: a ghost.
    add(
        "REG-007",
        "batch-invoicer",
        &key("batch-invoicer")?,
        "payments-api",
        "prod",
        "alice@northwind.example",
        "Invoices",
        "s3 write",
        "active",
        &soon,
    )?;
    let bytes = register
        .into_inner()
        .map_err(|error| anyhow::anyhow!("{error}"))?;
    company.write("inventory.csv", &String::from_utf8_lossy(&bytes))?;

    let left = company.day(60);
    let people = format!(
        "id,name,mail,team,manager,status,end date\n\
         p1,Alice Moreau,alice@northwind.example,payments,p3,active,\n\
         p2,Bob Tanner,bob@northwind.example,web,p3,left,{left}\n\
         p3,Carol Ruiz,carol@northwind.example,engineering,,active,\n\
         p4,Dan Okafor,dan@northwind.example,data,p3,active,\n\
         p5,Erin Lindqvist,erin@northwind.example,platform,p3,active,\n"
    );
    company.write("people.csv", &people)
}
