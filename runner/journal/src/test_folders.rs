//! The folders of a recipe whose files are tests.

/// Each runs in the stage of their name (`browser` in functional's, `reconfigure` in faults').
pub const FOLDERS: [&str; 6] = ["install", "upgrade", "backup", "functional", "browser", "reconfigure"];
