/** What a journal would hold of a state: the shape that driver.ts writes. */
import type { JournalSnapshot } from '../../../../agent/core/journal-entry.ts';
import type { AgentState } from '../../../../agent/core/state.ts';

export function restoreCase(state: AgentState): JournalSnapshot {
  return {
    channels: [...state.channels.values()].map(({ closeAttempts: _, nextCloseMs: __, ticks: ___, ...kept }) => kept),
    ticks: [...state.channels.values()].flatMap(({ ticks }) =>
      ticks === undefined ? [] : [{ voucher: ticks.voucher, last: ticks.last }],
    ),
    sessions: [...state.sessions.values()].map((live) => {
      const { counters, depletedAtMs: _, absentSinceMs: __, storedBytes: ___, storedAtMs: ____, ...session } = live;
      const stations = session.stations.map((station) => {
        const { port, addresses } = state.stations.get(station.mac) ?? station;
        return port === undefined ? { mac: station.mac, addresses } : { mac: station.mac, port, addresses };
      });
      const readings = [...counters].map(([key, bytes]) => ({ sessionId: session.id, key, bytes, packets: 0n }));
      return { session: { ...session, stations }, counters: readings };
    }),
    trials: [...state.trials].map(([mac, trial]) => ({ mac, ...trial })),
  };
}
