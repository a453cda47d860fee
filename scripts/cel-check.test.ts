import { expect, it } from 'vitest';
import { complaintsAbout } from './cel-check.ts';

const definition = (rule: string) => `
spec:
  versions:
    - schema:
        openAPIV3Schema:
          properties:
            spec:
              x-kubernetes-validations: [{ rule: ${JSON.stringify(rule)}, message: m }]
`;

it('rules of the listed functions and macros pass', () => {
  const rule =
    "has(self.a) && self.l.all(x, x.startsWith('a')) && quantity(self.q).isLessThan(quantity('1'))";
  expect(complaintsAbout('x.yaml', definition(rule))).toEqual([]);
});

it.each([
  ['self.l.sum() > 1', 'sum() with 0 arguments'],
  ['isURL(self.u)', 'isURL() with 1 argument'],
  ['cel.bind(x, 1, x == 1)', 'bind() with 3 arguments'],
  ["self.s.indexOf('a', 1, 2) == 1", 'indexOf() with 3 arguments'],
  ["quantity('1').sign() == 1", 'sign() with 0 arguments'],
])('the rule %s is refused for %s', (rule, use) => {
  expect(complaintsAbout('x.yaml', definition(rule))).toEqual([
    `x.yaml: the rule ${JSON.stringify(rule)} uses ${use}, which is not listed in docs/cel.md`,
  ]);
});

it('a rule that is no CEL is refused', () => {
  expect(complaintsAbout('x.yaml', definition('self.a ==='))[0]).toContain('cannot be read');
});

it('message expressions are read too', () => {
  const text = definition('true').replace('message: m', 'messageExpression: "\'a\'.reverse()"');
  expect(complaintsAbout('x.yaml', text)[0]).toContain('reverse() with 0 arguments');
});
