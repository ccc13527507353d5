//! An array of pointers, and one of the lengths of what they lead to.

use super::{Description, Descriptions, MIN_TEXTS, Search, WIDTHS};
use crate::string_table::constant_records::{self, Pointer};
use miyaburi_image::Address;
use std::cell::Cell;

/// Share of texts among what an array of pointers leads to, in percent: the others are ports.
const TEXTS_PERCENT: usize = 75;

/// Arrays whose begins are multiples of two to this power, and of so much no other, begin there.
const ALIGNED: u32 = 4;

/// Most numbers that are compared with lengths, where the longest text's is right.
const MAX_COMPARED: usize = 1 << 20;

/// What two arrays say, in the order of ids.
pub(super) fn find(search: &Search<'_, '_>) -> Option<Descriptions> {
    let size = search.pointer_size();
    let mut rows = constant_records::rows(search.subject, search.pointers, size);
    rows.retain(|row| {
        let found = row.iter().filter(|(_, target)| search.texts.contains_key(target)).count();
        found >= MIN_TEXTS && found * 100 >= row.len() * TEXTS_PERCENT
    });
    let row = rows.into_iter().max_by_key(Vec::len)?;
    let first = row.first()?.0;
    let places = places(&row, size);
    let (lengths, width) = WIDTHS.iter().find_map(|width| {
        lengths_of(search, &places, *width).map(|lengths| (lengths, u64::from(*width)))
    })?;
    let before = before(search, [(first, size), (lengths, width)])?;
    let base = Address(first.checked_sub(before.checked_mul(size)?)?);
    let described = |(place, source): (u64, &Option<Address>)| {
        let length = search.number(lengths + place * width, width as u32)?;
        let cell = Address(first + place * size);
        Some(Description { id: place + before, cell, source: (*source)?, length })
    };
    let all = (0..).zip(&places).filter_map(described).collect();
    Some(Descriptions { all, base: Some(base), anchor: base })
}

/// What stands in each place of a row, nothing where there is no pointer.
fn places(row: &[Pointer], size: u64) -> Vec<Option<Address>> {
    let mut places = Vec::new();
    let first = row.first().map_or(0, |(cell, _)| *cell);
    for (cell, target) in row {
        places.resize(((cell - first) / size) as usize, None);
        places.push(Some(*target));
    }
    places
}

/// How many ids come before the first that is used, by two arrays: each with where that one stands, and
/// its stride. Code refers to where arrays begin, or both are aligned there as nowhere else.
fn before(search: &Search<'_, '_>, arrays: [(u64, u64); 2]) -> Option<u64> {
    let bases = arrays.map(|(first, stride)| {
        let (base, is_certain) = constant_records::base(search.subject, first, stride, 0);
        ((first - base.0) / stride, is_certain)
    });
    match bases {
        [(one, true), (other, true)] => (one == other).then_some(one),
        // As far as there are zeros in the other as well.
        [(before, true), (most, _)] | [(most, _), (before, true)] => {
            (before <= most).then_some(before)
        }
        [(one, _), (other, _)] => aligned(arrays, one.min(other)),
    }
}

/// How many places before those two arrays begin, at most so many: where both are aligned, and four times
/// as much as anywhere else.
///
/// False positives: arrays of a compiler that aligns none, with zeros before them up to such a place.
fn aligned(arrays: [(u64, u64); 2], most: u64) -> Option<u64> {
    let alignment = |before: u64| {
        let zeros = arrays.map(|(first, stride)| (first - before * stride).trailing_zeros());
        zeros[0].min(zeros[1])
    };
    let mut possible: Vec<(u32, u64)> =
        (0..=most).map(|before| (alignment(before), before)).collect();
    possible.sort_unstable_by(|one, other| other.cmp(one));
    let (best, before) = *possible.first()?;
    let next = possible.get(1).map_or(0, |(next, _)| *next);
    (best >= ALIGNED && next + 1 < best).then_some(before)
}

/// Where the numbers begin that are the lengths of what the places of a row lead to, and 0 where there is
/// nothing; `None` when there are several such places.
fn lengths_of(search: &Search<'_, '_>, places: &[Option<Address>], width: u32) -> Option<u64> {
    let known = |place: &Option<Address>| place.and_then(|it| search.texts.get(&it)).copied();
    let (longest, length) = (0..)
        .zip(places)
        .filter_map(|(number, place)| Some((number, known(place)?)))
        .max_by_key(|(_, length)| *length)?;
    let at =
        |start: u64, place: u64| search.number(start.wrapping_add(place * u64::from(width)), width);
    let compared = Cell::new(0);
    let is_length = |start: u64, (number, place): (u64, &Option<Address>)| {
        compared.set(compared.get() + 1);
        match (at(start, number), place) {
            (Some(found), Some(source)) => {
                known(place) == Some(found) || search.may_be_entry(*source, found)
            }
            (found, None) => found == Some(0),
            (None, Some(_)) => false,
        }
    };
    let mut found = None;
    for segment in search.subject.image.segments() {
        let end = segment.address.0 + segment.data.len() as u64;
        for start in (segment.address.0..end).step_by(width.min(2) as usize) {
            let is_all = at(start, longest) == Some(length)
                && (0..).zip(places).all(|it| is_length(start, it));
            if is_all && found.replace(start).is_some() || compared.get() > MAX_COMPARED {
                return None;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{aligned, places};
    use miyaburi_image::Address;

    #[test]
    fn arrays_begin_where_both_are_aligned_as_nowhere_else() {
        assert_eq!(aligned([(0x0805_5a24, 4), (0x0805_5962, 2)], 4), Some(1));
        // One of them is not, or not by enough.
        assert_eq!(aligned([(0x0805_5a24, 4), (0x0805_5964, 2)], 4), None);
        assert_eq!(aligned([(0x0805_5a14, 4), (0x0805_594a, 2)], 4), None);
        // Both begin there, but there are no zeros before.
        assert_eq!(aligned([(0x0805_5a24, 4), (0x0805_5962, 2)], 0), None);
        // Two places are as good.
        assert_eq!(aligned([(0x0805_5a40, 16), (0x0805_5a40, 16)], 2), None);
    }

    #[test]
    fn places_without_pointers_are_empty() {
        let row = [(0x100, Address(1)), (0x108, Address(2)), (0x10c, Address(3))];
        let [one, two, three] = [1, 2, 3].map(|it| Some(Address(it)));
        assert_eq!(places(&row, 4), [one, None, two, three]);
        assert_eq!(places(&[], 4), []);
    }
}
