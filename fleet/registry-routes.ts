/**
 * Enrolment, offers, bindings, clocks and heads of chains over HTTP (JSON; docs/identity.md). A Fastify plugin: all bodies are
 * checked by the protocol's own decoders, all refusals are {"error":{"code":..,"message":..}}.
 */
import type { FastifyInstance, FastifyReply } from 'fastify';
import * as v from 'valibot';
import type { Address } from '../protocol/address.ts';
import {
  isClockCorrectionSigned,
  type SignedClockCorrection,
  signClockStatement,
} from '../protocol/clock-statement.ts';
import { decodeClockCorrection, jsonFromClockStatement } from '../protocol/clock-wire.ts';
import { isDeviceBindingSigned } from '../protocol/device-binding.ts';
import { decodeEnrolment, jsonFromEnrolmentChallenge } from '../protocol/enrolment-wire.ts';
import { hexFromBytes } from '../protocol/hex.ts';
import { decodeDeviceBinding, decodeRevocationList, jsonFromDeviceBinding } from '../protocol/identity-wire.ts';
import { keyRotationDigestHex } from '../protocol/key-rotation.ts';
import { decodeKeyRotation, jsonFromKeyRotation } from '../protocol/key-rotation-wire.ts';
import { receiptJsonFromReceipt } from '../protocol/receipt-wire.ts';
import { addressSchema, bytes32Schema, type Decoded, decode } from '../protocol/schema.ts';
import { isServiceOfferSigned } from '../protocol/service-offer.ts';
import { decodeServiceOffer, jsonFromServiceOffer } from '../protocol/service-offer-wire.ts';
import { type RegistryDeployment, trafficProofDigestHex } from '../protocol/traffic-proof.ts';
import { encodeProofUpload } from '../protocol/traffic-proof-wire.ts';
import { signProofReceipt } from '../protocol/verdict.ts';
import type { EnrolmentAnswer } from './enrolment-answer.ts';
import { withRightParity } from './equivocation-evidence.ts';
import type { Awaitable, ChainHead } from './fleet-store.ts';
import { type ListingAccessDeps, mayRead } from './listing-access.ts';
import type { Registry } from './registry.ts';
import { DEFAULT_REGISTRY_LIMITS, limitRegistry, type RegistryLimits } from './registry-limits.ts';
import type { RegistryStore } from './registry-store.ts';
import { type Shard, shardOf } from './shard.ts';

export type RegistryRouteDeps = ListingAccessDeps & {
  readonly registry: Registry;
  readonly store: RegistryStore;
  readonly deployment: RegistryDeployment;
  readonly collector: { readonly address: Address; readonly secretKey: Uint8Array };
  /** Whether a device is in good standing; default: as the registry says. */
  readonly isKnown?: (device: Address) => boolean;
  readonly chainOf: (device: Address) => Awaitable<ChainHead>;
  /** Runs `f` while no proof is judged: what it reads of a chain stays so. */
  readonly inTurn: <T>(f: () => Promise<T>) => Promise<T>;
  /** Which of several processes keeps a device's chain, where there are several. */
  readonly shard?: Shard;
  /** Judges proofs by the corrected time; resolves once that is durable. */
  readonly correctClock: (correction: SignedClockCorrection) => Promise<void>;
  readonly nowS: () => bigint;
  readonly limits?: Partial<RegistryLimits>;
  /** Milliseconds that never go back; default: since the start of the process. */
  readonly monotonicMs?: () => number;
};

/** A revocation list of 16,384 devices. */
const MAX_LIST_BYTES = 1024 * 1024;
const MAX_BODY_BYTES = 16 * 1024;
/** Two months of ten-minute intervals: the work of one transaction. */
const MAX_CORRECTED = 10_000n;
const clockSchema = v.strictObject({ v: v.literal(1), device: addressSchema, nonce: bytes32Schema });
const deviceSchema = v.object({ device: addressSchema });

