// What a transcript is. No imports: recorder and replay both read this file.

export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };

export interface Request {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body?: Value;
}

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  /** Parsed where it is JSON. Of a watch: the list of its events. */
  readonly body?: Value;
}

export interface Exchange {
  readonly request: Request;
  readonly answer: Answer;
  /** A watch. It begins in its place, and ends before the exchange with this number begins (counted in its scene). */
  readonly endsBefore?: number;
}

/** One command and what it said to the server. */
export interface Scene {
  readonly command: string;
  /** Files and standard input, as the command saw them. */
  readonly input?: Record<string, string>;
  readonly exit: number;
  readonly stdout: string[];
  readonly stderr: string[];
  readonly exchanges: Exchange[];
}

export interface Transcript {
  readonly kubernetes: string;
  readonly scenes: Scene[];
}
