import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApiServer } from './index.js';
import { WIDGET_CRD } from './testing/crd.js';
import { causesOf, TestServer, WIDGETS } from './testing/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

const SKIPPED =
  'FieldValueInvalid <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';

describe('a schema', () => {
  // Wordings as kube-apiserver 1.3x gives them for these mistakes.
  it.each([
    [
      { size: 'big' },
      [
        'FieldValueTypeInvalid spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"',
        SKIPPED,
      ],
    ],
    [
      { size: 1.5 },
      [
        'FieldValueTypeInvalid spec.size: Invalid value: "number": spec.size in body must be of type integer: "number"',
        SKIPPED,
      ],
    ],
    [
      { size: 0 },
      [
        'FieldValueInvalid spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1',
      ],
    ],
    [
      { size: 5000 },
      [
        'FieldValueInvalid spec.size: Invalid value: 5000: spec.size in body should be less than or equal to 1000',
        'FieldValueInvalid spec: Invalid value: a new widget must be smaller than 100',
      ],
    ],
    [
      { color: 'blue' },
      [
        'FieldValueNotSupported spec.color: Unsupported value: "blue": supported values: "red", "green"',
        SKIPPED,
      ],
    ],
    [
      { owner: 'somebody else' },
      ['FieldValueTooLong spec.owner: Too long: may not be more than 8 bytes', SKIPPED],
    ],
    [
      { low: 'x' },
      ['FieldValueInvalid spec.low: Invalid value: "x": spec.low in body should match \'^[0-9.]+$\''],
    ],
    [
      { ratio: 0.3 },
      ['FieldValueInvalid spec.ratio: Invalid value: 0.3: spec.ratio in body should be a multiple of 0.5'],
    ],
    [{ tags: ['a', 'b', 'a'] }, ['FieldValueDuplicate spec.tags[2]: Duplicate value: "a"']],
    [
      { tags: ['a', 'b', 'c', 'd'] },
      ['FieldValueTooMany spec.tags: Too many: 4: must have at most 3 items', SKIPPED],
    ],
    [
      { parts: [{ name: 'a' }, { name: 'a', count: 1 }] },
      ['FieldValueDuplicate spec.parts[1]: Duplicate value: {"name":"a"}'],
    ],
    [{ parts: [{}] }, ['FieldValueRequired spec.parts[0].name: Required value', SKIPPED]],
    [
      { limits: { cpu: -1 } },
      [
        'FieldValueInvalid spec.limits[cpu]: Invalid value: -1: spec.limits[cpu] in body should be greater than or equal to 0',
      ],
    ],
    [
      { port: true },
      [
        'FieldValueTypeInvalid spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"',
        SKIPPED,
      ],
    ],
  ])('refuses %j', async (spec, causes) => {
    const result = await server.widget('w-refused', spec);
    expect(result.status).toBe(422);
    expect(result.body.reason).toBe('Invalid');
    expect(causesOf(result)).toEqual(causes);
  });

  it('tells all that is wrong in one Status of the usual shape', async () => {
    const { body } = await server.call('POST', WIDGETS, {
      metadata: { name: 'w-shape' },
      spec: { color: 'blue' },
    });
    expect(body).toMatchObject({
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      reason: 'Invalid',
      code: 422,
      details: { name: 'w-shape', group: 'test.example.com', kind: 'Widget' },
    });
    expect(body.message).toMatch(
      /^Widget\.test\.example\.com "w-shape" is invalid: \[spec\.color: Unsupported value: .*, spec\.size: Required value, /,
    );
  });

  it('fills in defaults, also within list items and for nulls, and keeps nulls that are allowed', async () => {
    const { body } = await server.widget('w-defaults', {
      color: null,
      parts: [{ name: 'a' }],
      nothing: null,
      port: 80,
    });
    expect(body.spec).toEqual({
      size: 1,
      color: 'red',
      parts: [{ name: 'a', count: 0 }],
      nothing: null,
      port: 80,
    });
  });

  it('drops unknown fields with a warning, keeps them where it says so, and refuses them when asked to', async () => {
    const spec = { size: 1, typo: 1, free: { any: { thing: 1 } }, parts: [{ name: 'a', extra: 1 }] };
    const body = { metadata: { name: 'w-unknown', extra: 1 }, spec };
    const strict = await server.call('POST', `${WIDGETS}?fieldValidation=Strict`, body);
    expect(strict.status).toBe(400);
    expect(strict.body.message).toBe(
      'Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "metadata.extra", unknown field "spec.typo", unknown field "spec.parts[0].extra"',
    );
    const warned = await server.call('POST', WIDGETS, body);
    expect(warned.headers.get('warning')).toContain('299 - "unknown field \\"spec.typo\\""');
    expect(warned.body.spec).toEqual({
      size: 1,
      color: 'red',
      free: { any: { thing: 1 } },
      parts: [{ name: 'a', count: 0 }],
    });
  });
});

describe('rules', () => {
  it('compare quantities exactly and name the field and their own message', async () => {
    // A double cannot tell these two apart.
    const result = await server.widget('w-rule', {
      low: '100000000000000.000000002',
      high: '100000000000000.000000001',
    });
    expect(causesOf(result)).toEqual([
      'FieldValueInvalid spec.low: Invalid value: low 100000000000000.000000002 is above high 100000000000000.000000001',
    ]);
    expect((await server.widget('w-rule', { low: '0.1', high: '0.10' })).status).toBe(201);
  });

  it('at the root see the name', async () => {
    expect((await server.widget('x-name')).body.message).toBe(
      'Widget.test.example.com "x-name" is invalid: <nil>: Invalid value: the name must begin with w',
    );
  });

  it('of transition run on updates only, with their reason', async () => {
    expect((await server.widget('w-owner', { owner: 'me' })).status).toBe(201);
    const result = await server.call('PATCH', `${WIDGETS}/w-owner`, { spec: { owner: 'you' } });
    expect(causesOf(result)).toEqual(['FieldValueForbidden spec.owner: Forbidden: owner cannot change']);
    // There is no old value to compare with when the field was taken out first.
    expect((await server.call('PATCH', `${WIDGETS}/w-owner`, { spec: { owner: null } })).status).toBe(200);
  });

  it('find the earlier self of list items by their keys', async () => {
    await server.widget('w-parts', {
      parts: [
        { name: 'a', count: 5 },
        { name: 'b', count: 1 },
      ],
    });
    const path = `${WIDGETS}/w-parts`;
    const turned = await server.call('PATCH', path, {
      spec: {
        parts: [
          { name: 'b', count: 2 },
          { name: 'a', count: 5 },
          { name: 'c', count: 0 },
        ],
      },
    });
    expect(turned.status).toBe(200);
    const fallen = await server.call('PATCH', path, { spec: { parts: [{ name: 'a', count: 4 }] } });
    expect(causesOf(fallen)).toEqual(['FieldValueInvalid spec.parts[0]: Invalid value: count cannot fall']);
  });

  it('with an optional old self run on both', async () => {
    expect(causesOf(await server.widget('w-big', { size: 200 }))).toEqual([
      'FieldValueInvalid spec: Invalid value: a new widget must be smaller than 100',
    ]);
    await server.widget('w-grows', { size: 50 });
    expect((await server.call('PATCH', `${WIDGETS}/w-grows`, { spec: { size: 200 } })).status).toBe(200);
  });
});

describe('a definition', () => {
  const changed = async (from: string, to: string) => {
    expect(WIDGET_CRD).toContain(from);
    return TestServer.start(WIDGET_CRD.replace(from, to)).then(
      async (started) => {
        await started.stop();
        return 'accepted';
      },
      (error: Error) => error.message,
    );
  };

  it.each([
    ['self.metadata.name.startsWith', 'self.metadata.nane.startsWith', 'No such key: nane'],
    ['self.count >= oldSelf.count', 'self.count >= ', 'cannot be read as CEL'],
    ['self == oldSelf', 'self.size()', 'must give a bool, gives int'],
    ['quantity(self.low)', 'decimal(self.low)', 'decimal'],
    [
      '{ type: integer, minimum: 1, maximum: 1000 }',
      '{ type: integer, minimun: 1 }',
      'keyword "minimun" is not part of a structural schema',
    ],
    ['{ type: integer, minimum: 1, maximum: 1000 }', '{ type: whole }', 'type must be one of'],
    [
      'x-kubernetes-list-map-keys: [name]',
      'x-kubernetes-list-map-keys: [id]',
      'list map key "id" is no property of the items',
    ],
    ['[0-9.]+$', '[0-9.+$', 'is not a regular expression'],
    [
      'name: widgets.test.example.com',
      'name: widget.test.example.com',
      'must be spec.names.plural+"."+spec.group',
    ],
    ['storage: true', 'storage: false', 'must have exactly one version marked as storage version'],
  ])('with %s as %s is refused at the start', async (from, to, message) => {
    const text = await changed(from, to);
    expect(text).toContain('widgets.yaml');
    expect(text).toContain(message);
  });

  it('can come and go while the server runs, with its objects', async () => {
    const definition = {
      metadata: { name: 'gadgets.test.example.com' },
      spec: {
        group: 'test.example.com',
        scope: 'Cluster',
        names: { kind: 'Gadget', plural: 'gadgets' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
          {
            name: 'v2',
            served: true,
            storage: false,
            schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        ],
      },
    };
    const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    const path = '/apis/test.example.com/v1/gadgets';
    expect((await server.call('GET', path)).status).toBe(404);
    const made = await server.call('POST', crds, definition);
    expect(
      made.body.status.conditions.map(
        ({ type, status }: { type: string; status: string }) => `${type}=${status}`,
      ),
    ).toContain('Established=True');
    expect((await server.call('POST', path, { metadata: { name: 'g' }, anything: 1 })).status).toBe(201);
    expect((await server.call('GET', '/apis/test.example.com/v2/gadgets/g')).body).toMatchObject({
      apiVersion: 'test.example.com/v2',
      anything: 1,
    });
    await server.call('DELETE', `${crds}/gadgets.test.example.com`);
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect((await server.call('GET', path)).status).toBe(404);
    expect((await server.call('GET', `${crds}/gadgets.test.example.com`)).status).toBe(404);
  });

  it('that got stricter leaves alone what was there and does not change', async () => {
    await server.widget('w-ratchet', { tags: ['a', 'b', 'c'], low: '1' });
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.test.example.com';
    const { body } = await server.call('GET', path);
    const stricter = structuredClone(body);
    const { properties } = stricter.spec.versions[0].schema.openAPIV3Schema.properties.spec;
    properties.tags.maxItems = 1;
    properties.low['x-kubernetes-validations'] = [{ rule: "self == '2'", message: 'low must be 2' }];
    expect((await server.call('PUT', path, stricter)).status).toBe(200);
    const widget = `${WIDGETS}/w-ratchet`;
    expect((await server.call('PATCH', widget, { spec: { size: 2 } })).status).toBe(200);
    expect((await server.call('PATCH', widget, { spec: { tags: ['a', 'b'] } })).body.message).toContain(
      'spec.tags: Too many: 2',
    );
    expect((await server.call('PATCH', widget, { spec: { low: '3' } })).body.message).toContain(
      'spec.low: Invalid value: "3": low must be 2',
    );
    const { metadata } = (await server.call('GET', path)).body;
    expect((await server.call('PUT', path, { ...body, metadata })).status).toBe(200);
  });

  it('that cannot be read stops the start with the file', async () => {
    await expect(startApiServer({ crdDir: '/nonexistent' })).rejects.toThrow('/nonexistent');
    expect(await changed('apiVersion: apiextensions.k8s.io/v1', 'apiVersion: [')).toContain('widgets.yaml');
  });
});
