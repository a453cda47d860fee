import { badRequest } from '../api-error.js';
import { type FieldError, fieldError } from '../field-errors.js';
import { isObject } from '../json.js';
import type { KindRules } from './kind.js';

/** metav1.MicroTime takes six fractional digits and nothing else. */
const MICRO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}(Z|[+-]\d{2}:\d{2})$/;

export const leaseRules: KindRules = {
  admit: (object) => {
    const spec = isObject(object['spec']) ? object['spec'] : {};
    for (const field of ['renewTime', 'acquireTime']) {
      const value = spec[field];
      if (value === undefined || value === null || (typeof value === 'string' && MICRO_TIME.test(value)))
        continue;
      // A Go decoder fails on these before anything is validated, hence 400.
      throw badRequest(
        `Lease in version "v1" cannot be handled as a Lease: spec.${field}: parsing time ${JSON.stringify(value)} as "2006-01-02T15:04:05.000000Z07:00"`,
      );
    }
    return object;
  },
  validate: (object) => {
    const spec = isObject(object['spec']) ? object['spec'] : {};
    const errors: FieldError[] = [];
    const duration = spec['leaseDurationSeconds'];
    if (duration !== undefined && !(Number.isInteger(duration) && Number(duration) > 0)) {
      errors.push(fieldError.invalid('spec.leaseDurationSeconds', duration, 'must be greater than 0'));
    }
    const transitions = spec['leaseTransitions'];
    if (transitions !== undefined && !(Number.isInteger(transitions) && Number(transitions) >= 0)) {
      errors.push(
        fieldError.invalid('spec.leaseTransitions', transitions, 'must be greater than or equal to 0'),
      );
    }
    return errors;
  },
};
