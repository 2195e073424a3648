//! Splits the bytes of a body, compressed or not, into lines, with a limit on everything that the sender controls.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;

/// Receives whole lines, without their end.
pub trait Take {
    /// Why no further lines are wanted.
    type Error;

    /// Receives line `number`, counted from 1, including blank ones.
    ///
    /// # Errors
    ///
    /// If no further line is wanted.
    fn line(&mut self, number: u64, line: &[u8]) -> Result<(), Self::Error>;
}

/// The limits of a body.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes, decompressed.
    pub bytes: u64,
    /// Decompressed bytes per compressed byte, beyond the first megabyte. Slack's files have about 15.
    pub ratio: u64,
    /// Bytes per line.
    pub line: usize,
    /// Lines.
    pub lines: u64,
}

impl Default for Limits {
    /// 1 GiB, 200 to 1, 64 KiB a line, 5,000,000 lines.
    fn default() -> Limits {
        Limits { bytes: 1 << 30, ratio: 200, line: 64 * 1024, lines: 5_000_000 }
    }
}

/// Why a body cannot be read to its end.
#[derive(Debug, PartialEq, Eq)]
pub enum Unreadable<E> {
    /// The gzip data is damaged, truncated, or followed by something else.
    Damaged,
    /// A limit was exceeded; names the limit.
    TooMuch(&'static str),
    /// The receiver of the lines stopped.
    Refused(E),
}

/// A body that is being split into lines. Its first two bytes show whether it is gzip; a header may be wrong.
pub struct Lines<T: Take>(State<T>);

enum State<T: Take> {
    /// Too few bytes to decide.
    Start(Vec<u8>, Splitter<T>),
    Gzip(Box<MultiGzDecoder<Splitter<T>>>),
    Plain(Splitter<T>),
    /// After an error.
    Broken,
}

const GZIP: [u8; 2] = [0x1F, 0x8B];

/// Small bodies may be arbitrarily dense; beyond that, every compressed byte allows a certain number of bytes.
const RATIO_FLOOR: u64 = 1 << 20;

impl<T: Take> Lines<T> {
    /// Passes lines to `take`.
    pub fn new(take: T, limits: Limits) -> Lines<T> {
        let splitter =
            Splitter { take, limits, allowed: limits.bytes, bytes: 0, number: 0, partial: Vec::new(), failure: None };
        Lines(State::Start(Vec::new(), splitter))
    }

    /// Takes the next bytes of the body, of any number.
    ///
    /// # Errors
    ///
    /// If the body cannot be read to its end with them; nothing more can be pushed afterwards.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), Unreadable<T::Error>> {
        self.0 = match std::mem::replace(&mut self.0, State::Broken) {
            State::Start(mut start, mut splitter) => {
                start.extend_from_slice(chunk);
                if start.len() < GZIP.len() {
                    State::Start(start, splitter)
                } else if start.starts_with(&GZIP) {
                    splitter.allowed = RATIO_FLOOR;
                    decompress(Box::new(MultiGzDecoder::new(splitter)), &start)?
                } else {
                    split(splitter, &start)?
                }
            }
            State::Gzip(decoder) => decompress(decoder, chunk)?,
            State::Plain(splitter) => split(splitter, chunk)?,
            State::Broken => return Err(Unreadable::Damaged),
        };
        Ok(())
    }

    /// The receiver of the lines, between two pushes.
    pub fn take(&mut self) -> Option<&mut T> {
        match &mut self.0 {
            State::Start(_, splitter) | State::Plain(splitter) => Some(&mut splitter.take),
            State::Gzip(decoder) => Some(&mut decoder.get_mut().take),
            State::Broken => None,
        }
    }

