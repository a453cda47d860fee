// Whether an SPDX licence expression can be met with a list of accepted licences: OR chooses, AND demands both.

/** The licences in `expression` that stand in the way; empty when it can be met. */
export function notAccepted(expression: string, accepted: ReadonlySet<string>): string[] {
  // Old crates write "MIT/Apache-2.0" for OR.
  const tokens = expression.replaceAll('/', ' OR ').match(/[()]|[^\s()]+/g) ?? [];
  let at = 0;

  const one = (): string[] => {
    const token = tokens[at++];
    if (token === undefined || token === ')' || token === 'AND' || token === 'OR') return [expression];
    if (token === '(') {
      const inner = either();
      return tokens[at++] === ')' ? inner : [expression];
    }
    if (tokens[at] === 'WITH') {
      const exception = `${token} WITH ${tokens[at + 1] ?? ''}`;
      at += 2;
      return accepted.has(exception) ? [] : [exception];
    }
    return accepted.has(token) ? [] : [token];
  };
  const both = (): string[] => {
    const found = one();
    while (tokens[at] === 'AND') {
      at += 1;
      found.push(...one());
    }
    return found;
  };
  const either = (): string[] => {
    const choices = [both()];
    while (tokens[at] === 'OR') {
      at += 1;
      choices.push(both());
    }
    return choices.find((choice) => choice.length === 0) ?? choices.flat();
  };

  const found = either();
  // What is left over is no expression: "SEE LICENSE IN x", "UNLICENSED", two names side by side.
  return at === tokens.length ? found : [expression];
}
