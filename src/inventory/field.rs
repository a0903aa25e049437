//! The dictionary: every field of the record and of the people directory, the headers that
//! mean it, and what its values look like.
//!
//! A header is compared without case, accents, blanks and punctuation, so `Owner-Name`,
//! `owner_name` and `OwnerName` are one alias: `ownername`.

use super::{dates::looks_like_date, identify, text::squeezed, words};

/// One field.
pub(crate) struct Field {
    /// Its name, as `[inventory.map]` writes it.
    pub(crate) name: &'static str,
    /// What its values look like.
    pub(crate) shape: Shape,
    /// Whether several columns may feed it at once.
    pub(crate) many: bool,
    /// Squeezed headers that mean it, separated by blanks; the name itself is one too.
    pub(crate) aliases: &'static str,
}

/// What values look like.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    Text,
    Any,
    Person,
    Date,
    Days,
    Account,
    Id,
    Path,
    Mail,
    /// Values for which this says yes.
    Word(fn(&str) -> bool),
    /// Words that need not all be known.
    LooseWord(fn(&str) -> bool),
    /// Words or masks that the shape of this identifier recognises.
    Scheme(&'static str),
}

impl Shape {
    /// How well a value fits, 0 to 1.
    pub(crate) fn fit(self, value: &str) -> f64 {
        let yes = |yes: bool, otherwise: f64| if yes { 1.0 } else { otherwise };
        let letters = || value.chars().any(char::is_alphabetic);
        let one_word = || !value.contains(char::is_whitespace);
        match self {
            Shape::Any => 1.0,
            Shape::Text => yes(letters() && !looks_like_date(value), 0.4),
            Shape::Person if value.contains('@') => 1.0,
            Shape::Person => {
                let name = letters() && value.chars().count() <= 80 && !looks_like_date(value);
                if name { 0.95 } else { 0.3 }
            }
            Shape::Date => yes(looks_like_date(value) || words::is_never(value), 0.0),
            Shape::Days => yes(words::days(value).is_some(), 0.0),
            Shape::Account => {
                let digits = value.bytes().filter(u8::is_ascii_digit).count();
                let exact = (digits == 12 && !letters()) || identify::is_guid(value);
                yes(
                    exact,
                    if one_word() && !value.contains('@') {
                        0.7
                    } else {
                        0.4
                    },
                )
            }
            Shape::Id => yes(one_word() && !looks_like_date(value), 0.3),
            Shape::Path => yes(value.contains(['/', ':']), 0.4),
            Shape::Mail => yes(value.contains('@') && one_word(), 0.0),
            Shape::Word(known) => yes(known(value), 0.0),
            Shape::LooseWord(known) => yes(known(value), 0.65),
            Shape::Scheme(scheme) => {
                let (found, _) = identify::sniff(value);
                yes(
                    found
                        .iter()
                        .any(|i| i.scheme == scheme || i.scheme == "masked"),
                    0.3,
                )
            }
        }
    }
}

const fn one(name: &'static str, shape: Shape, aliases: &'static str) -> Field {
    Field {
        name,
        shape,
        many: false,
        aliases,
    }
}

const fn many(name: &'static str, shape: Shape, aliases: &'static str) -> Field {
    Field {
        name,
        shape,
        many: true,
        aliases,
    }
}

fn is_status(value: &str) -> bool {
    words::status(value).is_some()
}

fn is_environment(value: &str) -> bool {
    words::environment(value).is_some()
}

fn is_tier(value: &str) -> bool {
    words::tier(value).is_some()
}

fn is_type(value: &str) -> bool {
    words::credential_type(value).is_some()
}

fn is_owner_kind(value: &str) -> bool {
    words::owner_kind(value).is_some()
}

fn is_person_status(value: &str) -> bool {
    words::person_is_there(value).is_some()
}

/// Fields that name a credential, by scheme; their columns add up.
pub(crate) const IDENTIFIERS: &[&str] = &[
    "access_key_id",
    "arn",
    "client_id",
    "object_id",
    "key_id",
    "token_id",
    "fingerprint_hmac",
    "ssh_fingerprint",
    "spki_sha256",
    "serial_issuer",
    "vault_path",
    "ci_variable",
    "k8s_secret",
    "repo_path",
    "app_installation",
    "email",
    "client_email",
    "principal",
    "identifier",
];

