/// How a test in Rust ended, as the program that ran it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The app is as the test wants it.
    Green,
    /// It is not.
    Red,
    /// The test cannot run.
    Broken,
}

impl Verdict {
    /// The exit code of a program that ran one test.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Green => 0,
            Self::Red => 1,
            Self::Broken => 2,
        }
    }

    /// What the exit code of such a program says; none for a code that it never gives.
    pub fn of_exit(code: i32) -> Option<Self> {
        [Self::Green, Self::Red, Self::Broken].into_iter().find(|verdict| i32::from(verdict.exit_code()) == code)
    }
}
