import { FlashpodError } from '../errors.js';

/** A flag or argument that is wrong: names it, its value, and what would be accepted. */
export class UsageError extends FlashpodError {
  constructor(flag: string, value: string, accepted: string) {
    super('cli.usage', `${flag}: ${JSON.stringify(value)} is not accepted: give ${accepted}`);
  }
}
