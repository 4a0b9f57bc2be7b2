/// Why a forge did not do what it was asked. No error holds a token or what a forge said at length.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForgeError {
    /// It is down, out of reach, or too busy. What was asked may have been done.
    #[error("{asked}: no answer ({why}); it is asked again later. Is the forge up, and is its address right?")]
    Unreachable {
        /// What was asked, without what may be secret.
        asked: String,
        /// Why.
        why: String,
    },
    /// It does not know the token.
    #[error("{asked}: the forge does not know the bot's token; make one for the bot and put it into the token's file")]
    Token {
        /// What was asked.
        asked: String,
    },
    /// It knows the bot and says no.
    #[error("{asked}: refused with {status} ({hint})")]
    Refused {
        /// What was asked.
        asked: String,
        /// The status of the answer.
        status: u16,
        /// What to do about it.
        hint: &'static str,
    },
    /// It answered what it should not.
    #[error("{asked}: {why}; is this the address of a forge of the right kind and release?")]
    Wrong {
        /// What was asked.
        asked: String,
        /// What is wrong with the answer.
        why: String,
    },
}

impl ForgeError {
    /// Whether it is over by itself, if one waits.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    /// Whether it is about the bot or the forge and not about what was asked for, so that asking for
    /// something else has the same end.
    pub fn is_for_all(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Token { .. })
    }
}
