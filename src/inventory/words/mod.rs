//! What single words of a register mean: placeholders, states, environments, tiers, kinds of
//! credential, providers, intervals; in the languages registers are written in.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

mod details;

pub(crate) use details::{
    auth_method, direction, evidence_kind, grant_type, review_decision, trust_tier,
};

use super::{
    OwnerKind, RecordStatus, Tier,
    text::{fold, squeezed, trimmed, words},
};

/// Words, squeezed, by what they mean; of two meanings the first.
fn by_word<T: Copy>(table: &[(T, &str)]) -> HashMap<String, T> {
    let mut found = HashMap::new();
    for (meaning, words) in table {
        for word in words.split_ascii_whitespace() {
            found.entry(squeezed(word)).or_insert(*meaning);
        }
    }
    found
}

/// The same, where the meaning is a word of its own.
fn by_name(table: &[(&'static str, &str)]) -> HashMap<String, &'static str> {
    let mut found: HashMap<String, &'static str> = table
        .iter()
        .map(|(name, _)| (squeezed(name), *name))
        .collect();
    for (name, words) in table {
        for word in words.split_ascii_whitespace() {
            found.entry(squeezed(word)).or_insert(*name);
        }
    }
    found
}

/// Whether a squeezed word is one of a list, whose words are separated by white space.
fn holds(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|listed| listed == word)
}

/// Whether a cell says nothing: empty, `n/a`, `tbd`, `-`, `unknown`, `?`.
pub(crate) fn is_placeholder(cell: &str) -> bool {
    static WORDS: LazyLock<HashSet<&str>> =
        LazyLock::new(|| PLACEHOLDERS.split_ascii_whitespace().collect());
    const PLACEHOLDERS: &str = "na nan tbd tba tbc tbdefined tobedefined tobedetermined tobeconfirmed unknown \
         notknown none nil null todo missing blank empty notapplicable notavailable \
         noinformation nodata unbekannt ka keineangabe keineangaben offen keine keiner nv \
         nichtvorhanden inconnu inconnue aucun aucune adefinir nondefini so desconocido \
         desconocida ninguno ninguna pordefinir sindatos sconosciuto nessuno nessuna \
         dadefinire nd desconhecido nenhum nenhuma onbekend geen nvt nog ref xxx undefined \
         unassigned notassigned";
    let cell = trimmed(cell);
    if cell
        .chars()
        .all(|c| matches!(c, '-' | '–' | '—' | '_' | '.' | '?' | '/' | '…'))
    {
        return true;
    }
    // Longer cells are texts, even if they hold such a word; no such word has a digit.
    cell.len() <= 24
        && !cell
            .bytes()
            .any(|byte| byte.is_ascii_digit() || byte == b'@')
        && WORDS.contains(squeezed(cell).as_str())
}

/// Whether a date cell says that there is no end.
pub(crate) fn is_never(cell: &str) -> bool {
    const WORDS: &str = "never noexpiry noexpiration doesnotexpire nonexpiring neverexpires permanent \
         unlimited perpetual infinite indefinite nie unbegrenzt unbefristet jamais illimite \
         sansfin nunca sincaducidad ilimitado mai illimitato senzascadenza nooit onbeperkt";
    holds(WORDS, &squeezed(cell))
}

/// The state a record is in.
pub(crate) fn status(cell: &str) -> Option<RecordStatus> {
    const WORDS: &[(RecordStatus, &str)] = &[
        (
            RecordStatus::Requested,
            "requested pending proposed planned ordered awaitingapproval draft submitted \
         pendingapproval beantragt angefragt geplant bestellt demande enattente planifie \
         solicitado solicitada pendiente richiesto inattesa pianificato pendente aangevraagd \
         gepland",
        ),
        (
            RecordStatus::Active,
            "active live enabled inuse operational current valid ok production installed yes true \
         1 open issued approved aktiv inbetrieb inbenutzung gultig gueltig produktiv actif \
         enservice valide activo activa vigente enuso attivo attiva inuso valido ativo ativa \
         emuso actief ingebruik",
        ),
        (
            RecordStatus::Disabled,
            "disabled inactive suspended locked blocked paused onhold deactivated no false 0 \
         deaktiviert inaktiv gesperrt pausiert desactive inactif suspendu bloque desactivado \
         inactivo suspendido bloqueado disattivato disabilitato inattivo sospeso bloccato \
         desativado inativo suspenso uitgeschakeld inactief geblokkeerd",
        ),
        (
            RecordStatus::Exception,
            "exception waived waiver riskaccepted accepted exempt tolerated ausnahme \
         risikoakzeptiert derogation excepcion eccezione excecao uitzondering",
        ),
        (
            RecordStatus::Revoked,
            "revoked deleted removed destroyed cancelled canceled invalidated rotatedout \
         compromised widerrufen geloscht geloescht entfernt entzogen revoque supprime \
         revocado eliminado borrado revocato eliminato cancellato revogado excluido \
         ingetrokken verwijderd",
        ),
        (
            RecordStatus::Retired,
            "retired decommissioned expired closed archived ended obsolete legacyremoved sunset \
         terminated endoflife eol ausserbetrieb stillgelegt abgelaufen archiviert beendet \
         abgeschaltet horsservice retire expire archive cloture retirado caducado archivado \
         dadodebaja dismesso scaduto archiviato descontinuado expirado arquivado \
         buitengebruik verlopen gearchiveerd uitgefaseerd",
        ),
    ];
    static MEANT: LazyLock<HashMap<String, RecordStatus>> = LazyLock::new(|| by_word(WORDS));
    MEANT.get(&squeezed(cell)).copied()
}

/// The environment, as the record's enumeration names it.
pub(crate) fn environment(cell: &str) -> Option<&'static str> {
    const WORDS: &[(&str, &str)] = &[
        (
            "prod",
            "prod production prd live productive produktion produktiv produccion produzione \
         producao productie",
        ),
        (
            "staging",
            "staging stage stg preprod preproduction uat acceptance integration int abnahme \
         vorproduktion preproduccion recette collaudo homologacao homologation acceptatie",
        ),
        ("test", "test testing tst qa prueba pruebas tests teste"),
        (
            "dev",
            "dev development develop sandbox local entwicklung developpement desarrollo sviluppo \
         desenvolvimento ontwikkeling",
        ),
        (
            "shared",
            "shared all any common global geteilt alle partage tous compartido condiviso \
         compartilhado gedeeld",
        ),
    ];
    static MEANT: LazyLock<HashMap<String, &str>> = LazyLock::new(|| by_word(WORDS));
    MEANT.get(&squeezed(cell)).copied()
}

/// The tier. `high`, `mittel` and the like mean one only in a column of tiers.
pub(crate) fn tier(cell: &str) -> Option<Tier> {
    let word = squeezed(cell);
    let digits: String = word.chars().filter(char::is_ascii_digit).collect();
    let letters: String = word.chars().filter(|c| !c.is_ascii_digit()).collect();
    if [
        "t", "tier", "", "stufe", "niveau", "level", "nivel", "livello",
    ]
    .contains(&letters.as_str())
    {
        return match digits.as_str() {
            "0" => Some(Tier::T0),
            "1" => Some(Tier::T1),
            "2" => Some(Tier::T2),
            "3" => Some(Tier::T3),
            _ => None,
        };
    }
    match word.as_str() {
        "critical" | "kritisch" | "critique" | "critico" | "critica" | "veryhigh" | "sehrhoch" => {
            Some(Tier::T0)
        }
        "high" | "hoch" | "eleve" | "elevee" | "alto" | "alta" | "hoog" => Some(Tier::T1),
        "medium" | "moderate" | "mittel" | "moyen" | "moyenne" | "medio" | "media" | "middel"
        | "gemiddeld" | "normal" => Some(Tier::T2),
        "low" | "niedrig" | "gering" | "faible" | "bajo" | "baja" | "basso" | "bassa" | "baixo"
        | "baixa" | "laag" => Some(Tier::T3),
        _ => None,
    }
}

/// Whether the owner is a person, a team, or interim.
pub(crate) fn owner_kind(cell: &str) -> Option<OwnerKind> {
    match squeezed(cell).as_str() {
        "person" | "individual" | "user" | "employee" | "human" | "personne" | "persona"
        | "pessoa" | "persoon" => Some(OwnerKind::Person),
        "team" | "group" | "squad" | "department" | "gruppe" | "abteilung" | "equipe"
        | "equipo" | "gruppo" | "groep" => Some(OwnerKind::Team),
        "interim" | "temporary" | "acting" | "vorlaufig" | "kommissarisch" | "provisoire"
        | "interino" | "tijdelijk" => Some(OwnerKind::Interim),
        _ => None,
    }
}

/// The kind of credential, as the record's enumeration names it.
pub(crate) fn credential_type(cell: &str) -> Option<&'static str> {
    const WORDS: &[(&str, &str)] = &[
        (
            "api_key",
            "apikey apischlussel cleapi clavedeapi claveapi chiaveapi chavedeapi chaveapi \
         apisleutel apitoken servicetoken",
        ),
        (
            "access_key",
            "accesskey awsaccesskey awskey iamaccesskey iamuserkey zugriffsschlussel storagekey \
         storageaccountkey hmackey",
        ),
        (
            "service_account",
            "serviceaccount technicaluser technicalaccount serviceuser dienstkonto \
         technischerbenutzer comptedeservice cuentadeservicio accountdiservizio \
         contadeservico serviceprincipal systemaccount functionalaccount iamuser machineuser \
         robotaccount",
        ),
        (
            "service_account_key",
            "serviceaccountkey gcpkey gcpserviceaccountkey jsonkey",
        ),
        (
            "oauth_app",
            "oauthapp oauthapplication oauthclient appregistration application app connectedapp \
         enterpriseapplication oauth githubapp clientsecret oauth2client",
        ),
        ("oauth_grant", "oauthgrant grant refreshtoken consent"),
        (
            "personal_access_token",
            "personalaccesstoken pat accesstoken usertoken githubtoken gitlabtoken",
        ),
        ("deploy_key", "deploykey deploytoken"),
        (
            "ssh_key",
            "sshkey sshkeypair sshschlussel clessh sshprivatekey",
        ),
        (
            "certificate",
            "certificate cert tlscertificate clientcertificate zertifikat certificat certificado \
         certificato certificaat x509",
        ),
        (
            "signing_key",
            "signingkey signaturschlussel gpgkey pgpkey codesigningkey",
        ),
        (
            "database_login",
            "databaselogin databaseuser dbuser dblogin database databaseaccount dbaccount \
         datenbankbenutzer databasepassword",
        ),
        ("webhook_secret", "webhooksecret webhook webhooktoken"),
        ("bot_token", "bottoken bot slackbot slacktoken"),
        (
            "ci_secret",
            "cisecret civariable pipelinesecret actionssecret cicdsecret buildsecret",
        ),
        (
            "workload_identity",
            "workloadidentity managedidentity oidc federation federatedcredential",
        ),
        ("iam_role", "iamrole role rolle awsrole"),
        (
            "agent_tool_credential",
            "agenttoolcredential agent mcp aiagent",
        ),
        (
            "other",
            "other sonstige andere autre otro altro outro overig",
        ),
    ];
    static MEANT: LazyLock<HashMap<String, &str>> = LazyLock::new(|| by_name(WORDS));
    let word = squeezed(cell);
    let singular = word.strip_suffix('s').unwrap_or(&word);
    MEANT.get(&word).or_else(|| MEANT.get(singular)).copied()
}

