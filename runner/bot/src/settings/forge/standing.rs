//! Checks of the forge: its version, what that lacks, and whose account the token is. `cc-ci doctor` shows it, and
//! `cc-ci serve` logs it at the start. The texts are pure.

use forge::api::{Account, ForgeError, ForgeRelease, Gitea};

/// Severity, worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Degree {
    Fine,
    /// It works, with the limit that `what` describes.
    Limited,
    /// The bot cannot answer.
    Unusable,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForgeStanding {
    pub degree: Degree,
    /// One line.
    pub what: String,
    /// What to do about it; empty if nothing.
    pub mend: &'static str,
}

/// Queries the forge's version.
///
/// # Errors
/// The forge is unreachable.
pub async fn version(forge: &Gitea) -> Result<ForgeStanding, ForgeError> {
    Ok(of_release(&forge.release().await?))
}

/// Queries the account of the token.
///
/// # Errors
/// The forge is unreachable, or does not know the token.
pub async fn token(forge: &Gitea) -> Result<ForgeStanding, ForgeError> {
    Ok(of_account(&forge.account().await?))
}

fn of_release(release: &ForgeRelease) -> ForgeStanding {
    let degree = match release {
        ForgeRelease::Neither { .. } => Degree::Unusable,
        ForgeRelease::Untold { .. } => Degree::Limited,
        ForgeRelease::Gitea(_) | ForgeRelease::Forgejo(_) => {
            let worst = release.lacks().iter().map(|feature| feature.is_needed).max();
            worst.map_or(Degree::Fine, |is_needed| if is_needed { Degree::Unusable } else { Degree::Limited })
        }
    };
    let lacks: Vec<String> =
        release.lacks().iter().map(|feature| format!("{}: {}", feature.what, feature.without)).collect();
    let (what, mend) = match release {
        ForgeRelease::Neither { .. } => {
            (format!("{release}; cc-ci supports only these two"), "CCCI_FORGE_URL: the forge's own address")
        }
        ForgeRelease::Untold { .. } => {
            (format!("{release}; missing features show when they are used"), "a Gitea or Forgejo that reports it")
        }
        _ if lacks.is_empty() => (format!("{release}, which lacks nothing that cc-ci uses"), ""),
        _ => (format!("{release} lacks {}", lacks.join("; and ")), "update the forge; docs/reference.md has the table"),
    };
    ForgeStanding { degree, what, mend }
}

fn of_account(account: &Account) -> ForgeStanding {
    let login = &account.login;
    if account.signs.is_empty() {
        let what = format!("nothing speaks for it that {login} is a person");
        return ForgeStanding { degree: Degree::Fine, what, mend: "" };
    }
    let what = format!(
        "the token belongs to {login}, who {}: a person's account, it seems. Answers and statuses stand under that name; \
         what {login} writes is a command as any member's is, and answers are told apart by their first line; who has \
         the token may do what {login} may",
        account.signs.join(", ")
    );
    ForgeStanding {
        degree: Degree::Limited,
        what,
        mend: "an account of the bot's own, in no team but its one: docs/operate.md, line 11",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forge_is_told_with_what_it_lacks() {
        let of = |told: &str| of_release(&ForgeRelease::of(told, false));
        assert_eq!(of("1.26.0").degree, Degree::Fine);
        let old = of("1.19.4");
        assert_eq!(old.degree, Degree::Limited);
        assert!(old.what.starts_with("Gitea 1.19.4 lacks tokens with a scope"), "{}", old.what);
        assert!(old.what.contains("SHA-256"), "{}", old.what);
        assert_eq!(of("1.15.0").degree, Degree::Unusable);
        assert_eq!(of("7.0.0+gitea-1.22.0").what, "Forgejo 7.0.0, which lacks nothing that cc-ci uses");
        let untold = of("development");
        assert!(untold.degree == Degree::Limited && untold.what.contains("does not report its version"), "{untold:?}");
        let other = of_release(&ForgeRelease::Neither { why: "/api/v1/version is answered by 404".to_owned() });
        assert!(other.degree == Degree::Unusable && other.what.contains("neither a Gitea nor a Forgejo"), "{other:?}");
    }

    #[test]
    fn a_persons_token_is_told_with_what_follows() {
        let of = |signs: &[&'static str]| of_account(&Account { login: "ada".parse().unwrap(), signs: signs.to_vec() });
        assert_eq!(of(&[]).degree, Degree::Fine);
        let person = of(&["administers the forge", "has SSH keys"]);
        assert_eq!(person.degree, Degree::Limited);
        assert!(
            person.what.contains("belongs to ada, who administers the forge, has SSH keys: a person's"),
            "{person:?}"
        );
        assert!(person.mend.contains("line 11"));
    }
}
