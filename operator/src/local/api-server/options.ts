import type { WriteOptions } from './api.js';
import { badRequest, invalidOptions } from './api-error.js';
import type { DeleteWish, Propagation } from './deletion.js';
import { fieldError } from './field-errors.js';
import type { Call } from './http-server.js';
import { isObject, type Json, stringAt } from './json.js';
import type { Included } from './present.js';

/** The parameters of requests, read and checked. */

const MAX_MANAGER = 128;

/** CreateOptions, UpdateOptions, PatchOptions. */
export function writeOptions(call: Call, options: string): WriteOptions {
  const wanted = call.query.get('fieldValidation') ?? 'Warn';
  const fieldValidation = wanted === '' ? 'Warn' : wanted;
  if (fieldValidation !== 'Strict' && fieldValidation !== 'Warn' && fieldValidation !== 'Ignore') {
    const problem = fieldError.unsupported('fieldValidation', fieldValidation, [
      '',
      'Ignore',
      'Strict',
      'Warn',
    ]);
    throw invalidOptions(options, problem);
  }
  return {
    fieldValidation,
    dryRun: dryRun(call.query.getAll('dryRun'), options),
    manager: managerOf(call, options),
  };
}

/** Who is noted for the fields of a write: as it says itself, else the name of the program. */
function managerOf(call: Call, options: string): string {
  const named = call.query.get('fieldManager') ?? '';
  if (named.length > MAX_MANAGER)
    throw invalidOptions(options, fieldError.tooLong('fieldManager', MAX_MANAGER));
  return named === '' ? (call.userAgent.split('/', 1)[0] ?? '').slice(0, MAX_MANAGER) || 'unknown' : named;
}

export function dryRun(values: readonly string[], options: string): boolean {
  if (values.some((value) => value !== 'All')) {
    const problem = fieldError.unsupported('dryRun', values, ['All']);
    throw invalidOptions(options, problem);
  }
  return values.length > 0;
}

const PROPAGATIONS = ['Foreground', 'Background', 'Orphan'];

/** DeleteOptions of the body, or without one of the query. */
export function deleteWish(body: Json | undefined, query: URLSearchParams): DeleteWish {
  const given = isObject(body) ? body : undefined;
  const propagation =
    (given === undefined ? query.get('propagationPolicy') : stringAt(given, 'propagationPolicy')) ??
    'Background';
  if (!PROPAGATIONS.includes(propagation)) {
    const problem = fieldError.unsupported('propagationPolicy', propagation, [...PROPAGATIONS, 'nil']);
    throw invalidOptions('DeleteOptions', problem);
  }
  const uid = stringAt(given, 'preconditions', 'uid');
  const resourceVersion = stringAt(given, 'preconditions', 'resourceVersion');
  const grace = graceOf(given, query);
  const wanted = given === undefined ? query.getAll('dryRun') : listOf(given['dryRun']);
  return {
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(grace === undefined ? {} : { graceSeconds: grace }),
    propagation: given?.['orphanDependents'] === true ? 'Orphan' : (propagation as Propagation),
    dryRun: dryRun(wanted, 'DeleteOptions'),
  };
}

function graceOf(body: Json | undefined, query: URLSearchParams): number | undefined {
  const fromBody = isObject(body) ? body['gracePeriodSeconds'] : undefined;
  const value =
    fromBody ?? (query.has('gracePeriodSeconds') ? Number(query.get('gracePeriodSeconds')) : undefined);
  if (value === undefined || value === null) return undefined;
  if (!Number.isInteger(value) || Number(value) < 0)
    throw badRequest(`gracePeriodSeconds must be an integer of at least 0, got ${JSON.stringify(value)}`);
  return Number(value);
}

function listOf(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

export function includedOf(query: URLSearchParams): Included {
  const wanted = query.get('includeObject') ?? 'Metadata';
  if (wanted === 'None' || wanted === 'Metadata' || wanted === 'Object') return wanted;
  throw badRequest(`includeObject must be None, Metadata or Object, got "${wanted}"`);
}

/** '' and 0 say "whatever there is". */
export function versionOf(query: URLSearchParams): number {
  const text = query.get('resourceVersion') ?? '';
  if (/^[0-9]*$/.test(text)) return Number(text);
  throw badRequest(
    `invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
  );
}

/** resourceVersionMatch of a list. */
export function checkListOptions(query: URLSearchParams): void {
  const match = query.get('resourceVersionMatch') ?? '';
  if (match === '') return;
  const refuse = (detail: string) =>
    invalidOptions('ListOptions', fieldError.forbidden('resourceVersionMatch', detail));
  if ((query.get('resourceVersion') ?? '') === '')
    throw refuse('resourceVersionMatch is forbidden unless resourceVersion is provided');
  if (match === 'Exact')
    throw badRequest(
      'resourceVersionMatch=Exact is not supported: old states are not kept; leave it out for the newest',
    );
}

export function isTrue(value: string | null): boolean {
  return value === 'true' || value === '1' || value === '';
}
