/**
 * The part of CEL that a rule of a CustomResourceDefinition may use: it evaluates alike here and on a real API
 * server. That is shown by the transcript, which holds an answer of the real server to each expression below
 * (scripts/transcript/scenes/cel.ts); `npm run check` refuses rules that use anything else.
 *
 * No imports: scripts read this file too.
 */
export interface Portable {
  /** How it is called; an operator stands for itself. */
  readonly name: string;
  /** Numbers of arguments, a receiver not counted. Absent for operators. */
  readonly args?: readonly number[];
  readonly holds: readonly string[];
  readonly fails: readonly string[];
}

/** What the expressions below see as `self`. */
export const PROBE = {
  text: 'Hello, World',
  number: 7,
  ratio: 2.5,
  flag: true,
  list: ['a', 'b', 'c'],
  numbers: [3, 1, 2],
  map: { a: '1', b: '2' },
  at: '2026-01-31T12:34:56Z',
  wait: '1h30m',
  amount: '1500m',
  thing: { name: 'x' },
} as const;

const op = (name: string, holds: string[], fails: string[]): Portable => ({ name, holds, fails });
const fn = (name: string, args: number[], holds: string[], fails: string[]): Portable => ({
  name,
  args,
  holds,
  fails,
});

const OPERATORS: readonly Portable[] = [
  op('==', ['self.number == 7', "self.thing.name == 'x'"], ['self.flag == false']),
  op('!=', ["self.text != 'x'"], ['self.number != 7']),
  op('<', ['self.number < 8', "'a' < 'b'"], ['self.ratio < 2.5']),
  op('<=', ['self.ratio <= 2.5'], ['self.number <= 6']),
  op('>', ['self.number > 6'], ["self.text > 'Z'"]),
  op('>=', ['self.number >= 7'], ['self.ratio >= 2.6']),
  op(
    '+',
    ['self.number + 1 == 8', "self.text + '!' == 'Hello, World!'", '[1] + [2] == [1, 2]'],
    ['self.number + 1 == 7'],
  ),
  op('-', ['self.number - 8 == -1'], ['self.number - 7 == 1']),
  op('*', ['self.number * 3 == 21', 'self.ratio * 2.0 == 5.0'], ['self.number * 0 == 7']),
  op('/', ['self.number / 2 == 3', 'self.ratio / 2.0 == 1.25'], ['self.number / 2 == 4']),
  op('%', ['self.number % 4 == 3', '-7 % 4 == -3'], ['self.number % 7 == 1']),
  op('-_', ['-self.number == -7'], ['-self.number == 7']),
  op('!_', ['!(self.number == 8)'], ['!self.flag']),
  op(
    '&&',
    ['self.flag && self.number == 7'],
    ['self.flag && self.number == 8', 'self.number == 8 && 1 / 0 == 1'],
  ),
  op('||', ['self.number == 8 || self.flag', 'self.flag || 1 / 0 == 1'], ['self.number == 8 || !self.flag']),
  op('?:', ['self.flag ? self.number == 7 : 1 / 0 == 1'], ['self.flag ? false : true']),
  op('in', ["'a' in self.list", "'b' in self.map"], ["'d' in self.list", "'c' in self.map"]),
  op('[]', ["self.list[1] == 'b'", "self.map['a'] == '1'"], ["self.list[0] == 'b'"]),
  op('.', ["self.thing.name == 'x'"], ["self.thing.name == 'y'"]),
  op(
    '.?',
    ["self.?absent.orValue('none') == 'none'", "self.thing.?name.orValue('none') == 'x'"],
    ['self.?absent.hasValue()'],
  ),
  op(
    '[?]',
    ["self.map[?'a'].orValue('none') == '1'", 'self.list[?9].hasValue() == false'],
    ["self.map[?'c'].hasValue()"],
  ),
  op('list', ["self.list == ['a', 'b', 'c']"], ['[1, 2] == [2, 1]']),
  op('map', ["{'a': 1, 'b': 2}['b'] == 2", "{'a': 1} == {'a': 1}"], ["{'a': 1} == {'a': 2}"]),
];

const MACROS: readonly Portable[] = [
  fn('has', [1], ['has(self.text)'], ['has(self.absent)']),
  fn(
    'all',
    [2],
    ['self.numbers.all(n, n > 0)', "self.map.all(k, self.map[k] != '')"],
    ['self.numbers.all(n, n > 1)'],
  ),
  fn('exists', [2], ['self.numbers.exists(n, n == 2)'], ['self.numbers.exists(n, n == 4)']),
  fn('exists_one', [2], ['self.numbers.exists_one(n, n > 2)'], ['self.numbers.exists_one(n, n > 1)']),
  fn(
    'map',
    [2, 3],
    ['self.numbers.map(n, n * 2) == [6, 2, 4]', 'self.numbers.map(n, n > 1, n * 2) == [6, 4]'],
    ['self.numbers.map(n, n) == [1, 2, 3]'],
  ),
  fn(
    'filter',
    [2],
    ['self.numbers.filter(n, n > 1) == [3, 2]'],
    ['self.numbers.filter(n, n > 1).size() == 3'],
  ),
];

