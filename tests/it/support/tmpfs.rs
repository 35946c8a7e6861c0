//! A small disk of a test's own, which can be full.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::peers;
use super::process::run;

/// Between two looks whether somebody has made room on a full disk.
const LOOK: Duration = Duration::from_millis(2);

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

    /// Does something while there is no room on it. A database makes room itself, by ending a log, say: that is taken too.
    pub fn while_full(&self, work: impl FnOnce()) {
        let ballast = self.0.join("ballast");
        let mut file = File::create(&ballast).expect("a file can be made");
        fill(&mut file, 1 << 20);
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    thread::sleep(LOOK);
                    fill(&mut file, 1 << 12);
                }
            });
            let over = Over(&is_over);
            work();
            drop(over);
        });
        fs::remove_file(ballast).expect("it is full");
    }
}

/// Ends the filling, also when the work panics.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn fill(file: &mut File, mut piece: usize) {
    while piece > 0 {
        if file.write_all(&vec![0; piece]).is_err() {
            piece /= 2;
        }
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // Somebody may still be there when a test fails.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
