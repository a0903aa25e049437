//! Many repositories with one question: which of them have keys and environments at all, and
//! their CODEOWNERS.

use std::collections::BTreeMap;

use keymuster_api::GapKind;
use keymuster_http::{Query, Rest, Unseen};
use serde_json::json;

use crate::{
    Book,
    connector::Wish,
    endpoints::BULK,
    wire::{Bulk, BulkRepository, BulkText},
};

const QUERY: Query = Query::new(
    "query($org:String!,$first:Int!,$after:String){organization(login:$org){repositories(first:$first,after:$after,orderBy:{field:NAME,direction:ASC}){pageInfo{hasNextPage endCursor}nodes{nameWithOwner deployKeys(first:1){totalCount}environments(first:1){totalCount}githubOwners:object(expression:\"HEAD:.github/CODEOWNERS\"){...on Blob{text isTruncated}}rootOwners:object(expression:\"HEAD:CODEOWNERS\"){...on Blob{text isTruncated}}docsOwners:object(expression:\"HEAD:docs/CODEOWNERS\"){...on Blob{text isTruncated}}}}}}",
);

/// Repositories of a question at first; halved where the host does not manage.
const FIRST: u32 = 50;
/// Fewer are not asked for.
const LEAST: u32 = 5;

/// What is known of a repository before it is asked.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    /// How many deploy keys it has, if that was told.
    pub(crate) keys: Option<u64>,
    /// How many environments.
    pub(crate) environments: Option<u64>,
    /// The file that counts, and its path: `.github/` before the root before `docs/`.
    pub(crate) codeowners: Option<(String, &'static str)>,
}

/// Outlines by scope. What fails costs the outlines only: every repository is asked itself.
pub(crate) async fn outlines(
    rest: &Rest<'_>,
    wish: &Wish,
    book: &mut Book<'_>,
) -> BTreeMap<String, Outline> {
    let mut outlines = BTreeMap::new();
    if wish.leaves_out(&BULK) {
        return outlines;
    }
    let scope = book.names.organization();
    let organization = book.names.organization.clone();
    let (mut first, mut after): (u32, Option<String>) = (FIRST, None);
    let mut pages = 0;
    loop {
        let variables = json!({"org": organization, "first": first, "after": after});
        let (bulk, errors) = match rest.query::<Bulk>(&BULK, &QUERY, variables).await {
            Ok(answer) => answer,
            Err(Unseen::Failed(kind, _)) if first > LEAST && kind != GapKind::Cancelled => {
                first /= 2;
                continue;
            }
            Err(unseen) => {
                book.tally.unseen(&scope, &BULK, &unseen);
                return outlines;
            }
        };
        if !errors.is_empty() {
            let reason = format!(
                "the host left out parts of its answer ({})",
                errors.join(", ")
            );
            book.tally.gap(&scope, &BULK, GapKind::Denied, reason);
        }
        let page = bulk.organization.repositories;
        for repository in page.nodes.into_iter().flatten() {
            let name = book.names.repository(&repository.name_with_owner);
            if let Some(reason) = cut(&repository) {
                book.tally.gap(&name, &BULK, GapKind::Limit, reason);
            }
            outlines.insert(name, outline(repository));
        }
        pages += 1;
        match page.page_info.end_cursor {
            Some(cursor)
                if page.page_info.has_next_page
                    && after.as_ref() != Some(&cursor)
                    && pages < 100_000 =>
            {
                after = Some(cursor);
            }
            _ => break,
        }
    }
    book.tally.one(&scope, &BULK, &Ok(()));
    outlines
}

fn cut(repository: &BulkRepository) -> Option<String> {
    let files = [
        &repository.github_owners,
        &repository.root_owners,
        &repository.docs_owners,
    ];
    let is_cut = files.into_iter().flatten().any(|file| file.is_truncated);
    is_cut.then(|| "its CODEOWNERS is too large to be given whole".to_owned())
}

fn outline(repository: BulkRepository) -> Outline {
    let text = |file: Option<BulkText>, path| Some((file?.text?, path));
    Outline {
        keys: repository.deploy_keys.map(|count| count.total_count),
        environments: repository.environments.map(|count| count.total_count),
        codeowners: text(repository.github_owners, ".github/CODEOWNERS")
            .or_else(|| text(repository.root_owners, "CODEOWNERS"))
            .or_else(|| text(repository.docs_owners, "docs/CODEOWNERS")),
    }
}
