//! Docker Compose: services, the secrets they mount, the variables they take from where they
//! are started, the files of variables they read.
//! Source: docs.docker.com/reference/compose-file

use keymuster_api::{ConsumerKind, store};

use crate::{
    file::{File, Found, Says as _},
    shell,
    yaml::Yaml,
};

/// Reads a Compose file.
pub(crate) fn read(file: &File<'_>, root: Yaml<'_>, out: &mut Found) {
    let Some(services) = root.get("services").filter(|services| services.is_map()) else {
        return;
    };
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let here = format!("{}/{folder}", file.tree);
    for (name, service) in services.entries() {
        let Some(id) = name.text() else { continue };
        let lines = (name.line(), service.end());
        let mut consumer = file.consumer(ConsumerKind::Service, "compose", id, lines);
        let by = consumer.key.clone();
        for secret in service.get("secrets").into_iter().flat_map(Yaml::items) {
            let source = secret.text().or_else(|| secret.get_text("source"));
            if let Some(source) = source {
                let how = ("mounts", secret.line());
                let use_ = file.named(&by, store::COMPOSE_SECRET, source, how);
                let scopes = vec![format!("compose:{here}")];
                out.uses.push(use_.within(scopes).certain());
                if let Some(path) = root
                    .get("secrets")
                    .and_then(|all| all.get(source)?.get_text("file"))
                {
                    let property = ("reads-file".to_owned(), join(folder, path));
                    consumer.properties.push(property);
                }
            }
        }
        for env_file in service
            .get("env_file")
            .map(Yaml::items_or_self)
            .unwrap_or_default()
        {
            if let Some(path) = env_file.text().or_else(|| env_file.get_text("path")) {
                let property = ("reads-file".to_owned(), join(folder, path));
                consumer.properties.push(property);
            }
        }
        service.walk(&mut |key, scalar| {
            for (variable, below) in shell::variables(scalar.text().unwrap_or("")) {
                let how = format!("takes it from where it is started ({key})");
                let place = (how.as_str(), scalar.line() + below);
                let use_ = file.named(&by, store::ENVIRONMENT, variable, place);
                out.uses
                    .push(use_.within(vec![format!("environment:{here}")]));
            }
        });
        // A variable without a value is taken from there too.
        let environment = service.get("environment");
        for item in environment.into_iter().flat_map(Yaml::items) {
            if let Some(name) = item.text().filter(|text| !text.contains('=')) {
                let place = ("takes it from where it is started", item.line());
                let use_ = file.named(&by, store::ENVIRONMENT, name, place);
                out.uses
                    .push(use_.within(vec![format!("environment:{here}")]));
            }
        }
        consumer.properties.sort();
        consumer.properties.dedup();
        out.consumers.push(consumer);
    }
}

/// A path below a folder, without `.` and `..`.
fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
