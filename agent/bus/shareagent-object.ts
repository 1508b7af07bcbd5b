/** Joins the object on the bus with the agent: what it answers, and what it tells subscribers. */
import type { AirCheck } from '../air-check.ts';
import type { BusObject, PriceChange } from '../bus-port.ts';
import type { NodeIdentity } from '../core/model.ts';
import type { Driver, DriverLog } from '../driver.ts';
import { saleTroubles } from '../guest/sale-trouble.ts';
import type { ConfigReload } from '../owner/config-reload.ts';
import { extendSession } from '../owner/owner.ts';
import type { Chain } from '../ports.ts';
import { ChainPulse } from '../settlement/chain-pulse.ts';
import type { Treasury } from '../treasury/treasury.ts';
import type { Hostnames } from './hostnames.ts';
import { type BusMethodDeps, busMethods } from './methods.ts';
import { busNotifier } from './notifier.ts';
import { passMethods } from './passes.ts';
import { type BusReportDeps, createBusReport } from './report.ts';

export type ShareagentObjectDeps = Pick<BusMethodDeps, 'config' | 'stations' | 'setPrice' | 'examine'> &
  Pick<BusReportDeps, 'journal' | 'clock' | 'minuteOfDay' | 'weeks' | 'freeToday'> & {
    readonly bus: BusObject;
    readonly driver: Driver;
    readonly owner: BusMethodDeps['owner'] & BusReportDeps['owner'];
    readonly reload: ConfigReload;
    readonly hostnames: Hostnames;
    readonly airCheck: AirCheck;
    readonly chain: Pick<Chain, 'balanceOf'>;
    readonly node: NodeIdentity;
    readonly treasury: Treasury;
    /** Why nothing is sold now, other than what driver and clock know. */
    readonly notSelling: () => string | undefined;
    readonly log: DriverLog;
  };

/** Puts the object on the bus. Never rejects for a bus that refuses: it is tried again. */
export async function publishShareagentObject(deps: ShareagentObjectDeps): Promise<void> {
  const { bus, driver, log, reload, hostnames, airCheck, chain, clock, node } = deps;
  const pulse = new ChainPulse({ chain, clock, payee: node.payee });
  const report = createBusReport({
    ...deps,
    saleTroubles: () => saleTroubles(deps),
    restartNeeded: () => reload.restartNeeded,
    isChainConnected: () => pulse.isConnected(),
    hostnameOf: (mac) => hostnames.of(mac),
    airOf: (mac) => airCheck.reading(mac),
  });
  driver.onChange(busNotifier({ bus, report, log }));
  const setPrice = (change: PriceChange) => {
    const result = deps.setPrice(change);
    if (result.ok) reload.reload();
    return result;
  };
  const give: BusMethodDeps['extendSession'] = (id, bytes) => extendSession(deps, id, bytes);
  const methods = busMethods({ ...deps, report, setPrice, extendSession: give });
  await bus.publish({ ...methods, ...passMethods(deps.treasury.passes) });
}
