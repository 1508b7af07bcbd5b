/** What doctor may look at. Facts only; the checks beside it judge them. Nothing here throws or changes anything. */
import type { DeviceName } from '../../core/model.ts';
import type { StatusAnswer } from '../control-schema.ts';

export type FileFact = {
  readonly kind: 'file' | 'directory' | 'socket' | 'other';
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
};

export type DiskFact = {
  /** The nearest directory that exists. */
  readonly path: string;
  readonly freeBytes: bigint;
  /** tmpfs or ramfs: gone after a reboot. */
  readonly isMemory: boolean;
};

/** One ability of the kernel or of nft, as agent/adapters/nft/probe.ts tells it. */
export type NftFact = { readonly name: string; readonly ok: boolean; readonly detail: string; readonly fix?: string };

/** What one implementation of secp256k1 does here, as verifier/self-test.ts tells it. */
export type BackendFact =
  | { readonly name: string; readonly ok: true; readonly ratePerS: number }
  | { readonly name: string; readonly ok: false; readonly why: string };

export type Probed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string };

export type DoctorProbe = {
  readonly file: (path: string) => Promise<FileFact | undefined>;
  /** Text of a small file; undefined if it cannot be read. */
  readonly text: (path: string) => Promise<string | undefined>;
  /** Names in a directory; empty if there is none. */
  readonly names: (path: string) => Promise<readonly string[]>;
  /** True if something accepts on the unix socket. */
  readonly isAnswered: (socketPath: string) => Promise<boolean>;
  readonly disk: (path: string) => Promise<Probed<DiskFact>>;
  readonly uid: () => number;
  /** Wall clock, Unix seconds. */
  readonly wallS: () => number;
  readonly nft: () => Promise<Probed<readonly NftFact[]>>;
  /** Flowtables in the kernel that guests' packets can get into, e.g. "inet fw4 ft on eth0". */
  readonly offload: (guestDevices: readonly DeviceName[]) => Promise<Probed<readonly string[]>>;
  /** Comments of the rules in fw4's chain input; undefined if fw4's table is not there. */
  readonly fw4Input: () => Promise<Probed<readonly string[] | undefined>>;
  /** SHA-256 fingerprint of the certificate that this router's own `port` shows, as in "AB:CD:.."; undefined if it speaks no TLS. */
  readonly shownCertificate: (port: number) => Promise<string | undefined>;
  /** Each implementation of secp256k1: loaded, checked against known cases, measured. */
  readonly backends: () => Promise<Probed<readonly BackendFact[]>>;
  /** Milliseconds that the process at the socket takes for one signature. */
  readonly signingMs: (socketPath: string) => Promise<Probed<number>>;
  /** One JSON-RPC call. */
  readonly rpc: (url: string, method: string, params: readonly unknown[]) => Promise<Probed<unknown>>;
  /** The running agent's status; undefined if it does not answer. */
  readonly status: (socketPath: string) => Promise<StatusAnswer | undefined>;
};
