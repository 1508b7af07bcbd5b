/**
 * What the collector tells about a device: its proofs with verdict and reason and its chain, to who may know; and evidence of
 * cloning to everybody, because anybody may act on it.
 */
import type { FastifyInstance, FastifyReply } from 'fastify';
import * as v from 'valibot';
import type { Address } from '../protocol/address.ts';
import { jsonFromKeyRotation } from '../protocol/key-rotation-wire.ts';
import { addressSchema, decode, uint64Schema } from '../protocol/schema.ts';
import type { SignedTrafficProof } from '../protocol/traffic-proof.ts';
import { withRightParity } from './equivocation-evidence.ts';
import type { FleetStore } from './fleet-store.ts';
import type { RotationConflict } from './key-rotations.ts';
import { type ListingAccessDeps, mayRead } from './listing-access.ts';
import { missingText } from './receipts.ts';

type Refuse = (reply: FastifyReply, status: number, code: string, message: string) => FastifyReply;

const MAX_ROWS = 1000n;

const listSchema = v.strictObject({
  device: addressSchema,
  after: v.optional(uint64Schema, '0'),
  limit: v.optional(
    v.pipe(
      uint64Schema,
      v.check((limit) => limit >= 1n && limit <= MAX_ROWS, `1..${MAX_ROWS}`),
    ),
    '100',
  ),
});
const deviceSchema = v.strictObject({ device: addressSchema });

export type ListingDeps = ListingAccessDeps & {
  readonly store: FleetStore;
  /** Pairs of rotations of one key that contradict each other; default: none are known. */
  readonly rotationConflicts?: (device: Address) => readonly RotationConflict[];
};

export function addListings(app: FastifyInstance, deps: ListingDeps, refuse: Refuse): void {
  const { store, deployment, rotationConflicts = () => [] } = deps;
  const query = <S extends v.GenericSchema>(schema: S, input: unknown, reply: FastifyReply) => {
    const decoded = decode(schema, input);
    if (decoded.ok) return decoded;
    const { path, expected, got } = decoded;
    refuse(reply, 400, 'bad-query', `${path || 'query'}: expected ${expected}, got ${got}`);
    return undefined;
  };
  app.get('/v1/proofs', async (request, reply) => {
    const decoded = query(listSchema, request.query, reply);
    if (decoded === undefined) return reply;
    const { device, after, limit } = decoded.value;
    if (!mayRead(deps, device, request, reply)) return reply;
    const rows = await store.verdicts(device, after, Number(limit));
    return { proofs: rows.map(jsonFrom), next: (rows.at(-1)?.id ?? after).toString() };
  });
  app.get('/v1/chain', async (request, reply) => {
    const decoded = query(deviceSchema, request.query, reply);
    if (decoded === undefined) return reply;
    if (!mayRead(deps, decoded.value.device, request, reply)) return reply;
    const { nextSeq, prev, missing } = await store.chain(decoded.value.device);
    return { nextSeq: nextSeq.toString(), prev, missing: missingText(missing) };
  });
  app.get('/v1/equivocations', async (request, reply) => {
    const decoded = query(deviceSchema, request.query, reply);
    if (decoded === undefined) return reply;
    const found = await store.equivocations(decoded.value.device, Number(MAX_ROWS));
    return {
      equivocations: found.map(({ first, second, reason, isSlashable }) => ({
        isSlashable,
        reason,
        first: jsonFrom<SignedTrafficProof>(withRightParity(deployment, first)),
        second: jsonFrom<SignedTrafficProof>(withRightParity(deployment, second)),
      })),
      rotations: rotationConflicts(decoded.value.device).map(({ first, second }) => ({
        first: jsonFromKeyRotation(first),
        second: jsonFromKeyRotation(second),
      })),
    };
  });
}

/** Amounts, counts and times as decimal strings, like everywhere in the protocol's JSON. */
function jsonFrom<T extends object>(row: T): object {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, typeof value === 'bigint' ? value.toString() : value]),
  );
}
