import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { TradingAccount } from '@flashpod/crds';
import { AgentService, create, type LedgerReply, LedgerRequestSchema, makeClient } from '@flashpod/proto';
import { Metadata } from '@grpc/grpc-js';
import { compareLedgers, type LedgerComparison, type VenueAudit } from './audit.js';
import type { Venue } from './venue.js';

const deadlineMs = 5_000;
const retryEveryMs = 200;

/**
 * Fails while nobody listens. grpc-js goes on connecting for a client that was closed before it could, so none is made
 * until it can: otherwise each would come to hold one of the core's connections.
 */
function listens(socket: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = connect(socket, () => {
      probe.destroy();
      resolve();
    });
    probe.once('error', reject);
  });
}

/** Asks the core, over the agent's local socket, for all it knows of an account. */
export async function readLedger(agentSocket: string, account: string): Promise<LedgerReply> {
  await listens(agentSocket);
  const client = makeClient(AgentService, `unix:${agentSocket}`, undefined, {
    // Every order of a long run is in the reply.
    'grpc.max_receive_message_length': -1,
  });
  try {
    return await new Promise<LedgerReply>((resolve, reject) => {
      const request = create(LedgerRequestSchema, { account });
      client.ledger(request, new Metadata(), { deadline: Date.now() + deadlineMs }, (error, reply) => {
        if (reply) resolve(reply);
        else reject(error ?? new Error('the core sent no ledger'));
      });
    });
  } finally {
    client.close();
  }
}

/**
 * Compares the core's ledger with the venue's books, again and again until they agree or time is up. A core that
 * cannot be asked may be on its way back from a crash.
 */
export async function compareUntilEqual(
  venue: Venue,
  agentSocket: string,
  account: string,
  withinMs: number,
): Promise<LedgerComparison> {
  const until = Date.now() + withinMs;
  for (;;) {
    const late = Date.now() >= until;
    try {
      const comparison = await compareOnce(venue, agentSocket, account);
      // Whoever reads two books one after the other may see a deal in one that is still on its way to the other.
      if (comparison.equal || late) return comparison;
    } catch (error) {
      if (late) throw error;
    }
    await delay(retryEveryMs);
  }
}

/** An account without keys has nothing at the exchange: the core's ledger must say so too. */
export async function emptyLedger(agentSocket: string, account: string): Promise<LedgerComparison> {
  const { orders, balances } = await readLedger(agentSocket, account);
  const differences = [
    ...orders.map(
      ({ clientOrderId }) => `order ${clientOrderId}: the core has it, and no keys to send it with`,
    ),
    ...balances.map(({ asset }) => `${asset}: the core has a balance of it, and no keys to ask for it`),
  ];
  return {
    equal: differences.length === 0,
    ordersCompared: 0,
    fillsCompared: 0,
    balancesCompared: 0,
    differences,
  };
}

/** What the core's own audit against a real exchange found last: nobody else may see its books. */
export function ownAudit({ status }: TradingAccount): LedgerComparison {
  return {
    equal: status?.ledgerEqualsVenue === true,
    ordersCompared: 0,
    fillsCompared: 0,
    balancesCompared: status?.balances?.length ?? 0,
    differences:
      status?.ledgerEqualsVenue === true
        ? []
        : [status?.auditDifference ?? 'the core has made no audit of this account'],
  };
}

async function compareOnce(venue: Venue, agentSocket: string, account: string): Promise<LedgerComparison> {
  const [ledger, audit] = await Promise.all([
    readLedger(agentSocket, account),
    venue.get<VenueAudit>('/audit'),
  ]);
  const theirs = audit.accounts.find(({ apiKey }) => apiKey === venue.credentials?.apiKey);
  if (!theirs) throw new Error('the venue has no account with the key of this run');
  return compareLedgers(ledger, theirs);
}
