//! A small disk of a test's own, which can be full.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::peers;
use super::process::run;

/// A mounted disk; it goes away with this.
pub struct Tmpfs(PathBuf);

impl Tmpfs {
    /// Mounts a disk of so many kilobytes; `None` has been said.
    pub fn mount(at: PathBuf, kilobytes: u32) -> Option<Self> {
        fs::create_dir_all(&at).expect("the temporary directory can be written");
        let mut mount = Command::new(peers::require("mount")?);
        mount.args(["-t", "tmpfs", "-o", &format!("size={kilobytes}k"), "tmpfs"]);
        let (success, said) = run(mount.arg(&at), Duration::from_secs(10));
        if !success {
            let why = format!("no disk can be mounted: {}", said.trim());
            peers::skip("TANDEM_TEST_DISKS", &why);
            return None;
        }
        Some(Self(at))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }

    /// Leaves no room on it.
    pub fn fill(&self) {
        let mut file = File::create(self.ballast()).expect("a file can be made");
        let mut length = 1 << 20;
        while length > 0 {
            if file.write_all(&vec![0; length]).is_err() {
                length /= 2;
            }
        }
    }

    /// Makes room again.
    pub fn free(&self) {
        fs::remove_file(self.ballast()).expect("it is full");
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // Somebody may still be there when a test fails.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
