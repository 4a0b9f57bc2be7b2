/// Why a request to a forge failed. No error contains a token or a long text of the forge.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForgeError {
    /// It is down, unreachable, or too busy. The request may have been carried out.
    #[error("{asked}: no answer ({why}); it is retried later. Check that the forge is up and its address right")]
    Unreachable {
        /// The request, without parts that may be secret.
        asked: String,
        why: String,
    },
    /// It does not know the token.
    #[error(
        "{asked}: the forge does not know the bot's token; create one for the bot and write it to the token's file"
    )]
    Token { asked: String },
    /// It refuses the request to the bot.
    #[error("{asked}: refused with {status} ({hint})")]
    Refused {
        asked: String,
        /// The response's status.
        status: u16,
        /// What to do about it.
        hint: &'static str,
    },
    /// Its response is malformed.
    #[error("{asked}: {why}; check that this is the address of a supported forge and release")]
    Wrong { asked: String, why: String },
}

impl ForgeError {
    /// Whether a retry may succeed.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    /// Whether the cause is the bot or the forge rather than the request, so that other requests fail as well.
    pub fn is_for_all(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Token { .. })
    }
}
