//! What is printed: numbered scenes, narration, and screens in frames, two beside each other. At most 100 columns;
//! colours only on a terminal.

use std::io::{IsTerminal, Write};

use sotay_tests::Failure;

/// The inner width of a frame.
const SCREEN: usize = 44;
const WIDTH: usize = 98;

/// A screen: whose, which, and its lines.
#[derive(Debug, Clone)]
pub(crate) struct Screen {
    /// Who holds the phone.
    pub(crate) who: String,
    /// What the phone is called on top of the frame.
    pub(crate) state: String,
    /// The lines.
    pub(crate) lines: Vec<String>,
}

/// Where it is printed.
#[derive(Debug)]
pub(crate) struct Paper {
    colours: bool,
    scenes: u32,
}

impl Paper {
    /// Standard output.
    pub(crate) fn new() -> Self {
        let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { colours, scenes: 0 }
    }

    fn line(&self, text: &str) -> Result<(), Failure> {
        let mut output = std::io::stdout().lock();
        writeln!(output, "{}", text.trim_end())?;
        Ok(output.flush()?)
    }

    fn painted(&self, code: &str, text: &str) -> String {
        if self.colours {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// Begins a scene.
    pub(crate) fn scene(&mut self, title: &str) -> Result<(), Failure> {
        self.scenes += 1;
        let head = format!("━━ {} ━ {title} ", self.scenes);
        let rule = "━".repeat(WIDTH.saturating_sub(width(&head)));
        self.line("")?;
        self.line(&self.painted("1;31", &format!("{head}{rule}")))
    }

    /// Narration, wrapped.
    pub(crate) fn say(&self, text: &str) -> Result<(), Failure> {
        for line in wrapped(text, WIDTH - 3) {
            self.line(&format!("   {line}"))?;
        }
        Ok(())
    }

    /// Something that was checked and is so.
    pub(crate) fn holds(&self, text: &str) -> Result<(), Failure> {
        for (at, line) in wrapped(text, WIDTH - 5).iter().enumerate() {
            let sign = if at == 0 {
                self.painted("32", "✔")
            } else {
                " ".into()
            };
            self.line(&format!("   {sign} {line}"))?;
        }
        Ok(())
    }

    /// Screens, two beside each other.
    pub(crate) fn screens(&self, screens: &[Screen]) -> Result<(), Failure> {
        for pair in screens.chunks(2) {
            let framed: Vec<Vec<String>> = pair.iter().map(|screen| self.framed(screen)).collect();
            let height = framed.iter().map(Vec::len).max().unwrap_or(0);
            for row in 0..height {
                let mut line = String::from("   ");
                for frame in &framed {
                    match frame.get(row) {
                        Some(part) => line.push_str(part),
                        None => line.push_str(&" ".repeat(SCREEN + 2)),
                    }
                    line.push_str("  ");
                }
                self.line(&line)?;
            }
        }
        Ok(())
    }

    fn framed(&self, screen: &Screen) -> Vec<String> {
        let edge = |text: &str| self.painted("2", text);
        let title = cut(&format!(" {} ", screen.who), SCREEN - 4);
        let state = cut(&screen.state, (SCREEN - 3).saturating_sub(width(&title)));
        let rule = "─".repeat(SCREEN - 2 - width(&title) - width(&state));
        let (open, close) = (edge("┌─"), edge(&format!("{rule}{state}─┐")));
        let mut frame = vec![format!("{open}{}{close}", self.painted("1", &title))];
        for line in &screen.lines {
            let indent: String = line.chars().take_while(|c| *c == ' ').collect();
            for (at, part) in wrapped(line.trim_start(), SCREEN - 2 - indent.len())
                .into_iter()
                .enumerate()
            {
                let more = if at == 0 { "" } else { "  " };
                let text = cut(&format!(" {indent}{more}{part}"), SCREEN);
                let rest = " ".repeat(SCREEN - width(&text));
                frame.push(format!("{}{text}{rest}{}", edge("│"), edge("│")));
            }
        }
        frame.push(edge(&format!("└{}┘", "─".repeat(SCREEN))));
        frame
    }
}

/// Columns on the screen: Vietnamese letters are composed here, one column each.
fn width(text: &str) -> usize {
    text.chars().count()
}

fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(columns.saturating_sub(1)).collect();
    short.push('…');
    short
}

fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut();
        match line {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if width(line) + 1 + width(word) <= columns.saturating_sub(2) => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
