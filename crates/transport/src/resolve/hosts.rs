//! The hosts file: names that are known without asking anybody.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::Path;

/// Names and their addresses, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts {
    names: HashMap<Box<str>, Vec<IpAddr>>,
}

impl Hosts {
    /// Reads a hosts file such as `/etc/hosts`; at the start only.
    pub fn read(path: &Path) -> io::Result<Self> {
        Ok(Self::parse(&String::from_utf8_lossy(&fs::read(path)?)))
    }

    /// Reads the text of a hosts file. Lines that make no sense are passed over, as everywhere.
    pub fn parse(text: &str) -> Self {
        let mut names: HashMap<Box<str>, Vec<IpAddr>> = HashMap::new();
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line.split_ascii_whitespace();
            let Some(Ok(address)) = words.next().map(str::parse) else {
                continue;
            };
            for name in words {
                let addresses = names.entry(name.to_ascii_lowercase().into()).or_default();
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
        }
        Self { names }
    }

    /// The addresses of a name, in any case.
    pub fn get(&self, name: &str) -> Option<&[IpAddr]> {
        if self.names.is_empty() {
            return None;
        }
        let found = if name.bytes().any(|b| b.is_ascii_uppercase()) {
            self.names.get(name.to_ascii_lowercase().as_str())
        } else {
            self.names.get(name)
        };
        found.map(Vec::as_slice)
    }

    /// The names of an address, in order of the alphabet.
    pub fn names_of(&self, address: IpAddr) -> Vec<&str> {
        let named = self.names.iter().filter(|(_, all)| all.contains(&address));
        let mut names: Vec<&str> = named.map(|(name, _)| &name[..]).collect();
        names.sort_unstable();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hosts_file_is_read() {
        let hosts = Hosts::parse(
            "# comment\n127.0.0.1 localhost Proxy # trailing\n::1\tlocalhost\nnonsense here\n",
        );
        let localhost: Vec<IpAddr> = vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()];
        assert_eq!(hosts.get("LocalHost"), Some(&localhost[..]));
        assert_eq!(hosts.get("proxy"), Some(&localhost[..1]));
        assert_eq!(hosts.get("here"), None);
        assert_eq!(hosts.names_of(localhost[0]), ["localhost", "proxy"]);
    }
}
