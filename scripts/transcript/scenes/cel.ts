// What the real server says to each expression of the list of portable CEL.
import { PROBE, probes } from '../../../operator/src/local/api-server/cel/portable.ts';
import type { Value } from '../format.ts';
import type { Take } from '../recorder.ts';

const text = (maxLength: number): Value => ({ type: 'string', maxLength });
const list = (items: Value): Value => ({ type: 'array', maxItems: 4, items });
const properties: Value = {
  probe: text(16),
  text: text(32),
  absent: text(32),
  number: { type: 'integer' },
  ratio: { type: 'number' },
  flag: { type: 'boolean' },
  list: list(text(8)),
  numbers: list({ type: 'integer' }),
  map: { type: 'object', maxProperties: 4, additionalProperties: text(8) },
  at: { type: 'string', format: 'date-time' },
  wait: { type: 'string', format: 'duration' },
  amount: text(16),
  thing: { type: 'object', properties: { name: text(8) } },
};
const group = 'cel.flashpod.dev';

/** Each object says which expression it is about; the other rules let it pass. */
const definition: Value = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `probes.${group}` },
  spec: {
    group,
    scope: 'Cluster',
    names: { kind: 'Probe', plural: 'probes' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            required: ['spec'],
            properties: {
              spec: {
                type: 'object',
                required: ['probe', ...Object.keys(PROBE)],
                properties,
                'x-kubernetes-validations': probes().map(({ id, expression }) => ({
                  rule: `self.probe != '${id}' || (${expression})`,
                  message: `${id} fails`,
                })),
              },
            },
          },
        },
      },
    ],
  },
};

export const celScenes = [
  async (take: Take) => {
    const made = await take.direct(
      'POST',
      '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
      definition,
    );
    if (JSON.stringify(made).includes('"Failure"')) throw new Error(JSON.stringify(made));
    const path = `/apis/${group}/v1/probes`;
    await take.settled(path, (_, status) => status === 200);
    for (const { id, holds } of probes()) {
      const spec = { probe: id, ...PROBE } as unknown as Value;
      const answer = await take.direct('POST', `${path}?dryRun=All`, {
        apiVersion: `${group}/v1`,
        kind: 'Probe',
        metadata: { name: `probe-${id}` },
        spec,
      });
      const held =
        JSON.stringify(answer).includes('"Probe"') && !JSON.stringify(answer).includes('"Failure"');
      if (held !== holds)
        process.stderr.write(`${id} is ${held} on the real server: ${JSON.stringify(answer)}\n`);
    }
  },
];
