//! The folders of a recipe whose files are tests.

/// Each runs in the stage of its name (`browser` in functional, `reconfigure` in faults).
pub const FOLDERS: [&str; 6] = ["install", "upgrade", "backup", "functional", "browser", "reconfigure"];