export async function addRegistryRoutes(app: FastifyInstance, deps: RegistryRouteDeps): Promise<void> {
  // In a scope of its own: the collector's other routes take no JSON.
  await app.register((scope, _options, done) => {
    limitRegistry(scope, { ...DEFAULT_REGISTRY_LIMITS, ...deps.limits }, deps.monotonicMs ?? (() => performance.now()));
    scope.addContentTypeParser(
      'application/json',
      { parseAs: 'string', bodyLimit: MAX_LIST_BYTES },
      (_request, body, parsed) => {
        try {
          parsed(null, JSON.parse(String(body)));
        } catch {
          parsed(Object.assign(new Error('The body is not JSON.'), { statusCode: 400 }));
        }
      },
    );
    addEnrolment(scope, deps);
    addDocuments(scope, deps);
    addChainAnswers(scope, deps);
    addRotation(scope, deps);
    done();
  });
}

function addEnrolment(app: FastifyInstance, { registry, store }: RegistryRouteDeps): void {
  const limit = { bodyLimit: MAX_BODY_BYTES };
  app.post('/v1/enrolments/challenge', limit, () => jsonFromEnrolmentChallenge(registry.challenge()));
  app.post('/v1/enrolments', limit, (request, reply) =>
    withBody(decodeEnrolment(request.body), reply, (enrolment) => answer(reply, registry.enrol(enrolment))),
  );
  app.post('/v1/enrolments/successor', limit, (request, reply) =>
    withBody(decodeEnrolment(request.body), reply, (enrolment) => answer(reply, registry.nameSuccessor(enrolment))),
  );
  app.get('/v1/enrolments/:device', (request, reply) =>
    withBody(decode(deviceSchema, request.params), reply, ({ device }) => {
      const known = store.device(device);
      if (known === undefined) return refuse(reply, 404, 'unknown-device', `Device ${device} has not enrolled here.`);
      return { v: 1, state: registry.isRevoked(device) ? 'revoked' : known.state, reason: known.reason };
    }),
  );
  app.post('/v1/revocations', { bodyLimit: MAX_LIST_BYTES }, (request, reply) =>
    withBody(decodeRevocationList(request.body), reply, (list) => answer(reply, registry.setRevocations(list))),
  );
}

function addDocuments(app: FastifyInstance, deps: RegistryRouteDeps): void {
  const { registry, store, deployment, correctClock } = deps;
  const limit = { bodyLimit: MAX_BODY_BYTES };
  const isKnown = deps.isKnown ?? ((device) => registry.standing(device)?.isRevoked === false);
  const keep = (reply: FastifyReply, isTaken: boolean) =>
    isTaken ? { ok: true } : refuse(reply, 409, 'not-newer', 'What is on file has this serial or a higher one.');
  app.post('/v1/offers', limit, (request, reply) =>
    withBody(decodeServiceOffer(request.body), reply, (offer) => {
      if (!isKnown(offer.device)) return stranger(reply, offer.device);
      if (!isServiceOfferSigned(deployment, offer)) return unsigned(reply, offer.device);
      return keep(reply, store.putDocument('offer', offer.device, offer.serial, jsonFromServiceOffer(offer)));
    }),
  );
  app.get('/v1/offers/:device', (request, reply) =>
    withBody(
      decode(deviceSchema, request.params),
      reply,
      ({ device }) =>
        store.document('offer', device) ?? refuse(reply, 404, 'no-offer', `Device ${device} offers nothing.`),
    ),
  );
  app.post('/v1/bindings', limit, (request, reply) =>
    withBody(decodeDeviceBinding(request.body), reply, (binding) => {
      if (!isKnown(binding.device)) return stranger(reply, binding.device);
      if (!isDeviceBindingSigned(deployment, binding)) return unsigned(reply, binding.device);
      return keep(reply, store.putDocument('binding', binding.device, binding.nonce, jsonFromDeviceBinding(binding)));
    }),
  );
  app.post('/v1/clock-corrections', limit, (request, reply) =>
    withBody(decodeClockCorrection(request.body), reply, async (correction) => {
      const { device, fromSeq, toSeq } = correction;
      if (isElsewhere(deps, device, reply)) return reply;
      if (!isKnown(device)) return stranger(reply, device);
      if (toSeq - fromSeq >= MAX_CORRECTED)
        return refuse(
          reply,
          400,
          'too-many',
          `A correction reaches over ${MAX_CORRECTED} proofs at most; send several.`,
        );
      if (!isClockCorrectionSigned(deployment, correction)) return unsigned(reply, device);
      await correctClock(correction);
      return { ok: true };
    }),
  );
}

