//! Decimal text to an integer, eight digits at a time.
//!
//! Only the shapes that venues send are read here (at most eight digits before the point and eight behind it, no sign);
//! everything else is left to the reader that goes byte by byte and names what is wrong. What differs from text to text,
//! i.e. where the point is and how long it is, is masks and shifts and never a branch: it is as good as random.

/// Byte `b'0'` in all eight places.
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// Masks of the first none to eight bytes.
const KEEP: [u64; 9] = {
    let mut masks = [u64::MAX; 9];
    let mut count = 0;
    while count < 8 {
        masks[count] = (1 << (8 * count)) - 1;
        count += 1;
    }
    masks
};

/// 10^8 without the places that the text has itself.
const SCALE: [u64; 9] = [100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];

/// The longest text that is read here.
pub(crate) const LONGEST: usize = 17;

/// What the first `len` bytes say, times 10^8. None: not of the shape that is read here.
#[inline]
pub(crate) fn scaled_8(text: &[u8; LONGEST], len: usize) -> Option<i64> {
    let first = eight_at::<0>(text);
    let point = point(first).min(len);
    // Venues rarely write more than eight digits.
    if len > 9 || (len == 9 && point == 8) {
        long(text, first, point, len)
    } else {
        short(text, first, point, len)
    }
}

/// At most eight digits: the point is closed over, and one number read.
#[inline]
fn short(text: &[u8; LONGEST], first: u64, point: usize, len: usize) -> Option<i64> {
    let pointed = usize::from(point < len);
    let (digits, places) = (len - pointed, len - point - pointed);
    let before = KEEP[point];
    let closed = (first & before) | (eight_at::<1>(text) & !before);
    let values = (closed ^ ZEROS) & KEEP.get(digits)?;
    if digits == 0 || !are_digits(values) {
        return None;
    }
    // The last digit into the last place. Below 10^16.
    let number = number(values << (64 - 8 * digits));
    Some((number * SCALE.get(places)?).cast_signed())
}

/// Whole part and fraction apart.
#[inline(never)]
fn long(text: &[u8; LONGEST], first: u64, point: usize, len: usize) -> Option<i64> {
    let places = len.saturating_sub(point + 1);
    // Eight digits without a point behind them are whole; more are not read here.
    if places > 8 || (point == 8 && len > 8) {
        return None;
    }
    let behind = text.get(point + 1..point + 9)?;
    let second = u64::from_le_bytes(behind.try_into().ok()?);
    // What does not belong to the text becomes zero. The whole part ends in the last place, the fraction begins in the
    // first; a shift by 64, of nothing, is one by none.
    #[allow(clippy::cast_possible_truncation)] // at most 8
    let whole = ((first ^ ZEROS) & KEEP[point]).wrapping_shl(64 - 8 * point as u32);
    let fraction = (second ^ ZEROS) & KEEP[places];
    if !are_digits(whole) || !are_digits(fraction) {
        return None;
    }
    // At most 16 digits: below 2^63.
    Some((number(whole) * 100_000_000 + number(fraction)).cast_signed())
}

#[inline]
fn eight_at<const AT: usize>(text: &[u8; LONGEST]) -> u64 {
    // One load; at most one byte in, eight are always there.
    text[AT..].first_chunk().map_or(0, |eight| u64::from_le_bytes(*eight))
}

/// Place of the first point; 8 when there is none.
#[inline]
const fn point(eight: u64) -> usize {
    let difference = eight ^ 0x2e2e_2e2e_2e2e_2e2e;
    let zero = difference.wrapping_sub(0x0101_0101_0101_0101) & !difference & 0x8080_8080_8080_8080;
    (zero.trailing_zeros() / 8) as usize
}

/// Whether all bytes are 0 to 9. Adding 0x76 lifts larger ones into the highest bit, unless they were there already.
#[inline]
const fn are_digits(values: u64) -> bool {
    let lifted = values.wrapping_add(0x7676_7676_7676_7676);
    (lifted | values) & 0x8080_8080_8080_8080 == 0
}

/// Eight digits, the first in the lowest byte, as a number: pairs, fours, all.
#[inline]
const fn number(digits: u64) -> u64 {
    let pairs = digits * 10 + (digits >> 8);
    let mask = 0x0000_00ff_0000_00ff;
    let high = (pairs & mask).wrapping_mul(0x000f_4240_0000_0064);
    let low = ((pairs >> 16) & mask).wrapping_mul(0x0000_2710_0000_0001);
    high.wrapping_add(low) >> 32
}
