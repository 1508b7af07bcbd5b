/** Brings a store up to its log: after a crash, and from nothing for `rebuild`. */
import type { FleetStore } from './fleet-store.ts';
import { decodeLogEntry } from './proof-entry.ts';
import { isAfter, type LogFrame, type ProofLog } from './proof-log.ts';

const FRAMES_PER_TRANSACTION = 1000;

/** Applies what the log has and the store has not; begins anew if the store knows more than the log. @returns frames applied */
export async function catchUp(store: FleetStore, log: ProofLog): Promise<number> {
  if (isAfter(await store.position(), log.end())) await store.clear();
  let applied = 0;
  let group: LogFrame[] = [];
  for await (const frame of log.frames(await store.position())) {
    group.push(frame);
    if (group.length < FRAMES_PER_TRANSACTION) continue;
    applied += await applyFrames(store, group);
    group = [];
  }
  return applied + (await applyFrames(store, group));
}

async function applyFrames(store: FleetStore, frames: readonly LogFrame[]): Promise<number> {
  const last = frames.at(-1);
  if (last === undefined) return 0;
  await store.tx(async (tx) => {
    for (const { payload } of frames) await tx.apply(decodeLogEntry(payload));
    await tx.setPosition(last.position);
  });
  return frames.length;
}
