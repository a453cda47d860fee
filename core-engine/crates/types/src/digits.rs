//! Decimal text to an integer, eight digits at a time.
//!
//! Only the shapes that venues send are read here (at most eight digits before the point and eight behind it, no sign);
//! everything else is left to the reader that goes byte by byte and names what is wrong.

/// Byte `b'0'` in all eight places.
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// What `bytes[start..start + len]` says, times 10^8. `bytes` is looked at as a whole, so that eight bytes can be read
/// at once also near the end of the text. None: not of the shape that is read here.
#[inline]
pub(crate) fn scaled_8(bytes: &[u8], start: usize, len: usize) -> Option<i64> {
    if start.checked_add(len)? > bytes.len() {
        return None;
    }
    let first = eight_at(bytes, start)?;
    let whole = point(first).min(len);
    let fraction = len - (whole + 1).min(len);
    // One test for all, and none on what differs from text to text: which lengths come next is as good as random.
    if (fraction > 8) | ((whole == 8) & (len > 8)) | (whole + fraction == 0) {
        return None;
    }
    // Without a fraction these eight bytes may be anything, and all of them are masked.
    let second = eight_at(bytes, start + (whole + 1).min(len))?;
    let high = right_aligned(first, whole) ^ ZEROS;
    let low = left_aligned(second, fraction) ^ ZEROS;
    if !are_digits(high, low) {
        return None;
    }
    // At most 16 digits: below 2^63.
    Some((number(high) * 100_000_000 + number(low)).cast_signed())
}

#[inline]
fn eight_at(bytes: &[u8], at: usize) -> Option<u64> {
    let eight = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_le_bytes(eight.try_into().ok()?))
}

/// Place of the first point; 8 when there is none.
#[inline]
const fn point(eight: u64) -> usize {
    let difference = eight ^ 0x2e2e_2e2e_2e2e_2e2e;
    let zero = difference.wrapping_sub(0x0101_0101_0101_0101) & !difference & 0x8080_8080_8080_8080;
    (zero.trailing_zeros() / 8) as usize
}

/// The first `count` bytes, at most eight, with zeros before them. Shifts go in two halves, as one may be of all 64.
#[inline]
const fn right_aligned(eight: u64, count: usize) -> u64 {
    let half = 4 * count;
    ((eight << (32 - half)) << (32 - half)) | ((ZEROS >> half) >> half)
}

/// The first `count` bytes, at most eight, with zeros behind them.
#[inline]
const fn left_aligned(eight: u64, count: usize) -> u64 {
    let half = 4 * count;
    let rest = (u64::MAX << half) << half;
    (eight & !rest) | (ZEROS & rest)
}

/// Whether all bytes are 0 to 9. Adding 0x76 lifts larger ones into the highest bit, unless they were there already.
#[inline]
const fn are_digits(high: u64, low: u64) -> bool {
    const LIFT: u64 = 0x7676_7676_7676_7676;
    let lifted = high.wrapping_add(LIFT) | low.wrapping_add(LIFT);
    (lifted | high | low) & 0x8080_8080_8080_8080 == 0
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