/// The record's fields.
pub(crate) const RECORD: &[Field] = &[
    one(
        "record_id",
        Shape::Id,
        "recordid id recordnumber recordno registerid entryid inventoryid assetid ciid sysid number nr no lfdnr laufendenummer nummer datensatzid numero numerodenregistrement idregistro numeroderegistro idregistro ref reference referenz registernummer kennung idbien",
    ),
    one(
        "credential_type",
        Shape::LooseWord(is_type),
        "credentialtype type kind typeofcredential secrettype accounttype keytype tokentype authtype category class typ art artdeszugangs kontotyp schlusseltyp zugangsart typedecompte typedidentifiant tipo tipodecredencial tipodecuenta tipodicredenziale tipocredenziale tipodecredencial soort soortreferentie categorie kategorie",
    ),
    many(
        "access_key_id",
        Shape::Scheme("access_key_id"),
        "accesskeyid accesskey awsaccesskeyid awsaccesskey awskeyid awskey accesskeys zugriffsschlusselid zugriffsschlussel cledaccesid clavedeacceso idclavedeacceso chiavediaccesso chavedeacesso toegangssleutel",
    ),
    many(
        "arn",
        Shape::Scheme("arn"),
        "arn awsarn userarn iamarn principalarn rolearn resourcearn iamuserarn amazonresourcename",
    ),
    many(
        "client_id",
        Shape::Id,
        "clientid appid applicationid oauthclientid consumerkey appclientid anwendungsid clientkennung idclient idcliente idapplication",
    ),
    many(
        "object_id",
        Shape::Id,
        "objectid oid serviceprincipalid principalid objektid entraobjectid idobjet",
    ),
    many(
        "key_id",
        Shape::Id,
        "keyid privatekeyid keyidentifier schlusselid schlusselkennung secretid secretkeyid kid idcle idcleprivee idclave idchiave idchave sleutelid certid",
    ),
    many(
        "token_id",
        Shape::Id,
        "tokenid apitokenid patid accesstokenid tokenkennung idtoken idjeton",
    ),
    many(
        "fingerprint_hmac",
        Shape::Id,
        "fingerprinthmac secretfingerprint hmac keyedfingerprint",
    ),
    many(
        "ssh_fingerprint",
        Shape::Scheme("ssh_fingerprint"),
        "sshfingerprint fingerprint keyfingerprint fingerabdruck empreinte huella huelladigital improntadigitale impronta impressaodigital vingerafdruk",
    ),
    many(
        "spki_sha256",
        Shape::Id,
        "spkisha256 spki publickeyhash certificatefingerprint certificatethumbprint thumbprint sha256",
    ),
    many(
        "serial_issuer",
        Shape::Any,
        "serialissuer serial serialnumber certificateserial seriennummer numerodeserie numerodiserie serienummer",
    ),
    many(
        "vault_path",
        Shape::Path,
        "vaultpath vault secretpath storagepath storedat storedin secretstore secretlocation ablageort tresorpfad chemincoffre rutadeboveda",
    ),
    many(
        "ci_variable",
        Shape::Any,
        "civariable cisecret pipelinevariable variable variablename envvar environmentvariable cicdvariable umgebungsvariable",
    ),
    many(
        "k8s_secret",
        Shape::Path,
        "k8ssecret kubernetessecret k8ssecretname",
    ),
    many(
        "repo_path",
        Shape::Path,
        "repopath location path file filepath repositorypath whereused fundort speicherort emplacement chemin ubicacion ruta posizione percorso localizacao caminho locatie pad",
    ),
    many(
        "app_installation",
        Shape::Id,
        "appinstallation installationid githubappinstallation appinstallationid",
    ),
    many(
        "client_email",
        Shape::Mail,
        "clientemail serviceaccountemail saemail serviceaccountmail gcpserviceaccount",
    ),
    many(
        "email",
        Shape::Mail,
        "accountemail accountmail loginemail botemail",
    ),
    many(
        "principal",
        Shape::Id,
        "principal username iamuser iamusername loginname login serviceuser technicaluser serviceaccount serviceaccountname user benutzername benutzer dienstkonto technischerbenutzer nomdutilisateur utilisateur comptedeservice usuario nombredeusuario cuentadeservicio utente nomeutente nomedeusuario contadeservico gebruiker gebruikersnaam",
    ),
    many(
        "identifier",
        Shape::Any,
        "identifier identifiers credentialid credentialidentifier uniqueid publicid bezeichner identifiant identificador identificatore identificatie",
    ),
    one(
        "name",
        Shape::Text,
        "name credentialname displayname title label accountname account keyname secretname tokenname appname credential credentials key bezeichnung titel kontoname konto zugang nom nomdelacle libelle intitule compte nombre etiqueta cuenta nome denominazione titolo naam omschrijvingkort",
    ),
    one(
        "system",
        Shape::Text,
        "system application app service systemname applicationname servicename product workload component usedby usedfor targetsystem target anwendung fachanwendung zielsystem dienst verfahren systeme applicationcible produit sistema aplicacion servicio applicazione servizio aplicacao servico systeem applicatie toepassing dienstnaam project projekt projet proyecto progetto projeto",
    ),
    one(
        "provider",
        Shape::Text,
        "provider cloud cloudprovider platform issuer issuedby anbieter plattform fournisseur plateforme proveedor plataforma fornitore piattaforma provedor leverancier aanbieder",
    ),
    one(
        "account",
        Shape::Account,
        "account accountid awsaccount awsaccountid accountnumber accountno tenant tenantid tenantoraccount subscription subscriptionid projectid gcpproject organization organisation org kontonummer mandant konto abonnement idcompte numerodecompte cuenta idcuenta conta idconta contoid",
    ),
    one(
        "environment",
        Shape::Word(is_environment),
        "environment env stage landscape umgebung systemumgebung environnement entorno ambiente omgeving",
    ),
    one(
        "entity",
        Shape::Text,
        "entity businessunit bu company legalentity subsidiary division department gesellschaft geschaftsbereich abteilung bereich entite filiale departement unidaddenegocio departamento sociedad societa reparto unidadedenegocio bedrijfsonderdeel afdeling",
    ),
    one(
        "owner",
        Shape::Person,
        "owner accountowner owneremail ownermail ownername credentialowner keyowner businessowner serviceowner ownedby responsible responsibleperson accountable accountableowner custodian managedby contact ownerid verantwortlich verantwortliche verantwortlicher verantwortlicheperson eigentumer eigentuemer besitzer inhaber ansprechpartner zustandig proprietaire responsable detenteur propietario propietaria dueno titular proprietario proprietaria responsabile responsavel dono eigenaar verantwoordelijke houder",
    ),
    one(
        "owner_kind",
        Shape::Word(is_owner_kind),
        "ownerkind ownertype eigentumertyp eigentumerart typedeproprietaire tipodepropietario",
    ),
    one(
        "approver",
        Shape::Person,
        "approver approvedby approvername approveremail authorizedby authorisedby authorizer signedoffby signoff genehmiger genehmigtvon genehmigtdurch freigegebenvon freigabedurch freigeber approuvepar approbateur valideur validepar aprobadopor aprobador autorizadopor approvatoda approvatore autorizzatoda aprovadopor aprovador goedgekeurddoor goedkeurder",
    ),
    one(
        "approved_at",
        Shape::Date,
        "approvedat approvaldate approvedon dateapproved approverdate approved genehmigtam genehmigungsdatum freigabedatum freigegebenam dateapprobation approuvele datedapprobation fechadeaprobacion aprobadoel dataapprovazione approvatoil datadeaprovacao aprovadoem goedkeuringsdatum goedgekeurdop",
    ),
    one(
        "approval_ref",
        Shape::Any,
        "approvalref approvalreference approvalticket ticket changerequest change changenumber request jira requestid antrag antragsnummer genehmigungsnummer demande numerodeticket solicitud richiesta solicitacao aanvraag",
    ),
    one(
        "purpose",
        Shape::Text,
        "purpose reason justification description businessjustification businesspurpose whyitexists usecase usage businessreason intendeduse zweck verwendungszweck begrundung beschreibung grund finalite objet motif justificatif utilisation proposito finalidad motivo descripcion justificacion scopo finalita descrizione giustificazione finalidade descricao justificativa doel reden omschrijving beschrijving",
    ),
    one(
        "scope",
        Shape::Any,
        "scope scopes permissions permission rights privileges accesslevel access roles grants entitlements berechtigung berechtigungen rechte zugriffsrechte rollen droits permissionsaccordees privilegesaccordes permisos alcance derechos permessi ambito permissoes escopo rechten bevoegdheden",
    ),
    one(
        "data_classes",
        Shape::Any,
        "dataclasses dataclass dataclassification classification sensitivity datatypes data datenklasse datenklassen datenklassifizierung schutzbedarf classedesdonnees classification clasificacion clasificaciondedatos classificazione classificacao gegevensclassificatie",
    ),
    one(
        "tier",
        Shape::Word(is_tier),
        "tier risktier criticality risk risklevel priority importance kritikalitat risiko risikostufe schutzklasse criticite niveauderisque risque criticidad riesgo nivelderiesgo criticita rischio criticidade risco kritikaliteit risico",
    ),
    one(
        "trust_tier",
        Shape::Any,
        "trusttier trust trustlevel vertrauensstufe niveaudeconfiance",
    ),
    one(
        "status",
        Shape::Word(is_status),
        "status state lifecycle lifecyclestatus operationalstatus installstatus active enabled zustand aktiv etat statut estado activo stato attivo situacao ativo staat toestand",
    ),
    one(
        "issued_at",
        Shape::Date,
        "issuedat issued issuedate issuedon created createdat createdon creationdate datecreated createdate startdate validfrom secretstartdate ausgestelltam ausgabedatum erstellt erstelltam erstellungsdatum angelegtam gultigab creele datedecreation datecreation emisle datedemission fechadecreacion creadoel fechadeemision datadicreazione datacreazione creatoil datadecriacao criadoem aanmaakdatum aangemaaktop uitgegevenop",
    ),
    one(
        "expires_at",
        Shape::Date,
        "expiresat expires expiry expirydate expiration expirationdate expireson validuntil validto validtill enddate secretenddate notafter ablauf ablaufdatum lauftabam gultigbis gueltigbis expire expirele datedexpiration dateexpiration datedefin valablejusquau caduca caducidad fechadecaducidad fechadeexpiracion fechadevencimiento vencimiento scadenza datadiscadenza validofinoal vencimento datadeexpiracao validade validoate vervaldatum verlooptop geldigtot einddatum removaldate",
    ),
    one(
        "no_expiry_reason",
        Shape::Any,
        "noexpiryreason noexpirationreason reasonfornoexpiry whynoexpiry grundohneablauf",
    ),
    one(
        "max_lifetime_days",
        Shape::Days,
        "maxlifetimedays maxlifetime maximumlifetime lifetime ttl validitydays maximalelaufzeit laufzeit dureedevie duracionmaxima duratamassima",
    ),
    one(
        "rotation_days",
        Shape::Days,
        "rotationdays rotation rotationinterval rotationperiod rotationfrequency rotationcycle rotationpolicy rotateevery rotationsintervall wechselintervall intervallederotation periodederotation periododerotacion intervalodirotazione intervallodirotazione periododerotacao rotatieinterval",
    ),
    one(
        "last_rotated_at",
        Shape::Date,
        "lastrotatedat lastrotated lastrotation lastrotationdate rotatedat rotatedon lastchanged passwordlastset letzterotation letzterwechsel zuletztrotiert rotiertam dernierrotation dernierrotationle dernierechange ultimarotacion fechaultimarotacion ultimarotazione ultimarotacao laatsterotatie",
    ),
    one(
        "last_reviewed_at",
        Shape::Date,
        "lastreviewedat lastreviewed lastreview lastreviewdate reviewedat reviewedon reviewdate lastrecertification lastattested certifiedon lastverified letzteprufung letzterreview gepruftam rezertifiziertam derniererevue derniererevision ultimarevision ultimarevisione ultimaverifica ultimarevisao laatstecontrole laatstbeoordeeld",
    ),
    one(
        "revocation_path",
        Shape::Any,
        "revocationpath revocation howtorevoke revocationprocedure revokeurl revocationsteps killswitch shutdowntrigger widerruf widerrufsweg sperrweg sperrprozess revocationmethod procedurederevocation revocacion procedimientoderevocacion revoca proceduradirevoca revogacao procedimentoderevogacao intrekking intrekkingsprocedure",
    ),
    one(
        "recovery_procedure",
        Shape::Any,
        "recoveryprocedure recovery runbook recoveryplan restoreprocedure wiederherstellung notfallplan proceduredereprise recuperacion plandecontingencia ripristino proceduradiripristino recuperacao herstelprocedure",
    ),
    one(
        "revoked_at",
        Shape::Date,
        "revokedat revokedon revoked revocationdate daterevoked deletedat retiredon decommissionedon widerrufenam gesperrtam revoquele datederevocation revocadoel fechaderevocacion revocatoil datadirevoca revogadoem datarevogacao ingetrokkenop",
    ),
    one(
        "revoked_by",
        Shape::Person,
        "revokedby revoker retiredby widerrufenvon gesperrtvon revoquepar revocadopor revocatoda revogadopor ingetrokkendoor",
    ),
    one(
        "vendor",
        Shape::Text,
        "vendor supplier thirdparty partner vendorname lieferant dienstleister drittanbieter prestataire proveedorexterno fornitoreesterno fornecedor externeleverancier",
    ),
];

