//! Decimal text to an integer, eight digits at a time.
//!
//! Only the shapes that venues send are read here (at most eight digits before the point and eight behind it, no sign);
//! everything else is left to the reader that goes byte by byte and names what is wrong.

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

/// The longest text that is read here.
pub(crate) const LONGEST: usize = 17;

/// What the first `len` bytes say, times 10^8. None: not of the shape that is read here.
#[inline]
pub(crate) fn scaled_8(text: &[u8; LONGEST], len: usize) -> Option<i64> {
    let first = eight_at(text, 0)?;
    let whole = point(first).min(len);
    let fraction = len.saturating_sub(whole + 1);
    // One test for all, and none on what differs from text to text: which lengths come next is as good as random.
    if (fraction > 8) | ((whole == 8) & (len > 8)) | (whole + fraction == 0) {
        return None;
    }
    let second = eight_at(text, whole + 1)?;
    // Digits as their values; what does not belong to the text becomes zero. The whole part ends in the last place, the
    // fraction begins in the first.
    let high = ((first ^ ZEROS) & KEEP[whole]).wrapping_shl(64 - 8 * whole as u32);
    let low = (second ^ ZEROS) & KEEP[fraction];
    if !are_digits(high, low) {
        return None;
    }
    // At most 16 digits: below 2^63.
    Some((number(high) * 100_000_000 + number(low)).cast_signed())
}

#[inline]
fn eight_at(text: &[u8; LONGEST], at: usize) -> Option<u64> {
    text.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes)
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
