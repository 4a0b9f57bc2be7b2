use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use base::failure::Failure;

use super::NewFile;

/// Writes a file of a recipe's folder.
pub fn write(folder: &Path, file: &NewFile) -> Result<(), Failure> {
    let path = folder.join(&file.path);
    let parent = path.parent().unwrap_or(folder);
    std::fs::create_dir_all(parent).map_err(|error| Failure::disk("make", parent, &error))?;
    std::fs::write(&path, &file.text).map_err(|error| Failure::disk("write", &path, &error))?;
    let mode = if file.executable { 0o755 } else { 0o644 };
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))
        .map_err(|error| Failure::disk("change the rights of", &path, &error))
}
