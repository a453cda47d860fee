export const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** What a command answers: text for people, or one JSON document. */
export function answer(output: string | undefined, value: unknown, text: () => string): void {
  print(output === 'json' ? JSON.stringify(value, null, 2) : text());
}
