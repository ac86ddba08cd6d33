//! Words that say nothing about what a question is about.

/// English, as people ask in a chat; in order, for a binary search.
const WORDS: &[&str] = &[
    "a", "about", "after", "again", "all", "already", "also", "am", "an", "and", "any", "anybody", "anyone",
    "anything", "are", "aren", "as", "ask", "at", "be", "because", "been", "before", "being", "but", "by", "can",
    "could", "d", "did", "didn", "do", "does", "doesn", "doing", "don", "done", "else", "ever", "every", "everyone",
    "everything", "for", "from", "get", "give", "got", "had", "has", "have", "having", "he", "hello", "her", "here",
    "hey", "hi", "him", "his", "how", "i", "if", "in", "into", "is", "isn", "it", "its", "just", "know", "like", "ll",
    "m", "may", "me", "might", "mine", "more", "most", "much", "must", "my", "need", "no", "not", "now", "of", "off",
    "on", "one", "only", "or", "other", "our", "out", "over", "own", "please", "re", "s", "said", "say", "says",
    "shall", "she", "should", "show", "so", "some", "somebody", "someone", "something", "such", "t", "tell", "than",
    "thank", "thanks", "that", "the", "their", "them", "then", "there", "these", "they", "this", "those", "to", "too",
    "up", "us", "ve", "very", "want", "was", "wasn", "we", "were", "what", "when", "where", "which", "while", "who",
    "whom", "whose", "why", "will", "with", "would", "you", "your", "yours",
];

/// Whether a folded word is one of them.
pub(super) fn is_stopword(word: &str) -> bool {
    WORDS.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order() {
        assert!(WORDS.is_sorted());
        assert!(is_stopword("what") && !is_stopword("harbour"));
    }
}