/// The directory's fields.
pub(crate) const PEOPLE: &[Field] = &[
    one(
        "id",
        Shape::Id,
        "id employeeid personid userid login username employeenumber personnelnumber uid samaccountname personalnummer mitarbeiternummer benutzername kennung matricule identifiant idempleado usuario matricola utente matricula personeelsnummer gebruikersnaam handle",
    ),
    one(
        "mail",
        Shape::Mail,
        "mail email emailaddress mailaddress workemail primaryemail userprincipalname upn emailadresse mailadresse adressemail courriel correo correoelectronico posta postaelettronica endereco enderecodeemail emailadres",
    ),
    many(
        "aliases",
        Shape::Any,
        "aliases alias othermails othermail formermail formermails formernames formername secondaryemail alternateemails githublogin github githubuser gitlabuser proxyaddresses fruherername weitereadressen autresadresses otroscorreos",
    ),
    one(
        "name",
        Shape::Text,
        "name fullname displayname employeename person vollername anzeigename mitarbeiter nom nomcomplet nombre nombrecompleto nome nomecompleto nominativo naam volledigenaam",
    ),
    one(
        "given_name",
        Shape::Text,
        "givenname firstname vorname prenom primernombre nomeproprio voornaam",
    ),
    one(
        "family_name",
        Shape::Text,
        "familyname lastname surname nachname familienname nomdefamille apellido apellidos cognome sobrenome achternaam",
    ),
    one(
        "team",
        Shape::Text,
        "team group squad department orgunit unit organisationseinheit abteilung gruppe equipe service departement equipo departamento reparto squadra setor afdeling",
    ),
    one(
        "manager",
        Shape::Person,
        "manager managerid managermail manageremail supervisor lead reportsto linemanager vorgesetzter vorgesetzte fuhrungskraft superieur responsable jefe responsabile gestor chefe leidinggevende",
    ),
    one(
        "status",
        Shape::Word(is_person_status),
        "status state employmentstatus accountstatus active enabled accountenabled beschaftigungsstatus zustand aktiv statut etat estado activo stato attivo situacao ativo dienstverband",
    ),
    one(
        "ended_at",
        Shape::Date,
        "endedat enddate end leavedate leavingdate lastday lastworkingday terminationdate termination exitdate dateofleaving contractend until leftat lefton austrittsdatum austritt ausgeschiedenam letzterarbeitstag vertragsende datedesortie datededepart datedefin fechadebaja fechadesalida fechafin datadicessazione datafine datadesaida datademissao uitdienstdatum einddatum",
    ),
];

