/**
 * The one base class of errors and the one table of their codes. A code is part of the interface: scripts match
 * on it, so it never changes its meaning. Add a row here before throwing something new.
 */

/** Exit codes of our processes. 1 also says "refused": the manifest was read and is not accepted. */
export const Exit = {
  ok: 0,
  refused: 1,
  usage: 2,
  unavailable: 3,
  conflict: 4,
  notFound: 5,
  /** As sysexits.h EX_SOFTWARE: a fault of ours. */
  internal: 70,
} as const;
export type ExitCode = (typeof Exit)[keyof typeof Exit];

interface ErrorEntry {
  readonly exit: ExitCode;
  /** What happened; `npm run generate` puts it into docs/errors.md. */
  readonly meaning: string;
  /** What the reader can do about it. */
  readonly remedy: string;
}

export const ERRORS = {
  'kube.not-found': {
    exit: Exit.notFound,
    meaning: 'There is no such object.',
    remedy: 'Check the name and the namespace.',
  },
  'kube.already-exists': {
    exit: Exit.conflict,
    meaning: 'An object of that name is there already.',
    remedy: 'Choose another name or change the existing object.',
  },
  'kube.conflict': {
    exit: Exit.conflict,
    meaning: 'The object was changed by somebody else meanwhile.',
    remedy: 'Read the object again and repeat the change on it.',
  },
  'kube.invalid': {
    exit: Exit.refused,
    meaning: 'The API server refused the object: fields are missing, unknown or out of bounds.',
    remedy: 'Correct the fields that the message names.',
  },
  'kube.unauthorized': {
    exit: Exit.unavailable,
    meaning: 'The API server does not know who asks.',
    remedy: 'Check the token or client certificate in the kubeconfig.',
  },
  'kube.forbidden': {
    exit: Exit.refused,
    meaning: 'The API server does not allow this to whoever asks.',
    remedy: 'Ask for the missing permission, or read why the server refuses.',
  },
  'kube.expired': {
    exit: Exit.unavailable,
    meaning: 'A watch or list goes on from a version that is no longer kept.',
    remedy: 'List again: the resource version is older than what is kept.',
  },
  'kube.throttled': {
    exit: Exit.unavailable,
    meaning: 'The API server asks for fewer requests.',
    remedy: 'Wait as long as the server says, then repeat.',
  },
  'kube.unsupported': {
    exit: Exit.refused,
    meaning: 'The API server does not serve this verb or media type.',
    remedy: 'Use one of the verbs or media types that the message names.',
  },
  'kube.status': {
    exit: Exit.unavailable,
    meaning: 'The API server answered with an error that has no code of its own here.',
    remedy: 'Read the message of the API server.',
  },
  'kube.unreachable': {
    exit: Exit.unavailable,
    meaning: 'The API server could not be reached.',
    remedy: 'Check that the API server runs and the kubeconfig names it.',
  },
  'kube.malformed-answer': {
    exit: Exit.unavailable,
    meaning: 'What answered is no Kubernetes API server, or only half of an answer came.',
    remedy: 'Check that the address is that of a Kubernetes API server.',
  },
  'kube.config': {
    exit: Exit.usage,
    meaning: 'There is no usable kubeconfig.',
    remedy: 'Set KUBECONFIG to a kubeconfig file with a current context.',
  },

  'process.arguments': {
    exit: Exit.usage,
    meaning: 'A process was started with arguments that it does not take.',
    remedy: 'Start it with --help to see what it takes.',
  },

  'cli.usage': {
    exit: Exit.usage,
    meaning: 'A flag or an argument is not accepted.',
    remedy: 'Run the command with --help.',
  },
  'cli.manifest': {
    exit: Exit.usage,
    meaning: 'A file is no manifest.',
    remedy: 'Correct the manifest; crds/samples has examples of every kind.',
  },
  'cli.package': {
    exit: Exit.usage,
    meaning: 'A folder holds no strategy that can run.',
    remedy: 'Build it (npm run build there); `flashpod init NAME` makes a package that works.',
  },
  'cli.init': {
    exit: Exit.refused,
    meaning: 'A new strategy cannot be written.',
    remedy: 'Change to a folder that you may write, with room on its disk.',
  },
  'cli.no-logs': {
    exit: Exit.notFound,
    meaning: 'There is no process whose log could be read.',
    remedy: 'Describe the object to see why nothing of it runs.',
  },
  'cli.not-accepted': {
    exit: Exit.refused,
    meaning: 'The operator refused what was applied.',
    remedy: 'Correct what the message names and apply again.',
  },
  'cli.not-reached': {
    exit: Exit.unavailable,
    meaning: 'A halt was written, and a core did not report in time that it acts.',
    remedy: 'Check the core and its agent.',
  },
  'cli.nothing-to-adopt': {
    exit: Exit.refused,
    meaning: 'A difference was to be accepted, and the ledger of the account differs in nothing.',
    remedy: 'Nothing is to be done.',
  },
  'cli.not-adopted': {
    exit: Exit.unavailable,
    meaning:
      'That a difference is accepted was written to the account, and its core did not carry it out in time.',
    remedy:
      'See what differs: flashpod describe account NAME. Only balances can be accepted; orders must end first.',
  },
  'up.stopped': {
    exit: Exit.unavailable,
    meaning: 'A local run was ended while it started.',
    remedy: 'Start it again; nothing has traded.',
  },
  'up.venue-unreachable': {
    exit: Exit.unavailable,
    meaning: 'The exchange cannot be reached from here; the message says at which step and why.',
    remedy: 'Follow the advice below the message.',
  },
  'up.no-credentials': {
    exit: Exit.refused,
    meaning: 'A strategy is to trade live, and no keys of the exchange are given.',
    remedy:
      'Set mode Paper, or start with --mode Paper, or give the keys of the account with --venue-credentials FILE.',
  },
  'up.failed': {
    exit: Exit.unavailable,
    meaning: 'A part of a local run failed or ended.',
    remedy: 'Read the log that the message names.',
  },

  'local.crd-invalid': {
    exit: Exit.usage,
    meaning: "The embedded API server can't serve a CustomResourceDefinition.",
    remedy: 'Correct the CustomResourceDefinition that the message names.',
  },
  'local.state-directory': {
    exit: Exit.usage,
    meaning: 'The folder of `--state` cannot be made or written, or another run uses it.',
    remedy: 'Choose a folder that is yours, has room, and that no other run uses.',
  },
  'local.state-corrupt': {
    exit: Exit.unavailable,
    meaning: 'A file of the folder of `--state` was damaged in the middle, or is missing.',
    remedy: 'Restore the folder from a copy, or choose another one to begin anew.',
  },
  'local.listen': {
    exit: Exit.unavailable,
    meaning: "The embedded API server can't listen on its port.",
    remedy: 'Choose a free port, or 0 to have one chosen.',
  },
  'local.node-root': {
    exit: Exit.usage,
    meaning: 'The folder of the process node is too long for unix sockets below it.',
    remedy: 'Choose a shorter directory, e.g. one made under /tmp.',
  },
  'local.image-unknown': {
    exit: Exit.refused,
    meaning: 'A pod names an image that this node has no program for.',
    remedy: 'Map the image repository to a command when the node is started.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

export interface FlashpodErrorOptions {
  readonly cause?: unknown;
  /** Overrides the remedy of the table where the place of the error knows better. */
  readonly remedy?: string;
}

/** `message` names the object, the value and what would be accepted; never a secret. */
export class FlashpodError extends Error {
  readonly code: ErrorCode;
  readonly remedy: string;
  readonly exitCode: ExitCode;

  constructor(code: ErrorCode, message: string, options: FlashpodErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.remedy = options.remedy ?? ERRORS[code].remedy;
    this.exitCode = ERRORS[code].exit;
  }
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
