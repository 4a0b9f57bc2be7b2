//! The parts of a realm, removed in an order in which a removal that was cut short can be done again.

use base::names::RealmName;
use serde_json::Value;

use super::super::{ProviderName, SsoError};
use super::api::segment;
use super::make::scope_name;
use super::{Authentik, is_marked};

impl Authentik {
    /// Removes the application, then what it is made of, the users, and last the group that says that all
    /// of it is cc-ci's.
    pub(super) async fn remove(&self, realm: &RealmName) -> Result<(), SsoError> {
        let asked = format!("remove realm {realm}");
        let Some(group) = self.marked_group(&asked, realm).await? else { return Ok(()) };
        self.api.remove(&asked, &format!("/core/applications/{realm}/")).await?;
        for (list, name) in
            [("/providers/oauth2/", realm.to_string()), ("/propertymappings/provider/scope/", scope_name(realm))]
        {
            if let Some(object) = self.api.named(&asked, list, "name", &name).await? {
                let key = segment(self.api.key(&asked, list, &object)?);
                self.api.remove(&asked, &format!("{list}{key}/")).await?;
            }
        }
        let users = self.api.list(&asked, &format!("/core/users/?groups_by_name={realm}")).await?;
        // A person who joined the group stays.
        for user in users.iter().filter(|user| is_marked(user, realm)) {
            let key = segment(self.api.key(&asked, "/core/users/", user)?);
            self.api.remove(&asked, &format!("/core/users/{key}/")).await?;
        }
        let key = segment(self.api.key(&asked, "/core/groups/", &group)?);
        self.api.remove(&asked, &format!("/core/groups/{key}/")).await
    }

    /// The group of the realm; none where nothing of the realm is there.
    async fn marked_group(&self, asked: &str, realm: &RealmName) -> Result<Option<Value>, SsoError> {
        let not_ours = |said: &str| {
            let (provider, realm) = (ProviderName::Authentik, realm.clone());
            Err(SsoError::NotOurs { provider, realm, said: said.to_owned() })
        };
        match self.api.named(asked, "/core/groups/", "name", realm.as_str()).await? {
            Some(group) if is_marked(&group, realm) => Ok(Some(group)),
            Some(_) => not_ours("its group lacks cc-ci's attribute"),
            None if self.api.find(asked, &format!("/core/applications/{realm}/")).await?.is_some() => {
                not_ours("its application has no group of cc-ci's")
            }
            None => Ok(None),
        }
    }
}
