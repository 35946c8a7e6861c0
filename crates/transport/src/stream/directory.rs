//! Which connections there are, and which of them leads to a peer.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use sip::{ConnectionId, Hop, Transport};

use super::pool::ConnectionInfo;

/// Most aliases of one connection.
const ALIASES_MAX: usize = 12;

/// A peer as it is looked for.
type Peer = (Transport, SocketAddr);

/// Touched when a connection begins or ends, and when one is looked for by its peer.
#[derive(Debug, Default)]
pub(super) struct Directory {
    by_peer: HashMap<Peer, Way>,
    all: HashMap<ConnectionId, ConnectionInfo>,
    /// How many each address has opened; kept only where that is limited.
    by_address: HashMap<IpAddr, u64>,
    /// The other peers' addresses that a connection also leads to.
    aliases: HashMap<ConnectionId, Vec<Peer>>,
}

/// The connection that leads to a peer.
#[derive(Clone, Copy, Debug)]
struct Way {
    id: ConnectionId,
    /// The connection with this very peer, which an alias took the place of.
    covered: Option<ConnectionId>,
    is_alias: bool,
}

impl Way {
    const fn own(id: ConnectionId) -> Self {
        Self {
            id,
            covered: None,
            is_alias: false,
        }
    }
}

/// Why a connection gets no further alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AliasRefused {
    /// It is gone.
    #[error("the connection is gone")]
    Gone,
    /// It has too many already.
    #[error("the connection has {ALIASES_MAX} aliases already")]
    TooMany,
}

impl Directory {
    pub(super) fn find(&self, transport: Transport, remote: SocketAddr) -> Option<ConnectionId> {
        self.by_peer.get(&(transport, remote)).map(|way| way.id)
    }

    pub(super) fn contains(&self, id: ConnectionId) -> bool {
        self.all.contains_key(&id)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = ConnectionInfo> {
        self.all.values().copied()
    }

    /// Enters a connection that was accepted. A second one to the same peer (from another address of ours) is
    /// known only by its id; an alias that somebody else claimed gives way. False if its address has `limit`
    /// already, where 0 is no limit.
    pub(super) fn enter(&mut self, id: ConnectionId, info: ConnectionInfo, limit: u64) -> bool {
        if limit > 0 {
            let count = self.by_address.entry(info.hop.remote.ip()).or_default();
            if *count >= limit {
                return false;
            }
            *count += 1;
        }
        let way = self.by_peer.entry(peer(&info.hop)).or_insert(Way::own(id));
        if way.is_alias {
            *way = Way::own(id);
        }
        self.all.insert(id, info);
        true
    }

    /// Enters a connection that is about to be opened, unless there is one: then that.
    pub(super) fn enter_or_find(
        &mut self,
        id: ConnectionId,
        info: ConnectionInfo,
    ) -> Option<ConnectionId> {
        let found = self
            .by_peer
            .entry(peer(&info.hop))
            .or_insert(Way::own(id))
            .id;
        if found != id {
            return Some(found);
        }
        self.all.insert(id, info);
        None
    }

    /// Lets a connection also lead to another port of its peer's host; the last to claim one has it.
    pub(super) fn add_alias(&mut self, id: ConnectionId, port: u16) -> Result<(), AliasRefused> {
        let info = self.all.get(&id).ok_or(AliasRefused::Gone)?;
        let remote = info.hop.remote;
        let alias = (info.hop.transport, SocketAddr::new(remote.ip(), port));
        if self.by_peer.get(&alias).is_some_and(|way| way.id == id) {
            return Ok(());
        }
        let own = self.aliases.entry(id).or_default();
        if !own.contains(&alias) {
            if own.len() >= ALIASES_MAX {
                return Err(AliasRefused::TooMany);
            }
            own.push(alias);
        }
        let covered = self.by_peer.get(&alias).and_then(|way| match way.is_alias {
            true => way.covered,
            false => Some(way.id),
        });
        let way = Way {
            id,
            covered,
            is_alias: true,
        };
        self.by_peer.insert(alias, way);
        Ok(())
    }

    /// Lets nobody find a connection by its peer any more.
    pub(super) fn retire(&mut self, id: ConnectionId, hop: &Hop) {
        let aliases = self.aliases.remove(&id).unwrap_or_default();
        for peer in aliases.into_iter().chain([peer(hop)]) {
            let Some(way) = self.by_peer.get_mut(&peer).filter(|way| way.id == id) else {
                continue;
            };
            match way.covered.filter(|covered| self.all.contains_key(covered)) {
                Some(covered) => *way = Way::own(covered),
                None => drop(self.by_peer.remove(&peer)),
            }
        }
    }

    /// Takes a connection out.
    pub(super) fn leave(&mut self, id: ConnectionId, hop: &Hop) {
        self.retire(id, hop);
        let known = self.all.remove(&id);
        if known.is_some_and(|info| !info.outgoing) {
            self.one_less(hop.remote.ip());
        }
    }

    /// A connection that this address had opened is gone.
    fn one_less(&mut self, address: IpAddr) {
        if let Some(count) = self.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&address);
            }
        }
    }
}