const TYPES: readonly Portable[] = [
  fn('int', [1], ["int('42') == 42", 'int(self.ratio) == 2', 'int(-2.9) == -2'], ["int('42') == 43"]),
  fn('double', [1], ['double(self.number) == 7.0', "double('2.5') == self.ratio"], ['double(1) == 2.0']),
  fn('string', [1], ["string(self.number) == '7'", "string(self.flag) == 'true'"], ["string(1) == '2'"]),
  fn('bool', [1], ["bool('true')"], ["bool('false')"]),
  fn('bytes', [1], ["bytes('é').size() == 2"], ["bytes('é').size() == 1"]),
  fn('dyn', [1], ['dyn(self.number) == 7'], ['dyn(self.number) == 8']),
  fn('type', [1], ['type(self.number) == int', 'type(self.text) == string'], ['type(self.number) == string']),
  fn(
    'timestamp',
    [1],
    ["timestamp('2026-01-31T12:34:56Z') == self.at"],
    ["timestamp('2026-01-31T12:34:57Z') <= self.at"],
  ),
  fn(
    'duration',
    [1],
    ["duration('90m') == self.wait", "self.at + duration('4s') == timestamp('2026-01-31T12:35:00Z')"],
    ["duration('91m') <= self.wait"],
  ),
  fn(
    'size',
    [0, 1],
    ['size(self.text) == 12', 'self.list.size() == 3', 'size(self.map) == 2', "'é'.size() == 1"],
    ['size(self.list) == 2'],
  ),
];

const STRINGS: readonly Portable[] = [
  fn('startsWith', [1], ["self.text.startsWith('Hello')"], ["self.text.startsWith('hello')"]),
  fn('endsWith', [1], ["self.text.endsWith('World')"], ["self.text.endsWith('Worl')"]),
  fn('contains', [1], ["self.text.contains(', ')"], ["self.text.contains('x')"]),
  fn(
    'matches',
    [1],
    ["self.text.matches('^[A-Z][a-z]+, W')", "self.text.matches('o, W')"],
    ["self.text.matches('^World')"],
  ),
  fn(
    'lowerAscii',
    [0],
    ["self.text.lowerAscii() == 'hello, world'"],
    ['self.text.lowerAscii() == self.text'],
  ),
  fn(
    'upperAscii',
    [0],
    ["self.text.upperAscii() == 'HELLO, WORLD'"],
    ['self.text.upperAscii() == self.text'],
  ),
  fn('trim', [0], ["'  a b '.trim() == 'a b'"], ["' a'.trim() == ' a'"]),
  fn(
    'indexOf',
    [1, 2],
    ["self.text.indexOf('o') == 4", "self.text.indexOf('o', 5) == 8", "self.text.indexOf('x') == -1"],
    ["self.text.indexOf('H') == 1"],
  ),
  fn(
    'lastIndexOf',
    [1, 2],
    ["self.text.lastIndexOf('o') == 8", "self.text.lastIndexOf('o', 7) == 4"],
    ["self.text.lastIndexOf('o') == 4"],
  ),
  fn(
    'substring',
    [1, 2],
    ["self.text.substring(7) == 'World'", "self.text.substring(0, 5) == 'Hello'"],
    ["self.text.substring(1, 2) == 'H'"],
  ),
  fn(
    'split',
    [1, 2],
    ["'a,b,c'.split(',') == ['a', 'b', 'c']", "'a,b,c'.split(',', 2) == ['a', 'b,c']"],
    ["'a,b'.split(',').size() == 1"],
  ),
  fn(
    'join',
    [0, 1],
    ["self.list.join() == 'abc'", "self.list.join('-') == 'a-b-c'"],
    ["self.list.join('-') == 'abc'"],
  ),
];

const TIMES: readonly Portable[] = [
  fn('getFullYear', [0], ['self.at.getFullYear() == 2026'], ['self.at.getFullYear() == 2025']),
  fn('getMonth', [0], ['self.at.getMonth() == 0'], ['self.at.getMonth() == 1']),
  fn('getDate', [0], ['self.at.getDate() == 31'], ['self.at.getDate() == 30']),
  fn('getDayOfMonth', [0], ['self.at.getDayOfMonth() == 30'], ['self.at.getDayOfMonth() == 31']),
  fn('getDayOfWeek', [0], ['self.at.getDayOfWeek() == 6'], ['self.at.getDayOfWeek() == 5']),
  fn('getDayOfYear', [0], ['self.at.getDayOfYear() == 30'], ['self.at.getDayOfYear() == 31']),
  fn(
    'getHours',
    [0, 1],
    ['self.at.getHours() == 12', "self.at.getHours('America/New_York') == 7", 'self.wait.getHours() == 1'],
    ['self.at.getHours() == 13'],
  ),
  fn(
    'getMinutes',
    [0, 1],
    ['self.at.getMinutes() == 34', 'self.wait.getMinutes() == 90'],
    ['self.wait.getMinutes() == 30'],
  ),
  fn(
    'getSeconds',
    [0, 1],
    ['self.at.getSeconds() == 56', 'self.wait.getSeconds() == 5400'],
    ['self.at.getSeconds() == 0'],
  ),
  fn('getMilliseconds', [0], ['self.at.getMilliseconds() == 0'], ['self.at.getMilliseconds() == 1']),
];

