/** Facts and statements of the growth stream as files, and what the chain adds to the facts. */
import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import type { Address } from '../protocol/address.ts';
import { addressSchema, bytes32Schema, decode, uint64Schema } from '../protocol/schema.ts';
import { sspFromUnits } from '../protocol/units.ts';
import {
  checkDeterrence,
  type GrowthFact,
  type GrowthGrant,
  type GrowthPolicy,
  type GrowthStatement,
  growthGrants,
  growthStatement,
} from './rewards-growth.ts';
import { type RewardsDeployment, requireOver } from './rewards-ledger.ts';
import { callData, type RewardsRpc, view, viewWord } from './rewards-rpc.ts';

const factsSchema = v.array(
  v.strictObject({ device: addressSchema, uptimeBasisPoints: uint64Schema, auditBasisPoints: uint64Schema }),
);

const statementSchema = v.strictObject({
  throughEpoch: uint64Schema,
  root: bytes32Schema,
  total: uint64Schema,
  grants: v.array(v.strictObject({ device: addressSchema, cumulative: uint64Schema, proof: v.array(bytes32Schema) })),
});

export type GrowthMade = { readonly statement: GrowthStatement; readonly grants: readonly GrowthGrant[] };

/**
 * @param files `facts`: uptime (from the collector's verdicts) and audit score of each device; `previous`: the last statement;
 *   `detectionBasisPoints`: how many of 10000 devices that fake an audit finds in an epoch
 * @throws RangeError for a file that is not what it should be, a deployment without a growth stream, or one where faking pays
 * @throws RewardsRpcError if the epoch is not over
 */
export async function growthStatementFromFiles(
  rpc: RewardsRpc,
  rewards: Address,
  { registry, terms }: RewardsDeployment,
  epoch: bigint,
  files: { readonly facts: string; readonly previous: string | undefined; readonly detectionBasisPoints: bigint },
): Promise<GrowthMade> {
  if (terms.growthBasisPoints === 0n) throw new RangeError(`${rewards} was deployed without a growth stream`);
  await requireOver(rpc, epoch);
  const scores = fileOf(factsSchema, files.facts);
  const before = files.previous === undefined ? undefined : fileOf(statementSchema, files.previous);
  const facts: GrowthFact[] = [];
  for (const score of scores) facts.push({ ...score, ...(await registered(rpc, registry, score.device)) });
  const quotas = new Map<bigint, bigint>();
  for (const vendorId of new Set(facts.map((fact) => fact.vendorId))) {
    const [, quota = 0n, , isActive = 0n] = await view(rpc, registry, callData('vendors(uint32)', vendorId));
    quotas.set(vendorId, isActive === 1n ? quota : 0n);
  }
  const policy: GrowthPolicy = {
    maxPerEpoch: await viewWord(rpc, rewards, callData('maxGrowthPerEpoch()')),
    bond: await viewWord(rpc, rewards, callData('growthBond()')),
    quotas,
  };
  checkDeterrence(policy, files.detectionBasisPoints);
  const grants = growthGrants(epoch, facts, terms, policy);
  return { grants, statement: growthStatement(epoch, grants, terms, before) };
}

async function registered(
  rpc: RewardsRpc,
  registry: Address,
  device: Address,
): Promise<Pick<GrowthFact, 'vendorId' | 'isAttested' | 'bond'>> {
  const [vendorId = 0n] = await view(rpc, registry, callData('devices(address)', device));
  const isAttested = (await viewWord(rpc, registry, callData('isAttested(address)', device))) === 1n;
  return { vendorId, isAttested, bond: await viewWord(rpc, registry, callData('bondOf(address)', device)) };
}

export function statementJson(statement: GrowthStatement): string {
  return JSON.stringify(statement, (_, value) => (typeof value === 'bigint' ? value.toString() : value), 2);
}

export function growthText({ statement, grants }: GrowthMade, out: string): string {
  const { root, total, throughEpoch } = statement;
  return [
    ...grants.map(({ device, units, why }) => `${device}  ${sspFromUnits(units)} SSP  ${why}`),
    `through epoch ${throughEpoch}: ${sspFromUnits(total)} SSP in all, ever`,
    `root ${root}, written to ${out}`,
    'next: the publisher sends proposeRoot(root, total, throughEpoch); after 24 hours without a veto anyone sends acceptRoot',
  ].join('\n');
}

function fileOf<Schema extends v.GenericSchema>(schema: Schema, path: string): v.InferOutput<Schema> {
  let input: unknown;
  try {
    input = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new RangeError(`${path}: ${error instanceof Error ? error.message : error}`);
  }
  const decoded = decode(schema, input);
  if (decoded.ok) return decoded.value;
  throw new RangeError(`${path}: ${decoded.path || 'file'}: expected ${decoded.expected}, got ${decoded.got}`);
}