const fn peer(hop: &Hop) -> Peer {
    (hop.transport, hop.remote)
}

#[cfg(test)]
mod tests {
    use sip::{SocketId, StreamUse};

    use super::*;

    fn info(id: u64, port: u16) -> (ConnectionId, ConnectionInfo) {
        let id = ConnectionId(id);
        let hop = Hop {
            transport: Transport::Tcp,
            socket: SocketId(0),
            remote: SocketAddr::from(([10, 0, 0, 9], port)),
            connection: Some(id),
            stream: StreamUse::default(),
        };
        let outgoing = false;
        (id, ConnectionInfo { hop, outgoing })
    }

    fn enter(directory: &mut Directory, id: u64, port: u16) -> ConnectionId {
        let (id, info) = info(id, port);
        assert!(directory.enter(id, info, 0));
        id
    }

    fn found(directory: &Directory, port: u16) -> Option<u64> {
        let remote = SocketAddr::from(([10, 0, 0, 9], port));
        directory.find(Transport::Tcp, remote).map(|id| id.0)
    }

    #[test]
    fn the_last_to_claim_an_alias_has_it_until_it_leaves() {
        let mut directory = Directory::default();
        let first = enter(&mut directory, 1, 40_001);
        let second = enter(&mut directory, 2, 40_002);
        directory.add_alias(first, 5060).expect("room");
        assert_eq!(found(&directory, 5060), Some(1));
        directory.add_alias(second, 5060).expect("room");
        assert_eq!(found(&directory, 5060), Some(2));
        directory.leave(first, &info(1, 40_001).1.hop);
        assert_eq!(found(&directory, 5060), Some(2));
        directory.leave(second, &info(2, 40_002).1.hop);
        assert_eq!(found(&directory, 5060), None);
    }

    #[test]
    fn an_alias_covers_a_connection_and_uncovers_it_when_it_ends() {
        let mut directory = Directory::default();
        enter(&mut directory, 1, 5060);
        let second = enter(&mut directory, 2, 40_002);
        directory.add_alias(second, 5060).expect("room");
        assert_eq!(found(&directory, 5060), Some(2));
        directory.leave(second, &info(2, 40_002).1.hop);
        assert_eq!(found(&directory, 5060), Some(1));
    }

    #[test]
    fn a_later_connection_of_the_peer_itself_takes_its_address_back() {
        let mut directory = Directory::default();
        let first = enter(&mut directory, 1, 40_001);
        directory.add_alias(first, 5060).expect("room");
        enter(&mut directory, 2, 5060);
        assert_eq!(found(&directory, 5060), Some(2));
        directory.leave(first, &info(1, 40_001).1.hop);
        assert_eq!(found(&directory, 5060), Some(2));
    }

    #[test]
    fn a_connection_has_so_many_aliases_and_no_more() {
        let mut directory = Directory::default();
        let first = enter(&mut directory, 1, 40_001);
        let mut ports = 1..=ALIASES_MAX as u16;
        assert!(ports.all(|port| directory.add_alias(first, port).is_ok()));
        assert_eq!(directory.add_alias(first, 1), Ok(()));
        assert_eq!(directory.add_alias(first, 40_001), Ok(()));
        assert_eq!(directory.add_alias(first, 99), Err(AliasRefused::TooMany));
        assert_eq!(
            directory.add_alias(ConnectionId(7), 99),
            Err(AliasRefused::Gone)
        );
    }

    #[test]
    fn nobody_finds_a_connection_that_is_about_to_end() {
        let mut directory = Directory::default();
        let first = enter(&mut directory, 1, 40_001);
        directory.add_alias(first, 5060).expect("room");
        directory.retire(first, &info(1, 40_001).1.hop);
        assert_eq!(
            (found(&directory, 40_001), found(&directory, 5060)),
            (None, None)
        );
        assert!(directory.contains(first));
    }
}
