/** Enrols with what the router has: files beside the device key, or a credential that was typed. */

import { setTimeout as delay } from 'node:timers/promises';
import type { EnrolmentCredential } from '../../protocol/enrolment.ts';
import { jsonFromDeviceBinding } from '../../protocol/identity-wire.ts';
import { jsonIn } from '../../protocol/json-text.ts';
import { CollectorHttp, quoted } from '../adapters/collector-http.ts';
import { IdentityFiles } from '../adapters/identity-files.ts';
import { nodeSigner } from '../adapters/node-signer.ts';
import type { AgentConfig } from '../core/config.ts';
import { nextDelayMs } from '../core/retry-schedule.ts';
import { type EnrolmentDeps, type EnrolmentOutcome, enrol } from '../identity/enrolment.ts';
import type { Signer } from '../ports.ts';

const TIMEOUT_MS = 30_000;
/** RFC 9110, section 15.5.20. */
const MISDIRECTED = 421;

type AskedReply = { readonly status: number; readonly text: string };

/** What enrolment needs, or undefined without a collector in the configuration. */
export function enrolmentDeps({ proofs, chain }: AgentConfig, signer: Signer): EnrolmentDeps | undefined {
  const { collectorUrl, collector, collectorBackups: backupUrls = [], backupAddress } = proofs;
  if (collectorUrl === undefined || collector === undefined) return undefined;
  const http = new CollectorHttp({ collectorUrl, backupUrls, backupAddress });
  const request = { contentType: 'application/json', timeoutMs: TIMEOUT_MS } as const;
  return {
    signer,
    collector,
    deployment: { chainId: chain.chainId, registry: chain.registry },
    ask: async (path, json) =>
      await http.send({ ...request, line: `POST ${path}`, body: Buffer.from(JSON.stringify(json)) }, (reply) =>
        isOfNoUse(reply) ? { ok: false as const, message: whyOfNoUse(reply) } : { ok: true as const, ...reply },
      ),
  };
}

/** Another way may lead to the shard that keeps the device's chain (421), to one that works, or past a captive portal upstream. */
function isOfNoUse({ status, text }: AskedReply): boolean {
  return status === MISDIRECTED || status >= 500 || typeof jsonIn(text) !== 'object';
}

function whyOfNoUse({ status, text }: AskedReply): string {
  const advice =
    status === MISDIRECTED
      ? '. Another of its processes keeps this router: add its address to proofs.collector_backup'
      : '';
  return `the collector answered ${status}: ${quoted(text)}${advice}`;
}

/** @throws KeyError, IdentityFileError */
export async function enrolOnce(config: AgentConfig, typed?: EnrolmentCredential): Promise<EnrolmentOutcome> {
  const { deviceKeyPath } = config.storage;
  const deps = enrolmentDeps(config, nodeSigner(config.storage));
  if (deps === undefined)
    return { ok: false, message: 'no collector is configured: set proofs.collector_url and proofs.collector' };
  const files = new IdentityFiles(deviceKeyPath);
  const credential = typed ?? files.credential();
  if (credential === undefined) {
    return {
      ok: false,
      message: 'nothing to enrol with: put attestation.json or enrolment-key beside the device key, or use --key',
    };
  }
  const outcome = await enrol(deps, credential);
  // Pending as well: the collector has spent it.
  if (outcome.ok && typed === undefined && credential.method === 'key') files.forgetKey();
  return outcome;
}

export type EnrolLog = { info(details: object, event: string): void; warn(details: object, event: string): void };

/**
 * Tells the collector whom this router earns for, so that he may read what is on file of it. @returns whether that is settled:
 * told, known, refused, or nobody is named
 */
async function tellBinding(config: AgentConfig): Promise<boolean> {
  const binding = new IdentityFiles(config.storage.deviceKeyPath).binding();
  const asked = enrolmentDeps(config, nodeSigner(config.storage));
  if (binding === undefined || asked === undefined || binding.device !== asked.signer.address) return true;
  return (await asked.ask('/v1/bindings', jsonFromDeviceBinding(binding))).ok;
}

/**
 * For a router that nobody configures by hand: as long as there is something to enrol with, tries until the collector has
 * answered. Does not throw. A router that is enrolled already gets the same answer again.
 */
export async function enrolAtStart(config: AgentConfig, signal: AbortSignal, log: EnrolLog): Promise<void> {
  if (config.proofs.collectorUrl === undefined) return;
  let isEnrolled = false;
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      if (!isEnrolled && new IdentityFiles(config.storage.deviceKeyPath).credential() !== undefined) {
        const outcome = await enrolOnce(config);
        isEnrolled = outcome.ok;
        if (outcome.ok) log.info(outcome, 'enrolled');
        else log.warn(outcome, 'not-enrolled');
      } else isEnrolled = true;
      if (isEnrolled && (await tellBinding(config))) return;
    } catch (err) {
      log.warn({ err }, 'not-enrolled');
    }
    await delay(nextDelayMs(attempt, Math.random()), undefined, { signal, ref: false }).catch(() => undefined);
  }
}