    /// Ends the body: passes on a last line without an end, and returns the receiver.
    ///
    /// # Errors
    ///
    /// If gzip data is incomplete, or its checksum does not match.
    pub fn finish(self) -> Result<T, Unreadable<T::Error>> {
        let mut splitter = match self.0 {
            // Even an empty gzip file is longer than that.
            State::Start(start, splitter) => {
                if start.is_empty() {
                    return Err(Unreadable::Damaged);
                } else {
                    let State::Plain(splitter) = split(splitter, &start)? else { return Err(Unreadable::Damaged) };
                    splitter
                }
            }
            State::Plain(splitter) => splitter,
            State::Gzip(mut decoder) => match decoder.try_finish() {
                Ok(()) => decoder.finish().map_err(|_| Unreadable::Damaged)?,
                Err(_) => return Err(failure(decoder.get_mut())),
            },
            State::Broken => return Err(Unreadable::Damaged),
        };
        if !splitter.partial.is_empty() {
            let line = std::mem::take(&mut splitter.partial);
            splitter.line(&line)?;
        }
        Ok(splitter.take)
    }
}

fn decompress<T: Take>(
    mut decoder: Box<MultiGzDecoder<Splitter<T>>>,
    chunk: &[u8],
) -> Result<State<T>, Unreadable<T::Error>> {
    let splitter = decoder.get_mut();
    splitter.allowed = splitter.allowed.saturating_add(splitter.limits.ratio.saturating_mul(chunk.len() as u64));
    match decoder.write_all(chunk) {
        Ok(()) => Ok(State::Gzip(decoder)),
        Err(_) => Err(failure(decoder.get_mut())),
    }
}

fn split<T: Take>(mut splitter: Splitter<T>, chunk: &[u8]) -> Result<State<T>, Unreadable<T::Error>> {
    splitter.push(chunk)?;
    Ok(State::Plain(splitter))
}

fn failure<T: Take>(splitter: &mut Splitter<T>) -> Unreadable<T::Error> {
    splitter.failure.take().unwrap_or(Unreadable::Damaged)
}

struct Splitter<T: Take> {
    take: T,
    limits: Limits,
    /// The decompressed bytes that the compressed bytes so far allow; unlimited if nothing is compressed.
    allowed: u64,
    bytes: u64,
    number: u64,
    /// The beginning of a line whose end has not arrived.
    partial: Vec<u8>,
    /// The failure, which an `io::Error` cannot carry.
    failure: Option<Unreadable<T::Error>>,
}

impl<T: Take> Splitter<T> {
    fn push(&mut self, mut chunk: &[u8]) -> Result<(), Unreadable<T::Error>> {
        self.bytes += chunk.len() as u64;
        if self.bytes > self.limits.bytes {
            return Err(Unreadable::TooMuch("bytes"));
        }
        if self.bytes > self.allowed {
            return Err(Unreadable::TooMuch("bytes for its compressed size"));
        }
        while let Some(end) = memchr::memchr(b'\n', chunk) {
            let (line, rest) = (&chunk[..end], &chunk[end + 1..]);
            if self.partial.is_empty() {
                self.line(line)?;
            } else {
                self.keep(line)?;
                let mut whole = std::mem::take(&mut self.partial);
                self.line(&whole)?;
                // The memory is reused for the next line.
                whole.clear();
                self.partial = whole;
            }
            chunk = rest;
        }
        self.keep(chunk)
    }

    fn keep(&mut self, part: &[u8]) -> Result<(), Unreadable<T::Error>> {
        if self.partial.len() + part.len() > self.limits.line {
            return Err(Unreadable::TooMuch("bytes in a line"));
        }
        self.partial.extend_from_slice(part);
        Ok(())
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Unreadable<T::Error>> {
        self.number += 1;
        if line.len() > self.limits.line {
            return Err(Unreadable::TooMuch("bytes in a line"));
        }
        if self.number > self.limits.lines {
            return Err(Unreadable::TooMuch("lines"));
        }
        self.take.line(self.number, line).map_err(Unreadable::Refused)
    }
}

impl<T: Take> Write for Splitter<T> {
    fn write(&mut self, chunk: &[u8]) -> io::Result<usize> {
        match self.push(chunk) {
            Ok(()) => Ok(chunk.len()),
            Err(failure) => {
                self.failure = Some(failure);
                Err(io::Error::other("the lines are not wanted"))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
