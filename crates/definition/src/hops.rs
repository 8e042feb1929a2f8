//! Chains of relationships: `record.company.parent.name`.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Object, Relationship};

/// Most relationships in a row.
pub const HOPS_MOST: usize = 3;

/// One relationship in a chain that begins at a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop<'a> {
    /// The chain before it, its names joined by points; `None` if the relationship is one of the record.
    pub from: Option<String>,
    /// Its name.
    pub name: &'a str,
    /// What it says of itself.
    pub relationship: &'a Relationship,
}

/// The relationships in which the paths of some reads begin, by their chains: `company`, `company.parent`. A chain comes after the one
/// that it goes on from. It ends with a relationship to many records, and after [`HOPS_MOST`].
pub fn hops<'a>(
    object: &'a Object,
    objects: &'a BTreeMap<String, Object>,
    paths: &BTreeSet<Vec<String>>,
) -> BTreeMap<String, Hop<'a>> {
    let mut hops = BTreeMap::new();
    for path in paths {
        let mut object = Some(object);
        let mut from: Option<String> = None;
        for name in path.iter().take(HOPS_MOST) {
            let Some((name, relationship)) = object.and_then(|object| object.relationships.get_key_value(name)) else {
                break;
            };
            let chain = chained(from.as_deref(), name);
            hops.insert(chain.clone(), Hop { from, name, relationship });
            if relationship.many {
                break;
            }
            object = objects.get(&relationship.object);
            from = Some(chain);
        }
    }
    hops
}

/// The relationship in which a chain ends: `company.parent`; `None` if there is none of this name, or a step of it leads to many records.
pub fn led_to<'a>(object: &'a Object, objects: &'a BTreeMap<String, Object>, chain: &str) -> Option<&'a Relationship> {
    let path: Vec<_> = chain.split('.').map(str::to_owned).collect();
    hops(object, objects, &BTreeSet::from([path])).remove(chain).map(|hop| hop.relationship)
}

/// A chain with one more relationship.
pub fn chained(chain: Option<&str>, name: &str) -> String {
    chain.map_or_else(|| name.to_owned(), |chain| format!("{chain}.{name}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn objects() -> BTreeMap<String, Object> {
        let object = |id: &str, to: &[(&str, &str, bool)]| {
            let to =
                to.iter().map(|(name, object, many)| ((*name).to_owned(), json!({"object": object, "many": many})));
            let relationships: serde_json::Map<_, _> = to.collect();
            let object = json!({"object": id, "relationships": relationships});
            (id.to_owned(), serde_json::from_value(object).expect("an object"))
        };
        BTreeMap::from([
            object("ticket", &[("company", "company", false), ("lost", "nothing", false)]),
            object("company", &[("parent", "company", false), ("people", "person", true)]),
            object("person", &[("boss", "person", false)]),
        ])
    }

    fn chains(paths: &[&str]) -> Vec<String> {
        let objects = objects();
        let paths = paths.iter().map(|path| path.split('.').map(str::to_owned).collect()).collect();
        hops(&objects["ticket"], &objects, &paths).into_keys().collect()
    }

    #[test]
    fn a_chain_begins_with_the_shorter_ones() {
        assert_eq!(chains(&["company.parent.name", "state"]), ["company", "company.parent"]);
        assert_eq!(chains(&["lost.name.more"]), ["lost"]);
    }

    #[test]
    fn a_chain_ends_with_many_records_and_after_three() {
        assert_eq!(chains(&["company.people.boss"]), ["company", "company.people"]);
        let deep = "company.parent.parent.parent.parent";
        assert_eq!(chains(&[deep]), ["company", "company.parent", "company.parent.parent"]);
    }

    #[test]
    fn a_chain_leads_to_an_object() {
        let objects = objects();
        let to = |chain: &str| led_to(&objects["ticket"], &objects, chain).map(|to| (to.object.as_str(), to.many));
        assert_eq!(to("company"), Some(("company", false)));
        assert_eq!(to("company.people"), Some(("person", true)));
        assert_eq!(to("company.people.boss"), None);
        assert_eq!(to("company.name"), None);
    }
}
