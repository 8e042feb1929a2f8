//! The records that a decision looks up by the values of unique fields.

use pawl_engine::{Decision, LookedUp, Read};

use crate::{Error, Finder, Objects};

/// Decides with what was looked up so far.
pub(crate) type Decide<'a, E> = dyn Fn(&[LookedUp]) -> Result<Decision, E> + Send + Sync + 'a;

/// Decides again as often as a record is lacking. The engine bounds how many there are.
pub(crate) async fn decided<E: Send>(
    (finder, objects): (&Finder, &Objects),
    decide: &Decide<'_, E>,
) -> Result<Result<Decision, E>, Error> {
    let mut known = Vec::new();
    loop {
        let lookup = match decide(&known) {
            Ok(Decision::Read(Read::Lookup(lookup))) => lookup,
            decided => return Ok(decided),
        };
        objects.require(&lookup.object)?;
        let record = finder.unique(&lookup.object, &lookup.field, &lookup.value).await?;
        known.push(LookedUp { lookup, record });
    }
}
