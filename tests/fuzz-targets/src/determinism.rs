//! Whether bytes are deterministic CBOR (RFC 8949 §4.2), seen without the decoder that is tested.

use std::ops::ControlFlow;

/// What the bytes turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    /// Shortest forms, definite lengths, ascending keys, nothing behind.
    pub(crate) deterministic: bool,
    /// Nothing but numbers, strings, arrays, maps and truth values.
    pub(crate) plain: bool,
}

/// The form of what should be one value.
pub(crate) fn form(bytes: &[u8]) -> Form {
    let mut reader = Reader {
        rest: bytes,
        plain: true,
    };
    let whole = matches!(reader.value(0), ControlFlow::Continue(()));
    Form {
        deterministic: whole && reader.rest.is_empty(),
        plain: reader.plain,
    }
}

struct Reader<'b> {
    rest: &'b [u8],
    plain: bool,
}

impl<'b> Reader<'b> {
    fn take(&mut self, count: usize) -> ControlFlow<(), &'b [u8]> {
        match self.rest.split_at_checked(count) {
            Some((taken, rest)) => {
                self.rest = rest;
                ControlFlow::Continue(taken)
            }
            None => ControlFlow::Break(()),
        }
    }

    /// Major type and argument, in its shortest form.
    fn head(&mut self) -> ControlFlow<(), (u8, u64)> {
        let first = self.take(1)?[0];
        let (major, low) = (first >> 5, first & 31);
        let (argument, least) = match low {
            0..=23 => (u64::from(low), 0),
            24..=27 => {
                let bytes = self.take(1 << (low - 24))?;
                let argument = bytes
                    .iter()
                    .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
                (
                    argument,
                    [24, 1 << 8, 1 << 16, 1 << 32][usize::from(low - 24)],
                )
            }
            _ => return ControlFlow::Break(()),
        };
        if major != 7 && argument < least {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue((major, argument))
    }

    fn value(&mut self, depth: usize) -> ControlFlow<()> {
        if depth > 64 {
            return ControlFlow::Break(());
        }
        let (major, argument) = self.head()?;
        let count = usize::try_from(argument).unwrap_or(usize::MAX);
        match major {
            0 | 1 => {}
            2 => {
                self.take(count)?;
            }
            3 => {
                if std::str::from_utf8(self.take(count)?).is_err() {
                    return ControlFlow::Break(());
                }
            }
            4 => {
                for _ in 0..argument {
                    self.value(depth + 1)?;
                }
            }
            5 => {
                let mut last: Option<&[u8]> = None;
                for _ in 0..argument {
                    let before = self.rest;
                    self.value(depth + 1)?;
                    let key = &before[..before.len() - self.rest.len()];
                    if last.is_some_and(|last| last >= key) {
                        return ControlFlow::Break(());
                    }
                    last = Some(key);
                    self.value(depth + 1)?;
                }
            }
            6 => {
                self.plain = false;
                self.value(depth + 1)?;
            }
            _ => self.plain &= matches!(argument, 20 | 21),
        }
        ControlFlow::Continue(())
    }
}
