//! Administrator access to a login provider that a run deployed.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use base::failure::{Failure, Kind};
use base::names::StackName;
use coopcloud::envfile::EnvFile;
use harness::sso::{Admin, AnyProvider, ProviderName};
use http_client::Http;
use secrecy::SecretString;
use swarm::Swarm;

/// Timeout of reading a secret from a container.
const READING: Duration = Duration::from_secs(20);

#[derive(Debug, Clone)]
pub struct ProviderAddress {
    pub name: ProviderName,
    pub stack: StackName,
    /// Without a slash at the end.
    pub url: String,
    /// Its app's env file; it may be on another machine.
    pub env_file: PathBuf,
}

impl ProviderAddress {
    /// The administrator's name from the app's settings, and the secret from the container that has it: cc-ci stores no
    /// copy.
    ///
    /// # Errors
    /// The container is not on this node, or has no such secret.
    pub async fn admin(&self, swarm: &Swarm) -> Result<Admin, Failure> {
        let facts = self.name.admin_facts();
        let vars = EnvFile::parse(&std::fs::read_to_string(&self.env_file).unwrap_or_default()).vars();
        let user = facts.user_variable.and_then(|variable| vars.get(variable)).filter(|user| !user.is_empty());
        let user = user.cloned().unwrap_or_else(|| facts.user_default.to_owned());
        let secret = self.secret(swarm, facts.service, facts.secret).await?;
        Ok(Admin { user, secret })
    }

    /// Logs in.
    ///
    /// # Errors
    /// The provider does not answer, or refuses.
    pub async fn connect(&self, http: &Http, admin: Admin) -> Result<AnyProvider, Failure> {
        Ok(AnyProvider::connect(self.name, http.clone(), &self.url, admin).await?)
    }

    async fn secret(&self, swarm: &Swarm, service: &str, secret: &str) -> Result<SecretString, Failure> {
        let unreadable = |why: String| {
            Failure::new(
                Kind::ProviderRefused,
                format!("the administrator's secret {secret} of {} cannot be read: {why}", self.name),
                format!("the secrets of service {service} in the recipe of {}", self.name),
            )
        };
        let container = swarm.local_container(&self.stack, service).await?;
        let container =
            container.ok_or_else(|| unreadable(format!("service {service} has no container on this node")))?;
        let argv = ["cat".to_owned(), format!("/run/secrets/{secret}")];
        let said = swarm.exec(&container, &argv, &[], Instant::now() + READING).await?;
        let value = said.output.trim_end_matches(['\r', '\n']);
        if said.exit != 0 || value.is_empty() {
            return Err(unreadable(format!("it has no /run/secrets/{secret}")));
        }
        Ok(SecretString::from(value.to_owned()))
    }
}
