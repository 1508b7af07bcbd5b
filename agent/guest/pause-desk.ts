/** A guest pauses the paid session of its device, and goes on. Both are on disk and in the kernel before they are answered. */
import type { AgentEvent } from '../core/events.ts';
import { judgePause } from '../core/judge-pause.ts';
import type { Mac, SessionId } from '../core/model.ts';
import { refuse } from '../core/refusal.ts';
import type { LiveSession } from '../core/state.ts';
import { guestView } from '../core/view.ts';
import type { Driver } from '../driver.ts';
import type { DeskResult } from '../ports.ts';
import { messageOf } from './message-of.ts';

export type PauseDeskDeps = {
  readonly driver: Pick<Driver, 'state' | 'dispatch' | 'commit' | 'sessionEntry' | 'reconciled'>;
};

type PauseEvent<K> = K extends AgentEvent['kind'] ? Omit<Extract<AgentEvent, { kind: K }>, 'nowMs'> : never;

export class PauseDesk {
  readonly #deps: PauseDeskDeps;

  constructor(deps: PauseDeskDeps) {
    this.#deps = deps;
  }

  pause(mac: Mac): Promise<DeskResult> {
    return this.#change(mac, (sessionId) => ({ kind: 'session-paused', sessionId }));
  }

  resume(mac: Mac): Promise<DeskResult> {
    return this.#change(mac, (sessionId) => ({ kind: 'session-resumed', sessionId, mac }));
  }

  /** A journal that fails leaves the session as the guest asked; the refusal says that a power cut would forget it. */
  async #change(
    mac: Mac,
    eventFor: (id: SessionId) => PauseEvent<'session-paused' | 'session-resumed'>,
  ): Promise<DeskResult> {
    const { driver } = this.#deps;
    const judgement = judgePause(driver.state, mac);
    if (!judgement.ok) return judgement;
    const { id } = judgement.session;
    driver.dispatch(eventFor(id));
    try {
      await driver.reconciled();
      // After it: the kernel's counters went with the grant, and only their last readings know what passed.
      await driver.commit([driver.sessionEntry(driver.state.sessions.get(id) as LiveSession)]);
    } catch (cause) {
      return refuse('not-selling', 'a journal that can be written and a working packet filter', messageOf(cause));
    }
    return { ok: true, view: guestView(driver.state, mac) };
  }
}
