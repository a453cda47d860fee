/** How many of a long list of accepted values a message names. */
const shown = 8;
/** No name is longer; of what is, the beginning is compared. */
const comparedCharacters = 64;

/** What is accepted instead of `value`, the likeliest first: `BTCUSDC, BTCUSDT … (1893 in all)`. */
export function suggest(value: string, accepted: readonly string[]): string {
  if (accepted.length === 0) return 'none';
  const given = value.slice(0, comparedCharacters).toLowerCase();
  const ranked = accepted
    .map((candidate) => ({ candidate, distance: editDistance(given, candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
    .map(({ candidate }) => candidate);
  const first = ranked.slice(0, shown).join(', ');
  return ranked.length > shown ? `${first} … (${ranked.length} in all)` : first;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substitution));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
