//! The canaries and the forms in which text lies in files.

use unicode_normalization::UnicodeNormalization;

/// How a word may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// UTF-8, composed.
    Nfc,
    /// UTF-8, decomposed.
    Nfd,
    /// UTF-16, the lower byte first.
    Utf16Le,
    /// UTF-16, the higher byte first.
    Utf16Be,
    /// Hexadecimal digits of its UTF-8.
    Hexadecimal,
    /// Numbers of its UTF-8, as a list of bytes is printed.
    Numbers,
}

impl Form {
    pub(crate) const ALL: [Self; 6] = [
        Self::Nfc,
        Self::Nfd,
        Self::Utf16Le,
        Self::Utf16Be,
        Self::Hexadecimal,
        Self::Numbers,
    ];

    /// The word in this form.
    pub(crate) fn of(self, word: &str) -> Vec<u8> {
        let composed: String = word.nfc().collect();
        match self {
            Self::Nfc => composed.into_bytes(),
            Self::Nfd => word.nfd().collect::<String>().into_bytes(),
            Self::Utf16Le => composed.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::Utf16Be => composed.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Self::Hexadecimal => {
                let digits = composed.bytes().map(|byte| format!("{byte:02x}"));
                digits.collect::<String>().into_bytes()
            }
            Self::Numbers => {
                let numbers: Vec<String> = composed.bytes().map(|byte| byte.to_string()).collect();
                numbers.join(", ").into_bytes()
            }
        }
    }
}

/// All of them, by what they are entered as.
pub(crate) struct Canaries {
    words: Vec<String>,
    /// Each form of each word, found by its first bytes.
    needles: Vec<(Vec<u8>, usize, Form)>,
    starts: Vec<Vec<usize>>,
}

/// How many members there are.
pub(crate) const MEMBERS: usize = 40;
/// How many of them have a card.
pub(crate) const CARDS: usize = 10;
/// How many texts people write.
pub(crate) const TEXTS: usize = 260;

impl Canaries {
    pub(crate) fn new() -> Self {
        let mut words = Vec::new();
        words.extend((0..MEMBERS).map(name));
        words.extend((0..CARDS).map(card));
        words.extend((0..TEXTS).map(text));
        words.extend(PINS.map(str::to_owned));
        let mut canaries = Self {
            words,
            needles: Vec::new(),
            starts: vec![Vec::new(); 1 << 16],
        };
        for number in 0..canaries.words.len() {
            canaries.add_needles(number);
        }
        canaries
    }

    /// One more, that is made on the way: the code of an invitation.
    pub(crate) fn add(&mut self, word: String) {
        self.words.push(word);
        self.add_needles(self.words.len() - 1);
    }

    fn add_needles(&mut self, number: usize) {
        for form in Form::ALL {
            let needle = form.of(&self.words[number]);
            self.starts[start(&needle)].push(self.needles.len());
            self.needles.push((needle, number, form));
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.words.len()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(String::as_str)
    }

    /// Those that stand in these bytes.
    pub(crate) fn in_bytes<'c>(
        &'c self,
        bytes: &'c [u8],
    ) -> impl Iterator<Item = (&'c str, Form)> + 'c {
        (0..bytes.len().saturating_sub(1)).flat_map(move |at| {
            let rest = &bytes[at..];
            self.starts[start(rest)].iter().filter_map(move |needle| {
                let (needle, word, form) = &self.needles[*needle];
                let word = self.words[*word].as_str();
                let found = rest.starts_with(needle)
                    && (!is_number(word) || stands_alone(bytes, at, needle.len()));
                found.then_some((word, *form))
            })
        })
    }
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether these digits are no part of a longer number, as an instant is.
fn stands_alone(bytes: &[u8], at: usize, length: usize) -> bool {
    let digit = |at: Option<usize>| {
        at.and_then(|at| bytes.get(at))
            .is_some_and(u8::is_ascii_digit)
    };
    !digit(at.checked_sub(1)) && !digit(Some(at + length))
}

fn start(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
}

/// PINs: six digits that no duration and no size of this test has by chance.
pub(crate) const PINS: [&str; 2] = ["704913", "918260"];

/// A mark that no other word has.
fn mark(number: usize, of: u64) -> String {
    let mut state = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ of << 40;
    (0..7)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            char::from(b"abcdeghiklmnopqrstuvxy"[usize::try_from((state >> 33) % 22).unwrap()])
        })
        .collect()
}

/// The name of a member: a bird that sings.
pub(crate) fn name(number: usize) -> String {
    format!("Hoạ Mi Ẩn {}", mark(number, 1))
}

/// The number of a card: as many digits as they have.
pub(crate) fn card(number: usize) -> String {
    (83_100_579 + 482_711 * number).to_string()
}

/// What people write.
pub(crate) fn text(number: usize) -> String {
    format!("Vành khuyên {} hót", mark(number, 2))
}
