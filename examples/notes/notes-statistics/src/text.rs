//! Words, sentences, and the Flesch reading ease.
use std::collections::HashMap;

/// Of an average reader: https://doi.org/10.1016/j.jml.2019.104047
const WORDS_PER_MINUTE: f64 = 238.0;
const MOST_FREQUENT: usize = 5;
/// Words that say nothing about what a note is about are short, or one of these.
const SHORTEST: usize = 4;
const COMMON: [&str; 32] = [
    "about", "also", "because", "been", "could", "does", "from", "have", "here", "http", "https", "into", "just",
    "like", "more", "only", "should", "some", "than", "that", "their", "them", "then", "there", "they", "this", "very",
    "what", "when", "will", "with", "your",
];

#[derive(Debug, PartialEq)]
pub struct Statistics {
    pub words: usize,
    pub characters: usize,
    pub sentences: usize,
    pub paragraphs: usize,
    /// To read it.
    pub seconds: usize,
    /// 100 is very easy, 0 very hard; meant for English. None without words.
    pub ease: Option<i64>,
    /// The most frequent first, and then by the alphabet.
    pub frequent: Vec<(String, usize)>,
}

impl Statistics {
    pub fn of(text: &str) -> Statistics {
        let words: Vec<String> = words(text).collect();
        let count = words.len();
        let sentences = count_sentences(text);
        Statistics {
            words: count,
            characters: text.chars().count(),
            sentences,
            paragraphs: count_paragraphs(text),
            seconds: (count as f64 * 60.0 / WORDS_PER_MINUTE).ceil() as usize,
            ease: if count == 0 { None } else { Some(reading_ease(&words, sentences)) },
            frequent: most_frequent(words),
        }
    }

    pub fn to_json(&self) -> String {
        // Words are letters, digits, ' and -, so that nothing needs escaping.
        let frequent: Vec<String> = self.frequent.iter().map(|(word, times)| format!("[\"{word}\",{times}]")).collect();
        format!(
            r#"{{"words":{},"characters":{},"sentences":{},"paragraphs":{},"seconds":{},"ease":{},"frequent":[{}]}}"#,
            self.words,
            self.characters,
            self.sentences,
            self.paragraphs,
            self.seconds,
            self.ease.map_or_else(|| "null".into(), |ease| ease.to_string()),
            frequent.join(",")
        )
    }
}

/// In lower case.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !(c.is_alphanumeric() || c == '\'' || c == '’' || c == '-'))
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

/// A sentence ends with . ! ? … before a blank, or with a paragraph, a heading or an item of a list.
fn count_sentences(text: &str) -> usize {
    let mut sentences = 0;
    let mut has_words = false;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let next = characters.peek();
        let ends = match c {
            '.' | '!' | '?' | '…' => next.map_or(true, |next| next.is_whitespace()),
            '\n' => matches!(next, Some('\n' | '#' | '-' | '*' | '+')),
            _ => false,
        };
        has_words |= c.is_alphanumeric();
        if ends && has_words {
            sentences += 1;
            has_words = false;
        }
    }
    sentences + usize::from(has_words)
}

fn count_paragraphs(text: &str) -> usize {
    let mut paragraphs = 0;
    let mut was_blank = true;
    for line in text.lines() {
        let is_blank = line.trim().is_empty();
        paragraphs += usize::from(was_blank && !is_blank);
        was_blank = is_blank;
    }
    paragraphs
}

/// https://en.wikipedia.org/wiki/Flesch–Kincaid_readability_tests#Flesch_reading_ease
fn reading_ease(words: &[String], sentences: usize) -> i64 {
    let count = words.len() as f64;
    let syllables: usize = words.iter().map(|word| count_syllables(word)).sum();
    let ease = 206.835 - 1.015 * count / sentences.max(1) as f64 - 84.6 * syllables as f64 / count;
    ease.clamp(0.0, 100.0).round() as i64
}

/// Groups of vowels, without a silent e at the end.
fn count_syllables(word: &str) -> usize {
    let mut syllables = 0;
    let mut was_vowel = false;
    for c in word.chars() {
        let is_vowel = "aeiouyäöüáéíóúàèìòùâêîôû".contains(c);
        syllables += usize::from(is_vowel && !was_vowel);
        was_vowel = is_vowel;
    }
    let is_silent = word.ends_with('e') && !word.ends_with("le") && syllables > 1;
    (syllables - usize::from(is_silent)).max(1)
}

fn most_frequent(words: Vec<String>) -> Vec<(String, usize)> {
    let mut times: HashMap<String, usize> = HashMap::new();
    for word in words {
        if word.chars().count() >= SHORTEST && !COMMON.contains(&word.as_str()) {
            *times.entry(word).or_default() += 1;
        }
    }
    let mut frequent: Vec<(String, usize)> = times.into_iter().filter(|(_, times)| *times > 1).collect();
    frequent.sort_by(|(a, a_times), (b, b_times)| b_times.cmp(a_times).then_with(|| a.cmp(b)));
    frequent.truncate(MOST_FREQUENT);
    frequent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_without_words() {
        let empty = Statistics::of(" \n---\n");
        assert_eq!((empty.words, empty.sentences, empty.ease), (0, 0, None));
    }

    #[test]
    fn words_of_any_script() {
        assert_eq!(words("Don't - 'quote' naïve e-mail 日本語 C3").count(), 6);
        assert_eq!(words("ÄRGER").next().unwrap(), "ärger");
    }

    #[test]
    fn sentences_and_paragraphs() {
        let text = "# Title\n- one item\n- version 1.2.3\n\nA sentence. Another one?!\nMore of it";
        assert_eq!(count_sentences(text), 6);
        assert_eq!(count_paragraphs(text), 2);
    }

    #[test]
    fn syllables() {
        for (word, syllables) in [("cake", 1), ("table", 2), ("reading", 2), ("the", 1), ("hmm", 1), ("area", 2)] {
            assert_eq!(count_syllables(word), syllables, "{word}");
        }
    }

    #[test]
    fn hard_texts_are_hard() {
        let easy = Statistics::of("The cat sat on the mat. It was warm.").ease.unwrap();
        let hard =
            Statistics::of("Institutional accountability necessitates comprehensive documentation.").ease.unwrap();
        assert!(easy > 90 && hard < 10, "{easy} {hard}");
    }

    #[test]
    fn frequent_words_say_what_it_is_about() {
        let text = "Bread, bread and more BREAD: with yeast, with this yeast. Salt.";
        assert_eq!(Statistics::of(text).frequent, [("bread".into(), 3), ("yeast".into(), 2)]);
    }
}
