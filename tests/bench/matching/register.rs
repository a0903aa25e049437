//! What is recorded: two registers, as two companies that merged would keep them.

/// A line of a register.
#[derive(Default, Clone)]
pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) system: String,
    pub(crate) account: String,
    pub(crate) environment: String,
    pub(crate) owner: String,
    pub(crate) purpose: String,
    pub(crate) status: String,
    pub(crate) revoked: String,
    pub(crate) key_id: String,
    pub(crate) arn: String,
    pub(crate) client_id: String,
    pub(crate) user: String,
    pub(crate) vault: String,
    pub(crate) variable: String,
    pub(crate) kubernetes: String,
    pub(crate) location: String,
    pub(crate) fingerprint: String,
    pub(crate) mail: String,
}

impl Line {
    fn cells(&self) -> [&str; 19] {
        [
            &self.id,
            &self.name,
            &self.system,
            &self.account,
            &self.environment,
            &self.owner,
            &self.purpose,
            &self.status,
            &self.revoked,
            &self.key_id,
            &self.arn,
            &self.client_id,
            &self.user,
            &self.vault,
            &self.variable,
            &self.kubernetes,
            &self.location,
            &self.fingerprint,
            &self.mail,
        ]
    }
}

const ENGLISH: &str = "Record ID,Credential name,Application,Account ID,Environment,Owner,Purpose,Status,Revoked on,Key ID,ARN,Client ID,User name,Vault path,CI variable,Kubernetes secret,Location,HMAC,Service account email";
const GERMAN: &str = "Registernummer;Bezeichnung;Fachanwendung;Account ID;Umgebung;Verantwortlich;Zweck;Status;Widerrufen am;Schl\u{fc}ssel-ID;ARN;Client-ID;Benutzername;Vault-Pfad;CI-Variable;Kubernetes-Secret;Fundort;HMAC;Dienstkonto-Mail";

/// A register as CSV, English with commas or German with semicolons.
pub(crate) fn csv(lines: &[Line], german: bool) -> String {
    let (header, comma) = if german {
        (GERMAN, ";")
    } else {
        (ENGLISH, ",")
    };
    let mut out = format!("{header}\n");
    for line in lines {
        let cells = line.cells().map(|cell| {
            if cell.contains([',', ';', '"', '\n']) {
                format!("\"{}\"", cell.replace('"', "\"\""))
            } else {
                cell.to_owned()
            }
        });
        out.push_str(&cells.join(comma));
        out.push('\n');
    }
    out
}
