/** A router in a directory of its own, with a real journal and a real way to a collector, whose device key is to be changed. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deviceSigner } from '../../../agent/adapters/device-key.ts';
import { SqliteJournal } from '../../../agent/adapters/journal/sqlite-journal.ts';
import { uploaderFrom } from '../../../agent/adapters/uploader.ts';
import { configOf } from '../../../agent/cli/enrol-command.ts';
import type { AgentConfig } from '../../../agent/core/config.ts';
import { stateFromJournal } from '../../../agent/core/restore.ts';
import { ProofSealer } from '../../../agent/proofs/proof-sealer.ts';
import type { Address } from '../../../protocol/address.ts';
import { hexFromBytes } from '../../../protocol/hex.ts';
import { NOW_S } from '../../fleet/fake-router.ts';
import { CHANNELS, REGISTRY, type testKey } from '../../support/protocol-arbitraries.ts';

type Key = ReturnType<typeof testKey>;
export type RouterOptions = {
  readonly key: Key;
  readonly collector: Key;
  readonly collectorUrl: string;
  readonly backupUrls?: readonly string[];
};

const NOWHERE = '0x1111111111111111111111111111111111111111';

export class RotationRouter {
  readonly configPath: string;
  readonly keyPath: string;
  readonly journalPath: string;

  constructor(directory: string, { key, collector, collectorUrl, backupUrls = [] }: RouterOptions) {
    mkdirSync(directory, { recursive: true });
    this.configPath = join(directory, 'config');
    this.keyPath = join(directory, 'device.key');
    this.journalPath = join(directory, 'ledger.db');
    writeFileSync(this.keyPath, `${hexFromBytes(key.secretKey)}\n`, { mode: 0o600 });
    const lines = [
      "config agent 'agent'",
      "\toption enabled '1'",
      "config chain 'chain'",
      `\toption payee '${NOWHERE}'`,
      "\toption rpc_url 'http://127.0.0.1:1'",
      `\toption chain_id '${REGISTRY.chainId}'`,
      `\toption channels '${CHANNELS.channels}'`,
      `\toption token '${NOWHERE}'`,
      "\toption token_name 'T'",
      `\toption registry '${REGISTRY.registry}'`,
      "config proofs 'proofs'",
      `\toption collector_url '${collectorUrl}'`,
      `\toption collector '${collector.address}'`,
      ...backupUrls.map((url) => `\tlist collector_backup '${url}'`),
      "config storage 'storage'",
      `\toption device_key '${this.keyPath}'`,
      `\toption database '${this.journalPath}'`,
    ];
    writeFileSync(this.configPath, `${lines.join('\n')}\n`);
  }

  get config(): AgentConfig {
    return configOf(this.configPath);
  }

  /** Whose key is in that file now: "", ".old" or ".next"; undefined: there is none. */
  addressIn(suffix = ''): Address | undefined {
    const path = `${this.keyPath}${suffix}`;
    return existsSync(path) ? deviceSigner(path).address : undefined;
  }

  /** Signs the next proof of the chain as the journal has it, with the key in that file. */
  seal(suffix = '') {
    const journal = new SqliteJournal({ path: this.journalPath });
    const { proofs } = stateFromJournal(journal.load(), 0, 0n);
    journal.close();
    const startS = NOW_S - 3_600n + 60n * proofs.nextSeq;
    const interval = { epoch: 2968n, startS, endS: startS + 60n, clockState: 1n, leaves: [], vouchers: [] } as const;
    return new ProofSealer(deviceSigner(`${this.keyPath}${suffix}`), REGISTRY).seal(interval, proofs);
  }

  async send({ body }: { readonly body: Uint8Array }): Promise<string> {
    const answer = await uploaderFrom(this.config, deviceSigner(this.keyPath))?.upload(body);
    return answer?.ok === true ? answer.receipt.verdict : (answer?.message ?? 'no uploader');
  }

  /** Signs the next proof, stores it, sends it and stores the receipt, as the agent does. @returns the verdict */
  async prove(): Promise<string> {
    const sealed = this.seal();
    const journal = new SqliteJournal({ path: this.journalPath });
    try {
      await journal.commit([{ kind: 'proof', ...sealed }]);
      const answer = await uploaderFrom(this.config, deviceSigner(this.keyPath))?.upload(sealed.body);
      if (answer?.ok !== true) return answer?.message ?? 'no uploader';
      await journal.commit([{ kind: 'receipt', digest: sealed.record.digest, receipt: answer.receipt }]);
      return answer.receipt.verdict;
    } finally {
      journal.close();
    }
  }
}