function addChainAnswers(app: FastifyInstance, deps: RegistryRouteDeps): void {
  const { registry, deployment, collector, nowS, chainOf } = deps;
  app.post('/v1/clock', { bodyLimit: MAX_BODY_BYTES }, (request, reply) =>
    withBody(decode(clockSchema, request.body), reply, ({ device, nonce }) => {
      const statement = { collector: collector.address, device, nonce, timeS: nowS() };
      return jsonFromClockStatement(signClockStatement(deployment, statement, collector.secretKey));
    }),
  );
  app.get('/v1/devices/:device/head', (request, reply) =>
    withBody(decode(deviceSchema, request.params), reply, async ({ device }) => {
      if (isElsewhere(deps, device, reply) || !mayRead(deps, device, request, reply)) return reply;
      const own = (await chainOf(device)).last;
      // A key that has not signed a proof yet goes on after the one before it, whose chain may be another shard's.
      const handover = own === undefined ? registry.handoverTo(device) : undefined;
      const head = handover === undefined ? own : (handover.head ?? (await chainOf(handover.rotation.device)).last);
      if (head === undefined)
        return refuse(reply, 404, 'no-proofs', `Device ${device} has no proof in its chain here.`);
      const newest = withRightParity(deployment, head.proof);
      const proof = trafficProofDigestHex(deployment, newest);
      const receipt = { collector: collector.address, proof, verdict: head.verdict, receivedS: head.receivedS };
      return {
        v: 1,
        proof: hexFromBytes(encodeProofUpload({ proof: newest, leaves: [], vouchers: [] })),
        receipt: receiptJsonFromReceipt(signProofReceipt(deployment, receipt, collector.secretKey)),
        ...(handover === undefined ? {} : { rotation: jsonFromKeyRotation(handover.rotation) }),
      };
    }),
  );
}

/** Answered with a signed receipt over the rotation's digest: the router gives its old key up on nothing less. */
function addRotation(app: FastifyInstance, deps: RegistryRouteDeps): void {
  const { registry, deployment, collector, nowS, chainOf, inTurn } = deps;
  const isKnown = deps.isKnown ?? ((device) => registry.standing(device)?.isRevoked === false);
  app.post('/v1/rotations', { bodyLimit: MAX_BODY_BYTES }, (request, reply) =>
    withBody(decodeKeyRotation(request.body), reply, async (rotation) => {
      const { device } = rotation;
      if (isElsewhere(deps, device, reply)) return reply;
      const result = await inTurn(async () => registry.rotate(rotation, isKnown(device), await chainOf(device)));
      if (!result.ok) return refuse(reply, result.code === 'not-in-step' ? 409 : 403, result.code, result.message);
      const proof = keyRotationDigestHex(deployment, rotation);
      const receipt = { collector: collector.address, proof, verdict: 'valid', receivedS: nowS() } as const;
      const signed = signProofReceipt(deployment, receipt, collector.secretKey);
      return { v: 1, state: result.state, reason: result.reason, receipt: receiptJsonFromReceipt(signed) };
    }),
  );
}

function withBody<T, R>(decoded: Decoded<T>, reply: FastifyReply, answerWith: (value: T) => R): R | FastifyReply {
  if (decoded.ok) return answerWith(decoded.value);
  const { path, expected, got } = decoded;
  return refuse(reply, 400, 'malformed', `${path || 'body'}: expected ${expected}, got ${got}`);
}

function answer(reply: FastifyReply, result: EnrolmentAnswer): FastifyReply | object {
  return result.ok
    ? { v: 1, state: result.state, reason: result.reason }
    : refuse(reply, 403, result.code, result.message);
}

/** True if another shard keeps the device's chain; then it has been answered, so that the router tries its next way. */
function isElsewhere({ shard }: RegistryRouteDeps, device: Address, reply: FastifyReply): boolean {
  const home = shard === undefined ? undefined : shardOf(device, shard.count);
  if (home === shard?.index) return false;
  refuse(reply, 421, 'elsewhere', `Shard ${home} keeps the chain of ${device}.`);
  return true;
}

function stranger(reply: FastifyReply, device: Address): FastifyReply {
  return refuse(reply, 403, 'unknown-device', `Device ${device} is not enrolled here, or revoked.`);
}

function unsigned(reply: FastifyReply, device: Address): FastifyReply {
  return refuse(reply, 403, 'bad-signature', `That is not signed by device ${device}.`);
}

function refuse(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
  return reply.code(status).send({ error: { code, message } });
}
