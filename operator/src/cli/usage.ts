/** A flag or argument that is wrong: names it, its value, and what would be accepted. Exit code 2. */
export class UsageError extends Error {
  readonly exitCode = 2;

  constructor(flag: string, value: string, accepted: string) {
    super(`${flag}: ${JSON.stringify(value)} is not accepted: give ${accepted}`);
    this.name = 'UsageError';
  }
}
