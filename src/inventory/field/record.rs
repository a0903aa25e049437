//! The dictionary of the record: every field, and the headers that mean it, in the languages
//! registers are written in.

use super::{
    Field, Shape, is_auth_method, is_direction, is_environment, is_grant_type, is_owner_kind,
    is_review_decision, is_status, is_tier, is_trust_tier, is_type, many, one,
};

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
        "clientid appid applicationid oauthclientid consumerkey appclientid anwendungsid clientkennung idclient idcliente idapplication iddapplication iddelaaplicacion iddeaplicacion idapplicazione iddoaplicativo iddeaplicativo toepassingsid applicatieid oauth2clientid idclientoauth2 iddeclienteoauth2",
    ),
    many(
        "object_id",
        Shape::Id,
        "objectid oid serviceprincipalid principalid objektid entraobjectid idobjet iddobjet iddeobjeto iddoobjeto idobjeto idoggetto idoggetti",
    ),
    many(
        "key_id",
        Shape::Id,
        "keyid privatekeyid keyidentifier schlusselid schlusselkennung secretid secretkeyid kid idcle idcleprivee idclave idchiave idchave sleutelid certid geheimeid geheimnisid iddesecret iddusecret iddesecreto iddelsecreto idsegreto iddosegredo iddecle iddelacle iddeclave iddelaclave iddachave iddechave iddellachiave idchiavesegreta",
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
        "vaultpath vault secretpath storagepath storedat storedin secretstore secretlocation ablageort tresorpfad chemincoffre rutadeboveda vaultpfad cheminvault rutavault percorsovault caminhovault vaultpad",
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
        "principal username iamuser iamusername loginname login serviceuser technicaluser serviceaccount serviceaccountname user benutzername benutzer dienstkonto technischerbenutzer nomdutilisateur utilisateur comptedeservice usuario nombredeusuario cuentadeservicio utente nomeutente nomedeusuario contadeservico gebruiker gebruikersnaam targetsystemusername systemusername samaccountname logonname loginid",
    ),
    many(
        "identifier",
        Shape::Any,
        "identifier identifiers credentialid credentialidentifier uniqueid publicid bezeichner identifiant identificador identificatore identificatie",
    ),
    one(
        "name",
        Shape::Text,
        "name credentialname displayname title label accountname account keyname secretname tokenname appname credential credentials key bezeichnung titel kontoname konto zugang nom nomdelacle libelle intitule compte nombre etiqueta cuenta nome denominazione titolo naam omschrijvingkort anzeigename nomdaffichage nomaffiche nombreparamostrar nombrevisible nomevisualizzato nomedeexibicao nomeexibicao weergavenaam friendlyname commonname clientname apikeyname schlusselname kontobezeichnung nomducompte nomcompte nombredelacuenta nombredecuenta nombredeltoken nombredelaclave nomedaconta nomedachave nomedotoken nomeaccount nomechiave nometoken accountnaam tokennaam sleutelnaam",
    ),
    one(
        "system",
        Shape::Text,
        "system application app service systemname applicationname servicename product workload component usedby usedfor targetsystem target anwendung fachanwendung zielsystem dienst verfahren systeme applicationcible produit sistema aplicacion servicio applicazione servizio aplicacao servico systeem applicatie toepassing dienstnaam project projekt projet proyecto progetto projeto applications",
    ),
    one(
        "provider",
        Shape::Text,
        "provider cloud cloudprovider platform issuer issuedby anbieter plattform fournisseur plateforme proveedor plataforma fornitore piattaforma provedor leverancier aanbieder",
    ),
    one(
        "account",
        Shape::Account,
        "account accountid awsaccount awsaccountid accountnumber accountno tenant tenantid tenantoraccount subscription subscriptionid projectid gcpproject organization organisation org kontonummer mandant konto abonnement idcompte numerodecompte cuenta idcuenta conta idconta contoid verzeichnisid mandantenid iddelannuaire idannuaire iddulocataire locataire iddedirectorio iddeldirectorio inquilino idinquilino iddelladirectory iddirectory directoryid iddodiretorio locatario mapid",
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
        "owner accountowner owneremail ownermail ownername credentialowner keyowner businessowner serviceowner ownedby responsible responsibleperson accountable accountableowner custodian managedby contact ownerid verantwortlich verantwortliche verantwortlicher verantwortlicheperson eigentumer eigentuemer besitzer inhaber ansprechpartner zustandig proprietaire responsable detenteur propietario propietaria dueno titular proprietario proprietaria responsabile responsavel dono eigenaar verantwoordelijke houder applicationowner systemowner resourceowner assetowner appowner owningteam ownerteam responsibleteam pointofcontact steward primaryowner primarycontact productowner",
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
        Shape::LooseWord(is_trust_tier),
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
        "issuedat issued issuedate issuedon created createdat createdon creationdate datecreated createdate startdate validfrom secretstartdate ausgestelltam ausgabedatum erstellt erstelltam erstellungsdatum angelegtam gultigab creele datedecreation datecreation emisle datedemission fechadecreacion creadoel fechadeemision datadicreazione datacreazione creatoil datadecriacao criadoem aanmaakdatum aangemaaktop uitgegevenop creationtime createtime createddatetime startdatetime notbefore erstellungszeit angelegt fechadealta alta dataemissao datadiemissione ingangsdatum begindatum datedebut fechadeinicio datadeinicio datainizio createdtime dateissued createddate",
    ),
    one(
        "expires_at",
        Shape::Date,
        "expiresat expires expiry expirydate expiration expirationdate expireson validuntil validto validtill enddate secretenddate notafter ablauf ablaufdatum lauftabam gultigbis gueltigbis expire expirele datedexpiration dateexpiration datedefin valablejusquau caduca caducidad fechadecaducidad fechadeexpiracion fechadevencimiento vencimiento scadenza datadiscadenza validofinoal vencimento datadeexpiracao validade validoate vervaldatum verlooptop geldigtot einddatum removaldate expiraem verloopt expiretime expirationtime expirationdatetime expirydatetime enddatetime ablaufzeit ablauft lauftab vence venceel fechavencimiento fechaexpiracion expiracao dataexpiracao datadevencimento datascadenza scadeil verloopdatum dateecheance echeance datefinvalidite finvalidite expira",
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
        "lastrotatedat lastrotated lastrotation lastrotationdate rotatedat rotatedon lastchanged passwordlastset letzterotation letzterwechsel zuletztrotiert rotiertam dernierrotation dernierrotationle dernierechange ultimarotacion fechaultimarotacion ultimarotazione ultimarotacao laatsterotatie lastchangeddate lastrotateddate lastpasswordchange lastpasswordchangedate letztepasswortanderung",
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
    one(
        "business_process",
        Shape::Text,
        "businessprocess process geschaftsprozess prozess processusmetier processus procesodenegocio proceso processoaziendale processodenegocio bedrijfsproces",
    ),
    one(
        "apis",
        Shape::Any,
        "apis api apinames endpoint endpoints interface interfaces schnittstelle schnittstellen interfacce interfaz koppelvlak",
    ),
    one(
        "business_application",
        Shape::Text,
        "businessapplication businessservice geschaftsanwendung",
    ),
    one(
        "direction",
        Shape::LooseWord(is_direction),
        "direction flow dataflow richtung sens direccion direzione direcao richting",
    ),
    one(
        "conditions",
        Shape::Any,
        "conditions condition restriction restrictions allowedips iprestrictions ipallowlist ipwhitelist networkrestrictions bedingungen einschrankungen restricciones restrizioni restricoes beperkingen",
    ),
    one(
        "audience",
        Shape::Any,
        "audience aud audiences signinaudience zielgruppe empfanger",
    ),
    one(
        "auth_method",
        Shape::LooseWord(is_auth_method),
        "authmethod authenticationmethod authentication authenticationtype authentifizierung anmeldeverfahren methodedauthentification metodoautenticacion metododeautenticacion metododiautenticazione metododeautenticacao authenticatiemethode",
    ),
    one(
        "store",
        Shape::Any,
        "store secretstore vault storedin storage storagelocation keyvault safe safename secretmanager tresor ablage ablageort gespeichertin coffrefort coffre almacen cajafuerte cassaforte cofre kluis opgeslagenin",
    ),
    one(
        "contract_ref",
        Shape::Any,
        "contractref contract contractnumber contractid agreement dpa vertrag vertragsnummer contrat numerodecontrat contrato numerodecontrato contratto numerocontratto contractnummer",
    ),
    one(
        "contract_end",
        Shape::Date,
        "contractend contractenddate contractexpiry contractexpires vertragsende vertragslaufzeit findecontrat dateefincontrat findecontrato finecontratto fimdocontrato einddatumcontract",
    ),
    one("split", Shape::Any, "split ownershipsplit splitownership"),
    one(
        "issued_by_event",
        Shape::Any,
        "issuedbyevent issuanceref issuanceticket createdbyevent",
    ),
    one(
        "rotation_evidence",
        Shape::Any,
        "rotationevidence rotationproof rotationref rotationticket rotationsnachweis preuvederotation",
    ),
    one(
        "review_decision",
        Shape::Word(is_review_decision),
        "reviewdecision reviewresult decision reviewoutcome recertificationdecision attestation entscheidung prufergebnis decisiondelarevue decisionderevision esitorevisione decisaodarevisao beoordeling",
    ),
    one(
        "review_ref",
        Shape::Any,
        "reviewref reviewticket reviewevidence campaign prufnachweis",
    ),
    one(
        "need_signal",
        Shape::Any,
        "needsignal lastlogon lastlogin lastused lastuse lastusedon lastuseddate lastuseddatetime lastactivity lastsignin lastaccess lastaccessed lastaccesseddate lastlogondate letzteanmeldung zuletztverwendet letztenutzung derniereconnexion derniereutilisation ultimoacceso ultimouso ultimoutilizzo ultimoacesso laatstgebruikt laatsteaanmelding",
    ),
    one(
        "revocation_drill_at",
        Shape::Date,
        "revocationdrillat revocationdrill lastrevocationtest revocationtested sperrtestam",
    ),
    one(
        "revocation_evidence",
        Shape::Any,
        "revocationevidence revocationproof revocationticket revocationref sperrnachweis widerrufsnachweis preuvederevocation",
    ),
    one(
        "grant_type",
        Shape::LooseWord(is_grant_type),
        "granttype grant standing accessgrant berechtigungsart",
    ),
    one(
        "exception_ref",
        Shape::Any,
        "exceptionref exception exceptionid waiver waiverid riskacceptance riskacceptanceid ausnahmeantrag ausnahmegenehmigung derogation excepcion eccezione excecao uitzondering",
    ),
    one(
        "log_source",
        Shape::Any,
        "logsource log logging auditlog logs siem protokoll protokollierung journal journalisation registrodeauditoria",
    ),
    one(
        "evidence",
        Shape::Any,
        "evidence proof evidences nachweis nachweise belege preuve preuves evidencia evidencias prove evidenze bewijs bewijsstukken",
    ),
    one(
        "creator",
        Shape::Person,
        "creator createdby createdbyuser creatorname creatorid ersteller erstelltvon angelegtvon createur creepar creador creadopor creatore creatoda criador criadopor aangemaaktdoor",
    ),
    one(
        "delegate",
        Shape::Person,
        "delegate deputy backupowner secondaryowner backup coowner stellvertreter stellvertretung vertreter suppleant adjoint suplente vice sostituto substituto plaatsvervanger",
    ),
    one(
        "gateway_owner",
        Shape::Person,
        "gatewayowner apigatewayowner",
    ),
    one(
        "idp_owner",
        Shape::Person,
        "idpowner identityowner identityproviderowner",
    ),
    one(
        "runtime_owner",
        Shape::Person,
        "runtimeowner technicalowner technicalcontact technicalresponsible systemadministrator administrator platformowner technischerverantwortlicher technischeransprechpartner systemverantwortlicher responsabletechnique contacttechnique responsabletecnico contactotecnico referentetecnico responsaveltecnico technischeeigenaar technischcontact",
    ),
    one(
        "rotator",
        Shape::Person,
        "rotator rotatedby rotationowner rotiertvon",
    ),
    one(
        "log_reviewer",
        Shape::Person,
        "logreviewer logsreviewedby protokollprufer",
    ),
    one(
        "revoker",
        Shape::Person,
        "revocationowner whorevokes sperrberechtigter",
    ),
    one(
        "decommissioner",
        Shape::Person,
        "decommissioner decommissionedby",
    ),
    one(
        "business_sponsor",
        Shape::Person,
        "businesssponsor sponsor executivesponsor sponsormetier patrocinador",
    ),
    one(
        "policy_owner",
        Shape::Person,
        "policyowner richtlinienverantwortlicher",
    ),
    one(
        "reviewer",
        Shape::Person,
        "reviewer reviewedby lastreviewedby certifier recertifiedby attestedby prufer gepruftvon reviseur revupar revisor revisadopor revisore revisionatoda beoordelaar beoordeelddoor",
    ),
];
