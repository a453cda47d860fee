import { isObject, type Json, stringAt } from '../json.js';
import { builtinSchema, OBJECT_META } from '../openapi/builtin.js';
import { SchemaError } from '../schema/schema-error.js';
import { since } from './age.js';
import { type Column, column } from './column.js';
import { compileJsonPath } from './json-path.js';

const TYPES = new Set(['integer', 'number', 'string', 'boolean', 'date']);

/** What the documentation says about metadata.name. */
export function nameColumn(priority = 0): Column {
  return column('Name', (object) => object.metadata.name, {
    format: 'name',
    priority,
    get description() {
      const meta = builtinSchema(OBJECT_META);
      return stringAt(meta, 'properties', 'name', 'description') ?? '';
    },
  });
}

export function ageColumn(): Column {
  return column('Age', (object, now) => since(object.metadata['creationTimestamp'], now), { type: 'date' });
}

/** additionalPrinterColumns of a version of a definition; without any, the age. */
export function customColumns(entries: Json | undefined, path: string): Column[] {
  if (!Array.isArray(entries) || entries.length === 0) {
    return [
      nameColumn(),
      {
        ...ageColumn(),
        description: 'Custom resource definition column (in JSONPath format): .metadata.creationTimestamp',
      },
    ];
  }
  return [nameColumn(), ...entries.map((entry, index) => customColumn(entry, `${path}[${index}]`))];
}

function customColumn(entry: Json, path: string): Column {
  if (!isObject(entry)) throw new SchemaError(path, 'must be an object');
  const { name, type, jsonPath, format, description, priority } = entry;
  if (typeof name !== 'string' || name === '') throw new SchemaError(`${path}.name`, 'is required');
  if (typeof type !== 'string' || !TYPES.has(type))
    throw new SchemaError(`${path}.type`, `must be one of ${[...TYPES].join(', ')}`);
  if (typeof jsonPath !== 'string' || !jsonPath.startsWith('.'))
    throw new SchemaError(`${path}.jsonPath`, 'must be a path that begins with a dot, such as .spec.mode');
  const select = compileJsonPath(jsonPath, `${path}.jsonPath`);
  return column(name, (object, now) => cellOf(type, select(object)[0], now), {
    type,
    format: typeof format === 'string' ? format : '',
    priority: typeof priority === 'number' ? priority : 0,
    description:
      typeof description === 'string' && description !== ''
        ? description
        : `Custom resource definition column (in JSONPath format): ${jsonPath}`,
  });
}

/** A value that does not have the type of its column shows nothing. */
function cellOf(type: string, value: Json | undefined, now: number): Json {
  if (value === undefined) return null;
  switch (type) {
    case 'string':
      return typeof value === 'string' ? value : value === null ? '<nil>' : JSON.stringify(value);
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    default:
      return typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? since(value, now) : '<invalid>';
  }
}
