// Where the embedded server may differ from the real one, and why. Nothing else may.

import type { Exchange, Value } from './format.ts';
import type { Difference } from './match.ts';

type Fields = { [key: string]: Value };
const isFields = (value: Value | undefined): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

interface AllowedDifference {
  readonly why: string;
  /** The difference is of this sort. */
  allows(difference: Difference, exchange: Exchange): boolean;
}

const path = (pattern: RegExp) => (difference: Difference) => pattern.test(difference.path);
const of =
  (url: RegExp, where: RegExp) =>
  (difference: Difference, { request }: Exchange) =>
    url.test(request.url) && where.test(difference.path);

export const ALLOWED: readonly AllowedDifference[] = [
  {
    why: 'The embedded server is not built by Go: /version tells what it follows, not what it is built of.',
    allows: of(/^\/version/, /^\.body\.(gitVersion|gitCommit|goVersion|compiler|buildDate|platform)$/),
  },
  {
    why: 'Whether the index of OpenAPI is unchanged depends on its Last-Modified there, and on an ETag only here.',
    allows: (_, { request, answer }) => request.url.startsWith('/openapi/v3') && answer.status === 304,
  },
  {
    why: 'Controllers establish a definition there, one step after the other; here it is established when it is made.',
    allows: of(
      /customresourcedefinitions/,
      /^\.body(\.items\[\d+\]|\.rows\[\d+\]\.object)?\.(status|metadata\.(finalizers|managedFields))|^\[\d+\]\.object\.(status|metadata\.(finalizers|managedFields))/,
    ),
  },
  {
    why: 'kubectl shows the names of columns, never their descriptions; those of built-in kinds are left out.',
    allows: path(/\.columnDefinitions\[\d+\]\.description$/),
  },
  {
    why: 'Quotas, limits and devices are no kinds that are served here; kubectl takes the 404 for "there are none".',
    allows: (_, { request }) => /\/(resourcequotas|limitranges|resourceslices)\b/.test(request.url),
  },
  {
    why: 'What cannot be read as a selector is refused with what can.',
    allows: (difference, { request }) =>
      difference.path === '.body.message' &&
      /(label|field)Selector=/.test(request.url) &&
      /unable to parse requirement|field label not supported/.test(String(difference.actual)),
  },
  {
    why: 'Nodes are not tainted here: the process node registers when it is ready, and nothing else schedules.',
    allows: of(/\/nodes/, /\.spec\.taints$/),
  },
  {
    why: "What Go's decoders say about a body that is no object, or of another kind, names Go types.",
    allows: (difference, { request, answer }) =>
      difference.path === '.body.message' &&
      answer.status === 400 &&
      (request.method === 'POST' || request.url.includes('continue=')) &&
      /Go value of type|unknown conversion|invalid continue token/.test(String(difference.recorded)),
  },
  {
    why: 'The real server validates finalizers of custom resources twice, and tells of it twice.',
    allows: (difference) =>
      difference.path === '.body.details.causes[1]' &&
      JSON.stringify(difference.recorded).includes('no new finalizers'),
  },
];

/** Brought into one order on both sides, since the order says nothing. */
export function ordered(value: Value): Value {
  if (Array.isArray(value)) return value.map(ordered);
  if (!isFields(value)) return value;
  const entries = Object.entries(value).map(([name, inner]): [string, Value] => {
    const sorted = ordered(inner);
    return [name, Array.isArray(sorted) ? inOrder(name, sorted) : sorted];
  });
  return Object.fromEntries(entries);
}

const ORDER: Readonly<Record<string, readonly string[]>> = {
  // By time, then by name: a replay is faster than the recording.
  managedFields: ['operation', 'manager', 'apiVersion', 'subresource'],
  // Of definitions, as they happened to become known.
  resources: ['name', 'resource'],
};

function inOrder(name: string, list: Value[]): Value[] {
  const keys = ORDER[name];
  if (keys === undefined) return list;
  const key = (item: Value): string =>
    isFields(item) ? keys.map((part) => String(item[part] ?? '')).join('\0') : String(item);
  return list.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}
