import type { KubeStatus, StatusCause } from '../../kube/types.js';
import type { FieldError } from './field-errors.js';
import type { Kind } from './kinds/kind.js';

/** A refusal; its body is the metav1.Status that Kubernetes would send. */
export class ApiError extends Error {
  readonly code: number;
  readonly status: KubeStatus;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: number,
    reason: string,
    message: string,
    details?: KubeStatus['details'],
    headers: Record<string, string> = {},
  ) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.headers = headers;
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      ...(reason === '' ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
      code,
    };
  }
}

/** `tradingstrategies.trading.flashpod.dev`, `pods`. */
export function qualified(kind: Pick<Kind, 'group' | 'plural'>): string {
  return kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`;
}

function about(
  kind: Kind,
  name: string,
  more: { causes?: StatusCause[]; uid?: string } = {},
): NonNullable<KubeStatus['details']> {
  return {
    ...(name === '' ? {} : { name }),
    ...(kind.group === '' ? {} : { group: kind.group }),
    kind: kind.plural,
    ...more,
  };
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message);
}

export function notFound(kind: Kind, name: string): ApiError {
  return new ApiError(404, 'NotFound', `${qualified(kind)} "${name}" not found`, about(kind, name));
}

/** There is no such path, or none that this server serves. */
export function noSuchResource(): ApiError {
  return new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});
}

/** Of a path outside the API, or in a group that is not served, the real server says no more than this. */
export class PageNotFound extends ApiError {
  constructor() {
    super(404, 'NotFound', '404 page not found');
    this.name = 'PageNotFound';
  }
}

/** A wrong parameter, reported as a field of the options object that it would be in. */
export function invalidOptions(options: string, error: FieldError): ApiError {
  const { reason, message, field } = error;
  return new ApiError(422, 'Invalid', `${options}.meta.k8s.io "" is invalid: ${field}: ${message}`, {
    group: 'meta.k8s.io',
    kind: options,
    causes: [{ reason, message, field }],
  });
}

/** What the caller expected of an object that it wants to delete is not so. */
export function preconditionFailed(kind: Kind, name: string, why: string): ApiError {
  const title = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
  const details = { ...about(kind, name), kind: kind.kind };
  return new ApiError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${title} "${name}": ${why}`,
    details,
  );
}

export function alreadyExists(kind: Kind, name: string): ApiError {
  return new ApiError(409, 'AlreadyExists', `${qualified(kind)} "${name}" already exists`, about(kind, name));
}

export function conflict(kind: Kind, name: string, why: string): ApiError {
  return new ApiError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(kind)} "${name}": ${why}`,
    about(kind, name),
  );
}

export const MODIFIED =
  'the object has been modified; please apply your changes to the latest version and try again';

export function forbidden(kind: Kind, name: string, why: string): ApiError {
  return new ApiError(
    403,
    'Forbidden',
    `${qualified(kind)} "${name}" is forbidden: ${why}`,
    about(kind, name),
  );
}

/** Schema, rules and metadata: every complaint with its field. */
export function invalid(kind: Kind, name: string, errors: readonly FieldError[]): ApiError {
  // The object itself has the nil path, which Go prints so.
  const named = errors.map((error) => (error.field === '' ? { ...error, field: '<nil>' } : error));
  const texts = [...new Set(named.map((error) => `${error.field}: ${error.message}`))];
  const title = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
  const list = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  const causes = named.map(({ reason, message, field }) => ({ reason, message, field }));
  const details = { ...about(kind, name, { causes }), kind: kind.kind };
  return new ApiError(422, 'Invalid', `${title} "${name}" is invalid: ${list}`, details);
}

/** The verb exists in Kubernetes, but not here. `accepted` says what does. */
export function methodNotAllowed(kind: Kind, verb: string, accepted: string): ApiError {
  const message = `the server does not allow ${verb} on ${qualified(kind)}: the embedded API server accepts ${accepted}`;
  return new ApiError(405, 'MethodNotAllowed', message, about(kind, ''));
}

/** `hint` is for those who sent what is served in a cluster, but not here. */
export function unsupportedMediaType(accepted: readonly string[], hint = ''): ApiError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`;
  return new ApiError(415, 'UnsupportedMediaType', hint === '' ? message : `${message}: ${hint}`);
}

export function notAPatch(): ApiError {
  return new ApiError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
}

export function expired(message: string): ApiError {
  return new ApiError(410, 'Expired', message);
}

/** The version is of another life of this server, or not reached yet. */
export function versionTooLarge(asked: number, current: number): ApiError {
  const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }];
  const message = `Timeout: Too large resource version: ${asked}, current: ${current}`;
  return new ApiError(504, 'Timeout', message, { causes, retryAfterSeconds: 1 }, { 'retry-after': '1' });
}