/// How well a header names a field: 1 for an alias, less for one inside a longer header or
/// with a typing error, 0 for neither.
pub(crate) fn name_score(field: &Field, header: &str, header_words: &[String]) -> f64 {
    let squeezed = squeezed(header);
    let mut best: f64 = 0.0;
    let own = self::squeezed(field.name);
    for alias in field.aliases.split(' ').chain([own.as_str()]) {
        if alias == squeezed {
            return 1.0;
        }
        let longest = alias.len().max(squeezed.len());
        let allowed = match longest {
            0..=4 => 0,
            5..=9 => 1,
            _ => 2,
        };
        if alias.len().abs_diff(squeezed.len()) <= allowed
            && super::text::distance(alias, &squeezed) <= allowed
        {
            best = best.max(0.9);
        }
        best = best.max(inside(alias, header_words));
    }
    best
}

/// An alias that is some neighbouring words of the header, scored by how much of it they are.
fn inside(alias: &str, words: &[String]) -> f64 {
    let mut best: f64 = 0.0;
    for start in 0..words.len() {
        let mut rest = alias;
        for (n, word) in words[start..].iter().enumerate() {
            let Some(after) = rest.strip_prefix(word.as_str()) else {
                break;
            };
            rest = after;
            if rest.is_empty() {
                best = best.max(0.37 + 0.55 * (n + 1) as f64 / words.len() as f64);
            }
        }
    }
    best
}

