import { type FieldError, fieldError } from '../field-errors.js';
import { deepEqual } from '../json.js';
import type { KindRules } from './kind.js';

/** Its data is what it is for ever: a revision that changed would be another one. */
export const controllerRevisionRules: KindRules = {
  validate: (object, old) => {
    const errors: FieldError[] = [];
    const { revision, data } = object;
    if (typeof revision !== 'number' || revision < 0)
      errors.push(fieldError.invalid('revision', revision ?? 0, 'must be greater than or equal to 0'));
    if (old !== undefined && !deepEqual(data, old['data']))
      errors.push(fieldError.invalidWhole('data', 'field is immutable'));
    return errors;
  },
};