/// The short name of a known provider; others stay as written.
pub(crate) fn provider(cell: &str) -> String {
    let short = match squeezed(cell).as_str() {
        "aws" | "amazon" | "amazonwebservices" | "awsiam" | "iam" => "aws",
        "gcp" | "google" | "googlecloud" | "googlecloudplatform" => "gcp",
        "azure" | "entra" | "entraid" | "azuread" | "aad" | "microsoftentra"
        | "microsoftentraid" | "microsoftazure" => "azure",
        "github" | "githubcom" | "githubenterprise" | "githubactions" => "github",
        "gitlab" | "gitlabcom" => "gitlab",
        "k8s" | "kubernetes" => "kubernetes",
        "slack" => "slack",
        "okta" => "okta",
        _ => return cell.to_owned(),
    };
    short.to_owned()
}

/// An interval in days: `90`, `90 days`, `12 Monate`, `quarterly`.
pub(crate) fn days(cell: &str) -> Option<u32> {
    let folded = fold(trimmed(cell));
    let word = match squeezed(&folded).as_str() {
        "daily" | "taglich" => Some(1),
        "weekly" | "wochentlich" | "hebdomadaire" => Some(7),
        "monthly" | "monatlich" | "mensuel" | "mensual" | "mensile" | "mensal" => Some(30),
        "quarterly" | "vierteljahrlich" | "quartalsweise" | "trimestriel" | "trimestral"
        | "trimestrale" => Some(90),
        "halfyearly" | "semiannual" | "semiannually" | "halbjahrlich" | "semestriel" => Some(180),
        "yearly" | "annual" | "annually" | "jahrlich" | "annuel" | "anual" | "annuale" => Some(365),
        _ => None,
    };
    if word.is_some() {
        return word;
    }
    let end = folded
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(folded.len());
    let number: u32 = folded[..end].parse().ok()?;
    let factor = match words(&folded[end..]).first().map_or("d", String::as_str) {
        "d" | "day" | "days" | "tag" | "tage" | "tagen" | "jour" | "jours" | "dia" | "dias"
        | "giorno" | "giorni" | "dag" | "dagen" => 1,
        "w" | "week" | "weeks" | "woche" | "wochen" | "semaine" | "semaines" | "weken" => 7,
        "m" | "month" | "months" | "monat" | "monate" | "monaten" | "mois" | "mes" | "meses"
        | "mese" | "mesi" | "maand" | "maanden" => 30,
        "y" | "year" | "years" | "jahr" | "jahre" | "an" | "ans" | "ano" | "anos" | "anno"
        | "anni" | "jaar" => 365,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// Whether a person is still there: `None` where the word is unknown.
pub(crate) fn person_is_there(cell: &str) -> Option<bool> {
    const HERE: &str = "active employed enabled current present staged provisioned yes true 1 onleave leave \
         parentalleave sabbatical contractor permanent aktiv beschaftigt angestellt \
         elternzeit ja actif enposte oui activo activa si attivo attiva inservizio ativo \
         ativa sim actief indienst";
    const GONE: &str = "ended left inactive terminated departed resigned retired former deprovisioned \
         suspended disabled deleted offboarded leaver deceased no false 0 locked deactivated \
         inaktiv ausgeschieden ausgetreten beendet gesperrt ehemalig deaktiviert nein inactif \
         parti partie sorti sortie suspendu non inactivo inactiva baja cesado suspendido \
         inattivo inattiva cessato cessata dimesso sospeso inativo inativa desligado \
         desligada demitido nao inactief uitdienst vertrokken nee";
    let word = squeezed(cell);
    let there = holds(HERE, &word);
    (there || holds(GONE, &word)).then_some(there)
}

#[cfg(test)]
mod tests {
    use super::{
        credential_type, days, environment, is_never, is_placeholder, person_is_there, provider,
        status, tier,
    };
    use crate::inventory::{RecordStatus, Tier};

    #[test]
    fn placeholders_say_nothing() {
        for cell in
            "|n/a|N.A.|TBD|-|--|—|?|unknown|None|todo|k.A.|unbekannt|#N/A|inconnu|no_information"
                .split('|')
        {
            assert!(is_placeholder(cell), "{cell}");
        }
        for cell in [
            "*",
            "Nadia",
            "none of your business",
            "0",
            "to be removed by May",
        ] {
            assert!(!is_placeholder(cell), "{cell}");
        }
    }

    #[test]
    fn states_are_understood_in_several_languages() {
        let table = [
            ("Active", RecordStatus::Active),
            ("Aktiv", RecordStatus::Active),
            ("en service", RecordStatus::Active),
            ("beantragt", RecordStatus::Requested),
            ("gesperrt", RecordStatus::Disabled),
            ("désactivé", RecordStatus::Disabled),
            ("Ausnahme", RecordStatus::Exception),
            ("gelöscht", RecordStatus::Revoked),
            ("révoqué", RecordStatus::Revoked),
            ("Außer Betrieb", RecordStatus::Retired),
            ("Decommissioned", RecordStatus::Retired),
        ];
        for (cell, expected) in table {
            assert_eq!(status(cell), Some(expected), "{cell}");
        }
        assert_eq!(status("blue"), None);
    }

    #[test]
    fn the_other_words_are_understood() {
        assert_eq!(environment("PRD"), Some("prod"));
        assert_eq!(environment("Pre-Prod"), Some("staging"));
        assert_eq!(environment("mars"), None);
        assert_eq!(tier("Tier 0"), Some(Tier::T0));
        assert_eq!(tier("t3"), Some(Tier::T3));
        assert_eq!(tier("hoch"), Some(Tier::T1));
        assert_eq!(tier("T7"), None);
        assert_eq!(credential_type("AWS access keys"), Some("access_key"));
        assert_eq!(
            credential_type("personal_access_token"),
            Some("personal_access_token")
        );
        assert_eq!(credential_type("Dienstkonto"), Some("service_account"));
        assert_eq!(credential_type("shoe"), None);
        assert_eq!(provider("Amazon Web Services"), "aws");
        assert_eq!(provider("Acme Cloud"), "Acme Cloud");
        assert!(is_never("does not expire"));
        assert_eq!(person_is_there("ausgeschieden"), Some(false));
        assert_eq!(person_is_there("DEPROVISIONED"), Some(false));
        assert_eq!(person_is_there("on leave"), Some(true));
        assert_eq!(person_is_there("violet"), None);
    }

    #[test]
    fn intervals_are_days() {
        let table = [
            ("90", Some(90)),
            ("90 Tage", Some(90)),
            ("12 months", Some(360)),
            ("1y", Some(365)),
            ("Quarterly", Some(90)),
            ("often", None),
            ("99999999999", None),
            ("4294967295 years", None),
        ];
        for (cell, expected) in table {
            assert_eq!(days(cell), expected, "{cell}");
        }
    }
}
