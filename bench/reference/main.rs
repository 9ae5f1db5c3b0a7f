//! The comparison program of `npm run bench -- decode-and-book`: the same frames to the same book, in Rust with the
//! standard library only. Arguments and the line protocol are those of the other candidates (see candidate.ts):
//!
//!     book FRAMES SNAPSHOT BOOK PRICE_SCALE QUANTITY_SCALE
//!
//! FRAMES is u32 LE length + bytes, again and again; SNAPSHOT and BOOK are text lines `v VERSION`, `b PRICE QUANTITY`,
//! `a PRICE QUANTITY`. On standard input `round MS` runs timed passes for at least MS milliseconds, `book` writes BOOK.

mod book;
mod decode;

use std::env;
use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::io::{self, BufRead, Write};
use std::time::{Duration, Instant};

use book::{Book, Outcome, PublishedTop};
use decode::{decode_depth, parse_decimal, DecodeError, DepthUpdate, Scales};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [frames_path, snapshot_path, book_path, price_scale, quantity_scale] = arguments.as_slice() else {
        return Err("usage: book FRAMES SNAPSHOT BOOK PRICE_SCALE QUANTITY_SCALE".into());
    };
    let scales = Scales { price: price_scale.parse()?, quantity: quantity_scale.parse()? };
    let file = fs::read(frames_path)?;
    let frames = split_frames(&file)?;
    let snapshot = read_snapshot(&fs::read_to_string(snapshot_path)?, scales)?;
    let top = PublishedTop::default();
    let mut book = Book::default();

    println!("{{\"frames\":{}}}", frames.len());
    for line in io::stdin().lock().lines() {
        let line = line?;
        if let Some(milliseconds) = line.strip_prefix("round ") {
            let least = Duration::from_millis(milliseconds.parse()?);
            let (mut passes, mut levels, mut spent) = (0u64, 0u64, Duration::ZERO);
            while passes == 0 || spent < least {
                // A fresh copy of the snapshot; neither this nor the drop of the old book is timed.
                book = black_box(snapshot.clone());
                let versions = top.version();
                let started = Instant::now();
                levels += replay(&frames, scales, &mut book, &top)?;
                spent += started.elapsed();
                passes += 1;
                if top.version() != versions + 2 * frames.len() as u64 {
                    return Err("not every frame was published".into());
                }
            }
            println!("{{\"passes\":{passes},\"levels\":{levels},\"nanoseconds\":{}}}", spent.as_nanos());
        } else if line == "book" {
            write_book(&book, scales, book_path)?;
            println!("{{}}");
        }
    }
    Ok(())
}

/// The timed part: every frame decoded, applied, published. Returns the number of levels applied.
#[inline(never)]
fn replay(frames: &[&[u8]], scales: Scales, book: &mut Book, top: &PublishedTop) -> Result<u64, String> {
    let mut update = DepthUpdate::default();
    let mut levels = 0;
    for (index, frame) in frames.iter().enumerate() {
        decode_depth(frame, scales, &mut update).map_err(|error| format!("frame {index}: {error:?}"))?;
        match book.apply(&update, top) {
            Outcome::Applied => levels += (update.bids.len() + update.asks.len()) as u64,
            outcome => return Err(format!("frame {index}: {outcome:?}")),
        }
    }
    Ok(levels)
}

fn split_frames(file: &[u8]) -> Result<Vec<&[u8]>, Box<dyn Error>> {
    let mut frames = Vec::new();
    let mut rest = file;
    while let Some((header, tail)) = rest.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*header) as usize;
        frames.push(tail.get(..length).ok_or("frame file cut short")?);
        rest = &tail[length..];
    }
    if rest.is_empty() { Ok(frames) } else { Err("frame file cut short".into()) }
}

fn read_snapshot(text: &str, scales: Scales) -> Result<Book, Box<dyn Error>> {
    let mut book = Book::default();
    for line in text.lines() {
        let mut words = line.split(' ');
        match (words.next(), words.next(), words.next()) {
            (Some("v"), Some(version), None) => book.last_version = version.parse()?,
            (Some("b"), Some(price), Some(quantity)) => {
                book.bids.insert(units(price, scales.price)?, units(quantity, scales.quantity)?);
            }
            (Some("a"), Some(price), Some(quantity)) => {
                book.asks.insert(units(price, scales.price)?, units(quantity, scales.quantity)?);
            }
            _ => return Err(format!("bad snapshot line: {line}").into()),
        }
    }
    Ok(book)
}

fn units(text: &str, scale: u32) -> Result<u64, String> {
    parse_decimal(text.as_bytes(), scale).map_err(|error: DecodeError| format!("{text}: {error:?}"))
}

/// The whole book, best first, with exactly as many decimals as the scales say.
fn write_book(book: &Book, scales: Scales, path: &str) -> io::Result<()> {
    let mut text = Vec::new();
    writeln!(text, "v {}", book.last_version)?;
    for (&ticks, &lots) in book.bids.iter().rev() {
        writeln!(text, "b {} {}", decimal(ticks, scales.price), decimal(lots, scales.quantity))?;
    }
    for (&ticks, &lots) in &book.asks {
        writeln!(text, "a {} {}", decimal(ticks, scales.price), decimal(lots, scales.quantity))?;
    }
    fs::write(path, text)
}

fn decimal(units: u64, scale: u32) -> String {
    if scale == 0 {
        return units.to_string();
    }
    let one = 10u64.pow(scale);
    format!("{}.{:0width$}", units / one, units % one, width = scale as usize)
}
