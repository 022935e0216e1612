//! A prefix tree of templates, after the idea of Drain (He, Zhu, Zheng and Lyu, 2017): a message is compared only with
//! templates of as many words that begin with the same one, and becomes the template that most of its words agree with,
//! or a new one.
//!
//! What each holds is bounded: words by which a length branches, templates of a branch, templates in all.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};

/// What stands for words that differ.
pub(super) const ANY: &str = "<*>";
/// The most first words that templates of one length are told apart by. Others share a branch.
const MAX_BRANCHES: usize = 64;
/// The most templates of a branch.
const MAX_IN_BRANCH: usize = 256;
/// Which share of the words must agree.
const ALIKE: (usize, usize) = (3, 5);

/// Templates, each with a value.
#[derive(Debug)]
pub(super) struct Tree<T> {
    templates: Vec<Template<T>>,
    lengths: HashMap<usize, Branches>,
    max: usize,
}

#[derive(Debug)]
struct Template<T> {
    words: Vec<Box<str>>,
    value: T,
}

/// Places of templates of one length, by their first word.
#[derive(Debug, Default)]
struct Branches {
    by_word: HashMap<Box<str>, Vec<usize>>,
    others: Vec<usize>,
}

impl Branches {
    /// The branch of what begins with a word. Words with places in them vary.
    fn of(&mut self, first: &str) -> &mut Vec<usize> {
        let is_fixed = !first.contains('<');
        if is_fixed && (self.by_word.contains_key(first) || self.by_word.len() < MAX_BRANCHES) {
            return self.by_word.entry(first.into()).or_default();
        }
        &mut self.others
    }
}

impl<T> Tree<T> {
    pub(super) fn new(max: usize) -> Self {
        Self { templates: Vec::new(), lengths: HashMap::new(), max }
    }

    /// Adds what has a form: its words with one space between them. `false` when it is like no template, and there is
    /// no room for another.
    pub(super) fn add(&mut self, form: &str, value: T, join: impl FnOnce(&mut T, T)) -> bool {
        let words: Vec<&str> = form.split(' ').collect();
        let branch = self.lengths.entry(words.len()).or_default().of(words[0]);
        if let Some(place) = most_alike(&self.templates, branch, &words) {
            let template = &mut self.templates[place];
            for (own, word) in template.words.iter_mut().zip(&words) {
                if **own != **word {
                    *own = ANY.into();
                }
            }
            join(&mut template.value, value);
            return true;
        }
        if self.templates.len() >= self.max || branch.len() >= MAX_IN_BRANCH {
            return false;
        }
        branch.push(self.templates.len());
        self.templates.push(Template { words: words.into_iter().map(Into::into).collect(), value });
        true
    }

    /// The templates as texts, those joined that have become the same.
    pub(super) fn into_templates(self, join: impl Fn(&mut T, T)) -> BTreeMap<String, T> {
        let mut all: BTreeMap<String, T> = BTreeMap::new();
        for Template { words, value } in self.templates {
            match all.entry(words.join(" ")) {
                Entry::Vacant(free) => {
                    free.insert(value);
                }
                Entry::Occupied(mut taken) => join(taken.get_mut(), value),
            }
        }
        all
    }
}

/// The place of the template that agrees with most of the words, if with enough of them; of several the first one.
fn most_alike<T>(templates: &[Template<T>], branch: &[usize], words: &[&str]) -> Option<usize> {
    let mut best: Option<(usize, usize)> = None;
    for &place in branch {
        let pairs = templates[place].words.iter().zip(words);
        let same = pairs.filter(|(own, word)| ***own == ***word && ***own != *ANY).count();
        if same * ALIKE.1 >= words.len() * ALIKE.0 && best.is_none_or(|(most, _)| same > most) {
            best = Some((same, place));
        }
    }
    best.map(|(_, place)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn templates(max: usize, forms: &[&str]) -> (Vec<(String, u64)>, u64) {
        let sum = |sum: &mut u64, one| *sum += one;
        let mut tree = Tree::new(max);
        let beyond = forms.iter().filter(|form| !tree.add(form, 1, sum)).count() as u64;
        (tree.into_templates(sum).into_iter().collect(), beyond)
    }

    #[test]
    fn what_differs_in_few_words_is_one_template_and_what_differs_in_more_is_another() {
        let forms = [
            "task of alice is done now",
            "task of bob is done now",
            "task of carol is done today",
            "task of bob",
            "Connection refused",
            "Connection closed",
            "refused",
        ];
        let (found, beyond) = templates(100, &forms);
        let expected = [
            ("Connection closed", 1),
            ("Connection refused", 1),
            ("refused", 1),
            ("task of <*> is done <*>", 3),
            ("task of bob", 1),
        ];
        assert_eq!(found, expected.map(|(template, count)| (template.to_owned(), count)));
        assert_eq!(beyond, 0);
    }

    #[test]
    fn a_template_does_not_become_wider_by_places_that_anything_fits() {
        // Three of five words agree with the first, but only one with what has become of it.
        let (found, _) = templates(100, &["a b c d e", "a x c y e", "a b z d q"]);
        let expected = [("a <*> c <*> e", 2), ("a b z d q", 1)];
        assert_eq!(found, expected.map(|(template, count)| (template.to_owned(), count)));
    }

    #[test]
    fn templates_that_have_become_the_same_are_one() {
        // Two by two: the first words of the two halves have nothing in common until they are places.
        let forms = ["<num> p a b c", "<hex> p a b c", "<num> q x y z", "<hex> q x y z"];
        let (found, _) = templates(100, &forms);
        let expected = [("<*> p a b c", 2), ("<*> q x y z", 2)];
        assert_eq!(found, expected.map(|(template, count)| (template.to_owned(), count)));
        let mut tree = Tree::new(10);
        for words in [["a", ANY], ["a", ANY]] {
            tree.templates.push(Template { words: Vec::from(words.map(Box::<str>::from)), value: 1u64 });
        }
        assert_eq!(tree.into_templates(|sum, one| *sum += one), [("a <*>".to_owned(), 2)].into());
    }

    #[test]
    fn what_begins_with_a_place_or_with_one_word_too_many_shares_a_branch() {
        let many: Vec<String> =
            (0..MAX_BRANCHES + 2).map(|number| format!("w{} was here today", "x".repeat(number))).collect();
        let forms: Vec<&str> = many.iter().map(String::as_str).chain(["<num> was here today"]).collect();
        let (found, _) = templates(1_000, &forms);
        assert_eq!(found.len(), MAX_BRANCHES + 1);
        assert_eq!(found.first(), Some(&("<*> was here today".to_owned(), 3)));
    }

    #[test]
    fn there_are_no_more_templates_than_the_tree_and_its_branches_have_room_for() {
        let (found, beyond) = templates(2, &["a", "b", "c", "a"]);
        assert_eq!((found.len(), beyond), (2, 1));
        let many: Vec<String> = (0..MAX_IN_BRANCH + 3).map(|number| format!("a w{number}")).collect();
        let forms: Vec<&str> = many.iter().map(String::as_str).collect();
        let (found, beyond) = templates(10_000, &forms);
        assert_eq!((found.len(), beyond), (MAX_IN_BRANCH, 3));
    }
}
