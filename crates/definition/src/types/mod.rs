//! Static types: what is known of a value before anything runs.
//!
//! A type is a set of [`Kinds`] that the value can be, and what is known inside: the words of a text, the elements of
//! a list, the keys of an object. What is not known is every kind at once, and meets every expectation: only what
//! fails for each value that is there is a mistake.

mod kinds;
mod of;

use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) use kinds::Kinds;

/// What is known of a value.
#[derive(Debug, Clone)]
pub struct Type {
    pub(crate) kinds: Kinds,
    /// The only texts that it can be, if it is a text.
    pub(crate) words: Option<Arc<Vec<String>>>,
    /// What its elements are, if it is a list.
    pub(crate) element: Option<Arc<Type>>,
    /// Its keys, if it is an object.
    pub(crate) shape: Option<Arc<Shape>>,
}

/// The keys of an object.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) keys: BTreeMap<String, Type>,
    /// It may have other keys.
    pub(crate) open: bool,
    /// The object of the installation that says the keys, if one does: its id, and its names in their order.
    pub(crate) object: Option<(String, Vec<String>)>,
}

impl Type {
    /// Nothing is known.
    pub(crate) fn any() -> Self {
        Self::of(Kinds::ANY)
    }

    /// A value of these kinds.
    pub(crate) fn of(kinds: Kinds) -> Self {
        Self { kinds, words: None, element: None, shape: None }
    }

    /// A text.
    pub(crate) fn text() -> Self {
        Self::of(Kinds::TEXT)
    }

    /// One of a few texts.
    pub(crate) fn words<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        let words = words.into_iter().map(str::to_owned).collect();
        Self { words: Some(Arc::new(words)), ..Self::text() }
    }

    /// A list of such elements.
    pub(crate) fn list(element: Self) -> Self {
        Self { element: Some(Arc::new(element)), ..Self::of(Kinds::LIST) }
    }

    /// An object with these keys and no others.
    pub(crate) fn object<'k>(keys: impl IntoIterator<Item = (&'k str, Self)>) -> Self {
        let keys = keys.into_iter().map(|(key, inside)| (key.to_owned(), inside)).collect();
        Self::shaped(Shape { keys, open: false, object: None })
    }

    /// An object with these keys, which may have others.
    pub(crate) fn open_object<'k>(keys: impl IntoIterator<Item = (&'k str, Self)>) -> Self {
        let keys = keys.into_iter().map(|(key, inside)| (key.to_owned(), inside)).collect();
        Self::shaped(Shape { keys, open: true, object: None })
    }

    pub(crate) fn shaped(shape: Shape) -> Self {
        Self { shape: Some(Arc::new(shape)), ..Self::of(Kinds::OBJECT) }
    }

    /// The same, or null.
    #[must_use]
    pub(crate) fn or_null(mut self) -> Self {
        self.kinds = self.kinds | Kinds::NULL;
        self
    }

    /// A value of one type or the other.
    #[must_use]
    pub(crate) fn or(&self, other: &Self) -> Self {
        let kinds = self.kinds | other.kinds;
        let (left, right) = (self, other);
        Self {
            kinds,
            words: joined(Kinds::TEXT, (left, &left.words), (right, &right.words), |left, right| {
                let new = right.iter().filter(|word| !left.contains(word));
                left.iter().chain(new).cloned().collect()
            }),
            element: joined(Kinds::LIST, (left, &left.element), (right, &right.element), Type::or),
            shape: joined(Kinds::OBJECT, (left, &left.shape), (right, &right.shape), Shape::or),
        }
    }

    /// The type of a key's value; `None` if the object has no such key.
    pub(crate) fn key(&self, key: &str) -> Option<Self> {
        match &self.shape {
            None => Some(Self::any()),
            Some(shape) => shape.keys.get(key).cloned().or_else(|| shape.open.then(Self::any)),
        }
    }

    /// The type of an element.
    pub(crate) fn item(&self) -> Self {
        self.element.as_deref().cloned().unwrap_or_else(Self::any)
    }

    /// Whether two texts can be the same one.
    pub(crate) fn shares_words(&self, other: &Self) -> bool {
        match (&self.words, &other.words) {
            (Some(left), Some(right)) => left.iter().any(|word| right.contains(word)),
            _ => true,
        }
    }
}

impl Shape {
    fn or(&self, other: &Self) -> Self {
        let mut keys = self.keys.clone();
        for (key, inside) in &other.keys {
            let inside = keys.get(key).map_or_else(|| inside.clone(), |known| known.or(inside));
            keys.insert(key.clone(), inside);
        }
        let object = self.object.clone().filter(|_| self.object == other.object);
        Self { keys, open: self.open || other.open, object }
    }
}

/// What is known inside a kind that one of two types has, or both.
fn joined<T>(
    kind: Kinds,
    (left, in_left): (&Type, &Option<Arc<T>>),
    (right, in_right): (&Type, &Option<Arc<T>>),
    join: impl Fn(&T, &T) -> T,
) -> Option<Arc<T>> {
    match (left.kinds.meets(kind), right.kinds.meets(kind)) {
        (true, true) => Some(Arc::new(join(in_left.as_deref()?, in_right.as_deref()?))),
        (true, false) => in_left.clone(),
        (false, true) => in_right.clone(),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_or_the_other_knows_what_both_know() {
        let known = Type::words(["new", "paid"]).or(&Type::of(Kinds::NUMBER));
        assert!(known.kinds.meets(Kinds::NUMBER) && known.words.is_some(), "the number says nothing of texts");
        assert!(known.or(&Type::text()).words.is_none(), "any text is any word");
        let object = Type::object([("a", Type::text())]).or(&Type::object([("b", Type::text())]));
        assert!(object.key("a").is_some() && object.key("b").is_some() && object.key("c").is_none());
        assert!(object.or(&Type::of(Kinds::OBJECT)).key("c").is_some(), "an object of which nothing is known has any");
    }

    #[test]
    fn kinds_read_as_prose() {
        assert_eq!((Kinds::TEXT | Kinds::NUMBER).to_string(), "number or text");
        assert_eq!((Kinds::TEXT | Kinds::NULL).present().to_string(), "text");
        assert_eq!(Kinds::NULL.present().to_string(), "null");
    }
}
