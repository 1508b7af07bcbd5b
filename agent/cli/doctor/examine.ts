/** All of doctor's checks for one configuration, in the order in which an owner should mend. */
import { type ConfigReading, configErrorText } from '../../adapters/uci/read-config.ts';
import { certificateFindings } from './certificate-check.ts';
import { broken, doubtful, type Finding, fine } from './finding.ts';
import { healthFindings } from './health-findings.ts';
import {
  bridgeFilterFinding,
  conntrackFinding,
  firewallRuleFinding,
  flowtableFinding,
  guestDeviceFinding,
  nftFindings,
  offloadFinding,
  portFinding,
} from './network-checks.ts';
import type { DoctorProbe } from './probe.ts';
import {
  agentFinding,
  chainFindings,
  clockFinding,
  deviceKeyFinding,
  diskFinding,
  gasFinding,
  leasesFinding,
  signatureFinding,
  ubusFinding,
} from './system-checks.ts';

/** Without a right configuration only what does not depend on it is looked at. */
export async function examine(
  probe: DoctorProbe,
  reading: ConfigReading,
  paths: { readonly config: string; readonly socket: string },
): Promise<readonly Finding[]> {
  const general = await Promise.all([
    nftFindings(probe),
    bridgeFilterFinding(probe),
    conntrackFinding(probe),
    offloadFinding(probe),
    firewallRuleFinding(probe),
  ]);
  if (!reading.ok) {
    const errors = reading.errors.map((error) => broken('config', configErrorText(error), `Mend ${paths.config}.`));
    return [...errors, ...general.flat()];
  }
  const { config } = reading;
  const status = await probe.status(paths.socket);
  const specific = await Promise.all([
    ...config.network.guestDevices.map((device) => guestDeviceFinding(probe, device)),
    flowtableFinding(probe, config.network.guestDevices),
    ubusFinding(probe, config.network.ubusSocket),
    leasesFinding(probe, config.network.leaseFile),
    portFinding(probe, config.portal.port, status !== undefined),
    diskFinding(probe, config.storage.databasePath),
    deviceKeyFinding(probe, config.storage),
    signatureFinding(probe),
    clockFinding(probe, config.isEnabled ? config.chain.rpcUrl : undefined, status),
  ]);
  const enabled = config.isEnabled
    ? fine('config', `${paths.config} is right`)
    : doubtful(
        'config',
        `${paths.config} is right, but nothing is sold`,
        'uci set shareagent.agent.enabled=1; uci commit shareagent; service shareagent start',
      );
  const findings = [
    enabled,
    ...general.flat(),
    ...specific,
    ...(await certificateFindings(probe, config.portal, status !== undefined)),
    ...(config.isEnabled ? await outward(probe, config, status) : []),
    agentFinding(status),
  ];
  return [...findings, ...healthFindings(status, findings)];
}

type Config = Extract<ConfigReading, { ok: true }>['config'];

/** What asks the chain: pointless before its addresses are set. */
async function outward(
  probe: DoctorProbe,
  config: Config,
  status: Awaited<ReturnType<DoctorProbe['status']>>,
): Promise<readonly Finding[]> {
  const chain = await chainFindings(probe, config);
  const isReachable = chain[0]?.status === 'ok';
  const gas = status === undefined || !isReachable ? [] : [await gasFinding(probe, config.chain.rpcUrl, status.device)];
  return [...chain, ...gas];
}
