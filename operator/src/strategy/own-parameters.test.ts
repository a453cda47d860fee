import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { labels } from '../api/names.js';
import { StrategyInstances, TradingStrategies } from '../api/resources.js';
import { ConfigMaps, findCondition, Pods } from '../kube/index.js';
import { Desk, namespace, strategy } from '../testing/desk.js';
import { ownParameters } from './own-parameters.js';
import { ParameterChecks } from './parameters.js';

const schema = (properties: object) =>
  JSON.stringify({ type: 'object', properties, additionalProperties: false });
const levels = schema({ levels: { type: 'integer', minimum: 1 } });
const own = {
  strategy: 'my-strategy',
  image: 'desk/my-strategy:1.0.0',
  parametersSchemaRef: { name: 'my-strategy-schema', key: 'schema.json' },
};
const configMap = (data: Record<string, string>, labelled = true) => ({
  metadata: {
    name: 'my-strategy-schema',
    namespace,
    ...(labelled ? { labels: { [labels.parametersSchema]: '' } } : {}),
  },
  data,
});
const spec = { ...strategy('s').spec, ...own };

test('a schema checks the parameters of its own strategy and of no other', () => {
  const checks = ownParameters(spec, configMap({ 'schema.json': levels }));
  expect(checks).toBeInstanceOf(ParameterChecks);
  const { check, has } = checks as ParameterChecks;
  expect(has.call(checks, 'imbalance-maker')).toBe(false);
  expect(check.call(checks, 'my-strategy', { levels: 0 })).toMatchObject([
    { field: 'spec.parameters.levels', value: 0, accepted: 'a number >= 1' },
  ]);
  // Compiled once, however often the strategy is looked at.
  expect(ownParameters(spec, configMap({ 'schema.json': levels }))).toBe(checks);
});

test.each([
  [
    undefined,
    'SchemaNotFound',
    'a ConfigMap of this namespace with the label trading.flashpod.dev/parameters-schema',
  ],
  [configMap({ 'schema.json': levels }, false), 'SchemaNotFound', 'with the label'],
  [configMap({ other: levels }), 'SchemaNotFound', 'a key of ConfigMap my-strategy-schema: other'],
  [configMap({ 'schema.json': '{' }), 'SchemaInvalid', 'a JSON schema under schema.json'],
  [configMap({ 'schema.json': '[]' }), 'SchemaInvalid', 'this is []'],
  [configMap({ 'schema.json': '{"type":"wings"}' }), 'SchemaInvalid', 'type'],
  [configMap({ 'schema.json': '{"$async":true}' }), 'SchemaInvalid', '$async, which is not accepted'],
  [configMap({ 'schema.json': `"${'x'.repeat(300_000)}"` }), 'SchemaInvalid', 'at most 262144 are read'],
])(
  'a schema that is missing or none is a problem with field, value and what is accepted',
  (found, reason, accepted) => {
    expect(ownParameters(spec, found)).toMatchObject({
      reason,
      field: expect.stringMatching(/^spec\.parametersSchemaRef\.(name|key)$/),
      accepted: expect.stringContaining(accepted),
    });
  },
);

test.each([
  [schema({ name: { type: 'string', pattern: '^(a+)+$' } }), 'timed out'],
  ['{"$ref":"#"}', 'call stack'],
])('a schema that cannot be checked to its end refuses the parameters: %s', (text, why) => {
  const checks = ownParameters(spec, configMap({ 'schema.json': text })) as ParameterChecks;
  const parameters = { name: `${'a'.repeat(60)}!` };
  const [problem] = checks.check('my-strategy', parameters);
  expect(problem).toMatchObject({ reason: 'ParameterInvalid', field: 'spec.parameters', value: parameters });
  expect(problem?.accepted).toContain(why);
  // Not begun for ever again: the strategy is looked at with every change of its figures.
  checks.check('my-strategy', parameters);
  checks.check('my-strategy', { name: 'b' });
  const [third] = checks.check('my-strategy', parameters);
  expect(checks.check('my-strategy', { ...parameters })[0]).toBe(third);
  expect(checks.check('my-strategy', { other: 1 })[0]).not.toBe(third);
});

test('of many wrong parameters the first ones are told', () => {
  const checks = ownParameters(spec, configMap({ 'schema.json': levels })) as ParameterChecks;
  const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`p${index}`, 1]));
  expect(checks.check('my-strategy', many)).toHaveLength(20);
});

describe('at a desk', () => {
  let desk: Desk;
  beforeEach(async () => {
    desk = await Desk.start();
    await desk.core.start();
    desk.startOperator();
    await desk.startAgent('pod-1');
  });
  afterEach(() => desk.stop());

  test('a strategy with an image of its own waits for its schema, is checked against it, and runs in that image', async () => {
    await desk.create(strategy('mine', { ...own, parameters: { levels: 3 } }));
    const accepted = (status: string, reason: string) =>
      desk.until(TradingStrategies, 'mine', (object) => {
        const condition = findCondition(object?.status?.conditions, 'Accepted');
        return condition?.status === status && condition.reason === reason;
      });
    await accepted('False', 'SchemaNotFound');
    const maps = desk.client.of(ConfigMaps);
    await maps.create(configMap({ 'schema.json': schema({ depth: { type: 'integer' } }) }));
    await accepted('False', 'ParameterInvalid');
    const key = { namespace, name: 'my-strategy-schema' };
    await maps.mergePatch(key, { data: { 'schema.json': levels } });
    await accepted('True', 'Valid');
    const { status } = await desk.until(
      TradingStrategies,
      'mine',
      (object) => object?.status?.instance !== undefined,
    );
    const name = status?.instance ?? '';
    expect((await desk.client.of(StrategyInstances).get({ namespace, name })).spec.image).toBe(own.image);
    const pod = await desk.until(Pods, name, (object) => object !== undefined);
    expect(pod.spec?.containers[0]).toMatchObject({ image: own.image, args: ['--strategy', 'my-strategy'] });
  });

  test('image and schema go together', async () => {
    const half = { ...own, parametersSchemaRef: undefined } as never;
    await expect(desk.create(strategy('half', half))).rejects.toThrow(
      'image and parametersSchemaRef go together',
    );
  });
});
