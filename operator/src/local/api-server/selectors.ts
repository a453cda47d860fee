import { badRequest } from './api-error.js';
import { isObject } from './json.js';
import type { ApiObject, Kind } from './kinds/kind.js';

export type Selector = (object: ApiObject) => boolean;

const everything: Selector = () => true;

/** Label and field selector of a list or watch, joined. */
export function selectorOf(kind: Kind, query: URLSearchParams): Selector {
  const labels = labelSelector(query.get('labelSelector') ?? '');
  const fields = fieldSelector(kind, query.get('fieldSelector') ?? '');
  if (labels === everything) return fields;
  if (fields === everything) return labels;
  return (object) => labels(object) && fields(object);
}

const KEY = '[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?';
const VALUE = '[-A-Za-z0-9_.]*';
const EQUALITY = new RegExp(`^(${KEY})\\s*(==|=|!=)\\s*(${VALUE})$`);
const SET = new RegExp(`^(${KEY})\\s+(in|notin)\\s*\\(([^()]*)\\)$`);
const EXISTENCE = new RegExp(`^(!?)\\s*(${KEY})$`);

export function labelSelector(text: string): Selector {
  const terms = splitTopLevel(text).map(labelTerm);
  return terms.length === 0 ? everything : (object) => terms.every((term) => term(object));
}

function labelTerm(term: string): Selector {
  const equality = EQUALITY.exec(term);
  if (equality !== null) {
    const [, key = '', operator, value] = equality;
    return operator === '!='
      ? (object) => labelOf(object, key) !== value
      : (object) => labelOf(object, key) === value;
  }
  const set = SET.exec(term);
  if (set !== null) {
    const [, key = '', operator, list = ''] = set;
    const values = new Set(list.split(',').map((value) => value.trim()));
    const inside: Selector = (object) => values.has(labelOf(object, key) ?? '\0');
    return operator === 'in' ? inside : (object) => !inside(object);
  }
  const existence = EXISTENCE.exec(term);
  if (existence !== null) {
    const [, not, key = ''] = existence;
    return (object) => (labelOf(object, key) !== undefined) === (not === '');
  }
  throw badRequest(
    `unable to parse requirement: "${term}": expected key=value, key!=value, key in (a,b), key notin (a,b), key or !key`,
  );
}

function labelOf(object: ApiObject, key: string): string | undefined {
  const { labels } = object.metadata;
  return isObject(labels) && Object.hasOwn(labels, key) ? String(labels[key]) : undefined;
}

function fieldSelector(kind: Kind, text: string): Selector {
  const terms = splitTopLevel(text).map((term): Selector => {
    const match = /^([^=!]+?)\s*(==|=|!=)\s*(.*)$/.exec(term);
    if (match === null) throw badRequest(`invalid selector: '${term}'; can't understand '${term}'`);
    const [, field = '', operator, wanted] = match;
    const read = fieldReader(kind, field);
    return operator === '!=' ? (object) => read(object) !== wanted : (object) => read(object) === wanted;
  });
  return terms.length === 0 ? everything : (object) => terms.every((term) => term(object));
}

function fieldReader(kind: Kind, field: string): (object: ApiObject) => string {
  if (field === 'metadata.name') return (object) => object.metadata.name;
  if (field === 'metadata.namespace' && kind.namespaced)
    return (object) => String(object.metadata['namespace'] ?? '');
  const read = kind.selectable.get(field);
  if (read !== undefined) return read;
  const known = [
    'metadata.name',
    ...(kind.namespaced ? ['metadata.namespace'] : []),
    ...kind.selectable.keys(),
  ];
  throw badRequest(`field label not supported: ${field}; supported for ${kind.plural}: ${known.join(', ')}`);
}

/** Splits at commas that are not inside parentheses. */
function splitTopLevel(text: string): string[] {
  const terms = text.split(/,(?![^(]*\))/).map((term) => term.trim());
  return terms.filter((term) => term !== '');
}