/// Whether a text is an alias of any field of the record or the directory.
pub(crate) fn is_header_word(text: &str) -> bool {
    use std::{collections::HashSet, sync::LazyLock};
    static ALL: LazyLock<HashSet<String>> = LazyLock::new(|| {
        let fields = RECORD.iter().chain(PEOPLE);
        fields
            .flat_map(|field| {
                let aliases = field.aliases.split(' ').map(str::to_owned);
                aliases.chain([squeezed(field.name)])
            })
            .collect()
    });
    text.len() <= 80 && ALL.contains(&squeezed(text))
}

#[cfg(test)]
mod tests {
    use super::{IDENTIFIERS, PEOPLE, RECORD, Shape, name_score};
    use crate::inventory::text::{squeezed, words};

    #[test]
    fn aliases_are_written_as_headers_are_compared() {
        for field in RECORD.iter().chain(PEOPLE) {
            for alias in field.aliases.split(' ') {
                assert_eq!(squeezed(alias), alias, "{}", field.name);
                assert!(!alias.is_empty(), "{}", field.name);
            }
        }
        for scheme in IDENTIFIERS {
            assert!(
                RECORD
                    .iter()
                    .any(|field| field.name == *scheme && field.many),
                "{scheme}"
            );
        }
    }

    #[test]
    fn headers_score_by_how_much_of_them_is_the_alias() {
        let owner = RECORD.iter().find(|field| field.name == "owner").unwrap();
        let score = |header: &str| name_score(owner, header, &words(header));
        assert_eq!(score("Eigentümer"), 1.0);
        assert_eq!(score("Business-Owner"), 1.0);
        assert_eq!(score("Ownner"), 0.9);
        assert!(score("former owner") < 0.7);
        assert!(score("Owner (as of today)") < 0.7);
        assert_eq!(score("Remarks"), 0.0);
    }

    #[test]
    fn values_fit_or_do_not() {
        assert_eq!(Shape::Date.fit("never"), 1.0);
        assert_eq!(Shape::Date.fit("Jane"), 0.0);
        assert_eq!(Shape::Account.fit("123456789012"), 1.0);
        assert!(Shape::Text.fit("123456789012") < 0.5);
        assert_eq!(Shape::Scheme("access_key_id").fit("AKIA****ABCD"), 1.0);
    }
}
