/**
 * Cross-checks two independent counters of the same traffic: what the kernel's packet filter billed (layer 3, forwarded) and
 * what hostapd's driver carried over the air (layer 2, all of it). The air must carry at least what is billed, and not much
 * more: the portal, DNS and frame headers are allowed for. More billed than carried means that guests pay too much; far
 * more carried than billed means that something passes the counters.
 *
 * Only sessions all of whose devices are on the air are judged, over one unbroken stay: a counter that starts anew, or a device
 * that comes or goes, starts the comparison anew.
 */
import type { Mac, SessionId } from './core/model.ts';
import type { AgentState, LiveSession } from './core/state.ts';
import type { AirReading, HealthCheck } from './ports.ts';

type Sum = { readonly airUp: bigint; readonly airDown: bigint; readonly packets: number; readonly billed: bigint };
type Stay = { readonly macs: string; readonly base: Sum; readonly last: Sum };
type Disagreement = { readonly sessionId: SessionId; readonly airBytes: bigint; readonly billedBytes: bigint };

/** The portal's page and its events, DNS, DHCP: they cross the air and are not billed. */
const OWN_TRAFFIC_BYTES = 2_000_000n;
/** 802.11 QoS header, LLC, CCMP and the Ethernet header that drivers count or do not count: at most this for each packet. */
const HEADER_BYTES = 60n;
/** 1/20: counters that drivers round, retries that some count. */
const TOLERANCE_DIVISOR = 20n;
/** Bytes that one counter has and the other has not yet, between the two readings. */
const LAG_BYTES = 500_000n;

export class AirCheck {
  readonly #stays = new Map<SessionId, Stay>();
  readonly #disagreements = new Map<SessionId, Disagreement>();
  #readings: ReadonlyMap<Mac, AirReading> = new Map();
  #hasCompared = false;

  /** The newest reading of a device; undefined for wired ones. */
  reading(mac: Mac): AirReading | undefined {
    return this.#readings.get(mac);
  }

  /** Takes hostapd's readings; the state's usage must have been read right before. Returns sessions that disagree newly. */
  compare(readings: readonly AirReading[], state: AgentState): readonly Disagreement[] {
    this.#readings = new Map(readings.map((reading) => [reading.mac, reading]));
    const fresh: Disagreement[] = [];
    for (const id of this.#stays.keys()) if (!isRunning(state.sessions.get(id))) this.#forget(id);
    for (const session of state.sessions.values()) {
      if (!isRunning(session)) continue;
      const sum = this.#sumOf(session);
      if (sum === undefined) {
        this.#stays.delete(session.id);
        continue;
      }
      const known = this.#disagreements.has(session.id);
      const found = this.#judge(session, sum);
      if (found !== undefined && !known) fresh.push(found);
    }
    return fresh;
  }

  /** One line for doctor; undefined while there was nothing to compare. */
  health(): HealthCheck | undefined {
    if (!this.#hasCompared) return undefined;
    const check = 'counters';
    const worst = [...this.#disagreements.values()];
    if (worst.length === 0) return { check, ok: true, message: 'packet filter and hostapd count the same traffic' };
    const named = worst
      .slice(0, 3)
      .map(
        ({ sessionId, airBytes, billedBytes }) => `session ${sessionId}: air ${airBytes}, billed ${billedBytes} bytes`,
      );
    const more = worst.length > 3 ? ` and ${worst.length - 3} more` : '';
    const isOverbilled = worst.some(({ airBytes, billedBytes }) => billedBytes > airBytes);
    const fix = isOverbilled
      ? 'Guests may be billed for more than they got: report it with the output of shareagent doctor, wifi driver and release.'
      : 'Traffic may pass the counters: set flow_offloading to 0 in /etc/config/firewall, then see if it goes on.';
    return { check, ok: false, message: `packet filter and hostapd disagree (${named.join('; ')}${more})`, fix };
  }

  #sumOf(session: LiveSession): Sum | undefined {
    let [airUp, airDown, packets] = [0n, 0n, 0];
    for (const { mac } of session.stations) {
      const reading = this.#readings.get(mac);
      if (reading === undefined) return undefined;
      airUp += reading.upBytes;
      airDown += reading.downBytes;
      packets += reading.packets;
    }
    return { airUp, airDown, packets, billed: session.usage.upBytes + session.usage.downBytes };
  }

  #judge(session: LiveSession, sum: Sum): Disagreement | undefined {
    const macs = session.stations.map(({ mac }) => mac).join();
    const stay = this.#stays.get(session.id);
    const isUnbroken =
      stay?.macs === macs &&
      sum.airUp >= stay.last.airUp &&
      sum.airDown >= stay.last.airDown &&
      sum.packets >= stay.last.packets &&
      sum.billed >= stay.last.billed;
    if (!isUnbroken) {
      this.#stays.set(session.id, { macs, base: sum, last: sum });
      return undefined;
    }
    this.#stays.set(session.id, { ...stay, last: sum });
    this.#hasCompared = true;
    const airBytes = sum.airUp + sum.airDown - stay.base.airUp - stay.base.airDown;
    const billedBytes = sum.billed - stay.base.billed;
    if (agrees(airBytes, billedBytes, BigInt(sum.packets - stay.base.packets))) {
      this.#disagreements.delete(session.id);
      return undefined;
    }
    const found = { sessionId: session.id, airBytes, billedBytes };
    this.#disagreements.set(session.id, found);
    return found;
  }

  #forget(id: SessionId): void {
    this.#stays.delete(id);
    this.#disagreements.delete(id);
  }
}

function agrees(airBytes: bigint, billedBytes: bigint, packets: bigint): boolean {
  if (billedBytes > airBytes + airBytes / TOLERANCE_DIVISOR + LAG_BYTES) return false;
  return airBytes <= billedBytes + airBytes / TOLERANCE_DIVISOR + packets * HEADER_BYTES + OWN_TRAFFIC_BYTES;
}

function isRunning(session: LiveSession | undefined): session is LiveSession {
  return session !== undefined && session.ended === undefined;
}