const OPTIONALS: readonly Portable[] = [
  fn('of', [1], ['optional.of(1).hasValue()'], ['optional.of(1).value() == 2']),
  fn('none', [0], ['!optional.none().hasValue()'], ['optional.none().hasValue()']),
  fn('hasValue', [0], ['self.?text.hasValue()'], ['self.?absent.hasValue()']),
  fn('value', [0], ['self.?number.value() == 7'], ['self.?number.value() == 8']),
  fn(
    'or',
    [1],
    ['self.?absent.or(self.?text).value() == self.text'],
    ["self.?absent.or(optional.of('y')).value() == 'z'"],
  ),
  fn('orValue', [1], ["self.?absent.orValue('y') == 'y'"], ["self.?text.orValue('y') == 'y'"]),
];

const QUANTITIES: readonly Portable[] = [
  fn('quantity', [1], ["quantity('1.5') == quantity(self.amount)"], ["quantity('1') == quantity('1.1')"]),
  fn('isQuantity', [1], ["isQuantity('1Gi')"], ["isQuantity('1GiB')"]),
  fn(
    'compareTo',
    [1],
    ["quantity('200M').compareTo(quantity('0.2G')) == 0"],
    ["quantity('50Mi').compareTo(quantity('50M')) == -1"],
  ),
  fn(
    'isGreaterThan',
    [1],
    ["quantity(self.amount).isGreaterThan(quantity('1'))"],
    ["quantity('0.1').isGreaterThan(quantity('0.10'))"],
  ),
  fn(
    'isLessThan',
    [1],
    ["quantity('0.000000001').isLessThan(quantity('0.000000002'))"],
    ["quantity('2').isLessThan(quantity('1'))"],
  ),
  fn(
    'add',
    [1],
    ["quantity('1').add(quantity('500m')) == quantity(self.amount)", "quantity('1').add(2) == quantity('3')"],
    ["quantity('1').add(1) == quantity('1')"],
  ),
  fn(
    'sub',
    [1],
    ["quantity(self.amount).sub(quantity('0.5')) == quantity('1')"],
    ["quantity('1').sub(1) == quantity('1')"],
  ),
  fn('isInteger', [0], ["quantity('50k').isInteger()"], ['quantity(self.amount).isInteger()']),
  fn('asInteger', [0], ["quantity('50k').asInteger() == 50000"], ["quantity('1Ki').asInteger() == 1000"]),
  fn(
    'asApproximateFloat',
    [0],
    ['quantity(self.amount).asApproximateFloat() == 1.5'],
    ["quantity('2').asApproximateFloat() < 1.9"],
  ),
];

/** The list, by what a reader looks for. */
export const PORTABLE: Readonly<Record<string, readonly Portable[]>> = {
  Operators: OPERATORS,
  Macros: MACROS,
  Types: TYPES,
  Strings: STRINGS,
  Times: TIMES,
  Optionals: OPTIONALS,
  Quantities: QUANTITIES,
};

export interface Probe {
  readonly id: string;
  readonly expression: string;
  readonly holds: boolean;
}

/** Every expression above, under a name of its own. */
export function probes(): Probe[] {
  const all = Object.values(PORTABLE).flat();
  return all.flatMap(({ name, holds, fails }, index) => [
    ...holds.map((expression, place) => ({ id: `${index}-h${place}`, expression, holds: true, name })),
    ...fails.map((expression, place) => ({ id: `${index}-f${place}`, expression, holds: false, name })),
  ]);
}

/** Nodes of a syntax tree that are no operation of their own. */
const PLAIN = new Set(['id', 'value']);

/** What a parsed expression uses that is not on the list: names of functions and macros, operators. */
export function unlistedIn(tree: unknown): string[] {
  const all = Object.values(PORTABLE).flat();
  const found = new Set<string>();
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) for (const inner of node) visit(inner);
    if (typeof node !== 'object' || node === null || !('op' in node) || !('args' in node)) return;
    const { op: operation, args } = node;
    if ((operation === 'call' || operation === 'rcall') && Array.isArray(args)) {
      const [name, ...rest] = args as unknown[];
      const given = rest.at(-1);
      const count = Array.isArray(given) ? given.length : 0;
      const known = all.some((one) => one.name === name && one.args?.includes(count) === true);
      if (!known) found.add(`${String(name)}() with ${count} argument${count === 1 ? '' : 's'}`);
      visit(rest);
      return;
    }
    const listed = all.some(({ name, args: ofFunction }) => name === operation && ofFunction === undefined);
    if (!listed && !PLAIN.has(String(operation))) found.add(`the operator ${String(operation)}`);
    visit(args);
  };
  visit(tree);
  return [...found];
}
