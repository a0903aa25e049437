//! The dictionary of the people directory.

use super::{Field, Shape, is_person_status, many, one};

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
    many(
        "teams",
        Shape::Any,
        "teams groups memberof memberships groupmemberships gruppen groupes grupos gruppi groepen",
    ),
    one("team_id", Shape::Id, "teamid groupid"),
    one("team_name", Shape::Text, "teamname groupname"),
    one(
        "team_mail",
        Shape::Mail,
        "teammail teamemail groupmail groupemail",
    ),
    one(
        "members",
        Shape::Any,
        "members groupmembers mitglieder membres miembros membri membros leden",
    ),
];
