//! From the paths of a command line to the files they stand for.

use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

/// Who brought a file in: whether an unsupported one counts as a failure depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The user named it.
    Named,
    /// It was met inside a directory the user named.
    Met,
}

/// One file to analyse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Path as given, or the given directory joined with the way to the file.
    pub path: PathBuf,
    /// Who brought it in.
    pub origin: Origin,
    /// Why it cannot be reached, when collecting already found that out.
    pub unreachable: Option<String>,
}

impl Input {
    fn new(path: PathBuf, origin: Origin) -> Self {
        Self { path, origin, unreachable: None }
    }

    /// The path as the report spells it.
    #[must_use]
    pub fn name(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }
}

/// The files that `paths` stand for, in order: a file for itself, a directory for everything
/// below it, sorted by name at every level.
///
/// Nothing is dropped silently: a path that does not exist stays in the list for [`crate::run`]
/// to report, and so does a directory that cannot be listed. Inside directories, symbolic links
/// to files are followed and those to directories are not, which keeps cycles out.
#[must_use]
pub fn collect(paths: &[PathBuf]) -> Vec<Input> {
    let mut inputs = Vec::new();
    for path in paths {
        if path.is_dir() {
            collect_directory(path, &mut inputs);
        } else {
            inputs.push(Input::new(path.clone(), Origin::Named));
        }
    }
    inputs
}

fn collect_directory(directory: &Path, inputs: &mut Vec<Input>) {
    for entry in WalkDir::new(directory).sort_by_file_name() {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {}
            Ok(entry) if entry.file_type().is_symlink() && leads_to_directory(entry.path()) => {}
            Ok(entry) => inputs.push(Input::new(entry.into_path(), Origin::Met)),
            Err(error) => inputs.push(Input {
                path: error.path().unwrap_or(directory).to_owned(),
                origin: Origin::Met,
                unreachable: Some(reason(&error)),
            }),
        }
    }
}

fn leads_to_directory(link: &Path) -> bool {
    fs::metadata(link).is_ok_and(|target| target.is_dir())
}

fn reason(error: &walkdir::Error) -> String {
    error.io_error().map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names(inputs: &[Input], root: &Path) -> Vec<String> {
        inputs
            .iter()
            .map(|input| input.path.strip_prefix(root).unwrap().to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn directories_are_walked_in_sorted_order_and_named_paths_keep_theirs() {
        let root = tempfile::tempdir().unwrap();
        for file in ["d/z", "d/b/2", "d/b/10", "d/a", "named"] {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        let at = |name: &str| root.path().join(name);
        let inputs = collect(&[at("named"), at("d"), at("absent")]);
        assert_eq!(
            names(&inputs, root.path()),
            ["named", "d/a", "d/b/10", "d/b/2", "d/z", "absent"]
        );
        let origins: Vec<_> = inputs.iter().map(|input| input.origin).collect();
        let (named, met) = (Origin::Named, Origin::Met);
        assert_eq!(origins, [named, met, met, met, met, named]);
    }

    #[cfg(unix)]
    #[test]
    fn links_to_files_are_followed_and_cycles_are_not() {
        use std::os::unix::fs::symlink;
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("file"), "x").unwrap();
        symlink(root.path().join("file"), root.path().join("link")).unwrap();
        symlink(root.path(), root.path().join("cycle")).unwrap();
        symlink(root.path().join("gone"), root.path().join("dangling")).unwrap();
        let inputs = collect(&[root.path().to_owned()]);
        assert_eq!(names(&inputs, root.path()), ["dangling", "file", "link"]);
    }

    #[test]
    fn an_empty_directory_gives_nothing() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(collect(&[root.path().to_owned()]), []);
    }
}
