//! One order book on the standard library's ordered map, and its published top.

use std::collections::BTreeMap;
use std::sync::atomic::{fence, AtomicU64, Ordering};

use crate::decode::{DepthUpdate, Level};

#[derive(PartialEq, Eq, Debug)]
pub enum Outcome {
    Applied,
    /// Every change of the update is in the book already.
    Dropped,
    /// Updates between the book and this one are missing.
    Gap,
}

#[derive(Clone, Default)]
pub struct Book {
    pub last_version: u64,
    pub bids: BTreeMap<u64, u64>,
    pub asks: BTreeMap<u64, u64>,
}

impl Book {
    /// Applies one update under the exchange's sequence rule and publishes the new top under an odd/even version.
    pub fn apply(&mut self, update: &DepthUpdate, top: &PublishedTop) -> Outcome {
        if update.to_version <= self.last_version {
            return Outcome::Dropped;
        }
        if update.from_version > self.last_version + 1 {
            return Outcome::Gap;
        }
        apply_side(&mut self.bids, &update.bids);
        apply_side(&mut self.asks, &update.asks);
        self.last_version = update.to_version;
        top.publish(
            update.to_version,
            self.bids.last_key_value().map_or((0, 0), |(&ticks, &lots)| (ticks, lots)),
            self.asks.first_key_value().map_or((0, 0), |(&ticks, &lots)| (ticks, lots)),
        );
        Outcome::Applied
    }
}

fn apply_side(side: &mut BTreeMap<u64, u64>, levels: &[Level]) {
    for level in levels {
        if level.lots == 0 {
            side.remove(&level.ticks);
        } else {
            side.insert(level.ticks, level.lots);
        }
    }
}

/// Best levels and exchange version for readers on other threads, which retry while `version` is odd or moves.
#[derive(Default)]
pub struct PublishedTop {
    version: AtomicU64,
    exchange_version: AtomicU64,
    bid_ticks: AtomicU64,
    bid_lots: AtomicU64,
    ask_ticks: AtomicU64,
    ask_lots: AtomicU64,
}

impl PublishedTop {
    /// One writer only.
    fn publish(&self, exchange_version: u64, bid: (u64, u64), ask: (u64, u64)) {
        let version = self.version.load(Ordering::Relaxed);
        self.version.store(version + 1, Ordering::Relaxed);
        // No store below may become visible before the odd version.
        fence(Ordering::Release);
        self.exchange_version.store(exchange_version, Ordering::Relaxed);
        self.bid_ticks.store(bid.0, Ordering::Relaxed);
        self.bid_lots.store(bid.1, Ordering::Relaxed);
        self.ask_ticks.store(ask.0, Ordering::Relaxed);
        self.ask_lots.store(ask.1, Ordering::Relaxed);
        self.version.store(version + 2, Ordering::Release);
    }

    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }
}
